# SPDX-License-Identifier: MIT
# Every public header stands alone, in the strictest C11 and in C++, by gcc and by clang, and holds nothing
# that a foreign function interface cannot read.
. "${SRC:?}/tests/system/lib.sh"
need gcc g++ clang

strict='-fsyntax-only -pedantic-errors -Wall -Wextra -Werror -Wstrict-prototypes'
for header in "$SRC"/include/lcx/*.h; do
	name=lcx/${header##*/}
	# Twice: it must also survive being included again.
	printf '#include <%s>\n#include <%s>\n' "$name" "$name" >"$T/alone.c"
	cp "$T/alone.c" "$T/alone.cc"
	for compiler in gcc clang; do
		# shellcheck disable=SC2086
		check "$name: C11 by $compiler" "$compiler" -std=c11 $strict "-I$SRC/include" "$T/alone.c"
	done
	check "$name: C++11" g++ -std=c++11 -fsyntax-only -pedantic-errors -Wall -Wextra -Werror "-I$SRC/include" "$T/alone.cc"

	# What remains when the compiler has read it: comments and conditions are gone.
	gcc -E -P "-I$SRC/include" "$header" >"$T/all"
	gcc -E "-I$SRC/include" "$header" | awk -v header="$header" '
		/^# / { on = index($3, header) > 0; next } on' >"$T/own"
	check "$name: no inline function" sh -c '! grep -n -w "inline\|__inline" "$1"' x "$T/own"
	check "$name: no variadic function" sh -c '! grep -n -F "..." "$1"' x "$T/own"
	check "$name: no bit-field" sh -c '! grep -n -E "^[[:space:]]*(unsigned|int|uint[0-9]+_t)[a-z0-9_ ]*:[[:space:]]*[0-9]" "$1"' x "$T/own"
	check "$name: no long, whose width differs" sh -c '! grep -n -w "long" "$1"' x "$T/own"
	# Names declared are ours, so that they meet nobody else's.
	check "$name: macros are LCX_ only" sh -c \
		'! grep -n "^[[:space:]]*#[[:space:]]*define" "$1" | grep -v "define[[:space:]]*LCX_"' x "$header"
done

check 'lcx.h includes every other header' sh -c '
	for header in "$1"/include/lcx/*.h; do
		name=${header##*/}
		[ "$name" = lcx.h ] || grep -q "^#include [<\"]\(lcx/\)\{0,1\}$name[>\"]" "$1/include/lcx/lcx.h" || { echo "missing: $name"; bad=1; }
	done
	[ -z "${bad:-}" ]' x "$SRC"
check 'every header is installed' sh -c '
	for header in "$1"/include/lcx/*.h; do
		grep -q "lcx/${header##*/}" "$1/include/meson.build" || { echo "missing: $header"; bad=1; }
	done
	[ -z "${bad:-}" ]' x "$SRC"
