# SPDX-License-Identifier: MIT
# guest: no, signals and logs are the same there
# --init, --stop-timeout, --stop-signal and the log drivers, by the command.
. "${SRC:?}/tests/system/lib.sh"
need jq busybox python3
make_rootfs "$T/rootfs"
LCX="$BUILD/examples/lcx/lcx --root $T/lcx-root --run-dir $T/lcx-run"
export LCX
run() { lcx run --network none --rootfs "$T/rootfs" "$@"; }
defer 'lcx rm -f $(lcx ps -aq)'

# --- process 1

check_eq 'without --init the program is process 1' 1 "$(run --rm sh -c 'echo $$')"
check_eq 'with it, it is another' yes "$(run --rm --init sh -c '[ $$ -ne 1 ] && echo yes')"
check_eq 'process 1 is lcx-init' lcx-init "$(run --rm --init cat /proc/1/comm)"
check_fails 'the exit code comes back' 7 '' run --rm --init sh -c 'exit 7'
check_fails 'also of a signal' 143 '' run --rm --init sh -c 'kill -TERM $$'
check_fails 'a program that is not there: 127' 127 'no-such' run --rm --init no-such
check_eq 'nothing of ours is open in process 1' 0 "$(run --rm --init sh -c 'ls /proc/1/fd | wc -l')"
check_eq 'nor is anything of the plan in its memory' 0 "$(run --rm --init grep -c lcx-plan /proc/1/maps || :)"
check_eq 'it runs as the same user' 1000 "$(run --rm --init -u user awk '/^Uid/ { print $2 }' /proc/1/status)"
run -d --init --name web --stop-signal sigRTMAX-1 sh -c 'for i in 1 2 3 4 5; do (sleep 0.1 & exec true) & done; trap "exit 5" 63; echo ready; while :; do sleep 0.2; done' >/dev/null
wait_for 5 sh -c "$LCX logs web | grep ready"
sleep 0.5
check_eq 'orphans are reaped' 0 "$(lcx top web | grep -c ' Z ' || :)"
check_eq 'exec works there' in "$(lcx exec web echo in)"
check_eq 'stop reaches the program, by any signal' web "$(lcx stop -t 5 web)"
check_match 'which ends as it likes' 'Exited (5)' "$(lcx ps -a -f name=web)"
check_eq 'at a terminal, Ctrl-C comes once' 1 "$(python3 - "$T/rootfs" <<'PYTHON'
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    words = os.environ["LCX"].split()
    os.execv(words[0], words + ["run", "-it", "--rm", "--init", "--network", "none", "--rootfs", sys.argv[1], "sh", "-c",
        'trap "echo INT" INT; echo ready; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; done'])
screen, sent, end = b"", False, time.monotonic() + 10
while time.monotonic() < end:
    if select.select([fd], [], [], 0.1)[0]:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        screen += data
    if b"ready" in screen and not sent:
        time.sleep(0.2)
        os.write(fd, b"\x03")
        sent = True
print(screen.count(b"INT"))
PYTHON
)"

# --- stopping

run -d --name slow --stop-timeout 1 sh -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null
wait_for 5 sh -c "$LCX logs slow | grep ready"
began=$(date +%s)
lcx stop slow >/dev/null
check 'stop waits as long as the container says' test $(($(date +%s) - began)) -lt 5
check_match 'and kills then' 'Exited (137)' "$(lcx ps -a -f name=slow)"
check_eq 'it is in the description' 1 "$(lcx inspect slow | jq .[0].stopTimeout)"
check_fails 'a time that is none' 125 "stop timeout 'soon'" run --stop-timeout soon true

# --- a log in the CRI format

run -d --name cri --log-driver cri --log-opt max-size=64k --log-opt max-file=3 \
	sh -c 'i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i + 1)); done; echo end >&2; printf half' >/dev/null
lcx wait cri >/dev/null
path=$(lcx inspect cri | jq -r .[0].logPath)
check_match 'CRI: the format' '^20[0-9T:.-]*Z stdout P half$' "$(tail -n 1 "$path")"
check_eq 'CRI: every line is whole' 0 "$(cat "$path"* | grep -v -c '^20[0-9T:.-]*Z std[a-z]* [FP] ' || :)"
check 'CRI: rotated' test -f "$path.1"
check_eq 'CRI: logs reads it back' 'line 2999' "$(lcx logs --tail 3 cri 2>/dev/null | head -n 1)"
check_eq 'CRI: the error apart' end "$(lcx logs cri 2>&1 >/dev/null)"
run --rm --name attached --log-driver cri sh -c 'echo x' >/dev/null

# --- a disk that is full, of what it has written itself

mkdir "$T/small"
mount -t tmpfs -o size=1m,mode=0700 lcx-test-small "$T/small"
defer "umount '$T/small'"
small() { "$BUILD/examples/lcx/lcx" --root "$T/small/root" --run-dir "$T/lcx-run" "$@"; }
small run -d --name full --network none --rootfs "$T/rootfs" sh -c 'yes 0123456789012345678901234567890 | head -n 100000; exit 5' >/dev/null
check_eq 'a full disk: how it ended is known' 5 "$(small wait full)"
check_match 'and later, too' 'Exited (5)' "$(small ps -a)"
check 'the log has what had room' test "$(small logs full | wc -l)" -gt 1000
small rm full >/dev/null
lcx rm -f $(lcx ps -aq) >/dev/null
lcx gc >/dev/null
