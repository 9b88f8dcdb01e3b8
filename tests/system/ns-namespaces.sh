#!/bin/sh
# SPDX-License-Identifier: MIT
# Namespaces that exist without a process: made, pinned, entered by others, let go; id maps that
# the kernel confirms; mounts with other owners.
. "${SRC:?}/tests/system/lib.sh"

ns() { "$BUILD/examples/ns" "$@"; }
# The tree may lie in a directory that is nobody's business.
mount -t tmpfs -o mode=755 lcx-test-public /mnt
defer 'umount /mnt'
cp -L "$BUILD/examples/ns" "$BUILD"/lib/liblcx.so.? /mnt/
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups env LD_LIBRARY_PATH=/mnt "$@"; }

mkdir "$T/pins" "$T/mapped" "$T/both"
ns list >"$T/before"

# --- a set without a user namespace

check 'makes and pins network, uts, ipc and cgroup namespaces' ns pin "$T/pins" net,uts,ipc,cgroup
defer "\"\$BUILD/examples/ns\" unpin '$T/pins'"
check_eq 'the network namespace has a loopback only, and it is down' '1 1' \
	"$(nsenter --net="$T/pins/net" ip -o link | wc -l | tr -d ' ') $(nsenter --net="$T/pins/net" ip -o link | grep -c 'state DOWN')"
nsenter --uts="$T/pins/uts" hostname pinned
check_eq 'it keeps its state without a process' pinned "$(nsenter --uts="$T/pins/uts" hostname)"
check 'the host keeps its own name' test "$(hostname)" != pinned
ns list >"$T/after"
check 'the caller stays where it was' cmp "$T/before" "$T/after"
check_eq 'it is the one that the path says' "$(stat -L -c %i "$T/pins/net")" \
	"$(nsenter --net="$T/pins/net" "$BUILD/examples/ns" list | sed -n 's/^net //p')"
check_fails 'does not pin over what is there' 1 'File exists' ns pin "$T/pins" uts
mkdir "$T/half"
echo data >"$T/half/uts"
check_fails 'gives up what it had when one fails' 1 'File exists' ns pin "$T/half" net,ipc,uts
check_eq 'and leaves nothing of it' uts "$(ls "$T/half")"
check_fails 'does not unpin an ordinary file' 1 'no pinned namespace' ns unpin "$T/half"
check 'unpins all' ns unpin "$T/pins"
check_eq 'and leaves no file' '' "$(ls "$T/pins")"

# --- user namespaces

check 'makes a user namespace with a map' ns pin "$T/mapped" user,net,uts 0:100000:65536
defer "\"\$BUILD/examples/ns\" unpin '$T/mapped'"
check_eq 'the kernel has the map of users' '0 100000 65536' \
	"$(nsenter --user="$T/mapped/user" cat /proc/self/uid_map | tr -s ' ' | sed 's/^ //')"
check_eq 'and of groups' '0 100000 65536' \
	"$(nsenter --user="$T/mapped/user" cat /proc/self/gid_map | tr -s ' ' | sed 's/^ //')"
check_eq 'with privilege, setgroups is kept' allow \
	"$(nsenter --user="$T/mapped/user" cat /proc/self/setgroups)"
check 'the others belong to it' nsenter --user="$T/mapped/user" --uts="$T/mapped/uts" hostname owned
check 'unpins them' ns unpin "$T/mapped"

check_fails 'an ordinary user needs a user namespace' 1 'CAP_SYS_ADMIN' \
	as_nobody /mnt/ns pin "$T/both" net
check_fails 'an ordinary user may map its own id only' 1 'newuidmap' \
	as_nobody /mnt/ns pin "$T/both" user 0:65534:2
check_fails 'and gets it mapped, but no right to mount' 1 'Permission denied' \
	as_nobody /mnt/ns pin "$T/both" user,net 0:65534:1

# --- clocks

if [ -e /proc/self/ns/time ]; then
	check 'makes a time namespace' ns pin-time "$T/pins" 1000000
	up=$(nsenter --time="$T/pins/time" cut -d. -f1 /proc/uptime)
	check "its clock is ahead ($up)" test "$up" -ge 1000000
	check_fails 'refuses a clock below zero' 1 'would be below zero' ns pin-time "$T/half" -100000000
	check 'unpins it' ns unpin "$T/pins"
fi

# --- owners

mkdir "$T/source" "$T/target"
if ! in_guest; then # there it is ext4; tmpfs can have mapped owners since Linux 6.3 only
	mount -t tmpfs lcx-test-ns "$T/source"
	defer "umount '$T/source'"
fi
echo text >"$T/source/file"
chown 5:6 "$T/source/file"
if ns bind "$T/source" "$T/target" 0:100000:65536 2>"$T/words"; then
	defer "umount '$T/target'"
	check_eq 'a file appears with the mapped owner' 100005:100006 "$(stat -c %u:%g "$T/target/file")"
	check_eq 'and has its own on disk' 5:6 "$(stat -c %u:%g "$T/source/file")"
	chmod 777 "$T/source"
	(cd "$T/target" && setpriv --reuid=100007 --regid=100007 --clear-groups touch new)
	check_eq 'a file made by a mapped user has the inner id on disk' 7:7 "$(stat -c %u:%g "$T/source/new")"
	check_fails 'does not map an id that is none' 1 'CONTAINER:HOST:COUNT' \
		ns bind "$T/source" "$T/target" 0:100000:x
elif grep -q 'cannot do that' "$T/words"; then
	skip 'mounts with mapped owners' "the file system cannot: $(cat "$T/words")"
else
	fail 'shows a mount with other owners' "$T/words"
fi
