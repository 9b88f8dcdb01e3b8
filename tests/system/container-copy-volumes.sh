# SPDX-License-Identifier: MIT
# guest: no, mounts are the same there
# `lcx cp` with a container that does not run: what lies below a volume is the volume's, as if it ran; holes stay holes.
. "${SRC:?}/tests/system/lib.sh"
need busybox python3

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
lcx import --ref latest "$T/layout" box >/dev/null
mkdir -p "$T/vol/sub" "$T/ro" "$T/outside" "$T/src/volume"
mount -t tmpfs none "$T/vol"
defer "umount '$T/vol'"
mkdir "$T/vol/sub"
echo in-volume >"$T/vol/sub/file"
echo one-file >"$T/single"
echo new >"$T/src/new"
echo below >"$T/src/volume/below"
echo host >"$T/outside/secret"
ln -s /volume/sub "$T/vol/inside"
ln -s "$T/outside" "$T/vol/escape"
volumes="-v $T/vol:/volume -v $T/vol:/made/for/it -v $T/ro:/ro:ro -v $T/single:/etc/single"
lcx run --name stopped --network none $volumes box sh -c 'ln -s /volume /to-volume; echo of-layer >/tmp/layer'
lcx create --name created --network none $volumes box true >/dev/null
mounts=$(cat /proc/self/mountinfo)

for c in stopped created; do
	check "$c: into a volume" lcx cp "$T/src/new" "$c:/volume/$c"
	check_eq "$c: it is there" new "$(cat "$T/vol/$c")"
	check_eq "$c: and not in the layer below" '' "$(cd "$T"/lcx-root/containers && find . -path '*/upper/volume/*')"
	check_eq "$c: out of a volume" in-volume "$(lcx cp "$c:/volume/sub/file" - | tar xO)"
	check_eq "$c: by another of its places, which the image has not" in-volume "$(lcx cp "$c:/made/for/it/sub/file" - | tar xO)"
	check_eq "$c: a file that is mounted alone" one-file "$(lcx cp "$c:/etc/single" - | tar xO)"
	check "$c: a tree that has a volume in it" lcx cp "$T/src/." "$c:/"
	check_eq "$c: its part goes to the volume" below "$(cat "$T/vol/below")"
	check_eq "$c: the rest to the layer" new "$(lcx cp "$c:/new" - | tar xO)"
	rm "$T/vol/below"
	rm -rf "$T/whole"
	check "$c: all of it" lcx cp "$c:/." "$T/whole"
	check_eq "$c: has its volumes" in-volume "$(cat "$T/whole/volume/sub/file")"
	check "$c: a tar from standard input" sh -c 'tar cf - -C "$T/src" new |
		"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" cp - "$0:/volume/sub"' "$c"
	check_eq "$c: is there, too" new "$(cat "$T/vol/sub/new")"
	rm "$T/vol/sub/new"
	check_fails "$c: not into one that is read-only" 1 'Read-only file system' lcx cp "$T/src/new" "$c:/ro/new"
	check "$c: a link of the volume leads where the container sees it" lcx cp "$T/src/new" "$c:/volume/inside/"
	check_eq "$c: there" new "$(cat "$T/vol/sub/new")"
	rm "$T/vol/sub/new"
	check_fails "$c: and never to the host" 1 'No such file' lcx cp "$c:/volume/escape/secret" "$T/out"
	check_fails "$c: nor in there" 1 'No such file' lcx cp "$T/src/new" "$c:/volume/escape/new"
done
check_eq 'through a link of its layer' in-volume "$(lcx cp stopped:/to-volume/sub/file - | tar xO)"
check_eq 'what the layer has is there as well' of-layer "$(lcx cp stopped:/tmp/layer - | tar xO)"
check_eq 'what it changed, without the places of mounts' 'A /made
A /made/for
A /new
A /tmp/layer
A /to-volume' "$(lcx diff stopped | grep -v '^C ')"
check_eq 'no mount is left here' "$mounts" "$(cat /proc/self/mountinfo)"
check 'and none anywhere else keeps the volume busy' umount "$T/vol"
mount -t tmpfs none "$T/vol"
mkdir "$T/vol/sub"
check 'it starts afterwards' lcx start stopped
lcx create --read-only --name fixed --network none -v "$T/vol:/volume" box true >/dev/null
check_fails 'one with a read-only root takes nothing' 1 'Read-only file system' lcx cp "$T/src/new" fixed:/tmp/
check 'but its volumes do' lcx cp "$T/src/new" fixed:/volume/fixed
mkdir "$T/lost"
lcx create --name lost --network none -v "$T/lost:/volume" box true >/dev/null
rmdir "$T/lost"
check_fails 'a volume that is gone is named' 1 "$T/lost" lcx cp lost:/etc/passwd "$T/passwd"

# --- somebody who has the same volume swaps its directories for links meanwhile

mkdir "$T/vol/real"
echo inside >"$T/vol/real/secret"
lcx run -d --name swapper --network none -v "$T/vol:/volume" box sh -c "
	while :; do
		ln -s $T/outside /volume/link 2>/dev/null
		mv /volume/real /volume/aside && mv /volume/link /volume/real
		mv /volume/real /volume/link && mv /volume/aside /volume/real
	done" >/dev/null
defer 'lcx rm -f swapper'
before=$(cd "$T/outside" && find . -printf '%p %i %s %T@ %C@\n' | sort)
wrong=0 rounds=0 in_ok=0
end=$(($(date +%s) + 4))
while [ "$(date +%s)" -lt "$end" ] && [ "$rounds" -lt 100 ]; do
	rounds=$((rounds + 1))
	lcx cp "$T/src/new" created:/volume/real/new >/dev/null 2>&1 && in_ok=$((in_ok + 1))
	rm -rf "$T/out"
	lcx cp created:/volume/real "$T/out" >/dev/null 2>&1 || :
	[ ! -e "$T/out" ] || [ -L "$T/out" ] || ! grep -rqs host "$T/out" || wrong=$((wrong + 1))
done
check_eq "no file of the host came out ($rounds rounds)" 0 "$wrong"
check_eq "none came to be there ($in_ok went in)" "$before" "$(cd "$T/outside" && find . -printf '%p %i %s %T@ %C@\n' | sort)"
check 'some copies did succeed' test "$in_ok" -gt 0

# --- holes

holes() { # FILE: size, blocks as far as they matter, and content
	python3 - "$1" <<'PYTHON'
import hashlib, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
end, at, extents = os.fstat(fd).st_size, 0, []
while at < end:
    try:
        at = os.lseek(fd, at, os.SEEK_DATA)
    except OSError:
        break
    stop = os.lseek(fd, at, os.SEEK_HOLE)
    extents.append((at, stop, hashlib.sha256(os.pread(fd, stop - at, at)).hexdigest()[:8]))
    at = stop
print(end, extents)
PYTHON
}
mkdir -p "$T/sparse"
python3 - "$T/sparse" <<'PYTHON'
import os, sys
def make(name, size, *pieces):
    with open(os.path.join(sys.argv[1], name), "wb") as f:
        for at, length in pieces:
            f.seek(at)
            f.write(os.urandom(length))
        f.truncate(size)
make("all", 1 << 40)
make("middle", 1 << 33, (1 << 32, 8192))
make("ends", (1 << 30) + 4096, (0, 4096), (1 << 30, 4096))
make("many", 40 << 20, *[(i << 20, 4096) for i in range(0, 40, 2)])
make("none", 300000, (0, 300000))
make("odd", 1234567, (1000000, 7))
make("empty", 0)
PYTHON
for c in created swapper; do
	check "$c: sparse files go in" lcx cp "$T/sparse" "$c:/tmp"
	rm -rf "$T/back"
	check "$c: and out" lcx cp "$c:/tmp/sparse" "$T/back"
	for f in all middle ends many none odd empty; do
		check_eq "$c: holes of '$f'" "$(holes "$T/sparse/$f")" "$(holes "$T/back/$f")"
	done
	upper=$(find "$T/lcx-root/containers" -path '*/upper/tmp/sparse' -exec du -sk {} + | awk '{ n = $1 > n ? $1 : n } END { print n }')
	check "$c: nothing is filled in there either ($upper KiB)" test "$upper" -lt 1000
done
