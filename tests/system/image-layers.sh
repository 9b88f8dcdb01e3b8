#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, the formats of archives are the same on every kernel
# beside: it makes no control groups
# Trees with every type of file come out of a layer as GNU tar and umoci bring them out.
. "${SRC:?}/tests/system/lib.sh"
need python3 tar umoci zstd

python3 "$SRC/tests/layers/roundtrip.py" "$BUILD/tests/image-tool" "$T" 30 >"$T/lines" 2>"$T/words" || fail 'comes to its end' "$T/words"
sed -n '/^ok - /p' "$T/lines" | sed 's/^ok - //' >"$T/good"
while IFS= read -r name; do pass "$name"; done <"$T/good"
if grep -q '^not ok' "$T/lines"; then
	grep -v '^ok' "$T/lines" >"$T/bad"
	fail 'every tree is the same' "$T/bad"
fi
check_eq 'all of them were tried' 30 "$(grep -c '^\(not \)\?ok - tree' "$T/lines")"
