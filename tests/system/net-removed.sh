#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, net-undo and net-kill tell that kernel from this one
# beside: it makes no control groups
# build: plain
# What a detach has removed is gone when it returns, whatever the container has done with its end, and although the
# kernel goes on to wait for it.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need strace python3

make_netns one
make_netns other
tool create net 10.91.0.0/24 >/dev/null
tool attach net resident /run/netns/other >/dev/null
hosts() { ip -o link | grep -c ': lcx.*@' || :; }
inside_links() { ip -n one -o link | grep -v ': lo:' | sed 's/^[0-9]*: \([^:@]*\).*/\1/'; }
removers() { pgrep -x lcx-remover; }
no_removers() { ! removers; }

# --- the same address, name and port, again and again

check 'what is removed can be made again at once, 100 times' \
	tool again net one /run/netns/one 100 address=10.91.0.7 mac=02:00:00:00:00:07 interface=net0 8091:80
check_eq 'only the resident has a cable' 1 "$(hosts)"
check_eq 'nothing is left inside' '' "$(inside_links)"
wait_for 5 no_removers
pass 'who has waited for the kernel has ended'
# The firewall's entries go with it, and who closes the socket would wait as long.
attach net one 8091:80 >"$T/attached"
strace -f -e trace=execveat -o "$T/started" "$BUILD/tests/net-tool" "$T/root" detach net one >"$T/detached" 2>&1 || fail 'detach with a port' "$T/detached"
check_eq 'one removes the cable, another one closes the socket' 2 "$(grep -c 'lcx-remover.*= 0$' "$T/started")"

# Who is given the orphans (PR_SET_CHILD_SUBREAPER, 36) would have them to reap, and knows nothing of them.
attach net one 8091:80 >"$T/attached"
strace -f -e trace=execveat -o "$T/started" python3 -c 'import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])' "$BUILD/tests/net-tool" "$T/root" detach net one >"$T/detached" 2>&1 || fail 'detach by a subreaper' "$T/detached"
check_eq 'a subreaper gets no orphans' 0 "$(grep -c 'lcx-remover' "$T/started" || :)"
check_eq 'and its cable goes' 1 "$(hosts)"

# --- others hear of it

ip monitor link >"$T/heard" &
monitor=$!
defer "kill $monitor"
host=$(attach net one | cut -d' ' -f2)
wait_for 5 grep -q "$host" "$T/heard"
check 'detach' tool detach net one
wait_for 5 grep -q "^Deleted.*$host" "$T/heard"
pass 'whoever listens hears that the interface was deleted'

# --- what a container may do with its end

tool attach net one /run/netns/one >"$T/attached"
ip -n one link set eth0 down
ip -n one link set eth0 name mine
ip -n one link set mine alias 'lcx:00000000:resident'
index=$(ip -n one -o link show mine | cut -d: -f1)
ip -n one link set mine netns other
ip -n one link add eth0 index "$index" type veth peer name "$(cut -d' ' -f2 "$T/attached")"
check 'detach one whose end was renamed, moved and replaced' tool detach net one
check_eq 'only the resident has a cable' 1 "$(hosts)"
check_eq 'it is gone where it was moved to' 1 "$(ip -n other -o link | grep -c 'eth0\|mine')"
check_eq 'what is the container own stays' 2 "$(inside_links | wc -l)"
ip -n one link del eth0

# --- an interface that is not ours, by the name of ours

host=$(attach net one | cut -d' ' -f2)
ip link del "$host"
ip link add "$host" type bridge
check 'detach, with another interface in its place' tool detach net one
check 'that stays' ip link show "$host"
ip link del "$host"

# --- without the process that waits

without() { # WHAT INJECTION...
	what=$1
	shift
	attach net one 8091:80 >"$T/attached"
	strace -f -o "$T/trace" "$@" "$BUILD/tests/net-tool" "$T/root" detach net one >"$T/detached" 2>&1 || fail "$what" "$T/detached"
	check_eq "$what" 1 "$(hosts)"
	check "$what: that did happen" grep -q -e INJECTED -e SIGKILL "$T/trace"
}
without 'a process that cannot be started' -e trace=memfd_create -e inject=memfd_create:error=EPERM
without 'one that is killed before it asks' -e trace=setsid -e inject=setsid:signal=SIGKILL
without 'one that cannot leave a child' -e trace=clone -e inject=clone:error=EAGAIN

check 'detach' tool detach net resident
check_eq 'nothing is left' '' "$(left)"
tool remove net
