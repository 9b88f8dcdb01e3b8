# SPDX-License-Identifier: MIT
# guest: no, the engine takes a minute there, and the runtime's own tests run there
# containerd's shim with lcx-runtime as its binary: a task's life, by ctr.

# What it keeps outside of its own directories, and leaves there, is gone with these.
[ -n "${LCX_TEST_INNER:-}" ] || LCX_TEST_INNER=1 exec unshare --mount --propagation private sh "$0"
. "${SRC:?}/tests/system/lib.sh"
need containerd ctr busybox umoci

mount -t tmpfs run /run
cat >"$T/config.toml" <<END
version = 2
root = "$T/root"
state = "$T/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$T/s"
END
containerd -c "$T/config.toml" >"$T/containerd.log" 2>&1 &
daemon=$!
defer "end_engine $daemon $T"
ctr_() { timeout 60 ctr -a "$T/s" "$@"; }
run_() { ctr_ run --snapshotter native --runc-binary "$BUILD/examples/lcx-runtime/lcx-runtime" "$@"; }
status_of() { ctr_ task ls | awk -v id="$1" '$1 == id { print $3 }'; }
is_in() { [ "$(status_of "$1")" = "$2" ]; }
wait_for 20 ctr_ version

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
tar -C "$T/layout" -cf "$T/image.tar" .
ctr_ images import --snapshotter native --index-name localhost/box:latest "$T/image.tar" >/dev/null
box=$(ctr_ images ls -q | head -n 1)

check_eq 'run' hello "$(run_ --rm "$box" t1 echo hello)"
check_fails 'run: its own code' 3 '' run_ --rm "$box" t1 sh -c 'exit 3'
check_fails 'run: no such program' 1 'executable file not found' run_ --rm "$box" t2 nothing-here
ctr_ containers delete t2 >/dev/null 2>&1 || :
check 'run: detached' run_ -d --memory-limit 67108864 "$box" t3 sleep 60
check_eq 'it runs' RUNNING "$(status_of t3)"
check_eq 'exec' 'from exec' "$(ctr_ task exec --exec-id e1 t3 echo from exec)"
check_fails 'exec: its own code' 9 '' ctr_ task exec --exec-id e2 t3 sh -c 'exit 9'
check 'pause' ctr_ task pause t3
check_eq 'paused' PAUSED "$(status_of t3)"
check 'resume' ctr_ task resume t3
check_match 'metrics' '^memory.usage_in_bytes *[1-9]' "$(ctr_ task metrics t3)"
check_match 'ps' '^[0-9][0-9]* ' "$(ctr_ task ps t3 | tail -n 1)"
check 'kill' ctr_ task kill -s KILL t3
wait_for 10 is_in t3 STOPPED
pass 'killed'
ctr_ task delete t3 >"$T/deleted" 2>&1 || :
check_match 'delete: the status was kept' 137 "$(cat "$T/deleted")"
check 'the container is deleted' ctr_ containers delete t3
check_eq 'the runtime has nothing left' '' \
	"$("$BUILD/examples/lcx-runtime/lcx-runtime" --root /run/containerd/runc/default list -q)"
