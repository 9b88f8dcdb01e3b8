# SPDX-License-Identifier: MIT
# The command is killed at calls by which a start, or the end of one, changes something; the next command
# clears up, and another running container does not notice. Few calls, for each kind of cgroup: crash-kill
# goes to more, and `sh tests/run.sh sweep/crash-kill` to all.
. "${SRC:?}/tests/system/lib.sh"
need busybox jq strace
make_rootfs "$T/rootfs"
CALLS='clone3 mkdirat renameat'
step=20
# Its cgroup is what is another one there, and one death takes seconds.
! in_guest || CALLS=mkdirat step=100
network=${LCX_TEST_NETWORK:-none}
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

# False if there is no N-th CALL.
killed_at() { # CALL N ARGUMENT...
	call_=$1 n_=$2 r_=0
	shift 2
	strace -o /dev/null -e trace="$call_" -e inject="$call_:signal=SIGKILL:when=$n_" \
		"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" "$@" >/dev/null 2>&1 </dev/null || r_=$?
	[ "$r_" -eq 137 ]
}

# strace counts each kind of call by itself, so each has its turn.
sweep() { # WHAT ARGUMENT...
	what=$1 kills=0
	shift
	for call in $CALLS; do
		n=1
		while killed_at "$call" "$n" "$@"; do
			clear_up "$what, killed at $call $n"
			LCX_LEAK_TRIES=12 sh "$SRC/tests/system/leaks.sh" check "$T/leaks" >"$T/leak.out" 2>&1 ||
				fail "$what, killed at $call $n: left something" "$T/leak.out"
			n=$((n + step)) kills=$((kills + 1))
		done
		clear_up "$what, whole"
	done
	check "$what: killed at $kills calls" test "$kills" -ge "$(echo "$CALLS" | wc -w)"
}

sweep 'run' run --rm --network "$network" --name a --rootfs "$T/rootfs" true
check 'the bystander still runs' lcx exec bystander true
check_eq 'as the same process' "$bystander" "$(pid_of bystander)"
