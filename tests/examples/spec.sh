#!/bin/sh
# SPDX-License-Identifier: MIT
# examples/spec.c: a description written and read again, and bad ones named.
. "${SRC:?}/tests/system/lib.sh"

spec() { "$BUILD/examples/spec" "$@"; }

spec new root=rootfs hostname=web user=1000:100 env=A=1 memory=1048576 pids=7 cap-drop=ALL cap-add=kill \
	bind=/srv:/data tmpfs=/tmp readonly=1 -- sh -c 'exit 0' >"$T/config.json"
check 'reads what it writes' spec check "$T/config.json"
check_eq 'knows the program and the root' "good: runs 'sh' in 'rootfs'" "$(spec check "$T/config.json")"
check 'writes the limit' grep -q '"limit": 1048576' "$T/config.json"
check 'drops capabilities' sh -c "! grep -q CAP_CHOWN '$T/config.json'"
check_fails 'names an unknown option' 1 "unknown option 'colour=red'" spec new colour=red -- sh
check_fails 'names a bad value' 1 "memory limit" spec new memory=-5 -- sh

printf '{"ociVersion": "1.0.0", "linux": {"resources": {"memory": {"limit": "64m"}}}}' >"$T/bad.json"
check_fails 'names the path' 1 'linux.resources.memory.limit: must be an integer' spec check "$T/bad.json"
printf '{"ociVersion": "1.0.0", "linux": {"personality": {"domain": "LINUX", "flags": ["X"]}}}' >"$T/later.json"
check_fails 'refuses what has no effect' 1 'linux.personality.flags' spec check "$T/later.json"
printf '{"ociVersion": "1.0.0", "windows": {}}' >"$T/other.json"
check_eq 'tells what it ignores' 'warning: windows: unknown property, ignored' "$(spec check "$T/other.json" | head -n 1)"
