# SPDX-License-Identifier: MIT
# guest: no, archives are the same there
# A container's files from outside: diff, export, cp; by Docker's rules, and whatever the container does meanwhile.
. "${SRC:?}/tests/system/lib.sh"
need busybox setfattr getfattr python3

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
lcx import --ref latest "$T/layout" box >/dev/null
mkdir "$T/volume"
lcx run -d --name up --network none -v "$T/volume:/volume" box sh -c 'trap exit TERM; while :; do sleep 0.1; done' >/dev/null
defer 'lcx rm -f up'
lcx run --name down --network none box true
in_up() {
	lcx exec up "$@"
}

# --- diff

check_eq 'a container that did nothing has changed nothing' '' "$(lcx diff down)"
lcx run --name changed --network none box sh -c '
	mkdir -p /new/dir; echo 1 >/new/dir/file; rm /etc/issue; echo 2 >>/etc/passwd; rm -r /www; mkdir /www; echo 3 >/www/again
	chmod 750 /root; touch -t 200102030405 /new'
check_eq 'A, C and D' 'C /etc
D /etc/issue
C /etc/passwd
A /new
A /new/dir
A /new/dir/file
C /root
C /www
A /www/again' "$(lcx diff changed)"
check_eq 'of a running one, without its mounts' '' "$(lcx diff up)"
lcx run --name rootless-dir --rootfs / --network none true 2>/dev/null || :
check_fails 'one on a directory of the host has no layer' 1 'without a read-write layer' lcx diff rootless-dir
lcx rm rootless-dir >/dev/null

# --- export

lcx export changed >"$T/changed.tar"
check_eq 'export has what was added' 1 "$(tar xOf "$T/changed.tar" new/dir/file)"
check_fails 'and not what was deleted' 2 'Not found' tar xOf "$T/changed.tar" etc/issue
check_eq 'nothing below the image shows through' 'www/ www/again ' "$(tar tf "$T/changed.tar" | grep ^www | tr '\n' ' ')"
check 'exports one that runs, to a file' lcx export -o "$T/up.tar" up
check_eq 'without what is mounted in it' 'volume/ ' "$(tar tf "$T/up.tar" | grep ^volume | tr '\n' ' ')"
check_eq 'and what the kernel makes up' 'proc/ ' "$(tar tf "$T/up.tar" | grep ^proc | tr '\n' ' ')"
lcx export up | cmp - "$T/up.tar" && pass 'the same bytes again' || fail 'the same bytes again'

# --- cp: Docker's table, for one that runs and one that does not

mkdir -p "$T/src/sub"
echo one >"$T/src/file"
echo two >"$T/src/sub/two"
ln -s sub "$T/src/link"
ln "$T/src/file" "$T/src/hard"
mkfifo "$T/src/fifo"
chmod 640 "$T/src/file"
chown 1234:2345 "$T/src/file"
touch -d '2001-02-03 04:05:06.123456789' "$T/src/file" "$T/src/sub"
python3 -c 'open("'"$T"'/src/line\nbreak \377".encode("latin1"), "w")'
list() { # DIR: all that matters of what is in it
	(cd "$1" && find . -mindepth 1 -printf '%P %y %m %s %l %n %T@\n' | LC_ALL=C sort | sed 's/^\([^ ]* d [0-9]*\) [0-9]*/\1/')
}
for c in up down; do
	check "$c: a file to a new name" lcx cp "$T/src/file" "$c:/root/new"
	check "$c: a file over a file" lcx cp "$T/src/sub/two" "$c:/root/new"
	check_eq "$c: has the second's content" two "$(lcx cp "$c:root/new" - | tar xO)"
	check "$c: a file into a directory" lcx cp "$T/src/file" "$c:/root"
	check_eq "$c: under its own name" one "$(lcx cp "$c:/root/file" - | tar xO file)"
	check_eq "$c: it is root's there" '0/0 -rw-r-----' "$(lcx cp "$c:/root/file" - | tar tvn --numeric-owner -f - | awk '{ print $2, $1 }')"
	check "$c: keeps the owner if asked" lcx cp -a "$T/src/file" "$c:/root/owned"
	check_eq "$c: kept it" 1234/2345 "$(lcx cp "$c:/root/owned" - | tar tv --numeric-owner -f - | awk '{ print $2 }')"
	check_fails "$c: a file to a directory that is not there" 1 'No such file' lcx cp "$T/src/file" "$c:/nothing/"
	check_fails "$c: into a directory that is not there" 1 'No such file' lcx cp "$T/src/file" "$c:/nothing/file"
	check_fails "$c: a directory over a file" 1 'is a file' lcx cp "$T/src" "$c:/root/file"
	check_fails "$c: a source that is not there" 1 'No such file' lcx cp "$T/none" "$c:/root/"
	check "$c: a directory to a new name" lcx cp "$T/src" "$c:/copy"
	check "$c: a directory into a directory" lcx cp "$T/src" "$c:/copy"
	check "$c: what is in a directory" lcx cp "$T/src/." "$c:/copy/sub"
	rm -rf "$T/back" && mkdir "$T/back"
	check "$c: out into a directory" lcx cp "$c:/copy/src" "$T/back"
	check_eq "$c: there and back is the same" "$(list "$T/src")" "$(list "$T/back/src")"
	check "$c: out to a new name" lcx cp "$c:/copy/sub/." "$T/back/new"
	check_eq "$c: has all" "$(ls "$T/src/sub" "$T/src" | grep -a -v : | LC_ALL=C sort -u | tr '\n' ' ')" \
		"$(ls "$T/back/new" "$T/back/new/sub" | grep -a -v : | LC_ALL=C sort -u | tr '\n' ' ')"
	check_eq "$c: what was copied out is the caller's" 0:0 "$(stat -c %u:%g "$T/back/src/file")"
	check "$c: out over a file" lcx cp "$c:/copy/file" "$T/back/src/hard"
	check "$c: a link is copied as a link" lcx cp "$c:/copy/link" "$T/back/aslink"
	check_eq "$c: it is one" sub "$(readlink "$T/back/aslink")"
	check "$c: or followed" lcx cp -L "$c:/copy/link" "$T/back/followed"
	check "$c: it is a directory" test -f "$T/back/followed/two"
	check_fails "$c: a directory can't replace a file" 1 "can't be overwritten" sh -c '
		mkdir -p "$T/odd/file" && "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" cp "$T/odd/." "$0:/copy"' "$c"
	check "$c: a tar from standard input" sh -c 'tar cf - -C "$T/src" file sub |
		"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" cp - "$0:/tmp"' "$c"
	check_eq "$c: it is there" two "$(lcx cp "$c:/tmp/sub/two" - | tar xO)"
	check_eq "$c: names of a tar begin with the source's" 'sub/ sub/two ' "$(lcx cp "$c:/tmp/sub" - | tar t | tr '\n' ' ')"
	check_eq "$c: or not" 'two ' "$(lcx cp "$c:/tmp/sub/." - | tar t | tr '\n' ' ')"
done
check 'a stopped one still starts' lcx start down
check_fails 'neither side is a container' 125 'must be CONTAINER:PATH' lcx cp "$T/src" "$T/other"

# --- attributes, volumes, links

printf x >"$T/attr"
setfattr -n user.note -v text "$T/attr" 2>/dev/null && attributes=1 || attributes=
lcx cp "$T/attr" up:/root/attr
lcx cp up:/root/attr "$T/attr.back"
if [ "$attributes" ]; then
	check_eq 'extended attributes go along' text "$(getfattr --absolute-names --only-values -n user.note "$T/attr.back")"
else
	skip 'extended attributes go along' 'not on this file system'
fi
check 'into a volume' lcx cp "$T/src/file" up:/volume/
check_eq 'which is the host'"'"'s directory' one "$(cat "$T/volume/file")"
check 'into what is mounted there only' lcx cp "$T/src/file" up:/dev/shm/file
check_eq 'as its process sees it' one "$(in_up cat /dev/shm/file)"
check 'a whole container is copied without its kernel files' lcx cp up:/. "$T/whole"
check_eq 'they are empty there' '' "$(ls -A "$T/whole/proc" "$T/whole/dev" "$T/whole/sys" | grep -v : || :)"
in_up sh -c 'ln -s /volume /to-volume; ln -s /etc/../../../../../../volume/through /dangling; ln -s / /rootlink; ln -s /proc/1/root/etc /magic; ln -s loop /loop'
check 'a link on the way leads where the container sees it' lcx cp "$T/src/sub/two" up:/to-volume/two
check_eq 'there it is' two "$(cat "$T/volume/two")"
check 'a link at the end, too' lcx cp "$T/src/sub/two" up:/dangling
check_eq 'never outside' two "$(cat "$T/volume/through")"
check_fails 'no magic link is followed' 1 'Too many levels' lcx cp "$T/src/file" up:/magic/file
check_fails 'a loop ends' 1 'Too many levels' lcx cp "$T/src/file" up:/loop
check 'dots end at the root' lcx cp up:/../../../../etc/passwd "$T/passwd"
check_eq 'the container'"'"'s root' "$(in_up cat /etc/passwd)" "$(cat "$T/passwd")"

# --- what a container may not do to the host

in_up sh -c 'mkdir /evil; cp /bin/busybox /evil/suid; chmod 6755 /evil/suid; mkdir /evil/dev'
lcx cp -a up:/evil "$T/evil"
check_eq 'no set-id bit comes out' 755 "$(stat -c %a "$T/evil/suid")"
mknod "$T/node" c 1 3
lcx cp "$T/node" up:/evil/dev/node
check_fails 'no device node comes out' 1 'not taken out' lcx cp up:/evil "$T/evil2"
in_up sh -c 'rm -r /evil; mkdir /evil; ln -s '"$T/outside"' /evil/link'
mkdir "$T/outside" "$T/evil3" "$T/evil3/evil"
ln -s "$T/outside" "$T/evil3/evil/link2"
echo kept >"$T/outside/file"
lcx cp up:/evil "$T/evil3"
check_eq 'a link that was copied is not followed' "$T/outside" "$(readlink "$T/evil3/evil/link")"
python3 - >"$T/evil.tar" <<'PY'
import io, sys, tarfile
t = tarfile.open(fileobj=sys.stdout.buffer, mode="w|")
def add(name, type, link="", data=b""):
    i = tarfile.TarInfo(name); i.type = type; i.linkname = link; i.size = len(data); t.addfile(i, io.BytesIO(data))
add("l", tarfile.SYMTYPE, "/volume")
add("l/through-link", tarfile.REGTYPE, data=b"x")
t.close()
PY
check_fails 'a tar does not get through its own links' 1 "'l/through-link'" sh -c '
	"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" cp - up:/tmp <"$T/evil.tar"'
check 'nothing came out of it' test ! -e "$T/volume/through-link"

# --- a container that swaps directories for links all the time, while files go in and out

cat >"$T/swap.sh" <<'SWAP'
mkdir -p /race/real /race/spare
echo inside >/race/real/secret
while :; do
	ln -s HOST /race/link 2>/dev/null
	mv /race/real /race/aside && mv /race/link /race/real
	mv /race/real /race/link && mv /race/aside /race/real
done
SWAP
mkdir -p "$T/outside/dir"
echo host >"$T/outside/secret"
echo host >"$T/outside/dir/secret"
sed -i "s|HOST|$T/outside|" "$T/swap.sh"
lcx cp "$T/swap.sh" up:/swap.sh
lcx exec -d up sh /swap.sh
before=$(cd "$T/outside" && find . -printf '%p %i %s %T@ %C@\n' | sort)
wrong=0 rounds=0 in_ok=0
end=$(($(date +%s) + 8))
while [ "$(date +%s)" -lt "$end" ] && [ "$rounds" -lt 150 ]; do
	rounds=$((rounds + 1))
	lcx cp "$T/src/sub" up:/race/real >/dev/null 2>&1 && in_ok=$((in_ok + 1))
	lcx cp "$T/src/file" up:/race/real/secret >/dev/null 2>&1 || :
	rm -rf "$T/out"
	lcx cp up:/race/real "$T/out" >/dev/null 2>&1 || :
	[ ! -e "$T/out" ] || [ -L "$T/out" ] || ! grep -rqs host "$T/out" || wrong=$((wrong + 1))
	lcx cp up:/race/real/secret "$T/out.secret" >/dev/null 2>&1 || :
	[ ! -f "$T/out.secret" ] || ! grep -qs host "$T/out.secret" || wrong=$((wrong + 1))
	rm -f "$T/out.secret"
done
check_eq "no file of the host came out ($rounds rounds)" 0 "$wrong"
check_eq "no file came to be on the host ($in_ok went in)" "$before" "$(cd "$T/outside" && find . -printf '%p %i %s %T@ %C@\n' | sort)"
check 'some copies did succeed' test "$in_ok" -gt 0
