#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, notification has not changed since that kernel
# Flags of filters, and filters that notify: who gets the listener, by a path or by the host's socket, and
# what a supervisor does with it.
. "${SRC:?}/tests/system/lib.sh"
need busybox python3
make_rootfs "$T/rootfs"
tool=$BUILD/tests/spec-tool

run() { # SECCOMP COMMAND...
	seccomp=$1
	shift
	args=$(printf '"%s",' "$@")
	cat >"$T/config.json" <<-END
		{"ociVersion": "1.2.0", "root": {"path": "$T/rootfs"}, "annotations": {"a": "b"},
		 "process": {"cwd": "/", "args": [${args%,}], "env": ["PATH=/bin"] $process},
		 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/dev", "type": "tmpfs"}],
		 "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}, {"type": "network"}, {"type": "ipc"}],
		           "seccomp": {"defaultAction": "SCMP_ACT_ALLOW" $seccomp}}}
	END
	# shellcheck disable=SC2086
	"$tool" run "$T/lcx-root" "$T/lcx-run" "$T/config.json" $exec_args 2>&1
}
exec_args='' process=''
mode() { run "$1" sed -n 's/Seccomp:[[:space:]]*//p' /proc/self/status; }

for flag in TSYNC LOG SPEC_ALLOW WAIT_KILLABLE_RECV; do
	check_eq "flag $flag" 2 "$(mode ", \"flags\": [\"SECCOMP_FILTER_FLAG_$flag\"], \"syscalls\": [{\"names\": [\"swapon\"], \"action\": \"SCMP_ACT_ERRNO\"}]")"
done
check_eq 'all of them' 2 "$(mode ', "flags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]')"
check_match 'SPEC_ALLOW leaves speculation as it was' 'vulnerable\|not affected\|unknown\|thread' \
	"$(run ', "flags": ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]' sed -n 's/Speculation_Store_Bypass:[[:space:]]*//p' /proc/self/status)"

# --- a listener by its path: answers every mkdir with error 42, and writes down what it was told
cat >"$T/agent.py" <<'EOF_'
import fcntl, os, select, socket, struct, sys
RECV, SEND, VALID = 0xc0502100, 0xc0182101, 0x40082102
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(4)
print("listening", flush=True)
while True:
    c, _ = s.accept()
    text, fds, _, _ = socket.recv_fds(c, 65536, 4)
    while not text.endswith(b"}"):
        text += c.recv(65536)
    with open(sys.argv[2], "ab") as f:
        f.write(text + b"\n")
    if os.fork():
        for fd in fds: os.close(fd)
        continue
    request = bytearray(80)
    waiting = select.poll()
    waiting.register(fds[0], select.POLLIN)
    while waiting.poll()[0][1] & select.POLLIN:
        request[:] = bytes(80)
        try:
            fcntl.ioctl(fds[0], RECV, request)
            fcntl.ioctl(fds[0], SEND, struct.pack("QqiI", struct.unpack_from("Q", request)[0], 0, -42, 0))
        except FileNotFoundError:
            continue
    os._exit(0)
EOF_
mkdir "$T/a-directory-whose-name-is-so-long-that-the-path-of-a-socket-in-it-does-not-fit-into-the-address-of-a-socket"
cd "$T"/a-directory*
python3 "$T/agent.py" socket "$T/told" >"$T/agent.log" 2>&1 &
agent=$!
defer "kill $agent"
wait_for 10 grep -q listening "$T/agent.log"
listen=", \"listenerPath\": \"$(pwd)/socket\", \"listenerMetadata\": \"some words\", \"syscalls\": [{\"names\": [\"mkdir\", \"mkdirat\"], \"action\": \"SCMP_ACT_NOTIFY\"}]"
check_match 'the call gets the answer of the agent' 'No message of desired type' "$(run "$listen" mkdir /x)"
check_eq 'the agent was told whose calls these are' '["1.3.0",["seccompFd"],"some words","creating","b",true]' \
	"$(jq -s -c '.[0] | [.ociVersion, .fds, .metadata, .state.status, .state.annotations.a, .pid == .state.pid]' "$T/told")"
check_match 'a later process has a listener, too' 'No message of desired type' "$(exec_args='mkdir /x' run "$listen" sleep 100)"
check_eq 'of which the agent was told' '"running"' "$(jq -s -c '.[-1].state.status' "$T/told")"
check_match 'with no new privileges and a killable wait' 'No message of desired type' \
	"$(process=', "noNewPrivileges": true' run "$listen, \"flags\": [\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"]" mkdir /x)"
check_match 'nobody at the path' "send the seccomp listener to '/no/socket': No such file" \
	"$(run ', "listenerPath": "/no/socket", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]' true)"
check_match 'no path, and no socket' 'SCMP_ACT_NOTIFY needs listenerPath' \
	"$(run ', "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]' true)"
check_match 'sendmsg hands it over' "sendmsg can't be SCMP_ACT_NOTIFY" \
	"$(run ", \"listenerPath\": \"$T\", \"syscalls\": [{\"names\": [\"sendmsg\"], \"action\": \"SCMP_ACT_NOTIFY\"}]" true)"
cd /

# --- a supervisor in the host: examples/mknod.c
supervised() { LCX_ROOT=$T/lcx-root LCX_RUN=$T/lcx-run timeout 60 "$BUILD/examples/mknod" "$T/rootfs" "$@" 2>&1; }
check_eq 'a node is made by who may' 'character special file 1 3 666' \
	"$(supervised sh -c 'mknod /tmp/null c 1 3 && stat -c "%F %t %T %a" /tmp/null')"
rm -f "$T/rootfs/tmp/null"
check_eq 'by a relative path' 'character special file 1 5' "$(supervised sh -c 'cd /tmp && mknod zero c 1 5 && stat -c "%F %t %T" zero')"
check_match 'a disk is not on the list' 'Operation not permitted' "$(supervised mknod /tmp/disk b 8 0)"
check_match 'nor the memory' 'Operation not permitted' "$(supervised mknod /tmp/mem c 1 1)"
check_eq 'a FIFO needs no help' fifo "$(supervised sh -c 'mknod /tmp/fifo p && stat -c %F /tmp/fifo')"
check_match 'a path that climbs is refused' 'exchange\|cross-device' "$(supervised sh -c 'cd /tmp && mknod ../../../outside c 1 3' | tr 'A-Z' 'a-z' | sed 's/invalid cross/cross/')"
ln -s / "$T/rootfs/tmp/out"
check_eq 'a link leads to the root of the container' 'here' "$(supervised sh -c 'mknod /tmp/out/inside c 1 3 && [ -c /inside ] && echo here')"
check_eq 'and not to that of the host' no "$([ -e /inside ] && echo yes || echo no)"
check_match 'who is not root of the container may not' 'Operation not permitted' "$(supervised su user -c 'mknod /tmp/theirs c 1 3')"
check_fails 'its status is the status' 7 '' supervised sh -c 'exit 7'
leak_snapshot
i=0
while [ $i -lt 20 ]; do
	supervised sh -c 'mknod /tmp/again c 1 3 & kill -9 $!; rm -f /tmp/again' >/dev/null
	i=$((i + 1))
done
leak_check 'whoever is killed while his call waits leaves nothing'
