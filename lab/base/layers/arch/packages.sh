# shellcheck shell=bash disable=SC2034
# What Arch calls the packages, and which of Debian's each is made of. Others keep their names.
declare -A made_of=(
  [apache]="apache2-utils"
  [certbot]="certbot"
  [certbot-nginx]="python3-certbot-nginx"
  [nginx]="nginx nginx-common"
  [nix]="nix-bin nix-setup-systemd"
  [sqlite]="sqlite3"
)

# Installed on every host; known to pacman by name only, since Debian's files stand for theirs.
present_packages=(
  bash
  ca-certificates
  coreutils
  curl
  dbus
  fish
  iproute2
  iputils
  openssh
  openssl
  pacman
  perl
  procps-ng
  sudo
  systemd
  tar
  util-linux
  zstd
)
