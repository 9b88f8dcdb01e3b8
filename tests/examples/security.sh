#!/bin/sh
# SPDX-License-Identifier: MIT
# examples/security.c: the default profile at work in this kernel, users, capabilities.
. "${SRC:?}/tests/system/lib.sh"

security() { "$BUILD/examples/security" "$@"; }

check_eq 'reads a list of capabilities' '0000000000000020' "$(security caps kill | head -n 1)"
check_fails 'names what is no capability' 1 "'kil'" security caps chown,kil

mkdir -p "$T/root/etc"
printf 'web:x:1000:100::/srv:/bin/sh\n' >"$T/root/etc/passwd"
printf 'wheel:x:10:web\n' >"$T/root/etc/group"
check_eq 'finds a user' 'uid=1000 gid=100 groups=10 home=/srv' "$(security user "$T/root" web)"
check_fails 'does not take a wrong number for root' 1 'neither a number nor a name' security user "$T/root" 0x0
check_fails 'does not take an unknown name for root' 1 "no user 'nobody'" security user "$T/root" nobody

if [ "$(security caps '' | head -n 1)" ] && security confine true 2>/dev/null; then
	check_eq 'runs a program' hello "$(security confine echo hello)"
	check_fails 'keeps it from new namespaces' 1 'Operation not permitted' security confine unshare -U true
	check_fails 'keeps it from mounting' 32 'permission denied' security confine mount -t tmpfs none "$T"
	check 'runs threads and children' security confine sh -c 'sleep 0.1 & wait; true'
	check_fails 'denies one more call' 1 'Operation not permitted' security confine -mkdir -mkdirat mkdir "$T/x"
	printf '{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}' >"$T/p.json"
	security export "$T/p.json" >"$T/p.bpf"
	check 'compiles a profile' test -s "$T/p.bpf"
	check_fails 'names what is wrong in a profile' 1 'syscalls: must be a list' \
		sh -c "echo '{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": 1}' >'$T/q.json'; '$BUILD/examples/security' export '$T/q.json'"
else
	skip 'confinement' "this build has no seccomp"
fi
