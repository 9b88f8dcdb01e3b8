# SPDX-License-Identifier: MIT
# One container and several programs, or one program in trouble: see container-owners.c.
. "${SRC:?}/tests/system/lib.sh"
need busybox
make_rootfs "$T/rootfs"
tests=$("$BUILD/tests/container-owners" list)
# Locks and files are the same there.
! in_guest || tests='a-chosen-cgroup-serves-all a-foreign-cgroup-is-refused'
for test in $tests; do
	leak_snapshot
	check "$test" timeout 60 "$BUILD/tests/container-owners" "$T/lcx-root" "$T/lcx-run" "$T/rootfs" "$test"
	check_eq "$test: no container is left" '' "$(lcx ps -aq)"
	check_eq "$test: no run directory is left" '' "$(ls "$T/lcx-run/containers")"
	leak_check "$test: nothing is left"
done
