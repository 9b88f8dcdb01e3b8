# SPDX-License-Identifier: MIT
# guest: no, joining is the same there
# A container in a mount namespace that is there already: its root is on top of what others have in there, nothing of
# theirs changes, and nothing of its stays.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/oci.sh"
need nsenter unshare

# Its root is shared with this one: nothing of the container's may come here by that.
mount --make-shared /
unshare --mount --propagation unchanged sleep 120 &
other=$!
defer 'kill $other'
wait_for 5 sh -c '[ "$(readlink /proc/self/ns/mnt)" != "$(readlink /proc/'$other'/ns/mnt)" ]'
ns=/proc/$other/ns/mnt
join() { # CHANGES PATH
	printf '%s | .linux.namespaces |= map(if .type == "mount" then .path = "%s" else . end)' "$1" "$2"
}
seen() { tr -d '\n' <"/proc/$other/root/etc/hostname"; ls "/proc/$other/root" | cksum; }
mounts() { cut -d' ' -f5- "/proc/$1/mountinfo" | sed 's/ shared:[0-9]*//; s/ master:[0-9]*//; s/ propagate_from:[0-9]*//' | sort; }
mkdir "$T/volume"
echo of-the-host >"$T/volume/file"

check 'the roots are shared' grep -q '^[0-9]* [0-9]* [^ ]* [^ ]* / [^ ]* shared:' "/proc/$other/mountinfo"
before=$(seen) here=$(mounts self) there=$(mounts $other)
bundle "$T/b" "$(join '.mounts += [{"destination": "/volume", "type": "bind", "source": "'"$T/volume"'", "options": ["bind"]}]
	| .process.args = ["sleep", "60"] | .linux.maskedPaths = ["/proc/keys"]' $ns)"
check 'create' runtime create --bundle "$T/b" --pid-file "$T/pid" j1 </dev/null
pid=$(cat "$T/pid")
check_eq 'it is in that namespace' "$(readlink $ns)" "$(readlink "/proc/$pid/ns/mnt")"
check_eq 'whoever was there sees what he saw' "$before" "$(seen)"
check_eq 'nothing of it is mounted here' "$here" "$(mounts self)"
check 'start' runtime start j1
check_eq 'exec: its root, its hostname, its mounts' 'bundled of-the-host' "$(runtime exec j1 sh -c 'echo $(hostname) $(cat /volume/file)')"
check_eq 'exec: what is masked' '' "$(runtime exec j1 cat /proc/keys)"
check_eq 'exec: no way up' "$(runtime exec j1 ls / | cksum)" "$(runtime exec j1 sh -c 'cd /; cd ../../..; ls' | cksum)"
check_eq 'who joins later finds it' bin "$(nsenter --mount=$ns ls / | grep '^bin$')"
bundle "$T/b2" "$(join . $ns)"
check_fails 'one at a time' 1 'another container is in the mount namespace' runtime create --bundle "$T/b2" j2
check_eq 'and that changes nothing' 'of-the-host' "$(runtime exec j1 cat /volume/file)"
check 'delete' runtime delete --force j1
check_eq 'whoever was there has what he had' "$before" "$(seen)"
check_eq 'nothing stays mounted there' "$there" "$(mounts $other)"
check_eq 'nor here' "$here" "$(mounts self)"
bundle "$T/b2" "$(join '.process.args = ["true"]' $ns)"
check 'the next one' runtime run --bundle "$T/b2" j2
bundle "$T/b2" "$(join '.process.args = ["nothing-here"]' $ns)"
check_fails 'one that fails' 1 'No such file' runtime create --bundle "$T/b2" j2
check_eq 'leaves nothing, either' "$there" "$(mounts $other)"

# --- refused by name

bundle "$T/b2" "$(join . "$T/volume/file")"
check_fails 'not a namespace' 1 'is no namespace' runtime create --bundle "$T/b2" j3
mkfifo "$T/fifo"
bundle "$T/b2" "$(join . "$T/fifo")"
check_fails 'a pipe, which nobody waits at' 1 'is no namespace' runtime create --bundle "$T/b2" j3
bundle "$T/b2" "$(join . /proc/self/ns/net)"
check_fails 'one of another kind' 1 'is a net namespace, not a mnt one' runtime create --bundle "$T/b2" j3
check_eq 'nothing is left of those' '' "$(runtime list -q)"
check_eq 'nor mounted' "$here" "$(mounts self)"
