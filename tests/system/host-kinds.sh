# SPDX-License-Identifier: MIT
# guest: no, a host program is the same there
# build: plain
# Programs that live otherwise than ours: many descriptors, vfork(2), the library loaded again and again.
# (One that ignores SIGCHLD is host-unchanged's "odd" one.)
. "${SRC:?}/tests/system/lib.sh"
make_rootfs "$T/rootfs"
library=$(find "$BUILD/lib" -name liblcx.so | head -n 1)
try() { # NAME KIND
	check "$1" timeout 120 "$BUILD/tests/host-kinds" "$T/root" "$T/rootfs" "$2" "$library"
	[ "$failures" -gt 0 ] || sed 's/^/# /' "$T/check.out"
}
try 'a host with 2,000 descriptors, of which the container sees none' descriptors
try 'a host that uses vfork and waits for any child' vfork
try 'a host that loads and unloads the library 100 times' loads
