#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, which names a container has, and whom it asks, is decided by the library
# Containers find each other by their names, as users of Docker do it.
. "${SRC:?}/tests/system/lib.sh"
need ip nft jq busybox umoci
printf 'nameserver 127.0.0.1\nsearch example.test\noptions timeout:1 ndots:3\n' >"$T/resolv.conf"
mount --bind "$T/resolv.conf" /etc/resolv.conf
defer 'umount /etc/resolv.conf'

# All addresses that a container finds for a name; without the dot, this client would search for it outside first.
find_name() { # CONTAINER NAME
	lcx exec "$1" nslookup "$2." 2>&1 | awk '/^Name:/ { found = 1 } found && /^Address/ { print $NF }' | tr '\n' ' ' | sed 's/ $//'
}

resolv_conf() { # CONTAINER
	lcx exec "$1" cat /etc/resolv.conf
}

# Containers with a root file system of the user's keep their own files: these have an image.
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
lcx import --ref latest "$T/layout" base >/dev/null

check 'a network' lcx network create --subnet 10.91.0.0/24 front
check 'another' lcx network create --subnet 10.92.0.0/24 --internal back
check 'run web' lcx run -d --name web --hostname www --network front --network-alias site base sleep 1000
defer 'lcx rm -f web'
check 'run other' lcx run -d --name other --network front --network-alias site base sleep 1000
defer 'lcx rm -f other'
check_eq 'whom it asks' 'nameserver 10.91.0.1
search example.test
options timeout:1 ndots:3
options ndots:0' "$(resolv_conf web)"
check_eq 'by name' 10.91.0.3 "$(find_name web other)"
check_eq 'by host name' 10.91.0.2 "$(find_name other www)"
check_eq 'by name and network' 10.91.0.2 "$(find_name other web.front)"
check_eq 'by the short identifier' 10.91.0.2 "$(find_name other "$(lcx inspect web | jq -r '.[0].id' | cut -c1-12)")"
check_eq 'by an alias, all who have it' '10.91.0.2 10.91.0.3' "$(find_name other site | tr ' ' '\n' | sort | tr '\n' ' ' | sed 's/ $//')"
check_match 'backwards' 'name = web.front' "$(lcx exec other nslookup 10.91.0.2)"
check 'with ping' lcx exec other ping -c 1 -W 5 web
check_eq 'nobody' '' "$(find_name other nobody)"
check 'rename' lcx rename web shop
defer 'lcx rm -f shop'
check_eq 'has the new name' 10.91.0.2 "$(find_name other shop)"
check_eq 'not the old one' '' "$(find_name other web)"
check 'stop' lcx stop -t 0 shop
check_eq 'nobody, when it is stopped' '' "$(find_name other shop)"
check 'start' lcx start shop
check_eq 'there again' "$(lcx inspect shop | jq -r '.[0].networks.front.address')" "$(find_name other shop)"

check 'in two networks' lcx run -d --name both --network back --network front base sleep 1000
defer 'lcx rm -f both'
check_match 'asks where its way out is' 'nameserver 10.91.0.1' "$(resolv_conf both)"
check 'in the internal one' lcx run -d --name inner --network back base sleep 1000
defer 'lcx rm -f inner'
check_match 'asks its gateway' 'nameserver 10.92.0.1' "$(resolv_conf inner)"
check_eq 'sees the other network by both' 10.92.0.3 "$(find_name both inner)"
check_eq 'and is seen' 10.92.0.2 "$(find_name inner both)"
check_eq 'who is not in both, does not' '' "$(find_name other inner)"
check 'connect' lcx network connect --alias late back other
check_eq 'then does' 10.92.0.3 "$(find_name other inner)"
check_eq 'and is found by its name' 10.92.0.4 "$(find_name inner other)"
check_eq 'and its alias' 10.92.0.4 "$(find_name inner late)"

check 'in the default network' lcx run --rm base cat /etc/resolv.conf
check_match "the host's servers are asked" 'nameserver 8.8.8.8' "$(cat "$T/check.out")"
check_eq 'there is no monitor' '' "$(find /run/lcx "$T" -path '*net/bridge/monitor' 2>/dev/null)"
check 'and in one without' lcx network create --resolver none plain
check_match 'likewise' 'nameserver 8.8.8.8' "$(lcx run --rm --network plain base cat /etc/resolv.conf)"
check_fails 'an unknown one' 1 'resolver' lcx network create --resolver nonsense odd

ip link add parent0 type veth peer name parent1
defer 'ip link del parent0'
check_fails 'where the host is not at the gateway' 1 'gateway' \
	lcx network create --driver macvlan -o parent=parent0 --subnet 10.93.0.0/24 --resolver monitor branch
check 'none by itself' lcx network create --driver macvlan -o parent=parent0 --subnet 10.93.0.0/24 branch
check_eq 'there' none "$(lcx network inspect branch | jq -r '.[0].resolver')"
check 'rm' lcx network rm branch

for name in shop other both inner; do
	check "rm $name" lcx rm -f "$name"
done
for name in front back plain; do
	check "network rm $name" lcx network rm "$name"
done
check_eq 'nothing is left' '' "$(ip -o link | grep lcx; nft list tables)"
