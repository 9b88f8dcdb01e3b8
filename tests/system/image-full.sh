#!/bin/sh
# SPDX-License-Identifier: MIT
# build: plain
# guest: no, it is the same file system there
# beside: it makes no control groups
# A disk that is full at any page of a pull (15 of them; every one with LCX_TEST_EVERY_CALL=1), or has no file left: an error with
# words, and with more room the pull goes on and the store verifies.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/registry/registry.sh"
need umoci skopeo

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/busybox"
registry_start plain
registry_push "$T/busybox:layers" busybox:layers
mkdir "$T/disk"
defer "umount '$T/disk' 2>/dev/null"
images=$T/disk/store/images
it() { "$BUILD/examples/lcx/lcx" --root "$T/disk/store" --run-dir "$T/disk/run" --quiet "$@"; }
pull() { it pull --plain-http --layer-limit free-bytes=0 "$REGISTRY/busybox:layers"; }
disk() { mount -t tmpfs -o "mode=700,$1" lcx-test-full "$T/disk"; }

disk size=64m
pull
pages=$(($(df --output=used -k "$T/disk" | tail -n 1) / 4))
files=$(df --output=iused "$T/disk" | tail -n 1)
umount "$T/disk"

every() { # TOTAL PARTS: the step
	[ -n "${LCX_TEST_EVERY_CALL:-}" ] && echo 1 || echo $(($1 / $2 + 1))
}

# What is wrong, if anything is.
try() { # OPTION: what the disk has
	disk "$1"
	if pull >"$T/words" 2>&1; then
		:
	elif grep -q 'No space left\|bytes are left' "$T/words"; then
		n=$((n + 1))
	else
		echo "$1: $(cat "$T/words")" >>"$T/bad"
	fi
	mount -o remount,size=64m,nr_inodes=100000 "$T/disk"
	pull >"$T/words" 2>&1 && it image verify >"$T/words" 2>&1 || echo "$1, then: $(cat "$T/words")" >>"$T/bad"
	it gc >"$T/words" 2>&1 || echo "$1, gc: $(cat "$T/words")" >>"$T/bad"
	find "$images/tmp" "$images/pins" "$images/partial" -mindepth 1 | sed "s|^|$1, left: |" >>"$T/bad"
	umount "$T/disk"
}
verdict() { # NAME LEAST
	echo "# $n pulls met it"
	[ ! -s "$T/bad" ] || fail "$1" "$T/bad"
	check "$1" test "$n" -ge "$2"
	: >"$T/bad"
}

n=0
: >"$T/bad"
for at in $(seq 2 "$(every "$pages" 15)" "$pages"); do try "size=$((at * 4))k,nr_inodes=100000"; done
verdict 'survives a disk that is full at any page' 10
n=0
for at in $(seq 2 "$(every "$files" 6)" "$files"); do try "size=64m,nr_inodes=$at"; done
verdict 'and one that has no room for another file' 3
