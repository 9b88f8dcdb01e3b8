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

# --- hosts in different time namespaces, which read different start times in /proc

elsewhere() { # COMMAND...: where the boot was longer ago
	unshare -T --fork --boottime 1000000 "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" "$@"
}
list='{{.Names}} {{.State}}'
lcx run -d --name here --network none --rootfs "$T/rootfs" sleep 100 >/dev/null
defer 'lcx rm -f here there >/dev/null 2>&1'
elsewhere run -d --name there --network none --rootfs "$T/rootfs" sleep 100 >/dev/null
check 'the other one is in a time namespace' test "$(readlink /proc/self/ns/time)" != "$(unshare -T --fork readlink /proc/self/ns/time)"
check_eq 'both are seen to run' "here running
there running" "$(lcx ps -a --format "$list" | sort)"
check_eq 'and from there' "here running
there running" "$(elsewhere ps -a --format "$list" | sort)"
check_eq 'a program is run in one, from there' yes "$(elsewhere exec here echo yes)"
check_eq 'and from here' yes "$(lcx exec there echo yes)"
check 'each is ended from the other side' lcx stop -t 1 there
check 'each is ended from the other side: back' elsewhere stop -t 1 here
