#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, it needs a file system that has user.* attributes
# beside: it makes no control groups
# Images in a user namespace with a range of ids: owners are mapped, devices left out, marks written as user.overlay.*.
. "${SRC:?}/tests/system/lib.sh"
need python3 tar zstd newuidmap setpriv

# A place that others can reach, and a range for one of them; both only here.
place_for_others
for map in subuid subgid; do
	echo nobody:100000:65536 >"$T/$map"
	mount --bind "$T/$map" /etc/$map
	defer "umount /etc/$map"
done
cp "$BUILD/tests/image-tool" $at/image-tool
mkdir $at/store
chown 100000:100000 $at/store
cat >$at/tool <<'END'
#!/bin/sh
exec setpriv --reuid 65534 --regid 65534 --clear-groups unshare --user --mount --map-users=100000,0,65536 \
	--map-groups=100000,0,65536 --setuid 0 --setgid 0 ${RUN:-/mnt/image-tool} "$@"
END
chmod 755 $at/tool
RUN=/bin/true $at/tool >/dev/null 2>"$T/why" || skip_rest 'user namespaces' "$(cat "$T/why")"

python3 "$SRC/tests/layers/roundtrip.py" $at/tool $at 12 100000 >"$T/lines" 2>"$T/words" || fail 'comes to its end' "$T/words"
sed -n 's/^ok - //p' "$T/lines" >"$T/good"
while IFS= read -r name; do pass "mapped: $name"; done <"$T/good"
grep -v '^ok' "$T/lines" >"$T/bad" || :
[ ! -s "$T/bad" ] || fail 'every tree is the same' "$T/bad"
check_eq 'all of them were tried' 12 "$(grep -c '^\(not \)\{0,1\}ok - tree' "$T/lines")"

# Deletions and an opaque directory, seen through an overlay of that namespace.
mkdir "$T/lower" "$T/upper" "$T/lower/d" "$T/upper/d"
echo 1 >"$T/lower/gone" && echo 1 >"$T/lower/d/below" && echo 1 >"$T/lower/kept"
: >"$T/upper/.wh.gone" && : >"$T/upper/d/.wh..wh..opq" && echo 2 >"$T/upper/d/new"
mknod "$T/upper/null" c 1 3
ln "$T/upper/null" "$T/upper/zero"
for dir in lower upper; do tar -C "$T/$dir" -cf "$T/$dir.tar" .; done
python3 - "$SRC" "$T" <<'END'
import sys
sys.path.insert(0, sys.argv[1] + '/tests/layers')
import layout
layout.write(sys.argv[2] + '/two', [(d, d, '') for d in (open(f'{sys.argv[2]}/{n}.tar', 'rb').read() for n in ('lower', 'upper'))])
END
check 'takes an image with deletions' $at/tool $at/store import $at/two x two
dirs=$($at/tool $at/store show two | sed -n 's/^layer //p' | tr '\n' ':' | sed 's/:$//')
top=${dirs%%:*}
check_eq 'the deletion is a device 0:0' 'character special file 0,0' "$(stat -c '%F %t,%T' "$top/gone")"
check_eq 'the opaque mark is one for users' y "$(getfattr -n user.overlay.opaque --only-values "$top/d" 2>/dev/null)"
check_eq 'the device and its hard link are left out' 'd gone' "$(cd "$top" && echo *)"
cat >"$T/see" <<'END'
set -e
mount -t overlay -o "userxattr,lowerdir=$1" none /mnt/lower
cd /mnt/lower && find . -type f | sort | tr '\n' ' '
END
check_eq 'together they are what the image means' './d/new ./kept ' "$(RUN='sh /mnt/see' $at/tool "$dirs" 2>&1)"

# An owner beyond the range
chown 70000 "$T/lower/kept"
tar -C "$T/lower" -cf "$T/far.tar" .
python3 -c 'import sys
sys.path.insert(0, sys.argv[1] + "/tests/layers")
import layout
d = open(sys.argv[2] + "/far.tar", "rb").read()
layout.write(sys.argv[2] + "/far", [(d, d, "")])' "$SRC" "$T"
check_fails 'an owner beyond the range is named' 1 "entry 'kept': the owner 70000:0 has no id here" $at/tool $at/store import $at/far x far

# An ordinary user without any range: everything is the user's own.
check 'an ordinary user can unpack as well' \
	sh -c 'mkdir /mnt/mine && chown 65534 /mnt/mine && setpriv --reuid 65534 --regid 65534 --clear-groups /mnt/image-tool /mnt/mine import /mnt/two x two'

# The overlay that he mounts is made in a user namespace, and has the flags that were asked for.
mkdir $at/layers $at/layers/0 $at/layers/1 $at/layers/upper $at/layers/work
chown -R 65534:65534 $at/layers
cp "$BUILD/tests/overlay-layers" $at/overlay-layers
as_user() { # FLAG
	OVERLAY_FLAG=$1 ASAN_OPTIONS=detect_leaks=0 setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
		$at/overlay-layers auto 2 $at/layers - 2>"$T/words" || :
}
for flag in nosuid=2 nodev=4 noexec=8 ro=1; do
	check_eq "a user's mount is ${flag%=*}" "${flag#*=}" "$(as_user "${flag%=*}")"
done
