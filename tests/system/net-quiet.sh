#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, both kernels do as they are told
# beside: it makes no control groups
# Who comes to a bridge does not trouble a thousand neighbours: an address that nobody had is not announced, and none is asked
# for. It answers at once all the same, is told about where somebody may know it otherwise, and multicast reaches everybody.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need busybox

for netns in one two three plain; do
	make_netns "$netns"
done
check 'create' tool create double 10.91.0.0/24 subnet=fd00:91::/64
check 'create one of IPv4 alone' tool create single 10.92.0.0/24
addresses() { # NETNS DEVICE
	ip -n "$1" -6 -o addr show dev "$2" | awk '{ print $4, $6, $7 }' | sed 's/ *$//' | paste -sd ,
}
neighbour() { # ADDRESS
	ip -n two neigh show "$1" dev eth0 | awk '{ print $3 }'
}
mac() { # NETNS
	ip -n "$1" -o link show dev eth0 | sed 's/.*ether \([^ ]*\).*/\1/'
}
own='fe80::6c:aff:fe5b'

check 'two' attach double two
check 'without IPv6' attach single plain
check_eq 'has none on its interface' '' "$(addresses plain eth0)"
check_eq 'but its loopback' '::1/128 host' "$(ip -n plain -6 -o addr show dev lo | awk '{ print $4, $6 }')"

# Somebody in two believes to know the next address, which nobody ever had.
ip -n two neigh add fd00:91::3 lladdr 02:00:00:00:00:99 dev eth0 nud stale
check 'one' attach double one
check_eq 'its addresses are there at once, and none is asked for' \
	"fd00:91::3/64 global nodad,$own:3/64 link nodad" "$(addresses one eth0)"
check_eq 'and are not announced' 02:00:00:00:00:99 "$(neighbour fd00:91::3)"
ip -n two neigh del fd00:91::3 dev eth0
serve one tcp 80
check_eq 'it is reached' fd00:91::2 "$(ask two tcp fd00:91::3 80)"
check_eq 'and known' "$(mac one)" "$(neighbour fd00:91::3)"
ip netns exec two busybox ping -6 -c 3 -i 0.2 -I eth0 ff02::1 >"$T/ping" 2>&1 || :
check_match 'it hears what is said to all' "from $own:3" "$(cat "$T/ping")"

# Taken down and up it has one again, and so has none where there was none.
ip -n one link set eth0 down
ip -n one link set eth0 up
has_own() { addresses one eth0 | grep -q "$own:3/64 link"; }
check 'taken down and up it has its own again' wait_for 10 has_own
ip -n plain link set eth0 down
ip -n plain link set eth0 up
check_eq 'and none without IPv6' '' "$(addresses plain eth0)"

# Its address of IPv6 goes on to somebody who has another of IPv4, and so another MAC address.
before=$(mac one)
check 'one leaves' tool detach double one 0
check 'three comes' attach double three address=10.91.0.77 address=fd00:91::3
check 'with another MAC address' test "$before" != "$(mac three)"
check_eq 'which is known at once' "$(mac three)" "$(neighbour fd00:91::3)"
serve three tcp 80
check_eq 'and reached' fd00:91::2 "$(ask two tcp fd00:91::3 80)"

for owner in 'double one' 'double two' 'double three' 'single plain'; do
	# shellcheck disable=SC2086
	check "detach $owner" tool detach $owner 0
done
check_eq 'nothing is left' '' "$(left)"
