# SPDX-License-Identifier: MIT
# examples/event.c: many containers, one loop.
. "${SRC:?}/tests/system/lib.sh"
make_rootfs "$T/rootfs"
export LCX_ROOT="$T/root"
timeout 60 "$BUILD/examples/event" "$T/rootfs" 'exit 0' 'exit 3' 'sleep 1; exit 5' 'sh -c "kill -9 \$\$"; exit $?' >"$T/out" 2>&1 || echo "status $?" >>"$T/out"

check_match 'the first ends' '^container 0 exited with 0$' "$(cat "$T/out")"
check_match 'each has its own exit status' '^container 1 exited with 3$' "$(cat "$T/out")"
check_match 'also the slow one' '^container 2 exited with 5$' "$(cat "$T/out")"
check_match 'a signal is 128 and its number' '^container 3 exited with 137$' "$(cat "$T/out")"
check_eq 'all were started' 4 "$(grep -c started "$T/out")"
check_fails 'says what is wrong' 1 'no-such-directory' "$BUILD/examples/event" "$T/no-such-directory" true
check_eq 'leaves no container' '' "$("$BUILD/examples/lcx/lcx" --root "$LCX_ROOT" ps -aq)"
