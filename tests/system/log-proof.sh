# SPDX-License-Identifier: MIT
# build: plain
# guest: no, logs are the same there
# Nothing is lost, split or doubled: lines of random length by both formats, with rotation and somebody who follows,
# while whoever writes the log is stopped and goes on; by cri also while its files are compressed; and the exit is told after the last byte. LCX_PROOF_MB: how
# much (24); tests/bench/log-proof.sh does it with a gigabyte.
. "${SRC:?}/tests/system/lib.sh"
need busybox python3
: "${LCX_PROOF_MB:=24}"
make_rootfs "$T/rootfs"
LCX="$BUILD/examples/lcx/lcx --root $T/lcx-root --run-dir $T/lcx-run"
defer 'lcx rm -f $(lcx ps -aq)'
mkfifo "$T/rootfs/go"

python3 - "$T/rootfs/data" "$LCX_PROOF_MB" <<'END'
import base64, random, sys
random.seed(5)
block = base64.b64encode(random.randbytes(3 << 18)).decode()
left, n = int(sys.argv[2]) * 1000000, 0
with open(sys.argv[1], 'w') as out:
	while left > 0:
		length = random.choice((0, 1, 80, 80, 80, 500, 3000)) if n % 5000 else 70000
		length, at = random.randrange(length + 1), random.randrange(len(block) - 70000)
		line = f'{n} {block[at:at + length]}\n'
		out.write(line)
		left -= len(line)
		n += 1
	out.write('the end has no newline')
END
sum_of() { md5sum | cut -d ' ' -f 1; }
whole=$(sum_of <"$T/rootfs/data")

# Stop and continue a process until the container has ended; the number of stops stands in $T/stops.
disturb() { # PID CONTAINER
	n=0
	while kill -STOP "$1" 2>/dev/null; do
		sleep 0.05
		kill -CONT "$1" 2>/dev/null || break
		n=$((n + 1))
		echo $n >"$T/stops"
		sleep 0.03
		[ ! -f "$2/exit" ] || break
	done
}
dir_of() { echo "$T/lcx-root/containers/$($LCX inspect --format '{{.Id}}' "$1")"; }
usual='--network none --log-opt max-size=2m --log-opt max-file=1000'
some_are_compressed() { # DIRECTORY
	[ "$(find "$1" -name 'cri.log.*.gz' | wc -l)" -gt 1 ]
}

for driver in json-file cri; do
	options=$usual program='read x </go; exec cat /data'
	[ $driver = json-file ] || options="$usual --log-opt compress=true" program='read x </go; cat /data; read x </go'
	# --- the monitor

	# shellcheck disable=SC2086
	lcx run -d --name "$driver" --log-driver $driver $options --rootfs "$T/rootfs" sh -c "$program" >/dev/null
	dir=$(dir_of "$driver")
	(lcx logs -f "$driver" | sum_of >"$T/followed") &
	follower=$!
	sleep 0.3
	rm -f "$T/stops"
	disturb "$(lcx inspect --format '{{.State.OwnerPid}}' "$driver")" "$dir" &
	wait_for 10 test -s "$T/stops"
	echo go >"$T/rootfs/go"
	if [ $driver = cri ]; then
		check "$driver: the monitor has files compressed" wait_for 30 some_are_compressed "$dir"
		check_match "$driver: an event tells of new files" 'log-rotated' "$(lcx events --since 1m --until 0s --filter container=$driver)"
		echo go >"$T/rootfs/go"
	fi
	lcx wait "$driver" >/dev/null
	check_eq "$driver: when its end is told, the log is whole" "$whole" "$(lcx logs "$driver" | sum_of)"
	wait $follower
	check_eq "$driver: so is what a follower got" "$whole" "$(cat "$T/followed")"
	check "$driver: the monitor was stopped and went on" test "$(cat "$T/stops")" -gt 0
	check "$driver: the log was rotated" test "$(find "$dir" -name '*.log.*' | wc -l)" -gt $((LCX_PROOF_MB / 3))
	check_eq "$driver: no file is larger than it may be" '' "$(find "$dir" -name '*.log*' -size +2097152c)"
	check_eq "$driver: nothing is counted as lost" null "$(lcx inspect --format '{{json .LogLost}}' "$driver")"
	lcx rm "$driver" >/dev/null

	# --- a program that owns its container

	# shellcheck disable=SC2086
	$LCX run --name own-$driver --log-driver $driver $options --rootfs "$T/rootfs" sh -c "$program" >"$T/out" &
	owner=$!
	wait_for 10 sh -c "$LCX inspect own-$driver >/dev/null 2>&1"
	rm -f "$T/stops"
	disturb $owner "$(dir_of own-$driver)" &
	wait_for 10 test -s "$T/stops"
	echo go >"$T/rootfs/go"
	if [ $driver = cri ]; then
		check "$driver, own: files are compressed" wait_for 30 some_are_compressed "$(dir_of own-cri)"
		echo go >"$T/rootfs/go"
	fi
	wait $owner
	check_eq "$driver, own: its output is whole" "$whole" "$(sum_of <"$T/out")"
	check_eq "$driver, own: the log, too" "$whole" "$(lcx logs own-$driver | sum_of)"
	check "$driver, own: the program was stopped and went on" test -s "$T/stops"
	lcx rm own-$driver >/dev/null
done
