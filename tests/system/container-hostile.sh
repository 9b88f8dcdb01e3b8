# SPDX-License-Identifier: MIT
# guest: no, paths resolve the same there
# Root file systems and images that were made to do harm: nothing of the host is reached or changed.
. "${SRC:?}/tests/system/lib.sh"
need umoci jq busybox

# Make $T/layout:NAME out of the tree $T/NAME, with the configuration options that follow.
make_image() { # NAME OPTION...
	image=$1
	shift
	[ -d "$T/layout" ] || umoci init --layout "$T/layout"
	umoci new --image "$T/layout:$image"
	umoci insert --image "$T/layout:$image" "$T/$image" /
	umoci config --image "$T/layout:$image" "$@"
	lcx -q import --ref "$image" "$T/layout" "local/$image" >/dev/null
}
run() { lcx run --rm --network none "$@"; }

# --- files of the container's own over whatever the image holds

make_rootfs "$T/links"
rm -f "$T/links/etc/hosts"
ln -s ../run/systemd/resolve/stub-resolv.conf "$T/links/etc/resolv.conf"
ln -s /somewhere/../../../else/hosts "$T/links/etc/hosts"
mkfifo "$T/links/etc/hostname"
make_image links --config.cmd /bin/sh
check 'dangling links and a FIFO where the own files go' \
	run local/links sh -c 'test -s /etc/resolv.conf && grep -q localhost /etc/hosts && test -s /etc/hostname'
check 'a link that leaves the image stays in it' [ ! -e /somewhere ]

make_rootfs "$T/loop"
ln -s resolv.conf "$T/loop/etc/resolv.conf"
make_image loop --config.cmd /bin/sh
check_fails 'a link to itself is refused by name' 125 'resolv.conf' run local/loop true

# --- /dev, /proc, /sys that lead elsewhere

for place in proc sys; do
	make_rootfs "$T/root-$place"
	rm -rf "$T/root-$place/$place"
	mkdir "$T/root-$place/elsewhere"
	ln -s /elsewhere "$T/root-$place/$place"
	check_fails "/$place as a link is refused" 125 "/$place" run --rootfs "$T/root-$place" true
done
make_rootfs "$T/root-dev"
rmdir "$T/root-dev/dev"
mkdir "$T/host-dev"
ln -s "$T/host-dev" "$T/root-dev/dev"
run --rootfs "$T/root-dev" true >/dev/null 2>&1 || :
check_eq '/dev as a link reaches nothing of the host' '' "$(ls "$T/host-dev")"
make_rootfs "$T/root-null"
echo precious >"$T/precious"
ln -s "$T/precious" "$T/root-null/dev/null"
check '/dev/null as a link' run --rootfs "$T/root-null" sh -c 'echo x >/dev/null; test -c /dev/null'
check_eq 'what it named is untouched' precious "$(cat "$T/precious")"

# --- the root directory is the image's, with owner and mode: what it keeps from others stays kept

make_rootfs "$T/private"
chown 7:8 "$T/private"
chmod 1750 "$T/private"
make_image private --config.cmd /bin/sh
check_eq 'owner and mode of the root directory' '7 8 1750' "$(run local/private stat -c '%u %g %a' /)"
check_fails 'another user does not get in' 126 'Permission denied' run -u 1000:1000 local/private cat /etc/passwd

# --- descriptors of the host's

make_rootfs "$T/plain"
for n in 3 4 5 6 7 8 9 10 11 12; do
	check_fails "descriptor $n as working directory" 125 '' \
		lcx run --name cwd -d --network none -w "/proc/self/fd/$n" --rootfs "$T/plain" sleep 1
	lcx rm -f cwd >/dev/null 2>&1 || :
done
# A program of the host's, reached through a descriptor that the set-up holds.
found=
for n in 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
	for up in ../../../../../../../../.. ..; do
		r=0
		lcx run --name program -d --network none --rootfs "$T/plain" -- \
			"/proc/self/fd/$n/$up/$(command -v busybox)" sleep 5 >"$T/out" 2>&1 || r=$?
		[ "$r" -eq 127 ] || [ "$r" -eq 126 ] || found="$found $n:$r"
		lcx rm -f program >/dev/null 2>&1 || :
	done
done
check_eq 'no descriptor leads to a program of the host' '' "$found"
check_eq 'only three descriptors are inside' '0 1 2' \
	"$(run --rootfs "$T/plain" sh -c 'cd /proc/self/fd; for fd in *; do readlink /proc/$$/fd/$fd >/dev/null && echo $fd; done' | xargs)"
lcx run -d --name web --network none --rootfs "$T/plain" sleep 1000 >/dev/null
check_eq 'nor in a second process' '0 1 2' \
	"$(lcx exec web sh -c 'for fd in /proc/$$/fd/*; do readlink $fd >/dev/null && basename $fd; done' | xargs)"
check_eq 'nor does it inherit capabilities' 0000000000000000 \
	"$(lcx exec web grep CapInh /proc/self/status | awk '{ print $2 }')"
check_eq 'no abstract socket inside' 0 "$(lcx exec web sh -c 'grep -c @ /proc/net/unix || :')"
check_fails 'the program that joins cannot be written to' 1 '' \
	lcx exec web sh -c 'for p in /proc/[0-9]*; do : >$p/exe; done 2>/dev/null; echo x >/proc/1/exe'
check 'a second process works after it' lcx exec web true
check_fails 'a working directory of a second process by descriptor' 125 '' lcx exec -w /proc/self/fd/5 web true
lcx rm -f web >/dev/null

# Who stops whatever joins him holds nobody up for ever.
lcx run -d --name stops --network none --rootfs "$T/plain" sh -c 'while :; do kill -STOP -1 2>/dev/null; done' >/dev/null
late=0 stopped=0 tries=0
while [ "$stopped" -eq 0 ] && [ "$late" -eq 0 ] && [ "$tries" -lt 20 ]; do
	tries=$((tries + 1)) r=0
	timeout -s KILL 30 "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" exec -d stops true >"$T/said" 2>&1 || r=$?
	[ "$r" -ne 137 ] || late=$((late + 1))
	! grep -q 'lcx-init was stopped by a signal before' "$T/said" || stopped=$((stopped + 1))
done
check_eq 'who stops what joins him holds nobody up' 0 "$late"
check 'and that is told' test "$stopped" -gt 0
lcx rm -f stops >/dev/null

# --- length

deep=$(printf '/%0200d' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18)
make_image plain --config.cmd /bin/sh
check 'a working directory of 3,600 letters is made' run -w "$deep" local/plain true
check_fails 'one of 8,000 is refused' 125 '' run -w "$deep$deep$deep" --rootfs "$T/plain" true
check_fails 'a program name of 8,000' 125 'too long' run --rootfs "$T/plain" -- "$deep$deep$deep"
check_eq 'nothing is left' '' "$(lcx ps -aq)"
