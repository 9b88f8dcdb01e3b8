#!/bin/sh
# SPDX-License-Identifier: MIT
# By way of a registry: podman runs what we push, and we run what podman pushes.
# guest: no, podman takes minutes there
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/podman.sh"
. "$SRC/tests/registry/registry.sh"
need umoci

said='1000 50 /srv/work hello from the image '

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/busybox"
registry_start house tls
lcx import --ref env "$T/busybox" image:1 >/dev/null
check 'we push' lcx push --ca-file "$REGISTRY_CA" image:1 "$REGISTRY/ours:1"
check 'podman pulls' podman_ pull --cert-dir "$T/ca" --signature-policy "$T/policy.json" "$REGISTRY/ours:1"
podman_ run --cgroups=disabled --rm --network none --pull never "$REGISTRY/ours:1" >"$T/out" 2>"$T/err" || cat "$T/err"
check_eq 'and runs it' "$said" "$(tr '\n' ' ' <"$T/out")"

printf 'FROM %s\nENV GREETING="hello from podman"\nCOPY added /srv/added\n' "$REGISTRY/ours:1" >"$T/Containerfile"
echo 'a file of podman' >"$T/added"
check 'podman builds on it' podman_ build --isolation chroot --pull=never --signature-policy "$T/policy.json" \
	-t "$REGISTRY/theirs:1" -f "$T/Containerfile" "$T"
check 'podman pushes' podman_ push --cert-dir "$T/ca" --signature-policy "$T/policy.json" "$REGISTRY/theirs:1"
check 'we pull' lcx pull --ca-file "$REGISTRY_CA" "$REGISTRY/theirs:1"
check_eq 'and run it' '1000 50 /srv/work hello from podman ' "$(lcx run --rm --network none "$REGISTRY/theirs:1" | tr '\n' ' ')"
check_eq 'with what it has added' 'a file of podman' "$(lcx run --rm --network none "$REGISTRY/theirs:1" cat /srv/added)"
check 'podman pushes in its own form, too' podman_ push --format v2s2 --cert-dir "$T/ca" --signature-policy "$T/policy.json" \
	"$REGISTRY/theirs:1" "docker://$REGISTRY/docker:1"
check_eq 'which we run' 'a file of podman' "$(lcx run --rm --network none --ca-file "$REGISTRY_CA" "$REGISTRY/docker:1" cat /srv/added 2>"$T/err")"
check 'and push on' lcx push --ca-file "$REGISTRY_CA" "$REGISTRY/docker:1" "$REGISTRY/again:1"
check_match 'as what it is' 'Pushed\|Mounted' "$(cat "$T/check.out")"
