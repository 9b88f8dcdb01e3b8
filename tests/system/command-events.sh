# SPDX-License-Identifier: MIT
# guest: no, files and inotify are the same there
# The stream of events: complete and in order, from several processes, over a rotation, by several readers.
. "${SRC:?}/tests/system/lib.sh"
need jq busybox
make_rootfs "$T/rootfs"
LCX="$BUILD/examples/lcx/lcx --root $T/lcx-root --run-dir $T/lcx-run"
export LCX
log=$T/lcx-run/events/log
types() { jq -r 'select(.Name == "'"$2"'") | .Action' "$1" | tr '\n' ' '; }
has() { [ "$(grep -c "$2" "$1")" -ge "$3" ]; }
defer 'lcx rm -f $(lcx ps -aq)'

lcx ps >/dev/null
$LCX events --format json >"$T/json" &
one=$!
$LCX events >"$T/text" &
two=$!
defer "kill $one $two"
wait_for 5 sh -c "ls -l /proc/$one/fd | grep -q inotify && ls -l /proc/$two/fd | grep -q inotify"
sleep 0.3

# --- a life, with a monitor and without

lcx create --name web --network none --rootfs "$T/rootfs" sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done' >/dev/null
lcx start web >/dev/null
lcx exec web sh -c true
lcx pause web >/dev/null
lcx unpause web >/dev/null
lcx update --pids-limit 100 web >/dev/null
lcx rename web front
lcx stop front >/dev/null
lcx rm front >/dev/null
check 'the last event arrives' wait_for 5 has "$T/json" '"removed"' 1
check_eq 'each step is told' 'created started exec paused unpaused updated exited ' "$(types "$T/json" web)"
check_eq 'under the new name, too' 'renamed removed ' "$(types "$T/json" front)"
check_eq 'the exit status' 5 "$(jq 'select(.Action == "exited") | .ExitCode' "$T/json")"
check_eq 'the command of an exec' 'sh -c true' "$(jq -r 'select(.Action == "exec") | .Detail' "$T/json")"
check_eq 'the old name' web "$(jq -r 'select(.Action == "renamed") | .Detail' "$T/json")"
check_match 'for people' 'container exited [0-9a-f]\{64\} (exitCode=5, name=web)' "$(cat "$T/text")"
lcx run --rm --name own --network none --rootfs "$T/rootfs" sh -c 'exit 9' || :
check 'the last event arrives' wait_for 5 has "$T/json" '"removed"' 2
check_eq 'without a monitor' 'created started exited removed ' "$(types "$T/json" own)"
lcx run -d --name killed --network none --rootfs "$T/rootfs" sleep 1000 >/dev/null
kill -KILL "$(lcx inspect killed | jq .[0].state.ownerPid)"
sleep 0.3
lcx gc >/dev/null
check_eq 'the monitor killed: an exit that nobody knows' 'created started exited ' "$(types "$T/json" killed)"
check_match 'is told as unknown' 'exitCode=unknown, name=killed' "$(cat "$T/text")"

# --- looking back, filters

check_eq 'since' 'created started exited removed ' "$($LCX events --since 1h --until 0s --format json -f container=own | jq -r .Action | tr '\n' ' ')"
check_eq 'filters of one key are alternatives' 2 "$($LCX events --since 1h --until 0s -f container=own -f event=created -f event=removed | wc -l)"
check_eq 'until' '' "$($LCX events --since 1h --until 50m)"
check_fails 'a filter that is none' 125 "filter 'size=1'" $LCX events -f size=1
check_fails 'an event that is none' 125 "event 'die' is unknown; there are created, started" $LCX events -f event=die
# Those that the header names, and those that the library tells.
for type in $(sed -n '/^ \* The types of events:/,/ "warning"/p' "$SRC/include/lcx/event.h" | grep -o '"[a-z-]*"' | tr -d '"') \
	$(grep -rhoE 'lcx__event_(emit|text|detail_head)\(.*"[a-z-]+"' "$SRC/lib" | grep -o '"[a-z-]*"' | tr -d '"' | sort -u); do
	$LCX events --since 1s --until 0s -f "event=$type" >/dev/null 2>>"$T/unknown" || :
done
check_eq 'every event there is can be asked for' '' "$(cat "$T/unknown")"
check_fails 'a time that is none' 125 'as --since' $LCX events --since soon

# --- many at once, over a rotation: a small one is made by filling the file up

line=$(tail -n 1 "$log")
yes "$line" | head -n 30000 >>"$log"
storm=
for i in 1 2 3 4; do
	(for n in 1 2 3 4 5; do $LCX run --rm --name "w$i-$n" --network none --rootfs "$T/rootfs" true; done) &
	storm="$storm $!"
done
for i in 1 2; do
	(for n in 1 2 3; do $LCX run -d --name "d$i-$n" --network none --rootfs "$T/rootfs" true >/dev/null; done) &
	storm="$storm $!"
done
for pid in $storm; do wait "$pid"; done
for i in 1 2; do for n in 1 2 3; do lcx wait "d$i-$n" >/dev/null; done; done
check 'the file was rotated' test -f "$log.1"
complete() { [ "$(grep -c '"Name":"[wd][0-9]-[0-9]"' "$T/json")" -ge 98 ]; }
check 'all events arrive' wait_for 10 complete
bad=
for i in 1 2 3 4; do for n in 1 2 3 4 5; do [ "$(types "$T/json" "w$i-$n")" = 'created started exited removed ' ] || bad="$bad w$i-$n"; done; done
for i in 1 2; do for n in 1 2 3; do [ "$(types "$T/json" "d$i-$n")" = 'created started exited ' ] || bad="$bad d$i-$n"; done; done
check_eq 'each once and in order' '' "$bad"
kill $one $two
lcx rm -f $(lcx ps -aq) >/dev/null
