# SPDX-License-Identifier: MIT
# build: plain
# guest: no, oci-cgroup and oci-properties tell that kernel from this one
# What a bundle says and what runtimes make of it: where the specification is about more than one property, or an
# engine relies on what the specification leaves open and runc does.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/oci.sh"

run_in() { # JQ: what a small bundle's program says
	bundle "$T/b" "$1"
	runtime run --bundle "$T/b" b1 </dev/null 2>&1
}
script() { printf '.process.args = ["sh", "-c", "%s"]' "$1"; }

# --- paths: config.md, "Mounts"

echo 'of the bundle' >"$T/file"
bundle "$T/b" '.'
echo 'of the bundle' >"$T/b/beside"
check_eq 'a source is relative to the bundle' 'of the bundle' \
	"$(run_in "$(script 'cat /m') | .mounts += [{\"destination\": \"/m\", \"type\": \"bind\", \"source\": \"beside\", \"options\": [\"bind\"]}]")"
check_eq 'a destination is relative to the root' 'tmpfs /made/here' \
	"$(run_in "$(script 'grep /made/here /proc/mounts') | .mounts += [{\"destination\": \"made/here\", \"type\": \"tmpfs\", \"source\": \"tmpfs\"}]" |
		awk '{ print $1, $2 }')"
check_eq "a source that is no path is its file system's word" 'made /x' \
	"$(run_in "$(script 'grep /x /proc/mounts') | .mounts += [{\"destination\": \"/x\", \"type\": \"tmpfs\", \"source\": \"made\"}]" |
		awk '{ print $1, $2 }')"

# --- the working directory, which engines leave to their runtime to make

check_eq 'cwd: it is made' '/new/work 755,0' "$(run_in "$(script 'echo $(pwd) $(stat -c %a,%u .)') | .process.cwd = \"/new/work\"")"
check 'cwd: in the root' test -d "$T/b/rootfs/new/work"
check_eq 'cwd: also where nothing is written later' '/new/other' \
	"$(run_in '.process.args = ["pwd"] | .process.cwd = "/new/other" | .root.readonly = true')"
mkdir "$T/outside"
ln -s "$T/outside" "$T/b/rootfs/leads"
ln -s /proc/self/fd "$T/b/rootfs/fds"
for cwd in /leads/made /fds/3/made /fds/4/../../../made /proc/self/root/../made/x; do
	run_in '.process.args = ["true"] | .process.cwd = "'$cwd'"' >/dev/null || :
done
check_eq 'cwd: no link leads out' '' "$(ls -A "$T/outside")$(find "$T" -maxdepth 2 -name made)"
check_match 'cwd: a file is none' "working directory '/bin/sh': Not a directory" "$(run_in '.process.args = ["true"] | .process.cwd = "/bin/sh"')"
bundle "$T/b" .
runtime create --bundle "$T/b" b2 </dev/null
check_fails 'cwd: of a second process it is not made' 255 "working directory '/never'" runtime exec --cwd /never b2 true
check 'cwd: nor was it' test ! -e "$T/b/rootfs/never"
runtime delete --force b2

# --- HOME, likewise

printf 'root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n' >"$T/b/rootfs/etc/passwd"
home=$(script 'echo $HOME')
check_eq 'HOME: of root' /root "$(run_in "$home")"
check_eq 'HOME: of a user' /home/user "$(run_in "$home | .process.user = {\"uid\": 1000, \"gid\": 1000}")"
check_eq 'HOME: of nobody' / "$(run_in "$home | .process.user = {\"uid\": 7, \"gid\": 7}")"
check_eq 'HOME: as it is said' /said "$(run_in "$home | .process.env += [\"HOME=/said\"]")"
check_eq 'HOME: said to be empty' '' "$(run_in "$home | .process.env += [\"HOME=\"]")"
bundle "$T/b" .
runtime create --bundle "$T/b" b2 </dev/null
check_eq 'HOME: in a second process' '/root /home/user' "$(echo $(runtime exec b2 sh -c 'echo $HOME') $(runtime exec --user 1000 b2 sh -c 'echo $HOME'))"
echo '{"cwd": "/", "args": ["sh", "-c", "echo $HOME"], "env": ["PATH=/bin"], "user": {"uid": 1000, "gid": 0}}' >"$T/process"
check_eq 'HOME: in one that a file describes' /home/user "$(runtime exec --process "$T/process" b2)"
runtime delete --force b2
# Whatever stands in /etc/group; and what no path is as long as would leave no room for a program.
rm -f "$T/b/rootfs/etc/group"
mkfifo "$T/b/rootfs/etc/group"
check_eq 'HOME: a group that is a FIFO has no part in it' /root "$(run_in "$home")"
rm "$T/b/rootfs/etc/group"
printf 'root:x:0:0::/%0200000d:/bin/sh\n' 0 >"$T/b/rootfs/etc/passwd"
check_eq 'HOME: one that is too long' / "$(run_in "$home")"
bundle "$T/b" .
runtime run -d --bundle "$T/b" b3 </dev/null || :
check_eq 'HOME: one that is too long, in a second process' / "$(runtime exec b3 sh -c 'echo $HOME' 2>&1)"
runtime delete --force b3
# What it cannot be read from is no reason to wait, or to read the host's.
rm "$T/b/rootfs/etc/passwd"
mkfifo "$T/b/rootfs/etc/passwd"
check_eq 'HOME: a FIFO has none' / "$(run_in "$home")"
rm "$T/b/rootfs/etc/passwd"
printf 'root:x:0:0::/stolen:/bin/sh\n' >"$T/outside/passwd"
ln -s "$T/outside/passwd" "$T/b/rootfs/etc/passwd"
check_eq 'HOME: nor has a link that leads out' / "$(run_in "$home")"
rm "$T/b/rootfs/etc/passwd"

# --- the state: runtime.md

bundle "$T/b" '.ociVersion = "1.0.2-dev" | .process.args = ["sleep", "60"]
	| .hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", "-c", "cat >'"$T"'/createRuntime"]}]
	| .hooks.createContainer = [{"path": "/bin/sh", "args": ["sh", "-c", "cat >'"$T"'/createContainer"]}]
	| .hooks.startContainer = [{"path": "/bin/sh", "args": ["sh", "-c", "cat >/tmp/startContainer"]}]
	| .hooks.poststart = [{"path": "/bin/sh", "args": ["sh", "-c", "cat >'"$T"'/poststart"]}]'
chmod 1777 "$T/b/rootfs/tmp" 2>/dev/null || mkdir -m 1777 "$T/b/rootfs/tmp"
runtime run -d --bundle "$T/b" b1 </dev/null
pid=$(runtime state b1 | jq .pid)
check_eq 'state: the version that it complies with, not the bundle' 1.3.0 "$(runtime state b1 | jq -r .ociVersion)"
for kind in createRuntime poststart; do
	check_eq "$kind: the number outside" "1.3.0 $pid" "$(jq -r '"\(.ociVersion) \(.pid)"' "$T/$kind")"
done
check_eq 'createContainer: the number inside' 1 "$(jq .pid "$T/createContainer")"
check_eq 'startContainer: the number inside' 1 "$(jq .pid "$T/b/rootfs/tmp/startContainer")"
runtime delete --force b1
bundle "$T/b" '.process.args = ["true"] | .linux.namespaces |= map(select(.type != "pid")) | .mounts = []
	| .hooks.createContainer = [{"path": "/bin/sh", "args": ["sh", "-c", "cat >'"$T"'/createContainer"]}]'
runtime create --bundle "$T/b" b1 </dev/null
check_eq 'createContainer: the number where there is but one' "$(runtime state b1 | jq .pid)" "$(jq .pid "$T/createContainer")"
runtime delete --force b1

# --- no change of a config.json counts after the creation

bundle "$T/b" '.process.args = ["sh", "-c", "echo first >/said"]'
runtime create --bundle "$T/b" b1 </dev/null
bundle "$T/b" '.process.args = ["sh", "-c", "echo second >/said"] | .hooks.poststop = [{"path": "/bin/touch", "args": ["touch", "'"$T"'/poststop"]}]'
runtime start b1
wait_for 5 is_stopped b1
runtime delete b1
check_eq 'a change after the creation has no effect' 'first' "$(cat "$T/b/rootfs/said")"
check 'nor has a hook that came later' test ! -e "$T/poststop"

# --- hooks that fail: those after it are not run, and the container's end is told

for kind in prestart createRuntime createContainer startContainer poststart; do
	rm -f "$T/poststop" "$T/second" "$T/b/rootfs/second"
	bundle "$T/b" '.hooks.'$kind' = [{"path": "/bin/sh", "args": ["sh", "-c", "exit 3"]},
			{"path": "/bin/sh", "args": ["sh", "-c", "echo >/second"]}]
		| .hooks.poststop = [{"path": "/bin/false"}, {"path": "/bin/sh", "args": ["sh", "-c", "cat >'"$T"'/poststop"]}]'
	case $kind in
	prestart | create*)
		check_fails "$kind fails: so does create" 1 "$kind hook.*exit status 3" runtime create --bundle "$T/b" b1
		;;
	*)
		runtime create --bundle "$T/b" b1 </dev/null
		check_fails "$kind fails: so does start" 1 "$kind hook.*exit status 3" runtime start b1
		check_eq "$kind fails: it is stopped" stopped "$(state_of b1)"
		check_fails "$kind fails: it cannot be started again" 1 'has stopped' runtime start b1
		runtime delete b1
		;;
	esac
	check "$kind fails: no other is run" test ! -e /second -a ! -e "$T/b/rootfs/second"
	check_eq "$kind fails: its end is told, whatever another hook of that does" stopped "$(jq -r .status "$T/poststop")"
	check_fails "$kind fails: nothing is left" 1 'does not exist' runtime state b1
done

# --- what must be an error, by its path in the document

refused() { # WORDS JQ
	bundle "$T/b" "$2"
	check_fails "refused: $1" 1 "$1" runtime create --bundle "$T/b" b1
}
for version in 1.0 1.0.0x ' 1.0.0' 01.0.0 1.0.0- -1.0.0 '' x; do
	refused "ociVersion: '$version' is not a version" ".ociVersion = \"$version\""
done
for version in 2.0.0 10.0.0; do refused "ociVersion: version ${version%%.*} is not read" ".ociVersion = \"$version\""; done
refused 'hooks.poststop\[0\].timeout: ' '.hooks.poststop = [{"path": "/bin/true", "timeout": 0}]'
refused 'hooks.prestart\[0\].path: must be an absolute' '.hooks.prestart = [{"path": "bin/true"}]'
refused "process.rlimits: RLIMIT_CPU stands twice" '.process.rlimits = [{"type": "RLIMIT_CPU", "soft": 9, "hard": 9}, {"type": "RLIMIT_CPU", "soft": 9, "hard": 9}]'
refused "linux.namespaces: 'pid' stands twice" '.linux.namespaces += [{"type": "pid"}]'
refused 'linux.namespaces\[0\].path: must be an absolute' '.linux.namespaces[0].path = "proc/self/ns/pid"'
refused 'join the uts namespace' '.linux.namespaces[2].path = "/proc/self/ns/ipc"'
refused 'annotations.*must not be empty' '.annotations = {"": "x"}'
refused 'annotations.a: must be a string' '.annotations = {"a": 1}'
refused 'defaultErrnoRet: goes only with' '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 5}'
refused 'errnoRet: goes only with' '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["sync"], "action": "SCMP_ACT_TRAP", "errnoRet": 5}]}'
refused 'names: must name at least one' '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_TRAP"}]}'
refused 'listenerMetadata: needs listenerPath' '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"}'
refused 'linux.maskedPaths\[0\]: must be an absolute' '.linux.maskedPaths = ["proc/keys"]'
refused 'linux.readonlyPaths\[0\]: must be an absolute' '.linux.readonlyPaths = ["proc/keys"]'
refused 'uidMappings and gidMappings: must be there both' '.mounts += [{"destination": "/m", "type": "bind", "source": "/tmp", "options": ["bind"], "uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]}]'
refused "make the device 'busybox' in '/bin': File exists" '.linux.devices = [{"path": "/bin/busybox", "type": "c", "major": 1, "minor": 3}]'
refused "linux.cgroupsPath: must not contain '..'" '.linux.cgroupsPath = "/../x"'
check_eq 'nothing is left of those' '' "$(runtime list -q)"
for version in 1.0.0-rc1 1.0.2-dev 1.2.3+build 1.99.0; do
	check "a version that is read: $version" run_in '.ociVersion = "'$version'" | .process.args = ["true"]'
done

# --- and what must be none

check_eq 'consoleSize without a terminal is ignored' 'yes' "$(run_in "$(script 'echo yes') | .process.consoleSize = {\"height\": 9, \"width\": 9}")"
check_match 'what nobody knows is ignored, with a warning' '^yes$' \
	"$(run_in "$(script 'echo yes') | .new = {\"a\": [1]} | .process.new = 1 | .linux.new = [1] | .linux.resources = {\"new\": {}} | .mounts[0].new = 1 | .hooks = {\"new\": []}")"
check_eq 'oom_score_adj: what nobody sets is as it was' "$(cat /proc/self/oom_score_adj)" "$(run_in '.process.args = ["cat", "/proc/self/oom_score_adj"]')"
