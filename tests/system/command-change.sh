# SPDX-License-Identifier: MIT
# guest: no, cgroup-limits and oci-cgroup change limits of version 2
# A container that is changed by the command: started again, renamed, paused, limited otherwise; by several at once.
. "${SRC:?}/tests/system/lib.sh"
need jq busybox strace
make_rootfs "$T/rootfs"
# No search for leaks in what is traced: that traces, too.
strace() { ASAN_OPTIONS=detect_leaks=0 command strace "$@"; }
LCX="$BUILD/examples/lcx/lcx --root $T/lcx-root --run-dir $T/lcx-run"
export LCX
run() { lcx run -d --network none --rootfs "$T/rootfs" "$@"; }
state() { lcx ps -a --format json | jq -r ".[] | select(.Names == \"$1\") | .State"; }
is() { [ "$(state "$1")" = "$2" ]; }
pid_of() { lcx inspect "$1" | jq .[0].state.pid; }
defer 'lcx rm -f $(lcx ps -aq)'

# --- restart

id=$(run --name web -m 64m sh -c 'trap "exit 3" TERM; echo begun; while :; do sleep 0.1; done')
before=$(pid_of web)
wait_for 5 sh -c "$LCX logs web | grep begun"
check_eq 'restart prints the name' web "$(lcx restart -t 5 web)"
check 'it runs again' is web running
check 'as another process' test "$before" != "$(pid_of web)"
lcx stop web >/dev/null
check_eq 'restart of one that has ended' web "$(lcx restart web)"
check 'runs, too' is web running

# --- pause

lcx pause web >/dev/null
check 'pause' is web paused
check_fails 'exec in a paused one' 125 'paused' lcx exec web true
check_fails 'attach to a paused one' 1 "'web' is paused; unpause it first" lcx attach web
lcx unpause web >/dev/null
check 'unpause' is web running
# A stop of a paused one, a pause of one that is being stopped, and a signal that is to end it: what is frozen hears none.
lcx pause web >/dev/null
began=$(date +%s)
lcx stop -t 30 web >/dev/null
check 'a stop does not wait for the one that is paused' test $(($(date +%s) - began)) -lt 20
check_eq 'which has heard the signal' 3 "$(lcx inspect --format '{{.State.ExitCode}}' web)"
lcx start web >/dev/null
lcx pause web >/dev/null
lcx kill web >/dev/null
check_eq 'a paused one is killed' 137 "$(timeout 20 $LCX wait web)"
lcx start web >/dev/null
wait_for 5 sh -c "$LCX logs --tail 1 web | grep begun"
lcx pause web >/dev/null
lcx kill -s TERM web >/dev/null
check_eq 'or ends by its stop signal' 3 "$(timeout 20 $LCX wait web)"
run --name slow sh -c 'trap "echo heard" TERM; echo begun; while :; do sleep 0.1; done' >/dev/null
wait_for 5 sh -c "$LCX logs slow | grep begun"
lcx stop -t 60 slow >/dev/null &
stopping=$!
wait_for 5 sh -c "$LCX logs slow | grep heard"
check_fails 'no pause of one that is being stopped' 1 "'slow' is being stopped" lcx pause slow
lcx kill slow >/dev/null
wait "$stopping"
lcx rm slow >/dev/null
lcx start web >/dev/null
check_fails 'unpause of one that has ended' 1 'nope' lcx unpause nope

# --- what is on the disk

# The description is, before there is a container.
strace -o "$T/calls" -e trace=openat,fsync,renameat,renameat2 $LCX create --name durable --rootfs "$T/rootfs" true >/dev/null
check 'a new one survives a power cut whole' awk '
	/"config.json".*O_CREAT/ { fd = $NF } fd && index($0, "fsync(" fd ")") { config = 1 }
	/"container.json".*O_CREAT/ { bad = !config } END { exit bad || !config }' "$T/calls"
lcx rm durable >/dev/null
# Whoever is killed in a start before it is written down has started nothing: the last run ended as it did.
# (It was killed for want of memory, and the clock was set back while it ran.)
run --name last -m 16m --memory-swap 16m sh -c '[ ! -e /second ] || exec sleep 1000; tail /dev/zero; exit 7' >/dev/null
lcx wait last >/dev/null
last=$T/lcx-root/containers/$(lcx inspect last | jq -r .[0].id)
sed -i 's/^7  *[0-9]*/7 1/' "$last/exit"
: >"$T/rootfs/second"
ended() { lcx inspect --format '{{.State.StartedAt}} {{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' last; }
known=$(ended) bad=
check_match 'how the last run ended' 'exited 7 true' "$known"
for n in 1 2 3 4; do
	strace -o /dev/null -e trace=renameat -e inject=renameat:signal=SIGKILL:when=$n $LCX start last >/dev/null 2>&1 && break
	case $n:$(ended) in [12]:"$known" | [34]:*) ;; *) bad="$bad $n:$(ended)" ;; esac
	lcx gc >/dev/null
	case $(ended) in "$known" | "${known%% *}"*) [ "$(ended)" = "$known" ] || bad="$bad after $n: $(ended)" ;; *) break ;; esac
done
check 'a start is killed in the middle' test $n -gt 2
check_eq 'how the last run ended is known' '' "$bad"
check_match 'that of a start that was killed later is its own' 'exited -*[0-9]* false' "$(ended)"
# A start that was cut short has made the room for the exit status, and not filled it.
: >"$last/.exit"
lcx start last >/dev/null
check 'the room for the exit status' test -s "$last/.exit"
lcx rm -f last >/dev/null
rm "$T/rootfs/second"

# --- rename

run --name other sleep 1000 >/dev/null
check_fails 'a name that is taken' 1 "'other' is in use" lcx rename web other
check_fails 'a name that is none' 1 'cannot name' lcx rename web ../x
check 'rename' lcx rename web front
check_fails 'the old name is gone' 1 "'web'" lcx inspect web
check_eq 'the new one is known' "$id" "$(lcx inspect front | jq -r .[0].id)"
run --name web sleep 1000 >/dev/null
check 'and the old one can be given away' is web running
# Killed at each call that changes the directory, it has one of the two names, and the other is free.
bad=
for call in symlinkat renameat unlinkat flock; do
	n=1
	while r=0; strace -o /dev/null -e trace=$call -e inject=$call:signal=SIGKILL:when=$n $LCX rename other new >/dev/null 2>&1 || r=$?; [ $r -eq 137 ]; do
		now=$(lcx ps --format json | jq -r '.[].Names | select(. == "other" or . == "new")')
		case $now in
		other) lcx inspect new >/dev/null 2>&1 && bad="$bad $call:$n" ;;
		new) lcx inspect other >/dev/null 2>&1 && bad="$bad $call:$n"
			lcx rename new other || bad="$bad $call:$n" ;;
		*) bad="$bad $call:$n:$now" ;;
		esac
		n=$((n + 1))
	done
	lcx rename new other
done
check_eq 'a rename that is killed has happened or not' '' "$bad"
lcx gc >/dev/null
check_eq 'no name is left over' "$(lcx ps -a --format json | jq -r .[].Names | sort)" "$(ls "$T/lcx-root/names" | sort)"

# --- update

memory() { lcx stats --no-stream --format json front | jq .[0].MemoryLimitBytes; }
check_eq 'the limit before' 67108864 "$(memory)"
check_eq 'update of one that runs' front "$(lcx update -m 128m --pids-limit 50 front)"
check_eq 'the limit afterwards' 134217728 "$(memory)"
lcx restart -t 5 front >/dev/null
check_eq 'and after a restart' 134217728 "$(memory)"
check_eq 'it is in the description' 50 "$(lcx inspect front | jq .[0].config.linux.resources.pids.limit)"
check_fails 'update of nothing' 125 'an option is missing' lcx update front
check_fails 'a limit that is none' 125 'no size' lcx update -m much front
lcx stop -t 0 front >/dev/null
check 'update of one that does not run' lcx update -m 96m front
lcx start front >/dev/null
check_eq 'counts at the next start' 100663296 "$(memory)"

# --- looking

check_match 'top' 'sleep 1000' "$(lcx top other)"
check_eq 'top as JSON' "$(pid_of other)" "$(lcx top --format json other | jq .[0].PID)"
check_fails 'top of one that does not run' 1 'nope' lcx top nope
lcx network create --subnet 10.92.8.0/24 ports >/dev/null
lcx run -d --name ported --network ports -p 127.0.0.1:18080:80 --rootfs "$T/rootfs" sleep 1000 >/dev/null
check_eq 'port' '80/tcp -> 127.0.0.1:18080' "$(lcx port ported)"
check_eq 'port of one' '127.0.0.1:18080' "$(lcx port ported 80)"
check_fails 'port of none' 1 "port '81/tcp'" lcx port ported 81
lcx rm -f ported >/dev/null
lcx network rm ports >/dev/null

# Whoever has been told that it runs may read its log, however late the monitor gets to open it.
strace -f -o /dev/null -P json.log -e trace=openat -e inject=openat:delay_enter=500000 $LCX run -d --name early \
	--network none --rootfs "$T/rootfs" sleep 1000 >"$T/early" &
wait_for 10 test -s "$T/early"
check 'a log is there at once' lcx logs early
lcx rm -f early >/dev/null
wait

# Nor does who asks how it ended hear that nobody knows, because the monitor is slow to write it down.
strace -f -o /dev/null -P .exit -e trace=openat -e inject=openat:delay_enter=500000 $LCX run -d --name late \
	--network none --rootfs "$T/rootfs" sh -c 'exit 5' >"$T/late" &
wait_for 10 test -s "$T/late"
check_eq 'how it ended is waited for' '5 5' "$(echo $(lcx wait late) $(lcx wait late))"
lcx rm late >/dev/null
wait

# --- wait: several, from other processes

# Who asks while it is being started again waits for the end of that run.
run --name begun sh -c 'sleep 0.5; exit 3' >/dev/null
lcx wait begun >/dev/null
begun=$T/lcx-run/containers/$(lcx ps -aq --no-trunc -f name=begun)
strace -f -o /dev/null -P state.json -e trace=renameat,renameat2 -e inject=renameat,renameat2:delay_enter=500000 \
	$LCX start begun >/dev/null &
wait_for 10 test -e "$begun/owner"
check_eq 'wait: one that is being started' 3 "$(lcx wait begun)"
wait
# And none waits for ever, or at all costs, for a monitor that is gone.
run --name orphan sleep 1000 >/dev/null
$LCX wait orphan >"$T/orphan" 2>&1 &
waiter=$!
is_waiting() { ls -l "/proc/$1/fd" | grep -q inotify; }
wait_for 10 is_waiting "$waiter"
kill -KILL "$(jq .ownerPid "$T/lcx-run/containers/$(lcx ps -q --no-trunc -f name=orphan)/state.json")"
has_ended() { ! kill -0 "$1"; }
check 'wait: the monitor was killed' wait_for 5 has_ended "$waiter"
lcx rm -f begun orphan >/dev/null

run --name ends sh -c 'sleep 0.5; exit 6' >/dev/null
for i in 1 2 3 4; do $LCX wait ends other >"$T/wait$i" 2>&1 & done
sleep 1
lcx kill other >/dev/null
wait
check_eq 'wait: everybody gets the codes' "$(printf '6\n137\n%.0s' 1 2 3 4)" "$(cat "$T"/wait?)"

# Also if nothing is left of the container by then, or it runs again: those who wait are stopped until all is over.
run --name gone sleep 1000 >/dev/null
for name in itself again; do
	run $([ $name = again ] || echo --rm) --name $name \
		sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null
	wait_for 5 sh -c "$LCX logs $name | grep ready"
done
run --name typed sleep 1000 >/dev/null
waiters=
for name in gone gone itself itself again again; do
	$LCX wait $name >"$T/last-$name" 2>&1 &
	waiters="$waiters $!"
done
$LCX attach --no-stdin typed >/dev/null 2>&1 &
typed=$!
for pid in $waiters; do wait_for 10 is_waiting "$pid"; done
wait_for 5 sh -c "ls -l /proc/$typed/fd | grep -q socket"
kill -STOP $waiters $typed
lcx rm -f gone typed >/dev/null
lcx restart -t 5 again >/dev/null
lcx kill -s TERM itself >/dev/null
wait_for 5 sh -c "! $LCX inspect itself"
kill -CONT $waiters $typed
r=0
wait $typed || r=$?
check_eq 'attach: the code of one that was removed' 137 "$r"
lcx exec again true
for pid in $waiters; do wait "$pid" || :; done
check_eq 'wait: the code of one that was removed' 137 "$(cat "$T/last-gone")"
check_eq 'of one that removed itself' 5 "$(cat "$T/last-itself")"
check_eq 'of the run before the one that goes on' 5 "$(cat "$T/last-again")"
lcx rm -f again >/dev/null

# --- all at once: an order, never a torn state

for i in 1 2 3 4 5 6; do
	(for n in 1 2 3; do
		$LCX restart -t 0 front
		$LCX rename front back
		$LCX rename back front
		$LCX update -m $((64 + i))m front
		$LCX pause front
		$LCX unpause front
		$LCX stop -t 0 front
		$LCX start front
	done) >/dev/null 2>>"$T/storm" &
done
wait
name=$(lcx ps -a --format json | jq -r '.[].Names | select(. == "front" or . == "back")')
lcx start "$name" >/dev/null
check "after a storm it runs" is "$name" running
check 'and can be used' lcx exec "$name" true
check_eq 'nobody saw anything torn' '' "$(grep -v -e 'no container' -e 'not running' -e 'was removed' -e 'in use' -e 'has ended' -e 'is paused' -e 'is being stopped' "$T/storm" | head -5)"
lcx rm -f $(lcx ps -aq) >/dev/null
lcx gc >/dev/null
check_eq 'nothing is left' '' "$(lcx ps -aq)$(ls "$T/lcx-root/names")$(ls "$T/lcx-run/containers")"
