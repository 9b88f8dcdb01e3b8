# SPDX-License-Identifier: MIT
# guest: no, terminals are the same there
# A person at a terminal: `lcx run -it` and `lcx exec -it`, driven through a pseudo-terminal.
. "${SRC:?}/tests/system/lib.sh"
need python3 busybox
make_rootfs "$T/rootfs"
export LCX="$BUILD/examples/lcx/lcx --root $T/lcx-root --run-dir $T/lcx-run"

python3 - "$T/rootfs" >"$T/report" 2>"$T/trouble" <<'PYTHON' || { fail 'the driver' "$T/trouble"; exit 0; }
import fcntl, os, pty, re, select, signal, struct, subprocess, sys, termios, time

rootfs = sys.argv[1]
lcx = os.environ["LCX"].split()


def report(name, good, screen=b""):
    print(("ok - " if good else "not ok - ") + name)
    if not good:
        for line in screen.decode(errors="replace").splitlines():
            print("# " + line)


class Terminal:
    """A pseudo-terminal, with a command as the session on it."""

    def __init__(self, *words, rows=24, columns=80):
        self.master, slave = pty.openpty()
        self.resize(rows, columns, None)
        self.before = termios.tcgetattr(slave)
        self.slave, self.screen, self.seen = slave, b"", 0
        self.process = subprocess.Popen(
            lcx + list(words), stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def resize(self, rows, columns, process):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        self.seen = len(self.screen)
        data = text.encode()
        while data:
            _, ready, _ = select.select([], [self.master], [], 0.05)
            if ready:
                data = data[os.write(self.master, data[:1024]):]
            self.read(0)

    def read(self, timeout):
        ready, _, _ = select.select([self.master], [], [], timeout)
        if ready:
            try:
                self.screen += os.read(self.master, 65536)
            except OSError:
                pass

    def expect(self, pattern, timeout=10):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if re.search(pattern.encode(), self.screen[self.seen:]):
                return True
            self.read(0.1)
        return False

    def end(self, timeout=10):
        end = time.monotonic() + timeout
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.05)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            return None
        self.read(0)
        return self.process.returncode

    def restored(self):
        return termios.tcgetattr(self.slave) == self.before

    def wait_raw(self):
        """Before, keys are the terminal's own affair: Ctrl-U would never arrive."""
        while self.restored() and self.process.poll() is None:
            time.sleep(0.01)


def run(*words, **size):
    return Terminal("run", "-it", "--rm", "--network", "none", "-e", "PS1=@> ", "--rootfs", rootfs,
                    *words, **size)


t = run("sh", rows=31, columns=97)
report("a prompt appears", t.expect("@> "), t.screen)
t.type("tty; test -t 0 && test -t 1 && test -t 2 && echo all-three\r")
report("all three streams are a terminal", t.expect("all-three\r\n"), t.screen)
t.type("stty size\r")
report("it has the size of ours", t.expect("31 97"), t.screen)
t.resize(40, 120, t.process)
time.sleep(0.3)
t.type("stty size\r")
report("a new size is passed on", t.expect("40 120"), t.screen)
t.type("echo $TERM\r")
report("TERM is set", t.expect("xterm\r\n"), t.screen)
report("our terminal is in raw mode", not t.restored())
t.type("sleep 1000\r")
time.sleep(0.3)
t.type("\x03")
report("Ctrl-C ends the program in front", t.expect("@> "), t.screen)
t.type("echo code=$?\r")
report("by SIGINT", t.expect("code=130"), t.screen)
t.type("cat\r")
time.sleep(0.3)
t.type("\x1a")
report("Ctrl-Z stops it", t.expect("Stopped"), t.screen)
t.type("kill %1; fg; echo again\r")
report("and the shell goes on", t.expect("again\r\n"), t.screen)
t.type("stty -echo raw; head -c 100000 | tail -c 1; stty sane\r")
time.sleep(0.5)
t.type("x" * 99999 + "Z")
report("a paste of 100 kB arrives", t.expect("Z"), t.screen[-200:])
t.type("\r")
t.type("exit 5\r")
report("the exit code comes back", t.end() == 5, t.screen[-200:])
report("the terminal is restored", t.restored())

t = run("sh", "-c", "echo begun; exec sleep 1000")
t.expect("begun")
t.process.send_signal(signal.SIGKILL)
t.end()
left = subprocess.run(lcx + ["ps", "-q"], capture_output=True, text=True).stdout.split()
report("a command that is killed does not end the container", len(left) == 1)
subprocess.run(lcx + ["rm", "-f"] + left, stdout=subprocess.DEVNULL)

t = Terminal("run", "-it", "--name", "leave", "--network", "none", "-e", "PS1=@> ", "--rootfs", rootfs, "sh")
t.expect("@> ")
t.type("cd /tmp; touch here\r")
t.expect("@> ")
t.type("\x10x\x10\x10\x11")
report("Ctrl-P Ctrl-Q leaves", t.end() == 0, t.screen)
report("with the terminal restored", t.restored())
t = Terminal("attach", "leave", rows=33, columns=99)
t.wait_raw()
t.type("\x15pwd; stty size; ls\r")
report("attach comes back to the same shell", t.expect("/tmp\r\n33 99\r\nhere"), t.screen)
t.resize(41, 121, t.process)
time.sleep(0.3)
t.type("stty size\r")
report("a new size is passed on by attach", t.expect("41 121"), t.screen)
t.type("stty -echo raw; head -c 1000000 | tail -c 1; stty sane\r")
time.sleep(0.5)
t.type("x" * 999999 + "Z")
report("a paste of 1 MB arrives", t.expect("Z", 30), t.screen[-200:])
t.type("\r")
t.type("exit 8\r")
report("attach: the exit code comes back", t.end() == 8, t.screen[-200:])
report("attach: the terminal is restored", t.restored())
t = Terminal("start", "-ai", "--detach-keys", "ctrl-a,d", "leave")
report("start -ai: a prompt", t.expect("@> "), t.screen)
t.type("\x01d")
report("start -ai: its own detach keys", t.end() == 0, t.screen)
subprocess.run(lcx + ["rm", "-f", "leave"], stdout=subprocess.DEVNULL)

t = run("no-such-program")
report("a program that is not there: 127", t.end() == 127, t.screen)
report("and the terminal is as it was", t.restored())

t = run("sh", "-c", "trap 'exit 9' TERM; echo begun; while :; do sleep 0.1; done")
t.expect("begun")
t.process.send_signal(signal.SIGTERM)
report("SIGTERM is passed on", t.end() == 9, t.screen)
report("and the terminal is restored", t.restored())

t = run("sh", "-c", "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done")
t.end(20)
report("the last line is there", b"line 2999\r\n" in t.screen, t.screen[-200:])

subprocess.run(lcx + ["run", "-d", "--name", "bg", "--network", "none", "--rootfs", rootfs, "sleep",
                      "1000"], check=True, stdout=subprocess.DEVNULL)
t = Terminal("exec", "-it", "-e", "PS1=@> ", "bg", "sh", rows=20, columns=70)
report("exec: a prompt", t.expect("@> "), t.screen)
t.type("stty size; tty\r")
report("exec: the size", t.expect("20 70"), t.screen)
report("exec: a terminal of the container", t.expect("/dev/pts/\\d"), t.screen)
t.type("exit 6\r")
report("exec: the exit code", t.end() == 6, t.screen)
report("exec: the terminal is restored", t.restored())
subprocess.run(lcx + ["rm", "-f", "bg"], stdout=subprocess.DEVNULL)
PYTHON
cat "$T/report"
failures=$((failures + $(grep -c '^not ok' "$T/report" || :)))
lcx gc >/dev/null
check_eq 'nothing is left' '' "$(lcx ps -aq)"
