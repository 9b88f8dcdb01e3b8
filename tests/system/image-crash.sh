#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, the store is the same there
# build: plain
# A real Debian: pulled and killed again and again, by several at once, and imported; compared with umoci's tree.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/registry/registry.sh"
need umoci skopeo jq

# In memory: this is about crashes of programs, and syncfs(2) waits for everybody's writing.
mount -t tmpfs -o mode=700 lcx-test-fast "$T"
defer "umount '$T'"

tool() { "$BUILD/tests/image-tool" "$T/store" --plain-http "$@"; }
sh "$SRC/tests/registry/mkimage.sh" debian "$T/debian"
registry_start plain
registry_push "$T/debian:bookworm" debian:bookworm
registry_push "$T/debian:bookworm-zstd" debian:zstd

# --- kill -9 at 14 moments; the last one is left alone
moment=0
while [ $moment -lt 42 ]; do
	moment=$((moment + 3))
	"$BUILD/tests/image-tool" "$T/store" --plain-http pull "$REGISTRY/debian:bookworm" >/dev/null 2>&1 &
	pull=$!
	sleep "$(awk -v m=$moment 'BEGIN { printf "%.3f", 0.01 + m * m * 0.0008 }')"
	kill -9 $pull 2>/dev/null || :
	wait $pull 2>/dev/null || :
done
check 'a pull that was killed again and again completes' tool pull "$REGISTRY/debian:bookworm"
check 'and the store verifies' tool verify
check 'garbage is collected' tool gc
check_eq 'nothing of the dead is left' '' "$(find "$T/store/images/tmp" "$T/store/images/pins" "$T/store/images/partial" -mindepth 1)"

# --- the tree, attribute by attribute, as umoci makes it
names() { # DIR: names, types, modes, owners, times, link targets, link counts and sizes of files
	(cd "$1" && find . -mindepth 1 \( -type d -printf '%P|%y|%m|%U|%G|%T@\n' \) -o \
		-printf '%P|%y|%m|%U|%G|%T@|%l|%n|%s\n' | sort)
}
check_eq 'has three layers' 3 "$(tool show "$REGISTRY/debian:bookworm" | grep -c '^layer')"
base=$(tool show "$REGISTRY/debian:bookworm" | sed -n 's/^layer //p' | sed -n 3p)
umoci unpack --image "$T/debian:bookworm" "$T/bundle" >"$T/umoci.log" 2>&1
mkdir "$T/upper" "$T/work" "$T/merged"
lower=$(tool show "$REGISTRY/debian:bookworm" | sed -n 's/^layer //p' | paste -sd:)
mount -t overlay -o "lowerdir=$lower,upperdir=$T/upper,workdir=$T/work" none "$T/merged"
defer "umount '$T/merged'"
names "$T/bundle/rootfs" >"$T/umoci"
names "$T/merged" >"$T/ours"
check 'the tree is the one that umoci makes' diff -U0 "$T/umoci" "$T/ours"
check 'and so are the bytes' diff -r --no-dereference --exclude=dev "$T/bundle/rootfs" "$T/merged"
umount "$T/merged"
check 'the base has many files' test "$(find "$base" | wc -l)" -gt 5000

# --- zstd is the same image
check 'pulls zstd layers' tool pull "$REGISTRY/debian:zstd"
check_eq 'and shares the unpacked ones' 3 "$(ls "$T/store/images/layers" | wc -l)"
rm -rf "$T/store"
check 'and unpacks them by itself' tool pull "$REGISTRY/debian:zstd"

# --- several at once share one download
rm -rf "$T/store"
: >"$REGISTRY_LOG"
for n in 1 2 3 4; do
	tool pull "$REGISTRY/debian:bookworm" >"$T/pull.$n" 2>&1 &
	eval "pull_$n=\$!"
done
for n in 1 2 3 4; do
	eval "check 'pull $n of four at once' wait \$pull_$n"
done
check_eq 'each layer was asked for once' 3 "$(grep -c 'level=info.*response completed.*http.request.uri="/v2/debian/blobs/' "$REGISTRY_LOG" | awk '{ print $1 - 4 }')"

# --- a layout
rm -rf "$T/store"
check 'imports a layout' tool import "$T/debian" bookworm imported:1
check_fails 'asks which image is meant' 1 '^ENOTUNIQ' tool import "$T/debian" - imported:2
check_fails 'misses one that is not in it' 1 '^ENOENT: .*no image named' tool import "$T/debian" other imported:2
check_fails 'wants a layout' 1 '^ENOENT: .*oci-layout' tool import "$T" - imported:2
manifest=$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "bookworm").digest' "$T/debian/index.json")
blob=$T/debian/blobs/sha256/$(jq -r '.layers[0].digest' "$T/debian/blobs/sha256/${manifest#*:}" | cut -d: -f2)
printf x | dd of="$blob" bs=1 seek=1000000 conv=notrunc 2>/dev/null
rm -rf "$T/store"
check_fails 'a damaged blob is found' 1 '^EBADMSG: .*its content is' tool import "$T/debian" bookworm imported:3
ln -sf /etc/passwd "$T/debian/index.json"
check_fails 'a link leads nowhere outside' 1 '^E' tool import "$T/debian" bookworm imported:4

# --- a full disk
mkdir "$T/small"
mount -t tmpfs -o size=40m lcx-test-small "$T/small"
defer "umount '$T/small'"
check_fails 'a full disk is an error with words' 1 '^ENOSPC' \
	"$BUILD/tests/image-tool" "$T/small/store" --plain-http pull "$REGISTRY/debian:bookworm"
check 'and leaves a store that can be cleaned' "$BUILD/tests/image-tool" "$T/small/store" gc
