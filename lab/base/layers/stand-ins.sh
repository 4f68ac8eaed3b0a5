#!/usr/bin/env bash
# The flake that stands in for nixpkgs, at /srv/nixpkgs-stand-in.
set -euo pipefail

flake=$ROOT/srv/nixpkgs-stand-in
mkdir --parents "$flake/tools"
cp --recursive --no-preserve=mode,ownership "${BASH_SOURCE[0]%.sh}"/. "$flake"

scratch=$(mktemp --directory)
dpkg-deb --extract "$SYSTEM_DIRECTORY"/packages/busybox-static_*.deb "$scratch"
cp "$scratch/usr/bin/busybox" "$flake/tools/busybox"
rm --recursive "$scratch"
# The same bytes on every machine, and nothing that could be compressed.
head --bytes 8M /dev/zero |
  openssl enc -aes-128-ctr -K 00000000000000000000000000000000 \
    -iv 00000000000000000000000000000000 >"$flake/tools/noise"
chmod 0755 "$flake/tools/busybox"
