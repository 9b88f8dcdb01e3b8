#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, who holds which lock is decided by the library
# build: plain
# A sweep finds what a stopped container has left, while somebody starts it again: what the start makes is not
# what the sweep removes.
. "${SRC:?}/tests/system/lib.sh"
need strace busybox jq
make_rootfs "$T/rootfs"
check 'run' lcx run -d --name web --network bridge --rootfs "$T/rootfs" sleep 1000
defer 'lcx rm -f web'
id=$(lcx inspect web | jq -r '.[0].id')
records=$T/lcx-run/net/bridge
cp "$records/$id.json" "$T/record"
check 'stop' lcx stop -t 0 web
mkdir -p "$records"
cp "$T/record" "$records/$id.json"

# It waits, with the record in its hands, before it removes it.
strace -o "$T/trace" -P "$records" -e trace=unlinkat -e inject=unlinkat:delay_enter=3000000 \
	"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" gc >"$T/gc" 2>&1 &
gc=$!
# That it has come so far: it holds the lock of the container whose record it removes.
lock=":$(stat -c %i "$T/lcx-root/containers/$id") 0 EOF"
holds() { grep -q "$lock" /proc/locks; }
check 'the sweep has found what is left' wait_for 10 holds
check 'start' lcx start web
wait "$gc" || :
check_eq 'the new attachment is recorded' web "$(lcx network inspect bridge | jq -r '.[0].containers | length | if . == 1 then "web" else "nobody" end')"
check_match 'the container has its interface' 'eth0' "$(lcx exec web ls /sys/class/net)"
address=$(lcx inspect web | jq -r '.[0].networks.bridge.address')
check 'another one does not get its address' test "$(lcx run --rm --network bridge --rootfs "$T/rootfs" ip -o -4 addr show eth0 | sed 's/.*inet \([0-9.]*\).*/\1/')" != "$address"
check_fails 'not even on demand' 125 "$address" lcx run --rm --network "name=bridge,ip=$address" --rootfs "$T/rootfs" true
check 'rm' lcx rm -f web
check 'nothing is left' test ! -e "$records/$id.json"
