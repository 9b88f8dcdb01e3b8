# SPDX-License-Identifier: MIT
# The library builds without a warning by clang too, and without the features that it can do without.
# It is not run, so nothing is optimized or described for a debugger.
. "${SRC:?}/tests/system/lib.sh"
need meson ninja clang

builds() { # NAME DIR OPTION...
	name=$1 dir=$T/$2
	shift 2
	if meson setup "$dir" "$SRC" --werror -Doptimization=0 -Ddebug=false "$@" >"$T/log" 2>&1 && ninja -C "$dir" >"$T/log" 2>&1; then
		pass "$name"
	else
		grep -E 'FAILED|error|ERROR' "$T/log" >"$T/errors" || cp "$T/log" "$T/errors"
		fail "$name" "$T/errors"
	fi
}

export CC=clang
builds 'by clang' clang -Dimage=enabled -Dseccomp=enabled -Dtests=disabled
unset CC
builds 'without images and seccomp' core -Dimage=disabled -Dseccomp=disabled -Dtests=disabled
check_eq 'the core needs nothing but its three libraries' '' "$(readelf -d "$T/core/lib/liblcx.so" |
	sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -v '^lib\(c\|mnl\|json-c\|cap-ng\)\.so\|^ld-linux')"
check 'and has every function all the same' sh "$SRC/tests/check-symbols.sh" "$T/core/lib/liblcx.so" "$SRC/lib/liblcx.sym"
