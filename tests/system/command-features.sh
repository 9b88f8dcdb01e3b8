#!/bin/sh
# SPDX-License-Identifier: MIT
# build: plain
# guest: no, what the kernel lacks is played by strace
# A kernel that lacks something, at each call in turn: either it can be done without, or an error names the step
# and the way out. Nothing is left half-made.
. "${SRC:?}/tests/system/lib.sh"
need busybox strace
make_rootfs "$T/rootfs"

# Run a container while CALL fails so: what the command says is in $T/said. True if it succeeded.
run_without() { # CALL:error=ERRNO[:when=N] [ARGUMENT]...
	fault=$1
	shift
	strace -f -o /dev/null -e trace="${fault%%:*}" -e inject="$fault" "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" \
		--run-dir "$T/lcx-run" run --rm --rootfs "$T/rootfs" "$@" true >"$T/said" 2>&1
}

check 'with everything it runs' lcx run --rm --network none --rootfs "$T/rootfs" true
leak_snapshot

for call in clone3 openat2 fsopen fsconfig fsmount open_tree move_mount mount_setattr memfd_create execveat \
	close_range seccomp statx pivot_root umount2 unshare epoll_create1; do
	if run_without "$call:error=ENOSYS" --network none; then
		fail "without $call: nobody noticed"
	else
		check_match "without $call: the step, and the version that is needed" 'lcx: run: .*: .*needs Linux 5.12' "$(cat "$T/said")"
	fi
	check_eq "without $call: no container is left" '' "$(lcx ps -aq)"
done
for call in pidfd_open pidfd_send_signal setns keyctl faccessat2 getrandom prlimit64; do
	run_without "$call:error=ENOSYS" --network none || grep -q 'needs Linux 5.12' "$T/said" || fail "without $call" "$T/said"
	check_eq "without $call: no container is left" '' "$(lcx ps -aq)"
done

lacks() { # WHAT CALL:error=ERRNO WORDS NETWORK
	! run_without "$2" --network "$4" || fail "$1: nobody noticed"
	check_match "$1" "$3" "$(cat "$T/said")"
	check_eq "$1: no container is left" '' "$(lcx ps -aq)"
}
lacks 'no such kind of namespace' clone3:error=EINVAL 'namespaces: the kernel lacks one of these kinds' none
lacks 'no more namespaces' clone3:error=ENOSPC 'namespaces: a limit in /proc/sys/user is reached' none
lacks 'no right to make namespaces' clone3:error=EPERM 'namespaces: that needs CAP_SYS_ADMIN' none
lacks 'no seccomp' seccomp:error=EINVAL 'CONFIG_SECCOMP_FILTER' none
lacks 'no such file system' fsopen:error=ENODEV "mount proc on '/proc': the kernel has no such file system" none
lacks 'no netlink' socket:error=EAFNOSUPPORT 'open a netlink socket: Address family not supported' bridge
lacks 'no bridges' sendto:error=EOPNOTSUPP 'Operation not supported' bridge
leak_check 'nothing is left of all these'
