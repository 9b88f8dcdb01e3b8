#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, what lets nobody in is made by the library, and the same there
# beside: it makes no control groups
# Neighbours that mean no good: containers of one network, and machines on the host's own cable.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need python3 bridge busybox jq

for netns in bad good twofold outside; do
	make_netns "$netns"
done
hostile() { # NETNS WHAT ARGUMENT...
	netns_=$1
	shift
	ip netns exec "$netns_" python3 "$SRC/tests/system/hostile.py" "$@"
}

# 127.0.0.0/8 is not this namespace's own any more, but behind @ROUTER.
send_loopback_by() { # NETNS ROUTER
	ip netns exec "$1" sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet'
	ip -n "$1" route add 127.0.0.0/8 via "$2" dev eth0 table 100
	ip -n "$1" rule add pref 5 to 127.0.0.0/8 table 100
	ip -n "$1" rule add pref 10 table local
	ip -n "$1" rule del pref 0
}

# --- an address of the host's own that comes by a cable

ip link add out type veth peer name eth0 netns outside
defer 'ip link del out'
ip addr add 192.0.2.1/24 dev out
ip link set out up
ip -n outside addr add 192.0.2.2/24 dev eth0
ip -n outside link set eth0 up
send_loopback_by outside 192.0.2.1
check 'create' tool create web 10.91.0.0/24 resolver=none
check 'attach' attach web good 127.0.0.1:8081:80 8080:80 127.0.0.1:5353:53/udp
serve good tcp 80
serve good udp 53
check_eq 'what is published everywhere is reached from outside' 192.0.2.2 "$(ask outside tcp 192.0.2.1 8080)"
check_eq 'what is published on 127.0.0.1 is reached from here' 10.91.0.1 "$(ask host tcp 127.0.0.1 8081)"
# All at once: that nothing comes back is told by waiting.
asking=
for port in tcp:8081 tcp:8080 udp:5353; do
	ask_briefly outside "${port%:*}" 127.0.0.1 "${port#*:}" >"$T/asked-$port" &
	asking="$asking $!"
done
# shellcheck disable=SC2086
wait $asking
check_eq 'not by who sends for 127.0.0.1 from outside' refused "$(cat "$T/asked-tcp:8081")"
check_eq 'nor what is published everywhere, by that address' refused "$(cat "$T/asked-tcp:8080")"
check_eq 'nor over UDP' refused "$(cat "$T/asked-udp:5353")"

# --- a container that sends for an address of the host's own

check 'attach the bad one' attach web bad
send_loopback_by bad 10.91.0.1
"$BUILD/tests/net-tool" "$T/root" serve tcp 9999 &
defer "kill $!"
wait_for 10 sh -c 'ss -Hln -A tcp "sport = :9999" | grep -q .'
check_eq 'the host reaches its own service' 127.0.0.1 "$(ask host tcp 127.0.0.1 9999)"
check_eq 'a container does not' refused "$(ask_briefly bad tcp 127.0.0.1 9999)"
check_match 'for it is stopped on the way' 'counter packets [1-9]' "$(nft list chain inet lcx raw | grep 'speaks to')"
check_eq 'nor what a neighbour has published there' refused "$(ask_briefly bad tcp 127.0.0.1 8081)"

# --- a container that says it is somebody else

ip netns exec outside python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.2", 5300))
s.settimeout(10)
print(s.recvfrom(100)[1][0], flush=True)' >"$T/seen" &
listener=$!
wait_for 10 listens outside udp 5300
ip -n bad addr add 203.0.113.9/32 dev eth0
ip -n bad route add 192.0.2.2 via 10.91.0.1 src 203.0.113.9
ask_briefly bad udp 192.0.2.2 5300 >/dev/null
wait "$listener" || :
check_eq 'what it sends to the outside has the address of the host' 192.0.2.1 "$(cat "$T/seen")"
ip -n bad route del 192.0.2.2
ip -n bad addr del 203.0.113.9/32 dev eth0

# --- a container that says it is a router

bridge=$(tool inspect web | jq -r .bridge)
routes_of() { # NETNS
	ip -n "$1" -6 addr show dev eth0 | grep -o 2001:db8:bad || :
	ip -n "$1" -6 route show default | grep fe80::bad || :
}
if [ -d /proc/sys/net/ipv6 ]; then
	check 'a network of both kinds' tool create both 10.92.0.0/24 subnet=fd00:92::/64 resolver=none
	make_netns other
	check 'attach' attach both twofold
	check 'attach a bad one' attach both other
	hostile bad advertise eth0
	hostile other advertise eth0
	# What comes later has come by then.
	check 'a neighbour answers' ip netns exec other busybox ping -c 1 -W 5 "$(tool inspect both | jq -r '.containers[] | select(.owner == "twofold") | .address6')"
	check_eq 'nobody believes it in a network without IPv6' '' "$(routes_of good)"
	check_eq 'nor in one with IPv6' '' "$(routes_of twofold)"
	check_eq 'nor does the host' '' "$(ip -6 addr | grep 2001:db8:bad; ip -6 route | grep fe80::bad)"
	check 'detach' tool detach both twofold
	check 'detach' tool detach both other
fi

# --- and one that is everybody

kernel_is_at_least() { # MAJOR MINOR
	uname -r | awk -F. -v major="$1" -v minor="$2" '{ exit !($1 > major || ($1 == major && $2 + 0 >= minor)) }'
}
if kernel_is_at_least 6 7; then
	hostile bad flood eth0 20000
	learned=$(bridge fdb show br "$bridge" | grep -c '^02:bd:' || :)
	check "the bridge remembers some of 20,000 addresses of one container, not all: $learned" test "$learned" -gt 0 -a "$learned" -lt 20000
fi
check 'detach' tool detach web bad
check 'detach' tool detach web good
check_eq 'nothing is left' '' "$(left)"
