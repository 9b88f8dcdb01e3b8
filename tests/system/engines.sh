# SPDX-License-Identifier: MIT
# Engines that checkpoint and restore by lcx-runtime, for container-checkpoint, which has $count and the rest: they take
# minutes in the guest, the only place where Debian's criu gets on with the kernel.

engine_podman() {
	cat >"$T/containers.conf" <<-END
		[engine]
		events_logger = "none"
	END
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$T/policy.json"
	pod() {
		CONTAINERS_CONF=$T/containers.conf timeout 200 podman --root "$T/p" --runroot "$T/r" --tmpdir "$T/t" \
			--storage-driver vfs --cgroup-manager cgroupfs --runtime "$BUILD/examples/lcx-runtime/lcx-runtime" "$@"
	}
	[ -e /dev/shm/libpod_lock ] || defer 'rm -f /dev/shm/libpod_lock'
	defer 'pod rm -f -t 0 -a; pod umount -a'
	said() { pod logs "${2:-e}" | awk '$1 != NR { bad = 1 } END { exit bad || NR <= '"$1"' }'; }
	tar -C "$T/rootfs" -c . | pod import -q - box >/dev/null
	check 'podman: run' pod run -d --name e --network none box sh -c "$count"
	check 'podman: checkpoint' pod container checkpoint --keep e
	check_eq 'podman: it has ended' exited "$(pod inspect -f '{{.State.Status}}' e)"
	check 'podman: restore' pod container restore --keep e
	check 'podman: it goes on' wait_for 10 said "$(pod logs e | wc -l)"
	check 'podman: an archive, in place of the older images' pod container checkpoint --export "$T/e.tar.gz" e
	check 'podman: rm' pod rm -f -t 0 e
	# Its root is new: what podman mounts there, run/.containerenv among others, has no place in it.
	check 'podman: restored from the archive' pod container restore --import "$T/e.tar.gz"
	check 'podman: it goes on, too' wait_for 20 said 5
	check 'podman: rm' pod rm -f -t 0 e
	# With a link in it, as whoever made it may have put there.
	mkdir "$T/archive"
	tar -C "$T/archive" -xf "$T/e.tar.gz"
	pages=$(cd "$T/archive/checkpoint" && ls pages-*.img | head -n 1)
	ln -sf /etc/shadow "$T/archive/checkpoint/$pages"
	tar -C "$T/archive" -czf "$T/forged.tar.gz" .
	check_fails 'podman: a forged archive' 125 "'$pages' is no plain file" pod container restore --import "$T/forged.tar.gz"
	# In two steps, of one with a connection and a lock.
	check 'podman: run one with a connection' pod run -d --name f --network none box \
		sh -c "probe lock /dev/shm/lock & nc -l -p 5000 -e cat & sleep 1; tail -f /dev/null | nc 127.0.0.1 5000 & $count"
	wait_for 20 said 5 f
	check_match 'podman: its memory before' '"podman_checkpoint_duration"' \
		"$(pod container checkpoint --pre-checkpoint --file-locks --tcp-established --print-stats f)"
	check_eq 'podman: it runs' running "$(pod inspect -f '{{.State.Status}}' f)"
	check_fails 'podman: a connection that is not asked for' 125 'tcp-established' pod container checkpoint --with-previous --file-locks f
	check 'podman: it goes on after that' wait_for 20 said "$(pod logs f | wc -l)" f
	check 'podman: the rest, and it goes on' pod container checkpoint --with-previous --file-locks --tcp-established --leave-running f
	check 'podman: it goes on' wait_for 20 said "$(pod logs f | wc -l)" f
	check 'podman: all at once' pod container checkpoint --file-locks --tcp-established --keep f
	check_match 'podman: and back' '"criu_statistics"' "$(pod container restore --file-locks --tcp-established --keep --print-stats f)"
	check 'podman: it goes on' wait_for 20 said "$(pod logs f | wc -l)" f
	check 'podman: rm' pod rm -f -t 0 f
}

engine_docker() {
	cat >"$T/daemon.json" <<-END
		{"runtimes": {"lcx": {"path": "$BUILD/examples/lcx-runtime/lcx-runtime"}}, "default-runtime": "lcx",
		 "experimental": true, "bridge": "none", "iptables": false, "ip6tables": false}
	END
	mkdir -p "$T/tmp"
	TMPDIR=$T/tmp dockerd --config-file "$T/daemon.json" --data-root "$T/d" --exec-root "$T/e" -H "unix://$T/s" -p "$T/pid" \
		--storage-driver overlay2 >"$T/dockerd.log" 2>&1 &
	defer "end_engine $! $T/d; rmdir /sys/fs/cgroup/docker"
	d() { timeout 200 docker -H "unix://$T/s" "$@"; }
	wait_for 60 d version
	counted_on() { d logs counter | awk '$1 != NR { bad = 1 } END { exit bad || NR <= '"$1"' }'; }
	tar -C "$T/rootfs" -c . | d import - box:1 >/dev/null
	check 'docker: run' d run -d --network none --name counter box:1 sh -c "$count"
	wait_for 20 counted_on 5
	check 'docker: checkpoint' d checkpoint create counter one
	check_eq 'docker: it has ended' exited "$(d inspect -f '{{.State.Status}}' counter)"
	check_match 'docker: its checkpoints' '^one' "$(d checkpoint ls counter | tail -n 1)"
	before=$(d logs counter | wc -l)
	check 'docker: start from there' d start --checkpoint one counter
	check 'docker: it goes on from where it was' wait_for 20 counted_on "$((before + 5))"
	check 'docker: exec' d exec counter true
	check 'docker: another one, and it goes on' d checkpoint create --leave-running counter two
	check 'docker: it goes on' wait_for 20 counted_on "$(d logs counter | wc -l)"
	check_eq 'docker: it runs' running "$(d inspect -f '{{.State.Status}}' counter)"
	check 'docker: into a directory of its own' d checkpoint create --checkpoint-dir "$T/elsewhere" counter three
	check 'docker: it is there' test -e "$T/elsewhere/three"
	check 'docker: the second again' d start --checkpoint two counter
	check 'docker: runs' d exec counter true
	check 'docker: a checkpoint is removed' d checkpoint rm counter one
	check 'docker: rm' d rm -f counter
}

engine_containerd() {
	cat >"$T/config.toml" <<-END
		version = 2
		root = "$T/root"
		state = "$T/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		  address = "$T/cs"
	END
	# It leaves there what it has put into an image.
	mkdir -p "$T/tmp"
	TMPDIR=$T/tmp containerd -c "$T/config.toml" >"$T/containerd.log" 2>&1 &
	defer "end_engine $! $T/state"
	ctr_() { timeout 100 ctr -a "$T/cs" "$@"; }
	run_() { ctr_ run -d --snapshotter native --runc-binary "$BUILD/examples/lcx-runtime/lcx-runtime" --log-uri "file://$T/ctr.log" "$@"; }
	status_of() { ctr_ task ls | awk -v id="$1" '$1 == id { print $3 }'; }
	is_in() { [ "$(status_of "$1")" = "$2" ]; }
	counts() { [ "$(wc -l <"$T/ctr.log")" -gt "$1" ]; }
	wait_for 60 ctr_ version
	sh "$SRC/tests/registry/mkimage.sh" busybox "$T/ctr-layout"
	tar -C "$T/ctr-layout" -cf "$T/image.tar" .
	ctr_ images import --snapshotter native --index-name localhost/box:latest "$T/image.tar" >/dev/null
	check 'ctr: run' run_ localhost/box:latest t sh -c "$count"
	wait_for 20 counts 5
	mkdir -m 700 "$T/ctr-images"
	check 'ctr: checkpoint into a directory, and it goes on' ctr_ task checkpoint --image-path "$T/ctr-images" --work-path "$T/ctr-work" t
	check 'ctr: it has images' test -e "$T/ctr-images/inventory.img"
	check_eq 'ctr: it runs' RUNNING "$(status_of t)"
	check 'ctr: checkpoint into an image' ctr_ containers checkpoint --image --task --rw t checkpoint/t
	check 'ctr: kill' ctr_ task kill -s KILL t
	check 'ctr: killed' wait_for 10 is_in t STOPPED
	ctr_ task rm t >/dev/null 2>&1 || :
	check 'ctr: rm' ctr_ containers rm t
	# Its input is a pipe now, and was /dev/null.
	check 'ctr: restore' ctr_ containers restore --live r checkpoint/t
	check_eq 'ctr: it runs' RUNNING "$(status_of r)"
	mkdir -m 700 "$T/ctr-last"
	check 'ctr: checkpoint, and it ends' ctr_ task checkpoint --exit --image-path "$T/ctr-last" r
	check 'ctr: it has ended' wait_for 10 is_in r STOPPED
	ctr_ task rm r >/dev/null 2>&1 || :
	check 'ctr: rm' ctr_ containers rm r
}
