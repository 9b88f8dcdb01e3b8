#!/bin/sh
# SPDX-License-Identifier: MIT
# Networks on an interface of the host's: macvlan and ipvlan, their modes, VLANs made and removed, what is
# refused, and that detaching removes the one interface that is meant. The guest's kernel has all kinds.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need jq busybox

# The host's way out is "up0"; who is at the other end of the cable is outside.
for netns in outside one two three; do
	make_netns "$netns"
done
ip link add up0 mtu 1400 type veth peer name eth0 netns outside
defer 'ip link del up0'
ip link set up0 up
ip addr add 192.0.2.2/24 dev up0
ip route add default via 192.0.2.1
ip -n outside link set eth0 up
ip -n outside addr add 192.0.2.1/24 dev eth0
ip -n outside addr add 2001:db8:2::1/64 dev eth0 nodad

has_kind() { # KIND [OPTION]...
	kind=$1
	shift
	ip link add link up0 name probe0 type "$kind" "$@" 2>/dev/null && ip link del probe0
}

# The state of operation follows the switch by up to a second: the kernel collects such events.
is_up() { # INTERFACE [-n NETNS]
	interface=$1
	shift
	ip "$@" link show "$interface" | grep -q 'state UP'
}

nothing_left() { # NAME
	check_eq "$1: nothing is left" '' "$(left; ip -o link | grep -v -e ': lo:' -e ': up0@' || :)"
}

# --- what is refused

check_fails 'an unknown driver' 1 'there are bridge, macvlan and ipvlan' tool create x driver=token-ring
check_fails 'an unknown mode' 1 'there are bridge, private, vepa, passthru' tool create x driver=macvlan mode=l2
check_fails 'no subnet' 1 'say its subnet' tool create x driver=macvlan parent=up0
check_fails 'internal' 1 'cannot be internal' tool create x driver=macvlan parent=up0 internal=1 192.0.2.0/24
check_fails 'a name of a bridge' 1 'no bridge' tool create x driver=macvlan parent=up0 bridge=br7 192.0.2.0/24
check_fails 'a bridge with a parent' 1 'a bridge has no parent' tool create x parent=up0
check_fails 'lo' 1 'cannot be a parent' tool create x driver=macvlan parent=lo 192.0.2.0/24
check_fails 'a gateway where the host routes' 1 'no gateway' tool create x driver=ipvlan mode=l3 parent=up0 gateway=192.0.2.9 192.0.2.0/24
check 'of a parent that is not there' tool create x driver=macvlan parent=nosuch0 192.0.2.0/24
check_fails 'an attachment fails' 1 "no interface 'nosuch0'" tool attach x one /run/netns/one
check 'remove' tool remove x

# --- macvlan

check 'create, on the interface of the default route' tool create lan driver=macvlan 192.0.2.0/24 range=192.0.2.128/26 \
	subnet=2001:db8:2::/64 gateway=192.0.2.1
check_eq 'which is chosen, and a mode' 'up0 bridge macvlan' "$(tool inspect lan | jq -r '"\(.parent) \(.mode) \(.driver)"')"
check_fails 'no ports' 1 'no port can be published' tool attach lan one /run/netns/one 8080:80
check_fails 'no rates' 1 'no rate' tool attach lan one /run/netns/one egress=10m
check 'attach one' tool attach lan one /run/netns/one address=192.0.2.130 address=2001:db8:2::13
check 'attach two' tool attach lan two /run/netns/two address=192.0.2.131
check_fails 'the same twice' 1 'attached already' tool attach lan one /run/netns/one
check_match "it has the parent's MTU" 'mtu 1400' "$(ip -n one link show eth0)"
check 'and comes up' wait_for 10 is_up eth0 -n one
check_eq 'its MAC address is that of its address' "$(tool inspect lan | jq -r '.containers[0].mac')" "$(ip -n one -j link show eth0 | jq -r '.[0].address')"
check_eq 'no bridge, no table' '' "$(nft list tables; ip -o link | grep bridge || :)"
serve outside tcp 80
serve outside udp 81
serve one tcp 80
check_eq 'it reaches the outside with its own address' 192.0.2.130 "$(ask one tcp 192.0.2.1 80)"
check_eq 'by UDP' 192.0.2.130 "$(ask one udp 192.0.2.1 81)"
check_eq 'by IPv6' 2001:db8:2::13 "$(ask one tcp 2001:db8:2::1 80)"
check_eq 'the outside reaches it' 192.0.2.1 "$(ask outside tcp 192.0.2.130 80)"
check_eq 'by IPv6' 2001:db8:2::1 "$(ask outside tcp 2001:db8:2::13 80)"
check_eq 'another container does' 192.0.2.131 "$(ask two tcp 192.0.2.130 80)"
check_eq 'the host does not' refused "$(ask_briefly host tcp 192.0.2.130 80)"
check 'detach two, whose namespace lives on' tool detach lan two
check_eq 'its interface is gone' '' "$(ip -n two -o link | grep -v ': lo' || :)"
check_eq 'the other one is not' 192.0.2.130 "$(ask one tcp 192.0.2.1 80)"
check 'the address is free again' tool attach lan three /run/netns/three address=192.0.2.131
check 'detach three' tool detach lan three

# The number of a namespace that ended may be given to another one: nobody else's interface goes.
ip netns add fleeting
check 'attach one that ends without a word' tool attach lan fleeting /run/netns/fleeting address=192.0.2.140
ip netns del fleeting
check 'the next has its address at once' tool attach lan two /run/netns/two interface=eth7
check 'detach the first' tool detach lan fleeting
check_match 'the other is untouched' 'eth7@' "$(ip -n two -o link)"
check 'detach two' tool detach lan two
check 'a sweep takes what has no owner' test "$(tool sweep)" = 1
check_eq 'out of a namespace that lives on' '' "$(ip -n one -o link | grep -v ': lo' || :)"
check 'remove' tool remove lan
nothing_left macvlan

# --- its modes

check 'private' tool create alone driver=macvlan mode=private parent=up0 192.0.2.0/24
check 'attach one' tool attach alone one /run/netns/one
check 'attach two' tool attach alone two /run/netns/two
check_eq 'the outside is there' 192.0.2.3 "$(ask two tcp 192.0.2.1 80)"
check_eq 'another container is not' refused "$(ask_briefly two tcp 192.0.2.2 80)"
check 'detach' tool detach alone one
check 'detach' tool detach alone two
check 'remove' tool remove alone
check 'passthru' tool create through driver=macvlan mode=passthru parent=up0 192.0.2.0/24 exclude=192.0.2.2
check_fails 'a MAC address of its own' 1 "MAC address of 'up0'" tool attach through one /run/netns/one mac=02:42:00:00:00:01
check 'attach one' tool attach through one /run/netns/one
check_eq "it has the parent's MAC address" "$(ip -j link show up0 | jq -r '.[0].address')" "$(tool inspect through | jq -r '.containers[0].mac')"
check_fails 'a second one' 1 "'up0' is taken" tool attach through two /run/netns/two
check_eq 'the outside is there' 192.0.2.3 "$(ask one tcp 192.0.2.1 80)"
check 'detach' tool detach through one
check 'remove' tool remove through
nothing_left 'modes of macvlan'

# --- a VLAN of the parent

ip -n outside link add link eth0 name vlan10 type vlan id 10 2>/dev/null || :
check 'a network on a VLAN' tool create tagged driver=macvlan parent=up0.10 198.51.100.0/24
check_fails 'is not that of two' 1 "that of network 'tagged'" tool create other driver=macvlan parent=up0.10 203.0.113.0/24
if has_kind vlan id 99; then
	ip -n outside link set vlan10 up
	ip -n outside addr add 198.51.100.1/24 dev vlan10
	check 'attach' tool attach tagged one /run/netns/one
	check_match 'the VLAN is made' vlan "$(ip -d link show up0.10)"
	check 'and comes up' wait_for 10 is_up up0.10
	check_eq 'its traffic has the tag' 198.51.100.2 "$(ask one tcp 198.51.100.1 80)"
	check 'attach two' tool attach tagged two /run/netns/two
	check 'detach one' tool detach tagged one
	check 'the VLAN stays for the other' ip link show up0.10
	check 'detach two' tool detach tagged two
	check_fails 'and goes with it' 1 'does not exist' ip link show up0.10
	ip link add link up0 name up0.10 type vlan id 10
	ip link set up0.10 up
	check "one that is there is used" tool attach tagged one /run/netns/one
	check 'detach' tool detach tagged one
	check 'and left alone' ip link show up0.10
	ip link del up0.10
	check_fails 'no base' 1 "no interface 'nosuch0' to make 'nosuch0.7' on" sh -c "
		$BUILD/tests/net-tool $T/root create baseless driver=macvlan parent=nosuch0.7 203.0.113.0/24 &&
		$BUILD/tests/net-tool $T/root attach baseless one /run/netns/one"
	check 'remove' tool remove baseless
else
	check_fails 'a kernel without VLANs says so' 1 CONFIG_VLAN_8021Q tool attach tagged one /run/netns/one
fi
check 'remove' tool remove tagged
nothing_left VLANs

# --- ipvlan

check 'ipvlan' tool create ip driver=ipvlan parent=up0 192.0.2.0/24 range=192.0.2.64/26
if has_kind ipvlan; then
	check 'attach one' tool attach ip one /run/netns/one address=192.0.2.70
	check 'attach two' tool attach ip two /run/netns/two
	check_eq 'it reaches the outside' 192.0.2.70 "$(ask one tcp 192.0.2.1 80)"
	check_eq 'the outside reaches it' 192.0.2.1 "$(ask outside tcp 192.0.2.70 80)"
	check_eq 'another container does' 192.0.2.64 "$(ask two tcp 192.0.2.70 80)"
	check_eq "all have the parent's MAC address" "$(ip -j link show up0 | jq -r '.[0].address')" "$(tool inspect ip | jq -r '.containers[1].mac')"
	check_fails 'none of its own' 1 "MAC address of 'up0'" tool attach ip three /run/netns/three mac=02:42:00:00:00:01
	check 'detach one' tool detach ip one
	check 'detach two' tool detach ip two
	check 'l3, in which this host routes' tool create routed driver=ipvlan mode=l3 parent=up0 203.0.113.0/24
	ip -n outside route add 203.0.113.0/24 via 192.0.2.2
	check 'attach' tool attach routed one /run/netns/one
	check_match 'the way out is the interface' 'default dev eth0' "$(ip -n one route)"
	check_eq 'it reaches the outside' 203.0.113.2 "$(ask one tcp 192.0.2.1 80)"
	check 'detach' tool detach routed one
	check 'remove' tool remove routed
else
	check_fails 'a kernel without ipvlan says so' 1 CONFIG_IPVLAN tool attach ip one /run/netns/one
fi
check 'remove' tool remove ip
nothing_left ipvlan

# --- the command, which this kernel knows as well as any
! in_guest || exit 0

make_rootfs "$T/rootfs"
check 'create' lcx network create -d macvlan -o parent=up0 -o macvlan_mode=bridge -o mtu=1300 --subnet 192.0.2.0/24 --ip-range 192.0.2.192/26 lan
check_fails 'of another driver' 1 "of driver 'ipvlan'" lcx network create -d macvlan -o ipvlan_mode=l2 --subnet 192.0.2.0/24 other
check_match 'ls' 'lan *macvlan .* up0' "$(lcx network ls)"
check_match 'run' 'inet 192.0.2.192/24' "$(lcx run --rm --network lan --rootfs "$T/rootfs" ip addr)"
check_match 'with a smaller MTU' 'mtu 1300' "$(lcx run --rm --network lan --rootfs "$T/rootfs" ip link)"
check 'run with the same address again' lcx run --rm --network name=lan,ip=192.0.2.200 --rootfs "$T/rootfs" true
check 'and again' lcx run --rm --network name=lan,ip=192.0.2.200 --rootfs "$T/rootfs" true
check_fails 'a port' 125 'no port can be published' lcx run --rm --network lan -p 80 --rootfs "$T/rootfs" true
check 'in the background' lcx run -d --name web --network none --rootfs "$T/rootfs" sleep 1000
defer 'lcx rm -f web'
check 'connect' lcx network connect --ip 192.0.2.201 lan web
check_match 'it is there' 'inet 192.0.2.201/24' "$(lcx exec web ip addr)"
check 'disconnect' lcx network disconnect lan web
check_eq 'it is gone' lo "$(lcx exec web ls /sys/class/net)"
check 'connect again' lcx network connect lan web
check 'rm' lcx rm -f web
check 'no lease is left' lcx network rm lan
nothing_left command
