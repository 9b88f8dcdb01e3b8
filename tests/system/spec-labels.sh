#!/bin/sh
# SPDX-License-Identifier: MIT
# Labels of security modules: in effect where the kernel has the module, else refused with the way out;
# and the files of /proc by which they are set are the kernel's own.
. "${SRC:?}/tests/system/lib.sh"
need busybox apparmor_parser
make_rootfs "$T/rootfs"
tool=$BUILD/tests/spec-tool

run() { # PROCESS LINUX COMMAND...
	process=$1 linux=$2
	shift 2
	args=$(printf '"%s",' "$@")
	cat >"$T/config.json" <<-END
		{"ociVersion": "1.3.0", "root": {"path": "$T/rootfs"},
		 "process": {"cwd": "/", "args": [${args%,}], "env": ["PATH=/bin"] $process},
		 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/dev", "type": "tmpfs"}],
		 "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}, {"type": "network"}, {"type": "ipc"}] $linux}}
	END
	# shellcheck disable=SC2086
	"$tool" run "$T/lcx-root" "$T/lcx-run" "$T/config.json" $exec_args 2>&1
}
exec_args=

if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
	cat >"$T/profile" <<-'END'
		profile lcx-test flags=(attach_disconnected,mediate_deleted) {
			file,
			capability,
			signal,
			deny /etc/passwd r,
		}
	END
	check 'the profile is loaded' apparmor_parser --skip-cache -r "$T/profile"
	defer "apparmor_parser --skip-cache -R $T/profile"
	profile=', "apparmorProfile": "lcx-test"'
	check_eq 'the process runs under its profile' 'lcx-test (enforce)' "$(run "$profile" '' cat /proc/self/attr/current)"
	check_eq 'so does a later one' 'lcx-test (enforce)' "$(exec_args='cat /proc/self/attr/current' run "$profile" '' sleep 100)"
	check_match 'which forbids what it forbids' "can't open '/etc/passwd': Permission denied" "$(run "$profile" '' cat /etc/passwd)"
	check_eq 'with no new privileges, too' 'lcx-test (enforce)' "$(run "$profile, \"noNewPrivileges\": true" '' cat /proc/self/attr/current)"
	check_eq 'unconfined is a profile' unconfined "$(run ', "apparmorProfile": "unconfined"' '' cat /proc/self/attr/current)"
	check_match 'one that is not loaded' "set the AppArmor profile 'lcx-none': no such profile is loaded" "$(run ', "apparmorProfile": "lcx-none"' '' true)"
	check_eq 'by the command' 'lcx-test (enforce)' \
		"$(lcx run --rm --network none --security-opt apparmor=lcx-test --rootfs "$T/rootfs" cat /proc/self/attr/current)"
	# An image, or a volume, with a /proc of its own: the label is written to the host's.
	mkdir -p "$T/rootfs/proc/self/attr/apparmor"
	: >"$T/rootfs/proc/self/attr/apparmor/exec"
	check_eq 'a /proc of the image gets nothing' 'lcx-test (enforce)' "$(run "$profile" '' cat /proc/self/attr/current)"
	check_eq 'not a byte' 0 "$(stat -c %s "$T/rootfs/proc/self/attr/apparmor/exec")"
else
	check_match 'no AppArmor: refused with the option of the kernel' 'process.apparmorProfile: .*CONFIG_SECURITY_APPARMOR' \
		"$(run ', "apparmorProfile": "lcx-test"' '' true)"
	check_eq 'unconfined is what everybody is then' here "$(run ', "apparmorProfile": "unconfined"' '' echo here)"
	check_match 'by the command' 'process.apparmorProfile: .*CONFIG_SECURITY_APPARMOR' \
		"$(lcx run --rm --network none --security-opt apparmor=lcx-test --rootfs "$T/rootfs" true 2>&1)"
fi

if ! grep -q selinuxfs /proc/filesystems; then
	check_match 'no SELinux: no label of a process' 'process.selinuxLabel: .*CONFIG_SECURITY_SELINUX' \
		"$(run ', "selinuxLabel": "system_u:system_r:container_t:s0:c1,c2"' '' true)"
	check_match 'nor of mounts' 'linux.mountLabel: .*CONFIG_SECURITY_SELINUX' \
		"$(run '' ', "mountLabel": "system_u:object_r:container_file_t:s0:c1,c2"' true)"
	check_match 'nor by the command' 'process.selinuxLabel: .*CONFIG_SECURITY_SELINUX' \
		"$(lcx run --rm --network none --security-opt label=type:x_t --rootfs "$T/rootfs" true 2>&1)"
fi
check_eq 'empty labels say nothing' here "$(run ', "apparmorProfile": "", "selinuxLabel": ""' ', "mountLabel": ""' echo here)"
check_eq 'label=disable' here "$(lcx run --rm --network none --security-opt label=disable --rootfs "$T/rootfs" echo here)"

# --- what lcx-init writes goes to the kernel: CVE-2019-16884, CVE-2025-52881
linux=', "sysctl": {"net.core.somaxconn": "123"}'
check_eq 'a parameter of the kernel is set' 123 "$(run '' "$linux" cat /proc/sys/net/core/somaxconn)"
mkdir -p "$T/fake/core"
: >"$T/fake/core/somaxconn"
mount --bind "$T/fake" /proc/sys/net
check_match 'not if something is mounted over it' 'set .*somaxconn to .123.: .*something is mounted over it' "$(run '' "$linux" true)"
check_eq 'and that got nothing' 0 "$(stat -c %s "$T/fake/core/somaxconn")"
umount /proc/sys/net
