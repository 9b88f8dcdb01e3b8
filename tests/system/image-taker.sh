#!/bin/sh
# SPDX-License-Identifier: MIT
# Pushing to a registry that takes images badly (tests/registry/taker.py): it arrives, or there is an error;
# only the registry sees credentials.
# guest: no, no kernel speaks HTTP
# beside: it makes no control groups
. "${SRC:?}/tests/system/lib.sh"
need python3

mkdir "$T/taker"
python3 "$SRC/tests/registry/taker.py" "$T/taker" >"$T/taker/out" 2>&1 &
taker=$!
defer "kill $taker"
wait_for 20 test -s "$T/taker/port"
registry=127.0.0.1:$(cat "$T/taker/port")
log=$T/taker/log

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/busybox"
tool() { "$BUILD/tests/image-tool" "$T/store" --plain-http --stall 2000 --chunk 100000 "$@"; }
tool import "$T/busybox" latest image:1 >/dev/null
push() { tool push image:1 "$registry/$1:1"; }
# What of its chunks it was sent: bytes of the largest blob, each once.
pieces() { grep "^PATCH /v2/$1/" "$log" | sed 's/.*range=\([0-9]*-[0-9]*\) .*/\1/'; }

check 'an honest one gets it' push honest
check_eq 'in pieces that follow each other' '' "$(pieces honest | tail -n +2 | awk -F- -v last=99999 '$1 != last + 1 { print } { last = $2 }')"
check 'a second time nothing is sent' push honest
check_eq 'truly' 1 "$(grep -c '^POST /v2/honest/' "$log" | sed 's/^[12]$/1/')"
check 'a broken connection in a piece' push cuts
check 'goes on in the middle of it' grep -q '^PATCH /v2/cuts/.*range=101000-' "$log"
check 'a session that was lost begins again' push forgets
check_eq 'from its beginning' 2 "$(pieces forgets | grep -c '^0-')"
check 'a busy one is asked again' push busy
check 'an answer that was lost is found out' push loses-answer
check 'pieces are as large as it wants them' push large-chunks
check 'indeed' grep -q '^PATCH /v2/large-chunks/.*range=0-149999' "$log"
check_fails 'one that takes nothing' 1 '^E' push stuck
check_fails 'one that takes two bytes of each piece' 1 '^EPROTO' push nibbles
check 'is not asked for ever' test "$(pieces nibbles | wc -l)" -le 15
check_fails 'one that says it has more than there is' 1 '^EPROTO: .*999999999' push boasts
check_fails 'one that stores another manifest' 1 '^EPROTO: .*has stored' push mistakes
check_fails 'one that sends us to a file' 1 '^EPROTO: .*must not go' push to-file
check_fails 'one that sends us nowhere' 1 '^EPROTO: .*nowhere' push to-nowhere
check_fails 'one that redirects what is sent' 1 '^EPROTO: .*while something is sent' push redirects
check_fails 'one that denies it' 1 '^EACCES' push denied
check_fails 'one that wants a login' 1 '^EACCES: .*wants a user' push needs-login
check 'and gets one' tool --creds user:secret push image:1 "$registry/needs-login:1"
check 'by the name and password' grep -q 'needs-login.*authorization=Basic dXNlcjpzZWNyZXQ=' "$log"

# What an image calls itself is a stranger's text.
python3 - "$T/busybox" <<'PY'
import hashlib, json, os, sys
def blob(digest):
    return os.path.join(sys.argv[1], "blobs/sha256", digest.split(":")[1])
index = json.load(open(sys.argv[1] + "/index.json"))
item = next(i for i in index["manifests"] if i["annotations"]["org.opencontainers.image.ref.name"] == "latest")
manifest = json.load(open(blob(item["digest"])))
manifest["mediaType"] = "application/vnd.oci.image.manifest.v1+json; x\r\nAuthorization: Basic aW5qZWN0ZWQ="
data = json.dumps(manifest).encode()
new = dict(item, digest="sha256:" + hashlib.sha256(data).hexdigest(), size=len(data), annotations={"org.opencontainers.image.ref.name": "evil"})
open(blob(new["digest"]), "wb").write(data)
index["manifests"].append(new)
json.dump(index, open(sys.argv[1] + "/index.json", "w"))
PY
tool import "$T/busybox" evil evil:1 >/dev/null
check 'an image whose type has lines' tool push evil:1 "$registry/evil:1"
check_eq 'puts none into a header' '' "$(grep aW5qZWN0ZWQ "$log" || :)"

check 'sessions may be elsewhere' tool --creds user:secret push image:1 "$registry/elsewhere:1"
check 'really' grep -q 'PUT /v2/elsewhere/blobs' "$T/taker/other.log"
check_eq 'where no credentials are seen' '' "$(grep -v 'authorization=-$' "$T/taker/other.log")"

check_fails 'another thread cancels it' 1 '^ECANCELED' tool --stall 50000 --cancel 300 push image:1 "$registry/hangs:1"
