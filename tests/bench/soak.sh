#!/bin/sh
# SPDX-License-Identifier: MIT
# 20,000 containers by eight threads of one program, then 10,000 times exec and attach: is anything held that
# grows? On a quiet machine: the kernel's figures are everybody's. As root: sh tests/bench/soak.sh [CYCLES
# [CONNECTIONS]]. BUILD is a plain build (build/plain).
: "${SRC:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${BUILD:=$SRC/build/plain}"
export SRC BUILD
[ -n "${LCX_TEST_ISOLATED:-}" ] || exec sh "$SRC/tests/system/isolate.sh" 14400 sh "$0" "$@"
. "$SRC/tests/system/lib.sh"
make_rootfs "$T/rootfs"
mkdir "$T/rootfs/v"
mkdir "$T/root"
mount -t tmpfs -o mode=700 soak "$T/root"
defer 'umount "$T/root"'
"$BUILD/tests/soak" "$T/root" "$T/rootfs" "${1:-20000}" "${2:-10000}" || fail 'every cycle'
