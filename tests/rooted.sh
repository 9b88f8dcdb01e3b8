#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: rooted.sh COMMAND...
# Run a command where "/" is a mount point. In a chroot it is not, and there the kernel neither gives user
# namespaces nor lets anybody leave the root directory by pivot_root(2). So, in a mount namespace of our
# own: step out of the chroot, make its directory a mount, and that mount the root. What the chroot
# misses of /sys, /dev and /run is mounted for the time of the command.
set -eu
! mountpoint -q / || exec "$@"
[ "$(id -u)" -eq 0 ] || exec "$@"
[ -e /proc/self/ns/mnt ] || { echo "rooted.sh: no /proc in this chroot: mount -t proc proc /proc" >&2; exit 1; }

# Descriptor 9 is the chroot; entering a mount namespace, even the own, has its true root.
exec 9</
# shellcheck disable=SC2016
exec unshare --mount --propagation unchanged nsenter --mount=/proc/self/ns/mnt sh -ec '
	mount --make-rprivate /
	cd /proc/self/fd/9
	exec 9<&-
	root=$(pwd -P)
	mount --rbind "$root" "$root"
	cd "$root"
	mountpoint -q sys || mount --rbind /sys sys
	mountpoint -q dev || mount --rbind /dev dev
	mountpoint -q run || mount -t tmpfs -o mode=755 tmpfs run
	pivot_root . .
	umount -l .
	cd /
	exec chroot . "$@"' sh "$@"
