#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, tables of others are met in the same order by both kernels
# beside: it makes no control groups
# Firewalls of others beside ours, as firewalld, Docker, podman and the CNI plugins make them: what passes, what
# they forbid, and that one rule of theirs, as the manual says, lets it pass.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need jq iptables

for netns in outside one two; do
	make_netns "$netns"
done
ip link add up0 type veth peer name eth0 netns outside
defer 'ip link del up0'
ip addr add 192.0.2.2/24 dev up0
ip link set up0 up
ip -n outside addr add 192.0.2.1/24 dev eth0
ip -n outside link set eth0 up
ip route add default via 192.0.2.1
check 'create' tool create web 10.91.0.0/24
serve outside tcp 80
bridge=$(tool inspect web | jq -r .bridge)

# to the outside, from the outside to a published port, from the host to it, to each other
matrix() {
	echo "$(ask_briefly one tcp 192.0.2.1 80) $(ask_briefly outside tcp 192.0.2.2 8080) $(ask_briefly host tcp 10.91.0.1 8080) $(ask_briefly two tcp 10.91.0.2 80)"
}
all='192.0.2.2 192.0.2.1 10.91.0.1 10.91.0.3'
inner_only='refused refused 10.91.0.1 10.91.0.3'

up() {
	tool attach web one /run/netns/one 8080:80 address=10.91.0.2 >/dev/null
	tool attach web two /run/netns/two address=10.91.0.3 >/dev/null
}
down() {
	tool detach web one
	tool detach web two
}

# Theirs first, ours first: nobody's order is known.
each_order() { # WHAT EXPECTED COMMAND-THAT-LOADS
	what=$1 expected=$2
	shift 2
	"$@"
	up
	check_eq "$what, there before us" "$expected" "$(matrix)"
	down
	check "$what: its tables stay when ours goes" test -n "$(nft list tables)"
	nft flush ruleset
	up
	"$@"
	check_eq "$what, there after us" "$expected" "$(matrix)"
}
end() {
	down
	nft flush ruleset
}

# Whether what stays on a bridge passes the rules of those who forward, too (br_netfilter).
bridged_is_forwarded() { # 0|1
	[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo "$1" >/proc/sys/net/bridge/bridge-nf-call-iptables
}
bridged_is_forwarded 0

up
serve one tcp 80
check_eq 'alone' "$all" "$(matrix)"
down

# --- podman: netavark's own table forwards what is its own, and has no word about others

netavark() {
	nft -f - <<'END'
table inet netavark {
	chain INPUT { type filter hook input priority filter; policy accept; }
	chain FORWARD {
		type filter hook forward priority filter; policy accept;
		ct state invalid drop
		ip daddr 10.88.0.0/16 ct state established,related accept
		ip saddr 10.88.0.0/16 accept
	}
	chain NETAVARK-HOSTPORT-DNAT { tcp dport 8088 dnat ip to 10.88.0.5:80; }
	chain PREROUTING { type nat hook prerouting priority dstnat; policy accept; fib daddr type local jump NETAVARK-HOSTPORT-DNAT; }
	chain OUTPUT { type nat hook output priority -100; policy accept; fib daddr type local jump NETAVARK-HOSTPORT-DNAT; }
	chain POSTROUTING { type nat hook postrouting priority srcnat; policy accept; ip saddr 10.88.0.0/16 ip daddr != 224.0.0.0/4 masquerade; }
}
END
}
each_order netavark "$all" netavark
end

# --- the CNI plugins (and podman with them): chains by iptables, which accept by address

cni() {
	iptables -N CNI-FORWARD
	iptables -A FORWARD -j CNI-FORWARD
	iptables -A CNI-FORWARD -d 10.85.0.7/32 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	iptables -A CNI-FORWARD -s 10.85.0.7/32 -j ACCEPT
	iptables -t nat -N CNI-HOSTPORT-DNAT
	iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
	iptables -t nat -A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
	iptables -t nat -A CNI-HOSTPORT-DNAT -p tcp --dport 8085 -j DNAT --to-destination 10.85.0.7:80
	iptables -t nat -A POSTROUTING -s 10.85.0.0/16 ! -d 10.85.0.0/16 -j MASQUERADE
}
each_order 'CNI plugins' "$all" cni
end

# --- Docker: what it does not know is dropped on its way through

docker() {
	iptables -N DOCKER-USER
	iptables -A DOCKER-USER -j RETURN
	iptables -N DOCKER
	iptables -A FORWARD -j DOCKER-USER
	iptables -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	iptables -A FORWARD -o docker0 -j DOCKER
	iptables -A FORWARD -i docker0 -j ACCEPT
	iptables -P FORWARD DROP
	iptables -t nat -N DOCKER
	iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
	iptables -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
	iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
}
each_order Docker "$inner_only" docker
bridged_is_forwarded 1
[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] ||
	check_eq 'Docker, with br_netfilter: not to each other, either' 'refused refused 10.91.0.1 refused' "$(matrix)"
bridged_is_forwarded 0
iptables -I DOCKER-USER -i "$bridge" -j ACCEPT
iptables -I DOCKER-USER -o "$bridge" -j ACCEPT
check_eq 'Docker, with two rules in DOCKER-USER' "$all" "$(matrix)"
check_eq 'of which ours still refuses what it refuses' refused "$(
	ip -n outside route add 10.91.0.0/24 via 192.0.2.2
	ask_briefly outside tcp 10.91.0.2 80
)"
end
iptables -P FORWARD ACCEPT

# --- firewalld: an interface that is in no zone is rejected

firewalld() {
	nft -f - <<'END'
table inet firewalld {
	chain filter_FWD_zones { }
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		ct state invalid drop
		jump filter_FWD_zones
		reject with icmpx admin-prohibited
	}
	chain filter_INPUT {
		type filter hook input priority filter + 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		tcp dport 22 accept
		reject with icmpx admin-prohibited
	}
}
END
}
each_order firewalld 'refused 192.0.2.1 10.91.0.1 10.91.0.3' firewalld
nft add rule inet firewalld filter_FWD_zones iifname "$bridge" accept
check_eq 'firewalld, with the bridge in a zone that forwards' "$all" "$(matrix)"
end
check_eq 'nothing is left' '' "$(left)"
