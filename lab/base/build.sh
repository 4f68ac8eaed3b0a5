#!/usr/bin/env bash
# Builds what is missing of the lab's base and prints, as JSON, which directories a host is made of:
#   {"debian": "TOP:…:BOTTOM", "arch": "TOP:…:BOTTOM", "privateKey": "FILE"}
#
# The base is a stack of layers. Each is kept under a digest of everything it was made from, so a
# change rebuilds that layer and those above it, and two checkouts can share one cache.
set -euo pipefail
umask 022

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
  [stand-ins]="system"
  [debian]="common system"
  [arch]="common system"
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
    sha256sum layer.sh packages.sh "layers/$layer.sh"
    if [[ -d "layers/$layer" ]]; then
      find "layers/$layer" -type f -print0 | sort --zero-terminated | xargs --null sha256sum
    fi
  } | sha256sum | cut --characters 1-12
}

remove_tree() {
  rm --recursive --force --one-file-system "$1"
}

build_layer() {
  local layer=$1 target=$base/unfinished started=$SECONDS lower variable
  local below_directories=() environment=()
  "$here/../prerequisites.sh"
  printf 'Building the base of the lab: %s … ' "$layer" >&2
  remove_tree "$target"
  mkdir "$target"
  for lower in ${below[$layer]}; do
    below_directories+=("${directory[$lower]}")
  done
  # Little of what this machine sets should find its way into the base.
  for variable in NIX_BINARY_CACHE_LAB_MIRROR http_proxy https_proxy no_proxy; do
    [[ -z "${!variable:-}" ]] || environment+=("$variable=${!variable}")
  done
  # The child holds the lock as well: should this process be killed, the next one waits for it.
  if ! env --ignore-environment HOME=/root LC_ALL=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${environment[@]}" \
    unshare --mount --propagation private \
    "$here/layer.sh" "$layer" "$target" "${below_directories[@]}" >"$base/$layer.log" 2>&1; then
    printf 'failed\n' >&2
    tail --lines 40 "$base/$layer.log" >&2
    exit 1
  fi
  mv "$target" "${directory[$layer]}"
  printf '%d s\n' "$((SECONDS - started))" >&2
}

forget_old() {
  find "$base" -mindepth 1 -maxdepth 1 -type d -mtime +7 -print0 |
    while IFS= read -r -d '' old; do
      grep --quiet --fixed-strings "$old/" /proc/mounts || remove_tree "$old"
    done
}

stack() {
  local path="" layer
  for layer in "$@"; do
    path+=${path:+:}${directory[$layer]}/root
  done
  printf '%s' "$path"
}

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
  else
    build_layer "$layer"
  fi
done
forget_old

jq --null-input \
  --arg debian "$(stack stand-ins debian common system)" \
  --arg arch "$(stack stand-ins arch common system)" \
  --arg privateKey "${directory[common]}/lab-key" \
  '{debian: $debian, arch: $arch, privateKey: $privateKey}'
