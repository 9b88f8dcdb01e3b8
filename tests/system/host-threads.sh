#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, threads are the same there
# build: tsan
# A host of 64 threads that allocate, open files and resolve names while 1,000 containers start and stop.
. "${SRC:?}/tests/system/lib.sh"

make_rootfs "$T/rootfs"
n=1000
! in_guest || n=50
TSAN_OPTIONS="halt_on_error=0 exitcode=66 log_path=$T/tsan" \
	check "64 threads and $n containers: no deadlock, no leaked descriptor, no failure" \
	"$BUILD/tests/host-threads" "$T/root" "$T/rootfs" "$n"
cat "$T/check.out" | sed 's/^/# /' | head -20
check_eq "no data race" "" "$(cat "$T"/tsan.* 2>/dev/null | head -60)"
