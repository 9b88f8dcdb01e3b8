#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: with.sh [tls] [token|basic] -- COMMAND...
# Start a registry, filled with the busybox images as public/busybox:TAG and with Debian as debian:bookworm
# and debian:bookworm-zstd, run the command with REGISTRY, REGISTRY_CA and REGISTRY_CREDS set, stop it.
set -eu
SRC=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$SRC/build}
export SRC BUILD
. "$SRC/tests/system/lib.sh"
. "$SRC/tests/registry/registry.sh"

options=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	options="$options $1"
	shift
done
[ $# -gt 1 ] || { sed -n '3,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
shift

# shellcheck disable=SC2086
registry_start with $options
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/busybox"
sh "$SRC/tests/registry/mkimage.sh" debian "$T/debian"
for tag in latest web env entry layers; do
	registry_push "$T/busybox:$tag" "public/busybox:$tag"
done
for tag in bookworm bookworm-zstd; do
	registry_push "$T/debian:$tag" "debian:$tag"
done
export REGISTRY REGISTRY_CA REGISTRY_CREDS REGISTRY_LOG REGISTRY_STORE
"$@"
