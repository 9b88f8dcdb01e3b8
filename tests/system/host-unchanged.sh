# SPDX-License-Identifier: MIT
# guest: no, an emulated processor takes minutes, and what the host has of its own is the same there
# No call of the library changes anything of the process that makes it: signals, masks, limits, umask,
# working directory, namespaces, mounts, descriptors, children, output. And no call is forgotten here.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/registry/registry.sh"
need nm

# What the program calls, it refers to; what is exported, the symbol map lists.
nm -u "$BUILD/tests/host-unchanged" | sed -n 's/.* \(lcx_[a-z0-9_]*\).*/\1/p' >"$T/called"
for function in $(sed -n 's/^[[:space:]]*\(lcx_[a-z0-9_]*\);$/\1/p' "$SRC/lib/liblcx.sym"); do
	grep -qx "$function" "$T/called" || fail "$function is called (add it to tests/system/host-calls-*.c)"
done
[ "$failures" -gt 0 ] || pass "every exported function is called"

make_rootfs "$T/rootfs"
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
registry_start plain
for tag in latest layers; do
	registry_push "$T/layout:$tag" "public/busybox:$tag"
done
# The odd one has more that could change.
for mode in plain odd; do
	mkdir -m 700 "$T/$mode"
	r=0
	"$BUILD/tests/host-unchanged" "$T/$mode" "$T/rootfs" "$T/layout" "$REGISTRY" "$mode" >"$T/out" 2>&1 || r=$?
	sed "s/^\(ok\|not ok\) - /&a host that is $mode: /" "$T/out"
	check_eq "a host that is $mode: all of it" 0 "$r"
done
