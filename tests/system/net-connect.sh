#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, net-matrix, net-traffic and net-kill tell that kernel from this one
# A container that runs joins further networks and leaves them; which of them has the way out.
. "${SRC:?}/tests/system/lib.sh"
need ip nft jq busybox curl
make_rootfs "$T/rootfs"

within() {
	lcx exec web "$@"
}

default_route() {
	within ip route | awk '/^default/ { print $NF, $3, $4, $5 }' | sort -n | head -1 | cut -d' ' -f2-
}

left() {
	ip -o link | grep lcx || :
	nft list tables
}

check 'networks' lcx network create --subnet 10.91.0.0/24 front
check 'another, with IPv6' lcx network create --subnet 10.92.0.0/24 --subnet fd00:92::/64 back
check 'an internal one' lcx network create --subnet 10.93.0.0/24 --internal closed
# One server for all of them: between two there would be a moment without any.
lcx run -d --name web --network front -p 8080:80 --rootfs "$T/rootfs" sh -c \
	'mkdir /www; echo hello >/www/index.html; exec httpd -f -p 80 -h /www' >/dev/null
defer 'lcx rm -f web'
check_eq 'one way out' '10.91.0.1 dev eth0' "$(default_route)"
check 'connect' lcx network connect --ip 10.92.0.7 --ip6 fd00:92::77 --mac-address 02:42:00:00:00:07 -p 8081:80 back web
check_match 'with the next name, and its addresses' 'inet 10.92.0.7/24' "$(within ip addr show dev eth1)"
check_match 'of IPv6, too' 'inet6 fd00:92::77/64' "$(within ip addr show dev eth1)"
check_match 'and its MAC' '02:42:00:00:00:07' "$(within ip link show dev eth1)"
check_eq 'the first one keeps the way out' '10.91.0.1 dev eth0' "$(default_route)"
check_fails 'twice is an error' 1 'already' lcx network connect back web
check_eq 'the host reaches it there' hello "$(curl -s -m 5 --http0.9 http://10.92.0.7/ | tail -1)"
check_eq 'its port is published' hello "$(curl -s -m 5 --http0.9 http://127.0.0.1:8081/ | tail -1)"
check 'an internal network, with a name' lcx network connect --interface inner closed web
check_match 'as said' 'inet 10.93.0.2/24' "$(within ip addr show dev inner)"
check_eq 'no way out by that one' 2 "$(within ip route | grep -c ^default)"
check 'disconnect' lcx network disconnect back web
check_eq 'the interface is gone' 'eth0 inner lo' "$(within ls /sys/class/net | sort | tr '\n' ' ' | sed 's/ $//')"
check_eq 'its port, too' '' "$(nft list table inet lcx | grep 8081 || :)"
check_match 'but not that of the other network' 8080 "$(nft list table inet lcx)"
check_eq 'which answers' hello "$(curl -s -m 5 --http0.9 http://127.0.0.1:8080/ | tail -1)"
check_eq 'its bridge is gone' '' "$(ip -o link show "$(lcx network inspect back | jq -r '.[0].bridge')" 2>/dev/null || :)"
check_fails 'disconnect once more' 1 'not attached' lcx network disconnect back web
check 'connect, as the way out' lcx network connect --gw-priority 10 back web
check_eq 'it is' '10.92.0.1 dev eth1' "$(default_route)"
check 'disconnect it' lcx network disconnect back web
check_eq 'the way out is the first one again' '10.91.0.1 dev eth0' "$(default_route)"
check_fails 'a port that is taken' 1 '8080' lcx network connect -p 8080:80 back web
check_match 'harms no other' 8080 "$(nft list table inet lcx)"
check_fails 'an address that is the gateway' 1 'gateway' lcx network connect --ip 10.92.0.1 back web
check_match 'nor does that' 8080 "$(nft list table inet lcx)"
check_fails 'no such network' 1 'nosuch' lcx network connect nosuch web
check_fails 'a priority that is none' 1 'priority' lcx network connect --gw-priority x back web
check 'connect again' lcx network connect back web
check 'off the network it was started with' lcx network disconnect front web
check 'stop' lcx stop -t 0 web
check_fails 'one that does not run' 1 'not running' lcx network connect back web
check 'rm' lcx rm web
check_eq 'nothing is left' '' "$(left)"
for network in front back closed; do
	check "no lease is left in $network" lcx network rm "$network"
done
lcx run -d --name alone --network none --rootfs "$T/rootfs" sleep 1000 >/dev/null
check 'one without a network can be connected' lcx network connect bridge alone
check_match 'and is' 'inet 10.' "$(lcx exec alone ip addr show dev eth0)"
lcx run -d --name shares --network host --rootfs "$T/rootfs" sleep 1000 >/dev/null
check_fails "one that shares the host's network cannot" 1 "host's network" lcx network connect bridge shares
check 'rm all' lcx rm -f alone shares
check_eq 'nothing is left of those' '' "$(left)"
