#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: BUILD=DIR sh tests/bench/net-bench.sh [ROUNDS]      (as root; 30 rounds take about a minute)
#
# A container joins a bridge network and leaves it, with an address and a published port: by this library and by the
# CNI plugins bridge, host-local, portmap and firewall (packages containernetworking-plugins and iptables), in turns.
# The plugins are a program each; the library is measured as a program that makes one call, and in the process of its
# caller. Then: the last of 1,000 containers beside the first.
# (The library makes the same number of system calls for each of the 1,000; what grows is the kernel's share.)
# Times are medians, and mean something only as ratios within one run.
set -eu
SRC=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$SRC/build}
export SRC BUILD
if [ -z "${LCX_BENCH_ISOLATED:-}" ]; then
	export LCX_BENCH_ISOLATED=1
	exec unshare --net --mount --propagation private sh "$0" "$@"
fi
ip link set lo up
. "$SRC/tests/system/lib.sh"
need python3 ip nft
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/lib/cni 2>/dev/null || { mkdir -p /var/lib/cni && mount -t tmpfs tmpfs /var/lib/cni; }
mkdir -p /run/netns
python3 "$SRC/tests/bench/net-bench.py" "$BUILD/tests/net-tool" "$T/root" "${1:-30}"

"$BUILD/tests/net-tool" "$T/root" create wide 10.96.0.0/20 >/dev/null
ulimit -n 4096
"$BUILD/tests/net-tool" "$T/root" many wide 1000 >"$T/times"
awk '{ printf "%-44s %8.2f  (%d us and %d us of CPU time)\n", "attach, the last 100 of 1,000 to the first", $2 / $1, $1, $2 }' "$T/times"
printf '%-44s %8d\n' 'rules in the table with 1,000 ports' \
	"$(nft list table inet lcx | grep -c -e ' accept comment ' -e ' drop comment ' -e ' masquerade comment ' -e ' dnat ip')"
"$BUILD/tests/net-tool" "$T/root" sweep >/dev/null
