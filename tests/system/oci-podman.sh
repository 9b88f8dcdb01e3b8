# SPDX-License-Identifier: MIT
# guest: no, the engine takes a minute there, and the runtime's own tests run there
# podman with lcx-runtime: everything that a person does with containers, pods and images.

# What it keeps outside of its own directories, and leaves there, is gone with these.
[ -n "${LCX_TEST_INNER:-}" ] || LCX_TEST_INNER=1 exec unshare --net --mount --propagation private sh "$0"
. "${SRC:?}/tests/system/lib.sh"
need podman conmon busybox jq

ip link set lo up
mount -t tmpfs shm /dev/shm
mkdir -p /var/lib/cni
mount -t tmpfs cni /var/lib/cni
cat >"$T/containers.conf" <<END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
events_logger = "none"
infra_image = "localhost/box:latest"
runtime_supports_nocgroup = ["lcx-runtime"]
[engine.runtimes]
lcx-runtime = ["$BUILD/examples/lcx-runtime/lcx-runtime"]
END
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$T/policy.json"
pod() {
	CONTAINERS_CONF=$T/containers.conf timeout 60 podman --root "$T/p" --runroot "$T/r" --tmpdir "$T/t" \
		--storage-driver vfs --cgroup-manager cgroupfs --network-config-dir "$T/net" \
		--runtime lcx-runtime "$@"
}
defer 'rmdir /sys/fs/cgroup/libpod_parent/* /sys/fs/cgroup/libpod_parent /sys/fs/cgroup/*/libpod_parent/* /sys/fs/cgroup/*/libpod_parent'
defer 'pod pod rm -f -a -t 0; pod rm -f -a -t 0; pod umount -a'

make_rootfs "$T/rootfs"
tar -C "$T/rootfs" -c . | pod import -q -c 'CMD ["sleep", "600"]' - box >/dev/null

check_eq 'run' hello "$(pod run --rm --network none box echo hello)"
check_fails 'run: its own code' 3 '' pod run --rm --network none box sh -c 'exit 3'
check_fails 'run: no such program' 127 'not found' pod run --rm --network none box nothing-here
check_fails 'run: not executable' 126 'permission denied' pod run --rm --network none box /etc/passwd
check_match 'run: with a terminal' '^/dev/pts/0' "$(pod run --rm -t --network none box tty)"
check_eq 'run: a volume' text "$(echo text >"$T/file" && pod run --rm --network none -v "$T/file:/mnt:ro" box cat /mnt)"
check_eq 'run: as somebody, somewhere' "1000 /tmp yes" \
	"$(pod run --rm --network none -u 1000 -w /tmp -e A=yes box sh -c 'echo $(id -u) $(pwd) $A')"
check_fails 'run: read-only' 1 'Read-only' pod run --rm --network none --read-only box touch /x

check 'run: detached, published' pod run -d --name web -p 127.0.0.1:18080:80 -m 64m box \
	sh -c 'mkdir /www; echo served >/www/index.html; echo logged; exec httpd -f -p 80 -h /www'
check 'exec' pod exec web true
check_fails 'exec: its own code' 9 '' pod exec web sh -c 'exit 9'
check_match 'exec: with a terminal' '^/dev/pts/0' "$(pod exec -t web tty)"
wait_for 10 sh -c 'busybox wget -q -O - http://127.0.0.1:18080/ | grep served'
pass 'the published port is served'
check_eq 'logs' logged "$(pod logs web)"
memory=/sys/fs/cgroup/memory/libpod_parent/libpod-$(pod inspect -f '{{.Id}}' web)/memory.limit_in_bytes
check_eq 'the limit of memory' 67108864 "$(cat "$memory")"
check 'update' pod update --memory 32m web
check_eq 'the new limit' 33554432 "$(cat "$memory")"
check 'pause' pod pause web
check_eq 'paused' paused "$(pod inspect -f '{{.State.Status}}' web)"
check 'unpause' pod unpause web
check_match 'top' httpd "$(pod top web)"
check_match 'stats' web "$(pod stats --no-stream --format '{{.Name}}' web)"
check 'stop' pod stop -t 0 web
check_eq 'stopped' 'exited 137' "$(pod inspect -f '{{.State.Status}} {{.State.ExitCode}}' web)"
check 'start again' pod start web
check 'rm' pod rm -f -t 0 web

check 'without a cgroup' pod run -d --name none --cgroups=disabled --network none box sleep 600
check_eq 'without a cgroup: it stays where podman is' "$(cat /proc/self/cgroup)" \
	"$(cat "/proc/$(pod inspect -f '{{.State.Pid}}' none)/cgroup")"
check_fails 'without a cgroup: pause' 125 'cannot pause' pod pause none
check 'without a cgroup: exec' pod exec none true
check_fails 'without a cgroup: who may mount devices' 126 'CAP_SYS_ADMIN' \
	pod run --rm --cgroups=disabled --cap-add SYS_ADMIN --network none box true
check 'without a cgroup: rm' pod rm -f -t 0 none

printf 'FROM localhost/box\nRUN echo made >/made\n' >"$T/Dockerfile"
check 'build' pod build -q --network none -t made -f "$T/Dockerfile" "$T/rootfs/etc"
check_eq 'what was built' made "$(pod run --rm --network none made cat /made)"

check 'a pod' pod pod create --name two
pod run -d -q --pod two --name first box sh -c 'mkdir /www; echo neighbour >/www/index.html; exec httpd -f -p 80 -h /www' >/dev/null
check_eq 'they share the network' neighbour \
	"$(pod run --rm --pod two box sh -c 'for i in 1 2 3 4 5 6 7 8 9; do wget -q -O - http://127.0.0.1/ && exit; sleep 0.2; done')"
check 'the pod is removed' pod pod rm -f -t 0 two
check 'a pod with users of its own' pod pod create --network none --uidmap 0:100000:65536 --name users
check_eq 'its containers are among them' '0 100000 65536 root' \
	"$(pod run --rm --pod users box sh -c 'echo $(cat /proc/self/uid_map) $(touch /x && stat -c %U /x)')"
check 'that one is removed' pod pod rm -f -t 0 users

cat >"$T/pod.yaml" <<'END'
apiVersion: v1
kind: Pod
metadata: {name: played}
spec:
  containers:
  - {name: one, image: localhost/box:latest, imagePullPolicy: Never, command: [sleep, "60"]}
  - {name: other, image: localhost/box:latest, imagePullPolicy: Never, command: [sleep, "60"]}
END
check 'play kube' pod play kube -q "$T/pod.yaml"
check_eq 'both run' "running running" "$(pod inspect -f '{{.State.Status}}' played-one played-other | tr '\n' ' ' | sed 's/ $//')"
check 'play kube --down' pod play kube --down "$T/pod.yaml"
check_eq 'the runtime has nothing left' '' "$("$BUILD/examples/lcx-runtime/lcx-runtime" list -q)"
