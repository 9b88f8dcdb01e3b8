#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: BUILD=DIR sh tests/bench/net-kill.sh      (as root; a few minutes)
#
# Whoever attaches a container is killed (SIGKILL) at every third call by which he changes something, and the container
# ends: by this library, and by the CNI plugins bridge, host-local and portmap. What is left then; what is left after the
# next container, whose owner does not know of the former one (the library looks for such things when a context is
# opened, the plugins do not); and what is left after DEL, for which somebody must have kept the container's id and
# configuration. Counted in kills.
. "$(dirname "$0")/bench.sh"
need python3 ip nft strace
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns
mkdir "$T/root"
mount -t tmpfs -o mode=700 root "$T/root"
defer 'umount "$T/root"'
python3 "$SRC/tests/bench/net-kill.py" "$BUILD/tests/net-tool" "$T/root"
