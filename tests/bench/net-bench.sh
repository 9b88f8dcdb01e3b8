#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: BUILD=DIR sh tests/bench/net-bench.sh [ROUNDS]      (as root; 30 rounds take about a minute)
#
# A container joins a bridge network and leaves it, with an address and a published port: by this library and by the
# CNI plugins bridge, host-local, portmap and firewall (packages containernetworking-plugins and iptables), in turns.
# The plugins are a program each; the library is measured as a program that makes one call, and in the process of its
# caller; and beside it the messages that the kernel needs for it, sent by hand: what is left is the library's. Then:
# the last of 1,000 containers beside the first, by both, and five more with 200 ports each.
# Times are medians, and mean something only as ratios within one run.
. "$(dirname "$0")/bench.sh"
need python3 ip nft
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/lib/cni 2>/dev/null || { mkdir -p /var/lib/cni && mount -t tmpfs tmpfs /var/lib/cni; }
mkdir -p /run/netns
mkdir "$T/root"
mount -t tmpfs -o mode=700 root "$T/root"
defer 'umount "$T/root"'
python3 "$SRC/tests/bench/net-bench.py" "$BUILD/tests" "$T/root" "${1:-30}"

"$BUILD/tests/net-tool" "$T/root" create wide 10.96.0.0/20 >/dev/null
ulimit -n 16384
"$BUILD/tests/net-times" "$T/root" many wide 1000 >"$T/times"
awk '$1 == "ports" { printf "%-60s %8d us of CPU time\n", "attach with 200 ports", $2; next }
	{ printf "%-60s %8.2f  (%d us and %d us of CPU time)\n", $1 ": the last 100 of 1,000 to the first", $3 / $2, $2, $3
	  first[$1] = $2; last[$1] = $3 }
	END { printf "%-60s %8.2f  (%d us and %d us)\n", "what lcx takes beyond it, last to first",
		(last["lcx"] - last["hand"]) / (first["lcx"] - first["hand"]), first["lcx"] - first["hand"], last["lcx"] - last["hand"] }' "$T/times"
printf '%-60s %8d\n' 'rules in the table with 2,000 ports' \
	"$(nft list table inet lcx | grep -c -e ' accept comment ' -e ' drop comment ' -e ' masquerade comment ' -e ' dnat ip')"
"$BUILD/tests/net-tool" "$T/root" sweep >/dev/null
