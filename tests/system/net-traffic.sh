#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, net-matrix tells that kernel from this one
# beside: it makes no control groups
# Who reaches whom through a bridge network, by real sockets, and with which address of origin.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"

address() { # output of attach
	set -- $1
	echo "$1"
}

for netns in one two far lonely outside; do
	make_netns "$netns"
done

# The outside world: a cable, and no way back but to the host's address on it.
ip link add out mtu 1400 type veth peer name eth0 mtu 1400 netns outside
defer 'ip link del out'
ip addr add 192.0.2.1/24 dev out
ip link set out up
ip -n outside addr add 192.0.2.2/24 dev eth0
ip -n outside link set eth0 up
ip -n outside route add 10.0.0.0/8 via 192.0.2.1

ip route add default via 192.0.2.2

forwarding=$(cat /proc/sys/net/ipv4/ip_forward)

tool create other >"$T/other"
tool create closed internal=1 >"$T/closed"
one=$(address "$(attach bridge one 8080:80 127.0.0.1:8081:80 5353:53/udp 7000-7002:80-82)")
two=$(address "$(attach bridge two)")
far=$(address "$(attach other far 8090:80)")
lonely=$(address "$(attach closed lonely)")
read -r _ gateway _ <<END
$(tool inspect bridge | jq -r '"\(.name) \(.gateway)"')
END
check_eq 'without an IPv6 subnet there is no IPv6, link-local or other, at either end' '' \
	"$(ip -n one -6 addr show dev eth0; ip -6 -o addr show | grep -v -e '^1:' -e ' out ' -e ' lcx[n-]' || :)"
check_eq "bridge, cable and the container's end have the MTU of the default route's interface" '1400 1400 1400' \
	"$(echo $(for link in $(tool inspect bridge | jq -r '.bridge, .containers[0].host_interface'); do ip -o link show dev "$link"; done | sed 's/.* mtu \([0-9]*\) .*/\1/') $(ip -n one -o link show dev eth0 | sed 's/.* mtu \([0-9]*\) .*/\1/'))"
for netns in one two far lonely outside; do
	serve "$netns" tcp 80
done
serve one udp 53
serve one tcp 82

check_eq 'host to container: the gateway is seen' "$gateway" "$(ask host tcp "$one" 80)"
check_eq '127.0.0.1 reaches a published port' "$gateway" "$(ask host tcp 127.0.0.1 8080)"
check_eq 'a port published on 127.0.0.1 is there' "$gateway" "$(ask host tcp 127.0.0.1 8081)"
check_eq 'and not on another address of the host' refused "$(ask_briefly host tcp 192.0.2.1 8081)"
check_eq 'nor from outside' refused "$(ask_briefly outside tcp 192.0.2.1 8081)"
check_eq "the host's own address reaches a published port" 192.0.2.1 "$(ask host tcp 192.0.2.1 8080)"
check_eq 'outside to published port: the source address is kept' 192.0.2.2 "$(ask outside tcp 192.0.2.1 8080)"
check_eq 'the last port of a range is published' 192.0.2.2 "$(ask outside tcp 192.0.2.1 7002)"
check_eq 'outside to published UDP port' 192.0.2.2 "$(ask outside udp 192.0.2.1 5353)"
check_eq '127.0.0.1 to published UDP port' "$gateway" "$(ask host udp 127.0.0.1 5353)"
check_eq 'container to container of the same network' "$two" "$(ask two tcp "$one" 80)"
check_eq 'a published port of a neighbour' "$gateway" "$(ask two tcp 192.0.2.1 8080)"
check_eq 'its own published port' "$gateway" "$(ask one tcp 192.0.2.1 8080)"
check_eq 'container to outside: the address of the host is seen' 192.0.2.1 "$(ask two tcp 192.0.2.2 80)"
check_eq 'a published port of another network' "$one" "$(ask one tcp 192.0.2.1 8090)"
check_eq 'another network without publication' refused "$(ask_briefly one tcp "$far" 80)"
check_eq 'outside to an unpublished container' refused "$(ask_briefly outside tcp "$two" 80)"
check_eq 'internal network to outside' refused "$(ask_briefly lonely tcp 192.0.2.2 80)"
check_eq 'into an internal network' refused "$(ask_briefly one tcp "$lonely" 80)"
check_eq 'host to a container of an internal network' "$(tool inspect closed | jq -r .gateway)" \
	"$(ask host tcp "$lonely" 80)"

# The table without the order of its entries.
entries() {
	nft -s list table inet lcx | sed 's/elements = {//; s/[[:space:],}]*$//; s/^[[:space:]]*//' | sort
}

# Router advertisements of a container are not heard.
bridge=$(tool inspect bridge | jq -r .bridge)
if [ -d /proc/sys/net/ipv6 ]; then
	check_eq 'the bridge ignores router advertisements' 00 \
		"$(cat /proc/sys/net/ipv6/conf/"$bridge"/accept_ra)$(cat /proc/sys/net/ipv6/conf/"$bridge"/autoconf)"
fi

# The table reads as intended, and comes back after a flush.
entries >"$T/before"
check_match 'a port is an entry with its owner' 'tcp . 8080 comment "[0-9a-f]*:one" : '"$one . 80" "$(cat "$T/before")"
nft flush ruleset
check_eq 'after a flush the port is gone' refused "$(ask_briefly outside tcp 192.0.2.1 8080)"
check 'reload' tool reload
entries >"$T/after"
check 'reload brings the same table back' diff "$T/before" "$T/after"
check_eq 'and the traffic' 192.0.2.2 "$(ask outside tcp 192.0.2.1 8080)"
check 'reload once more' tool reload
entries >"$T/again"
check 'changes nothing' diff "$T/after" "$T/again"

# Not a router for others while containers run, if it was none before.
if [ "$forwarding" = 0 ]; then
	make_netns second
	ip link add out2 type veth peer name eth0 netns second
	ip addr add 198.51.100.1/24 dev out2
	ip link set out2 up
	ip -n second addr add 198.51.100.2/24 dev eth0
	ip -n second link set eth0 up
	ip -n second route add default via 198.51.100.1
	ip -n outside route add default via 192.0.2.1
	check_eq 'forwarding is on' 1 "$(cat /proc/sys/net/ipv4/ip_forward)"
	check_eq 'but not between others' refused "$(ask_briefly second tcp 192.0.2.2 80)"
	ip link del out2
fi

for owner in 'bridge one' 'bridge two' 'other far' 'closed lonely'; do
	# shellcheck disable=SC2086
	check "detach $owner" tool detach $owner
done
check_eq 'no interface of ours is left' '' "$(ip -o link | grep -e lcx || :)"
check_eq 'no table is left' '' "$(nft list tables)"
check_eq 'forwarding is as it was' "$forwarding" "$(cat /proc/sys/net/ipv4/ip_forward)"
check_eq 'no record is left' '' "$(find "$T/root/run/net" -type f)"
for network in bridge other closed; do
	check "no lease is left in $network, so it can be removed" tool remove "$network"
done
check_eq 'and nothing of them is on disk' '' "$(find "$T/root/networks" "$T/root/ipam" "$T/root/run/net" -mindepth 1)"
