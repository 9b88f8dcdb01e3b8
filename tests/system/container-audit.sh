#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, what it reads is the same there, but for device rules, which nobody can read out of version 2
# inspect --security: what the kernel tells of a running container, and what of it is weaker than the defaults.
. "${SRC:?}/tests/system/lib.sh"
need busybox jq
make_rootfs "$T/rootfs"
mkdir "$T/volume"
defer 'lcx rm -f audited'
start() { lcx run -d --network none --name audited "$@" --rootfs "$T/rootfs" sleep 1000 >/dev/null; }
stop() { lcx rm -f audited >/dev/null; }
audit() { lcx inspect --security audited | jq -c ".[0]$1"; }
weaker() { # OPTION...: the sentences of a container that was started with them
	start "$@"
	audit .weaker
	stop
}

check_eq 'the defaults are not weaker than the defaults' '[]' "$(weaker)"
check_eq 'nor is a terminal, a limit, a read-only volume, a temporary file system' '[]' \
	"$(weaker -t -m 64m --read-only -v "$T/volume:/mnt:ro" --user user)"
start --cap-add SYS_ADMIN --cap-drop ALL --user user
check_eq 'who it is' '[1000,false]' "$(audit '| [.hostUid, .noNewPrivileges]')"
check_eq 'nothing but what was given' '["CAP_SYS_ADMIN"]' "$(audit .capabilities.bounding)"
check_eq 'and nothing of it for an ordinary user' '[]' "$(audit .capabilities.effective)"
check_eq 'which is told' '["it has CAP_SYS_ADMIN, which the default has not"]' "$(audit .weaker)"
stop
check_eq 'a filter that was taken away' '["it has no seccomp filter"]' "$(weaker --security-opt seccomp=unconfined)"
check_match 'a volume that is written to' "/volume' of a file system of the host is writable on '/mnt'" "$(weaker -v "$T/volume:/mnt")"
lcx run -d --network host --name audited --rootfs "$T/rootfs" sleep 1000 >/dev/null
check_match 'the network of the host' "it shares the host's network namespace" "$(audit .weaker)"
stop

# Each setting by itself: what is weaker for it, and nothing else.
changed() { # FILTER of its description, the container "audited" is started with
	lcx create --network none --name audited --rootfs "$T/rootfs" sleep 1000 >/dev/null
	file=$T/lcx-root/containers/$(lcx inspect audited | jq -r '.[0].id')/config.json
	jq -c "$1" "$file" >"$T/config.json"
	cat "$T/config.json" >"$file"
	lcx start audited >/dev/null
	audit '.weaker[]' | tr -d '"' | sed "s,$T,T,g;s,'[^']*T/,'T/," | paste -sd '|'
	stop
}
bind() { echo ".mounts += [{destination: \"/mnt\", type: \"bind\", source: \"$T/volume\", options: [\"rbind\", $1]}]"; }
without() { echo "$1 |= map(select($2))"; }
rw() { echo ".mounts |= map(if .destination == \"$1\" then .options -= [\"ro\"] else . end)"; }
{
	for kind in pid network ipc uts cgroup; do
		echo "$(without .linux.namespaces ".type != \"$kind\"")@it shares the host's $kind namespace"
	done
	for path in /proc/keys /sys/firmware; do
		[ ! -e "$path" ] || echo "$(without .linux.maskedPaths ". != \"$path\"")@'$path' is not masked"
	done
	for path in /proc/bus /proc/sys; do
		[ ! -e "$path" ] || echo "$(without .linux.readonlyPaths ". != \"$path\"")@'$path' is writable"
	done
	cat <<-END
		.process.capabilities.bounding += ["CAP_SYS_ADMIN"]@it has CAP_SYS_ADMIN, which the default has not
		.process.capabilities.inheritable = ["CAP_CHOWN"]@its inheritable or ambient capabilities are not empty
		del(.linux.seccomp)@it has no seccomp filter
		.linux.devices += [{path: "/dev/loop", type: "b", major: 7, minor: 0}]@the device b 7:0 is there, as '/dev/loop'
		.linux.resources.devices = [{allow: true, access: "rwm"}]@its cgroup allows every device
		$(rw /sys)@sysfs on '/sys' is writable
		$(bind '"rw"')@'T/volume' of a file system of the host is writable on '/mnt'
		.linux.rootfsPropagation = "shared" | $(bind '"ro", "rshared"')@
		.process.noNewPrivileges = true@
	END
} >"$T/table"
while IFS=@ read -r filter expected; do
	check_eq "alone: ${expected:-nothing, by $filter}" "$expected" "$(changed "$filter")"
done <"$T/table"

start --privileged
all=$(audit .weaker)
for words in CAP_SYS_ADMIN 'no seccomp filter' "sysfs on '/sys' is writable" "'/proc/keys' is not masked" "'/proc/sys' is writable"; do
	check_match "privileged: $words" "$words" "$all"
done
check_match 'privileged: all devices' 'allows every device' "$all"
check_eq 'its own namespaces it has nevertheless' '["cgroup","ipc","mount","network","pid","uts"]' \
	"$(audit '.namespaces | to_entries | map(select(.value == "own").key) | sort')"
stop

start --security-opt no-new-privileges
check_eq 'no new privileges' true "$(audit .noNewPrivileges)"
check_eq 'a filter' '"filter"' "$(audit .seccomp.mode)"
check_eq 'masks are seen as mounts' true "$(audit '.mounts | any(.destination == "/proc/keys")')"
check_eq 'a parameter of its own network' '"1024"' "$(audit '.sysctls["net.ipv4.ip_unprivileged_port_start"]')"
check_eq 'devices' '["full","null","random","tty","urandom","zero"]' "$(audit '.devices | map(.name) | sort')"

# What a container does to itself shows: it is asked of the kernel, not of the description.
pid=$(audit .pid)
nsenter -t "$pid" -m -r mknod /dev/disk b 8 0
check_match 'a device that was made later' "the device b 8:0 is there, as '/dev/disk'" "$(audit .weaker)"
nsenter -t "$pid" -m -r umount /proc/keys
check_match 'a mask that was taken off' "'/proc/keys' is not masked" "$(audit .weaker)"
nsenter -t "$pid" -m -r sh -c 'mkdir "/run/a b" && mount -t tmpfs t "/run/a b"'
check_eq 'a name with a space' true "$(audit '.mounts | any(.destination == "/run/a b")')"
nsenter -t "$pid" -m -r sh -c 'cd /dev; i=0; while [ $i -lt 1500 ]; do : >"$i"; i=$((i+1)); done; ln -s / out; mknod "$(printf "\\377 \\n x")" c 1 3'
check_eq 'whatever names are in there' array "$(audit '.devices | type' | tr -d '"')"
# Its /dev may be a link to the host's.
nsenter -t "$pid" -m -r sh -c 'umount /dev/pts /dev/shm /dev/mqueue /dev; rmdir /dev && ln -s /../../../../../dev /dev'
check_eq 'a link leads nowhere' '[]' "$(audit .devices)"
lcx kill audited >/dev/null
wait_for 10 sh -c '[ "$("$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" inspect audited | jq -r ".[0].state.status")" = exited ]'
check_fails 'one that does not run has nothing' 1 'is not running' lcx inspect --security audited
