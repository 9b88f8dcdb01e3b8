#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, the corpus is about archives; what the kernel does about paths is in the unit tests
# beside: it makes no control groups
# Layers that want out of their root, and odd ones: refused by name or taken, and nothing around changes.
. "${SRC:?}/tests/system/lib.sh"
need python3 zstd

# Should one get out, then into a copy of /etc, and a machine that can't be written to.
mkdir "$T/etc"
cp -a /etc/passwd /etc/group /etc/hosts "$T/etc/"
run_corpus() { # OPTION...
	mkdir "$T/work"
	# shellcheck disable=SC2016
	unshare -m sh -ec 'mount --bind "$0" "$0"; mount --bind "$0/etc" /etc; mount -o remount,bind,ro /; exec "$@"' "$T" \
		python3 "$SRC/tests/layers/hostile.py" "$BUILD/tests/image-tool" "$T/work" "$@" >"$T/lines" 2>&1 || cat "$T/lines"
	rm -rf "$T/work"
}

show() { # WORDS
	sed "s/^\(not \)\{0,1\}ok - /&$1: /" "$T/lines"
	n=$(grep -c '^not ok' "$T/lines" || :)
	failures=$((failures + n))
}

run_corpus
check_eq 'the corpus is as large as it was' 153 "$(grep -c '^\(not \)\{0,1\}ok' "$T/lines")"
show 'helper'
run_corpus --in-process
show 'in-process'
run_corpus --swap
show 'helper, with a swapper'
run_corpus --swap --in-process
show 'in-process, with a swapper'
