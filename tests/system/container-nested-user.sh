# SPDX-License-Identifier: MIT
# build: plain
# An ordinary user's containers in an ordinary user's container: what they have of the one around them, and by what
# name the rest is missed.
. "${SRC:?}/tests/system/lib.sh"
need busybox python3 setpriv
U=65534
place_for_user
root=$at/rootfs
# Those that are linked, and what the library loads for images when they are met.
loaded=$(ldconfig -p | sed -n 's,.*(libc6.*64).* => \(/.*/lib\(crypto\|z\|zstd\)\.so\.[0-9]*\)$,\1,p')
for file in $(ldd "$BUILD/examples/lcx/lcx" | grep -o '/[^ ]*') $loaded; do
	case $file in *liblcx*) continue ;; esac
	mkdir -p "$root/${file%/*}"
	cp -L "$file" "$root/$file"
done
cp "$at/lcx" "$root/bin/"
cp "$at/liblcx.so.0" "$root/lib/"
make_rootfs "$root/inner"
mkdir "$root/var/lib"
echo 'staff:x:50:root' >"$root/inner/etc/group"
in_guest || python3 - "$SRC" "$root" <<'END'
import io, sys, tarfile
sys.path.insert(0, sys.argv[1] + '/tests/layers')
import layout

def layer(fill):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar:
        fill(tar)
    return out.getvalue()

def file(tar, name, uid=0):
    entry = tarfile.TarInfo(name)
    entry.uid = entry.gid = uid
    tar.addfile(entry)

def first(tar):
    tar.add(sys.argv[2] + '/inner', '.')
    for name in 'full/old', 'gone', 'left/old':
        file(tar, name)

def second(tar):
    for name in 'full/.wh..wh..opq', 'full/new', '.wh.gone':
        file(tar, name)
    file(tar, 'of-daemon', 1)

layout.write(sys.argv[2] + '/layout', [(d, d, '') for d in (layer(first), layer(second))])
END
chmod -R a+rX $at
chown -R $U:$U $at/home $at/run $at/rootfs
cat >$at/as <<END
#!/bin/sh
export HOME=$at/home XDG_RUNTIME_DIR=$at/run LD_LIBRARY_PATH=$at
cd /
exec setpriv --reuid $U --regid $U --clear-groups --inh-caps=-all --no-new-privs "\$@"
END
chmod 755 $at/as
outer() { $at/as $at/lcx run --rm --network none --rootfs $root "$@"; }
inner='lcx run --rm --network none'
open='--security-opt seccomp=unconfined --security-opt systempaths=unconfined'

# Whoever has the rights of root in there shares his users, and overlay's marks are those that he can write.
of_image='
	lcx import -q /layout >/dev/null
	image=$(lcx images -q)
	lcx run -d --name stays --network none $image sleep 1000 >/dev/null
	lcx exec stays sh -c "cut -d\  -f1 /proc/1/comm; ls / | grep -c gone; ls /full; stat -c %u /of-daemon
		rm -r /left && mkdir /left && ls -A /left | wc -l; awk \"{ print \\\$2 }\" /proc/self/uid_map"
	lcx diff stays | sort -k 2
	lcx rm -f stays >/dev/null
	lcx ps -aq | wc -l'
of_image_says="sleep 0 new 0 0"
changes='C /left 0'
if ! in_guest; then
	check_eq 'with the rights of root: an image, overlay, a further process, the changes' \
		"$of_image_says $U $changes" "$(outer --privileged sh -c "$of_image" 2>&1 | xargs)"
	check_eq 'without them likewise, himself as the only user' \
		"$of_image_says 0 $changes" "$(outer $open sh -c "$of_image" 2>&1 | xargs)"
	check_eq 'a terminal has no group that is not there' 'devpts rw,nosuid,noexec,relatime,mode=620,ptmxmode=666' \
		"$(outer --privileged $inner --rootfs /inner awk '$2 == "/dev/pts" { print $1, $4 }' /proc/mounts)"
	check_fails 'another user is nobody' 125 'user 1000:1000 is nobody in this container: the container around' \
		outer --privileged $inner -u 1000:1000 --rootfs /inner true
	check_eq 'groups that are not there are left out' 0 "$(outer --privileged $inner --rootfs /inner id -G)"
	check_eq "the network around it, with its /sys" lo "$(outer --privileged lcx run --rm --network host --rootfs /inner ls /sys/class/net)"
	check_fails 'the filter of the usual one is named' 125 'seccomp filter of a container around' outer $inner --rootfs /inner true
	check_fails 'Landlock, which forbids every mount, is named' 125 'a Landlock domain is around this process' \
		outer $open --landlock rw=/ $inner --rootfs /inner true
	check_fails 'what is covered is named' 125 'systempaths=unconfined' \
		outer --security-opt seccomp=unconfined $inner --rootfs /inner true
	check_fails 'limits are refused by name' 125 'no cgroup file system is mounted here' outer $open $inner -m 32m --rootfs /inner true
	check_fails 'and bridges' 125 'only root makes bridges' outer $open lcx run --rm --rootfs /inner true
	exit 0
fi

# --- a sub-tree of version 2 that was delegated to him

group=/sys/fs/cgroup/lcx-test-$$
mkdir $group $group/his $group/his/shell
defer "rmdir $group/his/shell $group/his $group"
echo '+memory +pids' >/sys/fs/cgroup/cgroup.subtree_control
echo '+memory +pids' >$group/cgroup.subtree_control
chown -R $U $group/his
delegated() { # OPTION... COMMAND...
	sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh $group/his/shell \
		$at/as $at/lcx run --rm --network none -m 64m --rootfs $root "$@"
}
# There are no limits below a group with processes: those that are there move to a leaf first.
leaf='mkdir /sys/fs/cgroup/init; for i in $(cat /sys/fs/cgroup/cgroup.procs); do echo $i >/sys/fs/cgroup/init/cgroup.procs; done 2>/dev/null
'
limited="$inner -m 32m --pids-limit 50 --rootfs /inner cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max"
said=$(delegated --privileged sh -c "$limited; echo max >/sys/fs/cgroup/memory.max; $leaf $limited
	$inner -m 16m --rootfs /inner sh -c 'head -c 40m /dev/zero | tail >/dev/null' 2>/dev/null; echo \$? here" 2>&1 | tr '\n' ' ')
check_match 'a privileged one passes on what it was given, and lives on when a limit in there is reached' '33554432 50 137 here ' "$said"
check_match 'without a leaf of their own the way out is told' 'holds processes' "$said"
check_match 'nobody raises the limit around him' 'not permitted\|denied' "$said"
check_eq 'a whole system passes on as well, to whoever has no rights' '33554432 50' "$(delegated --system $open sh -c "$leaf$limited" 2>&1 | xargs)"
check_fails 'nothing was given to the usual one' 125 'need a cgroup that was delegated' delegated $open $limited
