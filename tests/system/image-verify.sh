#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, no other kernel makes a difference to files that are damaged
# Whatever is damaged in the store is found and named, and a pull of the image makes it anew, and no more than it.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/registry/registry.sh"
need skopeo umoci jq setfattr

images=$T/lcx-root/images
registry_start plain
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/busybox"
registry_push "$T/busybox:layers" busybox:layers
registry_push "$T/busybox:env" busybox:env
ref=$REGISTRY/busybox:layers
check 'pulls' lcx pull --plain-http "$ref"
check_eq 'a whole image verifies' "$ref" "$(lcx image verify "$ref")"
check 'and so do all' lcx image verify
cp -a "$images/layers" "$T/whole"

layer() { # N: the N-th from the top
	lcx image inspect "$ref" | jq -r '.[0].GraphDriver.Data.LowerDir' | tr : '\n' | sed -n "$1p"
}
blob() { # DIGEST
	echo "$images/blobs/sha256/${1#sha256:}"
}
manifest() { lcx image inspect "$ref" | jq -r '.[0].Digest'; }
repair() { lcx --quiet image verify --repair --plain-http "$ref"; }
whole() { diff -r --no-dereference --exclude=gone "$T/whole" "$images/layers"; }
base=$(layer 5) top=$(layer 1) third=$(layer 3) second=$(layer 2) fourth=$(layer 4)

# --- unpacked layers: each kind of damage is found, named, and gone after a repair
spoil() { # WHAT WORDS COMMAND...
	what=$1 words=$2
	shift 2
	"$@" >/dev/null 2>&1
	check_fails "$what is found" 1 "layer.*damaged: $words" lcx image verify "$ref"
	: >"$REGISTRY_LOG"
	check "$what is repaired" repair
	check "$what: then all is well" lcx image verify "$ref"
	check "$what: no archive was fetched for it" test "$(grep -ac 'response completed.*GET.*/blobs/' "$REGISTRY_LOG" || :)" -le 1
}
flip() { # FILE: one byte, and no other trace
	touch -r "$1" "$T/time"
	printf X | dd of="$1" bs=1 seek=2 conv=notrunc status=none
	touch -r "$T/time" "$1"
}
spoil 'a changed byte' "'/etc/issue' has another content" flip "$base/etc/issue"
spoil 'a shorter file' "'/etc/issue' has another size" truncate -s 3 "$base/etc/issue"
spoil 'another mode' "'/bin/busybox' has another mode" chmod u+s "$base/bin/busybox"
spoil 'another owner' "'/etc/passwd' has another owner" chown 1 "$base/etc/passwd"
spoil 'another time' "'/etc/passwd' has another time" touch "$base/etc/passwd"
spoil 'an attribute' "'/etc/passwd' has other extended attributes" setfattr -n user.x -v y "$base/etc/passwd"
spoil 'a lost opaque mark' "'/data/dir' has other extended attributes" setfattr -x trusted.overlay.opaque "$top/data/dir"
spoil 'a lost whiteout' "'/data" rm "$second/data/gone"
spoil 'a file too many' "'/" touch "$third/evil"
spoil 'a lost directory' "'/" rm -r "$third/data"
spoil 'a link to elsewhere' "'/" ln -sfn /elsewhere "$base/sbin"
spoil 'a hard link that was cut' "'/data" sh -c "cp -p '$fourth/data/keep' '$fourth/data/x' && mv '$fourth/data/x' '$fourth/data/keep'"
spoil 'a file that became a fifo' "'/" sh -c "rm '$base/etc/group' && mkfifo '$base/etc/group'"
spoil 'a layer without its files' 'its files are missing' rm -r "$third"
rm "$(dirname "$base")/info"
check_fails 'a lost description is found' 1 'not unpacked' lcx image verify "$ref"
check 'and repaired' repair
check 'all are as they were' whole

# --- the store's own directories: after a loss of power one may be there and another not
rmdir "$images/blobs/sha512" "$images/tmp" "$images/partial"
check 'directories that are lost are made again' lcx image verify "$ref"
check 'all of them' test -d "$images/blobs/sha512" -a -d "$images/tmp" -a -d "$images/partial"

# --- archives and documents
archive=$(blob "$(jq -r '.layers[1].digest' "$(blob "$(manifest)")")")
flip "$archive"
check_fails 'a damaged archive is found' 1 "'sha256:.*' is damaged" lcx image verify "$ref"
check_fails 'and has been removed' 1 "'sha256:.*' is missing" lcx image verify "$ref"
: >"$REGISTRY_LOG"
check 'it is pulled again' repair
check_eq 'it alone' 1 "$(grep -a 'response completed.*GET.*/blobs/' "$REGISTRY_LOG" | grep -ac "$(basename "$archive")")"
check_eq 'that is the archive' "$(basename "$archive")" "$(sha256sum "$archive" | cut -d' ' -f1)"
truncate -s 100 "$archive"
flip "$base/etc/issue"
check_fails 'two damages are two' 1 'is damaged' lcx image verify "$ref"
check 'both are repaired' repair
config=$(blob "$(jq -r '.config.digest' "$(blob "$(manifest)")")")
document=$(blob "$(manifest)")
for file in "$config" "$document"; do
	printf x >>"$file"
	check_fails 'a damaged document is found' 1 'is damaged' lcx image verify
	check_eq 'the image is not listed' '' "$(lcx --quiet images)"
	check 'but repaired with all' lcx --quiet image verify --repair --plain-http
	check_match 'and listed' busybox "$(lcx images)"
done
check 'all are as they were, once more' whole
check_eq 'no name was left by it' "$REGISTRY/busybox" "$(lcx images --format json | jq -r '.[].Repository' | sort -u)"
check_eq 'nor a second one' 1 "$(lcx images --format json | jq length)"

# --- the tag has moved on
id=$(lcx image inspect "$ref" | jq -r '.[0].Id')
registry_push "$T/busybox:env" busybox:layers
flip "$archive"
check 'an image whose tag names another one now is repaired' repair
check_eq 'and stays the one it was' "$id" "$(lcx image inspect "$ref" | jq -r '.[0].Id')"

# --- a container that runs on the layer
lcx run -d --name user --network none "$ref" sleep 1000 >/dev/null
defer 'lcx rm -f user'
flip "$base/etc/issue"
echo 3 >"$fourth/data/keep"
check 'a layer in use is repaired' repair
check_match 'the container has all its files' busybox "$(lcx exec user cat /bin/busybox | strings | grep -m1 -i busybox)"
check 'and can be left' lcx gc
check_match 'even after garbage was collected' 'lib' "$(lcx exec user cat /etc/issue)"
check 'the damaged layers are kept for it' test "$(ls "$images/damaged" | wc -l)" -ge 1
check 'a new container has the repaired one' lcx run --rm --network none "$ref" grep -q 'busybox for liblcx' /etc/issue
check 'the container goes' lcx rm -f user
check 'and with it' lcx gc
check_eq 'the damaged layers' '' "$(ls "$images/damaged")"
check 'all are as they were, at last' whole

# --- a layer that has inherited from a damaged one, which one look must find out
python3 - "$SRC" "$T" <<'PY'
import io, sys, tarfile
sys.path.insert(0, sys.argv[1] + '/tests/layers')
import layout
def tar(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as t:
        for name, mode, content in entries:
            i = tarfile.TarInfo(name)
            i.mode, i.uid, i.mtime = mode, 7, 1000
            if content is None:
                i.type = tarfile.DIRTYPE
                t.addfile(i)
            else:
                i.size = len(content)
                t.addfile(i, io.BytesIO(content))
    return out.getvalue()
low, high, top = tar(('d', 0o750, None), ('d/low', 0o644, b'low')), tar(('d/high', 0o644, b'high')), tar(('d/top', 0o644, b'top'))
plain = lambda *layers: [(l, l, '') for l in layers]
layout.write(sys.argv[2] + '/one', plain(low))
layout.write(sys.argv[2] + '/four', plain(low, high, top, high))
PY
again() { lcx import --ref x "$T/four" four; }
heirs() { lcx image inspect four | jq -r '.[0].GraphDriver.Data.LowerDir' | tr : '\n' | while read -r dir; do stat -c %a "$dir/d"; done | tr '\n' ' '; }
lcx import --ref x "$T/one" one >/dev/null
chmod 700 "$(lcx image inspect one | jq -r '.[0].GraphDriver.Data.LowerDir')/d"
again >/dev/null
check_eq 'layers inherit what is damaged' '700 700 700 700 ' "$(heirs)"
check_fails 'all of them are found' 1 'and 3 more' lcx image verify four
check 'made anew' again
check_eq 'as they should be' '750 750 750 750 ' "$(heirs)"
check 'at once' lcx image verify four
# And one that is right, on a damaged one.
chmod 700 "$(lcx image inspect one | jq -r '.[0].GraphDriver.Data.LowerDir')/d"
check_fails 'a good layer above a damaged one is good' 1 "'/d' has another mode; pull" lcx image verify four
check 'and the other is made anew' again
check 'then all is well' lcx image verify four
check_eq 'nothing is left of the comparison' '' "$(ls "$images/tmp")"

registry_stop plain
flip "$archive"
check_fails 'without a registry it says so' 1 'connect' lcx --quiet image verify --repair --plain-http "$ref"
