# SPDX-License-Identifier: MIT
# Archives as Docker wrote them before 1.10, without manifest.json: read, written beside the new forms, hostile.
# guest: no, nothing here but files
# beside: it makes no control groups
. "${SRC:?}/tests/system/lib.sh"
need python3 jq skopeo umoci busybox

other() { # with a store of its own
	"$BUILD/examples/lcx/lcx" --root "$T/other" --run-dir "$T/other-run" "$@"
}
ids() { # COMMAND...
	"$@" --format json inspect "${image:-box:layers}" | jq -c '.[0].RootFS.Layers'
}
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
for tag in latest layers env; do
	lcx import --ref "$tag" "$T/layout" "box:$tag" >/dev/null
done

# --- what is saved has all forms in it

lcx save -o "$T/all.tar" box:layers box:env
check_eq 'each file is in it once' '' "$(tar tf "$T/all.tar" | sort | uniq -d)"
check_match 'with the names' '"docker.io/library/box":{"' "$(tar xOf "$T/all.tar" repositories)"
check_eq 'all of them' 'env layers' "$(tar xOf "$T/all.tar" repositories | jq -r '.[] | keys[]' | sort | xargs)"
check_eq 'one layer of the two is shared' "$(tar tf "$T/all.tar" | grep -c '/layer.tar$')" "$(tar tf "$T/all.tar" | grep -c '/VERSION$')"
check_eq 'skopeo reads it as before' 'docker.io/library/box' "$(skopeo inspect "docker-archive:$T/all.tar:box:env" | jq -r .Name)"
check_eq 'the same images give the same bytes' "$(sha256sum <"$T/all.tar")" "$(lcx save box:layers box:env | sha256sum)"
# For a reader that knows the old form only.
python3 - "$T" <<'PY'
import sys, tarfile
T = sys.argv[1]
with tarfile.open(T + '/all.tar') as a, tarfile.open(T + '/old.tar', 'w') as b:
    for m in a:
        if m.name not in ('oci-layout', 'index.json', 'manifest.json'):
            b.addfile(m, a.extractfile(m) if m.isreg() else None)
PY
check_eq 'the old form alone is read, by its names' 'docker.io/library/box:env docker.io/library/box:layers' "$(other load -q -i "$T/old.tar" | sort | xargs)"
check_eq 'the layers unpack to the same' "$(ids lcx)" "$(ids other)"
check_eq 'the configuration is the same' "$(lcx --format json inspect box:env | jq -cS '.[0].Config')" "$(other --format json inspect box:env | jq -cS '.[0].Config')"
check_eq 'it runs' '1000 50 /srv/work hello from the image' "$(other run --network none box:env | tr '\n' ' ' | sed 's/ $//')"
check_match 'history is not lost' 'umoci insert' "$(other history --no-trunc box:layers)"
check_eq 'whiteouts are whiteouts' 'change dir keep linked' "$(other run --network none box:layers ls /data | xargs)"
other save box:layers | tar xO repositories >"$T/again"
check 'and saves it again' test -s "$T/again"
check_eq 'nothing of the copies is left' '' "$(ls "$T/other/images/tmp")"

# --- by hand, plain layers as Docker had them; and what nobody should believe

rm -rf "$T/other"
python3 - "$T" <<'PY'
import gzip, io, json, os, sys, tarfile
T = sys.argv[1]
def layer(files):
    b = io.BytesIO()
    with tarfile.open(fileobj=b, mode='w') as t:
        for n, c in files.items():
            i = tarfile.TarInfo(n); i.size = len(c); t.addfile(i, io.BytesIO(c))
    return b.getvalue()
A, B, C = 'a' * 64, 'b' * 64, 'c' * 64
BASE, TOP = layer({'base': b'1', 'gone': b'2'}), layer({'top': b'3', '.wh.gone': b''})
def write(name, entries):
    with tarfile.open(f'{T}/{name}.tar', 'w') as t:
        for n, c in entries.items():
            i = tarfile.TarInfo(n)
            if isinstance(c, tuple):
                i.type, i.linkname = tarfile.SYMTYPE, c[0]
            c = c if isinstance(c, bytes) else b'' if isinstance(c, tuple) else json.dumps(c).encode()
            i.size = len(c)
            t.addfile(i, io.BytesIO(c))
def archive(name, repositories=None, a=None, b=None, **more):
    """a is the base, b on top of it."""
    e = {'repositories': {'old/name': {'1': B}} if repositories is None else repositories,
         A + '/VERSION': b'1.0', A + '/json': dict({'id': A, 'created': '2014-05-06T07:08:09Z', 'os': 'linux', 'architecture': 'amd64',
            'container_config': {'Cmd': ['/bin/sh', '-c', 'make base']}}, **(a or {})), A + '/layer.tar': BASE,
         B + '/VERSION': b'1.0\n', B + '/json': dict({'id': B, 'parent': A, 'created': '2015-05-06T07:08:09Z', 'os': 'linux',
            'architecture': 'amd64', 'container_config': {'Cmd': ['make', 'top']}, 'comment': 'on top', 'Size': 3,
            'config': {'Cmd': ['show'], 'Env': ['K=v']}}, **(b or {})), B + '/layer.tar': TOP}
    e.update({k.replace('A_', A + '/').replace('B_', B + '/').replace('layer', 'layer.tar'): v for k, v in more.items()})
    write(name, {k: v for k, v in e.items() if v is not None})
archive('good')
archive('good-tags', {'old/name': {'1': B, 'latest': B}, 'localhost:5000/base': {'x': A}})
archive('good-gzip', A_layer=gzip.compress(BASE))
archive('good-link', A_layer=('../' + C,), **{C: BASE})
archive('good-no-version', A_VERSION=None, B_VERSION=None)
archive('good-empty', A_layer=b'\0' * 1024)
archive('bad-cycle', a={'parent': B})
archive('bad-self', a={'parent': A})
archive('bad-no-parent', b={'parent': C})
archive('bad-parent-path', b={'parent': '../' * 21 + 'x'})
archive('bad-parent-slash', b={'parent': A[:32] + '/' + A[:31]})
archive('bad-parent-type', b={'parent': {'id': A}})
archive('bad-parent-case', b={'Parent': A})
archive('bad-top-path', {'old/name': {'1': '../../../../etc/passwd'}})
archive('bad-top-short', {'old/name': {'1': 'b' * 12}})
archive('bad-top-upper', {'old/name': {'1': 'B' * 64}})
archive('bad-top-missing', {'old/name': {'1': C}})
archive('bad-top-type', {'old/name': {'1': 7}})
archive('bad-id', b={'id': A})
archive('bad-tags-type', {'old/name': ['1']})
archive('bad-name', {'../../x': {'1': B}})
archive('bad-tag', {'old/name': {'../x': B}})
archive('bad-no-image', {})
archive('bad-list', [])
archive('bad-version', A_VERSION=b'2.0')
archive('bad-no-json', A_json=None)
archive('bad-json', A_json=b'{"id":')
archive('bad-no-layer', A_layer=None)
archive('bad-layer-out', A_layer=('../../../../../../etc/passwd',))
archive('bad-layer-noise', A_layer=b'x' * 4096)
archive('bad-layer-cut', A_layer=gzip.compress(os.urandom(3000))[:-9])
archive('bad-other-system', b={'os': 'windows'})
n = [f'{i:064x}' for i in range(501)]
write('bad-long', dict({'repositories': {'old/name': {'1': n[500]}}},
    **{n[i] + '/json': dict({'id': n[i]}, **({'parent': n[i - 1]} if i else {})) for i in range(501)}))
# Each is a document; what all leave in one history is more than a document may be.
write('bad-large', dict({'repositories': {'old/name': {'1': n[5]}}},
    **{n[i] + '/json': dict({'id': n[i], 'comment': 'x' * 4000000}, **({'parent': n[i - 1]} if i else {})) for i in range(6)},
    **{n[i] + '/layer.tar': BASE for i in range(6)}))
PY
check 'loads one as Docker wrote it' other load -i "$T/good.tar"
image=old/name:1
check_eq 'base first' "$(tar xOf "$T/good.tar" "$(printf 'a%.0s' $(seq 64))/layer.tar" | sha256sum | sed 's/ .*//')" "$(ids other | jq -r '.[0]' | cut -d: -f2)"
check_eq 'with the top layer'"'"'s configuration' '{"cmd":["show"],"env":["K=v"]}' "$(other --format json inspect old/name:1 | jq -c '.[0].Config | {cmd: .Cmd, env: .Env}')"
check_eq 'and how it was made' 'make top|/bin/sh -c make base' "$(other --format json history old/name:1 | jq -r '[.[].CreatedBy] | join("|")')"
dirs=$(other export "$(other create --network none old/name:1)" | tar t | grep -v '/$' | grep -v '^etc\|^dev' | sort | xargs)
check_eq 'and its files' 'base top' "$dirs"
digest=$(other --format json inspect old/name:1 | jq -r '.[0].Id')
for good in good-tags good-gzip good-link good-no-version good-empty; do
	rm -rf "$T/other"
	check "fine: $good" other load -i "$T/$good.tar"
	[ "$good" = good-empty ] || check_eq 'it is the same image' "$digest" "$(other --format json inspect old/name:1 | jq -r '.[0].Id')"
done
rm -rf "$T/other"
other load -i "$T/good-tags.tar" >/dev/null
check_eq 'all names of all images' 'docker.io/old/name:1 docker.io/old/name:latest localhost:5000/base:x' "$(other --format json images | jq -r '.[].Reference' | sort | xargs)"
check 'one of them is imported by name' other import --ref localhost:5000/base:x "$T/good-tags.tar" base:new
rm -rf "$T/other"
mkdir "$T/cwd"
cd "$T/cwd"
for bad in "$T"/bad-*.tar; do
	name=$(basename "$bad" .tar) words=
	case $name in
	bad-cycle | bad-self) words='is its own ancestor' ;;
	bad-no-parent) words="there is no 'cccc.*/json' in it" ;;
	bad-parent-path | bad-parent-slash) words='its parent .* is no identifier' ;;
	bad-top-path | bad-top-short | bad-top-upper) words='is no identifier of a layer' ;;
	bad-parent-case) words='"Parent" could be taken for "parent"' ;;
	bad-id) words='says that it is' ;;
	bad-version) words="version '2.0' is not known" ;;
	bad-no-layer) words="there is no 'aaaa.*/layer.tar' in it" ;;
	bad-large) words='too large together' ;;
	bad-long) words='more than 500 layers' ;;
	esac
	check_fails "refused: $name" 1 "$words" other load -i "$bad"
done
check_eq 'no image has come of it' '' "$(other images -q)"
check_eq 'no file was made elsewhere' '' "$(ls -A "$T/cwd")"
check_eq 'nothing is left of them in the store' '' "$(ls "$T/other/images/tmp" "$T/other/images/pins" | grep -v : || :)"
cd /
