#!/bin/sh
# SPDX-License-Identifier: MIT
# Months in short: starts and ends of mixed containers by one program with eight threads, and the slopes of what it has.
# As root, by hand: sh tests/bench/soak.sh [CYCLES]. BUILD is a plain build (build/plain).
set -eu
SRC=$(cd "$(dirname "$0")/../.." && pwd)
: "${BUILD:=$SRC/build/plain}"
export SRC BUILD LCX_SOAK_CYCLES="${1:-${LCX_SOAK_CYCLES:-20000}}"
if [ -z "${LCX_TEST_ISOLATED:-}" ]; then
	exec sh "$SRC/tests/system/isolate.sh" 14400 sh "$SRC/tests/bench/soak.sh"
fi
. "$SRC/tests/system/lib.sh"
make_rootfs "$T/rootfs"
mkdir "$T/rootfs/v"
nice "$BUILD/tests/bench-soak" "$T/lcx-root" "$T/lcx-run" "$T/rootfs" "$LCX_SOAK_CYCLES"
check_eq 'no container is left' '' "$(lcx ps -aq)"
check_eq 'no volume' '' "$(lcx volume ls -q)"
check_eq 'no run directory' '' "$(ls "$T/lcx-run/containers")"
