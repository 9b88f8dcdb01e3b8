# SPDX-License-Identifier: MIT
# examples/quickstart.sh, on the build that is there: it runs to its end, shows what it promises, and
# (as the bed looks around every test) leaves nothing.
# build: plain
. "${SRC:?}/tests/system/lib.sh"

r=0
LCX_BUILD=$BUILD sh "$SRC/examples/quickstart.sh" >"$T/out" 2>&1 || r=$?
if [ "$r" -eq 0 ]; then
	pass 'runs to its end'
else
	fail 'runs to its end' "$T/out"
fi
for words in 'busybox:web' 'It runs in a container' 'I am process 1' '127.0.0.1:80[0-9]*/' '10\.[0-9.]*/' 'response:200' 'nothing is left'; do
	check "shows: $words" grep -q -e "$words" "$T/out"
done
check_eq 'removes its directory' '' "$(find "$TMPDIR" -maxdepth 1 -name 'lcx-quickstart.*')"
