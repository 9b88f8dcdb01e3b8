#!/bin/sh
# SPDX-License-Identifier: MIT
# examples/ns.c: what it says; what it does is in tests/system/ns-namespaces.sh.
. "${SRC:?}/tests/system/lib.sh"

ns() { "$BUILD/examples/ns" "$@"; }

check_eq 'lists all kinds' 'cgroup ipc mnt net pid time user uts' \
	"$(ns list | cut -d' ' -f1 | tr '\n' ' ' | sed 's/ $//')"
check_eq 'agrees with the kernel' "$(stat -L -c %i /proc/self/ns/net)" "$(ns list | sed -n 's/^net //p')"
check_fails 'misses a process' 1 'no process 999999999' ns list 999999999
check_fails 'refuses a word that is none' 1 "no kind 'nte'" ns pin "$T" nte
check_fails 'says why there is no pid namespace' 1 'first process' ns pin "$T" pid
check_fails 'wants a map for users' 1 'needs a map' ns pin "$T" user
check_fails 'explains a bad map' 1 'CONTAINER:HOST:COUNT' ns pin "$T" user 0-1
check 'makes and pins' ns pin "$T" uts
check 'lets go' ns unpin "$T"
