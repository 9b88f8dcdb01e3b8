#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: sh tests/vm/run.sh COMMAND [ARGUMENT...]
#
# Run a command as root in a virtual machine with Debian's own kernel and cgroup v2. The guest sees this
# machine's files by 9p (some as copies: often.py), read-only, under an overlay: it may write anywhere and nothing
# comes back, except what it puts into $LCX_VM_OUT. Its /tmp, /var/tmp and /var/lib/lcx are an ext4 disk of its own.
# Standard output and error of the command appear on standard output, its exit code is ours; 125 is a
# machine that did not start, panicked or ran out of time.
#
# Environment: LCX_VM_ACCEL ("kvm" where that works), LCX_VM_TIMEOUT (seconds, 1800), LCX_VM_MEMORY (2G),
# LCX_VM_CPUS (2), LCX_VM_KEEP (keep the directory with console.log),
# LCX_VM_APPEND (more words for the kernel's command line), LCX_BUILD_DIR. Variables of the caller named LCX_*, SRC, BUILD, HOME and the
# sanitizers' options go along. QEMU emulates the processor, as nested KVM cannot be counted on.

set -eu
[ $# -gt 0 ] || { sed -n '3,15s/^# \{0,1\}//p' "$0"; exit 2; }
[ "$(id -u)" -eq 0 ] || { echo "vm: needs root, to show the guest every file" >&2; exit 125; }

here=$(cd "$(dirname "$0")" && pwd)
top=${LCX_BUILD_DIR:-$here/../../build}
mkdir -p "$top/vm"
top=$(cd "$top" && pwd)

give_up() {
	echo "vm: $*" >&2
	exit 125
}

kernel=$(ls -v /boot/vmlinuz-* 2>/dev/null | tail -n 1)
[ -n "$kernel" ] || give_up "no kernel in /boot: apt-get install linux-image-amd64"
version=${kernel#/boot/vmlinuz-}
guest_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# What the guest needs before it can load modules from this machine's /lib/modules by itself.
boot_modules='virtio_pci virtio_blk virtio_console virtio_rng 9pnet_virtio 9p overlay ext4 crc32c_generic quota_v2'

# Named for all that it is made of; written aside and renamed, as several machines may start at once.
make_initramfs() {
	sum=$(cat "$here/init" "$0" "$(command -v busybox)" | sha256sum | cut -c1-12)
	initramfs=$top/vm/initramfs-$version-$sum
	[ ! -f "$initramfs" ] || return 0
	tree=$dir/initramfs
	mkdir -p "$tree/bin" "$tree/modules" "$tree/proc" "$tree/sys" "$tree/dev"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	cp "$here/init" "$tree/init"
	chmod +x "$tree/init"
	for module in $boot_modules; do
		modprobe -S "$version" --show-depends "$module" || give_up "kernel $version has no module $module"
	done >"$dir/modules"
	# In the order of their dependencies, each once.
	awk '$1 == "insmod" && !seen[$2]++ { print $2 }' "$dir/modules" | while read -r file; do
		cp "$file" "$tree/modules/"
		basename "$file" >>"$tree/modules/order"
	done
	(cd "$tree" && find . | cpio --quiet -o -H newc | gzip -1) >"$dir/initramfs.gz"
	rm -f "$top/vm/initramfs-"*
	mv "$dir/initramfs.gz" "$initramfs"
}

# What the guest opens again and again is shown from a disk of its own, above this machine's files: by 9p each open is a
# dozen questions, a tenth of a second for a processor that is emulated.
make_often() {
	mkdir "$dir/often"
	# shellcheck disable=SC2046
	PATH=$guest_path python3 "$here/often.py" "${BUILD:-$top/plain}" "$here/../.." \
		$(grep -L '^# guest: no, ' "$here"/../system/*.sh) "$here/../run.sh" "$here/guest.sh" >"$dir/names" &&
		tar -C / -c --no-recursion --null -T "$dir/names" --xattrs | tar -C "$dir/often" -x -p --xattrs --xattrs-include='*' &&
		mkfs.ext4 -q -F -L lcx-often -d "$dir/often" -O ^has_journal "$dir/often.disk" 512M >"$dir/mkfs.log" 2>&1 ||
		give_up "the disk of what is opened often: $(cat "$dir/mkfs.log")"
	rm -rf "$dir/often"
}

# The command and its environment, as a script that the guest's init runs.
write_command() {
	env | LC_ALL=C grep -E '^(LCX_|SRC=|BUILD=|HOME=|LC_ALL=|ASAN_OPTIONS=|UBSAN_OPTIONS=|TSAN_OPTIONS=)' |
		LC_ALL=C grep -E '^[A-Za-z_0-9]+=' | sed "s/'/'\\\\''/g; s/^\([^=]*\)=\(.*\)/export \1='\2'/"
	echo 'export LCX_VM_OUT=/run/lcx-vm-out LCX_VM=1'
	printf "cd '%s'\n" "$(pwd | sed "s/'/'\\\\''/g")"
	printf 'exec'
	for word; do
		printf " '%s'" "$(printf '%s' "$word" | sed "s/'/'\\\\''/g")"
	done
	echo
}

dir=$(mktemp -d "$top/vm/run.XXXXXX")
finish() {
	r=$?
	trap - EXIT
	[ -z "${qemu:-}" ] || { kill "$qemu" && wait "$qemu"; } 2>/dev/null
	[ -z "${reader:-}" ] || { kill "$reader" && wait "$reader"; } 2>/dev/null
	# Results and logs move to where the caller can read them, whatever happened.
	if [ -n "$(ls -A "$dir/out" 2>/dev/null)" ]; then
		rm -rf "$top/vm/out.old"
		[ ! -d "$top/vm/out" ] || mv "$top/vm/out" "$top/vm/out.old"
		mv "$dir/out" "$top/vm/out"
		rm -rf "$top/vm/out.old"
	fi
	[ ! -f "$dir/console.log" ] || cp "$dir/console.log" "$top/vm/console.log"
	[ -n "${LCX_VM_KEEP:-}" ] || rm -rf "$dir"
	exit "$r"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

make_initramfs
mkdir -p "$dir/out/.vm"
write_command "$@" >"$dir/out/.vm/command"
cp "$here/guest.sh" "$dir/out/.vm/"
printf '%s\n' "$(pwd)" "$(cd "$here/../.." && pwd)" "${SRC:-/}" "${BUILD:-/}" "$top" "${LCX_TEST_CACHE:-/}" >"$dir/out/.vm/paths"
truncate -s "${LCX_VM_DISK:-8G}" "$dir/disk"
mkfs.ext4 -q -F -L lcx-scratch -E lazy_itable_init=1,lazy_journal_init=1,nodiscard -O quota,project \
	-E quotatype=usrquota:grpquota:prjquota "$dir/disk" >"$dir/mkfs.log" 2>&1 || give_up "mkfs.ext4: $(cat "$dir/mkfs.log")"
make_often
mkfifo "$dir/output"
cat "$dir/output" &
reader=$!

# panic=-1 with -no-reboot ends QEMU at once. A processor of few features is emulated twice as fast as
# one of all; grace periods are cut short, as an emulated processor takes long to notice them. What is
# translated for the emulation is found again only at the same address: without random ones (norandmaps)
# a program starts four times as fast.
timeout --kill-after=10 "${LCX_VM_TIMEOUT:-1800}" qemu-system-x86_64 \
	-accel "${LCX_VM_ACCEL:-tcg,thread=multi}" -machine q35 -cpu Nehalem -smp "${LCX_VM_CPUS:-2}" -m "${LCX_VM_MEMORY:-2G}" \
	-nodefaults -no-user-config -display none -monitor none -no-reboot \
	-kernel "$kernel" -initrd "$initramfs" \
	-append 'console=ttyS0 panic=-1 oops=panic quiet loglevel=4 mitigations=off nokaslr norandmaps rcupdate.rcu_expedited=1 random.trust_cpu=on swapaccount=1 net.ifnames=0 '"${LCX_VM_APPEND:-}" \
	-serial "file:$dir/console.log" \
	-device virtio-serial-pci -chardev "file,id=output,path=$dir/output" -device virtserialport,chardev=output,name=output \
	-drive "file=$dir/disk,format=raw,if=none,id=scratch,cache=unsafe" -device virtio-blk-pci,drive=scratch \
	-drive "file=$dir/often.disk,format=raw,if=none,id=often,readonly=on" -device virtio-blk-pci,drive=often \
	-device virtio-rng-pci \
	-virtfs "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap" \
	-virtfs "local,path=$dir/out,mount_tag=out,security_model=none" \
	</dev/null >"$dir/qemu.log" 2>&1 &
qemu=$!
status=0
wait "$qemu" || status=$?
qemu=
wait "$reader" || :
reader=

[ "$status" -ne 124 ] && [ "$status" -ne 137 ] || give_up "stopped after ${LCX_VM_TIMEOUT:-1800} seconds"
if [ "$status" -ne 0 ] || [ ! -s "$dir/out/.vm/status" ]; then
	{ cat "$dir/qemu.log"; tail -n 40 "$dir/console.log"; } >&2 2>/dev/null || :
	give_up "the machine ended without a result (QEMU's status $status, console in $top/vm/console.log)"
fi
r=$(cat "$dir/out/.vm/status")
case $r in
'' | *[!0-9]*) give_up "the guest reported '$r'" ;;
esac
exit "$r"
