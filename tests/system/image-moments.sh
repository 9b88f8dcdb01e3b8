#!/bin/sh
# SPDX-License-Identifier: MIT
# build: plain
# guest: no, it is the same library that dies and goes on
# beside: it makes no control groups
# A pull is killed at random moments (60; 200 with LCX_TEST_EVERY_CALL=1), each with an empty store, and repeated: it completes, asks the registry
# for the bytes that are missing and no others, and the store verifies.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/registry/registry.sh"
need umoci skopeo python3

mount -t tmpfs -o mode=700 lcx-test-fast "$T"
defer "umount '$T'"
umoci init --layout "$T/layout"
umoci new --image "$T/layout:random"
for n in 1 2 3; do
	mkdir -p "$T/tree/dir/$n"
	head -c 3000000 /dev/urandom >"$T/tree/dir/$n/random"
	for file in 1 2 3 4 5 6 7 8; do
		echo "$file" >"$T/tree/dir/$n/$file"
	done
	umoci insert --image "$T/layout:random" "$T/tree" "/$n" >"$T/umoci.log" 2>&1
	rm -r "$T/tree"
done
moments=60
[ -z "${LCX_TEST_EVERY_CALL:-}" ] || moments=200
registry_start plain
registry_push "$T/layout:random" random:1
python3 "$SRC/tests/system/image-moments.py" "$BUILD/tests/image-tool" "$REGISTRY/random:1" "$REGISTRY_LOG" "$T" "$moments" || fail 'the killer ends well'
