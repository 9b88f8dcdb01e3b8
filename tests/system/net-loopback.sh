#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, it is the monitor that leads on, with sockets as everywhere
# beside: it makes no control groups
# Ports that are published on ::1: led on by the network's monitor, since the kernel does not.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need python3
[ -d /proc/sys/net/ipv6 ] || skip_rest 'IPv6' 'this kernel has none'

for netns in one two; do
	make_netns "$netns"
done
monitor() { # NETWORK: its process
	cut -d' ' -f1 "$T/root/run/net/$1/monitor" 2>/dev/null
}

# Without a resolver: the monitor is there for the port alone.
check 'create' tool create both 10.91.0.0/24 subnet=fd00:91::/64 resolver=none
check 'attach two, which publishes nothing' attach both two
check_eq 'no monitor' '' "$(monitor both)"
check 'attach one' attach both one 80:80 '[::1]:8081:81' 127.0.0.1:8082:82 7000-7002:83-85
check 'there is a monitor' kill -0 "$(monitor both)"
serve one tcp 80
serve one tcp 81
serve one tcp 82
serve one tcp 85
check_eq 'on all addresses: on ::1, too' fd00:91::1 "$(ask host tcp ::1 80)"
check_eq 'on ::1 only' fd00:91::1 "$(ask host tcp ::1 8081)"
check_eq 'is nowhere else' refused "$(ask_briefly host tcp 127.0.0.1 8081)"
check_eq 'on 127.0.0.1 only' refused "$(ask_briefly host tcp ::1 8082)"
check_eq 'the last of a range' fd00:91::1 "$(ask host tcp ::1 7002)"
check_eq 'a container where nobody listens' refused "$(ask_briefly host tcp ::1 7000)"
check_eq 'what nobody has published' refused "$(ask_briefly host tcp ::1 9999)"
check_fails 'a port that is taken' 1 'already published' attach both two '[::1]:80:80'
check_fails 'UDP' 1 'TCP' attach both two '[::1]:53:53/udp'

# Large, in both directions, and an end that is told to one side after the other.
cat >"$T/echo.py" <<'PY'
import hashlib, socket, sys
if sys.argv[1] == 'serve':
    server = socket.create_server(('::', 90), family=socket.AF_INET6)
    while True:
        client = server.accept()[0]
        data = b''.join(iter(lambda: client.recv(65536), b''))
        client.sendall(hashlib.sha256(data).hexdigest().encode() + data)
        client.close()
else:
    data = b'0123456789abcdef' * (1 << 20)
    s = socket.create_connection(('::1', 8090))
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    back = b''.join(iter(lambda: s.recv(65536), b''))
    print('same' if back == hashlib.sha256(data).hexdigest().encode() + data else f'{len(back)} bytes')
PY
check 'detach two' tool detach both two
check 'attach it with a port' attach both two 8090:90
ip netns exec two python3 "$T/echo.py" serve &
defer "kill $!"
wait_for 10 listens two tcp 90
check_eq '16 MiB come back after the end of the question' same "$(timeout 60 python3 "$T/echo.py" ask)"

# As many as there is room for, and no more; the one too many waits.
cat >"$T/many.py" <<'PY'
import socket
kept = []
for _ in range(256):
    s = socket.create_connection(('::1', 8090))
    s.sendall(b'x')
    kept.append(s)
late = socket.create_connection(('::1', 8090))
late.sendall(b'late')
late.shutdown(socket.SHUT_WR)
late.settimeout(0.5)
try:
    print('answered', late.recv(1))
except socket.timeout:
    print('waits')
for s in kept:
    s.close()
late.settimeout(20)
print('answered' if b''.join(iter(lambda: late.recv(65536), b'')).endswith(b'late') else 'not')
PY
check_eq 'one too many waits for its turn' 'waits answered' "$(timeout 60 python3 "$T/many.py" | tr '\n' ' ' | sed 's/ $//')"

before=$(monitor both)
kill -9 "$before"
wait_for 5 sh -c "! kill -0 $before"
check_eq 'without the monitor: refused' refused "$(ask_briefly host tcp ::1 80)"
check_eq 'other addresses do without it' 10.91.0.1 "$(ask host tcp 127.0.0.1 80)"
check 'a reload starts another' tool reload
check_eq 'to which the ports are led' fd00:91::1 "$(ask host tcp ::1 80)"
before=$(monitor both)
kill -9 "$before"
wait_for 5 sh -c "! kill -0 $before"
nft delete table inet lcx
check 'so it does when the rules are gone, too' tool reload
check_eq 'and all is led to it' fd00:91::1 "$(ask host tcp ::1 80)"
before=$(monitor both)
kill -9 "$before"
wait_for 5 sh -c "! kill -0 $before"
make_netns three
check 'the next attachment' attach both three
check 'starts another' test "$(monitor both)" != "$before"
check_eq 'to which all is led' fd00:91::1 "$(ask host tcp ::1 80)"
nft delete table inet lcx
check 'the rules are put back' tool reload
check_eq 'likewise' fd00:91::1 "$(ask host tcp ::1 80)"

check 'detach one' tool detach both one
check_eq 'it is refused' refused "$(ask_briefly host tcp ::1 80)"
check 'who comes next has the port' attach both one 80:80
check_eq 'at once' fd00:91::1 "$(ask host tcp ::1 80)"
for owner in one two three; do
	check "detach $owner" tool detach both "$owner"
done
check_eq 'nothing is left' '' "$(left)"
check 'remove' tool remove both
