#!/bin/sh
# SPDX-License-Identifier: MIT
# Landlock for the workload: what is allowed works, all else does not, for root too, in the first process and in a
# later one; what the kernel lacks is refused, or left out where that was asked for.
. "${SRC:?}/tests/system/lib.sh"
need busybox python3
make_rootfs "$T/rootfs"
mkdir "$T/rootfs/data" "$T/rootfs/secret"
echo words >"$T/rootfs/data/file"
echo hidden >"$T/rootfs/secret/file"
run() { # RULES COMMAND...
	rules=$1
	shift
	# shellcheck disable=SC2086
	lcx run --rm --network none $more --rootfs "$T/rootfs" --landlock "$rules" "$@" 2>&1
}
more=
abi=$(python3 -c 'import ctypes; print(max(0, ctypes.CDLL(None).syscall(444, 0, 0, 1)))')
echo "# this kernel's Landlock has version $abi"

if [ "$abi" -eq 0 ]; then
	check_match 'no Landlock: refused' 'CONFIG_SECURITY_LANDLOCK' "$(run ro=/ true)"
	check_eq 'best effort goes without' here "$(run ro=/,best-effort echo here)"
	exit 0
fi
if [ "$abi" -lt 3 ]; then
	check_match 'an older one is refused' 'need its version 3 (Linux 6.2), this kernel has' "$(run ro=/ true)"
	best=,best-effort
else
	best=
fi
base=ro=/bin$best
check_eq 'what may be read can be read' words "$(run "$base,ro=/data" cat /data/file)"
check_match 'but not written' 'Permission denied' "$(run "$base,ro=/data" sh -c 'echo x >/data/file')"
check_match 'nor made' 'Permission denied' "$(run "$base,ro=/data" touch /data/new)"
check_match 'nor removed' 'Permission denied' "$(run "$base,ro=/data" rm /data/file)"
check_match 'all else can not be read' 'Permission denied' "$(run "$base,ro=/data" cat /secret/file)"
check_match 'nor by another way' 'Permission denied' "$(run "$base,ro=/data" cat /data/../secret/file)"
ln -s ../secret/file "$T/rootfs/data/link"
check_match 'nor by a link' 'Permission denied' "$(run "$base,ro=/data" cat /data/link)"
check_match 'nor through /proc' 'Permission denied' "$(run "$base,ro=/data,ro=/proc" cat /proc/self/root/secret/file)"
check_eq 'rw may all' 'x' "$(run "$base,rw=/data" sh -c 'mkdir /data/d && echo x >/data/d/f && mv /data/d/f /data/d/g && cat /data/d/g && rm -r /data/d')"
check_eq 'one file alone' words "$(run "$base,read=/data/file" cat /data/file)"
cp "$T/rootfs/bin/busybox" "$T/rootfs/data/echo"
check_eq 'ro executes' here "$(run "$base,ro=/data" /data/echo here)"
check_match 'read does not' 'Permission denied' "$(run "$base,read=/data" sh -c '/data/echo here')"
check_match 'it holds with all capabilities' 'Permission denied' "$(more='--privileged' run "$base,ro=/data" cat /secret/file)"
check_match 'and with no new privileges' 'Permission denied' "$(more='--security-opt no-new-privileges' run "$base,ro=/data" cat /secret/file)"
check_match 'and for another user' 'Permission denied' "$(more='--user user' run "$base,ro=/data" cat /secret/file)"
check_match 'a path that is not there' "allow '/nowhere' by Landlock: No such file" "$(run "$base,ro=/nowhere" true)"
for rule in ro=relative rx=/bin tcp-bind=65536 tcp-connect= scope=x ''; do
	check_match "no rule: '$rule'" "Landlock: '" "$(run "$rule" true)"
done

lcx run -d --name later --network none --rootfs "$T/rootfs" --landlock "$base,ro=/data" sleep 1000 >/dev/null
defer 'lcx rm -f later'
check_match 'a later process is confined as well' 'Permission denied' "$(lcx exec later cat /secret/file 2>&1)"
check_eq 'and reads what it may' words "$(lcx exec later cat /data/file)"
lcx rm -f later >/dev/null

# --- below Landlock of a program around: no call tells of it, and it forbids every mount.
cat >"$T/within.py" <<'END'
# COUNT FILES PORTS COMMAND...: a command in so many domains, which handle these rights and allow all files.
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
count, files, ports = (int(word) for word in sys.argv[1:4])
assert libc.prctl(38, 1, 0, 0, 0) == 0
for i in range(count):
    attr = struct.pack('QQ', files, ports) if ports else struct.pack('Q', files)
    rules = libc.syscall(444, attr, len(attr), 0)
    assert rules >= 0
    if files:
        root = os.open('/', os.O_PATH)
        assert libc.syscall(445, rules, 1, struct.pack('=Qi', files, root), 0) == 0
        os.close(root)
    assert libc.syscall(446, rules, 0) == 0
    os.close(rules)
os.execvp(sys.argv[4], sys.argv[4:])
END
within() { # COUNT FILES PORTS OPTION... COMMAND...
	domains="$1 $2 $3"
	shift 3
	# shellcheck disable=SC2086
	python3 "$T/within.py" $domains "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" \
		run --rm --network none --rootfs "$T/rootfs" "$@" 2>&1
}
everything=8191
check_match 'in a domain nothing is mounted, and that is told' \
	'make the mounts of the host .*: a Landlock domain is around this process' \
	"$(within 1 $everything 0 true)"
lcx run -d --name around --network none --rootfs "$T/rootfs" sleep 1000 >/dev/null
check_match 'nor is a container joined that is outside of it' "join the container's namespace: a Landlock domain is around" "$(python3 "$T/within.py" 1 $everything 0 \
	"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" exec around cat /data/file 2>&1)"
lcx rm -f around >/dev/null
if [ "$abi" -ge 4 ]; then
	check_eq 'one about ports forbids no mount' here "$(within 1 0 1 echo here)"
	check_match 'the rules of both hold' 'Permission denied' "$(within 15 0 2 --landlock "$base,ro=/data" cat /secret/file)"
	check_match 'there are no more than 16' 'enter the Landlock rules: it is in 16 Landlock domains already' \
		"$(within 16 0 1 --landlock "$base" true)"
fi

if [ "$abi" -ge 3 ]; then
	check_match 'nothing is cut short' 'Permission denied' "$(run "$base,ro=/data" truncate -s 0 /data/file)"
fi
serve='nc -l -p 8000 -e true & sleep 0.2;'
if [ "$abi" -ge 4 ]; then
	check_match 'only this port is bound' 'Permission denied' "$(run "tcp-bind=8000" nc -l -p 8001)"
	check_eq 'this one is' ok "$(run "tcp-bind=8000" sh -c "$serve nc 127.0.0.1 8000 </dev/null && echo ok")"
	check_match 'only this port is reached' 'Permission denied' "$(run "tcp-connect=8001" sh -c "$serve nc 127.0.0.1 8000 </dev/null; kill %1")"
	check_match 'none at all' 'Permission denied' "$(run "tcp-connect=none" sh -c "$serve nc 127.0.0.1 8000 </dev/null; kill %1")"
	check_eq 'rules about ports leave files alone' hidden "$(run "tcp-connect=none" cat /secret/file)"
else
	check_match 'no ports: refused' 'need its version 4 (Linux 6.7)' "$(run tcp-connect=443 true)"
	check_eq 'best effort goes without' ok "$(run "tcp-connect=443,best-effort" sh -c "$serve nc 127.0.0.1 8000 </dev/null && echo ok")"
fi
if [ "$abi" -ge 6 ]; then
	check_eq 'signals reach what is in the container' ok "$(run "scope=signal,scope=abstract-unix" sh -c 'sleep 100 & kill $! && echo ok')"
else
	check_match 'no scopes: refused' 'need its version 6 (Linux 6.12)' "$(run scope=signal true)"
fi
