#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: run-bench.sh LCX_BENCH [RUNS]
# Run the benchmark in network and mount namespaces of its own, on a tmpfs.
set -eu
bench=$(realpath "$1")
here=$(cd "$(dirname "$0")/.." && pwd)
exec unshare --net --mount --propagation private sh -c '
	set -eu
	ip link set lo up
	work=$(mktemp -d)
	mount -t tmpfs lcx-bench "$work"
	sh "$1/registry/mkimage.sh" busybox "$work/layout" >/dev/null
	mkdir "$work/root"
	r=0
	"$2" "$work/root" "$work/layout" $3 || r=$?
	umount "$work"
	rmdir "$work"
	exit $r' sh "$here" "$bench" "${2:-100}"
