#!/usr/bin/env bash
# Prints all that a configuration set could have touched on this host: files with owner, mode and
# content, accounts, units. What the system writes by itself all the time is left out.
set -euo pipefail

find /etc /usr/local /srv /var/lib /var/cache /var/log/nginx -xdev \
  \( -path /var/lib/systemd -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/lib/pacman \
  -o -path '/var/cache/*/*' -o -path '/var/lib/nginx/*' -o -name ld.so.cache -o -name '*-' -o -name '.pwd.lock' -o -name '.updated' \
  -o -name 'access.log' -o -name 'error.log' \) -prune \
  -o -printf "%p %M %u:%g %l\n" | sort
find /etc /srv -xdev -type f ! -name ld.so.cache ! -name '*-' ! -path '/srv/repository/*' \
  -exec sha256sum {} + | sort --key 2
getent passwd
getent group
systemctl list-unit-files --no-legend --no-pager 'n*' | awk '{ print $1, $2 }'
for unit in nginx.service nix-daemon.socket nix-serve.service; do
  printf '%s is %s\n' "$unit" "$(systemctl is-active "$unit" || :)"
done
