#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, the deaths are the same there
# beside: it makes no control groups
# build: plain
# What changes a network is killed at every call by which it changes something. A sweep, or the same call
# once more, leaves nothing.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need strace
CALLS='openat mkdirat linkat renameat unlinkat ftruncate write pwrite64 fsync flock socket bind setns sendto close'
# All of them: LCX_TEST_EVERY_CALL=1.
step=8
[ -z "${LCX_TEST_EVERY_CALL:-}" ] || step=1

# How often it makes each of the calls: lines "CALL N", in the order in which it makes them.
count_calls() { # VERB ARGUMENT...
	strace -o "$T/calls" -e trace="$(echo "$CALLS" | tr ' ' ',')" "$BUILD/tests/net-tool" "$T/root" "$@" >/dev/null 2>&1 || return 1
	awk -F'(' '/^[a-z0-9_]+\(/ { print $1, ++n[$1] }' "$T/calls"
}

# Kill at the N-th CALL; false if there is no such one.
killed_at() { # CALL N VERB ARGUMENT...
	call_=$1 n_=$2 r_=0
	shift 2
	strace -o /dev/null -e trace="$call_" -e inject="$call_:signal=SIGKILL:when=$n_" \
		"$BUILD/tests/net-tool" "$T/root" "$@" >/dev/null 2>&1 || r_=$?
	[ "$r_" -eq 137 ]
}

# Every step-th of them, from another one on each time.
begin_at=0
each_kill() { # WHAT BEFORE AFTER VERB ARGUMENT...
	what=$1 before=$2 after=$3 kills=0 failures_before=$failures
	shift 3
	"$before" >/dev/null 2>&1 && count_calls "$@" >"$T/points" || fail "$what: the calls"
	"$after" >/dev/null 2>&1 && tool sweep >"$T/swept" 2>&1 || fail "$what, whole: $after, sweep" "$T/swept"
	begin_at=$(((begin_at + 3) % step))
	awk -v step="$step" -v first="$begin_at" 'NR % step == first' "$T/points" >"$T/chosen"
	while read -r call n <&3; do
		"$before" >"$T/before" 2>&1 || fail "$what: $before" "$T/before"
		# Some are made more or less often, as the kernel answers.
		! killed_at "$call" "$n" "$@" || kills=$((kills + 1))
		"$after" >"$T/after" 2>&1 || fail "$what, killed at $call $n: $after" "$T/after"
		tool sweep >"$T/swept" 2>&1 || fail "$what, killed at $call $n: sweep" "$T/swept"
		left >"$T/left"
		[ ! -s "$T/left" ] || fail "$what, killed at $call $n: something is left" "$T/left"
	done 3<"$T/chosen"
	[ "$failures" -gt "$failures_before" ] || pass "$what: killed at $kills of $(wc -l <"$T/points") calls, and nothing is left"
	check "$what: that were many calls" test "$(wc -l <"$T/points")" -ge 30 -a "$((kills * step))" -ge 24
}

tool create bridge 10.88.0.0/24 subnet=fd00:88::/64 >/dev/null

# With the device that a limit needs, where the kernel has it.
limited=
! ip link add name probe type ifb 2>/dev/null || { ip link del probe; limited=egress=8m; }

# The namespace ends with its container.
new_victim() { ip netns add victim; }
end_victim() { ip netns del victim; }
# shellcheck disable=SC2086
each_kill attach new_victim end_victim attach bridge victim /run/netns/victim 8082:80 $limited

# It stays: somebody else holds it.
make_netns lasting
new_owner() { :; }
detach_owner() { tool detach bridge lasting; }
each_kill 'attach to a namespace that stays' new_owner detach_owner attach bridge lasting /run/netns/lasting 8082:80
check_eq 'no interface is left in it' '' "$(ip -n lasting -o link | grep -v ': lo' || :)"

# A branch of an interface has no end on the host's side by which it could be found.
ip link add up0 type veth peer name up1
defer 'ip link del up0'
ip link set up0 up
all_calls=$CALLS CALLS='renameat sendto close'
tool create lan driver=macvlan parent=up0 192.0.2.0/24 >/dev/null
detach_branch() { tool detach lan lasting; }
each_kill 'attach to a parent' new_owner detach_branch attach lan lasting /run/netns/lasting
check_eq 'no branch is left' '' "$(ip -n lasting -o link | grep -v ': lo' || :)"
tool remove lan
CALLS=$all_calls

attached() { tool attach bridge lasting /run/netns/lasting 8082:80; }
each_kill detach attached detach_owner detach bridge lasting

# Whether it is there or not after the kill, it can be made and removed.
# A network with two pools is made in many steps.
[ "$step" -eq 1 ] || step=$((step * 3))
create_other() { tool create other 10.101.0.0/24 subnet=fd00:101::/64 exclude=fd00:101::9; }
begin_anew() {
	create_other || tool inspect other
	tool remove other
	! find "$T/root" -name 'other*' | grep .
}
each_kill create : begin_anew create other 10.101.0.0/24 subnet=fd00:101::/64 exclude=fd00:101::9
each_kill remove create_other begin_anew remove other

# The first attachment starts the monitor, the last one ends it: where it is left alone, the next call finds it.
CALLS='openat write unlinkat socket bind listen sendto poll recvfrom close'
! in_guest || CALLS='sendto poll'
monitors() { pgrep -x lcx-monitor; }
tool create named 10.102.0.0/24 subnet=fd00:102::/64 >/dev/null
end_named() { end_victim; ! tool attach named lasting /run/netns/lasting || tool detach named lasting; }
each_kill 'attach with a monitor' new_victim end_named attach named victim /run/netns/victim
attached_named() { tool attach named lasting /run/netns/lasting; }
detach_named() { tool detach named lasting; }
each_kill 'detach with a monitor' attached_named detach_named detach named lasting
check_eq 'no monitor is left' '' "$(monitors)"
check 'remove it' tool remove named

check 'no lease is left' tool remove bridge
check_eq 'and no file' '' "$(find "$T/root" -type f)"
