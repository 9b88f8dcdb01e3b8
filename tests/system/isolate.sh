#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: isolate.sh SECONDS COMMAND...
# Run a test in network, mount, process and IPC namespaces of its own, with a time limit, and see that
# it leaves nothing behind: the namespaces keep a faulty test off the machine, and all that is in them
# belongs to the test. (Control groups and files are the machine's.) Root only.
set -eu

if [ "${1:-}" != --inside ]; then
	exec unshare --net --mount --pid --ipc --fork --kill-child --mount-proc --propagation private \
		sh "$0" --inside "$@" </dev/null
fi

shift
limit=$1
shift
here=$(dirname "$0")
export LCX_TEST_ISOLATED=1

ip link set lo up
# A private /run/netns, so that named namespaces neither reach nor depend on the machine's.
mkdir -p /run/netns
mount -t tmpfs -o mode=755 lcx-test-netns /run/netns

record=$(mktemp -d "${TMPDIR:-/tmp}/lcx-record.XXXXXX")
TMPDIR=$record/tmp
export TMPDIR
mkdir -m 1777 "$TMPDIR"
sh "$here/leaks.sh" snapshot "$record"

r=0
timeout --kill-after=10 "$limit" "$@" || r=$?
[ "$r" -ne 124 ] && [ "$r" -ne 137 ] || echo "not ok - finished within $limit seconds"

if sh "$here/leaks.sh" check "$record" >"$record/left" 2>&1; then
	echo "ok - left nothing behind"
else
	echo "not ok - left nothing behind"
	sed 's/^/# /' "$record/left"
	[ "$r" -ne 0 ] || r=1
fi
rm -rf "$record"
exit "$r"
