#!/usr/bin/env bash
# Runs the tests: unit (no host), lab (real hosts), engine (the real Pulumi engine).
# usage: tests/run.sh [unit|lab|engine]… [-- JEST-ARGUMENT…]
# Installs what it needs. The last line is the sum of all layers.
set -euo pipefail
cd "$(dirname "$0")/.."

layers=()
while [ $# -gt 0 ]; do
  case $1 in
    unit | lab | engine) layers+=("$1") && shift ;;
    --) shift && break ;;
    *) echo "usage: npm test [-- unit|lab|engine…]" >&2 && exit 2 ;;
  esac
done
[ ${#layers[@]} -gt 0 ] || layers=(unit lab engine)

lab/prerequisites.sh
lab/dependencies.sh
results=$(mktemp --directory)
trap 'rm -rf -- "$results"' EXIT

status=0
for layer in "${layers[@]}"; do
  echo "== $layer"
  # Hosts are booted and provisioned one after the other: two cores are few.
  workers=2
  [ "$layer" = unit ] || workers=1
  npx jest --selectProjects "$layer" --maxWorkers "$workers" --json --outputFile "$results/$layer.json" "$@" || status=$?
done
node tests/summary.js "$results"/*.json
exit "$status"
