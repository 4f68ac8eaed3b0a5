#!/usr/bin/env bash
# Installs what the lab needs on this machine. Quick and silent when everything is there already.
set -euo pipefail

required_packages=(
  ca-certificates
  curl
  debian-archive-keyring
  debootstrap
  git
  gawk
  dash
  iproute2
  jq
  nftables
  nix-bin
  openssh-client
  openssl
  procps
  shellcheck
  systemd-container
  util-linux
  xz-utils
  zstd
)

fail() {
  printf 'The lab cannot run here: %s\n' "$1" >&2
  exit 1
}

[[ "$(uname -s)" == Linux ]] || fail "it boots Linux hosts in systemd-nspawn, and this is $(uname -s)."
command -v apt-get >/dev/null || fail "its hosts are made with debootstrap and apt-get is not here;
use a Debian or Ubuntu machine, or a virtual machine or privileged container with one."
[[ "$(id -u)" == 0 ]] || fail "it needs root (mounts, network, containers); try again with sudo."

installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' \
  "${required_packages[@]}" 2>/dev/null || true)
missing_packages=()
for package in "${required_packages[@]}"; do
  grep --quiet --line-regexp --fixed-strings "installed $package" <<<"$installed" ||
    missing_packages+=("$package")
done
[[ ${#missing_packages[@]} -gt 0 ]] || exit 0

printf 'Installing for the lab: %s\n' "${missing_packages[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive

install_missing() {
  apt-get install --yes --no-install-recommends "${missing_packages[@]}" >"$log" 2>&1
}

# The package lists of a machine are often fresh enough; refreshing them takes longer than the rest.
if ! install_missing; then
  apt-get update >>"$log" 2>&1 || true
  if ! install_missing; then
    tail --lines 30 "$log" >&2
    fail "apt-get could not install: ${missing_packages[*]}."
  fi
fi
