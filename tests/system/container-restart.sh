# SPDX-License-Identifier: MIT
# guest: no, the supervisor is the same there
# Restart policies, by a supervisor: what it starts again, how soon, what it leaves alone; killed, and after a
# new start of the machine.
. "${SRC:?}/tests/system/lib.sh"
need jq busybox strace

# What it traces can't be searched for leaks.
strace() { ASAN_OPTIONS=detect_leaks=0 command strace "$@"; }
make_rootfs "$T/rootfs"
LCX="$BUILD/examples/lcx/lcx --root $T/lcx-root --run-dir $T/lcx-run"
export LCX
create() { lcx create --network none --rootfs "$T/rootfs" "$@" >/dev/null; }
get() { lcx inspect "$1" | jq -r ".[0].$2"; }
count_is() { [ "$(get "$1" restartCount)" -ge "$2" ]; }
is() { [ "$(get "$1" state.status)" = "$2" ]; }
dir_of() { echo "$T/lcx-root/containers/$(get "$1" id)"; }
# Never process 0, which would be ourselves.
kill_now() { pid=$(get "$1" "state.$2"); [ "$pid" -gt 1 ] && kill -KILL "$pid"; }
# The supervisor that lcx starts by itself is found by its lock.
supervisor() { for p in /proc/[0-9]*; do ! ls -l "$p/fd" 2>/dev/null | grep -q "$T/lcx-run/supervisor" || echo "${p#/proc/}"; done; }
no_supervisor() { [ -z "$(supervisor)" ]; }
one_supervisor() { [ "$(supervisor | wc -l)" -eq 1 ]; }
defer 'lcx rm -f $(lcx ps -aq); kill $(supervisor)'

check_fails 'a policy that is none' 125 "restart policy 'often'" lcx run --restart often --rootfs "$T/rootfs" true
check_fails '--rm with a policy' 1 'removed at its end' lcx create --rm --restart always --rootfs "$T/rootfs" true

# --- each policy

create --name fails --restart on-failure:3 sh -c 'echo again; exit 7'
create --name works --restart on-failure:3 true
create --name always --restart always sh -c 'echo again; sleep 0.1'
create --name plain false
create --name never-started --restart always true
lcx start fails works always plain >/dev/null
check 'a supervisor was started' wait_for 5 one_supervisor
check 'on-failure: as often as allowed' wait_for 10 count_is fails 3
check 'always: again and again' wait_for 10 count_is always 3
# One that has run for a minute, by what is written down, and can't be started any more.
cp -a "$T/rootfs" "$T/rootfs2"
lcx run -d --name hopeless --restart always --network none --rootfs "$T/rootfs2" sleep 1000 >/dev/null
read -r ns rest <"$(dir_of hopeless)/started"
echo "$((ns - 60000000000)) $rest" >"$(dir_of hopeless)/started"
mv "$T/rootfs2" "$T/away"
kill_now hopeless pid
sleep 1.7
n=$(get hopeless restartCount)
check "starts that fail come twice as late each: $n" test "$n" -ge 2 -a "$n" -le 5
lcx stop -t 0 hopeless >/dev/null
check_fails 'a start that fails' 1 "$T/rootfs2" lcx start hopeless
check_fails 'whose process is over before anybody looks' 1 "$T/rootfs2" strace -o "$T/trace" -e trace=recvmsg \
	-e inject=recvmsg:delay_enter=300000:when=1 "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" start hopeless
mv "$T/away" "$T/rootfs2"
# With a network, which is connected meanwhile, the namespaces may be gone before the process is.
told() { lcx run --rm --tmpfs /x:size=bogus --rootfs "$T/rootfs" true 2>&1 | grep -q 'Bad value'; }
untold=0
for i in $(seq 8); do told || untold=$((untold + 1)); done
check_eq 'whose process ends as its network is connected' 0 "$untold"
check_eq 'and not once more' 3 "$(get fails restartCount)"
check_eq 'its log has every run' 4 "$(lcx logs fails | wc -l)"
check_eq 'success is no failure' 0 "$(get works restartCount)"
check_eq 'without a policy: left alone' 0 "$(get plain restartCount)"
check 'never started: left alone' is never-started created
check_eq 'still one supervisor' 1 "$(supervisor | wc -l)"

# --- on purpose

lcx stop -t 0 always >/dev/null
n=$(get always restartCount)
sleep 1
check_eq 'stopped on purpose: left alone' "$n" "$(get always restartCount)"
check 'and it does not run' is always exited
create --name up --restart unless-stopped sleep 1000
lcx start up always >/dev/null
check_eq 'started by somebody: counted anew' 0 "$(get up restartCount)"
kill_now up pid
check 'killed from outside: started again' wait_for 5 count_is up 1
check 'it runs' wait_for 5 is up running
kill_now up ownerPid
check 'its monitor killed: started again' wait_for 5 count_is up 2
check 'it runs again' wait_for 5 is up running
lcx kill up >/dev/null
sleep 0.7
check_eq 'killed by us: left alone' 2 "$(get up restartCount)"
lcx restart -t 0 up >/dev/null
check 'restart brings it back' is up running
lcx update --restart no always >/dev/null
wait_for 5 is always exited
n=$(get always restartCount)
sleep 0.5
check_eq 'the policy can be changed' "$n" "$(get always restartCount)"
check 'stopped, and a start failed: left alone' is hopeless exited
lcx rm -f hopeless >/dev/null

# --- the supervisor is killed, at a bad moment, too; nobody's start is lost

lcx update --restart always always >/dev/null
lcx start always >/dev/null
for i in 1 2 3 4 5 6; do
	kill -KILL $(supervisor) 2>/dev/null || :
	sleep 0.1$i
	$LCX start up >/dev/null 2>&1 || :
done
check 'a new one goes on' wait_for 5 one_supervisor
n=$(get always restartCount)
check 'always, again' wait_for 8 count_is always "$((n + 1))"
check 'its process is one' sh -c "[ \"\$($LCX top up | grep -c 'sleep 1000')\" -eq 1 ]"

# --- the machine is started anew: no run directory, another boot; two were stopped before

create --name stopped1 --restart always sleep 1000
create --name stopped2 --restart unless-stopped sleep 1000
lcx start stopped1 stopped2 >/dev/null
lcx stop -t 0 stopped1 stopped2 >/dev/null
kill $(supervisor)
wait_for 5 no_supervisor
kill_now up ownerPid || :
kill_now always ownerPid || :
sleep 0.3
lcx gc >/dev/null
rm -rf "$T/lcx-run"
for c in up always stopped1 stopped2; do
	[ ! -f "$(dir_of $c)/started" ] || sed -i 's/ [0-9a-f-]* / 00000000-0000-0000-0000-000000000000 /' "$(dir_of $c)/started"
done
$LCX supervise &
supervise=$!
check 'unless-stopped: runs again' wait_for 5 is up running
check 'always: runs again, though it was stopped' wait_for 5 is stopped1 running
sleep 0.3
check 'unless-stopped: not if it was stopped' is stopped2 exited
check_fails 'a second supervisor is refused' 1 'another process supervises' lcx supervise
fds=$(ls /proc/$supervise/fd | wc -l)

# --- the end

lcx rm -f $(lcx ps -aq) >/dev/null
lcx run -d --rm --name gone --network none --rootfs "$T/rootfs" sleep 0.3 >/dev/null
none() { [ -z "$(lcx ps -aq)" ]; }
gone() { [ -z "$(ls "$T/lcx-root/containers")" ]; }
check '--rm of a detached one, without anybody' wait_for 5 gone
check 'no descriptor is left' sh -c "[ \$(ls /proc/$supervise/fd | wc -l) -le $fds ]"
kill -TERM "$supervise"
r=0
wait "$supervise" || r=$?
check_eq 'it ends when it is told to' 0 "$r"
create --name short --restart on-failure true
lcx start short >/dev/null
wait_for 5 one_supervisor || :
lcx rm -f short >/dev/null
check 'the one that lcx started ends when it is not needed' wait_for 5 no_supervisor
lcx gc >/dev/null
