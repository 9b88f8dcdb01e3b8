#!/bin/sh
# SPDX-License-Identifier: MIT
# Push: to a real registry with tokens, in one piece and in chunks, mounted and skipped; read back by
# skopeo and by ourselves.
# guest: no, no kernel speaks HTTP
# beside: it makes no control groups
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/registry/registry.sh"
need skopeo umoci

tool() { "$BUILD/tests/image-tool" "$T/store" --ca "$REGISTRY_CA" --creds "$REGISTRY_CREDS" "$@"; }
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/busybox"
registry_start target tls token
registry_push "$T/busybox:layers" original/busybox:layers
tool pull "$REGISTRY/original/busybox:layers" >"$T/pulled"
digest=$(sed -n 's/^manifest //p' "$T/pulled")
look() { skopeo --insecure-policy inspect --cert-dir "$T/ca" --creds "$REGISTRY_CREDS" "$@"; }

# --- into the registry it came from
check 'pushes to where all of it is' tool push "$REGISTRY/original/busybox:layers"
check_eq 'nothing was sent' '5 existed' "$(sed -n 's/^layer \([a-z]*\) .*/\1/p' "$T/check.out" | uniq -c | sed 's/^ *//')"
check 'pushes to another repository there' tool push "$REGISTRY/original/busybox:layers" "$REGISTRY/copies/busybox:new"
check_eq 'all of it was mounted' '5 mounted' "$(sed -n 's/^layer \([a-z]*\) .*/\1/p' "$T/check.out" | uniq -c | sed 's/^ *//')"
check_eq 'and can be read there' "$digest" "$(look --format '{{.Digest}}' "docker://$REGISTRY/copies/busybox:new")"
check_fails 'not without credentials' 1 '^EACCES' "$BUILD/tests/image-tool" "$T/store" --ca "$REGISTRY_CA" \
	push "$REGISTRY/original/busybox:layers"
check_fails 'nor with a wrong password' 1 '^EACCES' "$BUILD/tests/image-tool" "$T/store" --ca "$REGISTRY_CA" --creds tester:no \
	push "$REGISTRY/original/busybox:layers"
source=$REGISTRY/original/busybox:layers
registry_stop target

# --- into another one, which has nothing
registry_start second tls basic
check 'pushes to another registry' tool push "$source" "$REGISTRY/team/busybox:1"
check_eq 'all of it was sent' '5 pushed' "$(sed -n 's/^layer \([a-z]*\) .*/\1/p' "$T/check.out" | uniq -c | sed 's/^ *//')"
check_eq 'it is the same image' "$digest" "$(look --format '{{.Digest}}' "docker://$REGISTRY/team/busybox:1")"
check 'in chunks, too' tool --chunk 100000 push "$source" "$REGISTRY/chunks/busybox:1"
check_match 'which were sent one by one' 'http.request.method=PATCH' "$(cat "$REGISTRY_LOG")"
mkdir "$T/back"
check 'skopeo reads all of it' skopeo --insecure-policy copy --src-cert-dir "$T/ca" --src-creds "$REGISTRY_CREDS" \
	"docker://$REGISTRY/chunks/busybox:1" "oci:$T/back:layers"
check_eq 'blob by blob' '' "$(cd "$T/busybox/blobs/sha256" && for f in "$T"/back/blobs/sha256/*; do
	cmp "$f" "$(basename "$f")"; done 2>&1)"
check 'pushes by digest' tool push "$source" "$REGISTRY/team/busybox@$digest"
check_fails 'not by another digest' 1 '^EINVAL' tool push "$source" "$REGISTRY/team/busybox@sha256:$(printf %064d 0)"
check 'speaks HTTP/2 over TLS' grep -q 'PUT.*HTTP/2' "$REGISTRY_LOG"

# --- the round trip
tool show "$source" | grep '^id' >"$T/before"
tool remove "$source"
check_fails 'the image is gone here' 1 '^ENOENT' tool push "$source"
check 'is pulled back' tool pull "$REGISTRY/chunks/busybox:1"
check_eq 'as the same image' "$(cat "$T/before")" "$(tool show "$REGISTRY/chunks/busybox:1" | grep '^id')"
check 'and pushed by its id' tool push "$(sed -n 's/^id sha256:\(.\{12\}\).*/\1/p' "$T/before")" "$REGISTRY/by/id:x"
check_fails 'which needs a destination' 1 '^EINVAL: .*destination' \
	tool push "$(sed -n 's/^id sha256:\(.\{12\}\).*/\1/p' "$T/before")"

# --- a layer whose archive is not here can't be sent, but it can be mounted, or be there
rm "$T/store/images/blobs/sha256/$(cd "$T/store/images/blobs/sha256" && ls -S | head -n 1)"
check 'is not needed where it is already' tool push "$REGISTRY/chunks/busybox:1"
check 'nor where it can be mounted' tool push "$REGISTRY/chunks/busybox:1" "$REGISTRY/other/busybox:1"
name=$REGISTRY/chunks/busybox:1
registry_stop second
registry_start third tls
check_fails 'but has to be here to be sent' 1 '^ENODATA: .*pull it again' \
	"$BUILD/tests/image-tool" "$T/store" --ca "$REGISTRY_CA" push "$name" "$REGISTRY/x:1"
registry_stop third
