# SPDX-License-Identifier: MIT
# Containers that are written to disk by criu and go on from there, by lcx and by lcx-runtime. Debian's criu gets
# on with the guest's kernel; with one that it doesn't know, here, refusals are tried, and criu's that lie.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/oci.sh"
. "$SRC/tests/system/engines.sh"
need criu python3
cp "$BUILD/tests/probe" "$T/rootfs/bin"

mkdir "$T/vol"
echo 'seen in the volume' >"$T/vol/file"
ip link set lo up
count='i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done'
pid_of() { lcx inspect "$1" | jq '.. | .Pid? // .pid? // empty' | head -n 1; }
state() { lcx ps -a --format '{{.State}}' --filter name="$1"; }
lines() { lcx logs "$1" | wc -l; }
writes_more_than() { [ "$(lines "$1")" -gt "$2" ]; }
# Every number once, in order.
is_gapless() { lcx logs "$1" | awk '$1 != NR { bad = 1 } END { exit bad }'; }
ends() { ! kill -0 "$1"; }

real() {
	# What protects it, as the kernel tells; and its mounts, with their flags. criu gives it a time namespace, for its clocks.
	audit() { lcx inspect --security "$1" | jq -S 'del(.. | .pid?, .Pid?, .time?) | walk(if type == "array" then sort_by(tostring) else . end)'; }
	flags() { awk '{ print $5, $6 }' "/proc/$(pid_of "$1")/mountinfo" | sort; }
	address() { lcx inspect c | grep -i '"ipaddress"\|"macaddress"' || :; }

	# With a connection and a lock, which criu wants to be told of.
	lcx run -d --name c --rootfs "$T/rootfs" -v "$T/vol:/data:ro" -v "$T/vol:/again:ro" -m 64m -p 8081:80 \
		sh -c "probe lock /dev/shm/lock & : >/tmp/got; tail -f /dev/null | nc -l -p 5000 >/tmp/got & sleep 1
			touch /tmp/sent; tail -f /tmp/sent | nc 127.0.0.1 5000 & $count" >/dev/null
	wait_for 10 writes_more_than c 5
	pid=$(pid_of c)
	connected() { lcx exec c netstat -tn | grep -q ESTABLISHED; }
	check 'it is connected' wait_for 10 connected
	check_fails 'a connection that is not asked for' 1 'consider using --tcp-established' lcx checkpoint c
	untouched 'a dump that criu refuses'
	check_fails 'a lock that is not asked for' 1 'file-locks' lcx checkpoint --tcp-established c
	both='--tcp-established --file-locks'
	audit c >"$T/audit"
	flags c >"$T/flags"
	address >"$T/address"

	# shellcheck disable=SC2086
	check 'its memory before' lcx checkpoint --pre-dump $both --image-path "$T/step" c
	# shellcheck disable=SC2086
	check 'a checkpoint with what has changed, and it goes on' lcx checkpoint --leave-running $both --parent-path ../step --image-path "$T/changes" c
	# shellcheck disable=SC2086
	check 'one with everything' lcx checkpoint --leave-running $both --image-path "$T/copy" c
	first=$(stat -c %i "$T/copy")
	# shellcheck disable=SC2086
	check 'another one in its place' lcx checkpoint --leave-running $both --image-path "$T/copy/" c
	check_eq 'which is the only one' "$T/copy" "$(echo "$T"/copy*)"
	check 'and new' test "$(stat -c %i "$T/copy")" -ne "$first"
	check_eq 'it runs' running "$(state c)"
	# shellcheck disable=SC2086
	check 'a checkpoint' lcx checkpoint $both c
	check_eq 'it has ended' exited "$(state c)"
	before=$(lines c)
	# shellcheck disable=SC2086
	check 'restored' lcx restore $both c
	check 'it goes on' wait_for 10 writes_more_than c "$((before + 5))"
	check 'from where it was, into the same log' is_gapless c
	lcx exec c sh -c 'echo through >>/tmp/sent'
	through() { lcx exec c grep -q through /tmp/got; }
	check 'its connection carries on' wait_for 10 through
	check_fails 'its lock is held' 1 'Resource temporarily unavailable' lcx exec c probe lock /dev/shm/lock
	check_eq 'protected as before' "$(cat "$T/audit")" "$(audit c)"
	check_eq 'with mounts as they were' "$(cat "$T/flags")" "$(flags c)"
	check_eq 'with its addresses' "$(cat "$T/address")" "$(address)"
	pid=$(pid_of c)
	check_eq 'in its cgroup, with its limit' 67108864 "$(cat "/sys/fs/cgroup$(cut -d: -f3 "/proc/$pid/cgroup")/memory.max")"
	check_eq 'exec' 'seen in the volume' "$(lcx exec c cat /data/file)"
	check_fails 'there is no checkpoint left' 1 'has no checkpoint' sh -c "
		\"$BUILD/examples/lcx/lcx\" --root $T/lcx-root --run-dir $T/lcx-run stop -t 0 c &&
		\"$BUILD/examples/lcx/lcx\" --root $T/lcx-root --run-dir $T/lcx-run restore c"
	check 'its process has ended' wait_for 10 ends "$pid"
	check 'it is removed' lcx rm -f c

	lcx run -d -t --name t --rootfs "$T/rootfs" --network none sh -c "$count" >/dev/null
	wait_for 10 writes_more_than t 5
	check 'one with a terminal' lcx checkpoint t
	before=$(lines t)
	check 'is restored' lcx restore t
	check 'and goes on' wait_for 10 writes_more_than t "$((before + 5))"
	check_eq 'with its terminal' /dev/pts/0 "$(readlink "/proc/$(pid_of t)/fd/0")"
	lcx rm -f t >/dev/null

	# From an image, with a read-write layer.
	sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
	lcx import --ref latest "$T/layout" box >/dev/null
	lcx run -d --name i --network none box sh -c "echo made >/made; $count" >/dev/null
	wait_for 10 writes_more_than i 5
	check 'one from an image' lcx checkpoint i
	check 'is restored, too' lcx restore i
	check_eq 'with what it has written' made "$(lcx exec i cat /made)"
	lcx rm -f i >/dev/null

	# By an engine's runtime: no network of the library's, streams of the caller's.
	bundle "$T/b" ".process.args = [\"sh\", \"-c\", $(printf '%s' "$count" | jq -R .)]"
	runtime run -d --bundle "$T/b" r >>"$T/out" 2>&1 </dev/null
	counted() { [ "$(wc -l <"$T/$1")" -gt "$2" ]; }
	check 'the runtime runs it' wait_for 10 counted out 5
	check 'and checkpoints it' runtime checkpoint --image-path "$T/images" r
	check_fails 'it is gone' 1 'does not exist' runtime state r
	before=$(wc -l <"$T/out")
	check 'and restores it' sh -c "\"$BUILD/examples/lcx-runtime/lcx-runtime\" --root $T/root restore -d --bundle $T/b \
		--image-path $T/images --pid-file $T/pid r </dev/null >>$T/out 2>&1 || { tail -n 1 $T/out; exit 1; }"
	check 'it goes on' wait_for 10 counted out "$((before + 5))"
	check 'from where it was' awk '$1 != NR { exit 1 }' "$T/out"
	check_eq 'it is what the runtime says' "running $(cat "$T/pid")" "$(runtime state r | jq -r '"\(.status) \(.pid)"')"
	elsewhere_for_real
	check_match 'features say so' '"org.opencontainers.runc.checkpoint.enabled":"true"' "$(runtime features)"
}

# Its memory goes to a page server, and then page by page to who restores: all of it arrives.
elsewhere_for_real() {
	listens() { ss -Hltn | grep -q "127.0.0.1:$1 "; }
	restored() { # OPTION...
		"$BUILD/examples/lcx-runtime/lcx-runtime" --root "$T/root" restore -d --bundle "$T/b" "$@" </dev/null >>"$T/out" 2>&1
	}
	sum_of() { # what the processes find in their memory
		rm -f "$T/b/rootfs/sum"
		: >"$T/b/rootfs/check"
		wait_for 10 test -s "$T/b/rootfs/sum"
		cat "$T/b/rootfs/sum"
	}
	runtime delete --force r
	bundle "$T/b" ".process.args = [\"sh\", \"-c\", $(printf '%s' "x=\$(seq 1 30000); i=0; while :; do i=\$((i+1)); echo \$i
		[ ! -e /check ] || { rm /check; echo \"\$x\" | md5sum >/sum.new; mv /sum.new /sum; }; sleep 0.05; done" | jq -R -s .)]"
	runtime run -d --bundle "$T/b" r >"$T/out" 2>&1 </dev/null
	wait_for 10 counted out 5
	mkdir -m 700 "$T/served"
	timeout 60 criu page-server -D "$T/served" --address 127.0.0.1 --port 27301 &
	server=$!
	wait_for 10 listens 27301
	check 'a checkpoint with a page server' runtime checkpoint --page-server 127.0.0.1:27301 --image-path "$T/served" --work-path "$T/served.work" r
	check 'which has got the memory' wait "$server"
	check 'restored from there' restored --image-path "$T/served" r
	check_eq 'with its memory' "$(seq 1 30000 | md5sum)" "$(sum_of)"

	mkfifo "$T/ready"
	(exec "$BUILD/examples/lcx-runtime/lcx-runtime" --root "$T/root" checkpoint --lazy-pages --page-server 127.0.0.1:27302 \
		--status-fd 9 --image-path "$T/lazily" r 9>"$T/ready") &
	dump=$!
	check_eq 'a lazy checkpoint says when its memory can be fetched' ' 00' "$(od -An -tx1 <"$T/ready")"
	check_eq 'and there only' '127.0.0.1:27302' "$(ss -Hltn | awk '{ print $4 }' | grep ':27302$')"
	check 'it is still there' kill -0 "$dump"
	mkdir -m 700 "$T/lazily.work"
	timeout 60 criu lazy-pages --page-server --address 127.0.0.1 --port 27302 -D "$T/lazily" -W "$T/lazily.work" &
	pages=$!
	check 'who has the pages is there' wait_for 10 test -S "$T/lazily.work/lazy-pages.socket"
	check 'restored lazily' restored --lazy-pages --work-path "$T/lazily.work" --image-path "$T/lazily" s
	check 'all was fetched' wait "$pages"
	check 'and the first has ended' wait "$dump"
	check_fails 'and is gone' 1 'does not exist' runtime state r
	check_eq 'its memory is the same' "$(seq 1 30000 | md5sum)" "$(sum_of)"
	check 'nothing was lost' awk '$1 != NR { exit 1 }' "$T/out"
	runtime delete --force s
	check_fails 'images whose memory is elsewhere' 1 'has no memory' runtime restore -d --bundle "$T/b" --image-path "$T/lazily" s
}

# A criu of the test's own in the place of the machine's, which says WHAT.
liar() { # WHAT
	cat >"$T/liar" <<END
#!/usr/bin/python3
import socket, sys
s = socket.socket(fileno=int(sys.argv[2]))
request = s.recv(65536)
if request[:2] == b'\x08\x0a':
    s.send(b'\x08\x0a\x10\x01\x52\x04\x08\x03\x10\x11')
    sys.exit()
$1
END
	chown 0 "$T/liar"
	chmod 755 "$T/liar"
	mount --bind "$T/liar" /usr/sbin/criu
}
honest() { umount /usr/sbin/criu; }
untouched() { # NAME
	check "$1: it runs on" sh -c "kill -0 $pid"
	check_eq "$1: nothing half-made" '' "$(cd "$T"/lcx-root/containers/* && ls -d checkpoint* 2>/dev/null)"
}

# Each option, as criu gets it: the member of its message and the value.
options() {
	liar "def number(b):
    n = shift = 0
    while True:
        c = b.pop(0)
        n |= (c & 127) << shift
        shift += 7
        if c < 128: return n
def members(b):
    b = list(b)
    while b:
        key = number(b)
        value = number(b)
        if key & 7 == 2: value, b = bytes(b[:value]), b[value:]
        yield key >> 3, value
whole = dict(members(request))
print('type', whole[1], file=open('$T/request', 'w'))
for key, value in members(whole[2]):
    print(key, value.decode('latin1') if isinstance(value, bytes) else value, file=open('$T/request', 'a'))"
	runtime run -d --bundle "$T/b" o </dev/null >/dev/null 2>&1
	mkdir -p -m 700 "$T/o"
	while read -r command member value option; do
		rm -f "$T/request"
		# shellcheck disable=SC2086
		case $command in
		checkpoint) check_fails "asked: $command $option" 1 'ended without an answer' runtime checkpoint --image-path "$T/o/images" $option o ;;
		restore) check_fails "asked: $command $option" 1 'ended without an answer' \
			runtime restore -d --bundle "$T/b" --image-path "$T/forged" $option p </dev/null ;;
		esac
		check "criu gets it: $command $option" grep -qx "$member $value" "$T/request"
	done <<-'END'
		checkpoint type 1
		checkpoint type 4 --pre-dump
		checkpoint 15 1 --pre-dump
		checkpoint 14 ../before --parent-path ../before
		checkpoint 3 1 --leave-running
		checkpoint 4 1 --ext-unix-sk
		checkpoint 5 1 --tcp-established
		checkpoint 7 1 --shell-job
		checkpoint 8 1 --file-locks
		checkpoint 16 1 --auto-dedup
		checkpoint 18 1 --link-remap
		checkpoint 46 1 --tcp-skip-in-flight
		checkpoint 34 0 --manage-cgroups-mode ignore
		checkpoint 48 1 --lazy-pages --page-server 127.0.0.1:5000
		restore type 2
		restore 4 1 --ext-unix-sk
		restore 5 1 --tcp-established
		restore 7 1 --shell-job
		restore 8 1 --file-locks
		restore 16 1 --auto-dedup
		restore 48 1 --lazy-pages
		restore 52 1 --tcp-close
		restore 53 apparmor:other --lsm-profile apparmor:other
		restore 63 context --lsm-mount-context context
	END
	honest
	runtime delete --force o
	for mode in soft full strict; do
		check_fails "cgroups: $mode" 1 "'$mode' can't be had: the library makes the cgroup" runtime restore --manage-cgroups-mode "$mode" x
	done
}

# In a root that is new, as from an archive, there is nothing to mount on; criu makes no such places. A link leads nowhere
# but in the root, and what is bound has its own.
places() {
	cp -a "$T/rootfs" "$T/fresh"
	ln -s /etc "$T/fresh/elsewhere"
	mkdir "$T/outer" "$T/shut"
	lcx create --name p --rootfs "$T/fresh" --network none -v "$T/vol:/far/from/here" -v "$T/vol/file:/run/deep/.file" \
		-v "$T/vol:/elsewhere/lcx-linked" -v "$T/outer:/outer" -v "$T/vol:/outer/in/it" -v "$T/shut:/shut:ro" -v "$T/vol:/shut/in" \
		-v "$T/vol:/dev/in" sh >/dev/null
	liar pass
	bundle "$T/b"
	piped() { echo | runtime restore -d --bundle "$T/b" --image-path "$T/forged" z; }
	echo '["file[1:2]", "", ""]' >"$T/forged/descriptors.json"
	check_fails 'a pipe where a file was' 1 'its standard input was a file, and what it is given now is none' piped
	echo '["null:file[1:2]", "", ""]' >"$T/forged/descriptors.json"
	check_fails 'where nothing was there is nothing again' 1 'criu ended without an answer' piped
	echo '["", "", ""]' >"$T/forged/descriptors.json"
	: >"$T/forged/lcx-lazy"
	check_fails 'images whose memory was fetched' 1 'has no memory: it is fetched by a restore' lcx restore --image-path "$T/forged" p
	rm "$T/forged/lcx-lazy"
	check_fails 'a restore into a new root' 1 'criu ended without an answer' lcx restore --image-path "$T/forged" p
	honest
	check 'has made a directory to mount on' test -d "$T/fresh/far/from/here"
	check 'a file' test -f "$T/fresh/run/deep/.file"
	check 'within the root, wherever a link leads' test -d "$T/fresh/etc/lcx-linked" -a ! -e /etc/lcx-linked
	check_eq 'and in what is bound, if that may be written' "$T/outer/in/it" "$(find "$T/fresh/outer" "$T/outer" "$T/shut" "$T/fresh/shut" -type d -empty -path '*/i*')"
	check 'nothing where a file system comes with its files' test -d "$T/fresh/dev" -a ! -e "$T/fresh/dev/in"
	lcx rm p >/dev/null
}

# A caller that is killed, and a criu that lives on: what it writes is removed once it doesn't write any more. What has
# the name by then is looked at.
killed() {
	# Its descriptor 4 is the directory; it ends when there is a file in it.
	liar "import os, time
[os.close(os.open('/proc/self/fd/4/' + n, os.O_CREAT | os.O_WRONLY, 0o600)) for n in ('pages-1.img', 'dir.img')]
while not os.access('/proc/self/fd/4/go', os.F_OK): time.sleep(0.01)"
	written() { ls "$T"/older.*/dir.img 2>/dev/null; }
	unlocked() { flock -n "$1" true; }
	killed_with() { # IMAGE-PATH WHAT-IT-MAKES
		(exec "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" checkpoint --image-path "$1" c) &
		job=$!
		wait_for 10 test -e "$2/dir.img"
		kill -9 "$job" && wait "$job" || :
	}
	(exec "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" checkpoint --image-path "$T/older" c) &
	job=$!
	check 'a dump beside an older checkpoint' wait_for 10 written
	aside=$(dirname "$(written)")
	kill -9 "$job" && wait "$job" || :
	lcx ps >/dev/null
	check 'its caller is killed, and criu writes on' test -e "$aside/dir.img"
	: >"$aside/go"
	wait_for 10 unlocked "$aside"
	lcx ps >/dev/null
	check_eq 'it has ended: nothing is left' "$T/older descriptors.json inventory.img pstree.img" \
		"$(echo "$T"/older* "$(ls "$T/older")" | tr '\n' ' ' | sed 's/ $//')"

	killed_with "$T/new" "$T/new"
	mkdir "$T/new/x.img"
	: >"$T/new/dump.log"
	: >"$T/new/go"
	wait_for 10 unlocked "$T/new"
	lcx ps >/dev/null
	check_eq 'a new image path: images go, and what is none stays' 'go x.img' "$(ls "$T/new" | tr '\n' ' ' | sed 's/ $//')"
	check "and the claim with them" sh -c "! ls $T/lcx-root/containers/*/checkpoint.claim"
	rm -r "$T/new"

	killed_with "$T/new" "$T/new"
	: >"$T/new/go"
	wait_for 10 unlocked "$T/new"
	rm "$T/new"/*
	: >"$T/new/dir.img"
	lcx ps >/dev/null
	check "the same directory, with a checkpoint of another's: it stays" test -e "$T/new/dir.img"
	rm -r "$T/new"

	# As long as the name is a claim only.
	swapped() { # NAME COMMAND...
		name=$1
		shift
		killed_with "$T/parent/swap" "$T/parent/swap"
		: >"$T/parent/swap/go"
		wait_for 10 unlocked "$T/parent/swap"
		"$@"
		lcx ps >/dev/null
		check "$name: it is not touched" test -e "$T/victim/dir.img"
		umount "$T/parent/swap" 2>/dev/null || :
		rm -rf "$T/parent" "$T/away" && mkdir "$T/parent"
	}
	mkdir "$T/parent" "$T/victim"
	: >"$T/victim/dir.img"
	chmod 700 "$T/victim"
	killed_with "$T/parent/swap" "$T/parent/swap"
	: >"$T/parent/swap/go"
	wait_for 10 unlocked "$T/parent/swap"
	mv "$T/parent" "$T/away"
	lcx ps >/dev/null
	mv "$T/away" "$T/parent"
	lcx ps >/dev/null
	check_eq "a directory that wasn't there, as before a mount: it is waited for" go "$(ls "$T/parent/swap")"
	rm -r "$T/parent/swap"
	by_link() { rm -r "$T/parent/swap" && ln -s "$T/victim" "$T/parent/swap"; }
	by_mount() { mount --bind "$T/victim" "$T/parent/swap"; }
	swapped 'a link in its place' by_link
	swapped 'another directory' by_mount
	killed_with "$T/parent/swap" "$T/parent/swap"
	: >"$T/parent/swap/go"
	wait_for 10 unlocked "$T/parent/swap"
	mv "$T/parent" "$T/away"
	ln -s away "$T/parent"
	lcx ps >/dev/null
	check 'a link on the way: it is not followed' test -e "$T/away/swap/dir.img"
	rm "$T/parent"
	mv "$T/away" "$T/parent"
	check "and the claim is forgotten" sh -c "! ls $T/lcx-root/containers/*/checkpoint.claim"

	# What is left outside goes with the container.
	(exec "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" run -d --name gone --rootfs "$T/rootfs" --network none sleep 600 >/dev/null)
	of_gone() {
		(exec "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" checkpoint --image-path "$T/new" gone) &
		job=$!
		wait_for 10 test -e "$T/new/dir.img"
	}
	of_gone
	check_fails 'two at once do not write to one place' 1 'another checkpoint is written there\|is not empty' lcx checkpoint --image-path "$T/new" c
	kill -9 "$job" && wait "$job" || :
	lcx stop -t 0 gone >/dev/null
	: >"$T/new/go"
	wait_for 10 unlocked "$T/new"
	lcx gc >/dev/null
	check_eq 'of one that has ended meanwhile, too' go "$(ls "$T/new")"
	rm -r "$T/new"
	(exec "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" start gone >/dev/null)
	of_gone
	kill -9 "$job" && wait "$job" || :
	# criu is about to end.
	{ sleep 0.5 && : >"$T/new/go"; } &
	lcx rm -f gone >/dev/null
	wait "$!"
	check_eq 'it goes with the container' go "$(ls "$T/new")"
	rm -r "$T/new"
	honest
}

# Memory that goes elsewhere: what is refused, and that the descriptor hears it.
elsewhere() {
	for server in x x: :1 x:0 x:65536 x:1x '::1:5' '[::1]5' '[]:5' 'a b:5' '-x:5'; do
		check_fails "no page server: $server" 1 'is no ADDRESS:PORT' runtime checkpoint --page-server "$server" x
	done
	for fd in x -2 77 0x1 99999999999; do
		check_fails "no descriptor: $fd" 1 'is no descriptor' runtime checkpoint --status-fd "$fd" x
	done
	check_fails 'one that is only read' 1 'is no descriptor' runtime checkpoint --status-fd 8 x 8</dev/null
	check_fails 'none at all' 1 'does not exist' runtime checkpoint --status-fd -1 x
	check_fails 'lazy: into its own directory' 1 'needs an image path' lcx checkpoint --lazy-pages --page-server 127.0.0.1:5 c
	check_fails 'a page server: likewise' 1 'needs an image path' lcx checkpoint --page-server 127.0.0.1:5 c
	check_fails 'lazy: from nowhere' 1 "needs 'page-server'" lcx checkpoint --lazy-pages --image-path "$T/lazy" c
	check_fails 'lazy: no address of an interface' 1 "in numbers, and 'localhost' is none" \
		lcx checkpoint --lazy-pages --image-path "$T/lazy" --page-server localhost:5000 c
	check_fails "lazy: an address that isn't here" 1 'assign requested address' \
		lcx checkpoint --lazy-pages --image-path "$T/lazy" --page-server 192.0.2.1:5000 c
	check_fails 'lazy: before' 1 "is not for a 'pre-dump'" \
		lcx checkpoint --lazy-pages --pre-dump --image-path "$T/lazy" --page-server 127.0.0.1:5000 c
	check_fails 'lazy: an older one is not replaced' 1 'is not empty' \
		lcx checkpoint --lazy-pages --image-path "$T/older" --page-server 127.0.0.1:5000 c
	check 'nothing was made' test ! -e "$T/lazy"
	# What criu is told: the port, and the address by a file.
	liar "import re
open('$T/request', 'wb').write(request)
path = re.search(b'/proc/[0-9]+/fd/[0-9]+', request[request.index(b'\\x9a\\x03'):]).group()
open('$T/config', 'wb').write(open(path, 'rb').read())
for script in (b'post-dump', b'status-ready'):
    s.send(b'\\x08\\x06\\x10\\x01\\x2a' + bytes([len(script) + 2]) + b'\\x0a' + bytes([len(script)]) + script)
    s.recv(99)
s.send(b'\\x08\\x01\\x10\\x00\\x4a\\x04lost')"
	mkfifo "$T/status"
	od -An -tx1 <"$T/status" >"$T/told" &
	reader=$!
	check_fails 'lazy: nobody fetches it' 1 'criu: lost' sh -c "exec \"$BUILD/examples/lcx/lcx\" --root $T/lcx-root --run-dir $T/lcx-run \
		checkpoint --lazy-pages --image-path $T/lazy --page-server [::1]:50000 --status-fd 7 c 7>$T/status"
	wait "$reader"
	check_eq 'but it was told' ' 00' "$(cat "$T/told")"
	check_eq 'criu listens on that address only' 'address ::1' "$(cat "$T/config")"
	check_match 'and port' 5a090a033a3a3110d08603 "$(od -An -v -tx1 <"$T/request" | tr -d ' \n')"
	check 'images without their memory are none' test ! -e "$T/lazy"
	# Nobody listens: no signal, and no failure of its own.
	mkfifo "$T/deaf"
	sh -c "exec 9<>$T/deaf 7>$T/deaf; exec 9<&-; exec \"$BUILD/examples/lcx/lcx\" --root $T/lcx-root --run-dir $T/lcx-run \
		checkpoint --lazy-pages --image-path $T/lazy --page-server 127.0.0.1:50000 --status-fd 7 c" >"$T/deaf.out" 2>&1 || echo "$?" >>"$T/deaf.out"
	check_match 'a status that nobody reads' 'criu: lost' "$(cat "$T/deaf.out")"
	untouched 'memory that nobody fetched'
	honest
	# All is written, and nobody can fetch it yet.
	liar "import os, time
s.send(b'\\x08\\x06\\x10\\x01\\x2a\\x0b\\x0a\\x09post-dump')
s.recv(99)
os.close(os.open('/proc/self/fd/4/dir.img', os.O_CREAT | os.O_WRONLY, 0o600))
while not os.access('/proc/self/fd/4/go', os.F_OK): time.sleep(0.01)"
	(exec "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" checkpoint --lazy-pages --image-path "$T/lazy" \
		--page-server 127.0.0.1:50000 c) &
	job=$!
	wait_for 10 test -e "$T/lazy/dir.img"
	kill -9 "$job" && wait "$job" || :
	: >"$T/lazy/go"
	wait_for 10 unlocked "$T/lazy"
	lcx ps >/dev/null
	check_eq 'killed before it was ready' go "$(ls "$T/lazy")"
	rm -r "$T/lazy"
	honest
}

refused() {
	lcx run -d --name c --rootfs "$T/rootfs" --network none sh -c "$count" >/dev/null
	wait_for 10 writes_more_than c 1
	pid=$(pid_of c)

	check_fails "a kernel that criu doesn't know, in its words" 1 "c': criu: vdso: Unexpected" lcx checkpoint c
	untouched 'a failed dump'
	check_match 'features say so' '"org.opencontainers.runc.checkpoint.enabled":"false"' "$(runtime features)"
	check_fails 'it runs already' 1 'it is running' lcx restore c
	mkdir "$T/full" "$T/open"
	touch "$T/full/file"
	check_fails 'an image path with files in it' 1 'is not empty' lcx checkpoint --image-path "$T/full" c
	check_fails 'a dump that fails leaves an image path empty' 1 'criu: vdso' lcx checkpoint --image-path "$T/new" c
	check_eq 'or not there' '' "$(ls -d "$T/new" 2>/dev/null)"
	mkdir -m 700 "$T/older"
	: >"$T/older/inventory.img"
	: >"$T/older/descriptors.json"
	check_fails 'a pre-dump is not replaced, others may lead to it' 1 'is not empty' lcx checkpoint --image-path "$T/older" c
	: >"$T/older/pstree.img"
	check_fails 'an older checkpoint, and a dump that fails' 1 'criu: vdso' lcx checkpoint --image-path "$T/older" c
	check_eq 'it is still there, and nothing beside it' "$T/older descriptors.json inventory.img pstree.img" \
		"$(echo "$T"/older* "$(ls "$T/older")" | tr '\n' ' ' | sed 's/ $//')"
	stays() { # NAME PATH OPTION...
		name=$1 path=$2
		shift 2
		check_fails "an older checkpoint is not replaced: $name" 1 'is not empty' lcx checkpoint "$@" --image-path "$path" c
	}
	stays 'it may be a step before' "$T/older" --parent-path ../step
	: >"$T/older/lcx-unfinished-x"
	stays 'it is not whole' "$T/older"
	rm "$T/older/lcx-unfinished-x"
	exec 7<"$T/older"
	flock -s 7
	check_fails 'an older checkpoint that is just being restored' 1 'another checkpoint is written there, or restored' \
		lcx checkpoint --image-path "$T/older" c
	exec 7<&-
	ln -s older "$T/link"
	stays 'a link' "$T/link/"
	stays 'no name' "$T/older/."
	mkdir -m 700 "$T/mounted"
	mount --bind "$T/older" "$T/mounted"
	stays 'a mount point' "$T/mounted"
	umount "$T/mounted"
	check_eq 'it is still there' 'descriptors.json inventory.img pstree.img' "$(ls "$T/older" | tr '\n' ' ' | sed 's/ $//')"
	check_fails 'a container that is not there' 1 'does not exist' runtime checkpoint x

	while read -r name answer words; do
		liar "$(printf '%b' "$answer")"
		check_fails "a criu that $name" 1 "$words" lcx checkpoint c
		untouched "$name"
		honest
	done <<'END'
says-nothing pass ended without an answer
talks-nonsense s.send(b"\\xff"*100) can't be understood
talks-too-much s.send(b"\\x08\\x01"+b"\\x00"*70000) longer than
asks-for-ever [(s.send(b"\\x08\\x06\\x10\\x01"),s.recv(99))for\040i\040in\040range(99)] asks without an end
fails s.send(b"\\x08\\x01\\x10\\x00\\x4a\\x05no\\x07no") criu: no no
END
	mount --bind /bin/busybox /usr/sbin/criu
	check_fails 'what is no criu' 1 'ended without an answer' lcx checkpoint c
	honest
	mkdir "$T/none"
	mount --bind "$T/none" /usr/sbin
	check_fails 'none at all' 1 'the program criu, which is not installed' lcx checkpoint c
	umount /usr/sbin
	chown 1 "$T/liar"
	mount --bind "$T/liar" /usr/sbin/criu
	check_fails "one that isn't root's" 1 'is not installed' lcx checkpoint c
	honest

	# Killed in the middle: criu gets no answer, and what it has written is removed.
	liar 's.recv(1)'
	(exec "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" checkpoint c) &
	job=$!
	there() { ls -d "$T"/lcx-root/containers/*/checkpoint.new; }
	check 'a dump begins' wait_for 10 there
	kill -9 "$job" && wait "$job" || :
	honest
	lcx ps >/dev/null
	untouched 'a caller that is killed'

	killed
	elsewhere

	check 'it is stopped' lcx stop -t 0 c
	check_fails 'no checkpoint' 1 'has no checkpoint' lcx restore c
	chmod 777 "$T/open"
	check_fails 'images that others may write' 1 'others than its user may write' lcx restore --image-path "$T/open" c
	chmod 700 "$T/open"
	check_fails 'images that are none' 1 "no 'descriptors.json'" lcx restore --image-path "$T/open" c
	echo '["", "", {}]' >"$T/open/descriptors.json"
	check_fails 'images that are damaged' 1 'does not name three streams' lcx restore --image-path "$T/open" c
	# As an archive may have brought them, which root has unpacked.
	mkdir -m 700 "$T/forged" "$T/work" "$T/step"
	echo '["", "", ""]' >"$T/forged/descriptors.json"
	forged() { check_fails "forged images: $1" 1 "$2" lcx restore --image-path "$T/forged" --work-path "$T/work" c; }
	image=$T/forged/pages-1.img
	ln -s /etc/shadow "$image"
	forged 'a link to a file of the host' "'pages-1.img' is no plain file"
	rm "$image"
	ln "$T/open/descriptors.json" "$image"
	forged 'one more name of another file' "'pages-1.img' has other names"
	rm "$image"
	: >"$image"
	chown 1 "$image"
	forged "another user's" "'pages-1.img' is not its user's alone"
	rm "$image"
	mkfifo "$T/forged/parent"
	forged 'a step before that is none' "'parent' is no link"
	rm "$T/forged/parent"
	ln -s ../step "$T/forged/parent"
	chown 1 "$T/step"
	forged "another user's step before" 'others than its user may write to it'
	chown 0 "$T/step"
	chmod 777 "$T/open"
	mkdir -m 700 "$T/open/step"
	ln -sfn ../open/step "$T/forged/parent"
	forged 'a step before in a place of others' "by directories that others can't change"
	chmod 700 "$T/open"
	ln -sfn . "$T/forged/parent"
	forged 'steps without an end' 'more than 64 steps'
	rm "$T/forged/parent"
	: >"$T/forged/lcx-unfinished-x"
	forged 'one that came to no end' 'has no whole checkpoint'
	rm "$T/forged/lcx-unfinished-x"
	exec 7<"$T/forged"
	flock 7
	forged 'one that is being written' 'a checkpoint is written there'
	exec 7<&-
	chmod 777 "$T/work"
	forged 'a log where others may write' 'work path .* others than its user'
	chmod 700 "$T/work"
	check_fails 'one that never ran' 1 'not running' lcx checkpoint c
	places
	options
	lcx rm -f c >/dev/null

	# One that would be started anew, and an older checkpoint, which is replaced.
	lcx run -d --name c --restart always --rootfs "$T/rootfs" --network none sh -c "$count" >/dev/null
	liar "import os
os.rename('$T/older', '$T/theirs')
os.mkdir('$T/older', 0o700)
open('$T/older/precious', 'w').close()
s.send(b'\\x08\\x06\\x10\\x01\\x2a\\x0b\\x0a\\x09post-dump')
s.recv(99)
s.send(b'\\x08\\x01\\x10\\x00')"
	check_fails 'another one in its place meanwhile' 1 'is another one than when the checkpoint began' lcx checkpoint --image-path "$T/older" c
	honest
	check_eq 'all is as it was' "$T/older precious descriptors.json inventory.img pstree.img" \
		"$(echo "$T"/older* "$(ls "$T/older" "$T/theirs" | grep -v : | tr -s '\n')" | tr '\n' ' ' | sed 's/ $//')"
	rm -r "$T/older"
	mv "$T/theirs" "$T/older"
	liar "import os
s.send(b'\\x08\\x06\\x10\\x01\\x2a\\x0b\\x0a\\x09post-dump')
s.recv(99)
os.kill($(pid_of c), 9)
s.send(b'\\x08\\x01\\x10\\x01')"
	check 'a dump that goes well, as criu says' lcx checkpoint --image-path "$T/older/" c
	honest
	check 'the older one is replaced' test ! -e "$T/older/inventory.img"
	check_eq 'and nothing is beside it' "$T/older" "$(echo "$T"/older*)"
	sleep 0.5
	check_eq 'no policy starts it anew' exited "$(state c)"
	lcx rm -f c >/dev/null

	for how in --init '--userns auto' '--landlock read=/' '--system'; do
		# shellcheck disable=SC2086
		lcx run -d --name c --rootfs "$T/rootfs" --network none $how sh -c "$count" >/dev/null 2>&1 || continue
		check_fails "with $how" 1 "can't be checkpointed and restored: " lcx checkpoint c
		lcx rm -f c >/dev/null
	done
}

if in_guest; then real; else refused; fi
if in_guest && [ -n "${LCX_TEST_EVERY_CALL:-}" ]; then
	for engine in ${LCX_TEST_ENGINES:-podman docker containerd}; do
		"engine_$engine"
	done
fi
# A monitor has its last words after the end.
no_monitor() { ! pgrep -x lcx-init; }
check 'no monitor is left' wait_for 20 no_monitor
