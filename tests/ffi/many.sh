# SPDX-License-Identifier: MIT
# Programs of other languages that own 200 running containers at once, on one thread with an event loop.
. "${SRC:?}/tests/system/lib.sh"
need python3 luajit busybox
LCX_LIBRARY=$(find "$BUILD/lib" -name liblcx.so | head -n 1)
export LCX_LIBRARY PYTHONDONTWRITEBYTECODE=1
make_rootfs "$T/rootfs"
mkdir "$T/gate"
mkfifo "$T/gate/fifo"
says() { # NAME COMMAND...
	name=$1
	shift
	"$@" >"$T/said" 2>&1 && pass "$name" || fail "$name" "$T/said"
}

says 'Python' python3 "$SRC/examples/python/many.py" --root "$T/python" --rootfs "$T/rootfs" --count 200
check_eq 'Python: all at once, on one thread' 'running at once: 200, threads: 1' "$(sed -n 1p "$T/said")"
check_eq 'Python: each with its own end and log' 'right statuses: 200, whole logs: 200, the program went on: yes' "$(sed -n 2p "$T/said")"
check_eq 'Python: nothing is left' 'left: 0' "$(sed -n 3p "$T/said")"

says 'Lua' luajit "$SRC/examples/lua/many.lua" "$T/lua" "$T/rootfs" "$T/gate" 200
check_eq 'Lua: all at once' 'running at once: 200' "$(sed -n 1p "$T/said")"
check_match 'Lua: each with its own end and log' 'right statuses: 200, whole logs: 200,' "$(sed -n 2p "$T/said")"
check_eq 'Lua: nothing is left' 'left: 0' "$(sed -n 3p "$T/said")"
check_fails 'Lua: an error has words and a step' 1 'many.lua: .*none' luajit "$SRC/examples/lua/many.lua" "$T/lua" "$T/none" "$T/gate" 1
