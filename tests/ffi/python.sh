# SPDX-License-Identifier: MIT
# examples/python/ runs the whole sequence through ctypes, nothing compiled.
. "${SRC:?}/tests/system/lib.sh"
need python3 umoci busybox
LCX_LIBRARY=$(find "$BUILD/lib" -name liblcx.so | head -n 1)
export LCX_LIBRARY PYTHONDONTWRITEBYTECODE=1
make_rootfs "$T/rootfs"
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout" >/dev/null

look() { # NAME OPTION...
	name=$1
	shift
	if python3 "$SRC/examples/python/run.py" --root "$T/root" "$@" >"$T/out" 2>&1; then
		pass "$name: runs"
	else
		fail "$name: runs" "$T/out"
	fi
	for words in 'answer  *hello from web' 'exec  *id -u: 0 (status 0)' 'exec  *exit 7: status 7' \
		'log  *out: ready' 'log  *err: no page yet' 'ended  *status 137' 'removed  *0 containers'; do
		check_match "$name: $words" "$words" "$(cat "$T/out")"
	done
}
look 'a directory' --rootfs "$T/rootfs"
look 'an image' --layout "$T/layout" --ref latest
check_match 'an error has words' 'none' "$(python3 "$SRC/examples/python/run.py" --root "$T/root" --rootfs "$T/none" 2>&1)"
