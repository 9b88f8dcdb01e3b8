#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, which networks a container has is decided by the library, not by the kernel
# A container is started in several networks: names of its interfaces, its way out, what inspect tells.
. "${SRC:?}/tests/system/lib.sh"
need ip nft jq busybox
make_rootfs "$T/rootfs"

within() {
	lcx exec web "$@"
}

way_out() {
	within ip route | awk '/^default/ { print $NF, $3, $4, $5 }' | sort -n | head -1 | cut -d' ' -f2-
}

networks() { # .FILTER
	lcx inspect web | jq -r ".[0].networks | $1"
}

for number in 1 2 3; do
	check "network $number" lcx network create --subnet "10.9$number.0.0/24" --subnet "fd00:9$number::/64" "net$number"
done
check 'an internal one' lcx network create --subnet 10.94.0.0/24 --internal closed

check 'run in three' lcx run -d --name web --network closed --network name=net2,ip=10.92.0.7,ip6=fd00:92::77,alias=db,alias=store \
	--network name=net1,mac-address=02:42:00:00:00:07,interface-name=outer,gw-priority=5 \
	--network-alias inner -p 8080:80 --rootfs "$T/rootfs" sleep 1000
defer 'lcx rm -f web'
check_eq 'names by their order' 'eth0 eth1 lo outer' "$(within ls /sys/class/net | sort | tr '\n' ' ' | sed 's/ $//')"
check_match 'the first one' 'inet 10.94.0.2/24' "$(within ip addr show dev eth0)"
check_match 'the second, with its address' 'inet 10.92.0.7/24' "$(within ip addr show dev eth1)"
check_match 'of IPv6, too' 'inet6 fd00:92::77/64' "$(within ip addr show dev eth1)"
check_match 'the third, with its name and MAC' '02:42:00:00:00:07' "$(within ip link show dev outer)"
check_eq 'its priority gives the way out' '10.91.0.1 dev outer' "$(way_out)"
check_eq 'inspect knows all' 'closed net1 net2' "$(networks 'keys | join(" ")')"
check_eq 'their addresses' '10.92.0.7 fd00:92::77 eth1' "$(networks '.net2 | "\(.address) \(.address6) \(.interface)"')"
check_eq 'and aliases' 'db store' "$(networks '.net2.aliases | join(" ")')"
check_eq 'those of the first network, too' inner "$(networks '.closed.aliases | join(" ")')"
check_match 'the port is published by the one with the way out' "10.91.0.2 . 80" "$(nft list map inet lcx published_any)"
check 'stop' lcx stop -t 0 web
check_eq 'nothing is left' '' "$(ip -o link | grep lcx; nft list tables)"
check 'start again' lcx start web
check_match 'the same names' 'inet 10.94.0.' "$(within ip addr show dev eth0)"
check_match 'the same address' 'inet 10.92.0.7/24' "$(within ip addr show dev eth1)"
check 'connect one more' lcx network connect --alias late net3 web
check_eq 'is shown, too' late "$(networks '.net3.aliases | join(" ")')"
check 'rm' lcx rm -f web
for network in net1 net2 net3 closed; do
	check "no lease is left in $network" lcx network rm "$network"
done

check 'a network' lcx network create --subnet 10.91.0.0/24 one
run() {
	lcx run --rm "$@" --rootfs "$T/rootfs" true
}
check_match 'options of the first network by themselves' 'inet 10.91.0.9/24' \
	"$(lcx run --rm --network one --ip 10.91.0.9 --rootfs "$T/rootfs" ip addr)"
check_fails 'the same twice' 125 'twice' run --network one --network one
check_fails 'none among others' 125 'none' run --network one --network none
check_fails 'none with an address' 125 'none' run --network none --ip 10.91.0.9
check_fails 'an unknown key' 125 'colour' run --network name=one,colour=red
check_fails 'no name' 125 "''" run --network ip=10.91.0.9
check_fails 'an address of the other kind' 125 'IPv4' run --network name=one,ip=fd00::1
check_fails 'no such network' 125 'nosuch' run --network one --network nosuch
check_fails 'an address that another network has' 125 '10.95.0.9' run --network name=one,ip=10.95.0.9
check_eq 'nothing is left of those' '' "$(ip -o link | grep lcx; nft list tables)"
check 'no lease, either' lcx network rm one
