#!/usr/bin/env bash
# The demonstration: from a fresh checkout and nothing else to a client that pulls a signed closure.
# usage: npm run demo [-- [--engine auto|pulumi|inprocess] [--json FILE]]
set -euo pipefail
cd "$(dirname "$0")/.."
lab/prerequisites.sh
lab/dependencies.sh
exec npx tsx lab/demo.ts "$@"
