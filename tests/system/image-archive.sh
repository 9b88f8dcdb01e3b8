# SPDX-License-Identifier: MIT
# Images in archives: what lcx saves, what skopeo writes, and what nobody should.
# guest: no, nothing here but files
# beside: it makes no control groups
. "${SRC:?}/tests/system/lib.sh"
need skopeo umoci python3 jq zstd

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
for tag in latest env layers; do
	lcx import --ref "$tag" "$T/layout" "box:$tag" >/dev/null
done
other() { # with a store of its own, which must not have anything
	"$BUILD/examples/lcx/lcx" --root "$T/other" --run-dir "$T/other-run" "$@"
}
refs() {
	other --format json images | jq -r '.[].Reference' | LC_ALL=C sort | tr '\n' ' '
}
ids() { # COMMAND...
	"$@" --format json images --no-trunc | jq -r '.[] | .Reference + " " + .ID + " " + .Digest' | LC_ALL=C sort
}

# --- out and in again

check 'saves several images' lcx save -o "$T/three.tar" box:latest box:env box:layers
check 'a file that is made is its owner'"'"'s' test "$(stat -c %a "$T/three.tar")" = 600
lcx save box:layers box:latest box:env >"$T/again.tar"
check 'the same image gives the same bytes' sh -c '
	"$0" --root "$T/lcx-root" --run-dir "$T/lcx-run" save box:env | sha256sum >"$T/1"
	"$0" --root "$T/lcx-root" --run-dir "$T/lcx-run" save box:env | sha256sum >"$T/2"
	cmp "$T/1" "$T/2"' "$BUILD/examples/lcx/lcx"
check_eq 'each blob is in it once' '' "$(tar tf "$T/three.tar" | sort | uniq -d)"
check 'loads a file in place' other load -i "$T/three.tar"
check_eq 'identifiers, digests and names are the same' "$(ids lcx)" "$(ids other)"
check_eq 'tells what it loaded' 'docker.io/library/box:env' "$(lcx save box:env | other load -q)"
gzip -c "$T/three.tar" >"$T/three.tar.gz"
zstd -q "$T/three.tar"
rm -rf "$T/other"
check 'loads one that gzip has compressed' other load -i "$T/three.tar.gz"
rm -rf "$T/other"
check 'loads one that zstd has compressed, from a pipe' sh -c 'cat "$1" | "$0" --root "$T/other" --run-dir "$T/other-run" load' "$BUILD/examples/lcx/lcx" "$T/three.tar.zst"
check_eq 'nothing of the copy is left' '' "$(ls "$T/other/images/tmp")"
check_eq 'the image runs' '1000 50 /srv/work hello from the image' "$(other run --network none box:env | tr '\n' ' ' | sed 's/ $//')"
check_fails 'an image that is not there is not saved' 1 'no image' lcx save -o "$T/none.tar" nothing
check 'and leaves no file' test ! -e "$T/none.tar"
id=$(lcx --format json images --no-trunc | jq -r '.[] | select(.Tag == "env").ID')
lcx save -o "$T/byid.tar" "$id"
check_fails 'one without a name is not loaded' 1 'has no name' other load -i "$T/byid.tar"
check 'but imported under a new one' other import "$T/byid.tar" by:id
check 'tags' other tag by:id other/name:2
check_match 'history names the steps' 'umoci insert' "$(other history box:layers)"
check_eq 'history as JSON' 6 "$(other --format json history box:layers | jq length)"

# --- skopeo reads it

check_eq 'skopeo reads the Docker form' 'docker.io/library/box' "$(skopeo inspect "docker-archive:$T/three.tar:box:env" | jq -r .Name)"
check_eq 'skopeo reads the OCI form' "$(lcx --format json images | jq -r '.[] | select(.Tag == "layers").Digest')" \
	"$(skopeo inspect "oci-archive:$T/three.tar:layers" | jq -r .Digest)"
copy() {
	skopeo --insecure-policy copy -q "$@"
}
copy "docker-archive:$T/three.tar:box:layers" "oci:$T/copied:layers"
umoci unpack --image "$T/copied:layers" "$T/unpacked" >/dev/null 2>&1
check_eq 'whiteouts survive the way' 'change dir keep linked' "$(ls "$T/unpacked/rootfs/data" | tr '\n' ' ' | sed 's/ $//')"

# --- and is read

rm -rf "$T/other"
copy "docker-archive:$T/three.tar:box:layers" "docker-archive:$T/old.tar:old/name:1"
check 'loads the Docker form' other load -i "$T/old.tar"
copy "docker-archive:$T/three.tar:box:env" "oci-archive:$T/oci.tar:new/name:2"
check 'loads the OCI form' other load -i "$T/oci.tar"
check_eq 'by their names' 'docker.io/new/name:2 docker.io/old/name:1 ' "$(refs)"
check_eq 'with its content' 'change dir keep linked ' "$(other run --network none old/name:1 ls /data | tr '\n' ' ')"
copy "docker-archive:$T/three.tar:box:env" "oci-archive:$T/tag.tar:v1"
check 'imports from a tar by the name in it' other import --ref v1 "$T/tag.tar" box:v1
check_fails 'asks which one of several' 1 'several images' other import "$T/three.tar" some:name
check_fails 'misses one that is not in it' 1 'no image named' other import --ref nope "$T/three.tar" some:name
check 'imports by a short name' other import --ref box:env "$T/three.tar"

# --- hostile archives

python3 - "$T" <<'PY'
import io, json, hashlib, os, sys, tarfile
T = sys.argv[1]
def layer(files):
    b = io.BytesIO()
    t = tarfile.open(fileobj=b, mode="w")
    for n, c in files.items():
        i = tarfile.TarInfo(n); i.size = len(c); t.addfile(i, io.BytesIO(c))
    t.close()
    return b.getvalue()
good = layer({"file": b"content"})
config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["x"]}, "rootfs": {"type": "layers",
    "diff_ids": ["sha256:" + hashlib.sha256(good).hexdigest()]}}).encode()
def write(name, entries):
    t = tarfile.open(os.path.join(T, "bad-" + name + ".tar"), "w")
    for e in entries:
        i = tarfile.TarInfo(e[0])
        if isinstance(e[1], bytes):
            i.size = len(e[1]); t.addfile(i, io.BytesIO(e[1]))
        else:
            i.type, i.linkname = e[1]; t.addfile(i)
    t.close()
def manifest(config="c.json", layers=["l/layer.tar"], tags=["bad:1"]):
    return json.dumps([{"Config": config, "RepoTags": tags, "Layers": layers}]).encode()
def docker(name, m, extra=()):
    write(name, [("manifest.json", m), ("c.json", config), ("l/layer.tar", good)] + list(extra))
SYM, HARD, CHR = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
docker("good", manifest())
docker("sparse-path", manifest(layers=["../../../etc/passwd"]))
docker("config-path", manifest(config="../../etc/passwd"))
docker("absolute", manifest(config="/etc/passwd"))
write("link-out", [("manifest.json", manifest(layers=["l"])), ("c.json", config), ("l", (SYM, "../../../../etc/passwd"))])
write("link-loop", [("manifest.json", manifest(layers=["a"])), ("c.json", config), ("a", (SYM, "b")), ("b", (SYM, "a"))])
write("link-good", [("manifest.json", manifest(layers=["d/layer.tar"])), ("c.json", config), ("x/layer.tar", good),
      ("d/layer.tar", (SYM, "../x/layer.tar"))])
write("hard-good", [("manifest.json", manifest(layers=["d"])), ("c.json", config), ("x", good), ("d", (HARD, "x"))])
docker("twice", manifest(), [("manifest.json", manifest(config="other.json"))])
docker("dotdot", manifest(), [("../escaped", b"x")])
docker("dotdot-in", manifest(), [("a/../../escaped", b"x")])
docker("not-an-array", b"{}")
docker("not-json", b"[")
docker("inject", b'[],"images":[]')
docker("no-image", b"[]")
docker("name", manifest(tags=["../../x"]))
docker("digest-name", manifest(tags=["a@sha256:" + "0" * 64]))
docker("other-layer", manifest(), [])
write("wrong-layer", [("manifest.json", manifest()), ("c.json", config), ("l/layer.tar", layer({"file": b"other"}))])
write("too-many-layers", [("manifest.json", manifest(layers=["l"] * 501)), ("c.json", config), ("l", good)])
write("layer-count", [("manifest.json", manifest(layers=["l", "l"])), ("c.json", config), ("l", good)])
write("no-config", [("manifest.json", manifest())])
write("device", [("manifest.json", (CHR, ""))])
write("big-document", [("manifest.json", b"[" + b" " * (5 << 20) + b"]")])
write("layout-version", [("oci-layout", b'{"imageLayoutVersion":"9"}'), ("index.json", b"{}")])
def oci(name, digest, body=None, size=None):
    body = body or b"{}"
    index = {"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest,
        "size": len(body) if size is None else size, "annotations": {"org.opencontainers.image.ref.name": "bad:1"}}]}
    write(name, [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", json.dumps(index).encode()),
        ("blobs/sha256/" + digest.split(":")[-1].lstrip("./"), body)])
oci("digest-path", "sha256:../../../../etc/passwd")
oci("digest-wrong", "sha256:" + "0" * 64)
oci("size-wrong", "sha256:" + hashlib.sha256(b"{}").hexdigest(), size=3)
raw = open(os.path.join(T, "bad-good.tar"), "rb").read()
open(os.path.join(T, "bad-cut.tar"), "wb").write(raw[:1500])
open(os.path.join(T, "bad-sum.tar"), "wb").write(b"X" + raw[1:])
open(os.path.join(T, "bad-noise.tar"), "wb").write(os.urandom(4096))
open(os.path.join(T, "bad-empty.tar"), "wb").write(b"")
# A size that leads far behind the end, in octal and in base 256.
def with_size(name, field):
    b = bytearray(raw); b[124:136] = field; b[148:156] = b" " * 8
    b[148:156] = b"%06o\0 " % sum(b[:512])
    open(os.path.join(T, "bad-" + name + ".tar"), "wb").write(bytes(b))
with_size("size-octal", b"77777777777\0")
with_size("size-base256", b"\x80" + b"\xff" * 11)
with_size("size-negative", b"\xff" * 12)
# Extended headers that lie about their lengths.
def pax(name, records):
    h = tarfile.TarInfo("pax"); h.type = b"x"; h.size = len(records)
    open(os.path.join(T, "bad-" + name + ".tar"), "wb").write(h.tobuf(tarfile.USTAR_FORMAT) + records.ljust(512, b"\0") + raw)
pax("pax-length", b"99999999999999999999 path=x\n")
pax("pax-short", b"3 path=x\n")
pax("pax-zero", b"0 path=x\n")
pax("pax-nul", b"12 path=a\0b\n")
pax("pax-size", b"30 size=9223372036854775807000\n")
pax("pax-sparse", b"22 GNU.sparse.major=1\n")
h = tarfile.TarInfo("pax"); h.type = b"x"; h.size = 1 << 40
open(os.path.join(T, "bad-pax-huge.tar"), "wb").write(h.tobuf(tarfile.GNU_FORMAT) + raw)
PY

# The tree around the store must not change, whatever the archives want.
mkdir "$T/cwd"
cd "$T/cwd"
rm -rf "$T/other"
for good in good link-good hard-good other-layer; do
	check "an archive made by hand is fine: $good" other load -i "$T/bad-$good.tar"
	other rmi bad:1 >/dev/null
done
touch "$T/mark"
for bad in "$T"/bad-*.tar; do
	name=$(basename "$bad" .tar)
	case $name in
	bad-good | bad-link-good | bad-hard-good | bad-other-layer) continue ;;
	esac
	check_fails "refused: $name" 1 'lcx: load: ' other load -i "$bad"
done
check_eq 'no image has come of it' '' "$(refs)"
check_eq 'no file was made elsewhere' '' "$(ls -A "$T/cwd"; ls -d "$T/escaped" "$T/../escaped" 2>/dev/null || :)"
check_eq 'nothing is left of them in the store' '' "$(ls "$T/other/images/tmp" "$T/other/images/pins" | grep -v : || :)"
cd /
