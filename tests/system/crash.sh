# SPDX-License-Identifier: MIT
# What the tests of deaths and failures share: a root file system, an image, and the harness at tests/crash.
# LCX_TEST_EVERY_CALL=1 goes to every place instead of a few of each: `sh tests/run.sh sweep`. A place where
# something fails is a chain of calls of functions and an error, and is tried the first time that the program comes
# by and the last time; with LCX_TEST_EVERY_CALL=all it is tried each time.
. "${SRC:?}/tests/system/lib.sh"
need busybox umoci nft criu

mount -t tmpfs -o mode=700 lcx-test-fast "$T"
defer "umount /usr/sbin/criu; umount '$T'"
make_rootfs "$T/rootfs"
mkdir -p "$T/files/a/b"
echo content >"$T/files/a/b/file"
{
	umoci init --layout "$T/layout"
	umoci new --image "$T/layout:base"
	umoci insert --image "$T/layout:base" "$T/rootfs" /
	umoci new --image "$T/layout:small"
	umoci insert --image "$T/layout:small" "$T/files" /one
	umoci insert --image "$T/layout:small" --whiteout /one/a/b
} >"$T/umoci.log" 2>&1

# In the place of the machine's: what it is told to dump it has, without a look at it. Its descriptor 4 is the directory.
cat >"$T/criu" <<'END'
#!/bin/sh
request=$(dd bs=65536 count=1 <&3 2>/dev/null | od -An -v -tx1 | tr -d ' \n')
case $request in
080a*)
	printf '\010\012\020\001\122\004\010\003\020\021' >&3
	exit
	;;
esac
for image in inventory pstree pages-1 pagemap-1; do
	: >/proc/self/fd/4/$image.img
done
case $request in # link_remap
*900101*)
	printf '\010\001\020\000' >&3
	exit
	;;
esac
printf '\010\006\020\001\052\013\012\011post-dump' >&3
dd bs=65536 count=1 <&3 >/dev/null 2>&1
printf '\010\001\020\001' >&3
END
chmod 755 "$T/criu"
mount --bind "$T/criu" /usr/sbin/criu

# Several at once, each in namespaces of its own; they share what there is to do.
crash() { # NUMBER ARGUMENT...
	jobs=1
	if [ -n "${LCX_TEST_EVERY_CALL:-}" ]; then
		jobs=$(nproc)
		shift
		[ "$LCX_TEST_EVERY_CALL" != all ] || set -- -a "$@"
		set -- 0 "$@"
	fi
	rm -rf "$T/claims" && mkdir "$T/claims"
	workers=
	while [ "$jobs" -gt 0 ]; do
		unshare --net --mount --pid --ipc --fork --kill-child --mount-proc sh -c '
			T=$1/$2 && shift 2 && rm -rf "$T" && mkdir "$T" && ip link set lo up || exit 1
			"$@" "$T/root" "$T/run" "${T%/*}/rootfs" "${T%/*}/layout"
			exit $? # and not exec: somebody must reap the orphans
		' sh "$T" "$jobs" env LSAN_OPTIONS='' "$BUILD/tests/crash" -c "$T/claims" -n "$@" &
		workers="$workers $!" jobs=$((jobs - 1))
	done
	for worker in $workers; do
		wait "$worker" || failures=$((failures + 1))
	done
}
