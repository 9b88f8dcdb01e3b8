# SPDX-License-Identifier: MIT
# guest: no, oci-properties has such a container there
# A container in the mount namespace of its caller: nothing of it is mounted there, its tree lives and dies with its
# processes, and there is no way up from it.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/oci.sh"
need python3

# What is mounted here would come back from there, too, if it were shared.
mount --make-rshared /
here=$(readlink /proc/self/ns/mnt)
mounts() { cut -d' ' -f4- /proc/self/mountinfo | sort; }
before=$(mounts)
as_before() { [ "$before" = "$(mounts)" ]; }
mkdir "$T/volume" "$T/probe"
echo of-the-host >"$T/volume/file"
none='del(.linux.namespaces[] | select(.type == "mount"))
	| .linux.maskedPaths = ["/proc/keys", "/proc/acpi"] | .linux.readonlyPaths = ["/proc/sys"]
	| .mounts += [{"destination": "/volume", "type": "bind", "source": "'"$T/volume"'", "options": ["rbind", "nosuid"]}]'
in_there='readlink /proc/self/ns/mnt; cat /volume/file /proc/keys; wc -c </proc/self/mountinfo
	(echo x >/proc/sys/kernel/domainname) 2>/dev/null || echo read-only; stat -c %d:%i /; cd / && cd ../../.. && stat -c %d:%i .'
seen=$(printf '%s\nof-the-host\n0\nread-only' "$here")

# --- alone, without a process namespace of its own either

bundle "$T/b" "$none | del(.linux.namespaces[] | select(.type == \"pid\")) | .root.readonly = true"
check 'create' runtime create --bundle "$T/b" --pid-file "$T/pid" s1 </dev/null
pid=$(cat "$T/pid")
check_eq 'it stays in that namespace' "$here" "$(readlink "/proc/$pid/ns/mnt")"
check 'nothing of it is mounted there' as_before
check 'start' runtime start s1
out=$(runtime exec s1 sh -c "$in_there")
check_eq 'exec: its root, its volume, what is masked and what may only be read' "$seen" "$(echo "$out" | head -n 4)"
check_eq 'exec: no way up' "$(echo "$out" | sed -n 5p)" "$(echo "$out" | sed -n 6p)"
check_eq 'exec: a read-only root' "sh: can't create /new: Read-only file system" "$(runtime exec s1 sh -c 'echo >/new' 2>&1)"
check_eq 'the host sees it by its process' of-the-host "$(cat "/proc/$pid/root/volume/file")"
check 'one more process' runtime exec --detach s1 sh -c \
	'echo >/volume/there; until [ -e /volume/go ]; do sleep 0.05; done; cat /volume/file /proc/keys >/volume/out'
check 'which stays' wait_for 5 test -e "$T/volume/there"
kill -KILL "$pid"
wait_for 5 sh -c "! [ -e /proc/$pid/root/volume ]"
: >"$T/volume/go"
check 'the first one is killed: the tree is there for the others' wait_for 5 grep -qx of-the-host "$T/volume/out"
check 'it is stopped' wait_for 5 is_stopped s1
check_fails 'and nobody gets in' 255 'not running' runtime exec s1 true
check 'delete' runtime delete s1
check 'nothing stays mounted' as_before

# --- by path, with a terminal, hooks, a process 1; what it must not do

cat >"$T/hook" <<'EOF'
#!/bin/sh
mount -t tmpfs of-the-hook "$1" && echo "$2" >>"$1/../hooks"
EOF
chmod +x "$T/hook"
bundle "$T/b2" "$none"' | .process.terminal = true | .process.args = ["sh", "-c", "tty; tty >/dev/tty; mount -t tmpfs x /volume; umount /proc/keys; echo end"]
	| .process.capabilities = {"bounding": ["CAP_SYS_ADMIN"], "permitted": ["CAP_SYS_ADMIN"], "effective": ["CAP_SYS_ADMIN"]}
	| .linux.namespaces += [{"type": "mount", "path": "/proc/self/ns/mnt"}]
	| .hooks.createContainer = [{"path": "'"$T/hook"'", "args": ["hook", "'"$T/probe"'", "createContainer"]}]'
check 'by the path of the own one, with a terminal' sh -c 'script -qec "$1" /dev/null </dev/null >"$2"' - \
	"$BUILD/examples/lcx-runtime/lcx-runtime --root $T/root run --bundle $T/b2 s3" "$T/out"
check_eq 'it is the controlling one' '/dev/pts/0 /dev/pts/0' "$(tr -d '\r' <"$T/out" | head -n 2 | paste -sd ' ')"
check_eq 'nothing can be mounted on its tree, or unmounted' 2 "$(grep -c "^mount: mounting x on /volume failed:\|^umount: can't unmount" "$T/out")"
check_eq 'a hook ran' createContainer "$(cat "$T/hooks")"
check 'what it mounted went with the rest' as_before

# --- as root of a user namespace; the attacks of one who is root in there

users='.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
	| .linux.gidMappings = .linux.uidMappings'
chmod 755 "$T" # not closed to its root
chown -R 100000:100000 "$T/b/rootfs"
bundle "$T/b" "$none | $users"
check 'with users of its own' runtime create --bundle "$T/b" s4 </dev/null
check 'start it' runtime start s4
out=$(runtime exec s4 sh -c "$in_there; id -u; stat -c %u /")
check_eq 'the same in there' "$seen" "$(echo "$out" | head -n 4)"
check_eq 'its root is its own' '0,0,' "$(echo "$out" | tail -n 2 | tr '\n' ',')"
check 'nothing of that is mounted' as_before
runtime delete --force s4
check 'and nothing stays' as_before

# --- ways out of it

caps() { printf '.process.capabilities = {"bounding": %s, "permitted": %s, "effective": %s}' "$1" "$1" "$1"; }
cp "$BUILD/tests/probe" "$T/b/rootfs/bin/"
chown -R 0:0 "$T/b/rootfs"
out_of_it='probe climb; unshare -U true; nsenter -m -t 1 ls -d /volume'
bundle "$T/b" "$none | $(caps '["CAP_SYS_CHROOT"]')"' | .process.args = ["sh", "-c", "probe climb; unshare -U true; nsenter -m -t 1 true"]'
check_fails 'climb out of a root below it; as new users; to the namespace by setns' 1 'climbed to its own root' \
	runtime run --bundle "$T/b" s5
check_eq 'the two others are not permitted' 2 "$(grep -c 'Operation not permitted' "$T/check.out")"
bundle "$T/b" "$none | $(caps '["CAP_SYS_CHROOT", "CAP_SYS_ADMIN"]')"' | .process.args = ["nsenter", "-m", "-t", "1", "/bin/ls", "-d", "'"$T"'"]'
check_eq 'with CAP_SYS_ADMIN that is permitted: what is shared is shared' "$T" "$(runtime run --bundle "$T/b" s6)"

# --- in the library: an image with a layer above; how safe it is

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
lcx import --ref latest "$T/layout" box >/dev/null
bundle "$T/b" "$none | $(caps '["CAP_SYS_CHROOT", "CAP_SYS_ADMIN"]')"' | del(.hostname) | .linux.namespaces = [{"type": "pid"}] | .process.args = ["sh", "-c", "until [ -e /end ]; do sleep 0.05; done"]'
SPEC_TOOL_IMAGE=box "$BUILD/tests/spec-tool" run "$T/lcx-root" "$T/lcx-run" "$T/b/config.json" >"$T/out" 2>&1 &
tool=$!
runs() { [ -n "$(lcx ps -q)" ]; }
check 'an image with a layer above it' wait_for 10 runs
id=$(lcx ps -q)
check_eq 'exec' "$seen" "$(lcx exec "$id" sh -c "$in_there" | head -n 4)"
lcx inspect --security "$id" | jq '.[0]' >"$T/audit"
for words in "it shares the host's mount namespace" 'it may go to the root directory' 'the kernel has no list of it'; do
	check "inspect: $words" grep -q "$words" "$T/audit"
done
check_eq 'inspect: what is masked and what is not, without a list' 'null false true false' "$(jq -r '"\(.mounts) \(.unmaskedPaths |
	any(. == "/proc/keys")) \(.unmaskedPaths | any(. == "/proc/interrupts")) \(.writablePaths | any(. == "/proc/sys"))"' "$T/audit")"
check 'nothing of it is mounted here' as_before
echo in >"$T/in"
lcx cp "$T/in" "$id:/etc/in"
lcx cp "$id:/etc/in" "$T/back"
check_eq 'files go in and out' in "$(cat "$T/back")"
check_match 'and stand in its layer' '/etc/in' "$(lcx diff "$id")"
check_fails 'no volume comes later' 1 'has no mount namespace of its own' lcx mount "$id" "$T/volume:/etc"
check_fails 'no checkpoint' 1 'has no mount namespace of its own' lcx checkpoint "$id"
lcx exec "$id" touch /end
check 'its end' wait $tool
check 'nothing stays mounted' as_before

# --- refused by name

bundle "$T/b" "$none"' | .linux.rootfsPropagation = "shared"'
check_fails 'a shared root' 1 "linux.rootfsPropagation: .* needs a 'mount' namespace" runtime create --bundle "$T/b" s7
bundle "$T/b" "$none"' | .mounts[-1].options += ["rslave"]'
check_fails 'a slave' 1 "mount on '/volume': options: 'shared' or 'slave' needs a 'mount' namespace" runtime create --bundle "$T/b" s7
bundle "$T/b" "$none"' | .linux.resources.pids.limit = 1'
check_fails 'a limit of one process' 1 'must leave room for one more' runtime create --bundle "$T/b" s7
bundle "$T/b" "$none"' | .hooks.createContainer = [{"path": "/bin/sh", "args": ["sh", "-c", "kill -STOP $PPID"]}]'
check_fails 'who makes the mounts is stopped: nobody is held up' 1 'it was stopped by a signal' \
	timeout 10 "$BUILD/examples/lcx-runtime/lcx-runtime" --root "$T/root" create --bundle "$T/b" s7
bundle "$T/b" "$none"' | .process.args = ["nothing-here"]'
check_fails 'a program that is not there' 1 'No such file' runtime create --bundle "$T/b" s7
bundle "$T/b" "$none"' | .mounts[-1].source = "/nothing-here"'
check_fails 'a source that is not there: the builder says why' 1 "bind '/nothing-here' on '/volume': No such file" runtime create --bundle "$T/b" s7
check_eq 'nothing is left of those' '' "$(runtime list -q)"
check 'nor mounted' as_before
