#!/usr/bin/env bash
# Of the files named on standard input, those that are shell: by their ending, their first line,
# or a shellcheck directive in it.
set -euo pipefail

while read -r path; do
  [ -f "$path" ] || continue
  case $path in
    *.sh) printf '%s\n' "$path" ;;
    *.*) ;;
    *) if head -n 1 "$path" | grep -qE '^#!.*\bbash|^# shellcheck shell='; then printf '%s\n' "$path"; fi ;;
  esac
done
