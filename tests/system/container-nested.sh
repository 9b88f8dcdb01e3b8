# SPDX-License-Identifier: MIT
# build: plain
# lcx inside of an lcx container: what each kind of outer one has to be given, and by what name it is missed.
. "${SRC:?}/tests/system/lib.sh"
need busybox python3

# The outer root file system has the command with its libraries, an inner one and an image.
root=$T/rootfs
chmod 755 "$T"
make_rootfs "$root"
make_rootfs "$root/inner"
# Those that are linked, and what the library loads for images when they are met.
loaded=$(ldconfig -p | sed -n 's,.*(libc6.*64).* => \(/.*/lib\(crypto\|z\|zstd\)\.so\.[0-9]*\)$,\1,p')
for file in $(ldd "$BUILD/examples/lcx/lcx" | grep -o '/[^ ]*') $loaded; do
	case $file in *liblcx*) continue ;; esac
	mkdir -p "$root/${file%/*}"
	cp -L "$file" "$root/$file"
done
cp "$BUILD/examples/lcx/lcx" "$root/bin/"
cp "$BUILD/lib/liblcx.so.0" "$root/lib/"
mkdir -p "$root/home" "$root/var/lib" "$root/lib64"
python3 - "$SRC" "$root" <<'END_PYTHON'
import io, sys, tarfile
sys.path.insert(0, sys.argv[1] + '/tests/layers')
import layout
out = io.BytesIO()
with tarfile.open(fileobj=out, mode='w') as tar:
    tar.add(sys.argv[2] + '/inner', '.')
layout.write(sys.argv[2] + '/layout', [(out.getvalue(), out.getvalue(), '')])
END_PYTHON
chown 1000:1000 "$root/home"
outer() { lcx run --rm --network none --rootfs "$root" "$@"; }
inner='lcx run --rm --network none --rootfs /inner'
state='mount -t tmpfs none /var/lib; mount -t tmpfs none /run
'
# Version 2 has no limits below a group with processes: those that are there move to a leaf first.
if in_guest; then
	state="$state"'mkdir /sys/fs/cgroup/init; for i in $(cat /sys/fs/cgroup/cgroup.procs); do echo $i >/sys/fs/cgroup/init/cgroup.procs; done 2>/dev/null
	'
fi
open='--security-opt seccomp=unconfined --security-opt systempaths=unconfined'

# --- privileged: all that there is outside, but on file systems that an overlay can write to

check_eq 'a privileged one has an inner one with users, cgroups and network' \
	'4294967295 33554432 eth0 lo' "$(outer --privileged sh -c "$state"'
		lcx run --rm -m 32m --rootfs /inner sh -c "awk \"{ print \\\$3 }\" /proc/self/uid_map
			cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null
			ls /sys/class/net" | xargs')"
! in_guest || exit 0 # the rest is the same there
check_eq 'from an image, with overlay, exec, log, a range of ids and an end' \
	'said 0 1879048192 65536 0' "$(outer --privileged sh -c "$state"'
		lcx import -q /layout >/dev/null
		image=$(lcx images -q)
		lcx run -d --name stays --network none --userns auto $image sh -c "echo said; sleep 1000" >/dev/null
		for i in $(seq 100); do ! lcx logs stays | grep said || break; sleep 0.1; done
		lcx exec stays id -u
		lcx exec stays cat /proc/1/uid_map | xargs -n 3 | cut -d" " -f2-
		lcx rm -f stays >/dev/null
		lcx ps -aq | grep -c . ' | xargs)"
check_fails 'overlay on overlay is refused by name' 125 'overlay' outer --privileged sh -c "$state"'
	mkdir /run/lower /run/upper /run/work /var/lib/lcx
	mount -t overlay none -o lowerdir=/run/lower,upperdir=/run/upper,workdir=/run/work /var/lib/lcx
	lcx import -q /layout >/dev/null
	lcx run --rm --network none "$(lcx images -q)" true'

# --- an ordinary one, whose kernel gives it namespaces if nothing forbids it

check_fails 'the filter of the usual one is named' 125 'seccomp filter of a container around' outer $inner true
check_fails 'what is covered is named' 125 'systempaths=unconfined' \
	outer --security-opt seccomp=unconfined $inner true
check_eq 'root without CAP_SYS_ADMIN is the only user inside' '0 0 1' "$(outer $open $inner cat /proc/self/uid_map | xargs)"
check_eq 'another user likewise' '0 1000 1' "$(outer $open -u 1000:1000 -e HOME=/home -e XDG_RUNTIME_DIR=/home \
	$inner cat /proc/self/uid_map | xargs)"
check_eq 'root with a range of users shares it' '0 1879048192 65536' \
	"$(outer $open --userns auto --cap-add ALL sh -c "$state$inner cat /proc/self/uid_map" | xargs)"
check_fails 'limits are refused by name' 125 'need a cgroup that was delegated' outer $open $inner -m 32m true
check_fails 'and bridges' 125 'only root makes bridges' outer $open lcx run --rm --rootfs /inner true
