# SPDX-License-Identifier: MIT
# The command is killed at every call by which a start, or the end of one, changes something; the
# next command clears up, and another running container does not notice.
. "${SRC:?}/tests/system/lib.sh"
need busybox jq strace
make_rootfs "$T/rootfs"
CALLS=clone3,clone,mkdirat,openat,write,sendmsg,sendto,renameat,symlinkat,flock,unlinkat,execveat,pidfd_send_signal
network=${LCX_TEST_NETWORK:-none}
# An emulated processor takes seconds for each.
step=${LCX_KILL_STEP:-7}
! in_guest || step=${LCX_KILL_STEP:-41}

lcx network ls >/dev/null
lcx run -d --name bystander --network none --rootfs "$T/rootfs" sleep 10000 >/dev/null
defer 'lcx rm -f bystander'
pid_of() { lcx inspect "$1" | jq -r ".[0].state.pid"; }
bystander=$(pid_of bystander)
leak_snapshot

# What may be left is a container that never came to run; no kernel object, name or file of anything else.
clear_up() { # WHAT
	lcx gc >/dev/null 2>"$T/gc.err" || fail "$1: gc" "$T/gc.err"
	for id in $(lcx ps -aq); do
		[ "$(lcx inspect --format json "$id" 2>/dev/null | grep -c bystander)" -gt 0 ] || lcx rm -f "$id" >/dev/null 2>"$T/rm.err" || fail "$1: rm" "$T/rm.err"
	done
	left=$(ls -A "$T/lcx-root/names" "$T/lcx-root/containers" "$T/lcx-run/containers" | grep -v -e bystander -e ':$' -e '^$' | sort | uniq -c | awk '$1 != 2')
	[ -z "$left" ] || { echo "$left" >"$T/left"; fail "$1: files" "$T/left"; }
}

# Kill at the N-th of CALLS, for each N until the command is no longer reached.
sweep() { # WHAT ARGUMENT...
	what=$1 n=0 killed=1
	shift
	while [ "$killed" -eq 1 ] && [ "$n" -lt 400 ]; do
		n=$((n + step)) r=0
		strace -o /dev/null -e trace=$CALLS -e inject=$CALLS:signal=SIGKILL:when=$n \
			"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" "$@" >/dev/null 2>&1 </dev/null || r=$?
		[ "$r" -eq 137 ] || killed=0
		clear_up "$what, killed at call $n"
		LCX_LEAK_TRIES=12 sh "$SRC/tests/system/leaks.sh" check "$T/leaks" >"$T/leak.out" 2>&1 || fail "$what, killed at call $n: left something" "$T/leak.out"
	done
	[ "$n" -gt 20 ] && pass "$what: killed at $n calls" || fail "$what: only $n calls"
}

sweep 'run' run --rm --network "$network" --name a --rootfs "$T/rootfs" true
sweep 'run -d' run -d --network "$network" --name b --rootfs "$T/rootfs" sleep 100
check 'the bystander still runs' lcx exec bystander true
check_eq 'as the same process' "$bystander" "$(pid_of bystander)"
