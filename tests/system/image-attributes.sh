# SPDX-License-Identifier: MIT
# Access control lists and times before 1970, in and out: layers, export, commit, cp.
# guest: no, both are the file system's there, too
. "${SRC:?}/tests/system/lib.sh"
need python3 tar umoci jq busybox

cat >"$T/acl.py" <<'PY'
"""acl.py set PATH | get DIR: lists by numbers that have no name here."""
import os, struct, sys
def acl(*entries):
    return struct.pack('<I', 2) + b''.join(struct.pack('<HHI', t, p, i & 0xffffffff) for t, p, i in entries)
FILE = acl((1, 6, -1), (2, 4, 3000), (4, 4, -1), (8, 2, 3001), (16, 6, -1), (32, 0, -1))
INHERITED = acl((1, 7, -1), (2, 7, 3002), (4, 5, -1), (16, 7, -1), (32, 5, -1))
if sys.argv[1] == 'set':
    os.setxattr(sys.argv[2] + '/file', 'system.posix_acl_access', FILE)
    os.setxattr(sys.argv[2] + '/dir', 'system.posix_acl_access', INHERITED)
    os.setxattr(sys.argv[2] + '/dir', 'system.posix_acl_default', INHERITED)
else:
    top = sys.argv[2]
    for path, dirs, files in sorted(os.walk(top)):
        for name in sorted(dirs + files):
            full = os.path.join(path, name)
            for x in sorted(os.listxattr(full, follow_symlinks=False)):
                if x.startswith('system.posix_acl_'):
                    print(os.path.relpath(full, top), x, os.getxattr(full, x).hex())
PY
get() { python3 "$T/acl.py" get "$1"; }

mkdir -p "$T/tree/acl/dir"
echo content >"$T/tree/acl/file"
echo plain >"$T/tree/acl/dir/plain"
touch -d '1960-02-03 04:05:06.25' "$T/tree/acl/file" "$T/tree/acl/dir/plain"
python3 "$T/acl.py" set "$T/tree/acl"
touch -d '1969-12-31 23:59:59.5' "$T/tree/acl/dir"
expected=$(get "$T/tree")
times='-312753293750000000 -500000000 -312753293750000000'
stamps() { # DIR: find(1) would print the fraction as if it counted away from zero
	python3 -c 'import os, sys; print(*(os.stat(sys.argv[1] + "/acl/" + f).st_mtime_ns for f in ("file", "dir", "dir/plain")))' "$1"
}
check_match 'the file system has lists' 'acl/dir system.posix_acl_default' "$expected"
check_eq 'and times before 1970' "$times" "$(stamps "$T/tree")"

# --- a layer that GNU tar has made, with the lists as words

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
mkdir "$T/made"
python3 - "$T" <<'PY'
import subprocess, sys
T = sys.argv[1]
subprocess.run(['tar', '-cf', T + '/layer.tar', '--format=pax', '--acls', '--numeric-owner', '-C', T + '/tree', 'acl'], check=True)
PY
check_match 'they are words there' 'SCHILY.acl.default=' "$(strings "$T/layer.tar")"
check_eq 'and nothing else' '' "$(strings "$T/layer.tar" | grep SCHILY.xattr)"
lcx import --ref latest "$T/layout" box >/dev/null
lcx create --name maker --network none box true >/dev/null
check 'cp takes such an archive' sh -c '"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" cp -a - maker:/ <"$T/layer.tar"'
lcx export maker >"$T/maker.tar"
out() { # ARCHIVE DIR: by GNU tar, which knows words
	rm -rf "$2" && mkdir "$2"
	tar -xf "$1" --acls --numeric-owner --warning=no-timestamp -C "$2" acl
}
out "$T/maker.tar" "$T/got"
check_eq 'export gives the lists back as words' "$expected" "$(get "$T/got")"
check_eq 'and the times' "$times" "$(stamps "$T/got")"

# --- a layer

lcx commit maker made:acl >/dev/null
lcx create --name user --network none made:acl true >/dev/null
lcx export user >"$T/user.tar"
out "$T/user.tar" "$T/got"
check_eq 'an image has them' "$expected" "$(get "$T/got")"
check_eq 'and the times' "$times" "$(stamps "$T/got")"
lcx run --name again --network none made:acl true
check_eq 'and a new container changes none' '' "$(lcx diff again)"
lcx save -o "$T/made.tar" made:acl
mkdir "$T/unpack" && tar xf "$T/made.tar" -C "$T/unpack"
umoci unpack --image "$T/unpack:acl" "$T/bundle" >/dev/null 2>&1
check_eq 'an engine that knows attributes only has them, too' "$expected" "$(get "$T/bundle/rootfs")"
check_match 'the kernel obeys: the named user reads, and others do not' '^content refused$' \
	"$(lcx run --rm --network none -u 3000:3000 made:acl cat /acl/file) $(lcx run --rm --network none -u 3003:3003 made:acl cat /acl/file 2>/dev/null || echo refused)"
check_eq 'what is made in the directory inherits' 3002 \
	"$(lcx run --name heir --network none made:acl touch /acl/dir/new; lcx export heir | tar -xf - --acls --warning=no-timestamp -C "$T/got" acl; get "$T/got" | grep -c 'dir/new.*ba0b0000' | sed 's/^1$/3002/')"

# --- cp of files

lcx cp -a "$T/tree/acl" user:/copied
lcx export user >"$T/user.tar"
rm -rf "$T/got" && mkdir "$T/got"
tar -xf "$T/user.tar" --acls --warning=no-timestamp -C "$T/got" copied
mv "$T/got/copied" "$T/got/acl"
check_eq 'cp into a container keeps them' "$expected" "$(get "$T/got")"
lcx cp user:/acl "$T/mine"
check_eq 'what comes out of one grants nobody anything' '' "$(get "$T/mine")"
lcx rm maker user again heir >/dev/null
