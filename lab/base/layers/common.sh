#!/usr/bin/env bash
# What both distributions share: people, their key, the network, and a boot without waiting.
set -euo pipefail

cp --recursive --no-preserve=mode,ownership "${BASH_SOURCE[0]%.sh}"/. "$ROOT"
chmod 0440 "$ROOT/etc/sudoers.d/lab"
chmod 0755 "$ROOT/usr/local/lib/lab/network"

ssh-keygen -q -t ed25519 -N "" -C lab -f "$LAYER_DIRECTORY/lab-key"

# The distribution has a group of this name already.
chroot "$ROOT" useradd --create-home --gid operator --shell /bin/bash operator
chroot "$ROOT" useradd --create-home --user-group --shell /usr/bin/fish fisher
authorise() {
  local user=$1 home=$2
  mkdir --parents "$ROOT$home/.ssh"
  cp "$LAYER_DIRECTORY/lab-key.pub" "$ROOT$home/.ssh/authorized_keys"
  chmod 0700 "$ROOT$home/.ssh"
  chmod 0600 "$ROOT$home/.ssh/authorized_keys"
  chroot "$ROOT" chown --recursive "$user:" "$home/.ssh"
}
authorise root /root
authorise operator /home/operator
authorise fisher /home/fisher

# Where this directory exists the journal outlives a boot, as it does on a real host.
mkdir --parents "$ROOT/var/log/journal"
printf 'LANG=C.UTF-8\n' >"$ROOT/etc/locale.conf"
printf 'LANG=C.UTF-8\n' >"$ROOT/etc/default/locale"
# No name server exists in the lab: names come from /etc/hosts, anything else fails at once.
printf '# The lab has no name server.\n' >"$ROOT/etc/resolv.conf"
printf 'hosts: files dns\npasswd: files systemd\ngroup: files systemd\nshadow: files\n' \
  >"$ROOT/etc/nsswitch.conf"
: >"$ROOT/etc/fstab"
: >"$ROOT/etc/motd"
rm --force "$ROOT/etc/machine-id" "$ROOT/var/lib/dbus/machine-id"

systemctl --root "$ROOT" --quiet enable lab-network.service ssh.service
# Consoles, clocks, disks and downloads that a host of the lab does not have.
systemctl --root "$ROOT" --quiet mask \
  apt-daily-upgrade.timer apt-daily.timer console-getty.service container-getty@.service \
  dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer getty.target \
  systemd-ask-password-wall.path systemd-firstboot.service systemd-logind-varlink.socket \
  ssh.socket sshd-keygen.service systemd-pstore.service systemd-udevd.service \
  systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-update-utmp.service
# Otherwise the first boot rebuilds the caches of the linker, of users and of the journal.
touch "$ROOT/etc/.updated" "$ROOT/var/.updated"
