# SPDX-License-Identifier: MIT
# The manual pages: clean, installed, and complete: every public function is in one of them.
. "${SRC:?}/tests/system/lib.sh"
need mandoc

for page in "$SRC"/man/*.[1-9]; do
	name=${page##*/}
	check "$name is clean" mandoc -T lint -W warning "$page"
	check "$name is installed" grep -q -F "'$name'" "$SRC/man/meson.build"
	check "$name is in English, by its own name" sh -c 'sed -n "s/^\.Dt \([^ ]*\) .*/\1/p" "$1" | grep -qix "$2"' x "$page" "${name%.*}"
done
for header in "$SRC"/include/lcx/*.h; do
	module=$(basename "$header" .h)
	[ "$module" = lcx ] || check "lcx-$module(3) exists" test -f "$SRC/man/lcx-$module.3"
done
for page in lcx.1 lcx.7; do
	check "$page exists" test -f "$SRC/man/$page"
done

# What a page documents it declares: .Fo NAME or .Fn NAME in its SYNOPSIS.
cat "$SRC"/man/*.3 | awk '$1 == ".Fo" || $1 == ".Fn" { gsub(/"/, "", $2); print $2 }' | LC_ALL=C sort -u >"$T/documented"
sed -n 's/^[[:space:]]*\(lcx_[a-z0-9_]*\);$/\1/p' "$SRC/lib/liblcx.sym" | LC_ALL=C sort -u >"$T/public"
check 'every public function is documented' sh -c '[ -z "$(LC_ALL=C comm -23 "$1" "$2" | tee /dev/stderr)" ]' x "$T/public" "$T/documented"
check 'no page documents what does not exist' sh -c \
	'[ -z "$(LC_ALL=C comm -13 "$1" "$2" | grep "^lcx_" | tee /dev/stderr)" ]' x "$T/public" "$T/documented"
