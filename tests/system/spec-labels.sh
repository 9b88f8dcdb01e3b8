#!/bin/sh
# SPDX-License-Identifier: MIT
# Labels of security modules: in effect where the kernel has the module, else refused with the way out;
# and the files of /proc by which they are set are the kernel's own. A kernel has AppArmor or SELinux. For this one:
#	LCX_VM_APPEND='security=selinux selinux=1 enforcing=0' sh tests/run.sh vm/spec-labels
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
		 "linux": {"namespaces": [$mount{"type": "pid"}, {"type": "network"}, {"type": "ipc"}] $linux} $hooks}
	END
	# shellcheck disable=SC2086
	"$tool" run "$T/lcx-root" "$T/lcx-run" "$T/config.json" $exec_args 2>&1
}
exec_args=
hooks=
mount='{"type": "mount"}, '
# A program of the host's runs as the host's, and one of the container's as the container's.
labels_of_hooks() { # PROCESS
	hook='{"path": "/bin/sh", "args": ["sh", "-c", "exec cat /proc/self/attr/current >'
	hooks=", \"hooks\": {\"createContainer\": [$hook$T/host\"]}], \"startContainer\": [$hook/root/inside\"]}]}"
	run "$1" '' true
	hooks=
	cat "$T/host" "$T/rootfs/root/inside" | tr '\000' '\n' | grep .
}

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
	check_eq 'hooks run under that of where their program is' 'unconfined
lcx-test (enforce)' "$(labels_of_hooks "$profile")"
	check_eq 'without a mount namespace, too' 'lcx-test (enforce)' "$(mount='' run "$profile" '' cat /proc/self/attr/current)"
	check_eq 'and a later one' 'lcx-test (enforce)' "$(mount='' exec_args='cat /proc/self/attr/current' run "$profile" '' sleep 100)"
	check_eq 'and hooks' 'unconfined
lcx-test (enforce)' "$(mount='' labels_of_hooks "$profile")"
	check_eq 'unconfined is a profile' unconfined "$(run ', "apparmorProfile": "unconfined"' '' cat /proc/self/attr/current)"
	check_match 'one that is not loaded' "set the AppArmor profile 'lcx-none': no such profile is loaded" "$(run ', "apparmorProfile": "lcx-none"' '' true)"
	check_eq 'by the command' 'lcx-test (enforce)' \
		"$(lcx run --rm --network none --security-opt apparmor=lcx-test --rootfs "$T/rootfs" cat /proc/self/attr/current)"
	# Two at once, "A//&B", each of which has to allow what is done.
	sed 's/lcx-test/lcx-second/; s,/etc/passwd,/etc/group,' "$T/profile" >"$T/second"
	check 'a second profile is loaded' apparmor_parser --skip-cache -r "$T/second"
	defer "apparmor_parser --skip-cache -R $T/second"
	stacked=', "apparmorProfile": "lcx-test//&lcx-second"'
	check_match 'two of them at once' 'lcx-second//&lcx-test (enforce)\|lcx-test//&lcx-second (enforce)' "$(run "$stacked" '' cat /proc/self/attr/current)"
	check_eq 'each forbids what it forbids' '2' "$(run "$stacked" '' cat /etc/passwd /etc/group | grep -c 'Permission denied')"
	for name in '\u0001' 'lcx-test x' 'lcx-test\\x' '../lcx-test' '\u00e4' ':none:lcx-test' 'lcx-test//none' 'lcx-test//&none'; do
		check_match "no profile: '$name'" 'no such profile is loaded\|does not know it' "$(run ", \"apparmorProfile\": \"$name\"" '' true)"
	done
	check_match 'one of two lines' 'process.apparmorProfile: must be one line' "$(run ', "apparmorProfile": "lcx-test\nexec unconfined"' '' true)"
	check_match 'one of more than a page is not cut off' 'no more than a page\|no such profile is loaded' \
		"$(run ", \"apparmorProfile\": \"$(printf 'lcx-test//&%.0s' $(seq 500))\"" '' true | tail -c 100)"
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
else
	# Until there is a policy the kernel takes any label for its own, and no word of it.
	context=u:r:container_t:s0:c1,c2
	check_match 'a label without a policy' 'process.selinuxLabel: SELinux has no policy loaded' "$(run ", \"selinuxLabel\": \"$context\"" '' true)"
	check_match 'and of mounts' 'linux.mountLabel: SELinux has no policy loaded' "$(run '' ', "mountLabel": "u:object_r:file_t:s0:c1,c2"' true)"
	need secilc
	initial='kernel security unlabeled fs file file_labels init any_socket port netif netmsg node igmp_packet icmp_socket
		tcp_socket sysctl_modprobe sysctl sysctl_fs sysctl_kernel sysctl_net sysctl_net_unix sysctl_vm sysctl_dev kmod
		policy scmp_packet devnull'
	{
		cat <<-'END'
			(handleunknown allow) (mls true) (policycap nnp_nosuid_transition)
			(class process (transition dyntransition)) (classorder (process))
			(sensitivity s0) (sensitivityorder (s0))
			(category c1) (category c2) (categoryorder (c1 c2)) (sensitivitycategory s0 (c1 c2))
			(user u) (userlevel u (s0)) (userrange u ((s0) (s0 (c1 c2))))
			(type base_t) (type container_t) (type file_t)
			(role r) (userrole u r) (roletype r base_t) (roletype r container_t)
			(role object_r) (userrole u object_r) (roletype object_r file_t)
			(allow base_t container_t (process (transition)))
			(fsuse trans tmpfs (u object_r file_t ((s0) (s0))))
			(fsuse trans devpts (u object_r file_t ((s0) (s0))))
			(fsuse xattr ext4 (u object_r file_t ((s0) (s0))))
			(fsuse xattr overlay (u object_r file_t ((s0) (s0))))
			(genfscon proc / (u object_r file_t ((s0) (s0))))
		END
		for name in $initial; do echo "(sid $name) (sidcontext $name (u r base_t ((s0) (s0))))"; done
		echo "(sidorder ($initial))"
	} >"$T/policy.cil"
	check 'a small policy' secilc -c 31 -o "$T/policy" -f "$T/contexts" "$T/policy.cil"
	mount -t selinuxfs selinuxfs /sys/fs/selinux
	defer 'umount /sys/fs/selinux'
	check 'is loaded' cp "$T/policy" /sys/fs/selinux/load
	label=", \"selinuxLabel\": \"$context\""
	now() { tr -d '\000'; }
	check_eq 'the process runs with its label' "$context" "$(run "$label" '' cat /proc/self/attr/current | now)"
	check_eq 'so does a later one' "$context" "$(exec_args='cat /proc/self/attr/current' run "$label" '' sleep 100 | now)"
	check_eq 'with no new privileges, too' "$context" "$(run "$label, \"noNewPrivileges\": true" '' cat /proc/self/attr/current | now)"
	check_eq 'hooks run with that of where their program is' "$(tr -d '\000' </proc/self/attr/current)
$context" "$(labels_of_hooks "$label")"
	check_eq 'without a mount namespace, too' "$context" "$(mount='' run "$label" '' cat /proc/self/attr/current | now)"
	check_eq 'and a later one' "$context" "$(mount='' exec_args='cat /proc/self/attr/current' run "$label" '' sleep 100 | now)"
	check_eq 'and hooks' "$(tr -d '\000' </proc/self/attr/current)
$context" "$(mount='' labels_of_hooks "$label")"
	check_match 'one that the policy does not know' "set the SELinux label of keys 'u:r:none_t:s0': the loaded policy does not know it" \
		"$(run ', "selinuxLabel": "u:r:none_t:s0"' '' true)"
	check_match 'nor in part' 'the loaded policy does not know it' "$(run ', "selinuxLabel": "u:r:container_t:s0:c1,c9"' '' true)"
	check_match 'one of two lines' 'must be one line' "$(run ', "selinuxLabel": "u:r:container_t:s0\n"' '' true)"
	check_match 'mounts have theirs' 'context=.*u:object_r:file_t:s0:c1,c2' \
		"$(run '' ', "mountLabel": "u:object_r:file_t:s0:c1,c2"' grep ' /dev ' /proc/mounts)"
	mkdir -p "$T/rootfs/proc/self/attr"
	: >"$T/rootfs/proc/self/attr/exec"
	check_eq 'a /proc of the image gets nothing' "$context" "$(run "$label" '' cat /proc/self/attr/current | now)"
	check_eq 'not a byte' 0 "$(stat -c %s "$T/rootfs/proc/self/attr/exec")"
fi
check_eq 'empty labels say nothing' here "$(run ', "apparmorProfile": "", "selinuxLabel": ""' ', "mountLabel": ""' echo here)"
check_eq 'label=disable' here "$(lcx run --rm --network none --security-opt label=disable --rootfs "$T/rootfs" echo here)"

# --- what lcx-init writes goes to the kernel: CVE-2019-16884, CVE-2025-52881
linux=', "sysctl": {"net.core.somaxconn": "123"}'
check_eq 'a parameter of the kernel is set' 123 "$(run '' "$linux" cat /proc/sys/net/core/somaxconn)"
check_match 'more values than there are' 'set .*somaxconn to .123 456.: the kernel takes but a part' \
	"$(run '' ', "sysctl": {"net.core.somaxconn": "123 456"}' true)"
mkdir -p "$T/fake/core"
: >"$T/fake/core/somaxconn"
mount --bind "$T/fake" /proc/sys/net
check_match 'not if something is mounted over it' 'set .*somaxconn to .123.: .*something is mounted over it' "$(run '' "$linux" true)"
check_eq 'and that got nothing' 0 "$(stat -c %s "$T/fake/core/somaxconn")"
umount /proc/sys/net
