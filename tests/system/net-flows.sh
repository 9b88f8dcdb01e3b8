#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, net-matrix, net-traffic and net-kill tell that kernel from this one
# beside: it makes no control groups
# A client of a published UDP port that goes on speaking reaches the next container that publishes it.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"

for netns in first second outside; do
	make_netns "$netns"
done
ip link add out type veth peer name eth0 netns outside
defer 'ip link del out'
ip addr add 192.0.2.1/24 dev out
ip addr add 2001:db8:1::1/64 dev out nodad
ip link set out up
ip -n outside addr add 192.0.2.2/24 dev eth0
ip -n outside addr add 2001:db8:1::2/64 dev eth0 nodad
ip -n outside link set eth0 up

ask() { # ADDRESS
	SOURCE_PORT=40000 ip netns exec outside "$BUILD/tests/net-tool" "$T/root" ask udp "$1" 8053 10 2>&1 || :
}

check 'create' tool create net 10.91.0.0/24 subnet=fd00:91::/64
for netns in first second; do
	serve "$netns" udp 53
done
check 'the first' tool attach net first /run/netns/first 8053:53/udp
check_eq 'answers' 192.0.2.2 "$(ask 192.0.2.1)"
check_eq 'over IPv6, too' 2001:db8:1::2 "$(ask 2001:db8:1::1)"
check 'it goes' tool detach net first
check 'the second comes' tool attach net second /run/netns/second 8053:53/udp
check_eq 'and answers the same client' 192.0.2.2 "$(ask 192.0.2.1)"
check_eq 'over IPv6, too' 2001:db8:1::2 "$(ask 2001:db8:1::1)"
check 'it goes' tool detach net second
check 'and nothing is left' tool remove net
