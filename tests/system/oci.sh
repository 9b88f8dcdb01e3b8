# SPDX-License-Identifier: MIT
# What the tests of lcx-runtime share, to be sourced after lib.sh.
need jq busybox

runtime() { "$BUILD/examples/lcx-runtime/lcx-runtime" --root "$T/root" --log "$T/log" --log-format json "$@"; }
state_of() { runtime state "$1" | jq -r .status; }
is_stopped() { [ "$(state_of "$1")" = stopped ]; }

# A bundle whose config.json is a small one, changed by a jq program.
bundle() { # DIR [JQ]
	mkdir -p "$1"
	[ -d "$1/rootfs" ] || cp -a "$T/rootfs" "$1/rootfs"
	jq "${2:-.}" >"$1/config.json" <<'JSON'
{"ociVersion": "1.3.0",
 "root": {"path": "rootfs"},
 "process": {"cwd": "/", "user": {"uid": 0, "gid": 0}, "args": ["sleep", "60"],
	"env": ["PATH=/bin", "A=from config"]},
 "hostname": "bundled",
 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
	{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
	{"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance", "ptmxmode=0666"]}],
 "annotations": {"org.example.key": "value"},
 "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "uts"}, {"type": "ipc"}, {"type": "network"}]}}
JSON
}

make_rootfs "$T/rootfs"
defer 'for id_ in $(runtime list -q); do runtime delete --force $id_; done'
