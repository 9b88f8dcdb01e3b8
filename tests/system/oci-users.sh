# SPDX-License-Identifier: MIT
# guest: no, joining is the same there
# A container that joins a user namespace, as those of a pod with users of its own do: what is new belongs to that one,
# what is the host's is joined all the same, and the root file system may be closed to all that are in there.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/oci.sh"
need unshare nsenter ip

unshare --user --ipc --uts sleep 120 &
pod=$!
defer 'kill $pod'
wait_for 5 sh -c '[ "$(readlink /proc/self/ns/uts)" != "$(readlink /proc/'$pod'/ns/uts)" ]'
echo 0 100000 65536 >"/proc/$pod/uid_map"
echo 0 100000 65536 >"/proc/$pod/gid_map"
ip netns add of-the-host
defer 'ip netns del of-the-host'
before=$(cut -d' ' -f4- /proc/self/mountinfo | sort)
chmod 700 "$T" # closed to its root
mkdir "$T/volume"
echo of-the-host >"$T/volume/file"

maps='.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] | .linux.gidMappings = .linux.uidMappings
	| .linux.namespaces |= map(select(.type != "network")) + [{"type": "user", "path": "/proc/'$pod'/ns/user"}, {"type": "cgroup"}]
	| .mounts += [{"destination": "/volume", "type": "bind", "source": "'"$T/volume"'", "options": ["rbind", "ro"]},
		{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]}]
	| .process.capabilities = {"bounding": ["CAP_SYS_ADMIN", "CAP_NET_ADMIN"], "permitted": ["CAP_SYS_ADMIN", "CAP_NET_ADMIN"],
		"effective": ["CAP_SYS_ADMIN", "CAP_NET_ADMIN"]}'
cat >"$T/volume/inside" <<'EOF'
tr -s ' ' </proc/self/uid_map
echo $$ $(hostname) $(cat /volume/file)
hostname mine && mount -t tmpfs mine /tmp && ip link set lo down && echo may
EOF
bundle "$T/b"
chown -R 100000:100000 "$T/b/rootfs"
of() { readlink "/proc/$1/ns/$2"; }

bundle "$T/b" "$maps"' | .linux.namespaces += [{"type": "network"}] | .process.args = ["sh", "/volume/inside"]'
check_eq 'all else is new, and its own to change' "$(printf ' 0 100000 65536\n1 bundled of-the-host\nmay')" "$(runtime run --bundle "$T/b" u1 2>&1)"

bundle "$T/b" "$maps"' | .hostname = null | .linux.namespaces |= map(select(.type != "uts" and .type != "ipc")) | .linux.namespaces += [
	{"type": "network", "path": "/run/netns/of-the-host"}, {"type": "uts", "path": "/proc/'$pod'/ns/uts"}, {"type": "ipc", "path": "/proc/'$pod'/ns/ipc"}]'
check 'with the network of the host, and what is the pod'\''s' runtime create --bundle "$T/b" --pid-file "$T/pid" u2 </dev/null
check 'start' runtime start u2
pid=$(cat "$T/pid")
check_eq 'the kernel says so' "$(of $pod user) $(of $pod uts) $(of $pod ipc) $(readlink -f /run/netns/of-the-host)" \
	"$(of "$pid" user) $(of "$pid" uts) $(of "$pid" ipc) /run/netns/of-the-host"
check_eq 'the network, too' "$(stat -Lc %i /run/netns/of-the-host)" "$(stat -Lc %i "/proc/$pid/ns/net")"
check_eq 'a further process' ' 0 100000 65536,1,of-the-host,' \
	"$(runtime exec u2 sh -c 'tr -s " " </proc/self/uid_map; cat /proc/1/stat | cut -d" " -f1; cat /volume/file' | tr '\n' ',')"
check 'end' runtime delete --force u2
bundle "$T/b" "$maps"' | .linux.namespaces |= map(select(.type != "mount")) | .hostname = null | .process.args = ["cat", "/volume/file"]'
check_eq 'in the mount namespace of the host' of-the-host "$(runtime run --bundle "$T/b" u3 2>&1)"
bundle "$T/b" "$maps"' | .process.terminal = true | .process.args = ["sh", "-c", "tty; echo $$"]'
check_eq 'with a terminal' '/dev/pts/0 1' "$(script -qec "$BUILD/examples/lcx-runtime/lcx-runtime --root $T/root run --bundle $T/b u4" /dev/null </dev/null | tr -d '\r' | paste -sd ' ')"
bundle "$T/b" "$maps"' | .process.args = ["nothing-here"]'
check_fails 'one that fails' 1 'No such file' runtime create --bundle "$T/b" u5
check_eq 'nothing is left' '' "$(runtime list -q)"
check_eq 'nor mounted' "$before" "$(cut -d' ' -f4- /proc/self/mountinfo | sort)"
