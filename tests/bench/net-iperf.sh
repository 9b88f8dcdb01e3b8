#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: BUILD=DIR sh tests/bench/net-iperf.sh [ROUNDS]      (as root; 3 rounds take half a minute)
#
# What iperf3 gets through a bridge network, from container to container, and through a bridge and cables made by hand,
# in turns. Means of the rounds; only the ratio means something.
. "$(dirname "$0")/bench.sh"
need iperf3 jq ip nft
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns
. "$SRC/tests/system/net.sh"

for netns in one two three four; do
	ip netns add "$netns"
	ip -n "$netns" link set lo up
done
tool create bridge 10.88.0.0/24 >/dev/null
attach bridge one >/dev/null
attach bridge two >/dev/null
ip link add hand type bridge
ip link set hand up
for number in 3:three 4:four; do
	ip link add "hand${number%:*}" type veth peer name eth0 netns "${number#*:}"
	ip link set "hand${number%:*}" master hand up
	ip -n "${number#*:}" addr add "10.89.0.${number%:*}/24" dev eth0
	ip -n "${number#*:}" link set eth0 up
done

# Bits per second that arrive
measure() { # SERVER CLIENT ADDRESS
	ip netns exec "$1" iperf3 -s -1 >/dev/null 2>&1 &
	wait_for 5 sh -c "ip netns exec $1 ss -Hltn | grep -q :5201"
	ip netns exec "$2" iperf3 -c "$3" -t 3 -O 1 -J | jq .end.sum_received.bits_per_second
	wait $!
}

: >"$T/ours"
: >"$T/hand"
for _ in $(seq "${1:-3}"); do
	measure one two 10.88.0.2 >>"$T/ours"
	measure three four 10.89.0.3 >>"$T/hand"
done
mean() { awk '{ sum += $1 } END { print sum / NR }' "$1"; }
awk -v ours="$(mean "$T/ours")" -v hand="$(mean "$T/hand")" \
	'BEGIN { printf "%-44s %8.2f  (%.1f and %.1f Gbit/s)\n", "iperf3, a network of ours to one made by hand", ours / hand, ours / 1e9, hand / 1e9 }'
tool detach bridge one
tool detach bridge two
