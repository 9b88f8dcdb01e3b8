#!/bin/sh
# SPDX-License-Identifier: MIT
# build: plain
# The read-write layer of a container: its size limited where the file system can do that, refused by name where
# it cannot; volatile; 200 and 500 layers; and the kernel's options, none of them left to its defaults.
. "${SRC:?}/tests/system/lib.sh"
need umoci mkfs.ext4 mkfs.xfs

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
on() { # DIR COMMAND...: with the store there
	root_=$1
	shift
	"$BUILD/examples/lcx/lcx" --root "$root_/root" --run-dir "$T/run" "$@"
}
run() { # DIR ARGUMENT...
	root_=$1
	shift
	on "$root_" run --network none "$@"
}
fill='dd if=/dev/zero of=/file bs=64k count=800 2>/dev/null; rm /file'

# --- size

# A file system of the test's own, in a file.
make_disk() { # NAME MAKE OPTIONS
	truncate -s 400m "$T/$1.disk"
	$2 "$T/$1.disk" >"$T/$1.log" 2>&1
	mkdir -p "$T/$1"
	mount -o "loop,$3" "$T/$1.disk" "$T/$1" 2>"$T/$1.err" || return 1
	defer "umount -l '$T/$1'; losetup -j '$T/$1.disk' | cut -d: -f1 | xargs -r losetup -d"
	on "$T/$1" import "$T/layout" --ref latest box >/dev/null
}

enforces() { # NAME DIR
	check "$1: a container of 10 MiB" run "$2" --name small --storage-opt size=10m box sh -c 'dd if=/dev/zero of=/in bs=1k count=9000'
	check_fails "$1: holds no more" 1 'Disk quota exceeded\|No space left' \
		run "$2" --rm --storage-opt size=10m box sh -c 'dd if=/dev/zero of=/file bs=1k count=12000'
	check "$1: another one has no limit" run "$2" --rm box sh -c "$fill"
	check "$1: and another its own" run "$2" --rm --storage-opt size=60m box sh -c "$fill"
	check_match "$1: the size is what df tells" ' 10240 ' "$(run "$2" --rm --storage-opt size=10m box df -k / | tail -n 1)"
	check "$1: it is removed" on "$2" rm small
	check_eq "$1: with its limit" 0 "$(limited_projects "$2")"
}

# Projects that the file system still limits.
limited_projects() { # MOUNT
	python3 - "$1" <<-'END'
		import ctypes, os, struct, sys
		libc = ctypes.CDLL(None, use_errno=True)
		fd = os.open(sys.argv[1], os.O_RDONLY)
		count, id = 0, 1
		while True:
		    block = ctypes.create_string_buffer(112)
		    # quotactl_fd(2) with Q_GETNEXTQUOTA and PRJQUOTA
		    if libc.syscall(443, fd, ctypes.c_uint(0x80000902), id, block) < 0:
		        break
		    hard = struct.unpack_from("<Q", block, 0)[0]
		    id = struct.unpack_from("<I", block, 68)[0]
		    count += hard > 0
		    id += 1
		print(count)
	END
}

refuses() { # NAME DIR WORDS
	check_fails "$1: refused by name" 125 "($3) enforces no project quotas" run "$2" --name refused --storage-opt size=10m box true
	check_fails "$1: and nothing is left of it" 1 'refused' on "$2" rm refused
}

mkdir "$T/memory"
mount -t tmpfs -o mode=755 lcx-test-memory "$T/memory"
defer "umount '$T/memory'"
on "$T/memory" import "$T/layout" --ref latest box >/dev/null
refuses tmpfs "$T/memory" tmpfs
if make_disk plain 'mkfs.ext4 -q -O ^quota,^project' rw; then
	refuses 'ext4 without the feature' "$T/plain" ext4
fi
for disk in 'ext4:mkfs.ext4 -q -O quota,project -E quotatype=usrquota!grpquota!prjquota' 'xfs:mkfs.xfs -q'; do
	name=${disk%%:*}
	make="$(echo "${disk#*:}" | tr '!' ':')"
	if make_disk "$name" "$make" prjquota; then
		enforces "$name" "$T/$name"
	elif in_guest; then
		fail "$name: can be mounted with prjquota" "$T/$name.err"
	else
		skip "$name with project quotas" 'this kernel is built without them; the one of tests/vm has them'
	fi
done
if make_disk unenforced 'mkfs.ext4 -q -O quota,project -E quotatype=usrquota:grpquota:prjquota' noquota; then
	refuses 'ext4 mounted without prjquota' "$T/unenforced" ext4
fi
check_fails 'a size of nothing' 125 "size='0'" run "$T/memory" --storage-opt size=0 box true
check_fails 'an option that is none' 125 "no storage option 'sise'" run "$T/memory" --storage-opt sise=1g box true
make_rootfs "$T/rootfs"
check_fails 'a directory of one'\''s own has no layer to be limited' 125 'no read-write layer' \
	run "$T/memory" --rootfs "$T/rootfs" --storage-opt size=10m true

# --- volatile, and what the kernel is told

show='grep " / overlay" /proc/self/mounts || grep "^overlay / " /proc/self/mounts'
options=$(run "$T/memory" box sh -c "$show")
check_match 'an ordinary one is not volatile' ' / overlay rw' "$options"
check_eq 'not at all' '' "$(echo "$options" | grep volatile || :)"
check_match 'a volatile one is' volatile "$(run "$T/memory" --rm --storage-opt volatile=on box sh -c "$show")"
check_match 'so is one that is removed at its end' volatile "$(run "$T/memory" --rm box sh -c "$show")"
check_eq 'unless that is said' '' \
	"$(run "$T/memory" --rm --storage-opt volatile=off box sh -c "$show" | grep volatile || :)"
check_fails 'on or off' 125 "volatile='maybe'" run "$T/memory" --storage-opt volatile=maybe box true
# The kernel shows only what is not its own default: where that was changed, we differ from it.
for parameter in metacopy redirect_dir index nfs_export; do
	file=/sys/module/overlay/parameters/$parameter
	[ -w "$file" ] && [ "$(cat "$file")" = N ] || continue
	[ "$parameter" != nfs_export ] || continue
	trace=$(strace -f -s 200 -e trace=fsconfig,mount "$BUILD/examples/lcx/lcx" --root "$T/memory/root" --run-dir "$T/run" \
		run --rm --network none box true 2>&1 || :)
	check_match "the kernel is told about $parameter" "\"$parameter\"\|$parameter=" "$trace"
done

# --- many layers, of an image

many() { # COUNT: an image of so many layers, each with a file of its own
	rm -rf "$T/many"
	python3 "$SRC/tests/system/overlay-many.py" "$T/many" "$1" "$(command -v busybox)"
	on "$T/memory" import "$T/many" --ref many "many:$1" >/dev/null
}
# The usual limit of descriptors must do.
ulimit -Sn 1024
newer=$(uname -r | awk -F. '{ print ($1 > 6 || ($1 == 6 && $2 + 0 >= 8)) }')
if [ "$newer" = 1 ]; then
	many 500
	check_eq 'a container on 500 layers' 500 "$(run "$T/memory" --rm many:500 /busybox sh -c '/busybox ls / | /busybox grep -c ^file')"
else
	# (What is too many there is in overlay-mount.)
	many 150
	check_eq 'a container on 150 layers' 150 "$(run "$T/memory" --rm many:150 /busybox sh -c '/busybox ls / | /busybox grep -c ^file')"
fi
check_fails '501 layers are refused with the number' 1 '501 layers are more than 500' many 501
