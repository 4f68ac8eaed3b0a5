#!/usr/bin/env bash
# The lowest layer: Debian with the packages every host has, and the packages of the repository.
# shellcheck disable=SC2016 # dollar signs for apt and for the shell inside
set -euo pipefail

# shellcheck source=lab/base/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/../packages.sh"

# The mirror this machine itself uses; without one, debootstrap knows where Debian lives.
mirror=${NIX_BINARY_CACHE_LAB_MIRROR:-}
if [[ -z "$mirror" ]]; then
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Label: Debian' |
    head --lines 1)
fi
proxy=$(apt-config dump --format '%v%n' Acquire::http::Proxy)
if [[ -n "$proxy" ]]; then
  export http_proxy=$proxy
fi

debootstrap --variant=minbase --include=ca-certificates "$debian_release" "$ROOT" \
  ${mirror:+"$mirror"}

# The base is thrown away and built again when it is lost, so it need not survive a power cut;
# documentation and translations would be a third of it.
cat >"$ROOT/etc/dpkg/dpkg.cfg.d/lab" <<'END'
force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
END
printf '#!/bin/sh\nexit 101\n' >"$ROOT/usr/sbin/policy-rc.d"
chmod 0755 "$ROOT/usr/sbin/policy-rc.d"
cat /etc/resolv.conf >"$ROOT/etc/resolv.conf"
cat /etc/hosts >"$ROOT/etc/hosts"
# A mirror of one's own may have a certificate that only this machine knows.
cat /etc/ssl/certs/ca-certificates.crt >"$ROOT/certificates"
mount --types proc proc "$ROOT/proc"

export DEBIAN_FRONTEND=noninteractive
inside=(chroot "$ROOT" apt-get --quiet --yes --no-install-recommends
  --option Acquire::https::CAInfo=/certificates)
"${inside[@]}" update
"${inside[@]}" install "${base_packages[@]}"
# A plain Debian has mawk; the Arch look-alike has gawk, as Arch.
ln --symbolic --force /usr/bin/mawk "$ROOT/etc/alternatives/awk"
mkdir --parents "$ROOT/packages/partial"
"${inside[@]}" --option Dir::Cache::archives=/packages --download-only \
  install "${repository_packages[@]}"
# Those that are installed already belong in the repository too, or apt could not find them there;
# busybox is a tool of the stand-ins.
chroot "$ROOT" sh -c 'cd /packages && apt-get --quiet --option "$0" download "$@"' \
  Acquire::https::CAInfo=/certificates busybox-static "${repository_packages[@]}"

umount "$ROOT/proc"
rm --recursive "$ROOT/packages/partial" "$ROOT/packages/lock"
mv "$ROOT/packages" "$LAYER_DIRECTORY/packages"
rm "$ROOT/usr/sbin/policy-rc.d" "$ROOT/etc/resolv.conf" "$ROOT/etc/hosts" \
  "$ROOT/certificates"
rm --recursive --force "$ROOT"/var/cache/apt/* "$ROOT"/var/lib/apt/lists/*
find "$ROOT/var/log" -type f -delete
rm --force "$ROOT"/etc/ssh/ssh_host_*
