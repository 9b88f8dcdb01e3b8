#!/bin/sh
# SPDX-License-Identifier: MIT
# examples/cgroup.c: a command within limits.
. "${SRC:?}/tests/system/lib.sh"

path=/lcx-test-example-$$/one
limited() { "$BUILD/examples/cgroup" "$@"; }

check_eq 'runs a command' hello "$(limited -m 64 -p 20 "$path" echo hello 2>"$T/err")"
check_match 'tells what it used' 's of CPU' "$(cat "$T/err")"
check_fails 'passes its exit code on' 3 'of CPU' limited "$path" sh -c 'exit 3'
check_fails 'kills it at the memory limit' 137 'out of memory' \
	limited -m 8 "$path" sh -c 'exec python3 -c "x = bytearray(100 << 20)"'
check_fails 'ends it in time, with its children' 137 'of CPU' limited -t 1 "$path" sh -c 'sleep 60 & sleep 60'
check_fails 'names a bad path' 125 'cannot be the path' limited ../up true
