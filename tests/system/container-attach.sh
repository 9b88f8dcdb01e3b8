# SPDX-License-Identifier: MIT
# guest: no, sockets and terminals are the same there
# Attaching to a detached container: several at once, with and without input, by slow and by hostile
# programs, and with the monitor killed.
. "${SRC:?}/tests/system/lib.sh"
need busybox jq python3
make_rootfs "$T/rootfs"
# As `lcx`, but a process by itself, for the background and for timeout(1).
LCX="$BUILD/examples/lcx/lcx --root $T/lcx-root --run-dir $T/lcx-run"
export LCX
start() { # NAME COMMAND...
	name=$1
	shift
	lcx run -d -i --network none --name "$name" --rootfs "$T/rootfs" "$@" >/dev/null
}
monitor_of() { lcx inspect "$1" | jq -r '.[0].state.ownerPid'; }
ended() { lcx ps -a --format json | jq -e ".[] | select(.Names == \"$1\") | .State == \"exited\""; }
defer 'lcx rm -f one two three four five six seven'

# --- input, its end, and everybody's output

start one sh -c 'while read -r line; do echo "got $line"; done; echo end; exit 4'
$LCX attach --no-stdin one >"$T/watch1" 2>&1 &
watch1=$!
$LCX attach --no-stdin one >"$T/watch2" 2>&1 &
watch2=$!
# Both are attached once they get what a third one types.
attached() {
	printf 'hello\n' | timeout 5 "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" \
		exec -i one sh -c 'cat >/proc/1/fd/0' 2>/dev/null || :
	grep -q 'got hello' "$T/watch1" && grep -q 'got hello' "$T/watch2"
}
# (exec cannot write to another process's pipe end without its name: /proc/1/fd/0 is the pipe itself.)
check 'two watch at once' wait_for 10 attached
r=0
printf 'a\nb\n' | timeout 10 $LCX attach one >"$T/typed" || r=$?
check_eq 'the end of the input is passed on, the exit code comes back' 4 "$r"
check_eq 'who types sees the answers' "got a
got b
end" "$(grep -v hello "$T/typed")"
r=0
wait $watch1 || r=$?
check_eq 'who watches gets the exit code, too' 4 "$r"
wait $watch2 || :
check_eq 'and all that was said' "$(grep -v hello "$T/typed")" "$(grep -v hello "$T/watch1")"
check_eq 'the log has the same' "$(cat "$T/watch1" | sort -u)" "$(lcx logs one | sort -u)"

# --- from the first byte on; standard error apart; start again

lcx create --name two --network none --rootfs "$T/rootfs" \
	sh -c 'echo out; echo err >&2; head -c 3000000 /dev/zero | tr "\\0" x; exit 3' >/dev/null
r=0
lcx start -a two >"$T/out" 2>"$T/err" || r=$?
check_eq 'start -a: the exit code' 3 "$r"
check_eq 'start -a: every byte of the output' 3000004 "$(wc -c <"$T/out")"
check_eq 'start -a: the error apart' err "$(cat "$T/err")"
lcx start two >/dev/null
check_fails 'attach to one that has ended' 1 'not running' sh -c "sleep 1; $LCX attach two"

# --- slow ones, hostile ones, too many

start three sh -c 'echo begin; read -r go; i=0; while [ $i -lt 40000 ]; do
	echo "$i 123456789012345678901234567890123456789012345678901234567890"; i=$((i + 1)); done; echo end; read -r go'
id=$(lcx ps -q --no-trunc -f name=three)
python3 - "$T/lcx-run/containers/$id" "$(monitor_of three)" >"$T/report" 2>"$T/trouble" <<'PYTHON' || fail 'the driver' "$T/trouble"
import os, select, socket, struct, sys, time

run_dir, monitor = sys.argv[1], int(sys.argv[2])
HELLO, INPUT, INPUT_END, RESIZE, WELCOME, REFUSED, OUTPUT, GAP, END = range(1, 10)
failed = False


def report(name, good, detail=""):
    print(("ok - " if good else "not ok - ") + name + ("" if good else "\n# %s" % (detail,)))


def frame(kind, flags=0, a=0, b=0, data=b"", size=None):
    return struct.pack("=IIIIQ", kind, flags, a, b, len(data) if size is None else size) + data


def connect(flags=None):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    os.chdir(run_dir)
    s.connect("attach")
    s.settimeout(10)
    if flags is not None:
        s.send(frame(HELLO, flags))
        assert receive(s)[0] == WELCOME
    return s


def receive(s):
    data = s.recv(65536)
    return (0, 0, 0, 0, 0, b"") if len(data) < 24 else struct.unpack("=IIIIQ", data[:24]) + (data[24:],)


def hung_up(s):
    try:
        while True:
            if len(s.recv(65536)) == 0:
                return True
    except ConnectionResetError:
        return hung_up(s)
    except socket.timeout:
        return False


def usage():
    fds = len(os.listdir("/proc/%d/fd" % monitor))
    rss = [int(l.split()[1]) for l in open("/proc/%d/status" % monitor) if l.startswith("VmRSS")][0]
    return fds, rss


bad = {
    "no HELLO": [frame(INPUT, data=b"x")],
    "an empty frame of a byte": [b"x"],
    "a HELLO with data": [frame(HELLO, data=b"x")],
    "an unknown type": [frame(HELLO, 1), frame(77)],
    "a frame that is too long": [frame(HELLO, 1), frame(INPUT, data=b"x" * 40000)],
    "a length that is a lie": [frame(HELLO, 1), frame(INPUT, data=b"x", size=1 << 40)],
    "input without any bytes": [frame(HELLO, 1), frame(INPUT)],
    "input of a reader": [frame(HELLO, 0), frame(INPUT, data=b"x")],
    "a size from a reader": [frame(HELLO, 0), frame(RESIZE, a=5, b=5)],
    "HELLO twice": [frame(HELLO, 1), frame(HELLO, 1)],
    "an answer": [frame(HELLO, 1), frame(OUTPUT, a=1, data=b"x")],
}
before = usage()
for name, frames in bad.items():
    s = connect()
    for f in frames:
        s.send(f)
    report("hung up: " + name, hung_up(s))
    s.close()

many = [connect(0) for _ in range(16)]
last = connect()
report("the seventeenth is refused", receive(last)[0] == REFUSED)
last.close()
for s in many:
    s.close()
time.sleep(0.1)
for _ in range(2000):
    connect(1).close()
time.sleep(0.2)
after = usage()
report("2000 attachments leave no descriptor", after[0] == before[0], (before, after))
report("and no memory", after[1] - before[1] <= 64, (before, after))
report("the monitor is small: under 300 KiB", after[1] < 300, after)

# Who does not use its place loses it to who comes; who sleeps with nothing to fetch does not.
silent = [connect() for _ in range(15)]
idle = connect(0)
time.sleep(2.1)
late = [connect(0) for _ in range(15)]
report("who says nothing makes room", all(hung_up(s) for s in silent))
idle.settimeout(0.1)
report("and nobody else does", not hung_up(idle))
last = connect()
report("nor who has just come", receive(last)[0] == REFUSED)
for s in late + [last, idle]:
    s.close()
time.sleep(0.1)

os.chmod(run_dir + "/attach", 0o777)
directory = os.open(run_dir, os.O_PATH)
child = os.fork()
if child == 0:
    os.fchdir(directory)
    os.setgroups([])
    os.setuid(1000)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        s.connect("attach")
        os._exit(0 if receive(s)[0] == REFUSED else 1)
    except PermissionError:
        os._exit(0)  # not even so far
report("another user is refused", os.waitpid(child, 0)[1] == 0)

sleeper, behind, reader = connect(0), connect(0), connect(1)
reader.send(frame(INPUT, data=b"go\n"))
total = b""
while not total.endswith(b"end\n"):
    kind, _, _, _, _, data = receive(reader)
    if kind != OUTPUT:
        break
    total += data
lines = total.split(b"\n")
report("who sleeps stops nobody else", len(lines) == 40002, len(lines))
report("who reads gets every line", all(l.startswith(b"%d 1" % i) for i, l in enumerate(lines[:40000])))
late = [connect(0) for _ in range(13)]
behind_or_not = [connect(0)]
reader.settimeout(0.1)
report("who fetches nothing makes room, the first of them", hung_up(sleeper) and not hung_up(reader))
reader.settimeout(10)
sleeper = behind
for s in late + behind_or_not:
    s.close()
time.sleep(0.1)
got, lost = 0, 0
reader.send(frame(INPUT, data=b"go\n"))
while True:
    kind, _, _, _, size, data = receive(sleeper)
    got += len(data)
    lost += size if kind == GAP else 0
    if kind in (END, 0):
        break
report("who slept is told how much it missed", kind == END and got + lost == len(total) and lost > 0, (got, lost, len(total)))
PYTHON
cat "$T/report"
failures=$((failures + $(grep -c '^not ok' "$T/report" || :)))
check 'and the container has ended' wait_for 5 ended three

# --- a container that takes no input

start seven sleep 1000
python3 - "$T/lcx-run/containers/$(lcx ps -q --no-trunc -f name=seven)" >"$T/report" 2>"$T/trouble" <<'PYTHON' || fail 'the driver' "$T/trouble"
import os, socket, struct, sys

HELLO, INPUT, WELCOME = 1, 2, 5


def frame(kind, flags=0, data=b""):
    return struct.pack("=IIIIQ", kind, flags, 0, 0, len(data)) + data


def attach():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(10)
    s.connect("attach")
    s.send(frame(HELLO, 1))
    return s, struct.unpack("=I", s.recv(65536)[:4])[0] == WELCOME


def report(name, good):
    print(("ok - " if good else "not ok - ") + name)


os.chdir(sys.argv[1])
first, welcome = attach()
for _ in range(4):
    first.send(frame(INPUT, data=b"x" * 32768))
report("who hung up takes no place", all(attach()[1] for _ in range(40)))
gone = True
for _ in range(40):
    s, welcome = attach()
    gone = gone and welcome
    s.send(frame(INPUT, data=b"y"))
    s.close()
report("nor does what it left", gone)
first.settimeout(0.1)
try:
    report("who is there stays", first.recv(1) != b"")
except socket.timeout:
    report("who is there stays", True)
PYTHON
cat "$T/report"
failures=$((failures + $(grep -c '^not ok' "$T/report" || :)))
lcx rm -f seven >/dev/null

# --- the monitor dies, or its container is killed

start four sleep 1000
$LCX attach --no-stdin four >/dev/null 2>"$T/err" &
watcher=$!
sleep 0.5
kill -KILL "$(monitor_of four)"
r=0
wait $watcher || r=$?
check_eq 'the monitor killed: attach fails' 125 "$r"
check_match 'in words' 'monitor of container .four. was killed' "$(cat "$T/err")"
start five sh -c 'echo begun; sleep 1000'
(sleep 0.5; lcx kill five >/dev/null) &
r=0
timeout 10 $LCX attach --no-stdin five >/dev/null 2>&1 || r=$?
check_eq 'the container killed: its status' 137 "$r"
"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" run --name six --network none --rootfs "$T/rootfs" \
	sh -c 'echo ready; exec sleep 1000' >"$T/six" &
wait_for 5 grep ready "$T/six"
check_fails 'one that a program owns' 1 'was not started detached' lcx attach --no-stdin six
lcx rm -f one two three four five six >/dev/null
wait
lcx gc >/dev/null
check_eq 'nothing is left' '' "$(lcx ps -aq)"
