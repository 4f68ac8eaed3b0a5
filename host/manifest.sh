# shellcheck shell=bash disable=SC2154 # state, work, set_name and adopt come from configuration-set
# What belongs to a set: the manifest, foreign files, accounts. Sourced by configuration-set.
#
# A line of the manifest is one of, parted by tabs:
#   file PATH DIGEST ORIGIN       ORIGIN: absent, foreign (the original is kept), same (found alike)
#   filter PATH PROGRAM…          directory PATH      made PATH
#   user NAME   group NAME        unit NAME ENABLED-BEFORE ACTIVE-BEFORE
# Only what the set itself brought about is recorded as directory, user and group.

kept_copies=

set_directory() { printf '%s/sets/%s\n' "$state" "$set_name"; }
manifest() { printf '%s/manifest\n' "$(set_directory)"; }

record() {
  local line
  line=$(printf '%s\t' "$@")
  line=${line%$'\t'}
  grep -qxF -- "$line" "$(manifest)" || printf '%s\n' "$line" >>"$(manifest)"
}

# The manifest's lines of one kind, without the kind.
recorded() { # KIND [KEY]
  awk -F '\t' -v kind="$1" -v key="${2:-}" \
    '$1 == kind && (key == "" || $2 == key) { sub(/^[^\t]*\t/, ""); print }' "$(manifest)"
}

# Owner, mode and content in one word; "absent" where there is nothing. Links are not followed.
digest_of() { # PATH
  if [ -L "$1" ]; then
    printf 'link:%s\n' "$(readlink -- "$1" | sha256sum | cut -c1-64)"
  elif [ -f "$1" ]; then
    printf '%s:%s\n' "$(stat --format=%U:%G:%a -- "$1")" "$(sha256sum <"$1" | cut -c1-64)"
  elif [ -e "$1" ]; then
    printf 'other\n'
  else
    printf 'absent\n'
  fi
}

original_of() { printf '%s/originals/%s\n' "$(set_directory)" "$(printf '%s' "$1" | sha256sum | cut -c1-32)"; }

# True where the text is the one applied last (only its digest is kept: it may hold a secret) and the host still is as that run left it.
is_current() {
  local path digest unit words _rest
  [ "$(cat "$(set_directory)/digest" 2>/dev/null)" = "$(sha256sum <"$work/text")" ] || return 1
  while IFS=$'\t' read -r path digest _rest; do
    [ "$(digest_of "$path")" = "$digest" ] || return 1
  done < <(recorded file)
  while read -r path words; do
    # shellcheck disable=SC2086 # the program and its arguments are words
    run_filter $words <"$path" >"$work/filtered" 2>/dev/null || return 1
    cmp -s "$work/filtered" "$path" || return 1
  done < <(directives filter)
  while read -r unit; do
    is_up "$unit" || return 1
  done < <(directives enable; directives restart; directives reload)
  while read -r unit; do
    systemctl is-enabled --quiet -- "$unit" || return 1
  done < <(directives enable)
  run_probes "$work/directives" 3
}

# Files that are about to be written and that no run of this set has written.
refuse_foreign_files() {
  local path number=0 refused=
  while read -r path _; do
    number=$((number + 1))
    [ -z "$(recorded file "$path")" ] || continue
    case $(digest_of "$path") in
      absent) ;;
      other) refused+="$path is not a regular file"$'\n' ;;
      *)
        # The same text loses nobody anything, whoever owns it and whether or not it ends its line.
        { [ ! -L "$path" ] && [ "$(cat -- "$path")" = "$(cat -- "$work/content.$number")" ]; } ||
          [ -n "$adopt" ] || refused+="$path was there before and is not this program's"$'\n'
        ;;
    esac
  done < <(directives file)
  [ -z "$refused" ] || fail "${refused}nothing was changed. $(foreign_advice "$refused")"
}

foreign_advice() {
  case $1 in
    */cache-priv-key.pem*)
      printf '%s\n' "That is the signing key of a cache that has clients already. To keep them, import it: a further entry of
signingKeys with name: $(cut -s -d: -f1 </var/lib/nix-serve/cache-priv-key.pem | head -n 1) and the file's text as secretKey, and signWith: that name (docs/operations.md, Importing a key).
If nobody is to trust it any more, move the file away."
      ;;
    */cache-pub-key.pem*) printf 'Move it away: it is the public half of another key.\n' ;;
    *)
      printf "Move it away, or set 'adopt: true' for this host: the file is then kept and comes back on destroy.\n"
      ;;
  esac
}

# Where the file that is about to be replaced or removed goes; called before the first rename.
keep_original() { # PATH
  local path=$1 entry digest
  entry=$(recorded file "$path")
  if [ -n "$entry" ]; then
    IFS=$'\t' read -r _ digest _ <<<"$entry"
    case $(digest_of "$path") in
      "$digest" | absent) ;;
      *)
        # Only another text is worth a copy; it may be a secret, so it is root's alone.
        if [ "${digest##*:}" != "$(sha256sum <"$path" | cut -c1-64)" ]; then
          mkdir -p "$state/edited"
          cat -- "$path" >"$state/edited/$(basename "$path").$(date --utc +%Y%m%dT%H%M%S.%NZ)"
          kept_copies+=" $state/edited/$(basename "$path").*"
        fi
        ;;
    esac
  elif [ "$(digest_of "$path")" = absent ]; then
    rm -f -- "$(original_of "$path")"
  else
    # What is there now is the original, whatever an earlier adoption has kept.
    mkdir -p "$(set_directory)/originals"
    cp -a -- "$path" "$(original_of "$path").new"
    mv -fT -- "$(original_of "$path").new" "$(original_of "$path")"
  fi
}

origin_of() { # PATH NEW-DIGEST
  local entry
  entry=$(recorded file "$1" | cut -f3)
  if [ -n "$entry" ]; then
    printf '%s\n' "$entry"
  elif [ ! -e "$(original_of "$1")" ] && [ ! -L "$(original_of "$1")" ]; then
    printf 'absent\n'
  elif [ "$(digest_of "$(original_of "$1")")" = "$2" ]; then
    printf 'same\n'
  else
    printf 'foreign\n'
  fi
}

# Takes a file of the set off the host; what was there before the set comes back.
retire_file() { # PATH ORIGIN
  case $2 in
    absent) rm -f -- "$1" ;;
    same) ;;
    foreign)
      if [ -e "$(original_of "$1")" ] || [ -L "$(original_of "$1")" ]; then
        cp -a -- "$(original_of "$1")" "$1.nix-binary-cache"
        mv -T -- "$1.nix-binary-cache" "$1"
      fi
      ;;
  esac
}

create_accounts() {
  local name home
  while read -r name; do
    getent group "$name" >/dev/null && continue
    groupadd --system -- "$name"
    record group "$name"
  done < <(directives group)
  while read -r name home; do
    getent passwd "$name" >/dev/null && continue
    useradd --system --user-group --home-dir "$home" --no-create-home \
      --shell "$(command -v nologin || echo /bin/false)" -- "$name" 2>"$work/output" ||
      fail "the account $name cannot be made: $(cat "$work/output")"
    record user "$name"
  done < <(directives user)
}

remove_accounts() {
  local name path
  # Rotated logs stand beside their log.
  while read -r path; do rm -rf -- "$path" "$path".[0-9]*; done < <(recorded made)
  while read -r path; do rmdir -- "$path" 2>/dev/null || :; done < <(recorded directory | tac)
  while read -r name; do
    userdel -- "$name" 2>"$work/output" || say "the account $name stays: $(cat "$work/output")"
  done < <(recorded user)
  while read -r name; do
    ! getent group "$name" >/dev/null || groupdel -- "$name" 2>"$work/output" ||
      say "the group $name stays: $(cat "$work/output")"
  done < <(recorded group)
}
