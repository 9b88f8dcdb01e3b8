# SPDX-License-Identifier: MIT
# examples/process.c: several processes in one container, from one event loop.
. "${SRC:?}/tests/system/lib.sh"
make_rootfs "$T/rootfs"
export LCX_ROOT="$T/root"
"$BUILD/examples/process" "$T/rootfs" 'echo one; exit 1' 'echo two; sleep 1; exit 2' 'kill -9 $$' >"$T/out" 2>&1

check_match 'each prints' '^one$' "$(cat "$T/out")"
check_match 'each has its own exit status' "^'echo one; exit 1' ended with 1$" "$(cat "$T/out")"
check_match 'also the slow one' "ended with 2$" "$(cat "$T/out")"
check_match 'a signal is 128 and its number' "ended with 137$" "$(cat "$T/out")"
check_fails 'says what is wrong' 1 'no-such-directory' "$BUILD/examples/process" "$T/no-such-directory" true
check_eq 'leaves no container' '' "$("$BUILD/examples/lcx/lcx" --root "$LCX_ROOT" ps -aq)"
