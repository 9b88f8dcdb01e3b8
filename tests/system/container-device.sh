# SPDX-License-Identifier: MIT
# guest: no, but for the device controller: cgroup-limits has it there
# Devices of the host in a container: where, with what rights, also where no node can be made.
. "${SRC:?}/tests/system/lib.sh"
need busybox
make_rootfs "$T/rootfs"
run() { lcx run --rm --network none --rootfs "$T/rootfs" "$@"; }

# /dev/kmsg is not among the default devices; full is, under its own name only.
check_fails 'without, there is none' 1 '' run test -e /dev/kmsg
check_eq 'by its own name, with its numbers' "$(stat -c '%t:%T %a %u' /dev/kmsg)" "$(run --device /dev/kmsg stat -c '%t:%T %a %u' /dev/kmsg)"
check_eq 'by another' 'a: No space left on device' "$(run --device /dev/full:/dev/sub/a sh -c 'echo x 2>&1 >/dev/sub/a; cd /dev/sub; echo x >a' 2>&1 | sed -n 's/.*\(a: No space.*\)/\1/p;s/.*write error: \(No space.*\)/a: \1/p' | head -n 1)"
check_eq 'it may be read' 3 "$(run --device /dev/zero:/x:r head -c 3 /x | wc -c)"
mknod -m 666 "$T/odd" c 10 200
check 'what is said may be done' run --device "$T/odd:/dev/odd:rm" sh -c '! echo x 2>/dev/null >/dev/odd && mknod /dev/odd2 c 10 200'
check_match 'what is not, may not' 'not permitted' "$(run --device "$T/odd:/dev/odd:w" sh -c 'cat /dev/odd' 2>&1 || :)"
check_match 'nor may another be used' 'not permitted' "$(run --device "$T/odd:/dev/odd" sh -c 'mknod /dev/other c 10 201; cat /dev/other' 2>&1 || :)"
mkdir -p "$T/many/deep"
mknod "$T/many/a" c 1 5
mknod "$T/many/deep/b" b 7 9
: >"$T/many/file"
ln -s a "$T/many/link"
check_eq 'all of a directory' '/dev/many/a /dev/many/deep/b' "$(run --device "$T/many:/dev/many" find /dev/many ! -type d | sort | xargs)"

# Users of its own: the host's node, with the rights that they have there.
check_eq 'with users of its own it is bound' 3 "$(run --userns auto --device /dev/zero:/dev/nought head -c 3 /dev/nought | wc -c)"
check_match 'and is not theirs' 'denied' "$(chmod 600 "$T/odd"; run --userns auto --device "$T/odd:/dev/odd" cat /dev/odd 2>&1 || :)"
mount --bind "$T" /mnt
defer 'umount /mnt'
chmod 755 "$T"
chown -R 65534 "$T/rootfs"
mkdir "$T/home"
chown 65534 "$T/home"
cp "$BUILD/examples/lcx/lcx" "$BUILD"/lib/liblcx.so.0 /mnt/
his() {
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all env HOME=/mnt/home LD_LIBRARY_PATH=/mnt ASAN_OPTIONS=detect_leaks=0 \
		/mnt/lcx --root /mnt/home/root --run-dir /mnt/home/run run --rm --network none --rootfs /mnt/rootfs "$@"
}
check_eq 'an ordinary user binds what he may use' 3 "$(his --device /dev/zero:/dev/nought head -c 3 /dev/nought | wc -c)"
check_match 'and no more' 'denied' "$(his --device /mnt/odd:/dev/odd cat /dev/odd 2>&1 || :)"

check_fails 'one that is not there' 125 "device '/dev/nowhere'" run --device /dev/nowhere true
check_fails 'a file' 125 'it is no device' run --device /etc/passwd true
check_fails 'a directory without any' 125 'no device below' run --device /etc/alternatives true
check_fails 'rights that are none' 125 'must be' run --device /dev/zero:/x:rwx true
check_fails 'a place that is none' 125 'must be' run --device /dev/zero:x:r true
check_eq 'nothing is left' '' "$(lcx ps -aq)"
