#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, no kernel maps ids on the file system that this is for
# A file system that cannot show files with other owners: a clear error, and a copy if it is asked for.
. "${SRC:?}/tests/system/lib.sh"
need busybox umoci jq cc setcap getcap

# ramfs maps no ids on any kernel. It has no attributes either, which layers need, but containers don't.
containers=$T/lcx-root/containers
mkdir -p "$containers"
mount -t ramfs -o mode=700 lcx-test-chowned "$containers"
defer "umount '$containers'"
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
mkdir -p "$T/more/odd"
cc -static -x c -o "$T/more/odd/who" - <<'END'
#include <stdio.h>
#include <unistd.h>
int main(void) { return printf("uid=%d euid=%d\n", getuid(), geteuid()) < 0; }
END
chown 1000:50 "$T/more/odd/who"
chmod 4755 "$T/more/odd/who"
echo far >"$T/more/odd/far"
chown 70000:70001 "$T/more/odd/far"
ln "$T/more/odd/far" "$T/more/odd/linked"
{
	umoci tag --image "$T/layout:layers" odd
	umoci insert --image "$T/layout:odd" "$T/more/odd" /odd
} >"$T/umoci.log" 2>&1
lcx import "$T/layout" --ref odd odd >/dev/null
map='--uidmap 0:100000:65536'
run() { lcx run --rm --network none $map --storage-opt chown=copy "$@"; }

check_fails 'without a word there is an error, which names the way out' 125 'cannot show files with other owners.*chown=copy' \
	lcx run --rm --network none $map odd true
check_eq 'and nothing of it' '' "$(ls "$containers")"
check_fails 'other values' 1 "chown='yes': must be copy" lcx create --network none $map --storage-opt chown=yes odd true
check_fails 'one without a user namespace has no other ids' 1 'storage option chown: .*user namespace' \
	lcx create --network none --storage-opt chown=copy odd true
check_fails 'nor a directory of its own' 1 'no read-write layer' \
	lcx create --network none $map --storage-opt chown=copy --rootfs "$T/more" true
check_eq 'nothing is left of them' '' "$(ls "$containers")"

# --- as it is with maps

check_eq 'owners are as in the image' '0:0 1000:50 65534:65534' "$(run odd stat -c %u:%g / /odd/who /odd/far | xargs)"
check_eq 'a set-id program takes the image'\''s owner' 'uid=7 euid=1000' "$(run -u 7 odd /odd/who)"
check_eq 'links are links' 2 "$(run odd stat -c %h /odd/far)"
check_eq 'its own files are its root'\''s' '0 0 0' "$(run odd stat -c %u /etc/hosts /etc/hostname /etc/resolv.conf | xargs)"
check 'and can be written' run odd sh -c 'echo 127.0.0.2 x >>/etc/hosts'
check_eq 'whiteouts and opaque directories are obeyed' "$(lcx run --rm --network none odd find / -xdev -type f | grep -v ' /etc/h' | sort | cksum)" \
	"$(run odd find / -xdev -type f | sort | cksum)"
check_eq 'the host'\''s ids are those of the range' '100000:100000 101000:100050' \
	"$(lcx create --name it --network none $map --storage-opt chown=copy odd sh -c 'echo mine >/mine; chown 1000:50 /mine; rm -f /odd/who' >/dev/null
	stat -c %u:%g "$containers"/*/chowned "$containers"/*/chowned/odd/who | xargs)"
check_eq 'another has a copy of its own' 2 "$(lcx create --name other --network none --uidmap 0:300000:65536 --storage-opt chown=copy odd true >/dev/null
	ls -d "$containers"/*/chowned | wc -l)"
check 'it runs' lcx start -a it
lcx diff it >"$T/diff"
check_eq 'diff' 'A /mine,D /odd/who,' "$(grep -v '^C ' "$T/diff" | tr '\n' ',')"
check 'commit' lcx commit it committed
check_eq 'has the image'\''s ids again' '0:0 1000:50' "$(lcx run --rm --network none committed stat -c %u:%g /bin /mine | xargs)"
lcx export it >"$T/it.tar"
check_eq 'and so has export' '0/0 1000/50' \
	"$(for f in bin/busybox mine; do tar -tvf "$T/it.tar" --numeric-owner | awk -v f=$f '$6 == f { print $2 }'; done | xargs)"
echo in >"$T/in"
check 'cp into it' lcx cp "$T/in" it:/in
check_eq 'is its root'\''s' 100000 "$(stat -c %u "$containers"/*/upper/in)"

# --- its life

check_fails 'the image is in use' 1 'in use\|used' lcx rmi odd
check 'collecting garbage leaves it' lcx gc
check 'so that it starts again' lcx start -a it
check 'it is removed' lcx rm it
check 'the other one, too' lcx rm other
check_eq 'and the copies with them' '' "$(ls "$containers")"

# --- capabilities of a file, where attributes can be had

more=$T/capable
mkdir -p "$T/second/odd"
cp "$(command -v busybox)" "$T/second/odd/busybox"
setcap cap_net_bind_service+ep "$T/second/odd/busybox"
umoci insert --image "$T/layout:odd" "$T/second/odd" /capable >>"$T/umoci.log" 2>&1
there() { "$BUILD/examples/lcx/lcx" --root "$more" --run-dir "$more-run" "$@"; }
there import "$T/layout" --ref odd odd >/dev/null
check_match 'they count' '^CapPrm:.*0000000000000400$' "$(there run --name capable --network none $map --storage-opt chown=copy -u 7 odd \
	/capable/busybox grep CapPrm /proc/self/status)"
check_match 'for its root alone' 'rootid=100000' "$(getcap -n "$more"/containers/*/chowned/capable/busybox)"
there export capable | tar -C "$T/second" --xattrs --xattrs-include='*' -xf - capable
check_eq 'and outside as in the image' "$(getcap -n "$T/second/odd/busybox" | sed 's/.* //')" "$(getcap -n "$T/second/capable/busybox" | sed 's/.* //')"
check 'it goes' there rm capable
