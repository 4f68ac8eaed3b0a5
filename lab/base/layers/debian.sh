#!/usr/bin/env bash
# A Debian host: apt knows one repository, which is inside the host.
set -euo pipefail

repository=$ROOT/srv/repository
mkdir --parents "$repository"
cp "$SYSTEM_DIRECTORY"/packages/*.deb "$repository"
(
  cd "$repository"
  for package in *.deb; do
    dpkg-deb --field "$package"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$package" \
      "$(stat --format %s "$package")" "$(sha256sum "$package" | cut --delimiter ' ' --fields 1)"
  done >Packages
)

rm --force "$ROOT"/etc/apt/sources.list.d/*
printf 'deb [trusted=yes] file:/srv/repository ./\n' >"$ROOT/etc/apt/sources.list"
# Each apt in the base would otherwise wait for the lists of translations that are not there.
printf 'Acquire::Languages "none";\n' >"$ROOT/etc/apt/apt.conf.d/lab"
