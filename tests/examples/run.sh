# SPDX-License-Identifier: MIT
# examples/run.c: the program of the README.
. "${SRC:?}/tests/system/lib.sh"
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout" >/dev/null
export LCX_ROOT="$T/root"
"$BUILD/examples/lcx/lcx" --root "$LCX_ROOT" import --ref latest "$T/layout" box >/dev/null
run() { "$BUILD/examples/run" "$@"; }

check_eq 'prints what the program prints' hello "$(run box echo hello)"
check_fails 'returns its exit status' 7 '' run box sh -c 'exit 7'
check_eq 'passes standard input on' through "$(echo through | run box cat)"
check_fails 'says what is wrong' 125 'no-image' run no-image true
check_eq 'leaves no container' '' "$("$BUILD/examples/lcx/lcx" --root "$LCX_ROOT" ps -aq)"
