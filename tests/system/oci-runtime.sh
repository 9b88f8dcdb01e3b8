# SPDX-License-Identifier: MIT
# guest: no, oci-cgroup and oci-properties tell that kernel from this one
# The command of an OCI runtime: the life of a container in two halves, by one program after the
# other, with what engines ask for and the words that they look for.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/oci.sh"
need python3

bundle "$T/b" '.process.args = ["sh", "-c", "echo $A on $(hostname); touch /started; exec sleep 60"]'

# --- what is no description

bundle "$T/latin" '.annotations = {"word": "MARK"}'
LC_ALL=C sed -i 's/MARK/M\xe4rz/' "$T/latin/config.json"
check_fails 'create: a description that is not UTF-8' 1 'config.json: not UTF-8 at byte [0-9]' \
	runtime create --bundle "$T/latin" latin

# --- what is closed at the start is nothing of the runtime's inside

bundle "$T/closed" '.process.args = ["sh", "-c", "readlink /proc/self/fd/0; sleep 60"]'
run_closed() { runtime run -d --bundle "$T/closed" closed <&- >"$T/closed.out"; }
check 'run: without a standard input' run_closed
wait_for 5 test -s "$T/closed.out"
check_eq 'it is nothing' /dev/null "$(cat "$T/closed.out")"
check_eq 'exec: likewise' /dev/null "$(runtime exec closed readlink /proc/self/fd/0 <&-)"
out_of_it() { runtime exec closed sh -c 'cat /proc/self/fd/1/../etc/hostname || cat /proc/self/fd/2/../etc/hostname' <&- >&- 2>&-; }
check_fails 'exec: without any' 1 '' out_of_it
check_fails 'nor is a directory passed on' 255 'descriptor 0 can.t be passed on: it is a directory' runtime exec closed true </
check 'delete' runtime delete --force closed

# --- create, then start

check 'create' runtime create --bundle "$T/b" --pid-file "$T/pid" c1 </dev/null
pid=$(cat "$T/pid")
check_eq 'created: the state' "created c1 $pid $T/b value" \
	"$(runtime state c1 | jq -r '"\(.status) \(.id) \(.pid) \(.bundle) \(.annotations["org.example.key"])"')"
check 'created: it has a process' test -d "/proc/$pid"
check 'created: the program was not executed' test ! -e "$T/b/rootfs/started"
check_fails 'create: the id is taken' 1 'already exists' runtime create --bundle "$T/b" c1
check_eq 'the log is what an engine reads' 'error' "$(tail -n 1 "$T/log" | jq -r .level)"
check_match 'the log has the words' 'already exists' "$(tail -n 1 "$T/log" | jq -r .msg)"
check 'start' runtime start c1
wait_for 5 test -e "$T/b/rootfs/started"
check_eq 'running: the state' running "$(state_of c1)"
check_fails 'start: a second time' 1 'already running' runtime start c1
check_fails 'delete: it runs' 1 'not stopped' runtime delete c1
check_eq 'list' "c1 running" "$(runtime list --format json | jq -r '.[] | "\(.id) \(.status)"')"
check_eq 'exec' "bundled" "$(runtime exec c1 hostname)"
check_fails 'exec: its own code' 7 '' runtime exec c1 sh -c 'exit 7'
check_fails 'exec: no such program' 255 'No such file' runtime exec c1 nothing-here
check_fails 'a name is no prefix' 1 'does not exist' runtime state c
for user in '' 0x0 ' 0' -1 1x 4294967295 4294967296 1: 1:x 1:2:3 :1 99999999999999999999; do
	check_fails "exec: --user '$user' is nobody" 255 "'$user' is not UID" runtime exec --user "$user" c1 id
done
check_fails 'exec: a group that is none' 255 "'50x' is not a GID" runtime exec --additional-gids 50x c1 id
check_eq 'exec: a user, with groups' '1000 1001 50' \
	"$(runtime exec --user 1000:1001 --additional-gids 50 c1 sh -c 'echo $(id -u) $(id -g) $(id -G | cut -d" " -f2)')"
check_fails 'resume: it is not paused' 1 'not paused' runtime resume c1
check 'pause' runtime pause c1
check_eq 'paused: the state' paused "$(state_of c1)"
check_fails 'pause: it is' 1 'not running: paused' runtime pause c1
check_fails 'delete: it is paused' 1 'not stopped: paused' runtime delete c1
check_fails 'exec: it is paused' 255 'use --ignore-paused' runtime exec c1 true
runtime exec --ignore-paused c1 echo thawed >"$T/thawed" &
thawed=$!
check 'resume' runtime resume c1
wait "$thawed"
check_eq 'exec: what waited for that' thawed "$(cat "$T/thawed")"
check_fails 'exec: what is not there has no status of a program' 255 'does not exist' runtime exec c0 true
check_match 'ps: as ps prints it' "^UID .*PID.* $pid .*sleep 60" "$(runtime ps c1 | tr '\n' ' ')"
check_eq 'ps: with its options' "PID ARGS $pid sleep 60" "$(runtime ps c1 -o pid,args=ARGS | tr -s '\n ' ' ' | sed 's/^ //; s/ $//')"
check_fails 'ps: a table without numbers' 1 'no column PID' runtime ps c1 -o args
check_eq 'ps: numbers' "[$pid]" "$(runtime ps --format json c1)"
for signal in 0 WINCH SIGIO cld; do check "kill: $signal" runtime kill c1 $signal; done
for signal in '' -1 65 99999999999 9x RTMIN+ RTMIN+-34 RTMAX-40 RTMINX SIG; do
	check_fails "kill: '$signal' is none" 1 "'$signal' is not a signal" runtime kill c1 "$signal"
done
runtime exec c1 sleep 1000 &
second=$!
runs_second() { runtime ps c1 -o pid,args | grep -q 'sleep 1000'; }
wait_for 5 runs_second
check 'kill: all' runtime kill --all c1 USR1
wait "$second" && second=0 || second=$?
check_eq 'kill: all, the second, too' 138 "$second"
check_eq 'kill: all, but for the first, which does not listen' running "$(state_of c1)"
check_eq 'what version 1 counts by hierarchy, it counts for the container alone' '' \
	"$(grep -E '^[0-9]+:[^:]*(memory|pids|cpuacct|blkio)[^:]*:/$' "/proc/$pid/cgroup" || :)"
check_match 'list: when it was made' "$(date -u +%Y-%m-%dT)" "$(runtime list)"
check_eq 'events: as runc counts' 'true true true 0' "$(runtime events --stats c1 | jq -r '.data |
	"\(.cpu.usage.total > 0) \(.memory.usage.usage > 0) \(.memory.swap.usage >= .memory.usage.usage) \(.pids.limit)"')"
check_eq 'help' "$(runtime --help)" "$(runtime -h)"
check 'kill' runtime kill c1 KILL
wait_for 5 is_stopped c1
check_eq 'stopped: no process' null "$(runtime state c1 | jq -r .pid)"
check_fails 'kill: it has ended' 1 'not running' runtime kill c1 KILL
check 'kill --all: nothing of it is left' runtime kill --all c1 KILL
check_fails 'exec: it has ended' 255 'stopped container.*not running' runtime exec c1 true
for command in pause resume ps update 'events --stats' events; do
	# shellcheck disable=SC2086
	check_fails "$command: it has ended" 1 "not $([ $command = resume ] && echo paused || echo running)" runtime ${command} c1
done
check 'a collection of garbage leaves it' runtime list
check_eq 'still stopped' stopped "$(state_of c1)"
check 'delete' runtime delete c1
check_fails 'delete: a second time' 1 'does not exist' runtime delete c1
check 'delete --force: what is not there' runtime delete --force c1
check_fails 'kill: what is not there' 1 'does not exist' runtime kill c1 KILL

# --- what its first process leaves behind, where no pid namespace goes with it

bundle "$T/l" '.process.args = ["sh", "-c", "sleep 1000 & sleep 1000 & exit 0"] | .linux.namespaces |= map(select(.type != "pid"))
	| .linux.cgroupsPath = "/lcx-left.'$$'"'
left() { cat /sys/fs/cgroup/pids/lcx-left.$$/cgroup.procs | wc -l; }
none_is_left() { [ "$(left)" = 0 ]; }
runtime run -d --bundle "$T/l" l1 </dev/null
wait_for 5 is_stopped l1
check_eq 'left behind' 2 "$(left)"
check_fails 'kill: not those' 1 'not running' runtime kill l1 KILL
check 'kill --all: those, too: by a signal' runtime kill --all l1 0
check_eq 'kill --all: which they hear' 2 "$(left)"
check 'kill --all: KILL' runtime kill --all l1 KILL
wait_for 5 none_is_left
check 'kill --all: nobody is left' none_is_left
check 'delete: them' runtime delete l1
runtime run -d --bundle "$T/l" l1 </dev/null
wait_for 5 is_stopped l1
check 'delete: what is left behind goes with it' runtime delete l1
check 'delete: and its cgroup' test ! -e /sys/fs/cgroup/pids/lcx-left.$$

# --- an update: of one resource after the other, or of all of them, as engines send them that know the whole description

bundle "$T/u" '.linux.cgroupsPath = "/lcx-update.'$$'" | .linux.resources = {"cpu": {"shares": 512}, "devices": [{"allow": false, "access": "rwm"},
	{"allow": true, "type": "c", "major": 10, "minor": 237, "access": "rwm"}]}'
runtime run -d --bundle "$T/u" u1 </dev/null
cgroup_file() { cat "/sys/fs/cgroup/$1/lcx-update.$$/$2"; }
before=$(cgroup_file devices devices.list | sort)
check 'update: all that the description has' sh -c 'jq ".linux.resources" "$2" | "$1" --root "$3" update --resources - u1' - 	"$BUILD/examples/lcx-runtime/lcx-runtime" "$T/u/config.json" "$T/root"
check_eq 'update: the devices are those of before' "$before" "$(cgroup_file devices devices.list | sort)"
check 'update: which can be used' runtime exec u1 sh -c 'echo x >/dev/null'
echo '{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 238, "access": "r"}]}' >"$T/devices"
check 'update: other devices' runtime update --resources "$T/devices" u1
check_eq 'update: them' 'c 10:238 r' "$(cgroup_file devices devices.list | grep 10:)"
check 'update: besides those that everybody has' runtime exec u1 sh -c 'echo x >/dev/null'
check 'update: idle' runtime update --cpu-idle 1 u1
check 'update: something else of one that is' runtime update --pids-limit 50 u1
check_eq 'update: it' 50 "$(cgroup_file pids pids.max)"
check 'update: idle no more' runtime update --cpu-idle 0 u1
check_eq 'update: its shares count again' '0 512' "$(cgroup_file cpu cpu.idle) $(cgroup_file cpu cpu.shares)"
for value in abc '' 1x 0x10 1-; do check_fails "update: '$value' is no number" 1 "cpu-quota '$value': makes no sense" runtime update --cpu-quota="$value" u1; done
runtime delete --force u1

# --- what was created need not be started

runtime create --bundle "$T/b" c2 </dev/null
check 'kill of a created one' runtime kill c2 KILL
wait_for 5 is_stopped c2
check_fails 'start: it has ended' 1 'has stopped' runtime start c2
check 'delete of one that never ran' runtime delete c2
runtime create --bundle "$T/b" c2 </dev/null
check_fails 'delete of a created one' 1 'not stopped' runtime delete c2
check_eq 'has no effect' created "$(state_of c2)"
check 'delete --force of it' runtime delete --force c2

# --- one that was stopped meanwhile, as root of a container may do whose processes it is among, holds nobody up

runtime create --bundle "$T/b" --pid-file "$T/pid" c2 </dev/null
kill -STOP "$(cat "$T/pid")"
check_fails 'start: it was stopped' 1 'stopped by a signal before' \
	timeout -s KILL 20 "$BUILD/examples/lcx-runtime/lcx-runtime" --root "$T/root" start c2
wait_for 5 is_stopped c2
check 'and has ended by that' runtime delete c2

# --- what is covered in what may only be read, by whatever name it goes

for readonly in /proc /proc/ /; do
	bundle "$T/b" '.process.args = ["sh", "-c", "cat /proc/version /proc/cpuinfo; ! : 2>/dev/null >/proc/self/comm; ls /proc/irq"]
		| .linux.readonlyPaths = ["'$readonly'"] | .linux.maskedPaths = ["/proc/version", "/proc//cpuinfo", "/proc/irq"]'
	check_eq "masks below $readonly, read-only" '' "$(runtime run --bundle "$T/b" c2 2>&1)"
done

# --- paused: nobody waits for what is frozen, nor is it thawed but to be killed

soon() { timeout 10 "$BUILD/examples/lcx-runtime/lcx-runtime" --root "$T/root" --log "$T/log" --log-format json "$@"; }
bundle "$T/p" '.process.args = ["sh", "-c", "trap \"exit 5\" TERM; touch /ready; while :; do sleep 0.1; done"]'
runtime create --bundle "$T/p" p1 </dev/null
check 'pause: a created one' soon pause p1
check_fails 'start: it is paused' 1 "'p1' is paused; resume it first" soon start p1
check 'resume: a created one' soon resume p1
check 'start: it is not paused any more' soon start p1
wait_for 5 test -e "$T/p/rootfs/ready"
runtime pause p1
check 'kill: TERM of a paused one' soon kill p1 TERM
check_eq 'kill: it stays paused' paused "$(state_of p1)"
check 'kill --all: TERM of a paused one' soon kill --all p1 TERM
check_eq 'kill --all: it stays paused' paused "$(state_of p1)"
runtime resume p1
check 'resume: it hears the signal' wait_for 5 is_stopped p1
runtime delete p1
for id in p2 p3; do
	runtime create --bundle "$T/p" $id </dev/null
	runtime pause $id
done
check 'kill: KILL of a created one that is paused' soon kill p2 KILL
check 'kill: it has ended' wait_for 5 is_stopped p2
for id in p2 p3; do check "delete --force: $id" soon delete --force $id; done

# --- what is described without a process can be joined, but not started

bundle "$T/b" 'del(.process)'
check 'create: without a process' runtime create --bundle "$T/b" --pid-file "$T/pid" n1 </dev/null
check_eq 'created: without a process' "created $(cat "$T/pid")" "$(runtime state n1 | jq -r '"\(.status) \(.pid)"')"
check_eq 'created: in its own root' "/ $T/b/rootfs/bin" \
	"$(readlink "/proc/$(cat "$T/pid")/cwd") $(find "/proc/$(cat "$T/pid")/root/bin" -maxdepth 0 -samefile "$T/b/rootfs/bin" -printf "$T/b/rootfs/bin")"
check_eq 'created: it has no capability' '0000000000000000' "$(awk '/^CapBnd/ { print $2 }' "/proc/$(cat "$T/pid")/status")"
check_fails 'start: without a process' 1 "process: container 'n1'" runtime start n1
check_eq 'start: has no effect' created "$(state_of n1)"
check_eq 'exec: in a container without a process' bundled "$(runtime exec --cwd / --env PATH=/bin n1 hostname)"
check 'kill: without a process' runtime kill n1 KILL
wait_for 5 is_stopped n1
check 'delete: without a process' runtime delete n1
check_fails 'run: without a process' 1 "process: " runtime run --bundle "$T/b" n1
check_fails 'run: and nothing is left' 1 'does not exist' runtime state n1
bundle "$T/b" '.process.args = []'
check_fails 'create: a process without a program' 1 'process.args' runtime create --bundle "$T/b" n1

# --- what waits is a program in memory of its own: whoever could write to the page cache would write to no file of the
# host's, nor to what sets up another container

bundle "$T/b" .
for id in m1 m2; do runtime create --bundle "$T/b" $id </dev/null; done
check_match 'created: no file of the host' '^/memfd:' "$(readlink "/proc/$(runtime state m1 | jq .pid)/exe")"
program_of() { stat -L -c %d:%i "/proc/$(runtime state "$1" | jq .pid)/exe"; }
check 'created: each its own' [ "$(program_of m1)" != "$(program_of m2)" ]
for id in m1 m2; do runtime delete --force $id; done

# --- a program that is not there is told when it is created

bundle "$T/none" '.process.args = ["nothing-here"]'
check_fails 'create: no such program' 1 "execute 'nothing-here'.*No such file" runtime create --bundle "$T/none" c3
check_fails 'create: nothing is left' 1 'does not exist' runtime state c3
bundle "$T/dir" '.process.args = ["/etc"]'
check_fails 'create: a directory' 1 'ermission denied' runtime create --bundle "$T/dir" c3
printf '#!/nowhere\n' >"$T/b/rootfs/bin/broken"
chmod +x "$T/b/rootfs/bin/broken"
bundle "$T/b" '.process.args = ["broken"]'
runtime create --bundle "$T/b" c3 </dev/null
check_fails 'start: the exec fails' 1 "execute 'broken'.*No such file" runtime start c3
wait_for 5 is_stopped c3
runtime delete c3

# --- descriptors, keyring, root

bundle "$T/b" '.process.args = ["sh", "-c", "ls /proc/self/fd | tr \"\\n\" \" \"; cat <&3; cat <&4"]'
echo three >"$T/three"
echo four >"$T/four"
check_match 'preserve-fds: those, and no other' '^0 1 2 3 4 5 three four$' \
	"$(runtime run --bundle "$T/b" --preserve-fds 2 c4 3<"$T/three" 4<"$T/four" | tr '\n' ' ' | sed 's/ *$//')"
check_fails 'preserve-fds: one that is not open' 1 'descriptor' runtime run --bundle "$T/b" --preserve-fds 20 c4
bundle "$T/b" '.process.args = ["sh", "-c", "ls /; umount /proc; ls /proc"]'
check_match 'no-pivot' 'started' "$(runtime run --no-pivot --bundle "$T/b" c4 | tr '\n' ' ')"
bundle "$T/b" '.process.args = ["sh", "-c", "cat /proc/keys | grep -c _ses; exit 3"]'
check_fails 'run: its own code' 3 '' runtime run --bundle "$T/b" c4
check_fails 'run: deleted afterwards' 1 'does not exist' runtime state c4

# --- a terminal that somebody else serves

bundle "$T/b" '.process.args = ["sh", "-c", "tty; stty size"] | .process.terminal = true
	| .process.consoleSize = {"height": 30, "width": 90}'
check_fails 'a terminal needs a socket' 1 'console-socket' runtime create --bundle "$T/b" c5
cat >"$T/console.py" <<'PY'
import array, os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(1)
connection, _ = listener.accept()
data, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
fd = array.array("i", ancillary[0][2])[0]
out = b""
while True:
    try:
        part = os.read(fd, 4096)
    except OSError:
        break
    if not part:
        break
    out += part
sys.stdout.write(out.decode())
PY
python3 "$T/console.py" "$T/console" >"$T/console.out" &
server=$!
wait_for 5 test -S "$T/console"
check 'create: with a console socket' runtime create --bundle "$T/b" --console-socket "$T/console" c5 </dev/null
check 'start: on that terminal' runtime start c5
wait "$server"
check_eq 'the terminal is the program'"'"'s' "/dev/pts/0 30 90" "$(tr -d '\r' <"$T/console.out" | tr '\n' ' ' | sed 's/ *$//')"
wait_for 5 is_stopped c5
check 'delete: with a terminal' runtime delete c5

# --- hooks, on both sides of the gap

hook() { # KIND NAME: as JSON
	printf '.hooks.%s = [{"path": "/bin/sh", "args": ["sh", "-c", "echo %s $(cat) >>%s"]}]' "$1" "$1" "$2"
}
bundle "$T/b" "$(hook createRuntime "$T/hooks") | $(hook startContainer /hooks) | $(hook poststart "$T/hooks") | $(hook poststop "$T/hooks")"
rm -f "$T/b/rootfs/hooks"
runtime create --bundle "$T/b" h1 </dev/null
check_eq 'created: hooks of the runtime' "createRuntime" "$(cut -d' ' -f1 "$T/hooks")"
check_eq 'their state has the bundle' "h1 $T/b" "$(sed 's/^[^ ]* //' "$T/hooks" | jq -r '"\(.id) \(.bundle)"')"
check 'created: not yet those of the start' test ! -e "$T/b/rootfs/hooks"
check 'start: with hooks' runtime start h1
check_eq 'started: a hook in the container' "startContainer" "$(cut -d' ' -f1 "$T/b/rootfs/hooks")"
check_eq 'started: hooks on the host' "createRuntime poststart" "$(cut -d' ' -f1 "$T/hooks" | tr '\n' ' ' | sed 's/ $//')"
runtime delete --force h1
check_eq 'deleted: hooks on the host' "createRuntime poststart poststop" "$(cut -d' ' -f1 "$T/hooks" | tr '\n' ' ' | sed 's/ $//')"
bundle "$T/b" '.hooks.startContainer = [{"path": "/bin/sh", "args": ["sh", "-c", "echo not today; exit 3"]}]'
runtime create --bundle "$T/b" h2 </dev/null
check_fails 'start: a hook fails' 1 'startContainer.*exit status 3: not today' runtime start h2
wait_for 5 is_stopped h2
check 'delete: its process has ended' runtime delete h2
bundle "$T/b" '.hooks.createRuntime = [{"path": "/bin/false"}]'
check_fails 'create: a hook fails' 1 'createRuntime' runtime create --bundle "$T/b" h3
check_fails 'create: and nothing is left' 1 'does not exist' runtime state h3

# --- capabilities as engines write them

bundle "$T/b" '.process.args = ["grep", "Cap[AI]", "/proc/self/status"]
	| .process.capabilities = {"bounding": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_CHOWN"],
		"permitted": ["CAP_CHOWN", "CAP_KILL"], "inheritable": ["CAP_KILL"], "ambient": ["CAP_CHOWN", "CAP_KILL"]}'
check_eq 'ambient: what can be' "0000000000000020 0000000000000020" \
	"$(runtime run --bundle "$T/b" a1 | awk '{ print $2 }' | tr '\n' ' ' | sed 's/ $//')"

bundle "$T/b" '.process.args = ["grep", "CapBnd", "/proc/self/status"]
	| .process.capabilities = {"bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_FLY"], "permitted": ["CAP_KILL"]}'
check_eq 'what the caller has not is left out' '0000000000000001' "$(setpriv --bounding-set -kill --inh-caps -kill \
	"$BUILD/examples/lcx-runtime/lcx-runtime" --root "$T/root" --log "$T/warnings" run --bundle "$T/b" a2 | awk '{ print $2 }')"
check_match 'with a warning in the log' 'level=warning msg="process.capabilities: CAP_KILL can' "$(cat "$T/warnings")"
check_match 'so is what no kernel has' "level=warning msg=.*unknown capability 'CAP_FLY'" "$(cat "$T/warnings")"

# --- what it does not load: a registry's client brings thirty libraries along, and libcrypto takes a millisecond

check_eq 'libcurl and libcrypto are loaded when images are dealt with' '' \
	"$(ldd "$BUILD/examples/lcx-runtime/lcx-runtime" | grep -e curl -e crypto || :)"
without() { # LIBRARY WORDS
	mkdir "$T/without-$1"
	: >"$T/without-$1/$1"
	check_fails "and if $1 is not there, that is told" 1 "$2 need $1, which can't be loaded: .*$T/without-$1/$1" \
		env LD_LIBRARY_PATH="$T/without-$1" "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" \
		pull 127.0.0.1:1/none
}
without libcurl.so.4 registries
without libcrypto.so.3 images

# --- a filter that forbids what the start itself calls behind it

forbid() { # SYSCALL ACTION NO_NEW_PRIVILEGES
	bundle "$T/b" '.process.args = ["true"] | .process.noNewPrivileges = '"$3"' | .linux.seccomp =
		{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["'"$1"'"], "action": "'"$2"'"}]}'
}
for syscall in setgroups setresuid prctl capset sendmsg read close; do
	forbid $syscall SCMP_ACT_KILL_PROCESS false
	check_fails "create: a filter that forbids $syscall" 1 "seccomp: forbids '$syscall'.*noNewPrivileges" runtime create --bundle "$T/b" f1
	forbid $syscall SCMP_ACT_ERRNO true
	[ $syscall = read ] || [ $syscall = close ] || check "run: with no new privileges it may forbid $syscall" runtime run --bundle "$T/b" f1
done
for privileges in true false; do
	forbid execve SCMP_ACT_ERRNO $privileges
	check_fails 'create: a filter that forbids execve' 1 "seccomp: forbids 'execve'" runtime create --bundle "$T/b" f1
	forbid execveat SCMP_ACT_ERRNO $privileges
	check 'run: a filter may forbid execveat' runtime run --bundle "$T/b" f1
done
check_eq 'create: nothing is left of those' '' "$(runtime list -q)"

# --- what it can do

runtime features >"$T/features"
check_eq 'features: of the specification' "1.3.0 true true" \
	"$(jq -r '"\(.ociVersionMax) \(.linux.seccomp.enabled) \(.linux.cgroup.systemd)"' "$T/features")"
check 'features: what is listed runs' sh -c 'jq -e ".mountOptions | index(\"ro\")" "$1" && jq -e ".hooks | length == 6" "$1"' x "$T/features"
mkdir "$T/s"
cp -a "$T/rootfs" "$T/s/rootfs"
check 'spec' runtime spec --bundle "$T/s"
check_fails 'spec: not over another' 1 'exists' runtime spec --bundle "$T/s"
jq '.process.terminal = false | .process.args = ["hostname"]' "$T/s/config.json" >"$T/s/new"
mv "$T/s/new" "$T/s/config.json"
check_eq 'spec: it runs' lcx "$(runtime run --bundle "$T/s" s1)"

# An ordinary user has no way into the directories of the test: he gets one of his own.
mkdir -p "$T/user/bundle" "$T/user/lib" "$T/user/run"
cp -a "$T/rootfs" "$T/user/bundle/rootfs"
cp "$BUILD/examples/lcx-runtime/lcx-runtime" "$T/user"
cp "$BUILD/lib/liblcx.so.0" "$T/user/lib"
chown -R 1000:1000 "$T/user"
mount --bind "$T/user" /mnt
defer 'umount /mnt'
as_user() {
	(cd /mnt && setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all env LD_LIBRARY_PATH=/mnt/lib \
		XDG_RUNTIME_DIR=/mnt/run ASAN_OPTIONS=detect_leaks=0 "$@")
}
check 'spec --rootless' as_user ./lcx-runtime spec --rootless --bundle bundle
jq '.process.terminal = false | .process.args = ["sh", "-c", "id -u; tr -s \" \" </proc/self/uid_map"]' /mnt/bundle/config.json >"$T/rootless"
cp "$T/rootless" /mnt/bundle/config.json
check_eq 'spec --rootless: an ordinary user runs it' '0 0 1000 1' "$(as_user ./lcx-runtime run --bundle bundle r1 | tr -s '\n ' ' ' | sed 's/ $//')"

# --- what crun takes, too: another description, several containers at once; and runc's owner

bundle "$T/b" '.process.args = ["sleep", "60"]'
mv "$T/b/config.json" "$T/other.json"
check_fails 'create: no description' 1 'config.json' runtime create --bundle "$T/b" x1
(cd "$T" && check 'run --config: relative to where one is' runtime run -d --config other.json --bundle b x1) </dev/null
check 'create -f' runtime create -f "$T/other.json" --bundle "$T/b" x2 </dev/null
check 'create: one that others must not touch' runtime create -f "$T/other.json" --bundle "$T/b" y2 </dev/null
check_match 'list: the owner' '^x1 .* root$' "$(runtime list)"
check_eq 'state and list: the owner' 'root root' "$(runtime state x1 | jq -r .owner) $(runtime list -f json | jq -r '.[0].owner')"
check_fails 'kill --regex: no regular expression' 1 "'(x' is no regular expression" runtime kill --regex '(x' KILL
check 'kill --regex' runtime kill --regex '^x[0-9]$' KILL
wait_for 10 is_stopped x1
wait_for 10 is_stopped x2
check_eq 'kill --regex: nobody else' created "$(state_of y2)"
check_fails 'delete --regex: one that is not stopped is named' 1 'container y2' runtime delete -r '^[xy]'
check_eq 'delete --regex: the others are gone' y2 "$(runtime list -q)"
check 'delete --regex --force' runtime delete --force --regex .
check_eq 'delete --regex: all' '' "$(runtime list -q)"
check 'spec --file' runtime spec --bundle "$T" --file made.json
check_eq 'spec --file: what it is' linux "$(jq -r 'keys[]' "$T/made.json" | grep -x linux)"
check 'spec -f: a path' runtime spec -f "$T/made2.json"
check 'spec -f: there' test -s "$T/made2.json"
mv "$T/other.json" "$T/b/config.json"

# --- refused by name

check_fails 'cgroup-manager' 1 "cgroup manager 'fly'" runtime --cgroup-manager fly create --bundle "$T/b" w1
check_match 'help' 'Usage: lcx-runtime update' "$(runtime help update)"
check_fails 'help for what is not there' 1 "no command 'fly'" runtime help fly
check_fails 'a command that is not there' 1 "no command 'fly'" runtime fly
check_fails 'an option that is not there' 1 "no option '--fly'" runtime list --fly
check 'an option after the operand' runtime delete none --force
check_fails 'one that lacks its value there' 1 '--memory: needs a value' runtime update none --memory
check_fails 'no option after two dashes' 1 'takes CONTAINER' runtime delete -- none --force
check_fails "a program's options are its own" 255 'does not exist' runtime exec none true --fly
bundle "$T/b" '.process.args = ["sleep", "60"]'
runtime run -d --bundle "$T/b" w2 </dev/null
for criu in relative "$T/criu"; do
	check_fails "criu: $criu" 1 "criu .*'$criu'" runtime --criu "$criu" checkpoint --image-path "$T/images" w2
done
check_fails 'update: a share of cache for one without a class' 1 'linux.intelRdt: ' runtime update --l3-cache-schema L3:0=f w2
check_fails 'update: no share of bandwidth' 1 "must start with 'MB:'" runtime update --mem-bw-schema L3:0=f w2
runtime delete --force w2
check_fails 'a namespace that would be empty' 1 "'empty-ns': 'ipc' can't be had" runtime checkpoint --empty-ns ipc w1
check_fails 'the one that is' 1 'does not exist' runtime checkpoint --empty-ns network w1

# --- every option that others have, by name and letter: those of the installed ones, and what newer ones got

need runc crun
options_of() { "$@" --help 2>&1 | sed -n 's/^ *\(-.*\)/\1/p' | sed 's/  .*//' | grep -oE -- '(^|[ ,])--?[A-Za-z0-9][a-z0-9-]*' |
	tr -d ' ,' | grep -vxE -- '--(help|usage|version)|-[hvV]' | sort -u; }
newer() {
	case $1 in
	create | exec | run) echo '--pidfd-socket' ;;
	update) printf '%s\n' --cpu-burst --cpu-idle --kernel-memory --kernel-memory-tcp ;;
	checkpoint) printf '%s\n' --link-remap --tcp-skip-in-flight --lazy-pages --page-server --status-fd ;;
	restore) printf '%s\n' --tcp-close --preserve-fds --pidfd-socket --lsm-profile --lsm-mount-context ;;
	esac
}
for command in '' create start run state list kill delete exec pause resume update ps events features spec checkpoint restore; do
	# shellcheck disable=SC2086
	{ options_of runc $command; options_of crun $command; newer "$command"; } | sort -u >"$T/theirs"
	# shellcheck disable=SC2086
	options_of "$BUILD/examples/lcx-runtime/lcx-runtime" $command >"$T/ours"
	check_eq "options: ${command:-before the command}: $(wc -l <"$T/theirs") of theirs" '' "$(comm -23 "$T/theirs" "$T/ours" | tr '\n' ' ')"
done
bundle "$T/b" '.process.cwd = 7'
check_fails 'a wrong description' 1 'process.cwd' runtime create --bundle "$T/b" w1
check_eq 'nothing is left' '' "$(runtime list -q)"
