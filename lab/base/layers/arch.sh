#!/usr/bin/env bash
# An Arch look-alike: pacman knows one repository, which is inside the host, and dpkg is gone.
set -euo pipefail

here=${BASH_SOURCE[0]%.sh}
# shellcheck source=lab/base/layers/arch/packages.sh
source "$here/packages.sh"
repository=$ROOT/srv/repository
mkdir --parents "$repository"
"$here/convert.sh" "$SYSTEM_DIRECTORY/packages" "$ROOT" "$repository"

cp --recursive --no-preserve=mode,ownership "$here/root/." "$ROOT"
: >"$ROOT/etc/arch-release"
ln --symbolic --force /usr/bin/gawk "$ROOT/etc/alternatives/awk"
# Arch has one directory for programs.
find "$ROOT/usr/sbin" -mindepth 1 -maxdepth 1 ! -name ip -exec mv --target-directory "$ROOT/usr/bin" {} +
rm --recursive "$ROOT/usr/sbin"
ln --symbolic bin "$ROOT/usr/sbin"

# The number of this account is that of http on Arch.
chroot "$ROOT" userdel www-data
sed --in-place "/^u www-data /d" "$ROOT/usr/lib/sysusers.d/basic.conf"
chroot "$ROOT" systemd-sysusers

rm --recursive --force "$ROOT"/etc/{apt,dpkg,debian_version,debconf.conf} \
  "$ROOT"/var/{lib,cache}/{apt,dpkg,debconf} "$ROOT"/usr/{lib,share}/{apt,dpkg,debconf} \
  "$ROOT"/usr/bin/{apt*,dpkg*,debconf*,update-rc.d,deb-systemd-*}

chroot "$ROOT" sh -c 'cd /srv/repository && repo-add --quiet extra.db.tar.gz *.pkg.tar.zst'
chroot "$ROOT" pacman --sync --refresh --noconfirm "${present_packages[@]}"
touch "$ROOT/etc/.updated" "$ROOT/var/.updated"
