#!/usr/bin/env bash
# Builds what is missing of the lab's base and prints, as JSON, which directories a host is made of:
#   {"debian": "TOP:…:BOTTOM", "arch": "TOP:…:BOTTOM", "privateKey": "FILE"}
#
# The base is a stack of layers. Each is kept under a digest of everything it was made from, so a
# change rebuilds that layer and those above it, and two checkouts can share one cache.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${NIX_BINARY_CACHE_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/nix-binary-cache-lab}
base=$cache/base
# An overlay file system splits its list of directories at colons and its options at commas.
if [[ "$cache" =~ [:,[:space:]\\] ]]; then
  printf 'The lab cannot keep its hosts in %s: set NIX_BINARY_CACHE_LAB to a plain path.\n' "$cache" >&2
  exit 1
fi

# Layers below a layer, the nearest first.
declare -A below=(
  [system]=""
  [common]="system"
  [debian]="common system"
  [arch]="common system"
  [stand-ins]="system"
)
build_order=(system common stand-ins debian arch)
declare -A directory

digest_of() {
  local layer=$1 lower
  {
    for lower in ${below[$layer]}; do
      printf '%s\n' "${directory[$lower]##*/}"
    done
    printf '%s\n' "${NIX_BINARY_CACHE_LAB_MIRROR:-}"
    cd "$here"
    find layers/"$layer".sh layers/"$layer" packages.sh build.sh -type f -print0 2>/dev/null |
      sort --zero-terminated | xargs --null sha256sum
    find layers/"$layer" -printf '%P %m %l\n' 2>/dev/null | sort || true
  } | sha256sum | cut --characters 1-12
}

remove_tree() {
  rm --recursive --force --one-file-system "$1"
}

# Runs in a mount namespace of its own: whatever ends the build also ends its mounts.
build_layer() {
  local layer=$1 target=$2 lower lower_directories=""
  mkdir --parents "$target/root"
  for lower in ${below[$layer]}; do
    lower_directories+=${lower_directories:+:}${directory[$lower]}/root
  done
  export LAYER_DIRECTORY=$target SYSTEM_DIRECTORY=${directory[system]:-$target}
  if [[ -z "$lower_directories" ]]; then
    ROOT=$target/root "$here/layers/$layer.sh"
  else
    mkdir --parents "$target/work" "$target/merged"
    mount --types overlay \
      --options "lowerdir=$lower_directories,upperdir=$target/root,workdir=$target/work" \
      overlay "$target/merged"
    mount --types proc proc "$target/merged/proc"
    ROOT=$target/merged "$here/layers/$layer.sh"
    umount "$target/merged/proc" "$target/merged"
    rmdir "$target/merged"
    remove_tree "$target/work"
  fi
}

forget_old() {
  find "$base" -mindepth 1 -maxdepth 1 -type d -mtime +14 -print0 |
    while IFS= read -r -d '' old; do
      grep --quiet --fixed-strings "$old/" /proc/mounts || remove_tree "$old"
    done
}

if [[ "${1:-}" == --in-own-namespace ]]; then
  layer=$2 target=$3
  shift 3
  for pair in "$@"; do
    directory[${pair%%=*}]=${pair#*=}
  done
  build_layer "$layer" "$target"
  exit 0
fi

mkdir --parents "$base"
chmod 0700 "$base"
exec {lock}>"$base/lock"
if ! flock --nonblock "$lock"; then
  printf 'Another process builds the base of the lab; waiting for it.\n' >&2
  flock "$lock"
fi

for layer in "${build_order[@]}"; do
  directory[$layer]=$base/$layer-$(digest_of "$layer")
  if [[ -d "${directory[$layer]}" ]]; then
    touch "${directory[$layer]}"
    continue
  fi
  "$here/../prerequisites.sh"
  printf 'Building the base of the lab: %s … ' "$layer" >&2
  started=$SECONDS
  target=$base/unfinished
  remove_tree "$target"
  mkdir "$target"
  pairs=()
  for lower in ${below[$layer]}; do
    pairs+=("$lower=${directory[$lower]}")
  done
  if ! unshare --mount --propagation private "${BASH_SOURCE[0]}" --in-own-namespace \
    "$layer" "$target" "${pairs[@]}" >"$base/$layer.log" 2>&1 {lock}>&-; then
    printf 'failed\n' >&2
    tail --lines 40 "$base/$layer.log" >&2
    exit 1
  fi
  mv "$target" "${directory[$layer]}"
  printf '%d s\n' "$((SECONDS - started))" >&2
done
forget_old

stack() {
  local path="" layer
  for layer in "$@"; do
    path+=${path:+:}${directory[$layer]}/root
  done
  printf '%s' "$path"
}
jq --null-input \
  --arg debian "$(stack stand-ins debian common system)" \
  --arg arch "$(stack stand-ins arch common system)" \
  --arg privateKey "${directory[common]}/lab-key" \
  '{debian: $debian, arch: $arch, privateKey: $privateKey}'
