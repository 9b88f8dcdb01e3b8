#!/bin/sh
# SPDX-License-Identifier: MIT
# build: plain
# guest: no, it is the same library that dies, and strace is slow there
# beside: it makes no control groups
# Whatever works on the store is killed at every call by which it changes something, and has each of them fail for
# a full disk. What is there afterwards is whole, the work can be done again, and nothing is left of the dead.
. "${SRC:?}/tests/system/lib.sh"
need strace umoci
# All of them take three minutes: LCX_TEST_EVERY_CALL=1.
step=16
[ -z "${LCX_TEST_EVERY_CALL:-}" ] || step=1
CALLS='openat mkdirat renameat renameat2 unlinkat ftruncate write pwrite64 fsync syncfs flock fchmod'

mount -t tmpfs -o mode=700 lcx-test-fast "$T"
defer "umount '$T'"
images=$T/store/images
tool() { "$BUILD/tests/image-tool" "$T/store" "$@"; }

umoci init --layout "$T/layout"
umoci new --image "$T/layout:tiny"
mkdir -p "$T/tree/a/b"
echo content >"$T/tree/a/b/file"
umoci insert --image "$T/layout:tiny" "$T/tree" /one >"$T/umoci.log" 2>&1
umoci insert --image "$T/layout:tiny" --whiteout /one/a/b >"$T/umoci.log" 2>&1
umoci tag --image "$T/layout:tiny" other
umoci config --image "$T/layout:other" --config.cmd other

import() { tool import "$T/layout" tiny tiny:1; }
layer=$(import | sed -n 's/^layer //p' | tail -n 1)
spoil() { echo other >"$layer/one/a/b/file"; }

# What must hold after anything: nothing is half there, and the image is whole or can be made so.
recover() {
	tool gc && import && { tool verify || { import && tool verify; }; } && tool remove tiny:1 &&
		! find "$images" -mindepth 2 ! -path '*/sha256' ! -path '*/sha512' | grep .
}

inject() { # WHAT N COMMAND...
	what_=$1
	shift
	strace -f -qq -o "$T/trace" -e trace="$call" -e inject="$call:$what_:when=$1" "$BUILD/tests/image-tool" "$T/store" \
		"$2" ${3:+"$3"} ${4:+"$4"} ${5:+"$5"} >"$T/out" 2>&1
}

# strace counts each call by itself, so each has its turn; it ends when there is no such call any more.
each() { # NAME INJECTION BEFORE COMMAND...
	name=$1 injection=$2 before=$3 hits=0 failures_before=$failures
	shift 3
	for call in $CALLS; do
		n=1
		[ "$call" != openat ] || n=20 # before that it loads libraries
		while :; do
			"$before" >"$T/before" 2>&1 || fail "$name: before $call $n" "$T/before"
			inject "$injection" "$n" "$@" || :
			grep -q -e INJECTED -e 'killed by SIGKILL' "$T/trace" || break
			recover >"$T/after" 2>&1 || { cat "$T/out" >>"$T/after"; fail "$name, $call $n" "$T/after"; }
			n=$((n + step)) hits=$((hits + 1))
			[ "$failures" -le $((failures_before + 5)) ] || return 0
		done
		recover >"$T/after" 2>&1 || fail "$name, whole" "$T/after"
	done
	[ "$failures" -gt "$failures_before" ] || pass "$name: at $hits calls, and the store is whole"
	check "$name: that were many calls" test "$hits" -ge 3
}
nothing() { :; }
present() { import; }
damaged() { import && spoil && ! tool verify; }

recover >/dev/null
each 'import, killed' signal=SIGKILL nothing import "$T/layout" tiny tiny:1
each 'import, no room' error=ENOSPC nothing import "$T/layout" tiny tiny:1
each 'import of what is damaged, killed' signal=SIGKILL damaged import "$T/layout" tiny tiny:1
each 'remove, killed' signal=SIGKILL present remove tiny:1
each 'remove, no room' error=ENOSPC present remove tiny:1
each 'verify, killed' signal=SIGKILL present verify tiny:1

# --- really no room, by every few blocks
mkdir "$T/small"
sizes=0
for size in 20 60 68 72 80 88 96 104 120 160 240 400 8192 8240 8256 8264 8272 8288 8304 8320 8352 8400 8600; do
	mount -t tmpfs -o "mode=700,size=${size}k" lcx-test-small "$T/small"
	r=0
	"$BUILD/tests/image-tool" "$T/small/store" import "$T/layout" tiny tiny:1 >"$T/out" 2>&1 || r=$?
	if [ "$r" -ne 0 ] && ! grep -q '^ENOSPC' "$T/out"; then
		fail "a disk of $size KiB is reported as full" "$T/out"
	fi
	[ "$r" -eq 0 ] || sizes=$((sizes + 1))
	mount -o remount,size=40m "$T/small"
	for work in gc "import $T/layout tiny tiny:1" verify; do
		# shellcheck disable=SC2086
		"$BUILD/tests/image-tool" "$T/small/store" $work >"$T/out" 2>&1 || fail "after a disk of $size KiB: $work" "$T/out"
	done
	umount "$T/small"
done
check 'disks were full at several points' test "$sizes" -ge 3
