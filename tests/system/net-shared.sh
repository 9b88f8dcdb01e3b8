#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, whose namespace is joined is decided by the library
# A container in the network namespace of another one, or in one that somebody else has made.
. "${SRC:?}/tests/system/lib.sh"
need ip nft jq busybox
make_rootfs "$T/rootfs"
on_rootfs() { # OPTION... -- COMMAND
	options=
	while [ "$1" != -- ]; do
		options="$options $1"
		shift
	done
	shift
	# shellcheck disable=SC2086
	lcx run --rm $options --rootfs "$T/rootfs" "$@"
}

check 'a network' lcx network create --subnet 10.91.0.0/24 one
check 'one container' lcx run -d --name first --network one --rootfs "$T/rootfs" sleep 1000
defer 'lcx rm -f first second'
netns=$(lcx exec first readlink /proc/self/ns/net)
check_eq 'another has its namespace' "$netns" "$(on_rootfs --network container:first -- readlink /proc/self/ns/net)"
check_match 'and address' 'inet 10.91.0.2/24' "$(on_rootfs --network container:first -- ip addr)"
check_match 'by any name' 'inet 10.91.0.2/24' "$(on_rootfs --net "container:$(lcx inspect first | jq -r '.[0].id')" -- ip addr)"
check 'one that lives on' lcx run -d --name second --network container:first --rootfs "$T/rootfs" sleep 1000
check_eq 'is of the same' "$netns" "$(lcx exec second readlink /proc/self/ns/net)"
check_eq 'a third, by the second' "$netns" "$(on_rootfs --network container:second -- readlink /proc/self/ns/net)"
check_fails 'it cannot be connected' 1 "another's" lcx network connect one second
check_eq 'inspect tells whose it is' "container:$(lcx inspect first | jq -r '.[0].id')" "$(lcx inspect second | jq -r '.[0].network.name')"
check 'stop the second' lcx stop -t 0 second
check_match 'takes nothing from the first' 'inet 10.91.0.2/24' "$(lcx exec first ip addr)"
check 'rename the first' lcx rename first other
check 'start the second' lcx start second
check_eq 'it is still the same' "$netns" "$(lcx exec second readlink /proc/self/ns/net)"
check 'stop both' lcx stop -t 0 second other
check_fails 'without the first, the second does not start' 1 'not running' lcx start second
check 'the first again' lcx start other
check 'and the second' lcx start second
check_eq 'in its new namespace' "$(lcx exec other readlink /proc/self/ns/net)" "$(lcx exec second readlink /proc/self/ns/net)"
check_fails 'no such container' 125 'nosuch' lcx run --rm --network container:nosuch --rootfs "$T/rootfs" true
check_fails 'ports' 125 'published' lcx run --rm --network container:other -p 80 --rootfs "$T/rootfs" true
check_fails 'an address' 125 'container:other' lcx run --rm --network container:other --ip 10.91.0.7 --rootfs "$T/rootfs" true
check_eq 'of the host, by one that has it' "$(readlink /proc/self/ns/net)" "$(
	lcx run -d --name third --network host --rootfs "$T/rootfs" sleep 1000 >/dev/null
	on_rootfs --network container:third -- readlink /proc/self/ns/net
	lcx rm -f third >/dev/null
)"
check 'remove all' lcx rm -f second other
check 'no lease is left' lcx network rm one
check_eq 'nor anything else' '' "$(ip -o link | grep lcx; nft list tables)"

make_netns given
ip -n given link add inside type bridge
check_match 'a namespace by its path' 'inside' "$(on_rootfs --network ns:/run/netns/given -- ip link)"
check_match 'which stays as it is' 'inside' "$(ip -n given link)"
check_fails 'no such path' 125 '/nowhere' lcx run --rm --network ns:/nowhere --rootfs "$T/rootfs" true
check_fails 'no namespace' 125 'network' lcx run --rm --network ns:/etc/passwd --rootfs "$T/rootfs" true
check_fails 'no path' 125 'ns:x' lcx run --rm --network ns:x --rootfs "$T/rootfs" true
