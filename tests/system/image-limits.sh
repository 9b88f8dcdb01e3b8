# SPDX-License-Identifier: MIT
# What a layer may have at most, set by the command.
# guest: no, numbers are the same there
. "${SRC:?}/tests/system/lib.sh"
need umoci skopeo jq python3

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
lcx import --ref latest "$T/layout" box >/dev/null
lcx save -o "$T/box.tar" box
lcx rmi box >/dev/null

take() { # OPTION...: import it afresh
	lcx import "$@" --ref latest "$T/layout" box
}
for row in 'entries=3 more than 3 entries' 'total-bytes=1k more than 1024 bytes' 'path-bytes=3 too long' \
	'free-bytes=4000g free on the file system\|left on the file system'; do
	limit=${row%% *}
	check_fails "refused beyond $limit" 1 "${row#* }" take --layer-limit "$limit"
done
check_fails 'the last one counts' 1 'more than 2 entries' take --layer-limit entries=100000 --layer-limit entries=2
check_fails 'several count' 1 'more than 2 entries' take --layer-limit entries=2 --layer-limit ratio=100 --layer-limit xattrs=1 --layer-limit xattr-bytes=1k --layer-limit window-bytes=1m
check_fails 'load has them' 1 'more than 3 entries' lcx load -i "$T/box.tar" --layer-limit entries=3
check_fails 'an unknown one' 125 "no layer limit 'weight'; there are entries" take --layer-limit weight=3
check_fails 'one without a number' 125 "'entries' has no number" take --layer-limit entries
check_fails 'one that is no number' 125 "'entries=many' has no number" take --layer-limit entries=many
check_fails 'a number that it cannot have' 125 'not from 1' take --layer-limit entries=0
check_eq 'none of these is here' '' "$(lcx images -q)"
check 'what is large enough is no hindrance' take --layer-limit entries=1m --layer-limit total-bytes=1.5g --layer-limit free-bytes=0
check_fails 'run has them' 125 "no layer limit" lcx run --rm --network none --layer-limit x=1 box true
lcx run --name work --network none box sh -c 'touch /1 /2 /3 /4'
check_fails 'commit has them' 1 'more than 3 entries' lcx commit --layer-limit entries=3 work box:made
lcx rm work >/dev/null

# --- what costs an archive little: an attribute that is said once for all files, and files of which almost all is hole

PYTHONPATH=$SRC/tests/layers python3 - "$T" <<'END'
import io, sys, tarfile
import layout

def archive(members, **all_of_them):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT, pax_headers=all_of_them) as tar:
        for name, data, records in members:
            member = tarfile.TarInfo(name)
            member.size, member.pax_headers = len(data), records
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()

tar = archive([(f'f{i}', b'', {}) for i in range(40)], **{'SCHILY.xattr.user.large': 'v' * 60000})
layout.write(sys.argv[1] + '/attributes', [(tar, tar, '')])
n, step = 12000, 8192
text = (f'{n}\n' + ''.join(f'{i * step}\n1\n' for i in range(n))).encode()
tar = archive([('s', text + b'\0' * (-len(text) % 512) + b'x' * n,
                {'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 's', 'GNU.sparse.realsize': str(n * step)})])
layout.write(sys.argv[1] + '/pieces', [(tar, tar, '')])
END
# A disk for it, whose attributes may be large.
mkdir "$T/disk"
mount -t tmpfs -o mode=700,size=40m lcx-test-limits "$T/disk"
defer "umount '$T/disk'"
small() { "$BUILD/examples/lcx/lcx" --root "$T/disk/root" --run-dir "$T/disk/run" import --ref x "$@" box; }
check_fails 'attributes count as bytes' 1 'more than 1048576 bytes' small --layer-limit total-bytes=1m "$T/attributes"
check_fails 'room is looked at in time where pieces are tiny' 1 'less than 25165824 bytes are left' \
	small --layer-limit free-bytes=24m "$T/pieces"
mount -o remount,size=80m "$T/disk"
check 'with room they are taken' small --layer-limit free-bytes=8m "$T/pieces"
