#!/usr/bin/env bash
# npm run lab -- up|down|status|ssh HOST [COMMAND]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/prerequisites.sh"
"$here/dependencies.sh"
exec "$here/../node_modules/.bin/tsx" "$here/commandline.ts" "$@"
