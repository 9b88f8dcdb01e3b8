#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, mounts are the same there
# Volumes that come and go while a container runs, also one that does not want them where they go.
. "${SRC:?}/tests/system/lib.sh"
need busybox
make_rootfs "$T/rootfs"
cp "$BUILD/tests/probe" "$T/rootfs/bin"
mkdir "$T/rootfs/data" "$T/rootfs/other" "$T/volume" "$T/volume/below"
echo content >"$T/volume/file"
mount -t tmpfs below "$T/volume/below"
defer "umount $T/volume/below"
echo deep >"$T/volume/below/file"
echo alone >"$T/one-file"
: >"$T/rootfs/one"
lcx run -d --name c --network none --cap-add SYS_ADMIN --security-opt seccomp=unconfined --rootfs "$T/rootfs" sleep 1000 >/dev/null

check 'a directory comes' lcx mount c "$T/volume:/data"
check_eq 'with what is mounted below' 'content deep' "$(lcx exec c cat /data/file /data/below/file | xargs)"
check 'it can be written' lcx exec c touch /data/made
check_eq 'it is there' "$T/volume/made" "$(ls "$T/volume/made")"
check_fails 'twice in one place' 1 'there is a volume' lcx mount c "$T/volume:/data"
check 'a file comes, read-only' lcx mount c "$T/one-file:/one:ro"
check_eq 'it is read' alone "$(lcx exec c cat /one)"
check_fails 'and not written' 1 'Read-only' lcx exec c sh -c 'echo x >/one'
check_eq 'nothing of it is on the host' 1 "$(grep -c "$T/volume" /proc/self/mountinfo)"
check 'the file goes' lcx unmount c /one
check_eq 'what was there is there again' '' "$(lcx exec c cat /one)"
check 'the directory goes, with what is below' lcx unmount c /data
check_eq 'all of it' 0 "$(lcx exec c grep -c /data /proc/self/mountinfo || :)"
check_fails 'twice' 1 'no volume came' lcx unmount c /data

# What the container was made with stays, and what it puts in the way is not taken for the volume.
check_fails 'what covers /proc' 1 'no volume came' lcx unmount c /proc/keys
check_fails 'a place that is missing' 1 'make it there first' lcx mount c "$T/volume:/missing"
check_fails 'a source that is missing' 1 'No such file' lcx mount c "$T/missing:/data"
check_fails 'propagation' 1 'private' lcx mount c "$T/volume:/data:rshared"
check_fails 'an option of a file system' 1 'no option of a bind mount' lcx mount c "$T/volume:/data:size=1m"
mkdir "$T/rootfs/data/keys"
check 'a volume on a name that /proc has' lcx mount c "$T/volume:/data/keys"
lcx exec c sh -c 'mv /data /away && ln -s /proc /data'
check_fails 'a link in its way leads nowhere else' 1 'not that volume' lcx unmount c /data/keys
check_eq 'and keys stay covered' '' "$(lcx exec c cat /proc/keys)"
lcx exec c sh -c 'rm /data && mv /away /data'
check 'it goes from where it was' lcx unmount c /data/keys
ln -s / "$T/rootfs/out"
check 'a link that leads out leads in' lcx mount c "$T/volume:/out/other"
check_eq 'of the container' content "$(lcx exec c cat /other/file)"
lcx exec c mount -t tmpfs over /other
check_fails 'covered by the container itself' 1 'not that volume' lcx unmount c /out/other

lcx stop -t 0 c >/dev/null
check_fails 'a stopped one' 1 'not running' lcx mount c "$T/volume:/data"
lcx start c >/dev/null
check_eq 'does not have it when it starts again' 0 "$(lcx exec c grep -c /other /proc/self/mountinfo || :)"
check 'but may have it' lcx mount c "$T/volume:/out/other"
lcx rm -f c >/dev/null

lcx run -d --name u --userns auto --network none --rootfs "$T/rootfs" sleep 1000 >/dev/null
check 'with users of its own' lcx mount u "$T/volume:/data:idmap"
check_eq 'whose files they are' 0 "$(lcx exec u stat -c %u /data/file)"
check 'goes as well' lcx unmount u /data
lcx rm -f u >/dev/null
check_eq 'no container is left' '' "$(lcx ps -aq)"
