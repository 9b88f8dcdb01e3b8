# SPDX-License-Identifier: MIT
# Control groups as engines ask lcx-runtime for them: where they choose, what is used and may be, devices.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/oci.sh"

# --- cgroups that an engine chooses

cgroup=/lcx-oci-test.$$/one
bundle "$T/b" ".process.args = [\"sleep\", \"60\"] | .linux.cgroupsPath = \"$cgroup\" | .linux.resources = {\"pids\": {\"limit\": 20}}"
runtime create --bundle "$T/b" c6 </dev/null
check_match 'cgroupsPath' "$cgroup\$" "$(cat "/proc/$(runtime state c6 | jq .pid)/cgroup")"
bundle "$T/b2" ".process.args = [\"sleep\", \"60\"] | .linux.cgroupsPath = \"$cgroup\""
check_fails 'cgroupsPath: one with processes' 1 'is there already' runtime create --bundle "$T/b2" c7
check 'delete --force' runtime delete --force c6
if in_guest; then tops=/sys/fs/cgroup; else tops='/sys/fs/cgroup/*'; fi
for top in $tops; do
	[ ! -e "$top$cgroup" ] || fail "the cgroup is gone in $top"
	mkdir -p "$top$cgroup"
done
check 'cgroupsPath: one that is empty' runtime create --bundle "$T/b2" c7
check 'its delete' runtime delete --force c7
for top in $tops; do
	# What was not needed there was left alone.
	[ ! -e "$top$cgroup" ] || rmdir "$top$cgroup"
	check "the cgroup above it is the engine's in $top" rmdir "$top${cgroup%/*}"
done

# --- users of its own in the host's cgroup namespace: no file system may be mounted there, the host's is seen

if in_guest; then where=/sys/fs/cgroup file=cgroup.controllers; else where=/sys/fs/cgroup/memory file=memory.limit_in_bytes; fi
bundle "$T/b" ".process.args = [\"sh\", \"-c\", \"ls $where/$file; tail -n 1 /proc/self/cgroup; mkdir $where/x 2>&1\"]"'
	| .linux.namespaces += [{"type": "user"}]
	| .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 1000}] | .linux.gidMappings = .linux.uidMappings
	| .mounts += [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]}]'
chmod 755 "$T" "$T/b"
mkdir -p "$T/b/rootfs/sys/fs/cgroup"
check_match 'users of its own, cgroups of the host' "^$where/$file 0::/.*lcx/.* mkdir: .*Read-only" "$(runtime run --bundle "$T/b" n2 | tr '\n' ' ')"

# --- who mounts version 2 in the host's cgroup namespace decides over its options, which are everybody's

options() { awk '$(NF - 2) == "cgroup2" { print $NF; exit }' /proc/self/mountinfo; }
before=$(options)
bundle "$T/b" '.process.args = ["true"] | .mounts += [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]}]'
check 'cgroups of the host' runtime run --bundle "$T/b" n3
check_eq 'cgroups of the host: their options are as they were' "$before" "$(options)"
bundle "$T/b" '.process.args = ["true"] | .mounts += [{"destination": "/mnt", "type": "cgroup2", "source": "cgroup2", "options": ["ro"]}]'
check 'version 2 by its name' runtime run --bundle "$T/b" n3
check_eq 'version 2 by its name: as they were' "$before" "$(options)"

# --- what it uses, and may use

bundle "$T/b" '.process.args = ["sleep", "60"] | .linux.resources = {"memory": {"limit": 67108864}, "pids": {"limit": 20}}'
runtime run -d --bundle "$T/b" u1 </dev/null
check_eq 'events --stats' "stats u1 67108864 20" "$(runtime events --stats u1 | jq -r '"\(.type) \(.id) \(.data.memory.usage.limit) \(.data.pids.limit)"')"
check 'update: from standard input' sh -c 'echo "{\"pids\": {\"limit\": 30}}" | "$@"' x "$BUILD/examples/lcx-runtime/lcx-runtime" --root "$T/root" update --resources - u1
check 'update: by an option, after the operand' runtime update u1 --memory 32m
check_eq 'updated: both, and nothing else' "33554432 30" "$(runtime events --stats u1 | jq -r '"\(.data.memory.usage.limit) \(.data.pids.limit)"')"
check 'update: a reserve of time' runtime update --cpu-quota 20000 --cpu-burst 10000 u1
pid=$(runtime state u1 | jq .pid)
burst=$(if in_guest; then sed 's,^0::\(.*\),/sys/fs/cgroup\1/cpu.max.burst,' "/proc/$pid/cgroup"; else
	sed -n 's,^[0-9]*:cpu:\(.*\),/sys/fs/cgroup/cpu\1/cpu.cfs_burst_us,p' "/proc/$pid/cgroup"; fi)
check_eq 'update: the reserve' 10000 "$(cat "$burst")"
for size in lots 3x 1.5.0m 9999999p m -2k; do check_fails "update: no size: $size" 1 "memory '$size'" runtime update --memory "$size" u1; done
"$BUILD/examples/lcx-runtime/lcx-runtime" --root "$T/root" events --interval 60s u1 >"$T/told" &
told=$!
wait_for 10 grep -q '"stats"' "$T/told"
check_fails 'more memory than it may have' 137 '' runtime exec u1 dd if=/dev/zero of=/dev/null bs=60M count=1
check 'events: told at once, not with the next figures' wait_for 10 grep -qxF '{"type":"oom","id":"u1"}' "$T/told"

# --- all that it uses, by the names of runc's

need runc
figures='.process.args = ["sh", "-c", "dd if=/dev/zero of=/written bs=1M count=1 conv=fsync; echo >/ready; exec sleep 60"] | .root.path = "rootfs"
	| .linux.resources = {"memory": {"limit": 67108864}, "pids": {"limit": 20}, "cpu": {"cpus": "0", "quota": 50000, "period": 100000}}'
# Debian's runc takes away the options of version 2 if it mounts that in the host's cgroup namespace.
bundle "$T/b" "$figures | .linux.namespaces += [{\"type\": \"cgroup\"}] | .mounts += [{\"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\", \"source\": \"cgroup\"}]"
runc() { command runc --root "$T/runc" "$@"; }
runc run -d --bundle "$T/b" lcx-u2.$$ </dev/null >/dev/null 2>&1
defer "runc delete --force lcx-u2.$$"
wait_for 10 test -e "$T/b/rootfs/ready"
rm "$T/b/rootfs/ready" "$T/b/rootfs/written"
runtime run -d --bundle "$T/b" u2 </dev/null
# Lists are compared by what their members have; of two containers one may have read a disk.
# shellcheck disable=SC2016
keys='[.data | paths | map(if type == "number" then "[]" else . end) | join(".")] | unique
	| map(select(startswith("blkio.") | not)) | .[]'
# On version 2 its flags of processor sets are zeros that nobody has counted.
if in_guest; then keys="$keys | select(startswith(\"cpuset.\") | not)"; fi
runc events --stats lcx-u2.$$ | jq -r "$keys" >"$T/runc.keys"
wait_for 10 test -e "$T/b/rootfs/ready"
runtime events --stats u2 | tee "$T/ours" | jq -r "$keys" >"$T/our.keys"
check_eq 'events: whatever runc tells' '' "$(grep -vxF -f "$T/our.keys" "$T/runc.keys")"
check_match 'events: more than a little' memory.raw "$(cat "$T/runc.keys")"
check_eq 'events: numbers' '[0] 67108864 20 number' \
	"$(jq -r '"\(.data.cpuset.cpus) \(.data.memory.usage.limit) \(.data.pids.limit) \(.data.memory.raw.pgfault | type)"' "$T/ours")"
if in_guest; then # the directories are on a disk, and a hierarchy of its own counts huge pages
	check_eq 'events: what was written to a disk' 1048576 \
		"$(jq '[.data.blkio.ioServiceBytesRecursive[] | select(.op == "Write").value] | max | if . > 1048576 then 1048576 else . end' "$T/ours")"
	check_eq 'events: huge pages' '{"usage":0,"failcnt":0}' "$(jq -c '.data.hugetlb["2MB"] | del(.limit)' "$T/ours")"
fi
runtime delete --force u2

check_eq 'ps' "[$(runtime state u1 | jq .pid)]" "$(runtime ps --format json u1)"
check_match 'ps: as a table' 'sleep 60' "$(runtime ps u1)"
runtime delete --force u1
check 'events: end with it' wait_for 10 sh -c "! kill -0 $told"
check_eq 'events: nothing but these' 'stats oom' "$(jq -r .type "$T/told" | tr '\n' ' ' | sed 's/ $//')"

# Its process ends elsewhere: an empty cgroup says nothing then.
runtime run -d --bundle "$T/b" u3 </dev/null
pid=$(runtime state u3 | jq .pid)
for top in $tops; do echo "$pid" >"$top/cgroup.procs"; done
"$BUILD/examples/lcx-runtime/lcx-runtime" --root "$T/root" events --interval 60s u3 >"$T/told" &
told=$!
wait_for 10 grep -q '"stats"' "$T/told"
runtime kill u3 KILL
check 'events: end with one that was moved' wait_for 10 sh -c "! kill -0 $told"
runtime delete --force u3

# --- a process in a cgroup that the container has made below its own

bundle "$T/b" '.process.args = ["sleep", "60"] | .linux.resources = {"pids": {"limit": 20}}'
runtime run -d --bundle "$T/b" e1 </dev/null
pid=$(runtime state e1 | jq .pid)
if in_guest; then
	path=$(sed 's/^0:://' "/proc/$pid/cgroup")
	dirs=/sys/fs/cgroup$path
else
	path=$(sed -n 's/^[0-9]*:pids://p' "/proc/$pid/cgroup")
	dirs="/sys/fs/cgroup/pids$path /sys/fs/cgroup/unified$path"
fi
for dir in $dirs; do mkdir -p "$dir/one/two"; done
check_fails 'exec --cgroup: one that is not there' 255 "cgroup 'none' does not exist" runtime exec --cgroup none e1 true
check_fails 'exec --cgroup: out of the container' 255 "lies outside of" runtime exec --cgroup ../.. e1 true
check_match 'exec --cgroup' "$path/one/two\$" "$(runtime exec --cgroup one/two e1 cat /proc/self/cgroup)"
check_match 'exec --cgroup: from the top' "$path/one\$" "$(runtime exec --cgroup /one e1 cat /proc/self/cgroup)"
check_match 'exec --cgroup: the top itself' "$path\$" "$(runtime exec --cgroup / e1 cat /proc/self/cgroup)"
check_fails 'exec --cgroup: two without controllers' 255 'is not CONTROLLER:PATH' runtime exec --cgroup one --cgroup one/two e1 true
check_fails 'exec --cgroup: no such controller' 255 "no cgroup hierarchy 'fly'" runtime exec --cgroup fly:one e1 true
if in_guest; then
	check_fails 'exec --cgroup: one hierarchy has no names' 255 'give the path alone' runtime exec --cgroup pids:one e1 true
	# As an init in the container does: the limits pass on, and the top is for nobody.
	sh -c "echo $pid >$dirs/one/two/cgroup.procs; echo +pids >$dirs/cgroup.subtree_control"
	check_match 'exec: the top takes no process, that of the first does' "$path/one/two\$" "$(runtime exec e1 cat /proc/self/cgroup)"
	check_fails 'exec --cgroup: the top takes none' 255 'usy' runtime exec --cgroup / e1 true
else
	check_eq 'exec --cgroup: in one hierarchy' "$path/one $path/one/two" \
		"$(runtime exec --cgroup pids:one --cgroup unified:one/two e1 cat /proc/self/cgroup | sed -n 's/^[0-9]*:pids://p; s/^0:://p' | tr '\n' ' ' | sed 's/ $//')"
	check_eq 'exec --cgroup: the others stay' "$path/one $path" \
		"$(runtime exec --cgroup pids:one e1 cat /proc/self/cgroup | sed -n 's/^[0-9]*:pids://p; s/^0:://p' | tr '\n' ' ' | sed 's/ $//')"
	check_fails 'exec --cgroup: a hierarchy twice' 255 "'pids' is named twice" runtime exec --cgroup pids,pids:one e1 true
	check_fails 'exec --cgroup: not in that hierarchy' 255 "does not exist in hierarchy 'cpu'" runtime exec --cgroup cpu:one e1 true
fi
runtime delete --force e1
for dir in $dirs; do check 'its cgroups are gone, with those below' test ! -e "$dir"; done

# --- none at all

none() { runtime --cgroup-manager disabled "$@"; }
mknod "$T/b/rootfs/node" c 1 3
some='"capabilities": {"bounding": ["CAP_MKNOD"], "effective": ["CAP_MKNOD"], "permitted": ["CAP_MKNOD"]}'
few='"capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]}'
no_cgroup='"args": ["sh", "-c", "sleep 60 & wait"]'
if ! in_guest; then # no kernel is asked
	bundle "$T/b" ".process += {$few, $no_cgroup} | .linux.resources = {\"pids\": {\"limit\": 20}}"
	check_fails 'no cgroup: a limit' 1 'linux.resources.pids: needs a cgroup' none create --bundle "$T/b" n1
	bundle "$T/b" ".process += {$few, $no_cgroup} | .linux.cgroupsPath = \"/lcx-none\""
	check_fails 'no cgroup: a path of one' 1 'linux.cgroupsPath' none create --bundle "$T/b" n1
	bundle "$T/b" ".process += {\"capabilities\": {\"bounding\": [\"CAP_SYS_ADMIN\"]}}"
	check_fails 'no cgroup: who may mount devices' 1 'without a cgroup nothing keeps a process with CAP_SYS_ADMIN' none create --bundle "$T/b" n1
	bundle "$T/b" ".process += {\"args\": [\"sh\", \"-c\", \"mknod /dev/x c 1 3\"], $some}"
	check_fails 'no cgroup: who would make devices' 1 'not permitted' none run --bundle "$T/b" n1
	bundle "$T/b" ".process += {$few, $no_cgroup} | del(.mounts[1, 2])"
	check_fails 'no cgroup: devices among other files' 1 'mount a tmpfs on /dev' none create --bundle "$T/b" n1
fi
bundle "$T/b" ".process += {$few, $no_cgroup}"
check 'no cgroup: run' none run -d --bundle "$T/b" n1 </dev/null
pid=$(none state n1 | jq .pid)
check_eq 'no cgroup: it stays in the caller'\''s' "$(cat /proc/self/cgroup)" "$(cat "/proc/$pid/cgroup")"
check_fails 'no cgroup: the device of a file' 1 'denied' none exec n1 sh -c 'echo x >/dev/null && cat /node'
check_fails 'no cgroup: exec by one who would make nodes' 1 'not permitted' none exec --cap CAP_MKNOD n1 mknod /dev/x c 1 3
check_fails 'no cgroup: exec by one who may mount devices' 255 'CAP_SYS_ADMIN' none exec --cap CAP_SYS_ADMIN n1 true
wait_for 5 sh -c "pgrep -P $pid"
check_eq 'no cgroup: ps' "$pid,$(pgrep -P "$pid")" "$(none ps --format json n1 | tr -d '[]')"
check_fails 'no cgroup: pause' 1 'has no cgroup: it was asked to have none' none pause n1
check_fails 'no cgroup: events' 1 'has no cgroup: it was asked to have none' none events --stats n1
check_fails 'no cgroup: update' 1 'linux.resources.pids: needs a cgroup' none update --pids-limit 30 n1
check_fails 'no cgroup: exec in one below' 255 'has no cgroup' none exec --cgroup one n1 true
check 'no cgroup: kill --all' none kill --all n1 KILL
wait_for 10 is_stopped n1
check 'no cgroup: delete' none delete n1
rm "$T/b/rootfs/node"

# --- devices

bundle "$T/b" '.process.args = ["sh", "-c", "echo x >/dev/null && head -c 1 /dev/zero | wc -c; mknod /dev/mem c 1 1; cat /dev/mem"]
	| .process.capabilities = {"bounding": ["CAP_MKNOD"], "effective": ["CAP_MKNOD"], "permitted": ["CAP_MKNOD"]}
	| .linux.resources.devices = [{"allow": false, "access": "rwm"}]'
runtime run --bundle "$T/b" d1 >"$T/devices" 2>&1 || :
check_eq 'default devices work whatever the rules say' 1 "$(head -n 1 "$T/devices")"
check_match 'others do not' "can't open '/dev/mem'" "$(cat "$T/devices")"
