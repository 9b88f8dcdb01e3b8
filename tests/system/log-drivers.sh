# SPDX-License-Identifier: MIT
# build: plain
# guest: no, sockets are the same there
# Log drivers and their options: journald and syslog as their daemons get it, slow ones, ones that go away;
# descriptors that are passed on; what json-file says about the container; what is refused.
. "${SRC:?}/tests/system/lib.sh"
need busybox python3 jq
make_rootfs "$T/rootfs"
mkdir -p /run/systemd
mount -t tmpfs tmpfs /run/systemd
mkdir /run/systemd/journal
defer 'umount /run/systemd'
defer 'lcx rm -f $(lcx ps -aq)'
run() { lcx run --network none --rootfs "$T/rootfs" "$@"; }
LCX="$BUILD/examples/lcx/lcx --root $T/lcx-root --run-dir $T/lcx-run"
export LCX

daemon() { # KIND SOCKET OUT [FILE]: its process in $daemon
	rm -f "$2" "$3" "$3.ready"
	python3 "$SRC/tests/system/log-daemon.py" "$@" 2>"$3.err" 9>&- &
	daemon=$!
	defer "kill $daemon"
	wait_for 10 test -e "$3.ready"
}
lines_are() { [ "$(wc -l <"$1")" -ge "$2" ]; }

# --- journald

daemon journald /run/systemd/journal/socket "$T/journal"
run -d --name j --log-driver journald --log-opt tag='{{.Name}}/{{.ID}}' --log-opt labels=tier,none --log-opt env=PLACE \
	-l tier=front -e PLACE='two
lines' sh -c 'echo out; echo err >&2; printf "\377\001bytes\n"; head -c 20000 /dev/zero | tr "\0" x; echo; printf half' >/dev/null
lcx wait j >/dev/null
check 'journald: all has arrived when it has ended' lines_are "$T/journal" 6
j() { jq -r "$1" "$T/journal"; }
check_eq 'journald: the lines' 'out err' "$(j '.MESSAGE | select(. == "out" or . == "err")' | sort -r | paste -s -d ' ')"
check_eq 'journald: priorities' '6 3' "$(j 'select(.MESSAGE == "out" or .MESSAGE == "err") | .PRIORITY' | sort -r | paste -s -d ' ')"
check_eq 'journald: any bytes' 1 "$(j 'select(.MESSAGE == "\u00ff\u0001bytes") | 1')"
check_eq 'journald: a long line in parts' '16384 true 3616 null' "$(j 'select(.MESSAGE | startswith("xx")) | "\(.MESSAGE | length) \(.CONTAINER_PARTIAL_MESSAGE)"' | paste -s -d ' ')"
check_eq 'journald: half a line' true "$(j 'select(.MESSAGE == "half") | .CONTAINER_PARTIAL_MESSAGE')"
id=$(lcx inspect --format '{{.Id}}' j)
check_eq 'journald: who says it' "j $id j/$(echo "$id" | cut -c 1-12)" "$(j 'select(.MESSAGE == "out") | "\(.CONTAINER_NAME) \(.CONTAINER_ID_FULL) \(.SYSLOG_IDENTIFIER)"')"
check_eq 'journald: labels and variables' 'front two
lines' "$(j 'select(.MESSAGE == "out") | "\(.TIER) \(.PLACE)"')"
check_fails 'journald: what lcx cannot read' 1 "its log driver is 'journald'" lcx logs j
big=$(head -c 100000 /dev/zero | tr '\0' b)
run --rm --log-driver journald --log-opt labels=a,b,c -l "a=$big" -l "b=$big" -l "c=$big" echo large >/dev/null
check_eq 'journald: too large for a datagram, as a file' 'true 100000' "$(j 'select(.MESSAGE == "large") | "\(.file) \(.C | length)"')"
run --rm --log-driver journald sh -c 'seq 3000' >/dev/null
check_eq 'journald: an own container, in order' "$(seq 3000 | md5sum)" "$(tail -n 3000 "$T/journal" | jq -r .MESSAGE | md5sum)"
kill $daemon

# --- a daemon that is slow: it stops the container, or lines are dropped

pad=$(head -c 500 /dev/zero | tr '\0' p)
lines="seq 8000 | sed s/\$/$pad/"

daemon journald /run/systemd/journal/socket "$T/slow" "$T/go"
run -d --name slow --log-driver journald sh -c "$lines; touch /tmp/done" >/dev/null
check 'blocking: the container waits' sh -c 'sleep 1; ! test -e "$T/rootfs/tmp/done"'
: >"$T/go"
check_eq 'blocking: it ends' 0 "$(lcx wait slow)"
check 'blocking: everything arrives' wait_for 20 lines_are "$T/slow" 8000
check_eq 'blocking: in order' "$(eval "$lines" | md5sum)" "$(jq -r .MESSAGE "$T/slow" | md5sum)"
check_eq 'blocking: nothing is lost' null "$(lcx inspect --format '{{json .LogLost}}' slow)"
kill $daemon
rm "$T/go" "$T/rootfs/tmp/done"
daemon journald /run/systemd/journal/socket "$T/dropped" "$T/go"
run -d --name fast --log-driver journald --log-opt mode=non-blocking --log-opt max-buffer-size=64k sh -c "$lines; touch /tmp/done" >/dev/null
check 'non-blocking: the container does not wait' wait_for 20 test -e "$T/rootfs/tmp/done"
: >"$T/go"
lcx wait fast >/dev/null
lost=$(lcx inspect --format '{{.LogLost.Lines}}' fast)
check 'non-blocking: what was lost is counted' test "$lost" -gt 500
check 'non-blocking: the rest has arrived' wait_for 20 lines_are "$T/dropped" "$((8000 - lost))"
check_eq 'non-blocking: not one line more' "$((8000 - lost))" "$(wc -l <"$T/dropped")"
check_match 'non-blocking: an event tells' "log-lost.*fast" "$(lcx events --since 1m --until 0s)"
kill $daemon

# --- a daemon that goes away and comes back

daemon journald /run/systemd/journal/socket "$T/one"
mkfifo "$T/rootfs/pipe"
run -d --name restarts --log-driver journald sh -c 'while read x; do echo $x; done </pipe' >/dev/null
exec 9>"$T/rootfs/pipe"
echo first >&9
wait_for 5 lines_are "$T/one" 1
kill $daemon
wait $daemon 2>/dev/null || :
daemon journald /run/systemd/journal/socket "$T/two"
echo second >&9
check 'a daemon that was started again: connected to again' wait_for 5 lines_are "$T/two" 1
kill $daemon
wait $daemon 2>/dev/null || :
rm /run/systemd/journal/socket
echo third >&9
sleep 0.2
daemon journald /run/systemd/journal/socket "$T/three"
echo fourth >&9
exec 9>&-
lcx wait restarts >/dev/null
check_eq 'while it is away lines are lost' fourth "$(jq -r .MESSAGE "$T/three")"
check_eq 'and counted' 1 "$(lcx inspect --format '{{.LogLost.Lines}}' restarts)"
kill $daemon
rm -f /run/systemd/journal/socket
check_fails 'no daemon: refused by name' 125 "log driver 'journald': nobody listens at '/run/systemd/journal/socket'" run -d --log-driver journald true

# --- syslog

for kind in datagram stream; do
	out=$T/syslog-$kind
	daemon $kind "$T/socket" "$out"
	run -d --name $kind --log-driver syslog --log-opt "syslog-address=unix://$T/socket" --log-opt syslog-facility=local3 \
		--log-opt 'tag=my app' sh -c 'echo out; echo err >&2; yes "$(printf "\303\244xyz")" | head -n 3000 | tr -d "\n"; echo; echo' >/dev/null
	lcx wait $kind >/dev/null
	check "syslog, $kind: all has arrived" lines_are "$out" 5
	short=$(lcx ps -aq -f name="^$kind\$")
	check_match "syslog, $kind: a line" "^<158>1 20..-..-..T..:..:..\.......Z [^ ]* my_app $short stdout \[meta sequenceId=\"[0-9]*\"\] out\$" "$(jq -r .text "$out")"
	check_match "syslog, $kind: an error" "^<155>1 .* my_app $short stderr .*\] err\$" "$(jq -r .text "$out")"
	check_eq "syslog, $kind: no message is too large" 0 "$(jq -r 'select((.text | length) > 8192) | .text' "$out" | wc -l)"
	check_eq "syslog, $kind: a long line in parts" "$(yes "$(printf '\303\244xyz')" | head -n 3000 | tr -d '\n' | md5sum)" \
		"$(python3 -c 'import json, re, sys
for line in open(sys.argv[1]):
	text = json.loads(line)["text"]
	m = re.match(r"<158>1 \S+ \S+ \S+ \S+ stdout(-part)? \[[^]]*\] (.*)", text, re.S)
	if m and "xyz" in m[2]:
		m[2].encode("latin-1").decode()
		sys.stdout.buffer.write(m[2].encode("latin-1"))' "$out" | md5sum)"
	check_eq "syslog, $kind: the sequence" "$(seq "$(wc -l <"$out")" | paste -s -d ' ')" "$(jq -r .text "$out" | sed -n 's/.*sequenceId="\([0-9]*\)".*/\1/p' | paste -s -d ' ')"
	kill $daemon
done
check_fails 'syslog: not a stream, if only datagrams are wanted' 125 'nobody listens' run -d --log-driver syslog --log-opt "syslog-address=unixgram://$T/socket" true

# --- passed on, and json-file with what it says about the container

run -d --name passed --log-driver passthrough sh -c 'echo direct; echo error >&2' >"$T/passed" 2>"$T/passed.err"
lcx wait passed >/dev/null
check_eq 'passthrough: detached, but our descriptors' 'direct error' "$(grep -v '^[0-9a-f]*$' "$T/passed") $(cat "$T/passed.err")"
check_eq 'passthrough: attached' direct "$(run --rm --log-driver passthrough echo direct)"
run --name attrs --log-opt labels=tier --log-opt env=PLACE --log-opt 'tag=a"b' -l tier=front -e PLACE=here echo line >/dev/null
check_eq 'json-file: attributes, as Docker has them' '{"log":"line\n","stream":"stdout","attrs":{"tag":"a\"b","tier":"front","PLACE":"here"},"time":' "$(sed 's/"[^"]*"}$//' "$T/lcx-root/containers"/*/json.log)"
check_eq 'json-file: and it is read' line "$(lcx logs attrs)"

# --- refused

check_fails 'an option of another driver' 125 "log driver 'cri' has no option 'tag'" run --log-driver cri --log-opt tag=x true
check_fails 'a file that drops' 125 'mode=non-blocking: a file never waits' run --log-opt mode=non-blocking true
check_fails 'an unknown field of a tag' 125 "there are {{.ID}}" run --log-opt 'tag={{.Nope}}' true
check_fails 'a mode that is none' 125 'blocking or non-blocking' run --log-opt mode=maybe true
check_fails 'an address that is none' 125 'unix:///PATH' run --log-driver syslog --log-opt syslog-address=tcp://127.0.0.1:514 true
check_fails 'a facility that is none' 125 'a name, as daemon' run --log-driver syslog --log-opt syslog-facility=nose true
check_fails 'a callback of nobody' 125 'was given no function' run --log-driver callback true
lcx rm -f $(lcx ps -aq) >/dev/null
