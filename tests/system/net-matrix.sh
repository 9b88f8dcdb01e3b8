#!/bin/sh
# SPDX-License-Identifier: MIT
# Who reaches whom, for each of IPv4 and IPv6, TCP and UDP: with a payload that must come back whole,
# and the source address that the server sees. A router and a host behind it are the outside world.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need jq
[ -d /proc/sys/net/ipv6 ] || skip_rest 'IPv6' 'this kernel has none'

for netns in one two far lonely router outside; do
	make_netns "$netns"
done

# host -- router -- outside; neither knows the way to a container.
ip link add out type veth peer name in netns router
defer 'ip link del out'
ip addr add 192.0.2.1/24 dev out
ip addr add 2001:db8:1::1/64 dev out nodad
ip link set out up
ip -n router addr add 192.0.2.254/24 dev in
ip -n router addr add 2001:db8:1::fe/64 dev in nodad
ip -n router link set in up
ip -n router link add lower type veth peer name eth0 netns outside
ip -n router addr add 198.51.100.254/24 dev lower
ip -n router addr add 2001:db8:2::fe/64 dev lower nodad
ip -n router link set lower up
ip netns exec router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
ip -n outside addr add 198.51.100.2/24 dev eth0
ip -n outside addr add 2001:db8:2::2/64 dev eth0 nodad
ip -n outside link set eth0 up
ip -n outside route add default via 198.51.100.254
ip -n outside route add default via 2001:db8:2::fe
ip route add default via 192.0.2.254
ip route add default via 2001:db8:1::fe
# The outside guesses where containers are.
ip -n router route add 10.0.0.0/8 via 192.0.2.1
ip -n router route add fd00::/8 via 2001:db8:1::1

forwarding=$(cat /proc/sys/net/ipv4/ip_forward)
forwarding6=$(cat /proc/sys/net/ipv6/conf/all/forwarding)
accept_ra=$(cat /proc/sys/net/ipv6/conf/out/accept_ra)

check 'create with both' tool create both 10.91.0.0/24 subnet=fd00:91::/64
check 'create another' tool create other 10.92.0.0/24 subnet=fd00:92::/64
check 'create an internal one' tool create closed 10.93.0.0/24 subnet=fd00:93::/64 internal=1
check 'attach one' attach both one 8080:80 8053:53/udp '[2001:db8:1::1]:8081:80' 192.0.2.1:8082:80 7000-7002:80-82
check 'attach two' attach both two
check 'attach far' attach other far 8090:80 8054:53/udp
check 'attach lonely' attach closed lonely
check 'the first address of a /64 behind the gateway' ip -n one -6 addr show dev eth0 to fd00:91::2
check_eq 'which is usable at once' '' "$(ip -n one -6 addr show dev eth0 scope global tentative)"
check_eq 'with a way out' 'default via fd00:91::1 dev eth0' \
	"$(ip -n one -6 route show default | sed 's/ proto.*//')"

for netns in one two far lonely outside; do
	serve "$netns" tcp 80
	serve "$netns" udp 53
done
serve one tcp 82

# ONE..HOST: addresses of the family; OUT: the host's address outside, OUTSIDE the one far away.
row() { # WHAT WANTED FROM ADDRESS PUBLISHED?
	case $protocol/${5:-} in
	tcp/) port=80 ;;
	udp/) port=53 ;;
	tcp/one) port=8080 ;;
	udp/one) port=8053 ;;
	tcp/far) port=8090 ;;
	udp/far) port=8054 ;;
	esac
	[ "$2" = refused ] && seconds=1 || seconds=10
	check_eq "$family $protocol: $1" "$2" "$(ask_for "$seconds" "$3" "$protocol" "$4" "$port")"
}

matrix() { # GATEWAY ONE TWO FAR LONELY LONELY-GATEWAY HOST OUTSIDE
	for protocol in tcp udp; do
		row 'host to container' "$1" host "$2"
		row 'container to container of the same network' "$3" two "$2"
		row 'container to itself' "$2" one "$2"
		row 'container to another network' refused one "$4"
		row 'container to outside' "$7" two "$8"
		row 'outside to published port' "$8" outside "$7" one
		row 'the host to its own published port' "$7" host "$7" one
		row 'hairpin: a published port of a neighbour' "$1" two "$7" one
		row 'own published port' "$1" one "$7" one
		row 'a published port of another network' "$2" one "$7" far
		row 'a published port by the gateway' "$1" two "$1" one
		row 'outside to a container that publishes nothing' refused outside "$3"
		row 'outside to an unpublished port by the container'"'"'s address' refused outside "$2"
		row 'internal network to outside' refused lonely "$8"
		row 'another network into an internal one' refused one "$5"
		row 'internal network to another' refused lonely "$2"
		row 'host to a container of an internal network' "$6" host "$5"
	done
}

family=IPv4
matrix 10.91.0.1 10.91.0.2 10.91.0.3 10.92.0.2 10.93.0.2 10.93.0.1 192.0.2.1 198.51.100.2
family=IPv6
matrix fd00:91::1 fd00:91::2 fd00:91::3 fd00:92::2 fd00:93::2 fd00:93::1 2001:db8:1::1 2001:db8:2::2

check_eq '::1 leads to a container, as the gateway' fd00:91::1 "$(ask host tcp ::1 8080)"
check_eq 'but not over UDP' refused "$(ask_briefly host udp ::1 8053)"
check_eq 'published on an IPv6 address: there' 2001:db8:2::2 "$(ask outside tcp 2001:db8:1::1 8081)"
check_eq 'and not on an IPv4 one' refused "$(ask_briefly outside tcp 192.0.2.1 8081)"
check_eq 'published on an IPv4 address: there' 198.51.100.2 "$(ask outside tcp 192.0.2.1 8082)"
check_eq 'and not on an IPv6 one' refused "$(ask_briefly outside tcp 2001:db8:1::1 8082)"
check_eq 'the last port of a range, IPv6' 2001:db8:2::2 "$(ask outside tcp 2001:db8:1::1 7002)"

bridge=$(tool inspect both | jq -r .bridge)
check_eq 'forwarding of IPv6 is on' 1 "$(cat /proc/sys/net/ipv6/conf/all/forwarding)"
check_eq 'and the host goes on to hear its routers' 2 "$(cat /proc/sys/net/ipv6/conf/out/accept_ra)"
check_eq 'but no container' 0 "$(cat "/proc/sys/net/ipv6/conf/$bridge/accept_ra")"

# The table comes back, IPv6 too.
nft -s list table inet lcx | sed 's/elements = {//; s/[[:space:],}]*$//; s/^[[:space:]]*//' | sort >"$T/before"
nft flush ruleset
check_eq 'after a flush the port is gone' refused "$(ask_briefly outside tcp 2001:db8:1::1 8080)"
check 'reload' tool reload
nft -s list table inet lcx | sed 's/elements = {//; s/[[:space:],}]*$//; s/^[[:space:]]*//' | sort >"$T/after"
check 'brings the same table back' diff "$T/before" "$T/after"
check_eq 'and the traffic' 2001:db8:2::2 "$(ask outside tcp 2001:db8:1::1 8080)"

check_fails 'an IPv6 port is taken once' 1 "8081/tcp is already published by 'one'" tool attach both extra /run/netns/two '[::]:8081:80'

for owner in 'both one' 'both two' 'other far' 'closed lonely'; do
	# shellcheck disable=SC2086
	check "detach $owner" tool detach $owner
done
check_eq 'no interface of ours is left' '' "$(ip -o link | grep -e lcx || :)"
check_eq 'no table is left' '' "$(nft list tables)"
check_eq 'forwarding is as it was' "$forwarding $forwarding6 $accept_ra" \
	"$(cat /proc/sys/net/ipv4/ip_forward) $(cat /proc/sys/net/ipv6/conf/all/forwarding) $(cat /proc/sys/net/ipv6/conf/out/accept_ra)"
for network in both other closed; do
	check "no lease is left in $network, so it can be removed" tool remove "$network"
done
check_eq 'and nothing of them is on disk' '' "$(find "$T/root/networks" "$T/root/ipam" "$T/root/run/net" -mindepth 1)"
