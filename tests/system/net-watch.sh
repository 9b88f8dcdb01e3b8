#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, both kernels tell the same of a table that is deleted
# Somebody flushes the firewall's rule set: a watch puts ours back, and so does the command. Switches of a
# container's interface, which are his own namespace's.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need busybox jq

make_netns one
check 'create' tool create web 10.91.0.0/24 subnet=fd00:91::/64
"$BUILD/tests/net-tool" "$T/root" watch >"$T/watch" 2>&1 &
watcher=$!
defer "kill $watcher"
wait_for 10 grep -q watching "$T/watch"
puts() {
	grep -c 'put back' "$T/watch" || :
}

nft flush ruleset
check 'attach' tool attach web one /run/netns/one 8080:80
serve one tcp 80
check_eq 'a published port' 10.91.0.1 "$(ask host tcp 10.91.0.1 8080)"
nft list table inet lcx | sed 's/counter packets [0-9]* bytes [0-9]*//' >"$T/before"
nft flush ruleset
check 'the table is put back' wait_for 10 grep -q 'put back' "$T/watch"
nft list table inet lcx | sed 's/counter packets [0-9]* bytes [0-9]*//' >"$T/after"
check 'as it was' diff "$T/before" "$T/after"
check_eq 'the port answers' 10.91.0.1 "$(ask host tcp 10.91.0.1 8080)"

# The way firewalls are loaded: one batch, which begins by removing all.
printf 'flush ruleset\ntable inet filter {\n\tchain input { type filter hook input priority 0; policy accept; }\n}\n' >"$T/rules"
nft -f "$T/rules"
check 'after a rule set is loaded, too' wait_for 10 sh -c "[ \$(grep -c 'put back' $T/watch) -eq 2 ]"
check_match 'beside the other table' 'inet filter.*inet lcx' "$(nft list tables | tr '\n' ' ')"
nft delete table inet filter
nft flush chain inet lcx prerouting
# What is not listened for has been read before what is.
nft delete table inet lcx
check 'a table that is deleted alone' wait_for 10 sh -c "[ \$(grep -c 'put back' $T/watch) -eq 3 ]"
check_eq 'others are nothing to it' 3 "$(puts)"

# The network's monitor, which answers names: killed, it is there again, and killed again, too.
monitor() { cut -d' ' -f1 "$T/root/run/net/web/monitor" 2>/dev/null; }
answers() { busybox_lookup one one 10.91.0.1 | grep -q 10.91.0.2; }
busybox_lookup() { ip netns exec "$1" busybox nslookup "$2" "$3" 2>&1; }
check 'a name is answered' answers
for times in 1 2; do
	before=$(monitor)
	kill -9 "$before"
	check "a monitor that was killed is started again ($times)" wait_for 10 sh -c "[ \$(grep -c monitor $T/watch) -eq $times ]"
	check 'it is another one' test "$(monitor)" != "$before"
	check 'which answers' answers
done
before=$(monitor)
check 'detach' tool detach web one
check 'the monitor is gone with the last container' wait_for 5 sh -c "! kill -0 $before 2>/dev/null"
check_eq 'and is not started' 2 "$(grep -c monitor "$T/watch")"
check_eq 'without a bridge there is nothing to put back' '' "$(nft list tables)"
nft add table inet lcx
nft delete table inet lcx
nft add table inet other
nft delete table inet other
check_eq 'nor then' '3' "$(puts)"
check_eq 'nothing is left' '' "$(left)"

# --- the command

kill "$watcher"
make_rootfs "$T/rootfs"
check 'run' lcx run -d --name web -p 8081:80 --rootfs "$T/rootfs" sleep 1000
defer 'lcx rm -f web'
check_fails 'who has a port is told by name and identifier' 125 "8081/tcp is already published by 'web' ($(lcx inspect web | jq -r '.[0].id'))" \
	lcx run --rm -p 8081:81 --rootfs "$T/rootfs" true
nft flush ruleset
check 'reload' lcx network reload
check_match 'brings it back' '8081' "$(nft list table inet lcx)"
"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" supervise >"$T/supervise" 2>&1 &
supervisor=$!
defer "kill $supervisor"
listens() { # somebody, to a group of netfilter's
	awk '$2 == 12 && $4 != "00000000" { found = 1 } END { exit !found }' /proc/net/netlink
}
check 'a supervisor listens' wait_for 10 listens
nft flush ruleset
check 'and does it by itself' wait_for 10 sh -c 'nft list table inet lcx | grep -q 8081'
kill "$supervisor"
check 'rm' lcx rm -f web

# --- switches

conf=net.ipv4.conf.IFNAME
docker=driver-opt=com.docker.network.endpoint.sysctls
check_eq 'a switch of the interface, and of no other' '1 0' "$(lcx run --rm --network "name=bridge,$docker=$conf.log_martians=1" \
	--rootfs "$T/rootfs" cat /proc/sys/net/ipv4/conf/eth0/log_martians /proc/sys/net/ipv4/conf/lo/log_martians | tr '\n' ' ' | sed 's/ $//')"
link_local() { lcx run --rm --network "name=bridge$1" --rootfs "$T/rootfs" ip -6 addr show dev eth0 | grep -c fe80 || :; }
if [ -d /proc/sys/net/ipv6 ]; then
	check_eq 'a network without IPv6 gives no link-local address' 0 "$(link_local '')"
	check_eq 'but for who wants it' 1 "$(link_local ",$docker=net.ipv6.conf.IFNAME.addr_gen_mode=0")"
fi
check_eq 'two of them' '1 1' "$(lcx run --rm --network "name=bridge,\"$docker=$conf.log_martians=1,$conf.forwarding=1\",alias=x" \
	--rootfs "$T/rootfs" cat /proc/sys/net/ipv4/conf/eth0/log_martians /proc/sys/net/ipv4/conf/eth0/forwarding | tr '\n' ' ' | sed 's/ $//')"
check 'in the background' lcx run -d --name web --network none --rootfs "$T/rootfs" sleep 1000
check 'connect' lcx network connect --driver-opt "com.docker.network.endpoint.sysctls=$conf.proxy_arp=1" bridge web
check_eq 'it is set' 1 "$(lcx exec web cat /proc/sys/net/ipv4/conf/eth0/proxy_arp)"
check 'rm' lcx rm -f web
refused() { # WORDS VALUE
	check_fails "refused: $2" 125 "$1" lcx run --rm --network "name=bridge,$2" --rootfs "$T/rootfs" true
}
refused 'no option of a driver' driver-opt=colour=red
refused 'not a switch' "$docker=net.ipv4.ip_forward=1"
refused 'not a switch' "$docker=net.ipv4.conf.all.forwarding=1"
refused 'not a switch' "$docker=net.ipv4.conf.IFNAME.../../x=1"
refused 'sets nothing' "$docker=$conf.forwarding"
refused 'set twice' "$docker=$conf.forwarding=1,$docker=$conf.forwarding=0"
refused 'No such file' "$docker=$conf.nosuch=1"
check_eq 'nothing is left' '' "$(ip -o link | grep lcx; nft list tables)"
