#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, what stands in a container's files is decided by the library
# Name servers, search domains, options and hosts of a container's own.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need ip nft jq busybox umoci
printf 'nameserver 192.0.2.1\nsearch host.test\noptions timeout:1\n' >"$T/resolv.conf"
mount --bind "$T/resolv.conf" /etc/resolv.conf
defer 'umount /etc/resolv.conf'
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
lcx import --ref latest "$T/layout" base >/dev/null
check 'a network' lcx network create --subnet 10.79.0.0/24 front
check 'one without a way out' lcx network create --subnet 10.78.0.0/24 --internal back
run() { lcx run --rm "$@"; }

check_eq 'servers, domains, options' 'nameserver 192.0.2.53
nameserver 2001:db8::53
search one.test two.test
options ndots:2 rotate' "$(run --network front --dns 192.0.2.53 --dns 2001:db8::53 --dns-search one.test --dns-search two.test \
	--dns-option ndots:2 --dns-opt rotate base cat /etc/resolv.conf)"
check_eq 'domains only: the resolver stays' 'nameserver 10.79.0.1
search one.test
options timeout:1
options ndots:0' "$(run --network front --dns-search one.test base cat /etc/resolv.conf)"
check_eq 'no domain at all, and an ndots of its own' 'nameserver 10.79.0.1
options ndots:3' "$(run --network front --dns-search . --dns-option ndots:3 base cat /etc/resolv.conf)"
check_eq 'the network without a resolver' 'nameserver 192.0.2.53
search host.test
options timeout:1' "$(run --dns 192.0.2.53 base cat /etc/resolv.conf)"
check_eq "the host's network" 'nameserver 127.0.0.53' \
	"$(run --network host --dns 127.0.0.53 base grep nameserver /etc/resolv.conf)"

hosts() { run "$@" base sh -c 'tail -n +6 /etc/hosts | tr "\t" " "'; }
check_eq 'hosts' 'db 10.0.0.5 db6 fd00::5 plain 10.0.0.6' "$(hosts --network front --add-host db:10.0.0.5 --add-host 'db6:[fd00::5]' \
	--add-host plain=10.0.0.6 | awk '{ print $2, $1 }' | xargs)"
check_eq 'the first of them is asked' 'db 10.0.0.5' \
	"$(run --network front --add-host db:10.0.0.5 base ping -c 1 -W 1 db 2>&1 | sed -n 's/^PING \(db\) (\(.*\)):.*/\1 \2/p')"
check_eq 'this host' '10.79.0.1 host.docker.internal' "$(hosts --network front --add-host host.docker.internal:host-gateway)"
check_eq 'from an internal network, too' '10.78.0.1 here' "$(hosts --network back --add-host here:host-gateway)"
check_eq "in the host's network" '127.0.0.1 here' "$(hosts --network host --add-host here:host-gateway)"
check_fails 'where there is no way' 125 'host-gateway' run --network none --add-host here:host-gateway base true

check 'kept over a stop' lcx run -d --name web --network front --dns 192.0.2.53 --add-host db:10.0.0.5 base sleep 1000
defer 'lcx rm -f web'
check 'and a start' lcx restart -t 0 web
check_match 'the server is there' 192.0.2.53 "$(lcx exec web cat /etc/resolv.conf)"
check_match 'and the host' '10.0.0.5' "$(lcx exec web cat /etc/hosts)"

for bad in '--dns example.test' '--dns 1.2.3' '--dns-search a;b' '--dns-option a#b' '--add-host db' '--add-host db:x' \
	'--add-host :1.2.3.4' '--add-host a_b/c:1.2.3.4'; do
	# shellcheck disable=SC2086
	check_fails "refused: $bad" 125 '' run $bad base true
done
check_fails 'no line is smuggled in' 125 'host name' run --add-host "$(printf 'a\n127.0.0.1 b:1.2.3.4')" base true
check_fails 'another container keeps its files' 125 'say them there' run --network container:web --dns 192.0.2.1 base true
mkdir -p "$T/rootfs"
check_fails 'and so does a root file system of the user' 125 'keeps its' run --network none --dns 192.0.2.1 --rootfs "$T/rootfs" true
lcx rm -f web
