#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, net-matrix, net-traffic and net-kill tell that kernel from this one
# Networks with several subnets, ranges and addresses that nobody gets.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need jq
[ -d /proc/sys/net/ipv6 ] || skip_rest 'IPv6' 'this kernel has none'

attach() { # NETWORK OWNER [address=ADDRESS | PORT]...: "IPV4 IPV6", or the first alone
	network=$1 owner=$2
	shift 2
	ip netns add "$owner"
	tool attach "$network" "$owner" "/run/netns/$owner" "$@" | { read -r a _ _ b; echo "$a${b:+ $b}"; }
}

detach() { # NETWORK OWNER
	ip netns del "$2"
	tool detach "$1" "$2"
}

lcx() {
	"$BUILD/examples/lcx/lcx" --root "$T/root" "$@"
}

check 'gateways, ranges and exclusions find their subnets' tool create many \
	exclude=10.91.0.5 range=10.92.1.0/31 gateway=10.92.0.9 range=fd00:91::100/126 \
	gateway=fd00:91::ff subnet=fd00:91::/64 subnet=10.91.0.0/29 subnet=10.92.0.0/16 exclude=fd00:91::102
check_eq 'as inspect shows them, IPv4 first' \
	'10.91.0.0/29 10.91.0.1 ;10.92.0.0/16 10.92.0.9 10.92.1.0/31;fd00:91::/64 fd00:91::ff fd00:91::100/126' \
	"$(tool inspect many | jq -r '[.subnets[] | "\(.subnet) \(.gateway) \(.range)"] | join(";")')"
check_eq 'first of each' '10.91.0.2 fd00:91::100' "$(attach many a)"
check_eq 'second' '10.91.0.3 fd00:91::101' "$(attach many b)"
check_eq 'what is excluded is passed over' '10.91.0.4 fd00:91::103' "$(attach many c)"
check_fails 'and not given to who asks for it' 1 "10.91.0.5 is reserved for 'excluded-address'" \
	tool attach many x /run/netns/a address=10.91.0.5
check_eq 'but another one behind the range is' '10.91.0.6 fd00:91::7' "$(attach many d address=fd00:91::7)"
detach many c
check_eq 'a full subnet is followed by the next' '10.92.1.0 fd00:91::103' "$(attach many e address=10.92.1.0)"
check_eq 'what was freed is found again' 10.91.0.4 "$(attach many f address=fd00:91::8 | cut -d' ' -f1)"
check_eq 'then the range of the next one' 10.92.1.1 "$(attach many g address=fd00:91::9 | cut -d' ' -f1)"
ip netns add x
check_fails 'at last all are full' 1 'full' tool attach many x /run/netns/x address=fd00:91::a
check_fails 'an address of no subnet' 1 'not part of a subnet' tool attach many x /run/netns/x address=10.93.0.1
check_fails 'a network in use stays' 1 "in use by 'a'" tool remove many
for owner in a b d e f g; do
	check "detach $owner" detach many "$owner"
done
check 'the excluded ones are in nobody'"'"'s way' tool remove many

check 'IPv6 alone' tool create six ipv4=0 subnet=fd00:66::/64
check_eq 'gives an IPv6 address' 'fd00:66::2 fd00:66::2' "$(attach six s 8080:80 | sed 's/ $//')"
check_eq 'and no other' '' "$(ip -n s -4 addr show dev eth0)"
check_match 'its port is one of IPv6' 'tcp . 8080 .* fd00:66::2 . 80' "$(nft list map inet lcx published6_any)"
check_eq 'and of nothing else' '' "$(nft list map inet lcx published_any | grep 8080 || :)"
ip netns add x4
check_fails 'an IPv4 address cannot be had' 1 'no subnet of its kind' tool attach six x4 /run/netns/x4 address=10.1.0.1
check_fails 'nor a port on one' 1 'no subnet of its kind' tool attach six x4 /run/netns/x4 127.0.0.1:80:80
detach six s
check 'remove it' tool remove six

check_eq 'a chosen IPv6 subnet' many6 "$(lcx network create --ipv6 --aux-address router=10.94.0.9 --subnet 10.94.0.0/24 --ip-range 10.94.0.8/30 many6)"
check_match 'is one of RFC 4193' '^fd[0-9a-f:]*::/64$' "$(lcx network inspect many6 | jq -r '.[0].subnets[1].subnet')"
check_match 'range and auxiliary address are kept' '10.94.0.8' "$(attach many6 m)"
check_match 'and heeded' '10.94.0.10' "$(attach many6 n)"
detach many6 m
detach many6 n
check 'rm' lcx network rm many6

check_fails 'no kind at all' 1 'neither' tool create x ipv4=0
check_fails 'a gateway of no subnet' 1 'not part of its subnet' tool create x 10.95.0.0/24 gateway=10.96.0.1
check_fails 'a range of no subnet' 1 'not part of its subnet' tool create x 10.95.0.0/24 range=10.0.0.0/8
check_fails 'two that overlap' 1 'overlap' tool create x subnet=fd00::/48 subnet=fd00:0:0:1::/64
check_fails 'link-local addresses' 1 'cannot be routed' tool create x subnet=fe80::/64
check_fails 'a port of UDP on ::1' 1 'use 127.0.0.1' tool attach bridge x /run/netns/x '[::1]:80:80/udp'
ip netns del x
ip netns del x4
check_eq 'and nothing of them is on disk' '' "$(find "$T/root/networks" "$T/root/ipam" -mindepth 1 -not -name 'bridge*')"
