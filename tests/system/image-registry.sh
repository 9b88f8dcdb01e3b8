#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, the registry is the same there
# beside: it makes no control groups
# Images from a real registry: TLS, tokens, passwords; one layer for many; kill -9 at any moment.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/registry/registry.sh"
need skopeo umoci

tool() { "$BUILD/tests/image-tool" "$T/store" "$@"; }
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/busybox"

# --- TLS and tokens
registry_start tokens tls token
registry_push "$T/busybox:latest" public/busybox:latest
registry_push "$T/busybox:layers" private/busybox:layers
check 'pulls what is public without credentials' tool --ca "$REGISTRY_CA" pull "$REGISTRY/public/busybox"
check 'by HTTP/2' grep -q '"GET /v2/public/busybox/blobs/.* HTTP/2.0".*liblcx/' "$REGISTRY_LOG"
check_fails 'trusts no certificate by itself' 1 '^EPROTO: .*certificate' tool pull "$REGISTRY/public/busybox"
check_fails 'says that a CA file is missing' 1 'CA file\|CAfile' tool --ca /nonexistent pull "$REGISTRY/public/busybox"
check_fails 'refuses plain HTTP to a TLS port' 1 '^E' tool --plain-http pull "$REGISTRY/public/busybox"
check_fails 'needs credentials for what is private' 1 '^EACCES' tool --ca "$REGISTRY_CA" pull "$REGISTRY/private/busybox:layers"
check_fails 'reports a wrong password' 1 '^EACCES: .*token server' \
	tool --ca "$REGISTRY_CA" --creds tester:wrong pull "$REGISTRY/private/busybox:layers"
check 'pulls what is private with credentials' \
	tool --ca "$REGISTRY_CA" --creds "$REGISTRY_CREDS" pull "$REGISTRY/private/busybox:layers"
digest=$(tool show "$REGISTRY/public/busybox" | sed -n 's/^manifest //p')
check 'pulls by digest' tool --ca "$REGISTRY_CA" pull "$REGISTRY/public/busybox@$digest"
check_fails 'misses a tag' 1 '^ENOENT' tool --ca "$REGISTRY_CA" pull "$REGISTRY/public/busybox:missing"
check_eq 'has two images, the base layer once' '2 5' "$(tool list | grep -c '^id') $(ls "$T/store/images/layers" | wc -l)"

# --- the layers, as overlay wants them
layer() { tool show "$REGISTRY/private/busybox:layers" | sed -n "s/^layer //p" | sed -n "$1p"; }
check_eq 'the top-most layer comes first' 3 "$(cat "$(layer 1)/data/dir/only")"
check_eq 'the opaque directory is marked' y "$(getfattr -n trusted.overlay.opaque --only-values "$(layer 1)/data/dir")"
check_eq 'the deleted file is a whiteout' 'character special file' "$(stat -c %F "$(layer 2)/data/gone")"
check_eq 'hard links are links' 2 "$(stat -c %h "$(layer 4)/data/keep")"

mkdir "$T/upper" "$T/work" "$T/merged"
mount -t overlay -o "lowerdir=$(layer 1):$(layer 2):$(layer 3):$(layer 4):$(layer 5),upperdir=$T/upper,workdir=$T/work" none "$T/merged"
defer "umount '$T/merged'"
check_eq 'together they are what the image means' 'change:2 dir: keep:1 linked:1 only:3' \
	"$(cd "$T/merged/data" && for f in change dir keep linked dir/only; do
		[ -d $f ] && echo "$f:" || echo "$(basename $f):$(cat $f)"; done | tr '\n' ' ' | sed 's/ $//')"
check 'and nothing else' test ! -e "$T/merged/data/gone" -a ! -e "$T/merged/data/dir/below"
umount "$T/merged"
registry_stop tokens

# --- names, holds, removal
check 'names it once more' tool tag "$REGISTRY/public/busybox" short
check_match 'finds it by a part of its id' name "$(tool show "$(tool show short | sed -n 's/^id sha256:\(.\{12\}\).*/\1/p')")"
check 'verifies' tool verify
tool hold box short
check 'removes one name of several' tool remove "$REGISTRY/public/busybox"
tool remove "$REGISTRY/public/busybox@$digest"
check_fails 'does not remove what a container uses' 1 "^EBUSY: .*'box'" tool remove short
check 'collecting garbage keeps it' tool gc
check 'so that it is there' tool show short
tool release box
check 'removes it when it is free' tool remove short
check_fails 'so that it is gone' 1 '^ENOENT: no image' tool show short
tool remove "$REGISTRY/private/busybox:layers"
check_eq 'and nothing is left of either' '' "$(cd "$T/store/images" && find refs layers tmp pins partial locks holds blobs/* -mindepth 1)"

# --- a password, and plain HTTP
registry_start passwords basic
registry_push "$T/busybox:web" web:1
check 'pulls with a password' tool --plain-http --creds "$REGISTRY_CREDS" pull "$REGISTRY/web:1"
check_fails 'reports a wrong one' 1 '^EACCES' tool --plain-http --creds tester:no pull "$REGISTRY/web:1"
check_fails 'and a missing one' 1 '^EACCES: .*wants a user' tool --plain-http pull "$REGISTRY/web:1"
registry_stop passwords
check_fails 'and a registry that is not there' 1 '^ECONNREFUSED' tool --plain-http pull "$REGISTRY/web:1"
