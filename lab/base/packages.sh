# shellcheck shell=bash disable=SC2034
# Debian packages of the lab, read by the scripts of the layers.

debian_release=trixie

# In every host from the start.
base_packages=(
  ca-certificates
  curl
  dbus
  fish
  gawk
  iproute2
  iputils-ping
  libarchive-tools
  libcryptx-perl
  libdbd-sqlite3-perl
  libnss-systemd
  libpam-systemd
  makepkg
  openssh-server
  openssl
  pacman-package-manager
  perl
  procps
  starman
  sudo
  systemd
  systemd-sysv
  zstd
)

# Not installed, but there to be installed without a network, with all they depend on.
repository_packages=(
  apache2-utils
  certbot
  curl
  git
  jq
  libnginx-mod-http-dav-ext
  nftables
  nginx
  nix-bin
  nix-setup-systemd
  openssl
  pebble
  python3-certbot-nginx
  rsync
  sqlite3
  sudo
  zstd
)
