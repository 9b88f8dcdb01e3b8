#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: BUILD=DIR sh tests/bench/image-bench.sh [ROUNDS]      (as root; 3 rounds take about five minutes)
#
# How long it takes to bring a Debian of 200 MB from a registry on this machine into a fresh store on a tmpfs, ready
# to be mounted: as one layer, as twenty, compressed by gzip and by zstd. In turns with podman, skopeo and umoci,
# containerd, as far as they are installed and can do it, and with the floor: curl | gzip -dc | tar x.
# Times are medians, and mean something only as ratios within one run. Memory is that of the largest process.
. "$(dirname "$0")/bench.sh"
. "$SRC/tests/registry/registry.sh"
need umoci skopeo python3 curl zstd
mount -t tmpfs -o mode=700,size=8g lcx-image-bench "$T"
defer "umount -l '$T'"

sh "$SRC/tests/registry/mkimage.sh" debian "$T/debian"
umoci unpack --image "$T/debian:bookworm" "$T/bundle" >"$T/umoci.log" 2>&1
# A minimal Debian is of 115 MB; some of this machine's own make it 200.
find /usr/lib /usr/bin -xdev -type f -size +16k | LC_ALL=C sort | tr '\n' '\0' |
	tar --null -T - -cf - 2>/dev/null | head -c 86000000 | tar -C "$T/bundle/rootfs" -xf - 2>/dev/null || :
python3 "$SRC/tests/bench/image-layouts.py" "$T/bundle/rootfs" "$T/layout"
rm -rf "$T/bundle" "$T/debian"
registry_start plain
for tag in one-gzip one-zstd twenty-gzip twenty-zstd; do
	registry_push "$T/layout:$tag" "debian:$tag"
done
rm -rf "$T/layout"

if command -v containerd >/dev/null; then
	mkdir -p "$T/containerd"
	containerd --root "$T/containerd/root" --state "$T/containerd/state" --address "$T/containerd/socket" \
		>"$T/containerd/log" 2>&1 &
	containerd=$!
	defer "kill $containerd; wait $containerd"
	wait_for 20 test -S "$T/containerd/socket"
	export CONTAINERD_PID=$containerd CONTAINERD_ADDRESS=$T/containerd/socket
fi
python3 "$SRC/tests/bench/image-bench.py" "$BUILD" "$REGISTRY" "$T" "${1:-3}"
