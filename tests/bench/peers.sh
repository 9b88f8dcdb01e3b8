#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: BUILD=DIR sh tests/bench/peers.sh [ROUNDS]     (as root; 20 rounds take about a minute)
#
# The two commands beside those that do the same, from Debian's packages ("peers" in tests/packages): whole
# processes, from their start to their end, one of each in turns. A peer that is not installed is named as
# absent. Times are medians in milliseconds, and mean something only as ratios within one run.
#
# All see the same: a /run in memory, as a machine has it, and the cgroups of version 1 alone on a machine that
# has both, which crun refuses.
. "$(dirname "$0")/bench.sh"
need python3 jq busybox
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs shm /dev/shm
mkdir -p /var/lib/cni /run/lock
mount -t tmpfs cni /var/lib/cni
! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified

make_rootfs "$T/bundle/rootfs"
"$BUILD/examples/lcx-runtime/lcx-runtime" spec --bundle "$T/bundle"
# Debian's crun knows no version of the specification above 1.0.
jq --arg root "$T/bundle/rootfs" '.ociVersion = "1.0.0" | .root.path = $root | .process.terminal = false
	| .process.args = ["true"]' "$T/bundle/config.json" >"$T/config"
mkdir "$T/sleeps"
jq '.process.args = ["sleep", "1000"]' "$T/config" >"$T/sleeps/config.json"
mv "$T/config" "$T/bundle/config.json"
tar -C "$T/bundle/rootfs" -c . >"$T/box.tar"

cat >"$T/containers.conf" <<'END'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
events_logger = "none"
END
mkdir -p "$T/lxc" /run/lxc-bench
chmod 755 "$T"
echo "lxc.rootfs.path = dir:$T/bundle/rootfs" >"$T/lxc/config"
defer 'rmdir /sys/fs/cgroup/libpod_parent/* /sys/fs/cgroup/libpod_parent /sys/fs/cgroup/*/libpod_parent/* /sys/fs/cgroup/*/libpod_parent'
python3 "$SRC/tests/bench/peers.py" "$BUILD" "$T" "${1:-20}"
