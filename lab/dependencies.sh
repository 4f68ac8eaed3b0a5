#!/usr/bin/env bash
# Brings node_modules in line with package-lock.json; does nothing when it already is.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$project"

# npm writes this file at the end of an installation, so a broken one leaves it out of date.
installed=node_modules/.package-lock.json
if [[ -e "$installed" && ! package-lock.json -nt "$installed" ]]; then
  exit 0
fi

command -v npm >/dev/null || {
  printf 'npm is not here: install Node.js %s or newer.\n' "$(cat .node-version)" >&2
  exit 1
}
printf 'Installing the packages of package-lock.json\n' >&2
npm ci --no-audit --no-fund --loglevel=error >&2
touch "$installed"
