#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, net-matrix, net-traffic and net-kill tell that kernel from this one
# The example of lib/netlink, and its errors with the kernel's words.
. "${SRC:?}/tests/system/lib.sh"
need ip

netlink() {
	"$BUILD/examples/netlink" "$@"
}

make_netns red
check 'a bridge with a cable into a namespace' netlink br7 10.77.0.1/24 /run/netns/red 10.77.0.2/24
check_match 'the bridge has its address' '10.77.0.1/24' "$(ip -4 -o addr show br7)"
check_match 'the inner end has its name and address' '10.77.0.2/24' "$(ip -n red -4 -o addr show eth0)"
check_match 'the outer end is on the bridge' 'master br7' "$(ip -o link show lcxdemo0)"
check_match 'with its alias' 'made by the netlink example' "$(ip link show lcxdemo0)"
check_match 'it is listed' 'lcxdemo0 veth mtu 1500 made by' "$(netlink)"
check_fails 'a name is given once' 1 "create bridge 'br7'.*File exists" netlink br7 10.77.0.1/24 /run/netns/red 10.77.0.2/24
check_fails 'a name that no interface can have' 1 "cannot name an interface" netlink 'a/b' 10.77.0.1/24 /run/netns/red 10.77.0.2/24
check_fails 'an address without its prefix' 1 "prefix length" netlink br8 10.77.0.1 /run/netns/red 10.77.0.2/24
ip link del br8
ip link del br7
ip link del lcxdemo0
