#!/bin/sh
# SPDX-License-Identifier: MIT
# build: plain
# What a container is, property by property, seen from its inside: as root of the machine, as root with a range of
# users of its own, and of an ordinary user; here and in the guest, so with either version of cgroups. Printed as a
# matrix. "-" is what cannot be had, with the reason below.
. "${SRC:?}/tests/system/lib.sh"
need busybox setpriv newuidmap
U=65534
place_for_user
cp "$BUILD/tests/probe" $at/rootfs/bin
# What the administrator has given to the user of the last column.
for file in subuid subgid; do
	echo "$U:200000:65535" >"$T/$file"
	[ -f "/etc/$file" ] || : >"/etc/$file"
	mount --bind "$T/$file" "/etc/$file"
	defer "umount /etc/$file"
done

# --- what is looked at, inside: lines NAME=WORD

cat >$at/rootfs/look <<'END'
is() { # NAME COMMAND...: yes or no
	name=$1
	shift
	if "$@" >/dev/null 2>&1; then echo "$name=yes"; else echo "$name=no"; fi
}
says() { name=$1; shift; echo "$name=$("$@" 2>/dev/null | xargs)"; }
field() { awk -v name="$1:" '$1 == name { print $2 }' /proc/self/status; }
opens() { head -c 1 "$1" | grep -q .; }
takes() { true >>"$1"; }
for ns in cgroup ipc mnt net pid time user uts; do
	eval "host=\$host_$ns"
	if [ "$(readlink /proc/self/ns/$ns)" = "$host" ]; then echo "namespace $ns=shared"; else echo "namespace $ns=own"; fi
done
says 'users inside' awk '{ n += $3 } END { print n }' /proc/self/uid_map
is 'root is root outside' sh -c 'awk "\$1 == 0 && \$2 == 0" /proc/self/uid_map | grep -q .'
is 'changes its groups' sh -c 'grep -q allow /proc/self/setgroups'
says 'capabilities' field CapEff
says 'capabilities to be had' field CapBnd
says 'inheritable' field CapInh
says 'ambient' field CapAmb
says 'filter' field Seccomp
says 'securebits' probe securebits
says 'descriptors' sh -c 'cd /proc/self/fd; for f in *; do readlink /proc/$$/fd/$f >/dev/null && echo $f; done'
says 'process number' echo $$
says 'interfaces' ls /sys/class/net
says 'devices' sh -c 'cd /dev; for f in *; do [ ! -c $f ] || [ -L $f ] || echo $f; done'
is 'kernel memory is read' opens /proc/kcore
is 'keys are read' opens /proc/keys
is 'timers are read' opens /proc/timer_list
is 'firmware is seen' sh -c 'ls /sys/firmware | grep -q .'
is 'switches of the machine' takes /proc/sys/kernel/core_pattern
is 'magic keys' takes /proc/sysrq-trigger
is 'interrupts are moved' takes /proc/irq/default_smp_affinity
is 'files of /sys are written' sh -c 'true >/sys/kernel/uevent_helper || true >/sys/kernel/profiling'
is 'control groups are made' sh -c 'for d in /sys/fs/cgroup /sys/fs/cgroup/*; do [ -e $d/cgroup.procs ] && mkdir $d/new && rmdir $d/new && exit; done; exit 1'
is 'mounts' mount -t tmpfs none /tmp
is 'remounts' mount -o remount,rw /sys
is 'user namespaces' unshare -U true
is 'name of the host' hostname other
is 'clock' sh -c 'date -s 2020-01-01 && [ $(date +%Y) = 2020 ]'
is 'nodes of disks' sh -c 'mknod /tmp/disk b 8 0 && head -c 1 /tmp/disk'
is 'nodes of memory' sh -c 'mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem'
is 'loads modules' insmod /look
is 'reboots' reboot -f
is 'less to be killed' sh -c 'echo -1000 >/proc/self/oom_score_adj'
is 'abstract sockets' grep -q @ /proc/net/unix
is 'a tmpfs for /dev/shm' takes /dev/shm/x
is 'noise' sh -c 'head -c 8 /dev/urandom | grep -c . && echo x >/dev/null'
is 'a directory of the host' takes /made
says 'file creation mask' sh -c umask
says 'directory' pwd
says 'memory limit' sh -c 'cat /sys/fs/cgroup/memory.max || cat /sys/fs/cgroup/memory/memory.limit_in_bytes'
says 'task limit' sh -c 'cat /sys/fs/cgroup/pids.max || cat /sys/fs/cgroup/pids/pids.max'
END

caps=00000000a80425fb
# PROPERTY | root | range | ordinary | ranges. An "-N" names its reason.
table="
namespace cgroup          | own | own | own | own
namespace ipc             | own | own | own | own
namespace mnt             | own | own | own | own
namespace net             | own | own | own | own
namespace pid             | own | own | own | own
namespace time            | shared | shared | shared | shared
namespace user            | shared | own | own | own
namespace uts             | own | own | own | own
users inside              | 4294967295 | 65536 | 1 | 65536
root is root outside      | yes | no | no | no
changes its groups        | yes | yes | no | yes
capabilities              | $caps | $caps | $caps | $caps
capabilities to be had    | $caps | $caps | $caps | $caps
inheritable               | 0000000000000000 | 0000000000000000 | 0000000000000000 | 0000000000000000
ambient                   | 0000000000000000 | 0000000000000000 | 0000000000000000 | 0000000000000000
filter                    | 2 | 2 | 2 | 2
securebits                | securebits 0 | securebits 0 | securebits 0 | securebits 0
descriptors               | 0 1 2 | 0 1 2 | 0 1 2 | 0 1 2
process number            | 1 | 1 | 1 | 1
interfaces                | lo | lo | lo | lo
devices                   | full null random tty urandom zero | full null random tty urandom zero | full null random tty urandom zero | full null random tty urandom zero
kernel memory is read     | no | no | no | no
keys are read             | no | no | no | no
timers are read           | no | no | no | no
firmware is seen          | no | no | no | no
switches of the machine   | no | no | no | no
magic keys                | no | no | no | no
interrupts are moved      | no | no | no | no
files of /sys are written | no | no | no | no
control groups are made   | no | no | no | no
mounts                    | no | no | no | no
remounts                  | no | no | no | no
user namespaces           | no | no | no | no
name of the host          | no | no | no | no
clock                     | no | no | no | no
nodes of disks            | no | no | no | no
nodes of memory           | no | no | no | no
loads modules             | no | no | no | no
reboots                   | no | no | no | no
less to be killed         | no | no | no | no
abstract sockets          | no | no | no | no
a tmpfs for /dev/shm      | yes | yes | yes | yes
noise                     | yes | yes | yes | yes
a directory of the host   | yes | no | yes | yes
file creation mask        | 0022 | 0022 | 0022 | 0022
directory                 | / | / | / | /
memory limit              | 33554432 | 33554432 | -1 | -1
task limit                | 50 | 50 | -1 | -1
"
reason_1='no cgroup is delegated to him here: with version 1 there is none that he may write to safely'

# --- the columns

chmod -R a+rX $at
for ns in cgroup ipc mnt net pid time user uts; do
	set -- "$@" -e "host_$ns=$(readlink /proc/self/ns/$ns)"
done
limits='-m 32m --pids-limit 50'
by_root() { lcx run --rm --network none --rootfs $at/rootfs $limits "$@" sh /look; }
his_limits=
shell="sh -c"
if in_guest; then
	group=/sys/fs/cgroup/lcx-matrix-$$
	mkdir $group $group/his $group/his/shell
	defer "rmdir $group/his/shell $group/his $group"
	echo '+memory +pids' >/sys/fs/cgroup/cgroup.subtree_control
	echo '+memory +pids' >$group/cgroup.subtree_control
	chown -R $U $group/his
	his_limits=$limits
	into="echo \$\$ >$group/his/shell/cgroup.procs; "
	table=$(echo "$table" | sed 's/^\(memory limit .*\) -1 | -1/\1 33554432 | 33554432/; s/^\(task limit .*\) -1 | -1/\1 50 | 50/')
fi
# OPTION of setpriv, if any, WHEN of --subids, words for the program
by_user() {
	bound=$1 subids=$2
	shift 2
	# shellcheck disable=SC2016
	$shell "${into:-}"'export HOME=$0/home XDG_RUNTIME_DIR=$0/run LD_LIBRARY_PATH=$0; cd /
		exec setpriv --reuid $U --regid $U --clear-groups --inh-caps=-all $bound \
			"$0/lcx" --root "$0/home/$subids" --subids "$subids" run --rm --network none --rootfs $0/rootfs "$@" sh /look' $at $his_limits "$@"
}
export U bound subids
in_guest || {
	# Neither the change of user, nor a later program, nor all capabilities leave any behind.
	lcx run -d --name bits --network none --rootfs $at/rootfs sleep 1000 >/dev/null
	defer 'lcx rm -f bits >/dev/null 2>&1'
	bits() { lcx run --rm --network none --rootfs $at/rootfs "$@" probe securebits; }
	check_eq 'no securebits: another user, exec, exec of another user, privileged, no_new_privs' \
		'0 0 0 0 0' "$(for line in "$(bits -u 1000:1000)" "$(lcx exec bits probe securebits)" \
		"$(lcx exec -u 1000:1000 bits probe securebits)" "$(bits --privileged)" \
		"$(bits --security-opt no-new-privileges -u 1000)"; do echo "${line#securebits }"; done | xargs)"
	lcx rm -f bits >/dev/null
}
by_root "$@" >"$T/seen-root" 2>"$T/said" || fail 'root' "$T/said"
rm -rf $at/rootfs/made
by_root --userns auto "$@" >"$T/seen-range" 2>"$T/said" || fail 'a range' "$T/said"
rm -rf $at/rootfs/made
chown -R $U:$U $at/home $at/run $at/rootfs
by_user --no-new-privs off "$@" >"$T/seen-ordinary" 2>"$T/said" || fail 'an ordinary user' "$T/said"
rm -rf $at/rootfs/made
# The two programs that map his ranges are setuid.
by_user '' on "$@" >"$T/seen-ranges" 2>"$T/said" || fail 'an ordinary user with ranges' "$T/said"

# --- the matrix

echo "$table" >"$T/table"
version=$(in_guest && echo 'version 2' || echo 'version 1, hybrid')
awk -F ' *[|] *' -v seen="$T/seen-" -v title="cgroups: $version" '
	BEGIN {
		n = split("root range ordinary ranges", columns, " ")
		printf "# %-26s", title
		for (c = 1; c <= n; c++) {
			while ((getline line <(seen columns[c])) > 0) {
				at = index(line, "=")
				is[columns[c], substr(line, 1, at - 1)] = substr(line, at + 1)
			}
			printf " %-10s", columns[c]
		}
		print ""
	}
	NF == 5 {
		printf "# %-26s", $1
		why = ""
		for (c = 1; c <= n; c++) {
			key = columns[c] SUBSEP $1
			if ($(c + 1) ~ /^-[0-9]$/)
				cell = $(c + 1)
			else if ((key in is) && is[key] == $(c + 1))
				cell = "ok"
			else {
				cell = "WRONG"
				why = why "# " columns[c] ": wanted \"" $(c + 1) "\", found \"" is[key] "\"\n"
			}
			printf " %-10s", cell
		}
		print ""
		printf "%s", why
		rows = rows (why ? "not " : "") "ok - " $1 "\n"
	}
	END { printf "%s", rows }' "$T/table" >"$T/matrix"
echo "# -1: $reason_1"
sed 's/^\(# .*[^ ]\) *$/\1/' "$T/matrix"
! grep -q '^not ok' "$T/matrix" || failures=1
