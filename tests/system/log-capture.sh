#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, logs are the same there
# What a command says is kept whole: by both formats, across rotations, while the
# writer is stopped; and a full disk stops the log, not the command.
. "${SRC:?}/tests/system/lib.sh"

log=$BUILD/examples/log
awk 'BEGIN { srand(7); for (i = 0; i < 120000; i++) { s = i; n = int(rand() * 150)
	for (j = 0; j < n; j++) s = s sprintf("%c", 33 + int(rand() * 90)); print s }
	for (i = 0; i < 20000; i++) printf "long"; printf "no newline" }' >"$T/out"
head -c 300000 /dev/urandom >"$T/bytes"
printf 'cat "%s"; cat "%s" >&2; exit 7\n' "$T/out" "$T/bytes" >"$T/talk"

# --- whole, in both formats

for format in json-file cri; do
	option=
	[ $format = json-file ] || option=-c
	dir=$T/$format
	mkdir "$dir"
	r=0
	"$log" $option -s 1000000 -k 900 "$dir" log sh "$T/talk" || r=$?
	check_eq "$format: the command's status comes back" 7 $r
	"$log" -r "$dir" log >"$T/back.out" 2>"$T/back.err"
	check "$format: stdout comes back whole" cmp "$T/out" "$T/back.out"
	if [ $format = cri ]; then
		check "$format: any bytes come back whole" cmp "$T/bytes" "$T/back.err"
	fi
	check "$format: the log was rotated" test -s "$dir/log.5"
	check_eq "$format: no file is larger than it may be" "" "$(find "$dir" -size +1000000c)"
	"$log" -r -n 100 "$dir" log >"$T/back.out" 2>"$T/back.err"
	tail -n 101 "$T/out" >"$T/tail" # the last one is not finished
	check "$format: the tail is the end" sh -c "tail -c \$(stat -c %s '$T/back.out') '$T/out' | cmp - '$T/back.out'"
done
if command -v python3 >"$T/which"; then
	check "json-file: every line is an object of JSON" python3 -c '
import glob, json, re, sys
for name in glob.glob(sys.argv[1] + "/log*"):
    for line in open(name, encoding="utf-8", errors="strict", newline="\n"):
        o = json.loads(line)
        assert list(o) == ["log", "stream", "time"] and o["stream"] in ("stdout", "stderr")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", o["time"])' "$T/json-file"
fi

# --- a follower, while the writer is stopped and goes on

mkdir "$T/follow"
mkfifo "$T/pipe"
"$log" -s 200000 -k 900 "$T/follow" log cat "$T/pipe" &
writer=$!
sleep 0.3
"$log" -r -f 3 "$T/follow" log >"$T/followed" &
reader=$!
{
	head -n 40000 "$T/out"
	kill -STOP $writer
	sleep 0.2
	kill -CONT $writer
	tail -n +40001 "$T/out"
} >"$T/pipe"
wait $writer
wait $reader
check "a follower misses and doubles nothing" cmp "$T/out" "$T/followed"

# --- a full disk

mkdir "$T/small"
mount -t tmpfs -o size=256k,mode=0700 lcx-test-log "$T/small"
defer "umount '$T/small'"
r=0
"$log" "$T/small" log sh "$T/talk" 2>"$T/words" || r=$?
check_eq "full disk: the command is not disturbed" 7 $r
check "full disk: the loss is counted" grep -q 'lines were lost' "$T/words"
"$log" -r "$T/small" log >"$T/back.out" 2>"$T/back.err"
check "full disk: much was stored" test "$(wc -l <"$T/back.out")" -gt 100
# Lines in the middle may be missing: a shorter batch may fit where a longer one did not.
check "full disk: what was stored is whole lines" awk '
	NR == FNR { written[$0] = 1; next }
	!($0 in written) && !/^long/ { print "half a line: " $0; bad = 1 }
	END { exit bad }' "$T/out" "$T/back.out"
check_eq "full disk: no damaged line" "" "$(grep -a 'damaged' "$T/back.err" || true)"
