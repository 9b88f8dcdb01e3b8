# SPDX-License-Identifier: MIT
# guest: no, pasta is a program like any other there
# The network "pasta": an ordinary user's container reaches the outside and publishes ports, and nothing of the
# host's loopback interface; it ends with the container, whoever is killed.
. "${SRC:?}/tests/system/lib.sh"
need busybox nsenter pasta python3 setpriv ss
U=65534

# A host with a way out, and what lies behind it.
make_netns host
make_netns outside
ip link add lcxt0 netns host type veth peer name lcxt1 netns outside
for end in host:lcxt0:2 outside:lcxt1:1; do
	IFS=: read -r netns link number <<-END
		$end
	END
	ip -n "$netns" address add "192.0.2.$number/24" dev "$link"
	ip -n "$netns" address add "2001:db8::$number/64" dev "$link" nodad
	ip -n "$netns" link set "$link" up
done
ip -n host route add default via 192.0.2.1
ip -n host route add default via 2001:db8::1

place_for_user
cat >$at/udp.py <<'END'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if sys.argv[1] == 'serve':
    s.bind((sys.argv[2], int(sys.argv[3])))
    while True:
        data, peer = s.recvfrom(2000)
        s.sendto(b'%s saw %s' % (data, peer[0].encode()), peer)
s.settimeout(10)
s.sendto(sys.argv[4].encode(), (sys.argv[2], int(sys.argv[3])))
print(s.recv(2000).decode())
END
cat >$at/tcp.py <<'END'
import socket, sys
if sys.argv[1] == 'serve':
    family = socket.AF_INET6 if ':' in sys.argv[2] else socket.AF_INET
    s = socket.create_server((sys.argv[2], int(sys.argv[3])), family=family)
    while True:
        c, peer = s.accept()
        c.recv(2000)
        c.sendall(b'HTTP/1.0 200 OK\r\n\r\nyou are %s\n' % peer[0].encode())
        c.close()
import urllib.request
host = '[%s]' % sys.argv[2] if ':' in sys.argv[2] else sys.argv[2]
print(urllib.request.urlopen('http://%s:%s/' % (host, sys.argv[3]), timeout=5).read().decode().strip())
END
printf 'nameserver 127.0.0.1\nsearch example.test\n' >$at/resolv.conf
chmod -R a+rX $at
chown -R $U:$U $at/home $at/run $at/rootfs
cat >$at/as <<END
#!/bin/sh
mount --bind $at/resolv.conf /etc/resolv.conf
export HOME=$at/home XDG_RUNTIME_DIR=$at/run LD_LIBRARY_PATH=$at ASAN_OPTIONS=detect_leaks=0
cd /
exec setpriv --reuid $U --regid $U --clear-groups --inh-caps=-all --no-new-privs "\$@"
END
chmod 755 $at/as
lcx_() { ip netns exec host $at/as $at/lcx "$@"; }
in_() { lcx_ run --rm --network pasta --rootfs $at/rootfs "$@"; }
serve_() { # NETNS KIND ADDRESS PORT
	ip netns exec "$1" python3 $at/"$2".py serve "$3" "$4" 2>/dev/null &
	defer "kill $!"
	wait_for 10 sh -c "ip netns exec $1 ss -Hln -A $2 'sport = :$4' | grep -q ."
}
outside_() { ip netns exec outside python3 "$@"; }
pastas() { pgrep -x 'passt|passt.avx2|pasta|pasta.avx2|lcx-pasta' || :; }
gone() { [ -z "$(pastas)" ]; }

serve_ outside tcp 192.0.2.1 7000
serve_ outside tcp 2001:db8::1 7000
serve_ host tcp 127.0.0.1 7001

# --- the way out
check_eq 'out, over IPv4, with the address of the host' 'you are 192.0.2.2' "$(in_ wget -qO - http://192.0.2.1:7000)"
check_eq 'and over IPv6' 'you are 2001:db8::2' "$(in_ wget -qO - 'http://[2001:db8::1]:7000')"
check_eq 'by an interface of its own' 'eth0 lo' "$(in_ ls /sys/class/net | xargs)"
check 'nothing of it is left' wait_for 10 gone

# --- what must not be reached: services of the host on its loopback addresses
tried='192.0.2.1 169.254.1.1 127.0.0.1 192.0.2.2'
check_eq "the host's loopback services are out of reach by $tried" '' \
	"$(in_ sh -c "for a in $tried; do wget -T 2 -qO - http://\$a:7001 2>/dev/null & done; wait")"
check_eq 'while the host has them' 'you are 127.0.0.1' "$(ip netns exec host python3 $at/tcp.py ask 127.0.0.1 7001)"
check_eq 'none of its ports is open on the host' '' "$(ip netns exec host ss -Hlnp | grep pass || :)"

# --- ports
cat >$at/rootfs/serve <<'END'
#!/bin/sh
httpd -p 80 -h /www
exec httpd -f -p 81 -h /www2
END
chmod 755 $at/rootfs/serve
mkdir $at/rootfs/www $at/rootfs/www2
echo hello from the container >$at/rootfs/www/index.html
echo and from the next port >$at/rootfs/www2/index.html
run_web() { lcx_ run -d --name web --network pasta -p 8080-8081:80-81 -p 192.0.2.2:8090:80 -p 80/tcp --rootfs $at/rootfs /serve; }
check 'a container with published ports' run_web
answers() { [ "$(outside_ $at/tcp.py ask 192.0.2.2 "$1")" = "$2" ]; }
check 'from outside' wait_for 10 answers 8081 'and from the next port'
check_eq 'the first of a range' 'hello from the container' "$(outside_ $at/tcp.py ask 192.0.2.2 8080)"
# The kernel looks whether anybody else has its address first.
answers6() { [ "$(outside_ $at/tcp.py ask 2001:db8::2 8080)" = 'hello from the container' ]; }
check 'over IPv6' wait_for 10 answers6
check_eq 'on one address' 'hello from the container' "$(outside_ $at/tcp.py ask 192.0.2.2 8090)"
check_fails 'and on no other' 1 '' outside_ $at/tcp.py ask 2001:db8::2 8090
check_eq 'from the host itself' 'hello from the container' "$(ip netns exec host python3 $at/tcp.py ask 127.0.0.1 8080)"
chosen=$(lcx_ ps --format '{{.Ports}}' | grep -o ':[0-9]*->80/tcp' | tail -n 1 | tr -cd '0-9>' | cut -d '>' -f 1)
check_eq 'at one that was chosen' 'hello from the container' "$(outside_ $at/tcp.py ask 192.0.2.2 "$chosen")"
check_match 'as ps shows' '8080-8081->80-81/tcp' "$(lcx_ ps)"
check_fails 'a port in use is refused' 125 'port 8080/tcp.*is in use' lcx_ run --rm --network pasta -p 8080:80 --rootfs $at/rootfs true
check_fails 'so is a low one' 125 'ip_unprivileged_port_start' in_ -p 80:80 true
check_fails 'and SCTP' 125 'TCP and UDP only' in_ -p 9000:80/sctp true
check_fails 'and an address of nobody here' 125 'not an address of this host' in_ -p 192.0.2.77:9000:80 true
check_match 'further processes share it' 'eth0' "$(lcx_ exec web ip -o link)"
check 'a restart has the same ports at once' lcx_ restart -t 0 web
check 'and answers' wait_for 10 answers 8080 'hello from the container'
check 'stop' lcx_ stop -t 0 web
check_fails 'nobody listens any more' 1 '' outside_ $at/tcp.py ask 192.0.2.2 8080
check 'start' lcx_ start web
check 'it answers again' wait_for 10 answers 8080 'hello from the container'

# UDP, with a server that the container's user namespace shares with nobody.
# From a host that ignores signals: what it started would ignore them, too.
run_ignoring() { (trap '' CHLD TERM && lcx_ run -d --name names --network pasta -p 5300:53/udp --rootfs $at/rootfs sleep 1000); }
check 'one with a port of UDP' run_ignoring
check_eq 'its keeper ignores SIGPIPE alone, whatever the host does' 0000000000001000 \
	"$(sed -n 's/^SigIgn:[[:space:]]*//p' "/proc/$(pgrep -nx lcx-pasta)/status")"
inside=$(pgrep -f '^sleep 1000')
nsenter -t "$inside" -n python3 $at/udp.py serve 0.0.0.0 53 2>/dev/null &
defer "kill $!"
wait_for 10 sh -c "nsenter -t $inside -n ss -Hlun 'sport = :53' | grep -q ."
check_eq 'published over UDP, with the address of who asks' 'ping saw 192.0.2.1' "$(outside_ $at/udp.py ask 192.0.2.2 5300 ping)"
serve_ outside udp 192.0.2.1 7002
check_eq 'and out over UDP' 'ping saw 192.0.2.2' "$(nsenter -t "$inside" -n python3 $at/udp.py ask 192.0.2.1 7002 ping)"

# --- names: by the host's server, even one on its loopback interface
serve_ host udp 127.0.0.1 53
check_match "the host's server answers" 'question saw 127' \
	"$(nsenter -t "$inside" -n python3 $at/udp.py ask 169.254.1.1 53 question)"

# --- its end
check 'rm -f' lcx_ rm -f names
# Killed: the container, the keeper, the host program.
kill -9 "$(pgrep -f '^httpd -f')"
check 'with the container, if that is killed' wait_for 10 gone
lcx_ start web >/dev/null
check 'started again' wait_for 10 answers 8080 'hello from the container'
kill -9 "$(pgrep -x lcx-pasta)"
check 'with its keeper' wait_for 10 gone
check 'stop without it' lcx_ stop -t 0 web
check 'rm' lcx_ rm -f web
ip netns exec host $at/as $at/lcx run --rm --network pasta -p 8080:80 --rootfs $at/rootfs /serve &
host=$!
wait_for 10 answers 8080 'hello from the container'
kill -9 $host
wait $host || :
check 'gc after the host program was killed' lcx_ gc
check 'takes it down' wait_for 10 gone

# --- refusals
check_fails 'root has better networks' 125 'choose "bridge"' \
	lcx run --rm --network pasta --rootfs $at/rootfs true
check_fails 'an image of the store by another network is refused with what there is' 125 'the network "pasta"' \
	lcx_ run --rm --rootfs $at/rootfs true
# Another program takes one of a range between the trial and pasta.
real=$(readlink -f /usr/bin/pasta)
cp "$real" $at/pasta
cat >$at/late <<END
#!/bin/sh
busybox timeout 3 busybox nc -l -p 8093 >/dev/null 2>&1 &
until busybox netstat -ltn 2>/dev/null | grep -q :8093; do :; done
exec $at/pasta "\$@"
END
chmod 755 $at/late
mount --bind $at/late "$real"
check_fails 'a range is published whole or not at all' 125 'start pasta: .*bind' in_ -p 8092-8094:80-82 true
umount "$real"
free() { ! ip netns exec host ss -Hltn 'sport = :8093' | grep -q .; }
wait_for 10 free
check_fails 'more ports than it is told' 125 'publishes no more than' in_ -p 20000-29999:20000-29999 true
# Hidden, then replaced by what anyone may write.
: >$at/empty
mount --bind $at/empty "$real"
check_fails 'not installed' 125 'install the package passt' in_ true
umount "$real"
cp "$real" $at/another
chmod 777 $at/another
mount --bind $at/another "$real"
check_fails 'not a program of root alone' 125 'install the package passt' in_ true
umount "$real"
ip -n host route flush default
ip -n host -6 route flush default
check_fails 'without any way out, in the words of pasta' 125 'start pasta: .*[Ii]nterface' in_ true
check 'nothing is left of that' wait_for 10 gone
check_eq 'no container is' '' "$(lcx_ ps -aq)"
