# SPDX-License-Identifier: MIT
# guest: no, terminals and HTTP are the same there
# What a person sees of `lcx push` and `lcx pull`: bars on a terminal, plain lines elsewhere.
. "${SRC:?}/tests/system/lib.sh"
need python3 umoci

mkdir "$T/taker"
python3 "$SRC/tests/registry/taker.py" "$T/taker" >"$T/taker/out" 2>&1 &
defer "kill $!"
wait_for 20 test -s "$T/taker/port"
registry=127.0.0.1:$(cat "$T/taker/port")

# Three layers, the second of 15 MB that nothing compresses.
umoci init --layout "$T/layout" && umoci new --image "$T/layout:1"
mkdir "$T/tree"
for i in 1 2 3; do
	size=$((i == 2 ? 15000000 : 100))
	head -c "$size" /dev/urandom >"$T/tree/$i"
	umoci insert --image "$T/layout:1" "$T/tree/$i" "/$i" >/dev/null
done
lcx import --ref 1 "$T/layout" image:1 >/dev/null

check 'pushes' lcx push --plain-http image:1 "$registry/honest:1"
check_eq 'a line for each change of a layer' '3 Pushed,3 Pushing,' \
	"$(sed -n 's/^[0-9a-f]\{12\}: //p' "$T/check.out" | sort | uniq -c | sed 's/^ *//' | tr '\n' ',')"
check 'once more' lcx push --plain-http image:1 "$registry/honest:1"
check_eq 'is told that it is there' 3 "$(grep -c '^[0-9a-f]\{12\}: Layer already exists$' "$T/check.out")"
check 'quietly' lcx -q push --plain-http image:1 "$registry/quiet:1"
check_eq 'only the name' "$registry/quiet:1" "$(cat "$T/check.out")"

cat >"$T/terminal.py" <<'PYTHON'
import fcntl, os, pty, struct, sys, termios
rows, columns = int(sys.argv[1]), int(sys.argv[2])
pid, master = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.execvpe(sys.argv[3], sys.argv[3:], dict(os.environ, TERM="xterm"))
while True:
    try:
        data = os.read(master, 65536)
    except OSError:
        break
    if not data:
        break
    sys.stdout.buffer.write(data)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
on_terminal() { # ROWS COLUMNS COMMAND...
	rows_=$1 columns_=$2
	shift 2
	python3 "$T/terminal.py" "$rows_" "$columns_" "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" "$@" |
		tr '\r' '\n'
}
on_terminal 24 100 push --plain-http image:1 "$registry/slow:1" >"$T/seen" || :
check_match 'a bar grows on a terminal' '^.\[K[0-9a-f]\{12\}: Pushing     \[==*> *\] [0-9.]*MB/15MB' "$(cat "$T/seen")"
check_eq 'in the end all are there' 3 "$(tail -n 12 "$T/seen" | grep -c '^.\[K[0-9a-f]\{12\}: Pushed ')"
check_match 'drawn over each other' '^.\[3A' "$(cat "$T/seen")"
on_terminal 3 100 push --plain-http image:1 "$registry/slow:2" >"$T/seen" || :
check_match 'what was sent before is not sent again, and fits on a low terminal' '3 of 3 layers: Layer already exists' "$(cat "$T/seen")"
on_terminal 24 40 push --plain-http image:1 "$registry/slow:3" >"$T/seen" || :
check_eq 'nothing is wider than a narrow one' '' "$(sed 's/^.\[K//' "$T/seen" | grep '^[0-9a-f]\{12\}:' | grep '.\{40\}' || :)"
