#!/bin/sh
# SPDX-License-Identifier: MIT
# Real overlays: mounted in every way, changed, compared with what the diff says.
. "${SRC:?}/tests/system/lib.sh"

overlay() { "$BUILD/examples/overlay" "$@"; }
layers() { "$BUILD/tests/overlay-layers" "$@"; }

# An upper directory of overlay needs a file system that is none itself.
D=$T/fs
mkdir "$D"
mount -t tmpfs -o mode=755 lcx-test-layers "$D"
defer "umount -l '$D'"

# --- what a container does

cd "$D"
mkdir -p base/etc base/usr/bin base/var/old mid/etc upper work root
echo one >base/etc/passwd
echo two >mid/etc/motd
echo gone >base/etc/gone
echo a >base/var/old/a
echo tool >base/usr/bin/tool
check 'mounts two layers and an upper' overlay mount root upper work mid base
check_eq 'both layers are seen' 'one two' "$(cat root/etc/passwd root/etc/motd | tr '\n' ' ' | sed 's/ $//')"
echo changed >>root/etc/passwd
rm root/etc/gone
mkdir root/etc/new
echo x >root/etc/new/file
ln -s /etc/passwd root/etc/link
rm -r root/var/old
mkdir root/var/old
mv root/usr/bin/tool root/usr/bin/renamed
cat >expected <<'END'
C /etc
D /etc/gone
A /etc/link
A /etc/new
A /etc/new/file
C /etc/passwd
C /usr
C /usr/bin
A /usr/bin/renamed
D /usr/bin/tool
C /var
C /var/old
END
overlay diff upper mid base >found
check 'diff tells exactly what was done' diff expected found
check 'unmounts' overlay unmount root
check_eq 'nothing is mounted any more' '' "$(ls root)"
check_fails 'does not unmount what is no overlay' 1 'no overlay is mounted' overlay unmount root
check_fails 'nor the directory inside one' 1 'no overlay is mounted' sh -c '
	"$BUILD/examples/overlay" mount root upper work mid base
	"$BUILD/examples/overlay" unmount root/etc'
overlay unmount root
overlay diff upper mid base >found
check 'and the diff is the same afterwards' diff expected found
check_match 'size counts the upper' '^[1-9][0-9]* bytes, 1[0-9] inodes$' "$(overlay size upper)"

# --- names that mean something in option strings

odd='a:b,c\d=e "f'
mkdir "$odd" "$odd/lower" "$odd/upper" "$odd/work"
echo odd >"$odd/lower/file"
check 'any characters may stand in a path' overlay mount root "$odd/upper" "$odd/work" "$odd/lower" base
check_eq 'and lead to that directory' odd "$(cat root/file)"
overlay unmount root
long=$(printf '%0200d' 0)
mkdir -p "$long/$long/lower" "$long/$long/upper" "$long/$long/work"
echo long >"$long/$long/lower/file"
check 'a path may be longer than 255 bytes' overlay mount root "$long/$long/upper" "$long/$long/work" "$long/$long/lower" base
check_eq 'and leads to that directory' long "$(cat root/file)"
overlay unmount root

# --- many layers, by each way of asking the kernel

mkdir many
seq 0 500 | (cd many && xargs mkdir)
for i in $(seq 0 500); do
	echo "$i" >"many/$i/top"
	echo "$i" >"many/$i/only-$i"
done
fresh() { rm -rf many/upper many/work && mkdir many/upper many/work; }

try() { # HOW COUNT: mount, look, unmount
	fresh
	layers "$1" "$2" "$D/many" root || return 1
	[ "$(cat root/top)" = 0 ] && [ "$(cat "root/only-$(($2 - 1))")" = $(($2 - 1)) ] &&
		echo new >root/new && [ "$(ls root | grep -c only)" = "$2" ]
	r=$?
	overlay unmount root && return $r
}

newer=$(uname -r | awk -F. '{ print ($1 > 6 || ($1 == 6 && $2 + 0 >= 8)) }')
if [ "$newer" = 1 ]; then
	check '500 layers' try auto 500
	fresh
	check '500 layers, attached nowhere' layers auto 500 "$D/many" -
	check_eq 'writes go to the upper' hello "$(cat many/upper/hello)"
else
	fresh
	check_fails '500 layers on an old kernel say what is too long' 1 'too many for this kernel' \
		layers auto 500 "$D/many" root
fi
check_fails '501 layers are too many' 1 'at most 500 layers' layers auto 501 "$D/many" root
check '200 layers by mount(2)' try mount 200
fresh
check_fails '400 layers by mount(2) say what is too long' 1 'bytes' layers mount 400 "$D/many" root
check_eq 'and mount nothing' '' "$(ls root)"
check 'a few layers by one string' try string 3
fresh
check 'a few layers by one string, attached nowhere' layers string 3 "$D/many" -
fresh
check 'more are mounted aside' layers string 150 "$D/many" -
check_eq 'and writes go to the upper' hello "$(cat many/upper/hello)"
fresh
check_fails '400 are too many for that' 1 '400 layers are too many for this kernel' layers string 400 "$D/many" -
check_eq 'and nothing is mounted for anybody else' '' "$(ls root)"

# --- refusals

fresh
check_fails 'a missing lower is named' 1 "nowhere'" overlay mount root upper work "$D/nowhere" base
ln -s root link
check_fails 'a link is no mount point' 1 "mount point 'link'" overlay mount link upper work mid base
check_fails 'a read-only upper is explained' 1 'overlay' sh -c '
	mkdir ro && mount -t tmpfs none ro && mkdir ro/upper ro/work && mount -o remount,ro ro &&
	"$BUILD/examples/overlay" mount root ro/upper ro/work mid base'
umount ro 2>/dev/null || :
check_eq 'after all that nothing is mounted' '' "$(grep " $D/" /proc/self/mountinfo || :)"

# --- with other owners

# Not on a tmpfs, which maps no owners before Linux 6.3.
mkdir "$T/mapped" "$T/mapped/target"
cd "$T/mapped"
seq 0 399 | xargs mkdir
for i in $(seq 0 399); do
	echo "$i" >"$i/only-$i"
done
chown 5:6 0/only-0
mapped() { # HOW COUNT: mount, look, write, unmount
	rm -rf upper work && mkdir upper work
	OVERLAY_IDMAP=0:100000:65536 layers "$1" "$2" "$T/mapped" target || return 1
	[ "$(stat -c %u:%g target/only-0)" = 100005:100006 ] &&
		[ "$(stat -c %u "target/only-$(($2 - 1))")" = 100000 ] && [ "$(ls target | grep -c only)" = "$2" ] &&
		echo new >target/new && chown 100007:100008 target/new && rm target/only-1 &&
		echo more >>target/only-0 && [ "$(stat -c %u:%g upper/new upper/only-0 | xargs)" = '7:8 5:6' ]
	r=$?
	overlay unmount target && return $r
}
# The usual limit of descriptors must do.
ulimit -Sn 1024
check 'a few layers of other owners' mapped auto 3
check '400 of them' mapped auto 400
check 'as older kernels do it' mapped mount 3
check '400 layers, too: their names are short' mapped mount 400
mkdir 'odd,a:b\c' 'odd,a:b\c/up,x' 'odd,a:b\c/wo:y'
check 'any characters may stand in the names' env OVERLAY_IDMAP=0:100000:65536 \
	"$BUILD/examples/overlay" mount target 'odd,a:b\c/up,x' 'odd,a:b\c/wo:y' 0 1
check 'and it is written there' sh -c 'echo x >target/x && [ -f "odd,a:b\c/up,x/x" ]'
overlay unmount target
mkdir elsewhere elsewhere/work
check_fails 'upper and work are of one directory' 1 'as two directories of one' env OVERLAY_IDMAP=0:100000:65536 \
	"$BUILD/examples/overlay" mount target upper elsewhere/work 0 1
check_fails 'what can map no owners is named' 1 "'/proc': .*cannot show files with other owners" env OVERLAY_IDMAP=0:100000:65536 \
	"$BUILD/examples/overlay" mount target upper work /proc 0
check_eq 'after all that nothing is mounted here' '' "$(grep " $T/mapped" /proc/self/mountinfo || :)"

# --- without privilege, in a user namespace

# Not on a tmpfs, which has no user attributes before Linux 6.6.
mkdir "$T/user"
cd "$T/user"
check 'mounts in a user namespace with userxattr' unshare -Urm sh -c '
	mkdir lower lower2 upper work root && echo x >lower/a && export OVERLAY_USERXATTR=1 &&
	"$BUILD/examples/overlay" mount root upper work lower lower2 && rm root/a && mkdir root/a &&
	[ "$("$BUILD/examples/overlay" diff upper lower lower2)" = "C /a" ] &&
	"$BUILD/examples/overlay" unmount root'
cd /
