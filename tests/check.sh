#!/usr/bin/env bash
# Everything that can be judged without running the program: types, lint, format, shell, Nix.
set -euo pipefail
cd "$(dirname "$0")/.."
lab/prerequisites.sh
lab/dependencies.sh

echo "types";  npx tsc --noEmit --project .
echo "lint";   npx eslint .
echo "format"; npx prettier --log-level warn --check .
echo "shell"
mapfile -t programs < <(git ls-files --cached --others --exclude-standard | tests/shell-files.sh)
shellcheck --external-sources --source-path=. "${programs[@]}"
echo "nix"
mapfile -t expressions < <(git ls-files --cached --others --exclude-standard '*.nix')
if [ ${#expressions[@]} -gt 0 ]; then nix-instantiate --parse "${expressions[@]}" >/dev/null; fi
echo "all checks passed"
