# SPDX-License-Identifier: MIT
# The library exports exactly what its map lists, and the map lists exactly what the headers declare.
. "${SRC:?}/tests/system/lib.sh"
need nm gcc readelf

library=$BUILD/lib/liblcx.so
map=$SRC/lib/liblcx.sym
check 'the library exports what liblcx.sym lists' sh "$SRC/tests/check-symbols.sh" "$library" "$map"

listed() { sed -n 's/^[[:space:]]*\(lcx_[a-z0-9_]*\);$/\1/p' "$map" | LC_ALL=C sort; }
declared() { # the functions that the headers declare, as the compiler reads them
	cat "$SRC"/include/lcx/*.h | gcc -E -P -dD -fpreprocessed -x c - 2>/dev/null | tr '\n' ' ' |
		grep -o 'lcx_[a-z0-9_]*[[:space:]]*(' | tr -d ' (\t' | LC_ALL=C sort -u
}
listed >"$T/listed"
declared >"$T/declared"
check 'the map lists what the headers declare' diff -u "$T/declared" "$T/listed"
check_eq 'no symbol is listed twice' '' "$(uniq -d "$T/listed")"
check 'every symbol has a version' sh -c '! nm -D --defined-only "$1" | grep " lcx_" | grep -v "@@LCX_"' x "$library"

# A library that is loaded into a stranger: nothing of it runs before it is called. The one entry is the
# C runtime's own.
size=$(readelf -W -S "$library" | sed -n 's/.* \.init_array *INIT_ARRAY *[0-9a-f]* [0-9a-f]* \([0-9a-f]*\) .*/\1/p')
check_eq 'no constructor' 8 "$((0x${size:-0}))"
check 'the stack is not executable' sh -c 'readelf -W -l "$1" | grep -q "GNU_STACK.* RW "' x "$library"
check 'no text relocation' sh -c '! readelf -d "$1" | grep -q TEXTREL' x "$library"
check 'no run path' sh -c '! readelf -d "$1" | grep -q "RPATH\|RUNPATH"' x "$library"
