#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, the limits are the kernel's own, and the guest does not load them
# How much an attachment may send and receive; the limits stand on the host's side, and go with it.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need tc jq busybox
has_limits() {
	ip link add name probe type ifb 2>/dev/null || return 1
	tc qdisc add dev probe root tbf rate 1mbit burst 32k latency 50ms && tc qdisc add dev probe ingress &&
		tc filter add dev probe ingress protocol all u32 match u32 0 0 action mirred egress redirect dev lo
}
has_limits >"$T/probe" 2>&1 || skip_rest 'limits' 'this kernel lacks tbf, ingress, u32, mirred or ifb'
ip link del probe
for netns in free slow; do
	make_netns "$netns"
done
check 'create' tool create shaped 10.91.0.0/24
check 'attach one without limits' tool attach shaped free /run/netns/free
check 'attach one with' tool attach shaped slow /run/netns/slow egress=8m ingress=16m
host=$(tool inspect shaped | jq -r '.containers[] | select(.owner == "slow") | .host_interface')
check_match 'what it receives' 'rate 16Mbit' "$(tc qdisc show dev "$host" root)"
check_match 'what it sends' 'rate 8Mbit' "$(tc qdisc show dev "lci${host#lcx}" root)"
check_eq 'nothing in the container' '' "$(ip netns exec slow tc qdisc show dev eth0 | grep -v noqueue || :)"
check_match 'the device says whose it is' 'alias lcx:' "$(ip link show "lci${host#lcx}")"

# Whoever reaches the end of his input hangs up: here it never ends.
mkfifo "$T/endless"
exec 9<>"$T/endless"
# Bytes through a pipe of nc(1), within a second and a half: no more than burst, queue and the rate let pass.
bytes_in() { # FROM TO ADDRESS PORT
	ip netns exec "$2" timeout 6 busybox nc -l -p "$4" <&9 >"$T/got" &
	got=$!
	wait_for 10 ip netns exec "$2" grep -q ":$(printf %04X "$4") " /proc/net/tcp /proc/net/tcp6
	ip netns exec "$1" timeout 1.5 busybox nc "$3" "$4" </dev/zero >/dev/null 2>&1 || :
	wait "$got" || :
	wc -c <"$T/got"
}
sent=$(bytes_in slow free 10.91.0.2 7001)
received=$(bytes_in free slow 10.91.0.3 7002)
check "it sends at most its rate: $sent bytes in 1.5 s" test "$sent" -le 3000000 -a "$sent" -gt 300000
check "it receives at most its rate: $received" test "$received" -le 5500000 -a "$received" -gt 600000
check "more than it sends" test "$received" -gt "$sent"
check_fails 'a rate that is none' 1 'rate' tool attach shaped free /run/netns/free egress=fast
check_fails 'one too small' 1 '8000' tool attach shaped free /run/netns/free egress=1
check 'detach' tool detach shaped slow
check_eq 'its devices are gone' '' "$(ip -o link | grep "${host#lcx}" || :)"
check 'attach again' tool attach shaped slow /run/netns/slow egress=8m
ip netns del slow
check_eq 'a sweep takes the device of a dead owner' 1 "$(tool sweep free)"
check 'detach the other' tool detach shaped free
check 'remove' tool remove shaped
check_eq 'nothing is left' '' "$(left)$(ip -o link | grep lci || :)"
