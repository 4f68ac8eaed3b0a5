# shellcheck shell=bash disable=SC2154,SC2034 # state, work and set_name come from configuration-set
# Files beside their place, checks before anything is in place, renames, and the way back.
# Sourced by configuration-set.
#
# $state/transaction holds what an interrupted run needs to be undone: `set`, `staged` (temporary
# files), `replaced` (NUMBER PATH present|absent) with `backup.NUMBER`. It is complete before the
# first rename; with `committed` in it, the run has only its record to finish.

transaction=$state/transaction
transaction_open= # read by fail

staged_name() { printf '%s/.%s.nix-binary-cache\n' "$(dirname "$1")" "$(basename "$1")"; }

# Directories that are missing above a path are made, recorded, and so removed with the set.
make_parents() { # DIRECTORY
  [ -d "$1" ] && return
  make_parents "$(dirname "$1")"
  install --directory --mode=0755 -- "$1"
  record directory "$1"
}

stage_one() { # PATH OWNER MODE CONTENT-FILE
  local staged
  make_parents "$(dirname "$1")"
  staged=$(staged_name "$1")
  printf '%s\n' "$staged" >>"$transaction/staged"
  rm -f -- "$staged"
  # Owner and mode first: the content is never readable by more than it should be.
  if ! { : >"$staged" && chown -- "$2" "$staged" && chmod -- "$3" "$staged" &&
    cat -- "$4" >>"$staged" && sync -- "$staged"; } 2>"$work/output"; then
    fail "$1 cannot be written: $(tr '\n' ' ' <"$work/output")"
  fi
  printf '%s\n' "$1" >>"$work/targets"
}

run_filter() { # PROGRAM ARGUMENTS…, standard input to standard output
  local program=$1
  shift
  bash -- "$program_directory/$program" "$@"
}

# A file of somebody else keeps its owner and mode, and its place if the path is a link.
stage_filtered() { # PATH, content in $work/filtered
  cmp -s "$work/filtered" "$1" ||
    stage_one "$(readlink -f -- "$1")" "$(stat -L --format=%U:%G -- "$1")" \
      "$(stat -L --format=0%a -- "$1")" "$work/filtered"
}

# Every file of the set, written in full beside its place under a name that nothing includes.
stage_files() {
  local path owner mode words number=0
  mkdir -p "$transaction.new"
  printf '%s\n' "$set_name" >"$transaction.new/set"
  : >"$work/targets"
  sync -f "$transaction.new"
  mv -T -- "$transaction.new" "$transaction"
  transaction_open=yes
  while read -r path owner mode; do
    # A directory that was there keeps its owner and mode.
    if [ ! -d "$path" ]; then
      make_parents "$(dirname "$path")"
      mkdir -- "$path"
      record directory "$path"
    elif [ -z "$(recorded directory "$path")" ]; then
      continue
    fi
    chown -- "$owner" "$path"
    chmod -- "$mode" "$path"
  done < <(directives directory)
  while read -r path owner mode; do
    number=$((number + 1))
    stage_one "$path" "$owner" "$mode" "$work/content.$number"
  done < <(directives file)
  while read -r path words; do
    [ -f "$path" ] || fail "$path is not there, so it cannot be changed"
    # shellcheck disable=SC2086 # the program and its arguments are words
    run_filter $words <"$path" >"$work/filtered" 2>"$work/output" || fail "$path: $(cat "$work/output")"
    stage_filtered "$path"
    record filter "$path" "${words%% *}"
  done < <(directives filter)
  while IFS=$'\t' read -r path words; do
    directives filter | cut -d ' ' -f 1 | grep -qxF -- "$path" && continue
    [ ! -f "$path" ] || { run_filter "$words" --undo <"$path" >"$work/filtered" && stage_filtered "$path"; }
  done < <(recorded filter)
  while read -r path; do record made "$path"; done < <(directives made)
  leaving_files >"$work/leaving"
}

# Files of the last run that this text has no longer, with their origin.
leaving_files() {
  local path origin
  while IFS=$'\t' read -r path _ origin; do
    directives file | cut -d ' ' -f 1 | grep -qxF -- "$path" || printf '%s\t%s\n' "$path" "$origin"
  done < <(recorded file)
}

# Checks run in a mount namespace of their own in which the directories below /etc that the set
# touches already look as they will. Nothing on the host has changed if they refuse.
run_checks() {
  local check path origin directory
  [ -n "$(directives check)" ] || return 0
  {
    sed 's,/[^/]*$,,' "$work/targets"
    cut -f 1 "$work/leaving" | sed 's,/[^/]*$,,'
  } | sort -u | awk '/^\/etc(\/|$)/ && !(top != "" && index($0 "/", top "/") == 1) { print; top = $0 }' >"$work/shadowed"
  {
    printf 'set -e\n'
    while read -r directory; do
      printf 'mkdir -p %q; cp -a -- %q/. %q; mount --bind %q %q\n' "$work/shadow$directory" \
        "$directory" "$work/shadow$directory" "$work/shadow$directory" "$directory"
    done <"$work/shadowed"
    while read -r path; do
      case $path in /etc/*) printf 'mv -fT -- %q %q\n' "$(staged_name "$path")" "$path" ;; esac
    done <"$work/targets"
    while IFS=$'\t' read -r path origin; do
      case $path in /etc/*) [ "$origin" = absent ] && printf 'rm -f -- %q\n' "$path" ;; esac
    done <"$work/leaving"
    # shellcheck disable=SC2016 # expanded by the script that is written here
    printf 'exec bash -c "$1"\n'
  } >"$work/shadow.sh"
  while read -r check; do
    rm -rf -- "$work/shadow"
    outside timeout 120 unshare --mount --propagation private \
      bash "$work/shadow.sh" "$check" >"$work/output" 2>&1 </dev/null ||
      fail "refused by: $check
$(tail -n 20 "$work/output")
nothing was changed: the earlier configuration goes on"
  done < <(directives check)
}

commit_files() {
  local path digest number=0
  : >"$transaction/replaced.new"
  { cat "$work/targets"; cut -f 1 "$work/leaving"; } >"$work/touched"
  while read -r path; do
    number=$((number + 1))
    if [ "$(digest_of "$path")" = absent ]; then
      printf '%s\t%s\tabsent\n' "$number" "$path"
    else
      cp -a -- "$path" "$transaction/backup.$number"
      printf '%s\t%s\tpresent\n' "$number" "$path"
    fi >>"$transaction/replaced.new"
    keep_original "$path"
  done <"$work/touched"
  sync -f "$transaction"
  mv -- "$transaction/replaced.new" "$transaction/replaced"
  restore_units "$work/directives"
  while read -r path; do mv -fT -- "$(staged_name "$path")" "$path"; done <"$work/targets"
  while IFS=$'\t' read -r path digest; do retire_file "$path" "$digest"; done <"$work/leaving"
}

# Puts back what the open or interrupted transaction replaced, and what ran before it. Each file is
# copied beside its place first: a backup is never the only copy that is lost.
roll_back() {
  local number path presence lost=''
  remove_staged
  if [ -e "$transaction/replaced" ]; then
    if [ -e "$(set_directory)/digest" ]; then restore_units "$(set_directory)/directives"; fi
    while IFS=$'\t' read -r number path presence; do
      if [ "$presence" = absent ]; then
        rm -f -- "$path" || lost+=" $path"
      else
        cp -a -- "$transaction/backup.$number" "$(staged_name "$path")" &&
          mv -fT -- "$(staged_name "$path")" "$path" || lost+=" $path"
      fi
    done <"$transaction/replaced"
    if [ -n "$lost" ]; then
      mv -T -- "$transaction" "$state/unrestored.$(date +%s%N)"
      printf 'these could not be put back:%s\ntheir copies are in %s\n' "$lost" "$state/unrestored.*"
      return
    fi
    reactivate
  fi
  discard_transaction
  # A first set that did not come to be leaves no trace.
  if [ ! -e "$(set_directory)/digest" ]; then
    remove_accounts
    rm -rf -- "$(set_directory)"
  fi
}

remove_staged() {
  local staged
  [ -e "$transaction/staged" ] || return 0
  while read -r staged; do rm -f -- "$staged"; done <"$transaction/staged"
}

# In one step, so that a transaction is there as a whole or not at all.
discard_transaction() {
  mv -T -- "$transaction" "$transaction.old"
  rm -rf -- "$transaction.old"
}

# Ends what an earlier run left open: cut off by a reboot, a kill or a full disk.
recover() {
  local wanted=${set_name:-}
  rm -rf -- "$transaction.new" "$transaction.old"
  [ -d "$transaction" ] || return 0
  set_name=$(cat "$transaction/set" 2>/dev/null || :)
  case $set_name in
    '' | *[!a-z0-9-]*)
      # Cut off before anything had reached the disk, and so before anything was renamed.
      remove_staged
      discard_transaction
      ;;
    *)
      if [ -e "$transaction/committed" ]; then
        finish_commit
      else
        say "$set_name: an earlier run was cut off; undoing it first"
        roll_back
      fi
      ;;
  esac
  set_name=$wanted
}

# The record of the new set is written in full, then counts at once, with the mark `committed`.
# Until that is there the next run undoes this one and does everything again.
close_transaction() {
  local path digest origin
  awk -F '\t' '
    NR == FNR { split($0, word, " "); named[word[1] == "filter" ? word[1] "\t" word[2] : "unit\t" word[2]]; next }
    $1 == "file" || $1 == "unit" && !("unit\t" $2 in named) { next }
    $1 == "filter" && !("filter\t" $2 in named) { next }
    { print }' "$work/directives" "$(manifest)" >"$work/manifest"
  while read -r path _; do
    digest=$(digest_of "$path")
    origin=$(origin_of "$path" "$digest")
    printf 'file\t%s\t%s\t%s\n' "$path" "$digest" "$origin" >>"$work/manifest"
  done < <(directives file)
  cp -- "$work/manifest" "$(manifest).new"
  cp -- "$work/directives" "$(set_directory)/directives.new"
  sha256sum <"$work/text" >"$(set_directory)/digest.new"
  grep -qxF -- "$set_name" "$state/sequence" 2>/dev/null || printf '%s\n' "$set_name" >>"$state/sequence"
  sync -f "$state"
  : >"$transaction/committed"
  transaction_open= # read by fail
  finish_commit
}

finish_commit() {
  local name
  for name in manifest directives digest; do
    [ ! -e "$(set_directory)/$name.new" ] || mv -f -- "$(set_directory)/$name.new" "$(set_directory)/$name"
  done
  discard_transaction
}

# Removal: what the set wrote goes, what was there before comes back, edits by hand are kept.
remove_files() {
  local path origin program nginx=''
  while IFS=$'\t' read -r path _ origin; do
    keep_original "$path"
    retire_file "$path" "$origin"
    case $path in /etc/nginx/*) nginx=touched ;; esac
  done < <(recorded file)
  while IFS=$'\t' read -r path program; do
    [ -f "$path" ] || continue
    run_filter "$program" --undo <"$path" >"$work/filtered"
    cmp -s "$work/filtered" "$path" || {
      cp -a -- "$path" "$path.nix-binary-cache"
      cat -- "$work/filtered" >"$path.nix-binary-cache"
      mv -fT -- "$path.nix-binary-cache" "$path"
    }
    nginx=touched
  done < <(recorded filter)
  systemctl daemon-reload
  [ -z "$nginx" ] || reload_running_nginx
}
