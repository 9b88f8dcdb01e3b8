#!/bin/sh
# SPDX-License-Identifier: MIT
# A container whose root is nobody on the host, on layers that it shares with others: owners as seen from
# inside, on the disk, and by everything that reads or writes its files from outside.
. "${SRC:?}/tests/system/lib.sh"
need busybox umoci jq cc setcap getcap

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
# What an image may have beyond plain files: another owner, a set-id program, one with capabilities, a device.
mkdir -p "$T/more/odd/suid" "$T/more/odd/capable"
# (busybox gives such rights up by itself.)
cc -static -x c -o "$T/more/odd/suid/who" - <<'END'
#include <stdio.h>
#include <unistd.h>
int main(void) { return printf("uid=%d euid=%d\n", getuid(), geteuid()) < 0; }
END
chown 1000:50 "$T/more/odd/suid/who"
chmod 4755 "$T/more/odd/suid/who"
cp "$(command -v busybox)" "$T/more/odd/capable/busybox"
setcap cap_net_bind_service+ep "$T/more/odd/capable/busybox"
echo far >"$T/more/odd/far"
chown 70000:70001 "$T/more/odd/far"
mknod "$T/more/odd/zero" c 1 5
chmod 666 "$T/more/odd/zero"
{
	umoci tag --image "$T/layout:layers" odd
	umoci insert --image "$T/layout:odd" "$T/more/odd" /odd
} >"$T/umoci.log" 2>&1
lcx import "$T/layout" --ref odd odd >/dev/null
lcx import "$T/layout" --ref latest box >/dev/null
leak_snapshot
map='--uidmap 0:100000:65536'
run() {
	case "$*" in *--uidmap*) set -- "$@" ;; *) set -- --uidmap 0:100000:65536 "$@" ;; esac
	lcx run --rm --network none "$@"
}
# The map's own line of a file of the kernel.
line() { tr -s ' ' | sed 's/^ //'; }

# --- from inside

check_eq 'it has the range' '0 100000 65536' "$(run box cat /proc/self/uid_map | line)"
check_eq 'groups have the same one' '0 100000 65536' "$(run box cat /proc/self/gid_map | line)"
check_eq 'groups may have another' '0 300000 1000' "$(run --gidmap 0:300000:1000 box cat /proc/self/gid_map | line)"
check_eq 'the root directory is its root'\''s' '0:0' "$(run box stat -c %u:%g /)"
check_eq 'owners of the image are as in the image' '1000:50' "$(run odd stat -c %u:%g /odd/suid/who)"
check_eq 'an owner beyond the range is nobody' '65534:65534' "$(run odd stat -c %u:%g /odd/far)"
check_eq 'its own files in /etc are root'\''s' '0 0 0' "$(run box stat -c %u /etc/hosts /etc/hostname /etc/resolv.conf | xargs)"
check 'and can be written' run box sh -c 'echo 127.0.0.2 x >>/etc/hosts'
check_eq 'a set-id program takes the image'\''s owner' 'uid=7 euid=1000' \
	"$(run -u 7 odd /odd/suid/who)"
check_match 'a file'\''s capabilities count' '^CapPrm:.*0000000000000400$' \
	"$(run -u 7 odd /odd/capable/busybox grep CapPrm /proc/self/status)"
check_fails 'a device of the image is none' 1 'ermission denied\|can.t open' run --privileged odd sh -c 'head -c1 </odd/zero'
check_eq 'an opaque directory of a layer hides what is below' "$(lcx run --rm --network none odd find / -xdev -type f | grep -v ' /etc/h' | sort | cksum)" \
	"$(run odd find / -xdev -type f | sort | cksum)"
check 'it makes and removes files, and gives them away in its range' run box sh -c '
	set -e
	mkdir /d && echo x >/d/f && chown 65535:65535 /d/f && ln /d/f /d/g && ln -s f /d/l && mkfifo /d/p
	[ "$(stat -c %u:%g /d/g)" = 65535:65535 ]
	rm -r /www /d && mkdir /www && mv /etc/passwd /etc/moved && [ "$(stat -c %u /etc/moved)" = 0 ]'
check_fails 'but not beyond' 1 'nvalid argument' run box chown 65536 /etc/passwd
check_fails 'and makes no device' 1 'peration not permitted' run --cap-add MKNOD box mknod /null c 1 3
check_fails 'the host'\''s root is not in it' 1 'ermission denied' run -v /proc/sys/kernel/core_pattern:/x box sh -c 'echo x >/x'
check 'standard output can be opened anew' run box sh -c 'echo x >/dev/stdout && echo y >/dev/stderr'
check 'also by an ordinary user' run -u 1000 box sh -c 'echo x >/dev/stdout'
check 'and without a map' lcx run --rm --network none -u 1000 box sh -c 'echo x >/dev/stdout'
check_eq 'several ranges' '0 100000 1000,1000 5 1,' \
	"$(run --uidmap 1000:5:1 --uidmap 0:100000:1000 box cat /proc/self/uid_map | line | sort | tr '\n' ',')"

# --- volumes

mkdir -p "$T/volume/below"
echo root >"$T/volume/root"
echo user >"$T/volume/user"
chown 1000:50 "$T/volume/user"
seen() { # OPTIONS ARGUMENT...: owners of the two files, as the container has them
	options=$1
	shift
	run -v "$T/volume:/v$options" "$@" box stat -c %u:%g /v/root /v/user | xargs
}
check_eq 'the files of a volume are the host'\''s' '65534:65534 65534:65534' "$(seen '')"
check_eq 'unless it is mapped' '0:0 1000:50' "$(seen :idmap)"
check 'what is made there' run -v "$T/volume:/v:idmap" box sh -c 'echo x >/v/made && chown 1000:50 /v/made && mkdir /v/dir'
check_eq 'has the ids that the container knows' '1000:50 0:0' "$(stat -c %u:%g "$T/volume/made" "$T/volume/dir" | xargs)"
check_fails 'a mapped one may be read-only' 1 'ead-only' run -v "$T/volume:/v:idmap,ro" box touch /v/x
check_eq 'it may have a map of its own' '7:8 65534:65534' "$(seen ':idmap=uids=0-100007-1;gids=0-100008-1')"
check_eq 'of several ranges' '7:8 9:10' "$(seen ':idmap=uids=0-100007-1#1000-100009-1;gids=0-100008-1#50-100010-1')"
check_eq 'also without a user namespace' '1234:4321' \
	"$(lcx run --rm --network none -v "$T/volume:/v:idmap=uids=0-1234-1;gids=0-4321-1" box stat -c %u:%g /v/root)"
check_fails 'where there is no other map' 125 'the container has no map of ids' \
	lcx run --rm --network none -v "$T/volume:/v:idmap" box true
in_guest || check_fails 'what is no map' 125 'FIRST-HOST-COUNT' run -v "$T/volume:/v:idmap=uids=0" box true
in_guest || check_fails 'half a map' 125 'must have users and groups' run -v "$T/volume:/v:idmap=uids=0-1-1" box true
in_guest || check_fails 'ranges that overlap' 125 'overlap' run -v "$T/volume:/v:idmap=uids=0-1-2#1-5-1;gids=0-1-1" box true
mount -t tmpfs -o mode=755 lcx-test-below "$T/volume/below"
echo below >"$T/volume/below/file"
check_eq 'what is mounted below keeps its owners' 65534 "$(run -v "$T/volume:/v:idmap" box stat -c %u /v/below/file)"
if in_guest; then
	check_fails 'one below that cannot be mapped is told' 125 'or one below it, cannot show' run -v "$T/volume:/v:ridmap" box true
else
	check_eq 'unless all are mapped' 0 "$(run -v "$T/volume:/v:ridmap" box stat -c %u /v/below/file)"
fi
umount "$T/volume/below"

# --- on the disk, and from outside

check 'a container that goes on' lcx run -d --name it --network none $map odd sh -c '
	echo mine >/mine; mkdir /dir; echo user >/dir/user; chown 1000:50 /dir/user; rm /odd/suid/who
	echo more >>/etc/group; trap exit TERM; while :; do sleep 0.1; done'
pid=$(lcx inspect it | jq '.[0].state.pid')
wait_for 5 lcx exec it grep -q more /etc/group
check_eq 'its process is one of the range' '100000 100000' "$(stat -c '%u %g' "/proc/$pid")"
check_eq 'exec is its root' 'uid=0(root) gid=0(root)' "$(lcx exec it id)"
check_eq 'exec as another user' '1000' "$(lcx exec -u 1000 it id -u)"
upper=$(ls -d "$T"/lcx-root/containers/*/upper)
check_eq 'files are on the disk with the ids that it knows' '0:0 1000:50 0:0' \
	"$(stat -c %u:%g "$upper/mine" "$upper/dir/user" "$upper/etc/group" | xargs)"
lcx diff it >"$T/diff"
check 'diff' grep -qx 'A /dir/user' "$T/diff"
check 'diff tells what is deleted' grep -qx 'D /odd/suid/who' "$T/diff"

# What follows knows no kernel.
if in_guest; then
	check 'it is removed' lcx rm -f it
	leak_check 'nothing is left'
	exit 0
fi

lcx export it >"$T/it.tar"
owners() { tar -tvf "$1" --numeric-owner | awk -v name="$2" '$6 == name { print $2 }'; }
check_eq 'export' '0/0 1000/50 70000/70001' "$(for f in mine dir/user odd/far; do owners "$T/it.tar" $f; done | xargs)"

echo in >"$T/in"
chown 123:124 "$T/in"
check 'cp into it while it runs' lcx cp "$T/in" it:/in
check_eq 'is its root'\''s' '0:0' "$(lcx exec it stat -c %u:%g /in)"
check 'cp of a tree into it' lcx cp "$T/more" it:/more
check 'cp -a' lcx cp -a "$SRC/lib/spec" it:/spec
check 'cp out of it' lcx cp it:/dir/user "$T/out"
check_eq 'is ours' '0:0' "$(stat -c %u:%g "$T/out")"
check_eq 'cp as an archive has its ids' '1000/50' "$(lcx cp it:/dir - | tar -tv --numeric-owner | awk '/user$/ { print $2 }')"
check 'an archive into it' sh -c 'tar -C "$T/more" --numeric-owner --owner=33 --group=34 -c odd/far | "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" cp - it:/tmp'
check_eq 'has the ids of the archive' '33:34' "$(lcx exec it stat -c %u:%g /tmp/odd/far)"

check 'commit' lcx commit it committed
lcx stop it >/dev/null
check_eq 'a container of the image, without a map' '0:0 1000:50' \
	"$(lcx run --rm --network none committed stat -c %u:%g /mine /dir/user | xargs)"
check_eq 'and with another' '0:0 1000:50 33:34' \
	"$(lcx run --rm --network none --uidmap 0:500000:65536 committed stat -c %u:%g /mine /dir/user /tmp/odd/far | xargs)"
lcx create --name fresh --network none $map committed true >/dev/null
check_eq 'nothing has changed in it' '' "$(lcx diff fresh)"
lcx rm fresh >/dev/null

check 'cp into it while it is stopped' lcx cp "$T/in" it:/stopped
check_eq 'cp out of it then' '1000/50' "$(lcx cp it:/dir - | tar -tv --numeric-owner | awk '/user$/ { print $2 }')"
check 'it is started again' lcx start it
check_eq 'with all owners' '0:0 1000:50 0:0 0:0 33:34' \
	"$(lcx exec it stat -c %u:%g /mine /dir/user /in /stopped /tmp/odd/far | xargs)"
check 'it is removed' lcx rm -f it
check_eq 'and nothing is left of it' '' "$(ls "$T/lcx-root/containers")"
check 'a terminal' script -qec "'$BUILD/examples/lcx/lcx' --root '$T/lcx-root' --run-dir '$T/lcx-run' run -it --rm --network none $map box tty" /dev/null
check_eq 'one with a volatile layer' 0 "$(run --storage-opt volatile=on box stat -c %u /)"
check_eq 'process 1 of ours' '0' "$(run --init box id -u)"

leak_check 'nothing is left'

# --- what cannot be

# A place that others can reach.
mkdir -m 777 "$T/nothing"
cp "$BUILD/examples/lcx/lcx" "$BUILD/lib/liblcx.so.0" "$T/nothing"
mount --bind "$T/nothing" /mnt
defer 'umount /mnt'
check_fails 'the range of an ordinary user is his own' 125 'not among the host.s ids' \
	env LD_LIBRARY_PATH=/mnt setpriv --reuid 1234 --regid 1234 --clear-groups /mnt/lcx --root /mnt/root --run-dir /mnt/run \
	run --network none $map --rootfs /mnt true
mkdir "$T/over" "$T/over.up" "$T/over.work"
mount -t overlay -o "lowerdir=$T/more,upperdir=$T/over.up,workdir=$T/over.work" lcx-test-over "$T/over"
defer "umount -l '$T/over'"
check_fails 'a store whose file system can map no owners is named' 125 'overlay.s .*cannot show files with other owners' \
	sh -c '"$BUILD/examples/lcx/lcx" --root "$T/over/root" --run-dir "$T/over/run" import "$T/layout" --ref latest box >/dev/null
	"$BUILD/examples/lcx/lcx" --root "$T/over/root" --run-dir "$T/over/run" run --rm --network none --uidmap 0:100000:65536 box true'
