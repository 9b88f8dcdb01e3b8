#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, neighbours of both kernels follow the same two standards
# beside: it makes no control groups
# An address that comes to another container: neighbours, and the host, know its new place at once.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"

for netns in one two three; do
	make_netns "$netns"
done
check 'create' tool create moving 10.91.0.0/24 subnet=fd00:91::/64
bridge=$(tool attach moving two /run/netns/two | awk 'NR == 1 { print $3 }')

neighbour() { # ADDRESS
	ip -n two neigh show "$1" dev eth0 | awk '{ print $3 }'
}

move() { # MAC OWNER
	check "attach $2" tool attach moving "$2" "/run/netns/$2" address=10.91.0.7 address=fd00:91::7 "mac=$1"
}

move 02:42:00:00:00:01 one
serve one tcp 80
# Whatever is not known yet is asked for: from here on it is.
ask two tcp 10.91.0.7 80 >/dev/null
ask two tcp fd00:91::7 80 >/dev/null
ask host tcp 10.91.0.7 80 >/dev/null
check_eq 'a neighbour knows it' '02:42:00:00:00:01 02:42:00:00:00:01' "$(neighbour 10.91.0.7) $(neighbour fd00:91::7)"
check_match 'and so does the host' 02:42:00:00:00:01 "$(ip neigh show 10.91.0.7 dev "$bridge")"
check 'detach' tool detach moving one
move 02:42:00:00:00:02 three
check_eq 'it knows the new place, of both kinds' '02:42:00:00:00:02 02:42:00:00:00:02' \
	"$(neighbour 10.91.0.7) $(neighbour fd00:91::7)"
check_eq 'the host has forgotten the old one' '' "$(ip neigh show dev "$bridge" | grep 02:42:00:00:00:01 || :)"
check_eq 'nobody has taken it for an address of his own twice' '' "$(ip -n three addr show dadfailed)"
serve three tcp 80
check_eq "and reaches it there" 10.91.0.2 "$(ask two tcp 10.91.0.7 80)"
check_eq 'by IPv6' fd00:91::2 "$(ask two tcp fd00:91::7 80)"
check_eq 'the host, too' 10.91.0.1 "$(ask host tcp 10.91.0.7 80)"
check 'detach three' tool detach moving three
check_match 'the MAC address that it always has is known before somebody has it' '^02:6c:' "$(neighbour 10.91.0.7)"
check 'attach one, with that' tool attach moving one /run/netns/one address=10.91.0.7 address=fd00:91::7
check_eq 'who is reached at once' 10.91.0.2 "$(ask two tcp 10.91.0.7 80)"
for owner in one two; do
	check "detach $owner" tool detach moving "$owner"
done
check 'remove' tool remove moving
check_eq 'nothing is left' '' "$(left)"
