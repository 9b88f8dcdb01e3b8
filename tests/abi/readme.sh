# SPDX-License-Identifier: MIT
# The README's program is examples/run.c, and builds against an installed copy by what pkg-config says.
. "${SRC:?}/tests/system/lib.sh"
need pkg-config meson

awk '/^```c$/ { on = 1; next } /^```$/ { if (on) exit } on' "$SRC/README.md" >"$T/readme.c"
sed 1d "$SRC/examples/run.c" >"$T/example.c"
check 'the program of the README is examples/run.c' diff -u "$T/example.c" "$T/readme.c"

DESTDIR=$T/installed meson install -C "$BUILD" --no-rebuild --quiet >"$T/log" 2>&1 || fail 'installs' "$T/log"
pc=$(find "$T/installed" -name liblcx.pc)
prefix=$T/installed$(sed -n 's/^prefix=//p' "$pc")
export PKG_CONFIG_PATH="${pc%/*}" LD_LIBRARY_PATH="${pc%/pkgconfig/*}"
flags=$(pkg-config "--define-variable=prefix=$prefix" --cflags --libs liblcx)
# shellcheck disable=SC2086
check 'it builds as C11 by what pkg-config says' \
	cc -std=c11 -Wall -Wextra -Wpedantic -Werror "$T/readme.c" -o "$T/run" $flags
check_fails 'and runs: without arguments it has nothing to do' 125 '' "$T/run"
check 'the command is installed' test -x "$prefix/bin/lcx"
for page in man1/lcx.1 man7/lcx.7 man3/lcx-container.3; do
	check "$page is installed" test -f "$prefix/share/man/$page"
done
