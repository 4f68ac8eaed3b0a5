# shellcheck shell=bash disable=SC2154 # work and program_directory come from configuration-set
# Units, commands and probes: from files in place to a service that is seen to work, and back.
# Sourced by configuration-set.

probe_failure=

# A socket whose service runs already cannot be started, and need not be.
is_up() { # UNIT
  systemctl is-active --quiet -- "$1" ||
    { [[ $1 == *.socket ]] && systemctl is-active --quiet -- "${1%.socket}.service"; }
}

# What the unit was before the set first touched it; that comes back with the removal.
remember_unit() { # UNIT
  [ -z "$(recorded unit "$1")" ] || return 0
  record unit "$1" "$(systemctl is-enabled -- "$1" 2>/dev/null || :)" "$(systemctl is-active -- "$1" || :)"
}

last_words() { # UNIT
  printf 'the last lines of %s:\n' "$1"
  journalctl --unit="$1" --lines=15 --no-pager --output=cat 2>/dev/null || :
}

act_on_unit() { # VERB UNIT DIRECTIVES-FILE
  local verb=$1 unit=$2 lines=$3
  case $verb in
    enable)
      # Started here only where no line restarts it.
      systemctl enable --quiet -- "$unit" &&
        { is_up "$unit" || grep -qxF "restart $unit" "$lines" || systemctl start -- "$unit"; }
      ;;
    # A unit that systemd gave up on is not held against the set that mends it.
    restart) systemctl reset-failed -- "$unit" 2>/dev/null || :; systemctl restart -- "$unit" ;;
    try-restart) ! systemctl is-active --quiet -- "$unit" || systemctl restart -- "$unit" ;;
    reload)
      if [ "$unit" = nginx.service ]; then
        bash -- "$program_directory/nginx-reload"
      else
        systemctl reload-or-restart -- "$unit"
      fi
      ;;
  esac
}

# Carries out the lines that act, in their order. Returns what failed in $activation_failure.
# shellcheck disable=SC2094 # the file is only read, by both
activate_lines() { # DIRECTIVES-FILE
  local verb words
  activation_failure=
  outside systemctl daemon-reload
  while read -r verb words; do
    case $verb in
      enable | restart | try-restart | reload)
        [ "$verb" = try-restart ] || remember_unit "$words"
        outside act_on_unit "$verb" "$words" "$1" >"$work/output" 2>&1 </dev/null || {
          activation_failure="$verb $words failed: $(tail -n 20 "$work/output")"$'\n'"$(last_words "$words")"
          return 1
        }
        ;;
      run)
        outside bash -c "$words" >"$work/output" 2>&1 </dev/null || {
          activation_failure="$words failed:"$'\n'"$(tail -n 20 "$work/output")"
          return 1
        }
        ;;
    esac
  done <"$1"
}

activate() {
  activate_lines "$work/directives" || fail "$activation_failure"
}

# Probes are tried until their time is up; the services may need a moment.
run_probes() { # DIRECTIVES-FILE [SECONDS]
  local seconds command deadline unit
  while read -r seconds command; do
    deadline=$((SECONDS + ${2:-$seconds}))
    until outside timeout 15 bash -c "$command" >"$work/output" 2>&1 </dev/null; do
      if [ "$SECONDS" -ge "$deadline" ]; then
        probe_failure="not seen to work within $seconds s: $command"$'\n'"$(tail -n 20 "$work/output")"
        for unit in $(directives restart "$1") $(directives reload "$1"); do
          probe_failure+=$'\n'$(last_words "$unit")
        done
        return 1
      fi
      sleep 0.2
    done
  done < <(directives probe "$1")
}

# Units that the last run drove and the directives do not name: each gets back what it was before.
restore_units() { # DIRECTIVES-FILE, of which /dev/null names none
  local unit enabled active
  while IFS=$'\t' read -r unit enabled active; do
    grep -qxF -e "enable $unit" -e "restart $unit" -e "reload $unit" "$1" && continue
    restore_unit "$unit" "$enabled" "$active"
  done < <(recorded unit | tac)
}

# Units of somebody else that ran before the set runs again, now that its own files are back.
revive_units() {
  local unit _enabled active
  while IFS=$'\t' read -r unit _enabled active; do
    case $unit:$active in
      nginx.service:* | *.socket:*) ;;
      *:active | *:activating | *:reloading)
        systemctl reset-failed -- "$unit" 2>/dev/null || :
        systemctl restart -- "$unit" || say "$unit, which ran before, does not start"
        ;;
    esac
  done < <(recorded unit)
}

restore_unit() { # UNIT ENABLED-BEFORE ACTIVE-BEFORE
  case $2 in
    enabled | static | indirect | alias | generated | enabled-runtime) ;;
    *) systemctl disable --quiet -- "$1" 2>/dev/null || : ;;
  esac
  case $3 in
    active | activating | reloading) ;;
    *) systemctl stop -- "$1" 2>/dev/null || : ;;
  esac
}

# After the files of the earlier set are back: that set runs again, or, where there was none,
# the units are as they were found.
reactivate() {
  local earlier
  earlier=$(set_directory)/directives
  if [ -e "$earlier" ]; then
    activate_lines "$earlier" || { printf 'the earlier configuration is back in place, but: %s\n' "$activation_failure"; return 0; }
    run_probes "$earlier" || { printf 'the earlier configuration is back in place, but: %s\n' "$probe_failure"; return 0; }
    printf 'the earlier configuration is back in place and works\n'
  else
    restore_units /dev/null
    systemctl daemon-reload
    reload_running_nginx
    revive_units
    printf 'there was no earlier configuration; the files are gone again\n'
  fi
}

reload_running_nginx() {
  ! systemctl is-active --quiet nginx.service || systemctl reload nginx.service || :
}
