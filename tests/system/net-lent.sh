#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, an interface goes from one namespace to another in the same way on both kernels
# build: plain
# An interface of the host's is lent to a container: its addresses go with it, and come back with it, whoever
# dies on the way.
. "${SRC:?}/tests/system/lib.sh"
need ip jq busybox strace
make_rootfs "$T/rootfs"
make_netns outside
ip link add lan0 mtu 1444 address 02:42:00:00:00:07 type veth peer name eth0 netns outside
defer 'ip link del lan0'
ip -n outside addr add 192.0.2.1/24 dev eth0
ip -n outside link set eth0 up
ip addr add 192.0.2.2/24 dev lan0
ip addr add 2001:db8::2/64 dev lan0 nodad
ip link set lan0 up

outline() { # name, MTU, MAC address and addresses; what the kernel makes up is left out
	ip -j addr show dev "$1" 2>/dev/null |
		jq -r '.[0] | "\(.ifname) \(.mtu) \(.address) \(.flags | index("UP") != null) \([.addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"] | sort | join(" "))"'
}
before=$(outline lan0)
back() { # NAME
	check_eq "$1: it is back as it was" "$before" "$(outline lan0)"
}
run() {
	lcx run --rm --network "$@"
}

check_match 'it is inside, with its addresses' 'inet 192.0.2.2/24 .*inet6 2001:db8::2/64' \
	"$(run interface:lan0 --rootfs "$T/rootfs" ip addr show lan0 | tr '\n' ' ')"
back run
check_match 'with its MTU and its MAC address, and up' 'UP.* mtu 1444 .*02:42:00:00:00:07' \
	"$(run interface:lan0 --rootfs "$T/rootfs" ip link show lan0 | tr '\n' ' ')"
back 'run again'
check_match 'by another name' 'inet 192.0.2.2/24' "$(run interface:lan0:eth0 --rootfs "$T/rootfs" ip addr show eth0)"
back 'by another name'
check 'traffic passes' run interface:lan0 --rootfs "$T/rootfs" ping -c 1 -W 5 192.0.2.1
check_match 'with a network beside it' '^eth0 eth1 lo $' "$(run interface:lan0:eth0 --network bridge --rootfs "$T/rootfs" ls /sys/class/net | tr '\n' ' ')"
back 'with a network'
check_fails 'a name of the network in its way' 125 "'eth0'" run interface:lan0:eth0 --network name=bridge,interface-name=eth0 --rootfs "$T/rootfs" true
back 'after a failure'
check_fails 'none of that name' 125 'nosuch0' run interface:nosuch0 --rootfs "$T/rootfs" true
check_fails 'twice' 125 'twice' run interface:lan0 --network interface:lan0 --rootfs "$T/rootfs" true
check_fails 'the loopback' 125 'loopback' run interface:lo --rootfs "$T/rootfs" true
check_fails 'a program that is not there' 127 'nosuch' run interface:lan0 --rootfs "$T/rootfs" /nosuch
back 'a start that failed'
ip link add br7 type bridge
defer 'ip link del br7'
ip link set lan0 master br7
check_fails 'one of a bridge' 125 'part of a bridge' run interface:lan0 --rootfs "$T/rootfs" true
ip link set lan0 nomaster

check 'in the background' lcx run -d --name web --network interface:lan0 --rootfs "$T/rootfs" sleep 1000
defer 'lcx rm -f web'
check_eq 'the host is without it' '' "$(outline lan0)"
check_fails 'another one cannot have it' 125 "'lan0'" run interface:lan0 --rootfs "$T/rootfs" true
check 'stop' lcx stop -t 0 web
back stop
check 'start' lcx start web
check 'kill' lcx kill web
check_eq 'exit status' 137 "$(lcx wait web)"
back kill

# A container that may administer its network makes no trouble by a name, an address or an MTU.
check 'privileged' lcx run --rm --network interface:lan0 --cap-add NET_ADMIN --rootfs "$T/rootfs" sh -c '
	ip link set lan0 down && ip link set lan0 name other address 02:42:00:00:00:66 mtu 1300 && ip addr add 10.9.9.9/8 dev other'
back 'renamed inside'
ip link add lan1 type veth peer name lan1-peer
defer 'ip link del lan1-peer'
check 'one whose name is taken' lcx run -d --name taken --network interface:lan1 --rootfs "$T/rootfs" sleep 1000
ip link add lan1 type bridge
r=0
lcx rm -f taken >"$T/taken" 2>&1 || r=$?
check_match 'is said to be' "'lan1': the host has another one now; rename that" "$(cat "$T/taken")"
ip link del lan1
check 'and comes back later' lcx gc
check_match 'indeed' 'lan1@lan1-peer' "$(ip -o link show lan1)"

# Whoever starts it is killed at every call by which something is made or moved.
kills=0
for call in sendto move_mount linkat renameat openat; do
	step=1
	[ "$call" != openat ] || step=23
	n=1
	while :; do
		r=0
		strace -o /dev/null -e trace="$call" -e inject="$call:signal=SIGKILL:when=$n" \
			"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" start web >/dev/null 2>&1 || r=$?
		[ "$r" -ne 0 ] || break
		kills=$((kills + 1))
		lcx gc >"$T/gc" 2>&1 || fail "killed at $call $n: gc" "$T/gc"
		lcx stop -t 0 web >"$T/stop" 2>&1 || fail "killed at $call $n: stop" "$T/stop"
		wait_for 10 ip link show lan0 || :
		[ "$(outline lan0)" = "$before" ] || fail "killed at $call $n: $(outline lan0)"
		n=$((n + step))
	done
	lcx stop -t 0 web >/dev/null
done
check "that were many ($kills)" test "$kills" -ge 12
back "killed $kills times"

# The same by a description of the OCI's.
check 'rm' lcx rm -f web
check_eq 'no namespace is left pinned' '' "$(grep -e lcx-run /proc/self/mountinfo || :)"
