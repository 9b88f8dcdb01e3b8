# SPDX-License-Identifier: MIT
# Cgroups as scopes of systemd's, as engines ask for them where systemd runs: what is asked of it, what is
# then in the cgroup, and that nothing of it stays. systemd itself is played by systemd-fake.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/oci.sh"

scope() { runtime --systemd-cgroup "$@"; }
path_of() { sed -n 's/^0:://p' "/proc/$(runtime state "$1" | jq .pid)/cgroup"; }

mkdir -p /run/systemd
mount -t tmpfs tmpfs /run/systemd
defer 'umount /run/systemd'

# --- without systemd it is refused by name

bundle "$T/b" '.linux.cgroupsPath = "lcxtest.slice:lcx:one"'
check_fails 'no systemd' 1 'systemd-cgroup: systemd does not answer at' scope create --bundle "$T/b" s1
check_fails 'no systemd: by the other option' 1 'cgroup-manager: systemd does not answer' runtime --cgroup-manager systemd create --bundle "$T/b" s1
check_eq 'no systemd: nothing is left' '' "$(runtime list -q)"

ASAN_OPTIONS=detect_leaks=0 "$BUILD/tests/systemd-fake" /run/systemd/private "$T/asked" &
fake=$!
defer 'kill $fake; wait $fake'
wait_for 5 test -S /run/systemd/private

# --- a scope

bundle "$T/b" '.linux.cgroupsPath = "lcxtest.slice:lcx:one" | .linux.resources = {"memory": {"limit": 67108864, "reservation": 33554432},
	"pids": {"limit": 20}, "cpu": {"quota": 25000, "period": 50000, "shares": 1024, "cpus": "0"}}'
check 'create' scope create --bundle "$T/b" s1 </dev/null
check_eq 'it is in the scope' /lcxtest.slice/lcx-one.scope "$(path_of s1)"
check_match 'the call: unit, and never in the place of another' '^StartTransientUnit lcx-one.scope fail ' "$(cat "$T/asked")"
check_match 'the call: delegated, with a process' 'Slice=lcxtest.slice PIDs=one Delegate=yes DefaultDependencies=no' "$(cat "$T/asked")"
if in_guest; then limits='MemoryMax=67108864 MemoryLow=33554432 CPUWeight=100'; else limits='MemoryLimit=67108864 CPUShares=1024'; fi
check_match 'the call: limits' "$limits CPUQuotaPeriodUSec=50000 CPUQuotaPerSecUSec=500000 .*TasksMax=20" "$(cat "$T/asked")"
check_eq 'the limits are in force' "67108864 20" "$(runtime events --stats s1 | jq -r '"\(.data.memory.usage.limit) \(.data.pids.limit)"')"
check_eq 'nobody else is in it' "[$(runtime state s1 | jq .pid)]" "$(runtime ps --format json s1)"
check 'start' scope start s1
check 'update' scope update --pids-limit 30 s1
check_match 'systemd is told' '^SetUnitProperties lcx-one.scope runtime .*TasksMax=30' "$(cat "$T/asked")"
check_eq 'and it is in force' 30 "$(runtime events --stats s1 | jq -r .data.pids.limit)"
check_eq 'exec' /lcxtest.slice/lcx-one.scope "$(scope exec s1 cat /proc/self/cgroup | sed -n 's/^0:://p')"
check 'pause' scope pause s1
check 'resume' scope resume s1

# --- what the annotations say of it

bundle "$T/b2" '.annotations = {"org.systemd.property.TimeoutStopUSec": "uint64 9000000", "org.systemd.property.RuntimeMaxSec": "90",
	"org.systemd.property.CollectMode": "'\''inactive'\''", "org.systemd.property.After": "['\''a.service'\'', \"b.service\"]",
	"org.systemd.property.SendSIGHUP": "true", "org.systemd.property.CPUSchedulingPriority": "-3", "org.systemd.other": "rubbish"}
	| .linux.cgroupsPath = "lcxtest.slice:lcx:noted"'
check 'annotations' scope create --bundle "$T/b2" n1 </dev/null
asked=$(grep '^StartTransientUnit lcx-noted' "$T/asked")
for word in TimeoutStopUSec=9000000 RuntimeMaxUSec=90000000 CollectMode=inactive 'After=\[a.service\]\[b.service\]' SendSIGHUP=yes CPUSchedulingPriority=i:-3; do
	check_match "systemd is told $word" " $word\( \|$\)" "$asked"
done
check_eq 'and of no other' '' "$(echo "$asked" | grep rubbish || :)"
scope delete --force n1
for note in Slice Description lower CPU.Weight; do
	bundle "$T/b2" ".annotations = {\"org.systemd.property.$note\": \"'x'\"}"
	check_fails "property $note" 1 "annotation 'org.systemd.property.$note'" scope create --bundle "$T/b2" n2
done
bundle "$T/b2" '.annotations = {"org.systemd.property.CPUWeight": "many"}'
check_fails 'what is no value' 1 "CPUWeight.: .many. is no value" scope create --bundle "$T/b2" n2
check 'by another manager they are data' runtime create --bundle "$T/b2" n2 </dev/null
check 'delete' runtime delete --force n2

# --- names

bundle "$T/b2" '.linux.cgroupsPath = "lcxtest.slice:lcx:one"'
check_fails 'the unit is there' 1 'already exists' scope create --bundle "$T/b2" s2
check_eq 'it is left alone' created "$(runtime state s1 | jq -r .status | sed s/running/created/)"
check_fails 'a stranger' 1 'does not exist' runtime state s2
for path in /lcx/one lcxtest.slice:lcx:a:b lcxtest:lcx:one lcxtest.slice:lcx:../../one; do
	bundle "$T/b2" ".linux.cgroupsPath = \"$path\""
	check_fails "cgroupsPath: '$path'" 1 'linux.cgroupsPath' scope create --bundle "$T/b2" s2
done
bundle "$T/b2" '.linux.cgroupsPath = "lcxtest.slice:fail:it"'
check_fails 'the job fails' 1 "systemd says 'failed'" scope create --bundle "$T/b2" s2
bundle "$T/b2" .
check 'without a path' scope create --bundle "$T/b2" s2 </dev/null
check_eq 'without a path: a default' /system.slice/lcx-s2.scope "$(path_of s2)"
bundle "$T/b3" '.linux.cgroupsPath = "lcxtest.slice::bare"'
check 'without a prefix' scope run -d --bundle "$T/b3" s3 </dev/null
check_eq 'without a prefix: the name' /lcxtest.slice/bare.scope "$(path_of s3)"

# --- their end

for id in s1 s2 s3; do check "delete $id" scope delete --force $id; done
check_eq 'each is stopped, once' 'bare.scope lcx-noted.scope lcx-one.scope lcx-s2.scope ' "$(sed -n 's/^StopUnit \([^ ]*\) .*/\1/p' "$T/asked" | sort | tr '\n' ' ')"
check_eq 'no process of ours holds any' '' "$(pgrep -x lcx-init || :)"
check_eq 'the cgroups are gone' '' "$(find /sys/fs/cgroup -name 'lcxtest.slice' -o -name 'lcx-s2.scope')"

# --- the runtime is killed

scope create --bundle "$T/b" k1 </dev/null
kill -9 "$(runtime state k1 | jq .pid)"
wait_for 5 is_stopped k1
check 'delete: its process was killed' scope delete k1
check_eq 'and its cgroup is gone' '' "$(find /sys/fs/cgroup -name 'lcxtest.slice')"
