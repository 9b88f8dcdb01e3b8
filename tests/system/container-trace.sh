#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, the path is read from the kernel by the same questions everywhere
# The path of a container's packets, with counters that count, and with its broken places.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need ip nft jq busybox

mkdir -p "$T/rootfs/bin" "$T/rootfs/proc"
cp "$(command -v busybox)" "$T/rootfs/bin/sh"
trace() { lcx net trace --format json "$1"; }
packets() { # COMMENT
	trace web | jq "[.[0].chains[].rules[] | select(.comment == \"$1\") | .packets] | add"
}

check 'a network' lcx network create --subnet 10.77.0.0/24 --subnet fd00:77::/64 front
check 'another' lcx network create --subnet 10.78.0.0/24 --internal back
check 'a container' lcx run -d --name web --cap-add NET_ADMIN --network front --network back -p 8080:80/tcp --rootfs "$T/rootfs" \
	/bin/sh -c 'sleep 1000'
defer 'lcx rm -f web'
check 'it is traced' trace web
trace web >"$T/trace"
get() { jq -r ".[0] | $1" "$T/trace"; }
check_eq 'its interface' 'eth0 true true true' \
	"$(get '.networks[] | select(.network == "front") | .interface | "\(.name) \(.present) \(.up) \(.carrier)"')"
check_match 'its addresses' '10.77.0.2/24' "$(get '.networks[] | select(.network == "front") | .interface.addresses | join(" ")')"
bridge=$(lcx network inspect front | jq -r '.[0].bridge')
check_eq "the host's end is on the bridge" "$bridge" "$(get '.networks[] | select(.network == "front") | .hostInterface.master')"
check_match 'which has the gateway' 10.77.0.1/24 "$(get '.networks[] | select(.network == "front") | .bridge.addresses | join(" ")')"
check_eq 'the internal one is told' true "$(get '.networks[] | select(.network == "back") | .internal')"
check_match 'the way out' '0.0.0.0/0 10.77.0.1 eth0' "$(get '.routes[] | "\(.destination) \(.gateway) \(.interface)"')"
check_eq 'the published port' 'tcp 0.0.0.0 8080 10.77.0.2 80' \
	"$(get '.published[] | select(.map == "published_any") | "\(.protocol) \(.hostAddress) \(.hostPort) \(.address) \(.port)"')"
check_match "the host's routes" "10.77.0.0/24 $bridge" "$(get '.host.routes[] | "\(.destination) \(.interface)"')"
check_eq 'and that it forwards' true "$(get .host.forwarding4)"
check_eq 'chains in the order of a packet' 'raw prerouting forward postrouting output' \
	"$(get '[.chains[].name | select(startswith("guard") | not)] | join(" ")')"
check_eq 'every rule says why' 0 "$(get '[.chains[].rules[] | select(.comment == "")] | length')"

before=$(packets 'published on all addresses')
ask host tcp 127.0.0.1 8080 >/dev/null 2>&1 || :
check 'a connection to the port is counted' test "$(packets 'published on all addresses')" -gt "$before"
before=$(packets 'into a network, unpublished')
make_netns outside
ip link add out type veth peer name eth0 netns outside
defer 'ip link del out'
ip addr add 192.0.2.1/24 dev out
ip link set out up
ip -n outside addr add 192.0.2.2/24 dev eth0
ip -n outside link set eth0 up
ip -n outside route add 10.0.0.0/8 via 192.0.2.1
check_eq 'from outside, past the port' refused "$(ask_briefly outside tcp 10.77.0.2 80)"
check 'what was dropped is counted, where it was' test "$(packets 'into a network, unpublished')" -gt "$before"

lcx net trace web >"$T/text"
check_match 'people read the same' 'inside  *eth0 up mtu 1500 .* 10.77.0.2/24' "$(cat "$T/text")"
check_match 'and the ports' 'tcp 0.0.0.0:8080 -> 10.77.0.2:80' "$(cat "$T/text")"
check_match 'and the counters' ' packets .*into a network, unpublished' "$(cat "$T/text")"

# Broken places.
end=$(get '.networks[] | select(.network == "front") | .hostInterface.name')
ip link set "$end" down
check_match 'a cable that is down' "host's end  *$end DOWN" "$(lcx net trace web)"
ip link set "$end" up
nsenter -t "$(lcx inspect web | jq '.[0].state.pid')" -n ip link set eth0 down
nsenter -t "$(lcx inspect web | jq '.[0].state.pid')" -n ip link set eth0 name "$(printf 'e\033[2J')"
check_match 'an interface that was renamed inside' 'inside  *eth0 is not there' "$(lcx net trace web)"
check_eq 'what it is called now does not reach the terminal' 0 "$(lcx net trace web | tr -dc '\033' | wc -c)"
nft delete table inet lcx
check_match 'no table' 'no table lcx' "$(lcx net trace web)"
lcx network reload
check_match 'it is back' 'chain forward' "$(lcx net trace web)"

check 'one without a network' lcx run -d --name alone --network none --rootfs "$T/rootfs" /bin/sh -c 'sleep 1000'
defer 'lcx rm -f alone'
check_eq 'has none, and no routes' '0 0' "$(trace alone | jq -r '.[0] | "\(.networks | length) \(.routes | length)"')"
lcx rm -f web
check_fails 'one that is not there' 1 'web' lcx net trace web
