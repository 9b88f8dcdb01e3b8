#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, net-matrix, net-traffic and net-kill tell that kernel from this one
# beside: it makes no control groups
# What fails leaves nothing, and nobody else's objects are touched. (What is killed: net-kill.sh.)
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"

forwarding=$(cat /proc/sys/net/ipv4/ip_forward)
for netns in one two three; do
	make_netns "$netns"
done
ip link add out type veth peer name out-peer
defer 'ip link del out'
ip addr add 192.0.2.1/24 dev out
ip link set out up
ip route add 10.89.0.0/16 via 192.0.2.9

# --- subnets

check_eq 'a chosen subnet avoids the routes of the host' 10.90.0.0/16 "$(
	tool create first >/dev/null
	tool create second | cut -d' ' -f1
)"
check_fails 'a subnet that overlaps a route is refused' 1 'overlaps the route 10.89.0.0/16 on out.*choose' \
	tool create third 10.89.3.0/24
check_fails 'one that overlaps an address, too' 1 'overlaps the address 192.0.2.1/24 on out' \
	tool create third 192.0.2.128/25
check_fails 'one of another network, too' 1 "overlaps the subnet 10.90.0.0/16 on network 'second'" \
	tool create third 10.90.7.0/24
check_fails 'a name is given once' 1 'exists' tool create first
check 'nothing of the refused ones is on disk' test ! -e "$T/root/networks/third.json" -a ! -e "$T/root/ipam/third.ipam"
check 'remove' tool remove first
check_fails 'remove once more' 1 'no network' tool remove first

# A subnet that we chose gives way to what came later.
tool create first >/dev/null
ip addr add 10.88.0.1/16 dev out
check_match 'an unused network moves out of the way' '^10\.91\.' "$(tool attach first one /run/netns/one)"
check 'detach' tool detach first one
ip addr del 10.88.0.1/16 dev out

# --- failures of an attach

tool create other 10.100.0.0/24 >/dev/null
check_eq 'nothing is left so far' '' "$(left)"
check_fails 'a foreign address is refused' 1 'not an address of this host' \
	tool attach bridge one /run/netns/one 203.0.113.1:80:80
check_fails 'an address outside the subnet is refused' 1 '203.0.113.7' \
	tool attach bridge one /run/netns/one address=203.0.113.7
check_fails 'the gateway is refused' 1 '10.88.0.1' tool attach bridge one /run/netns/one address=10.88.0.1
"$BUILD/tests/net-tool" "$T/root" serve tcp 8080 &
defer "kill $!"
wait_for 10 sh -c 'ss -Hltn sport = :8080 | grep -q .'
check_fails 'a port of the host is refused' 1 'port 8080/tcp of 0.0.0.0 is in use by a program' \
	tool attach bridge one /run/netns/one 8080:80
check_fails 'a namespace that is none is refused' 1 "netlink socket" tool attach bridge one /run/netns/one/../../../dev/null
ip -n two link add eth0 type veth peer name eth0-peer
check_fails 'an interface that is there already is refused' 1 "connect 'eth0'" tool attach bridge two /run/netns/two interface=eth0 8081:80
ip -n two link del eth0
check_eq 'all these have left nothing' '' "$(left)"
check_match 'and no lease: the first address is given next' '^10\.88\.0\.[0-9]* ' "$(tool attach bridge one /run/netns/one 8082:80)"
check_fails 'twice is refused' 1 'attached already' tool attach bridge one /run/netns/one
check_fails 'a published port is refused, and its owner named' 1 "8082/tcp is already published by 'one'" \
	tool attach bridge three /run/netns/three 8082:80
check_fails 'on one address of the host, too' 1 "8082/tcp is already published by 'one'" \
	tool attach bridge three /run/netns/three 192.0.2.1:8082:80
check 'a port on one address' tool attach bridge three /run/netns/three 192.0.2.1:8085:80
check_fails 'is in the way of who wants it on all' 1 "8085/tcp is already published by 'three'" \
	tool attach other two /run/netns/two 8084-8089:84-89/tcp
check 'but not for another protocol' tool attach other two /run/netns/two 8085:85/udp
check 'detach' tool detach bridge three
check 'detach' tool detach other two
check_fails 'a network in use stays' 1 "in use by 'one'" tool remove bridge
check 'detach' tool detach bridge one

# --- a port of the library's choice that another one takes in the meantime: another is chosen

range=$(cat /proc/sys/net/ipv4/ip_local_port_range)
echo 40000 40015 >/proc/sys/net/ipv4/ip_local_port_range
attach_at_once() { # prints the host ports, or why not
	pids=
	for i in one two three; do
		tool attach bridge $i /run/netns/$i 80 >"$T/at-once.$i" 2>&1 &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || cat "$T"/at-once.*
	done
	nft list map inet lcx published_any | grep -o 'tcp . 400[01][0-9]' | sort -u | wc -l
	for i in one two three; do
		tool detach bridge $i
	done
}
for round in 1 2 3 4; do
	check_eq "three at once, round $round" 3 "$(attach_at_once)"
done
echo "$range" >/proc/sys/net/ipv4/ip_local_port_range
check 'detach once more' tool detach bridge one
check_eq 'nothing is left' '' "$(left)"

# --- what is not ours

bridge=$(tool inspect bridge | jq -r .bridge)
ip link add "$bridge" type bridge
check_fails 'a foreign bridge is not taken over' 1 "'$bridge' is there and is not ours" tool attach bridge one /run/netns/one
check 'and not removed' ip link show "$bridge"
ip link del "$bridge"
check_eq 'nothing is left' '' "$(left)"
nft add table inet other
tool attach bridge one /run/netns/one 8082:80 >/dev/null
tool detach bridge one
check_eq 'a foreign table stays' 'table inet other' "$(nft list tables)"
nft delete table inet other

# --- the way containers end: the namespace goes, and its interfaces with it

for i in 1 2 3; do
	ip netns add short
	host=$(tool attach bridge short /run/netns/short 8082:80 | sed -n '1s/^[^ ]* \([^ ]*\) .*/\1/p')
	ip netns del short
	check "detach $i waits for a namespace that ends" tool detach bridge short
	check_fails "interface $i is gone" 1 '' ip link show "$host"
done
check_eq 'nothing is left' '' "$(left)"

# --- two contexts

tool2() {
	"$BUILD/tests/net-tool" "$T/root2" "$@"
}
tool attach bridge one /run/netns/one 8082:80 >"$T/one"
check_fails 'another context respects the port' 1 "8082/tcp is already published by 'one' of another root directory" \
	tool2 attach bridge three /run/netns/three 8082:80
check_match 'and the subnet' '^10\.9' "$(tool2 attach bridge three /run/netns/three 8083:80)"
check_eq 'one sweeps only what is its own' 0 "$(tool2 sweep three)"
check_eq 'and all that is' 1 "$(tool2 sweep)"
check_match 'the other is untouched' 'one"' "$(nft list table inet lcx)"
check 'detach' tool detach bridge one
check_eq 'nothing is left' '' "$(left)"

# --- an attachment of no container is nobody's to sweep

tool attach-alone bridge one /run/netns/one 8082:80 >"$T/one"
check_eq 'sweep finds nothing' 0 "$(tool sweep)"
check_match 'it is still published' 'tcp . 8082' "$(nft list table inet lcx)"
sed -i 's/"boot_id":".*"/"boot_id":"00000000-0000-0000-0000-000000000000"/' "$T/root/run/net/bridge/one.json"
check_eq 'one of another boot is swept' 1 "$(tool sweep)"
check_eq 'nothing is left' '' "$(left)"

# --- forwarding that somebody else has switched on since

mkdir -p "$T/root/run/net"
: >"$T/root/run/net/.forwarding-was-off"
echo 1 >/proc/sys/net/ipv4/ip_forward
tool attach bridge one /run/netns/one >"$T/one"
check_eq 'there is no guard' '' "$(nft list table inet lcx | grep guard || :)"
check 'detach' tool detach bridge one
check_eq 'it stays on' 1 "$(cat /proc/sys/net/ipv4/ip_forward)"
echo "$forwarding" >/proc/sys/net/ipv4/ip_forward

# --- marks are enough

tool attach bridge one /run/netns/one 8082:80 192.0.2.1:8083:81/udp >/dev/null
rm -r "$T/root/run/net/bridge"
check 'detach without a record' tool detach bridge one
check_eq 'nothing is left' '' "$(left)"
check 'no lease is left' tool remove bridge
