# SPDX-License-Identifier: MIT
# build: plain
# guest: no, what an option means another kernel does not tell
# The options of lcx-runtime that stand before the command, and what it takes from its environment: where errors go,
# descriptors and a socket of systemd's.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/oci.sh"
need python3 unshare

program=$BUILD/examples/lcx-runtime/lcx-runtime
bare() { "$program" --root "$T/root" "$@"; }

# --- what it is, and how it is called: crun's letters, too

for option in -v -V --version; do check_match "version: $option" '^lcx-runtime version .*spec: 1.3.0' "$(bare $option | tr '\n' ' ')"; done
check_eq 'help, by another letter' "$(bare --help)" "$(bare -?)"
check_match 'usage' '^Usage: lcx-runtime \[--root=VALUE\].*\[--debug\].*COMMAND' "$(bare --usage | tr '\n' ' ')"
check_match 'usage of a command' '^Usage: lcx-runtime create \[--bundle=VALUE\].* CONTAINER' "$(bare create --usage | tr '\n' ' ')"
check_eq 'usage: no line is too long' '' "$(for c in create run exec update checkpoint; do bare $c --usage; done | grep -E '.{80}' || :)"
check_match 'help, behind another option' '^Usage: lcx-runtime create' "$(bare create --bundle none --help)"
check_fails 'the options of a program are its own' 255 'does not exist' bare exec none sh --help
check_fails 'what is no option' 1 "no option '-X'" bare -X

# --- a file, which is there from the beginning

check_fails 'log: one that cannot be written, with what would succeed' 1 "log '$T/none/log': No such file" bare --log "$T/none/log" list
check_fails 'log: a directory' 1 'Is a directory' bare --log "file:$T" list
check 'log: nothing to tell' bare --log "$T/log1" list
check_eq 'log: it is there' '644 0' "$(stat -c '%a %s' "$T/log1")"
bad=$(printf 'a"\\\n\001\377\355\240\200\303\244')
check_fails 'log: JSON, whatever is told' 1 'cannot name a container' bare --log "file:$T/log1" --log-format json state "$bad"
python3 - "$T/log1" >"$T/read" <<'PY'
import json, sys
line = open(sys.argv[1], "rb").read()
assert line.count(b"\n") == 1, line
print(json.loads(line.decode("utf-8"))["msg"].encode("unicode_escape").decode().split(" cannot")[0], json.loads(line)["level"])
PY
check_eq 'log: one line, and in UTF-8' "'a\"\\\\\\n\\x01\\ufffd\\ufffd\\ufffd\\ufffd\\xe4' error" "$(cat "$T/read")"
check_fails 'log: text' 1 'does not exist' bare --log "$T/log2" state none
check_match 'log: text, as runc writes it' "^time=\"20[0-9TZ:-]*\" level=error msg=\"container 'none' does not exist\"$" "$(cat "$T/log2")"
check_fails 'log: a name with a colon is a path' 1 'does not exist' bare --log "$T/a:b" state none
check 'log: there' test -s "$T/a:b"
check_fails 'log: neither text nor JSON' 1 'neither text nor json' bare --log-format xml list
check_match 'log: an option that is none is told there' "no option '--fly'" "$(bare --log "$T/log3" --fly list 2>&1; cat "$T/log3")"

# --- the journal and syslog: on sockets of the test's own, in a mount namespace of its own

check_fails 'journald: nobody listens' 1 "log 'journald:x': No such file" unshare -m sh -c '
	mkdir -p /run/systemd/journal && mount -t tmpfs none /run/systemd/journal && exec "$@"' - \
	"$program" --root "$T/root" --log journald:x list
cat >"$T/listen.py" <<'PY'
import os, socket, struct, subprocess, sys
path, kind, runtime, root, log = sys.argv[1:6]
os.makedirs(os.path.dirname(path), exist_ok=True)
if os.path.lexists(path):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM)
listener.bind(path)
if kind != "datagram":
    listener.listen(4)
command = [runtime, "--root", root, "--log", log, "state", sys.argv[6].encode("utf-8", "surrogateescape")]
process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
def received():
    if kind == "datagram":
        return listener.recv(65536)
    while True:
        data = listener.accept()[0].recv(65536)
        if data:  # the first connection only looks whether somebody is there
            return data
listener.settimeout(20)
data = received()
process.wait()
if log.startswith("journald"):
    fields = []
    while data:
        name, _, data = data.partition(b"\n")
        if b"=" in name:
            fields.append(name)
            continue
        size, = struct.unpack("<Q", data[:8])
        fields.append(name + b"=" + data[8:8 + size])
        assert data[8 + size:9 + size] == b"\n"
        data = data[9 + size:]
    data = b"|".join(fields)
print(data)
PY
told() { # SOCKET KIND LOG ID: what arrives there
	unshare -m sh -c 'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mkdir -p /run/systemd && mount -t tmpfs none /run/systemd && exec "$@"' - \
		python3 "$T/listen.py" "$1" "$2" "$program" "$T/root" "$3" "$4"
}
evil=$(printf 'x\nPRIORITY=0\nMESSAGE=forged')
check_eq 'journald: fields, and what is told begins none' \
	"b\"PRIORITY=3|SYSLOG_IDENTIFIER=pod|MESSAGE='x\\nPRIORITY=0\\nMESSAGE=forged' cannot name a container\"" \
	"$(told /run/systemd/journal/socket datagram journald:pod "$evil" | sed 's/; use letters.*"$/"/')"
check_match 'journald: of no name it is the runtime' 'SYSLOG_IDENTIFIER=lcx-runtime[|]MESSAGE' "$(told /run/systemd/journal/socket datagram journald: none)"
check_match 'syslog: a line' "^b\"<11>[A-Z][a-z]* [ 0-9][0-9] [0-9:]* pod\\[[0-9]*\\]: container 'none' does not exist\"$" \
	"$(told /dev/log datagram syslog:pod none)"
check_match 'syslog: what is told is one line, and so is the name' "p#040od#072\\[[0-9]*\\]: 'x#012PRIORITY=0#012MESSAGE=forged' cannot" \
	"$(told /dev/log datagram 'syslog:p od:' "$evil")"
# Who is stuck holds nobody up.
cat >"$T/stuck.py" <<'PY'
import os, socket, subprocess, sys
path, kind = sys.argv[1:3]
os.makedirs(os.path.dirname(path), exist_ok=True)
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM)
listener.bind(path)
if kind != "datagram":
    listener.listen(0)
others, sent = [], 1
while sent:  # by one that has sent nothing yet: the queue is full, not what it may send
    other = socket.socket(socket.AF_UNIX, listener.type)
    other.setblocking(False)
    others.append(other)
    sent = 0
    try:
        other.connect(path)
        while kind == "datagram" or not sent:
            sent += other.send(b"x")
    except BlockingIOError:
        pass
done = subprocess.run(sys.argv[3:], capture_output=True, text=True, timeout=20)
print(done.returncode, done.stderr.replace("\n", " ").replace("lcx-runtime: ", ""), end="")
PY
for way in 'journald: /run/systemd/journal/socket datagram' 'syslog: /dev/log datagram' 'syslog: /dev/log stream'; do
	# shellcheck disable=SC2086
	set -- $way
	check_eq "$1 stuck, $3" "1 log '$1': Resource temporarily unavailable container 'none' does not exist " \
		"$(unshare -m sh -c 'mount -t tmpfs none /dev && mkdir -p /run/systemd && mount -t tmpfs none /run/systemd && exec "$@"' - \
			python3 "$T/stuck.py" "$2" "$3" "$program" --root "$T/root" --log "$1" state none 2>&1 | tail -n 1; echo)"
done
check_match 'syslog: by a stream' "lcx-runtime\\[[0-9]*\\]: container 'none' does not exist.x00\"$" "$(told /dev/log stream syslog: none)"

# --- descriptors: those of the caller, and never one of the runtime's, as of a directory of the host's

bundle "$T/b" '.process.args = ["sh", "-c", "ls /proc/self/fd | tr \"\\n\" \" \"; echo $LISTEN_FDS,$LISTEN_PID,$LISTEN_FDNAMES; cat <&3"]'
echo three >"$T/three"
closed() { (exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-; "$@"); }
for n in 1 2 3 4; do
	check_fails "preserve-fds: $n, none of which is open" 1 'hand descriptor 3 on' closed bare run --bundle "$T/b" --preserve-fds $n d1
done
with_three() { closed sh -c 'f=$1; shift; exec 3<"$f"; exec "$@"' - "$T/three" "$@"; }
for n in 2 3 4 5 6; do
	check_fails "preserve-fds: $n, of which one is open" 1 'hand descriptor 4 on' with_three "$program" --root "$T/root" run --bundle "$T/b" --preserve-fds $n d1
done
check_eq 'LISTEN_FDS: as it is meant' '0 1 2 3 4 1,1,web three' \
	"$(with_three env LISTEN_FDS=1 LISTEN_FDNAMES=web sh -c 'LISTEN_PID=$$ exec "$@"' - "$program" --root "$T/root" run --bundle "$T/b" d1 |
		tr '\n' ' ' | sed 's/ $//')"
for pid in '' 1 x; do
	check_match "LISTEN_FDS: not for this process: '$pid'" '^0 1 2 3 ,,$' \
		"$(with_three env LISTEN_FDS=1 LISTEN_FDNAMES=web LISTEN_PID="$pid" "$program" --root "$T/root" run --bundle "$T/b" d1 2>/dev/null | head -n 1)"
done

bundle "$T/b" 'del(.process)'
check 'LISTEN_FDS: nobody gets them where there is no process' with_three env LISTEN_FDS=1 \
	sh -c 'LISTEN_PID=$$ exec "$@"' - "$program" --root "$T/root" create --bundle "$T/b" d1
bare delete --force d1
bundle "$T/b" .
bare create --bundle "$T/b" d1 </dev/null
for fd in 3 4 5 6 7 8 9 10 11 12; do
	check_fails "exec: no directory of the host is descriptor $fd" 255 'working directory' bare exec --cwd "/proc/self/fd/$fd" d1 cat "../../../../../../../..$T/three"
done
bare delete --force d1

# --- NOTIFY_SOCKET: it is up when its program says so

cat >"$T/notify.py" <<'PY'
import fcntl, glob, json, os, socket, subprocess, sys, time
runtime, root, bundle, way = sys.argv[1:5]
path = os.path.join(os.path.dirname(bundle), "notify-" + way)
address = "\0lcx-notify-%d" % os.getpid() if way == "abstract" else path
host = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
host.bind(address)
host.settimeout(20)
environment = dict(os.environ, NOTIFY_SOCKET=address.replace("\0", "@"))
def call(*words, **more):
    return subprocess.Popen([runtime, "--root", root, *words], env=environment, stdin=subprocess.DEVNULL, **more)
def state(key):
    text = subprocess.run([runtime, "--root", root, "state", "n1"], capture_output=True, text=True).stdout
    return json.loads(text).get(key) if text else None
def start_twice():  # both wait for the lock of the container, until the second has given up
    at = root + "/notify/n1/inside/notify.sock"
    fd = os.open(glob.glob(root + "/containers/*")[0], os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    first = call("start", "n1")
    while not os.path.exists(at) or os.stat(at).st_mode & 0o777 != 0o777:
        time.sleep(0.02)
    print(call("start", "n1", stderr=subprocess.DEVNULL).wait(timeout=20), end=" ")
    os.close(fd)
    return first
if way in ("create", "abstract", "twice"):
    assert call("create", "--bundle", bundle, "n1").wait() == 0
    waiting = start_twice() if way == "twice" else call("start", "n1")
elif way == "detach":
    waiting = call("run", "-d", "--bundle", bundle, "n1")
else:
    waiting = call("run", "--bundle", bundle, "n1")
while state("status") != "running":
    time.sleep(0.02)
pid = state("pid")
inside = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
while True:
    try:
        inside.connect("/proc/%d/root/run/notify/notify.sock" % pid)
        break
    except OSError:
        time.sleep(0.02)
inside.send(b"STATUS=half way\nMAINPID=1\nFDSTORE=1\nERRNO=5\nREADY=10")
inside.send(b"NOT READY=1")
time.sleep(0.2)
early = waiting.poll()
inside.send(b"MAINPID=1\nREADY=1\n")
said = host.recv(4096).decode().replace("MAINPID=%d" % pid, "MAINPID=it").replace("MAINPID=%d" % waiting.pid, "MAINPID=runtime")
inside.settimeout(10)
try:
    while True:
        inside.send(b"WATCHDOG=1")
except ConnectionRefusedError:
    pass
print(early, said.replace("\n", " "), state("status"), end=" ")
if way == "run":
    call("kill", "n1", "KILL").wait()
print(waiting.wait(), end=" ")
call("delete", "--force", "n1").wait()
host.settimeout(0.05)
try:
    print(host.recv(4096), end=" ")
except OSError:
    pass
print(os.listdir(root + "/notify"))
PY
notify() { python3 "$T/notify.py" "$program" "$T/root" "$T/n" "$1"; }
bundle "$T/n" '.process.args = ["sh", "-c", "echo $NOTIFY_SOCKET >/told; touch /run/notify/x; ls -la /run/notify >/seen; exec sleep 60"]'
check_eq 'start: waits for it, and nothing else is passed on' "None READY=1 MAINPID=it running 0 []" "$(notify create)"
check_eq 'the program is told where' /run/notify/notify.sock "$(cat "$T/n/rootfs/told")"
check_eq 'and can change nothing there' 'notify.sock' "$(sed -n 's/^[^t].* //p' "$T/n/rootfs/seen" | grep -v '^\.')"
check_eq "start: a caller's abstract socket" "None READY=1 MAINPID=it running 0 []" "$(notify abstract)"
check_eq 'run --detach: waits for it' "None READY=1 MAINPID=it running 0 []" "$(notify detach)"
check_eq 'start: a second one at the same time takes nothing from the first' "1 None READY=1 MAINPID=it running 0 []" "$(notify twice)"
check_eq 'run: goes on, as the main process' "None READY=1 MAINPID=runtime running 137 []" "$(notify run)"
bundle "$T/n" '.process.args = ["true"]'
check 'start: does not wait for one that has ended' timeout 20 env NOTIFY_SOCKET="$T/nobody" \
	"$program" --root "$T/root" run -d --bundle "$T/n" n1 </dev/null
bare delete --force n1
bundle "$T/n" '.process.args = ["sh", "-c", "ls -d /run/notify; echo $NOTIFY_SOCKET"]'
check_eq 'no socket of the caller: none' 'ls: /run/notify: No such file or directory ' "$(rmdir "$T/n/rootfs/run/notify"; bare run --bundle "$T/n" n1 2>&1 </dev/null | tr '\n' ' ' | sed 's/ *$/ /')"
# What a killed runtime has left goes with the next one that has a socket.
mkdir -p "$T/root/notify/gone/inside"
: >"$T/root/notify/gone/inside/notify.sock"
NOTIFY_SOCKET=$T/nobody bare run --bundle "$T/n" n1 </dev/null >/dev/null
check_eq 'nothing is left' '' "$(ls "$T/root/notify")"
bundle "$T/n" '.process.args = ["nothing-here"]'
NOTIFY_SOCKET=$T/nobody bare create --bundle "$T/n" n1 </dev/null 2>/dev/null || :
check_eq 'nor of what could not be created' '' "$(ls "$T/root/notify")"
# A creation that fails takes nothing from a container that is there, and leaves it nothing to wait for.
with_socket() { NOTIFY_SOCKET=$T/nobody bare "$@" </dev/null; }
bundle "$T/n" .
bundle "$T/refused" '.linux.namespaces += [{"type": "user"}]'
with_socket create --bundle "$T/n" n1
check_fails 'create: refused, of a name that is taken' 1 'needs both' with_socket create --bundle "$T/refused" n1
check_eq 'create: what the first one has stays' n1 "$(ls "$T/root/notify")"
bare delete --force n1
bare create --bundle "$T/n" n1 </dev/null
check_fails 'create: the name is taken' 1 'already exists' with_socket create --bundle "$T/n" n1
check_eq 'create: one that has no socket gets none' '' "$(ls "$T/root/notify")"
bare delete --force n1
bundle "$T/n" 'del(.process)'
check 'create: one without a process needs no socket' with_socket create --bundle "$T/n" n1
check_eq 'create: nor has it one' '' "$(ls "$T/root/notify")"
bare delete --force n1
