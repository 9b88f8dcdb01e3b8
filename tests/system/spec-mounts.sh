#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, mounts are told apart from inside the same way there; spec-labels tries what differs
# Options of mounts as the specification has them, each asserted from inside the container.
. "${SRC:?}/tests/system/lib.sh"
need busybox setfattr
make_rootfs "$T/rootfs"
tool=$BUILD/tests/spec-tool

run() { # MOUNTS COMMAND...
	mounts=$1
	shift
	args=$(printf '"%s",' "$@")
	cat >"$T/config.json" <<-END
		{"ociVersion": "1.3.0", "root": {"path": "$T/rootfs"},
		 "process": {"cwd": "/", "args": [${args%,}], "env": ["PATH=/bin"] $capabilities},
		 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"} $mounts],
		 "linux": {"namespaces": [$namespaces{"type": "mount"}, {"type": "pid"}, {"type": "network"}, {"type": "ipc"}] $linux}}
	END
	"$tool" run "$T/lcx-root" "$T/lcx-run" "$T/config.json" 2>&1
}
linux= capabilities= namespaces=
mount_line() { # MOUNTS DIRECTORY: the options of a mount, as the container sees them
	run "$1" sh -c "while read -r id parent dev root at options rest; do [ \$at != $2 ] || echo \$options \$rest; done </proc/self/mountinfo"
}

check_eq 'without a mount on /dev it runs' here "$(run '' echo here)"
check_eq 'and again: the nodes that stand there are the same' here "$(run '' echo here)"
rm "$T/rootfs/dev/null"
mknod "$T/rootfs/dev/null" c 1 5
check_match 'a node of another device is in the way' "make the device 'null' in '/dev': File exists" "$(run '' echo here)"
rm -rf "$T/rootfs/dev"
mkdir "$T/rootfs/dev"

# --- what of /proc is there
proc() { # OPTIONS COMMAND: a further one, as another user of the same pid namespace sees it
	run ", {\"destination\": \"/mnt\", \"type\": \"proc\", \"source\": \"proc\", \"options\": [$1]}" sh -c "$2"
}
mkdir -p "$T/rootfs/mnt"
check_eq 'without a word all processes are seen' 'here there' \
	"$(proc '"nosuid"' '[ -d /mnt/1 ] && echo here; [ -e /mnt/meminfo ] && echo there' | xargs)"
echo 'who:x:5:5::/:/bin/sh' >>"$T/rootfs/etc/passwd"
printf '%s\n' '#!/bin/sh' '[ -d /mnt/1 ] && echo first' '[ -d /mnt/$$ ] && echo own' >"$T/rootfs/bin/look"
chmod 755 "$T/rootfs/bin/look"
caps='["CAP_SETUID", "CAP_SETGID"]'
capabilities=", \"capabilities\": {\"bounding\": $caps, \"permitted\": $caps, \"effective\": $caps}"
check_eq 'another user sees the first process' 'first own' "$(proc '"nosuid"' 'su -c look who; :' | xargs)"
check_eq 'unless by hidepid=invisible' 'own' "$(proc '"hidepid=invisible"' 'su -c look who; :' | xargs)"
capabilities=
check_eq 'subset=pid leaves nothing but processes' 'here' \
	"$(proc '"subset=pid"' '[ -d /mnt/1 ] && echo here; [ -e /mnt/meminfo ] && echo there; [ -e /mnt/sys ] && echo there' | xargs)"

# What is covered in one of them is found by it, and so many are kept at hand.
many() { seq "$1" | sed 's|.*|, {"destination": "/more/&/../&", "type": "proc", "source": "proc"}|' | tr -d '\n'; }
check_eq 'as many mounts of it as anybody wants' here "$(run "$(many 63)" sh -c '[ -d /more/63/1 ] && echo here')"
check_match 'and not more' "mount proc on '/more/64/../64'.*room for 64 mounts of proc" "$(run "$(many 64)" true)"

# --- tmpcopyup
src=$T/rootfs/data
mkdir -p "$src/deep/er" "$src/closed"
echo words >"$src/deep/er/file"
ln -s er/file "$src/deep/link"
ln -s /etc/passwd "$src/absolute"
mkfifo "$src/fifo"
mknod "$src/device" c 1 3
truncate -s 3000000 "$src/large"
printf end >>"$src/large"
cp "$T/rootfs/bin/busybox" "$src/setuid"
chown 5:6 "$src/setuid" "$src/closed"
chmod 4751 "$src/setuid"
chmod 700 "$src/closed"
chmod 1777 "$src"
chown 7:8 "$src"
touch -d '2001-02-03 04:05:06' "$src/deep/er/file" "$src/closed"
touch -h -d '2001-02-03 04:05:06' "$src/deep/link"
i=0
while [ $i -lt 200 ]; do
	: >"$src/deep/many-files-so-that-one-buffer-is-not-enough-$i"
	i=$((i + 1))
done
list='cd /data; find . | sort | while read -r f; do stat -c "%n %A %u:%g %t:%T" $f; done; cat deep/er/file; readlink deep/link absolute; stat -c %Y deep/er/file closed; md5sum <large'
run '' sh -c "$list" | sed 's/ [0-9]*$//' >"$T/want"
run ', {"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}' sh -c "$list" | sed 's/ [0-9]*$//' >"$T/have"
check 'all that the image has stands in the tmpfs: names, types, owners, modes, times, bytes' diff "$T/want" "$T/have"
check_eq 'it is a tmpfs' tmpfs "$(run ', {"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}' stat -f -c %T /data)"
check_eq 'what is written there stays out of the image' 'no' "$(run ', {"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}' \
	sh -c 'echo x >/data/new' && [ -e "$src/new" ] && echo yes || echo no)"
check_match 'read-only it becomes after the copy' 'Read-only file system' \
	"$(run ', {"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup", "ro"]}' sh -c 'cat /data/deep/er/file; echo x >/data/new')"
check_eq 'mode and owner that were asked for win' '710 9:8' \
	"$(run ', {"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup", "mode=710", "uid=9"]}' stat -c '%a %u:%g' /data)"
check_match 'a tmpfs that is too small' "mount tmpfs on '/data': No space left on device: copying\|mount tmpfs on '/data': copying .*No space left" \
	"$(run ', {"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup", "size=64k"]}' true)"
check_eq 'a directory that the image lacks is an empty one' 0 \
	"$(run ', {"destination": "/fresh", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}' sh -c 'ls -A /fresh | wc -l')"

# The image's directory may be a link out of it, and a name in it may be swapped: what is copied is the image's.
ln -s /../../../../../../etc "$T/rootfs/escape"
check_eq 'a link that leads out of the image leads to the image' 'root:x:0:0:root:/root:/bin/sh' \
	"$(run ', {"destination": "/escape", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}' head -n 1 /etc/passwd)"

# --- recursive attributes, in both directions
mkdir -p "$T/tree/sub" "$T/tree2/sub"
mount -t tmpfs -o ro,noexec,noatime,nodev t "$T/tree/sub"
mount -t tmpfs t "$T/tree2/sub"
defer "umount $T/tree/sub $T/tree2/sub"
bind() { # SOURCE OPTIONS
	echo ", {\"destination\": \"/mnt\", \"type\": \"none\", \"source\": \"$1\", \"options\": [\"rbind\", $2]}"
}
check_match 'as it is' '^ro,nodev,noexec,noatime' "$(mount_line "$(bind "$T/tree" '"rprivate"')" /mnt/sub)"
check_match 'rrw makes the tree writable, and nothing else' '^rw,nodev,noexec,noatime' "$(mount_line "$(bind "$T/tree" '"rrw"')" /mnt/sub)"
check_match 'rexec and rdev' '^ro,noatime' "$(mount_line "$(bind "$T/tree" '"rexec", "rdev"')" /mnt/sub)"
check_match 'rrelatime clears noatime' '^ro,nodev,noexec,relatime' "$(mount_line "$(bind "$T/tree" '"rrelatime"')" /mnt/sub)"
check_match 'rro with rnosuid' '^ro,nosuid,relatime' "$(mount_line "$(bind "$T/tree2" '"rro", "rnosuid"')" /mnt/sub)"
check_match 'rstrictatime' '^rw -\|^rw [^,]*$\|^rw master\|^rw shared' "$(mount_line "$(bind "$T/tree2" '"rstrictatime"')" /mnt/sub)"
check_match 'rnosymfollow, rnodiratime' 'nodiratime.*nosymfollow\|nosymfollow.*nodiratime' "$(mount_line "$(bind "$T/tree2" '"rnosymfollow", "rnodiratime"')" /mnt/sub)"
check_match 'ro is of the upper one alone' '^rw,relatime' "$(mount_line "$(bind "$T/tree2" '"ro"')" /mnt/sub)"
check_match 'the last recursive word counts on a new file system' '^rw,nosuid' \
	"$(mount_line ', {"destination": "/mnt", "type": "tmpfs", "options": ["ro", "nosuid", "rrw"]}' /mnt)"

# --- propagation: every word, in order
# A slave needs a shared master that stays outside.
mkdir -p "$T/shared"
mount -t tmpfs t "$T/shared"
mount --make-shared "$T/shared"
defer "umount $T/shared"
check_match 'slave and then shared is both' 'shared:[0-9]* master:[0-9]*' "$(mount_line "$(bind "$T/shared" '"rslave", "rshared"')" /mnt)"
check_match 'unbindable' 'unbindable' "$(mount_line "$(bind "$T/shared" '"private", "unbindable"')" /mnt)"

# Back to the host only where the root is shared, too: what engines call bidirectional.
mkdir "$T/shared/in"
administrator='["CAP_SYS_ADMIN"]'
capabilities=", \"capabilities\": {\"bounding\": $administrator, \"effective\": $administrator, \"permitted\": $administrator}"
mounts_in() { # MOUNT OPTIONS: what the host then has there
	run "$(bind "$T/shared" "$1")" mount -t tmpfs inside /mnt/in
	findmnt -no SOURCE "$T/shared/in" && umount "$T/shared/in" || :
}
check_eq 'what is mounted in a shared mount stays inside' '' "$(mounts_in '"rshared"')"
linux=', "rootfsPropagation": "rshared"'
check_eq 'and reaches the host where the root is shared' inside "$(mounts_in '"rshared"')"
check_eq 'not out of one that is not' '' "$(mounts_in '"rslave"')$(mounts_in '"rprivate", "rshared"')"
namespaces='{"type": "user"}, '
check_eq 'nor ever from users of another namespace' '' "$(linux=', "rootfsPropagation": "rshared", "uidMappings": [{"containerID": 0, "hostID": 0, "size": 10}], "gidMappings": [{"containerID": 0, "hostID": 0, "size": 10}]' mounts_in '"rshared"')"
linux= capabilities= namespaces=

# --- a node that is there already
mkdir "$T/rootfs/nodes"
mknod -m 666 "$T/rootfs/nodes/kept" c 1 7
linux=', "devices": [{"path": "/nodes/kept", "type": "c", "major": 1, "minor": 7, "fileMode": 384}]'
check_eq 'a node that is there gets the mode that is asked for' 600 "$(run '' stat -c %a /nodes/kept)"
linux=

# --- a mount that is there already
check_match 'remount changes the attributes' '^ro,nosuid,nodev' "$(mount_line ', {"destination": "/mnt", "type": "tmpfs"},
	{"destination": "/mnt", "type": "none", "options": ["bind", "remount", "ro", "nosuid", "nodev"]}' /mnt)"
check_match 'but not the file system' "'remount' changes a mount, not 'size=5'" \
	"$(run ', {"destination": "/mnt", "type": "tmpfs"}, {"destination": "/mnt", "type": "tmpfs", "options": ["remount", "size=5"]}' true)"

# --- what can't be is refused by name
check_match 'an option of a file system on a bind mount' "'sync' is of a file system" "$(run "$(bind "$T/tree2" '"sync"')" true)"
check_match 'iversion' 'mounts: iversion: ' "$(run ', {"destination": "/mnt", "type": "tmpfs", "options": ["iversion"]}' true)"
