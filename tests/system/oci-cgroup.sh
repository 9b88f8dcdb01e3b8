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

# --- what it uses, and may use

bundle "$T/b" '.process.args = ["sleep", "60"] | .linux.resources = {"memory": {"limit": 67108864}, "pids": {"limit": 20}}'
runtime run -d --bundle "$T/b" u1 </dev/null
check_eq 'events --stats' "stats u1 67108864 20" "$(runtime events --stats u1 | jq -r '"\(.type) \(.id) \(.data.memory.usage.limit) \(.data.pids.limit)"')"
check 'update: from standard input' sh -c 'echo "{\"pids\": {\"limit\": 30}}" | "$@"' x "$BUILD/examples/lcx-runtime/lcx-runtime" --root "$T/root" update --resources - u1
check 'update: by an option' runtime update --memory 33554432 u1
check_eq 'updated: both, and nothing else' "33554432 30" "$(runtime events --stats u1 | jq -r '"\(.data.memory.usage.limit) \(.data.pids.limit)"')"
check_fails 'update: what makes no sense' 1 'memory' runtime update --memory lots u1
check_eq 'ps' "[$(runtime state u1 | jq .pid)]" "$(runtime ps --format json u1)"
check_match 'ps: as a table' 'sleep 60' "$(runtime ps u1)"
check_fails 'checkpoint' 1 'CRIU' runtime checkpoint u1
runtime delete --force u1

# --- devices

bundle "$T/b" '.process.args = ["sh", "-c", "echo x >/dev/null && head -c 1 /dev/zero | wc -c; mknod /dev/mem c 1 1; cat /dev/mem"]
	| .process.capabilities = {"bounding": ["CAP_MKNOD"], "effective": ["CAP_MKNOD"], "permitted": ["CAP_MKNOD"]}
	| .linux.resources.devices = [{"allow": false, "access": "rwm"}]'
runtime run --bundle "$T/b" d1 >"$T/devices" 2>&1 || :
check_eq 'default devices work whatever the rules say' 1 "$(head -n 1 "$T/devices")"
check_match 'others do not' "can't open '/dev/mem'" "$(cat "$T/devices")"
