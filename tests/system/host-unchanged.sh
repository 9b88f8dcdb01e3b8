# SPDX-License-Identifier: MIT
# No call of the library changes anything of the process that makes it: signals, masks, limits, umask,
# working directory, namespaces, mounts, descriptors, children, output.
. "${SRC:?}/tests/system/lib.sh"

make_rootfs "$T/rootfs"
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
for mode in plain odd; do
	mkdir -m 700 "$T/$mode"
	r=0
	"$BUILD/tests/host-unchanged" "$T/$mode" "$T/rootfs" "$T/layout" "$mode" >"$T/out" 2>&1 || r=$?
	sed "s/^\(ok\|not ok\) - /&a host that is $mode: /" "$T/out"
	check_eq "a host that is $mode: all of it" 0 "$r"
done
