# SPDX-License-Identifier: MIT
# What the tests of deaths and failures share: a root file system, an image, and the harness at tests/crash.
# LCX_TEST_EVERY_CALL=1 goes to every place instead of a few of each: `sh tests/run.sh sweep`. A place where
# something fails is a chain of calls of functions and an error, and is tried the first time that the program comes
# by and the last time; with LCX_TEST_EVERY_CALL=all it is tried each time.
. "${SRC:?}/tests/system/lib.sh"
need busybox umoci nft

mount -t tmpfs -o mode=700 lcx-test-fast "$T"
defer "umount '$T'"
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
