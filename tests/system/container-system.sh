# SPDX-License-Identifier: MIT
# guest: sweep, systemd takes a minute to come up there: `LCX_TEST_EVERY_CALL=1 sh tests/run.sh vm/container-system`
# Whole systems: busybox init and systemd as process 1, a console, an orderly end.
. "${SRC:?}/tests/system/lib.sh"
need busybox jq script systemctl
make_rootfs "$T/rootfs"
ln -sf ../bin/busybox "$T/rootfs/sbin/init"
cat >"$T/rootfs/etc/inittab" <<'END'
::sysinit:/bin/echo booting
console::respawn:-/bin/sh
::shutdown:/bin/sh -c 'echo down >/var/log/down'
END
# Where an init makes cgroups: all there is, or the part of the hybrid hierarchy.
hybrid=/unified
[ -d /sys/fs/cgroup/unified ] || hybrid=
get() { lcx inspect "$1" | jq -r ".[0].$2"; }
said() { lcx logs "$1" | grep -q "$2"; }
start() { lcx run -d --network none "$@" >/dev/null; }

# --- busybox

start --system --name b --rootfs "$T/rootfs"
check 'its init runs what it is told to' wait_for 5 said b booting
check_match 'it is process 1' 'init' "$(lcx exec b cat /proc/1/cmdline | tr '\0' ' ')"
check_eq 'it is told where it is' container=lcx "$(lcx exec b cat /proc/1/environ | tr '\0' '\n' | grep ^container)"
check_eq 'what is in memory' '/run /run/lock /tmp' "$(lcx exec b sh -c 'awk "\$3 == \"tmpfs\" { print \$2 }" /proc/mounts' | grep -x -e /run -e /run/lock -e /tmp | sort | xargs)"
check 'it makes cgroups' lcx exec b mkdir "/sys/fs/cgroup$hybrid/own"
if [ -n "$hybrid" ]; then
	check_fails 'but not where there are limits' 1 'Read-only' lcx exec b mkdir /sys/fs/cgroup/memory/own
	check_fails 'nor changes its own' 1 'Read-only' lcx exec b sh -c 'echo max >/sys/fs/cgroup/pids/pids.max'
fi
check_match 'its console has a shell' 'twice 42' "$( (sleep 0.5; printf 'echo twice $((6 * 7))\n'; sleep 0.5; printf '\020\021') | script -qec "$BUILD/examples/lcx/lcx --root $T/lcx-root --run-dir $T/lcx-run console b" /dev/null | tr -d '\r')"
check_eq 'it goes on without us' running "$(get b state.status)"
began=$(date +%s)
lcx stop -t 20 b >/dev/null
check 'it is shut down, not killed' test $(($(date +%s) - began)) -lt 15
check_eq 'in order' down "$(cat "$T/rootfs/var/log/down")"
check_eq 'and has powered itself off, which is no failure' 0 "$(get b state.exitCode)"
check_eq 'its cgroups are gone' '' "$(find /sys/fs/cgroup$hybrid/lcx -name own 2>/dev/null)"
check 'it boots again' lcx start b
check 'as before' wait_for 5 lcx exec b true
first=$(get b state.pid)
check 'its reboot ends the container alone' lcx exec b reboot
rebooted() { [ "$(get b state.status)" = running ] && [ "$(get b state.pid)" != "$first" ]; }
check 'and starts it again' wait_for 20 rebooted
check 'in a moment of its own' wait_for 5 lcx exec b true
check 'it powers itself off' lcx exec b poweroff
off() { [ "$(get b state.status)" = exited ]; }
check 'and ends well' wait_for 10 off
check_eq 'and stays so' 'exited 0' "$(sleep 0.5; get b state.status) $(get b state.exitCode)"
lcx rm -f b >/dev/null

# What is born in a cgroup that is frozen is held there before it executes anything: a check, and not who checks.
start --system --name f --rootfs "$T/rootfs" --health-cmd true --health-interval 200ms --health-timeout 300ms --health-retries 1
health() { [ "$(get f state.health.status)" = "$1" ]; }
check 'its health is checked' wait_for 10 health healthy
lcx exec f sh -c "cd /sys/fs/cgroup$hybrid && mkdir own && echo 1 >own/cgroup.procs && echo 1 >own/cgroup.freeze"
check 'where it has frozen all that is too slow' wait_for 10 health unhealthy
echo 0 >"$(find /sys/fs/cgroup$hybrid/lcx -name own)/cgroup.freeze"
check 'and goes on when it is thawed' wait_for 10 health healthy
check_match 'in the cgroup of its init' '/own$' "$(lcx exec f grep ^0: /proc/self/cgroup)"
lcx rm -f f >/dev/null

check_fails 'an init before the init' 125 'process 1' lcx run --system --init --network none --rootfs "$T/rootfs"
start --name plain --rootfs "$T/rootfs" sleep 1000
check_fails 'a console of none' 1 'no terminal' lcx console plain
lcx rm -f plain >/dev/null

# --- systemd, out of the files of this machine

mkdir "$T/layers" "$T/debian"
mount -t tmpfs layers "$T/layers"
defer "umount $T/layers"
mkdir "$T/layers/upper" "$T/layers/work"
mount -t overlay -o "lowerdir=/,upperdir=$T/layers/upper,workdir=$T/layers/work" debian "$T/debian"
defer "umount $T/debian"
rm -rf "$T/debian/etc/systemd/system"/*.wants "$T/debian/etc/fstab" "$T/debian/etc"/rc?.d
mkdir -p "$T/debian/etc/systemd/system"
cat >"$T/debian/etc/systemd/system/proof.service" <<'END'
[Service]
ExecStart=/bin/sleep 1000
ExecStop=/bin/sh -c 'echo stopped >/var/proof'
END
start --system --name s --stop-timeout 60 --rootfs "$T/debian" /sbin/init systemd.unit=multi-user.target
up() { lcx exec s systemctl is-system-running 2>/dev/null | grep -q -e running -e degraded; }
check 'systemd comes up' wait_for 30 up
check 'it starts a service' lcx exec s systemctl start proof.service
check_match 'in a cgroup of its own' 'system.slice/proof.service' "$(lcx exec s sh -c 'cat /proc/$(systemctl show -P MainPID proof.service)/cgroup')"
check_eq 'and nowhere else on the host' '' "$(find /sys/fs/cgroup \( -name 'proof.service' -o -name init.scope \) ! -path "/sys/fs/cgroup$hybrid/lcx/*")"
lcx stop s >/dev/null
check_eq 'it ends in order' stopped "$(cat "$T/debian/var/proof" 2>&1)"
check_eq 'by itself' 0 "$(get s state.exitCode)"
lcx rm -f s >/dev/null
