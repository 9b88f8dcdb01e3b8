#!/bin/sh
# SPDX-License-Identifier: MIT
# Process 1 of the guest, on the host's files: furnish /dev, /sys and the network, run the command with
# its output on the virtio port, leave its exit code and stop the machine.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
out=/run/lcx-vm-out

mkdir -p /dev/pts /dev/shm /dev/mqueue /run/lock
mount -t devpts -o mode=620,ptmxmode=666,gid=5 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t mqueue mqueue /dev/mqueue
mount -t securityfs securityfs /sys/kernel/security
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
ln -sf /proc/self/fd /dev/fd
ln -sf /proc/self/fd/0 /dev/stdin
ln -sf /proc/self/fd/1 /dev/stdout
ln -sf /proc/self/fd/2 /dev/stderr
hostname lcx-guest
ip link set lo up
# The kernel asks for most modules by itself; for a user namespace it would not.
for module in loop bridge veth macvlan nf_tables nft_chain_nat nft_masq nft_nat nft_ct nft_fib_inet fuse tun; do
	modprobe -q "$module" || echo "vm: no module $module"
done

port=
for name in /sys/class/virtio-ports/*; do
	[ "$(cat "$name/name")" != output ] || port=/dev/${name##*/}
done
[ -n "$port" ] || { echo "vm: no virtio port"; poweroff -f; }

setsid -w sh "$out/.vm/command" </dev/null >"$port" 2>&1
status=$?
echo "$status" >"$out/.vm/status"
sync
exec busybox poweroff -f
