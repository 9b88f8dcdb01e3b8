#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, ports of SCTP are translated by the same code of the kernel everywhere
# beside: it makes no control groups
# Published ports of SCTP: an association's first packets pass in and out, translated, checksums and all.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need ip nft python3 jq
make_netns one
make_netns outside
ip link add out type veth peer name eth0 netns outside
defer 'ip link del out'
ip addr add 192.0.2.1/24 dev out
ip addr add 2001:db8::1/64 dev out nodad
ip link set out up
ip -n outside addr add 192.0.2.2/24 dev eth0
ip -n outside addr add 2001:db8::2/64 dev eth0 nodad
ip -n outside link set eth0 up
tool create bridge 10.88.0.0/24 subnet=fd00:88::/64 >/dev/null
attach bridge one 3868:3000/sctp >"$T/one"
check_match 'the entry is one of SCTP' 'sctp . 3868 .* 10.88.0.2 . 3000' "$(nft list map inet lcx published_any)"

# FAMILY WHERE INSIDE: in the container, what came in; outside, what came back
talk() {
	ip netns exec one python3 "$SRC/tests/system/sctp.py" answer "$2" 3000 >"$T/inside" 2>&1 &
	wait_for 10 grep -q ready "$T/inside"
	ip netns exec outside python3 "$SRC/tests/system/sctp.py" ask "$1" "$3" 2>&1 | tail -1
	wait $!
	tail -1 "$T/inside"
}
check_eq 'IPv4: the source is kept, the answer comes from where it was asked' '192.0.2.1 3868
192.0.2.2 40000' "$(talk 192.0.2.1 0.0.0.0 3868)"
check_eq 'IPv6' '2001:db8::1 3868
2001:db8::2 40000' "$(talk 2001:db8::1 :: 3868)"
check_eq 'TCP of that number is not published' refused "$(ask outside tcp 192.0.2.1 3868)"
check 'detach' tool detach bridge one
check_eq 'no entry is left' '' "$(nft list map inet lcx published_any 2>/dev/null | grep 3868 || :)"
