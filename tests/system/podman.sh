# SPDX-License-Identifier: MIT
# Podman with stores of the test's own, to be sourced after lib.sh.
need podman crun

cat >"$T/containers.conf" <<'END'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
events_logger = "none"
END
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$T/policy.json"
# crun has no use for a hybrid of cgroups: it sees none. The name of its run directory must be short.
podman_() {
	# shellcheck disable=SC2016
	CONTAINERS_CONF=$T/containers.conf unshare --mount --propagation private sh -c '
		! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified
		exec podman "$@"' podman --root "$T/p" --runroot "$T/r" --tmpdir "$T/t" --storage-driver vfs \
		--cgroup-manager cgroupfs --runtime crun "$@"
}
