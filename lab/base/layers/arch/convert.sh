#!/usr/bin/env bash
# Makes packages for pacman out of Debian's: convert.sh DIRECTORY-WITH-DEBS ROOT DESTINATION
# What is installed in ROOT already needs no package and is no dependency.
# shellcheck disable=SC2016 # dollar signs for dpkg
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lab/base/layers/arch/packages.sh
source "$here/packages.sh"
debs=$1 root=$2 destination=$3
scratch=$(mktemp --directory)
trap 'rm -r "$scratch"' EXIT

declare -A present file_of version_of arch_name provided_by pieces_of
while read -r name; do
  present[$name]=yes
done < <(chroot "$root" dpkg-query --show --showformat '${Package}\n')

for file in "$debs"/*.deb; do
  {
    read -r name
    read -r version
    read -r provides
  } < <(dpkg-deb --show --showformat '${Package}\n${Version}\n${Provides}\n' "$file")
  [[ -z "${present[$name]:-}" ]] || continue
  file_of[$name]=$file
  version_of[$name]=$version
  arch_name[$name]=$name
  while read -r provided; do
    [[ -z "$provided" ]] || provided_by[$provided]=$name
  done < <(sed 's/([^)]*)//g; s/ //g; s/,/\n/g' <<<"$provides")
done
for name in "${!made_of[@]}"; do
  for piece in ${made_of[$name]}; do
    arch_name[$piece]=$name
  done
done
for piece in "${!file_of[@]}"; do
  pieces_of[${arch_name[$piece]}]+=" $piece"
done

# The Arch names that the given Debian packages need beyond ROOT and one another.
dependencies_of() {
  local self=$1 piece clause alternative target
  shift
  for piece in "$@"; do
    dpkg-deb --show --showformat '${Pre-Depends},${Depends}\n' "${file_of[$piece]}" |
      sed 's/([^)]*)//g; s/:any//g; s/ //g' | tr ',' '\n'
  done | while read -r clause; do
    for alternative in ${clause//|/ }; do
      [[ -z "${present[$alternative]:-}" ]] || break
      target=$alternative
      [[ -n "${file_of[$target]:-}" ]] || target=${provided_by[$alternative]:-}
      if [[ -n "$target" ]]; then
        printf '%s\n' "${arch_name[$target]}"
        break
      fi
    done
  done | sort --unique | grep --invert-match --line-regexp --fixed-strings "$self" || true
}

# Debian's revision is Arch's release; a hyphen may stand nowhere else.
arch_version() {
  local version=$1 revision=1
  if [[ "$version" == *-* ]]; then
    revision=${version##*-}
    version=${version%-*}
  fi
  printf '%s-%s' "${version//-/_}" "${revision//[^0-9.]/.}" | sed 's/\.\.*/./g; s/\.$//'
}

write_package() {
  local name=$1 version=$2 tree=$3
  shift 3
  {
    printf 'pkgname = %s\npkgbase = %s\npkgver = %s\n' "$name" "$name" "$version"
    printf 'pkgdesc = Made for the lab from packages of Debian\narch = any\nbuilddate = 0\n'
    printf 'size = %s\n' "$(du --summarize --bytes "$tree" | cut --fields 1)"
    printf 'depend = %s\n' "$@" | grep --invert-match '= $' || true
    if [[ -d "$tree/etc" ]]; then
      (cd "$tree" && find etc -type f -printf 'backup = %p\n' | sort)
    fi
  } >"$tree/.PKGINFO"
  (
    cd "$tree"
    find . -mindepth 1 -maxdepth 1 ! -name .PKGINFO -printf '%P\0' | sort --zero-terminated |
      tar --create --zstd --sort=name --file "$destination/${name}-${version}-any.pkg.tar.zst" \
        .PKGINFO --null --files-from -
  )
}

# Arch has one directory for programs, no init scripts, and its own layout of nginx.
rearrange() {
  local name=$1 tree=$2
  if [[ -d "$tree/usr/sbin" ]]; then
    mkdir --parents "$tree/usr/bin"
    find "$tree/usr/sbin" -mindepth 1 -maxdepth 1 -exec mv --target-directory "$tree/usr/bin" {} +
    rmdir "$tree/usr/sbin"
  fi
  rm --recursive --force "$tree"/usr/share/{doc,man,info,locale,lintian,bug} \
    "$tree"/etc/{init.d,default,ufw,cron.d}
  if [[ "$name" == nginx ]]; then
    (cd "$tree/etc/nginx" && rm --recursive --force conf.d modules-available modules-enabled \
      sites-available sites-enabled snippets proxy_params)
    # The account that nginx takes when its configuration names none.
    sed --in-place 's/\x00www-data\x00/\x00http\x00\x00\x00\x00\x00/g' "$tree/usr/bin/nginx"
  fi
  if [[ -d "$here/packages/$name" ]]; then
    cp --recursive --no-preserve=mode,ownership "$here/packages/$name/." "$tree"
  fi
}

for name in "${!pieces_of[@]}"; do
  read -ra pieces <<<"${pieces_of[$name]}"
  tree=$scratch/$name
  mkdir "$tree"
  for piece in "${pieces[@]}"; do
    dpkg-deb --extract "${file_of[$piece]}" "$tree"
  done
  rearrange "$name" "$tree"
  mapfile -t dependencies < <(dependencies_of "$name" "${pieces[@]}")
  main=${pieces[0]}
  for piece in ${made_of[$name]:-}; do
    main=$piece
    break
  done
  write_package "$name" "$(arch_version "${version_of[$main]}")" "$tree" "${dependencies[@]}"
  rm --recursive "$tree"
done
for name in "${present_packages[@]}"; do
  mkdir "$scratch/$name"
  write_package "$name" 1-1 "$scratch/$name"
done
