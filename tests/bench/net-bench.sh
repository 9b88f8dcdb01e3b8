#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: BUILD=DIR sh tests/bench/net-bench.sh [ROUNDS]      (as root; 30 rounds take about a minute)
#
# A container joins a bridge network and leaves it, with an address and a published port: by this library and by the
# CNI plugins bridge, host-local, portmap and firewall (packages containernetworking-plugins and iptables), in turns.
# The plugins are a program each; the library is measured as a program that makes one call, and in the process of its
# caller; and beside it the messages that the kernel needs for it, sent by hand: what is left is the library's. Who
# removes by hand waits for the kernel's grace periods, which the library leaves to a process of its own. Then:
# the last of 1,000 containers beside the first, by both, and five more with 200 ports each.
# Times are medians, and mean something only as ratios within one run.
#
# What grows with the number of containers on a bridge is the kernel's part. By hand it is as small as it can be made: the
# bridge has a MAC address of its own (else the kernel compares those of all ports), and a port is made as what it is,
# down (else the kernel looks for the way through all of them once more), with its mark before it is up and without an
# address of IPv6 (else the kernel goes through its routes). Even so the last of 1,000 takes two to three times what the
# first takes. By perf, seven tenths of the difference by hand, and all but a tenth of the library's, are in br_add_if,
# which goes through all ports a dozen times: for the list of what the bridge is made of (__netdev_adjacent_dev_insert,
# __netdev_upper_dev_link), for a free number and the number of those that learn (br_add_if), for who hears all
# (br_manage_promisc, br_fdb_unsync_static), for features (br_features_recompute, __netdev_update_features), for the address of
# the new one (fdb_add_hw_addr), the MTU (br_mtu_auto_adjust) and the size of packets (br_set_gso_limits). The rest is
# br_port_state_selection, when a port goes up, and the number of the container's namespace among a thousand
# (peernet2id_alloc), which each message about a veth has. No setting of a bridge or of a port avoids one of them: only a
# bridge of fewer ports does.
# On a network of IPv6 each that comes reports its groups to all others, four times (mld_sendpack): the kernel's, too.
. "$(dirname "$0")/bench.sh"
need python3 ip nft
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/lib/cni 2>/dev/null || { mkdir -p /var/lib/cni && mount -t tmpfs tmpfs /var/lib/cni; }
mkdir -p /run/netns
mkdir "$T/root"
mount -t tmpfs -o mode=700 root "$T/root"
defer 'umount "$T/root"'
python3 "$SRC/tests/bench/net-bench.py" "$BUILD/tests" "$T/root" "${1:-30}"

last_of_1000() { # NETWORK WORDS
	"$BUILD/tests/net-times" "$T/root" apart "$1" 1000 >"$T/times"
	awk -v network="$2" '$1 == "ports" { printf "%-60s %8d us of CPU time\n", "attach with 200 ports" network, $2; next }
		$1 != "lcx" && ($1 != "hand" || network) { next } # by hand, there is no IPv6
		{ printf "%-60s %8.2f  (%d us and %d us of CPU time)\n", $1 network ": the last 100 of 1,000 to the first", $3 / $2, $2, $3
		  first[$1] = $2; last[$1] = $3 }
		END { if (!network) printf "%-60s %8.2f  (%d us and %d us)\n", "what lcx takes beyond it, last to first",
			(last["lcx"] - last["hand"]) / (first["lcx"] - first["hand"]), first["lcx"] - first["hand"], last["lcx"] - last["hand"] }' "$T/times"
}
"$BUILD/tests/net-tool" "$T/root" create wide 10.96.0.0/20 >/dev/null
"$BUILD/tests/net-tool" "$T/root" create wide6 10.97.0.0/20 subnet=fd00:97::/64 >/dev/null
ulimit -n 16384
last_of_1000 wide ''
printf '%-60s %8d\n' 'rules in the table with 2,000 ports' \
	"$(nft list table inet lcx | grep -c -e ' accept comment ' -e ' drop comment ' -e ' masquerade comment ' -e ' dnat ip')"
"$BUILD/tests/net-tool" "$T/root" sweep >/dev/null
last_of_1000 wide6 ' (IPv6)'
"$BUILD/tests/net-tool" "$T/root" sweep >/dev/null
