# SPDX-License-Identifier: MIT
# Ends: output is whole before the end is told, owners and monitors that die, removal under the owner.
. "${SRC:?}/tests/system/lib.sh"
need busybox jq
make_rootfs "$T/rootfs"
run() { lcx run --network none "$@"; }
start() { run -d --name "$1" --rootfs "$T/rootfs" "${2:-sleep}" "${3:-1000}" >/dev/null; }
recorded() { jq -r ".$1" "$T"/lcx-run/containers/*/state.json; }
none_runs() { [ -z "$(lcx ps -q)" ]; }

check_eq 'a megabyte arrives before the end is told' 1000000 \
	"$(run --rm --rootfs "$T/rootfs" sh -c 'head -c 1000000 /dev/zero' | wc -c)"
run -d --name big --rootfs "$T/rootfs" sh -c 'head -c 1000000 /dev/zero | tr "\0" x' >/dev/null
wait_for 10 none_runs
check_eq 'also by way of the log' 1000000 "$(lcx logs big | tr -d '\n' | wc -c)"
check 'rm' lcx rm big
check_eq 'the end of the input is passed on' '3 end' \
	"$(printf 'a\nb\nc\n' | run --rm -i --rootfs "$T/rootfs" sh -c 'wc -l; echo end' | xargs)"

start orphan
monitor=$(recorded ownerPid) process=$(recorded pid)
start other
kill -9 "$monitor"
check 'gc after a monitor was killed' lcx gc
# It is nobody's child any more: somebody else reaps it, who may not have come to it yet.
is_over() { ! kill -0 "$process" 2>/dev/null || grep -q '^State:[[:space:]]*Z' "/proc/$process/status"; }
check 'its process is over' wait_for 10 is_over
check_match 'the container has stopped' 'Exited' "$(lcx ps -a | grep orphan)"
check_fails 'nothing can be executed in it' 125 'not running' lcx exec orphan true
check 'the other one did not notice' lcx exec other true
check 'rm of a stopped one' lcx rm orphan
check 'rm -f of a running one' lcx rm -f other

start deep
below=$(printf '/d%.0s' $(seq 140))
sleep 1000 &
for at in $(find /sys/fs/cgroup -type d -path '*lcx*' -name "*.$(lcx inspect deep | jq -r '.[0].id')"); do
	mkdir -p "$at$below"
	echo $! >"$at$below/cgroup.procs"
done
check 'a process is in the deepest of 140 cgroups of its own' grep -q "$below\$" "/proc/$!/cgroup"
check 'rm -f of one that has nested its cgroups' lcx rm -f deep
check_fails 'that process is gone, too' 137 '' wait $!
check_eq 'and so are the cgroups' '' "$(find /sys/fs/cgroup -path "*$below")"

(r=0; run --rm --name shared --rootfs "$T/rootfs" sleep 1000 >/dev/null 2>"$T/err" || r=$?; echo $r >"$T/status") &
wait_for 10 lcx exec shared true
check 'rm -f while its owner waits' lcx rm -f shared
wait
check_eq 'the owner gets its status' 137 "$(cat "$T/status")"
check_eq 'and complains about nothing' '' "$(cat "$T/err")"

"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" run --rm --network none --rootfs "$T/rootfs" sleep 1000 &
owner=$!
wait_for 10 sh -c 'ls "$T"/lcx-run/containers/*/state.json'
process=$(recorded pid)
kill -9 "$owner"
wait || :
check_eq 'what its owner left is gone with the next command' '' "$(lcx ps -aq)"
check 'and so is its process' is_over
check_eq 'no container is left' '' "$(lcx ps -aq)"
