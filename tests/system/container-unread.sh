# SPDX-License-Identifier: MIT
# build: plain
# guest: no, the failures are made, not the kernel's
# A disk that does not answer while somebody opens the library and cleans up: no call that fails may end containers
# that run, whoever owns them.
. "${SRC:?}/tests/system/lib.sh"
need busybox strace
make_rootfs "$T/rootfs"
command=$BUILD/examples/lcx/lcx
pid_of() { lcx inspect "$1" | sed -n 's/.*"pid": *\([0-9]*\),*/\1/p' | head -n 1; }
lcx run -d --name monitored --network none --rootfs "$T/rootfs" sleep 1000 >/dev/null
defer 'lcx rm -f monitored'
lcx run --name owned --network none --rootfs "$T/rootfs" sleep 1000 &
defer 'lcx rm -f owned'
wait_for 20 sh -c '"$0" --root "$T/lcx-root" --run-dir "$T/lcx-run" ps | grep -q owned' "$command"
monitored=$(pid_of monitored) owned=$(pid_of owned)
check 'both run' kill -0 "$monitored" "$owned"

# Of each kind of call by which it reads: how often, and how often before it comes to the containers.
strace -f -qq -o "$T/calls" "$command" --root "$T/lcx-root" --run-dir "$T/lcx-run" gc
first=$(grep -n 'openat(.*/lcx-root"' "$T/calls" | sed 's/:.*//;q')
# All of them: LCX_TEST_EVERY_CALL=1.
step=3
[ -z "${LCX_TEST_EVERY_CALL:-}" ] || step=1
dead='' failed=0
for call in openat openat2 read pread64 getdents64 readlinkat pidfd_open; do
	from=$(head -n "$((first - 1))" "$T/calls" | grep -c "^[0-9]* *$call(" || :)
	to=$(grep -c "^[0-9]* *$call(" "$T/calls" || :)
	n=$from
	while [ "$n" -lt "$to" ] && [ -z "$dead" ]; do
		n=$((n + step)) failed=$((failed + 1))
		strace -f -qq -o "$T/out" -e trace=$call -e "inject=$call:error=EIO:when=$n" \
			"$command" --root "$T/lcx-root" --run-dir "$T/lcx-run" gc >/dev/null 2>&1 || :
		kill -0 "$monitored" "$owned" 2>/dev/null || dead="$call $n: $(tail -n 3 "$T/out")"
	done
done
check_eq "both still run after $failed calls that failed with EIO" '' "$dead"
check "of which there were enough" test "$failed" -gt $((30 / step))
check_eq 'and are known to' 'monitored owned' "$(lcx ps --format '{{.Names}}' | sort | tr '\n' ' ' | sed 's/ $//')"
check 'the disk answers again, and nothing is cleaned up' lcx gc
check 'they run' kill -0 "$monitored" "$owned"
