#!/bin/sh
# SPDX-License-Identifier: MIT
# examples/log.c: a command's output kept and shown.
. "${SRC:?}/tests/system/lib.sh"

log() { "$BUILD/examples/log" "$@"; }

r=0
log "$T" app sh -c 'echo out; echo err >&2; exit 3' || r=$?
check_eq 'passes the status on' 3 $r
check_eq 'writes what docker logs reads' 2 \
	"$(grep -c '^{"log":"[a-z]*\\n","stream":"std[a-z]*","time":"20[^"]*Z"}$' "$T/app")"
check_eq 'shows stdout' out "$(log -r "$T" app 2>"$T/err")"
check_eq 'shows stderr' err "$(cat "$T/err")"
log "$T" app seq 100 >"$T/out"
check_eq 'shows the last lines' '99 100' "$(log -r -n 2 "$T" app | tr '\n' ' ' | sed 's/ $//')"
ln -s /etc/hostname "$T/link"
check_fails 'does not write through a link' 1 "open log 'link'" log "$T" link true
check_fails 'misses a log that is not there' 1 "open log 'none'" log -r "$T" none
check_fails 'misses a command' 127 "start '/no/such'" log "$T" app /no/such
