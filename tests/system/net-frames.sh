#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, a bridge does there what it does here
# Frames that a bridge does not pass as a rule: back through the port that they came by, and others' to the host.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need ip bridge nft jq busybox
make_rootfs "$T/rootfs"

# --- hairpin: two stations behind one port, each with a MAC address of its own, which leave all to the switch outside

stations() { # OWNER: reach each other by the bridge alone
	for station in a b; do
		ip netns add "$1-$station"
		defer "ip netns del $1-$station"
		ip -n "$1" link add link eth0 name "v$station" netns "$1-$station" type macvlan mode vepa
		ip -n "$1-$station" link set "v$station" up
	done
	ip -n "$1-a" addr add 10.97.0.201/24 dev va
	ip -n "$1-b" addr add 10.97.0.202/24 dev vb
}

reach() { # OWNER
	ip netns exec "$1-a" busybox ping -c 1 -W "$2" 10.97.0.202
}

check 'a network' tool create frames 10.97.0.0/24
for owner in plain hairpin; do
	make_netns "$owner"
done
tool attach frames plain /run/netns/plain >/dev/null
tool attach frames hairpin /run/netns/hairpin hairpin=true promiscuous=1 >"$T/attached"
bridge=$(awk '{ print $3 }' "$T/attached")
stations plain
check_fails 'what one sends does not come back' 1 '' reach plain 1
ip netns exec plain-a ip link del va
ip netns exec plain-b ip link del vb
stations hairpin
check 'but where it was asked for' reach hairpin 5
check_match 'that interface takes frames of others' 'PROMISC' "$(ip -n hairpin link show dev eth0)"
check_eq 'the others do not' '' "$(ip -n plain link show dev eth0 | grep PROMISC || :)"
check_eq 'inspect tells it' 'hairpin true true,plain false false' \
	"$(tool inspect frames | jq -r '[.containers[] | "\(.owner) \(.hairpin) \(.promiscuous)"] | sort | join(",")')"

# --- promiscuous: the host sees what two containers say to each other

received() { # BRIDGE
	ip -s -j link show dev "$1" | jq '.[0].stats64.rx.packets'
}

flags() { # CONTAINER INTERFACE: as the kernel has them; 0x100 is IFF_PROMISC
	lcx exec "$1" cat "/sys/class/net/$2/flags"
}

hairpins() { # BRIDGE
	bridge -d link show | grep "master $1" -A 1 | grep -o 'hairpin [a-z]*' | xargs
}

# The first one asks for the MAC address, which the host hears anyway.
say_hello() { # TIMES COMMAND...
	times=$1
	shift
	while [ "$times" -gt 0 ]; do
		"$@" >/dev/null || return 1
		times=$((times - 1))
	done
}

inner() { ip -n "$1" -o -4 addr show dev eth0 | awk '{ sub("/.*", "", $4); print $4 }'; }

say_hello 1 ip netns exec plain busybox ping -c 1 -W 5 "$(inner hairpin)"
before=$(received "$bridge")
say_hello 10 ip netns exec plain busybox ping -c 1 -W 5 "$(inner hairpin)"
check 'the host does not see them' test $(($(received "$bridge") - before)) -lt 20
for owner in plain hairpin; do
	check "detach $owner" tool detach frames "$owner"
done
check 'create by options' lcx network create --subnet 10.98.0.0/24 -o hairpin=true -o promiscuous=true open
check_eq 'they are kept' 'true true' "$(lcx network inspect open | jq -r '.[0] | "\(.hairpin) \(.promiscuous)"')"
check 'run' lcx run -d --name one --network open --rootfs "$T/rootfs" sleep 1000
check 'run another, who asks for it himself' lcx run -d --name two --network name=open,promiscuous=true --rootfs "$T/rootfs" sleep 1000
defer 'lcx rm -f one two'
check 'its interface is so' test $(($(flags two eth0) & 0x100)) -ne 0
check_eq 'that of the other one is not' 0 $(($(flags one eth0) & 0x100))
bridge=$(lcx network inspect open | jq -r '.[0].bridge')
check_match 'and the bridge' 'PROMISC' "$(ip link show dev "$bridge")"
check_eq 'each port is a hairpin' 'hairpin on hairpin on' "$(hairpins "$bridge")"
before=$(received "$bridge")
say_hello 10 lcx exec one ping -c 1 -W 5 "$(lcx inspect two | jq -r '.[0].networks.open.address')"
check 'the host sees each of their frames' test $(($(received "$bridge") - before)) -ge 20
check 'a second network' lcx network create --subnet 10.99.0.0/24 second
check 'connect with both' lcx network connect --hairpin --promiscuous second one
check 'they are there' test $(($(flags one eth1) & 0x100)) -ne 0
check_eq 'on its port, too' 'hairpin on' "$(hairpins "$(lcx network inspect second | jq -r '.[0].bridge')")"
check 'stop' lcx stop -t 0 two
check 'start again' lcx start two
check 'as it was described' test $(($(flags two eth0) & 0x100)) -ne 0

# --- refused by name

check_fails 'neither true nor false' 1 "'maybe' is neither true nor false" lcx network create -o hairpin=maybe x
ip link add up0 type veth peer name up1
defer 'ip link del up0'
check_fails 'no bridge, no hairpin' 1 "option 'hairpin' is of driver 'bridge'" \
	lcx network create -d macvlan -o parent=up0 -o hairpin=true --subnet 192.0.2.0/24 x
check 'a network of branches' tool create lan driver=macvlan parent=up0 192.0.2.0/24
make_netns three
check_fails 'a branch would open its parent' 1 "would make 'up0' of the host one, too" \
	tool attach lan three /run/netns/three promiscuous=true
check_fails 'and has no port' 1 'without a cable there is no hairpin' tool attach lan three /run/netns/three hairpin=true
check 'remove it' tool remove lan
check 'remove the first' tool remove frames
