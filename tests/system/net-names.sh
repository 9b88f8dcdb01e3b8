#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, names are answered by a program of ours, and led to it by rules that net-matrix tries there
# beside: it makes no control groups
# Names of containers, told by the network's monitor: over UDP and TCP, IPv4 and IPv6; what others know, asked of a
# server outside; nothing asked for an internal network; the monitor's life, and its owner's.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need python3 jq

names() { # NETNS|host ask ARGUMENT...
	from=$1
	shift
	case $from in
	host) python3 "$SRC/tests/system/names.py" "$@" 2>&1 || : ;;
	*) ip netns exec "$from" python3 "$SRC/tests/system/names.py" "$@" 2>&1 || : ;;
	esac
}

resolve() { # NETNS SERVER NAME [TYPE] [tcp]
	netns_=$1
	shift
	names "$netns_" ask "$@"
}

for netns in outside one two three lonely; do
	make_netns "$netns"
done
ip link add out type veth peer name eth0 netns outside
defer 'ip link del out'
ip addr add 192.0.2.1/24 dev out
ip link set out up
ip -n outside addr add 192.0.2.53/24 dev eth0
ip -n outside link set eth0 up
ip netns exec outside python3 "$SRC/tests/system/names.py" serve 192.0.2.53 "$T/asked" &
defer "kill $!"
wait_for 10 test -f "$T/asked"
printf 'nameserver 192.0.2.53\nsearch example.test\n' >"$T/resolv.conf"
mount --bind "$T/resolv.conf" /etc/resolv.conf
defer 'umount /etc/resolv.conf'

monitor() { # NETWORK: its process
	cut -d' ' -f1 "$T/root/run/net/$1/monitor" 2>/dev/null
}

check 'create' tool create front 10.91.0.0/24 subnet=fd00:91::/64
check 'attach one' attach front one
check 'attach two' attach front two
check 'there is a monitor' kill -0 "$(monitor front)"

# --- containers
check_eq 'a container by its name' 10.91.0.3 "$(resolve one 10.91.0.1 two)"
check_eq 'in capitals' 10.91.0.3 "$(resolve one 10.91.0.1 TWO)"
check_eq 'its IPv6 address' fd00:91::3 "$(resolve one 10.91.0.1 two AAAA)"
check_eq 'asked by IPv6' 10.91.0.3 "$(resolve one fd00:91::1 two)"
check_eq 'over TCP' 10.91.0.3 "$(resolve one 10.91.0.1 two A tcp)"
check_eq 'over TCP by IPv6' 10.91.0.3 "$(resolve one fd00:91::1 two A tcp)"
check_eq 'of another type: there is no such record' NOERROR "$(resolve one 10.91.0.1 two MX)"
check_eq 'with the name of the network' 10.91.0.3 "$(resolve one 10.91.0.1 two.front)"
check_eq 'backwards' two.front "$(resolve one 10.91.0.1 3.0.91.10.in-addr.arpa PTR)"
check_eq 'an address of the network that nobody has' NXDOMAIN "$(resolve one 10.91.0.1 99.0.91.10.in-addr.arpa PTR)"
check_eq 'nobody' NXDOMAIN "$(resolve one 10.91.0.1 nobody)"
check_eq 'nobody was asked for any of this outside' '' "$(cat "$T/asked")"
check_eq 'the one who comes is known at once' 10.91.0.4 "$(attach front three >/dev/null; resolve one 10.91.0.1 three)"
check_eq 'the one who goes, too' NXDOMAIN "$(tool detach front three; resolve one 10.91.0.1 three)"

# --- others
check_eq 'a name outside' 203.0.113.7 "$(resolve one 10.91.0.1 www.outside.test)"
check_eq 'which has no IPv6 address' NOERROR "$(resolve one 10.91.0.1 www.outside.test AAAA)"
check_eq 'a name that is none outside' NXDOMAIN "$(resolve one 10.91.0.1 nosuch.example.test)"
check_eq 'one that is too large' truncated "$(resolve one 10.91.0.1 large.outside.test TXT)"
check_match 'is there over TCP' '201 bytes 201 bytes' "$(resolve one 10.91.0.1 large.outside.test TXT tcp)"
check_eq 'asked over TCP, too' 'tcp large.outside.test' "$(tail -n 1 "$T/asked")"
printf 'nameserver 192.0.2.99\n' >"$T/resolv.conf"
check_eq 'the host has another server: no answer' SERVFAIL "$(resolve one 10.91.0.1 www.outside.test)"
printf 'nameserver 192.0.2.99\nnameserver 192.0.2.53\n' >"$T/resolv.conf"
check_eq 'the second one knows' 203.0.113.7 "$(resolve one 10.91.0.1 www.outside.test)"
python3 "$SRC/tests/system/names.py" serve 127.0.0.53 "$T/asked-host" &
own_server=$!
defer "kill $own_server"
wait_for 10 test -f "$T/asked-host"
printf 'nameserver 127.0.0.53\n' >"$T/resolv.conf"
check_eq 'a server on the loopback address of the host' 203.0.113.7 "$(resolve one 10.91.0.1 www.outside.test)"
check_match 'was asked' www "$(cat "$T/asked-host")"
kill "$own_server"
printf 'nameserver 10.91.0.1\n' >"$T/resolv.conf"
check_eq 'asking itself would be a ring' SERVFAIL "$(resolve one 10.91.0.1 www.outside.test)"
printf 'nameserver 192.0.2.53\n' >"$T/resolv.conf"

# --- who may ask, and where
check_match 'the host is none of its askers' 'no answer' "$(names host ask 10.91.0.1 two)"
: >"$T/asked"
check 'create an internal one' tool create closed 10.93.0.0/24 subnet=fd00:93::/64 internal=1
check 'attach lonely' attach closed lonely
check_eq 'itself' 10.93.0.2 "$(resolve lonely 10.93.0.1 lonely)"
check_eq 'an internal network knows nobody else' NXDOMAIN "$(resolve lonely 10.93.0.1 www.outside.test)"
check_eq 'over TCP' NXDOMAIN "$(resolve lonely fd00:93::1 www.outside.test A tcp)"
check_eq 'backwards' NXDOMAIN "$(resolve lonely 10.93.0.1 53.2.0.192.in-addr.arpa PTR)"
check_eq 'and asks nobody' '' "$(cat "$T/asked")"
check_match "another network's resolver does not answer" 'no answer' "$(resolve lonely 10.91.0.1 two)"
check_eq "others' names are not to be seen" NXDOMAIN "$(resolve one 10.91.0.1 lonely)"

# --- who is in two networks sees the names of both
check 'attach one there, too' attach closed one
check_eq 'the other network' 10.93.0.2 "$(resolve one 10.91.0.1 lonely)"
check_eq 'not for others' NXDOMAIN "$(resolve two 10.91.0.1 lonely)"
asked=$(cat "$T/asked")
check_eq 'nobody there' NXDOMAIN "$(resolve one 10.91.0.1 gone.closed)"
check_eq 'is not asked for outside' "$asked" "$(cat "$T/asked")"
check 'detach it' tool detach closed one
check_eq 'no longer' NXDOMAIN "$(resolve one 10.91.0.1 lonely)"

# --- port 53 is whose it was
serve two udp 53
check 'a container that publishes port 53' attach front three 53:53/udp
check_eq 'is not asked in the place of the resolver' 10.91.0.3 "$(resolve one 10.91.0.1 two)"
check 'detach it' tool detach front three

# --- it dies, it comes back
before=$(monitor front)
kill -9 "$before"
wait_for 5 sh -c "! kill -0 $before"
check_match 'without the monitor there is no answer' 'no answer' "$(resolve one 10.91.0.1 two)"
check 'a reload' tool reload
again=$(monitor front)
check 'starts another' test "$again" != "$before"
check_eq 'which answers' 10.91.0.3 "$(resolve one 10.91.0.1 two)"
check 'a second reload' tool reload
check_eq 'leaves one that lives alone' "$again" "$(monitor front)"
before=$again
kill -9 "$before"
wait_for 5 sh -c "! kill -0 $before"
check 'the next attachment' attach front three
check 'starts another' test "$(monitor front)" != "$before"
check_eq 'which answers' 10.91.0.3 "$(resolve one 10.91.0.1 two)"
worker=$(ps -o pid= --ppid "$(monitor front)")
kill -9 $worker
answers() { [ "$(resolve one 10.91.0.1 two)" = 10.91.0.3 ]; }
wait_for 10 answers || :
check_eq 'its worker dies, and another comes' 10.91.0.3 "$(resolve one 10.91.0.1 two)"
worker=$(ps -o pid= --ppid "$(monitor front)" | tr -d ' ')
check_match 'the worker has no capabilities' '^CapPrm:	0000000000000000' "$(grep CapPrm "/proc/$worker/status")"
check_match 'and a filter' '^Seccomp:	2' "$(grep '^Seccomp:' "/proc/$worker/status")"
check_eq 'and no directory' '' "$(find "/proc/$worker/fd" -lname '/*' ! -lname '/dev/*' ! -lname '/memfd*')"
nft delete table inet lcx
check 'the rules are flushed, and put back' tool reload
check_eq 'names are led to it again' 10.91.0.3 "$(resolve one 10.91.0.1 two)"

# --- networks without
check 'create one without' tool create plain 10.94.0.0/24 resolver=none
check 'attach three' attach plain three
check_eq 'no monitor' '' "$(monitor plain)"
check_match 'no answer' 'no answer' "$(resolve three 10.94.0.1 three)"
check 'detach' tool detach plain three

# --- a program in the place of the monitor
check 'create one for a program' tool create own 10.95.0.0/24 resolver=program
check_fails 'which nobody can ask yet' 1 'no attachment' tool resolve own
check 'attach three' attach own three
check_eq 'no monitor' '' "$(monitor own)"
check_fails 'not for a network with a monitor' 1 'not "program"' tool resolve front
tool resolve own >"$T/resolve.out" 2>&1 &
program=$!
defer "kill $program"
wait_for 10 grep -q resolving "$T/resolve.out"
check_eq 'the program answers' 10.95.0.2 "$(resolve three 10.95.0.1 three)"
check_eq 'over TCP' 10.95.0.2 "$(resolve three 10.95.0.1 three A tcp)"
check_eq 'and asks outside' 203.0.113.7 "$(resolve three 10.95.0.1 www.outside.test)"
check_fails 'one at a time' 1 'already' tool resolve own
check 'attach two there' attach own two
check_eq 'is known at once' 10.95.0.3 "$(resolve three 10.95.0.1 two)"
nft delete table inet lcx
check 'the rules are put back for the program, too' tool reload
check_eq 'answers' 10.95.0.3 "$(resolve three 10.95.0.1 two)"
check 'detach two' tool detach own two
check 'detach three' tool detach own three
wait "$program" || :
check_match 'it hears of the end' 'has gone' "$(cat "$T/resolve.out")"
check 'remove' tool remove own

# --- the end
last=$(monitor front)
for owner in one two three; do
	check "detach $owner" tool detach front "$owner"
done
check 'detach lonely' tool detach closed lonely
check_fails 'the monitor has ended' 1 '' kill -0 "$last"
check_eq 'nothing is left' '' "$(left)"
check 'remove' tool remove front
check 'remove' tool remove closed
check 'remove' tool remove plain
