# SPDX-License-Identifier: MIT
# guest: no, mounts are the same there
# Volumes with names, and anonymous ones: filled once, kept, shared, refused while in use, gone with who had them.
. "${SRC:?}/tests/system/lib.sh"
need busybox jq strace
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
lcx import --ref latest "$T/layout" box >/dev/null
volumes=$T/lcx-root/volumes
run() { lcx run --rm --network none "$@"; }
create() { lcx create --network none "$@"; }
names() { lcx volume ls -q | xargs; }

# An image that brings files, with owners, modes, links; and wants volumes.
lcx run --name maker --network none box sh -c '
	mkdir -p /data/sub /plain && echo of-image >/data/sub/file && ln -s sub/file /data/link && ln /data/sub/file /data/hard &&
	chown -R 1000:50 /data && chmod 4711 /data/sub/file && chmod 2750 /data && mkfifo /data/fifo && touch /data/x.wh.x'
lcx commit --change 'VOLUME ["/data"]' maker wants >/dev/null
lcx commit maker brings >/dev/null
lcx rm maker >/dev/null

# --- the first use

run -v named:/data brings true
check_eq 'it gets what the image has' of-image "$(cat "$volumes/named/data/sub/file")"
check_eq 'with owners and modes' '2750 1000 50' "$(stat -c '%a %u %g' "$volumes/named/data")"
check_eq 'set-user-ID, too, and hard links' '4711 1000 2' "$(stat -c '%a %u %h' "$volumes/named/data/hard")"
check_eq 'links are links' sub/file "$(readlink "$volumes/named/data/link")"
check_eq 'nothing is left aside' 'data volume.json' "$(ls "$volumes/named" | xargs)"
run -v named:/data brings sh -c 'rm -r /data/* && echo mine >/data/own'
check_eq 'it keeps what was written, and is not filled again' own "$(run -v named:/other brings ls /other)"
run -v named:/data brings rm /data/own
check_eq 'nor when it is empty' '' "$(run -v named:/data brings ls /data)"
run -v bare:/data:nocopy brings true
check_eq 'nocopy: it stays empty' '' "$(ls "$volumes/bare/data")"
lcx volume create full >/dev/null
echo before >"$volumes/full/data/before"
check_eq 'what the user has put in it stays alone' before "$(run -v full:/data brings ls /data)"
check_eq 'where the image has nothing it is empty' '0 755' "$(run -v none:/new/place box sh -c 'echo $(ls /new/place | wc -l) $(stat -c %a /new/place)')"
check_eq 'where it has a file, too' '' "$(ls "$volumes/none/data"; create --name odd -v odd:/etc/passwd box true >/dev/null; ls "$volumes/odd/data")"
lcx rm odd >/dev/null
check_fails 'read-only' 1 'Read-only' run -v named:/data:ro brings touch /data/x
check_eq 'a link in the image leads nowhere else' "$(busybox sha256sum </etc/passwd)" \
	"$(run box sh -c 'ln -s / /out' && busybox sha256sum </etc/passwd)"
lcx run --name escaper --network none box ln -s / /out
lcx commit escaper escapes >/dev/null
lcx rm escaper >/dev/null
create --name out -v out:/out/etc escapes true >/dev/null
check_eq 'it is the container'"'"'s own root that is meant' '' "$(ls "$volumes/out/data" | grep -x -e os-release -e shadow || :)"
lcx rm out >/dev/null

# --- deeper ones, users, several at once

check_eq 'a volume covers nothing below it, whatever the order' 'deep flat' \
	"$(mkdir "$T/deep" && touch "$T/deep/deep" && run -v "$T/deep:/v/sub" -v over:/v box sh -c 'touch /v/flat; echo $(ls /v/sub) $(cd /v; ls | grep flat)')"
check_eq 'users of its own see their own files' '0 1000' \
	"$(run --userns auto -v users:/data brings sh -c 'touch /data/new; echo $(stat -c %u /data/new) $(stat -c %u /data/sub)')"
check_eq 'others with another range, too' '0 1000' "$(create --userns auto --name other box true >/dev/null; run --userns auto -v users:/data brings sh -c 'echo $(stat -c %u /data/new) $(stat -c %u /data/sub)'; lcx rm other >/dev/null)"
check_eq 'on the disk they are the image'"'"'s' '0 1000' "$(echo $(stat -c %u "$volumes/users/data/new" "$volumes/users/data/sub"))"
check_eq 'where no mount can map owners the copy has them' 1000 \
	"$(run --userns auto --storage-opt chown=copy -v copied:/data brings sh -c 'touch /data/new; stat -c %u /data')"
create --userns auto --storage-opt chown=copy --name copier -v again:/data brings true >/dev/null
owner=$(stat -c %u "$volumes/again/data")
touch "$volumes/again/fresh"
create --userns auto --storage-opt chown=copy --name other -v again:/data brings true >/dev/null
check_eq 'also if whoever filled it died before he noted that' "$owner" "$(stat -c %u "$volumes/again/data")"
lcx rm copier other >/dev/null
for i in 1 2 3 4; do create --name "c$i" -v shared:/data brings true >"$T/c$i" 2>&1 & done
wait
check_eq 'four that are made at once have one' 'of-image 4' "$(cat "$volumes/shared/data/sub/file") $(lcx ps -aq | wc -l)"

# --- in use, and gone

check_fails 'who has it is told' 1 "volume 'shared' is container 'c" lcx volume rm shared
check_eq 'prune leaves it alone' '' "$(lcx volume prune -af | grep -x shared || :)"
lcx rm c1 c2 c3 c4 >/dev/null
check 'nobody: it goes' lcx volume rm shared
check_fails 'it was there once' 1 "no volume 'shared'" lcx volume rm shared
check 'not there, and nobody cares' lcx volume rm -f shared
check_eq 'prune has taken all others' '' "$(names)"
create --name damaged -v kept:/data box true >/dev/null
damaged=$(ls "$T/lcx-root/containers")
cp "$T/lcx-root/containers/$damaged/container.json" "$T/saved"
echo '{' >"$T/lcx-root/containers/$damaged/container.json"
check_fails 'what cannot be read may have it' 1 "description can't be read" lcx volume rm kept
cp "$T/saved" "$T/lcx-root/containers/$damaged/container.json"
lcx rm damaged >/dev/null
lcx volume rm kept >/dev/null

# --- anonymous ones

run wants true
check_eq 'one that is removed at its end leaves none' '' "$(names)"
create --name wanting wants true >/dev/null
check_eq 'the image wants one' 64 "$(names | tr -d '\n' | wc -c)"
check_eq 'and fills it' of-image "$(cat "$volumes/$(names)/data/sub/file")"
check 'rm -v takes it' lcx rm -v wanting
check_eq 'it is gone' '' "$(names)"
create --name wanting wants true >/dev/null
anonymous=$(names)
lcx rm wanting >/dev/null
lcx gc >/dev/null
check_eq 'rm alone leaves it' "$anonymous" "$(names)"
check_eq 'it can be had by its name' of-image "$(run -v "$anonymous:/x" box cat /x/sub/file)"
check_eq 'no is an answer' "$anonymous" "$(echo n | lcx volume prune >/dev/null 2>&1; names)"
check_eq 'prune takes it' "$anonymous" "$(lcx volume prune -f)"
create --name wanting -v /own -v mine:/data wants true >/dev/null
check_eq 'what the user puts there is enough' 2 "$(lcx volume ls -q | wc -l)"
anonymous=$(lcx volume ls --format json | jq -r '.[] | select(.Anonymous == "true").Name')
create --name second -v "$anonymous:/x" box true >/dev/null
lcx rm -v wanting >/dev/null
check_eq 'rm -v leaves what another has, and what has a name' "$(printf '%s\nmine\n' "$anonymous" | sort | xargs)" "$(names)"
lcx rm -v second >/dev/null
lcx gc >/dev/null
check_eq 'and what was mounted by its name stays when that one has gone, too' "$(printf '%s\nmine\n' "$anonymous" | sort | xargs)" "$(names)"
lcx volume prune -af >/dev/null

# --- damaged records

mkdir "$volumes/empty" "$T/lcx-root/precious"
lcx volume create damaged >/dev/null
echo '{' >"$volumes/damaged/volume.json"
check_fails 'one that cannot be read is named' 1 "volume 'damaged'" lcx volume inspect damaged
check 'and can be removed' lcx volume rm damaged
check 'one without a record, too' lcx volume rm empty
for how in '' -v; do
	create --name damaged -v /own box true >/dev/null
	sed -i "s,\"$(names)\",\"../precious\"," "$T"/lcx-root/containers/*/container.json
	check "a container with a bad name of a volume goes${how:+ with its volumes}" lcx rm $how damaged
	check 'but nothing else does' test -d "$T/lcx-root/precious"
	lcx volume prune -f >/dev/null
done

# --- words

check_eq 'create tells its name' made "$(lcx volume create --label a=b made)"
check_eq 'twice is once' made "$(lcx volume create made)"
check_eq 'inspect' "made $volumes/made/data b" "$(lcx volume inspect made | jq -r '.[0] | "\(.Name) \(.Mountpoint) \(.Labels.a)"')"
check_fails 'no path is a name' 125 'must be' run -v ./made:/x box true
check_fails 'two on one place' 125 "a volume on '/x' already" run -v made:/x -v other:/x/ box true
check_fails 'the root' 125 'absolute path' run -v made:/ box true
check_fails 'an unknown option' 125 'nosuch' run -v made:/x:nosuch box true
create --name inspected -v made:/there/:ro -v /own box true >/dev/null
check_eq 'inspect of a container' "made $volumes/made/data /there ro false" \
	"$(lcx inspect inspected | jq -r '.[0].volumes[0] | "\(.name) \(.source) \(.destination) \(.options[0]) \(.anonymous)"')"
check_eq 'and of what has no name' '/own true' "$(lcx inspect inspected | jq -r '.[0].volumes[1] | "\(.destination) \(.anonymous)"')"
lcx rm -v inspected >/dev/null
lcx volume rm made >/dev/null
lcx run --name maker --network none box true
lcx commit --change 'VOLUME ["/proc/self/attr"]' maker evil >/dev/null
check_fails 'an image has no say over /proc' 125 "wants a volume on '/proc/self/attr'" run evil true
lcx commit --change 'VOLUME ["//proc//./self/attr/"]' maker evil >/dev/null
check_fails 'however it writes that' 125 "wants a volume on '/proc/self/attr'" run evil true
lcx commit --change 'VOLUME ["/./proc"]' maker evil >/dev/null
check 'nor do two names of one place cover it' run evil test -e /proc/self/status
lcx rm maker >/dev/null
lcx run --name maker --network none box sh -c 'ln -s /proc /p; ln -s /proc/self/attr /data' >/dev/null
lcx commit --change 'VOLUME ["/p/self/attr"]' maker evil >/dev/null
check_fails 'nor by a link' 125 'symbolic link' run evil true
lcx commit maker linked >/dev/null
lcx rm maker >/dev/null
check_fails "nor over what the user's volume comes to lie on" 125 'symbolic link' run -v mine:/data linked true
check_fails 'or his directory' 125 'symbolic link' run -v "$T:/data" linked true
lcx volume rm mine >/dev/null
check_eq 'nothing came of all that' '' "$(names)"

# --- deaths: at each system call that makes or removes something

moments=0 bad=
step=5
[ -z "${LCX_TEST_EVERY_CALL:-}" ] || step=1
for i in $(seq 1 "$step" 500); do
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o /dev/null -e trace=mkdirat,renameat,renameat2,unlinkat,fchownat,linkat,syncfs \
		-e inject=mkdirat,renameat,renameat2,unlinkat,fchownat,linkat,syncfs:signal=KILL:when="$i" \
		"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" create --network none --name dead -v named:/x wants true >/dev/null 2>&1 && done_=1 || done_=
	lcx gc >/dev/null 2>&1
	found=$(names)
	if lcx rm -v dead >/dev/null 2>&1; then want_anonymous=1; else want_anonymous=0; fi
	[ "$(echo "$found" | tr ' ' '\n' | grep -c '^.\{64\}$' || :)" = "$want_anonymous" ] || bad="$bad $i:$found"
	[ -z "$(ls -A "$volumes" | grep '^\.tmp' || :)" ] || bad="$bad $i:temporary"
	[ -z "$(names | tr ' ' '\n' | grep -v -x named || :)" ] || bad="$bad $i:left"
	lcx volume rm -f named >/dev/null
	[ -z "$done_" ] || break
	moments=$((moments + 1))
done
check_eq "killed at $moments moments, it leaves no volume that nobody has" '' "$bad"
check 'at some' test "$moments" -gt 2

# --- many at once
mkdir "$T/many"
mount -t tmpfs -o mode=700 many "$T/many"
defer 'umount "$T/many"'
make_rootfs "$T/rootfs"
check 'four threads make and remove containers with volumes' "$BUILD/tests/container-volumes" "$T/many" "$T/rootfs" 2000
check_eq 'and none is left' '' "$(ls "$T/many/volumes")"
