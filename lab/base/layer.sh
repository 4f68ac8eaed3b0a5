#!/usr/bin/env bash
# Builds one layer: layer.sh NAME DIRECTORY [DIRECTORY-OF-A-LAYER-BELOW…], the nearest first.
# To be run in a mount namespace of its own, so that whatever ends the build also ends its mounts.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=$1 target=$2
shift 2
mkdir "$target/root"
export LAYER_DIRECTORY=$target
if [[ $# -eq 0 ]]; then
  ROOT=$target/root "$here/layers/$name.sh"
  exit 0
fi
# The last one below holds the packages that were downloaded.
export SYSTEM_DIRECTORY=${!#}

mkdir "$target/work" "$target/merged"
lower=$(printf ':%s/root' "$@")
mount --types overlay \
  --options "lowerdir=${lower#:},upperdir=$target/root,workdir=$target/work" \
  overlay "$target/merged"
mount --types proc proc "$target/merged/proc"
ROOT=$target/merged "$here/layers/$name.sh"
umount "$target/merged/proc" "$target/merged"
rmdir "$target/merged"
rm --recursive --force --one-file-system "$target/work"
