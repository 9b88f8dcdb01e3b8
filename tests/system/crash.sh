# SPDX-License-Identifier: MIT
# What the tests of deaths and failures share: a root file system, an image, and the harness at tests/crash.
# LCX_TEST_EVERY_CALL=1 goes to every place instead of a few of each: `sh tests/run.sh sweep`.
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

crash() { # NUMBER ARGUMENT...
	[ -z "${LCX_TEST_EVERY_CALL:-}" ] || { shift && set -- 0 "$@"; }
	number=$1
	shift
	LSAN_OPTIONS='' "$BUILD/tests/crash" -n "$number" "$@" "$T/root" "$T/run" "$T/rootfs" "$T/layout" || failures=$((failures + 1))
}
