# SPDX-License-Identifier: MIT
# guest: no, the engine takes a minute there, and the runtime's own tests run there
# dockerd with lcx-runtime as its default: containers on a network of its own, and a service of a swarm.

# What it keeps outside of its own directories, and leaves there, is gone with these.
[ -n "${LCX_TEST_INNER:-}" ] || LCX_TEST_INNER=1 exec unshare --net --mount --propagation private sh "$0"
. "${SRC:?}/tests/system/lib.sh"
need dockerd docker busybox

ip link set lo up
mount -t tmpfs run /run
cat >"$T/daemon.json" <<END
{"runtimes": {"lcx": {"path": "$BUILD/examples/lcx-runtime/lcx-runtime"}}, "default-runtime": "lcx"}
END
# An engine that finds its containerd slow has it write down there what it was at.
mkdir "$T/tmp"
TMPDIR=$T/tmp dockerd --config-file "$T/daemon.json" --data-root "$T/d" --exec-root "$T/e" -H "unix://$T/s" -p "$T/pid" \
	--storage-driver vfs --bip 10.231.0.1/24 >"$T/dockerd.log" 2>&1 &
daemon=$!
defer 'rmdir /sys/fs/cgroup/docker /sys/fs/cgroup/*/docker'
defer "end_engine $daemon $T"
d() { timeout 60 docker -H "unix://$T/s" "$@"; }
wait_for 30 d version

make_rootfs "$T/rootfs"
tar -C "$T/rootfs" -c . | d import -c 'CMD ["sleep", "600"]' - box:1 >/dev/null
d tag box:1 box:2

check_eq 'run' hello "$(d run --rm box:1 echo hello)"
check_fails 'run: its own code' 3 '' d run --rm box:1 sh -c 'exit 3'
check_fails 'run: no such program' 127 'not found' d run --rm box:1 nothing-here
d network create two >/dev/null
check 'run: detached' d run -d --init=false --network two --name web -m 64m --memory-swap 64m box:1 \
	sh -c 'mkdir /www; echo served >/www/index.html; exec httpd -f -p 80 -h /www'
check_eq 'two on a network, by name' served \
	"$(d run --rm --network two box:1 sh -c 'for i in 1 2 3 4 5 6 7 8 9; do wget -q -O - http://web/ && exit; sleep 0.2; done')"
check 'exec' d exec web true
check_fails 'exec: its own code' 9 '' d exec web sh -c 'exit 9'
check_match 'stats' '64MiB' "$(d stats --no-stream web)"
check_match 'top' httpd "$(d top web)"
check 'update' d update -m 32m --memory-swap 32m web
check 'pause' d pause web
check_eq 'paused' paused "$(d inspect -f '{{.State.Status}}' web)"
check 'unpause' d unpause web
check 'stop' d stop -t 0 web
check_eq 'stopped' 'exited 137' "$(d inspect -f '{{.State.Status}} {{.State.ExitCode}}' web)"
check 'start again' d start web
check 'rm' d rm -f web

replicas() { d service ls --format '{{.Replicas}}'; }
have() { [ "$(replicas)" = "$1" ]; }
check 'swarm' d swarm init --advertise-addr 127.0.0.1
check 'a service of three' d service create -d --name s --replicas 3 --endpoint-mode dnsrr --network host box:1
wait_for 30 have 3/3
pass 'three replicas run'
check 'scaled to five' d service scale -d s=5
wait_for 30 have 5/5
pass 'five replicas run'
check 'rolled to another image' d service update -d --image box:2 --update-parallelism 5 --stop-grace-period 0s s
rolled() { [ "$(d service ps --format '{{.Image}} {{.CurrentState}}' s | grep -c '^box:2 Running')" -eq 5 ]; }
wait_for 40 rolled || d service ps s
check 'all of them run it' rolled
check 'removed' d service rm s
check 'the swarm is left' d swarm leave --force
