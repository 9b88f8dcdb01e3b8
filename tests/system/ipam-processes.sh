#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, files are the same there
# beside: it makes no control groups
# Two hundred processes, killed at any instruction, never share an address.
. "${SRC:?}/tests/system/lib.sh"

mkdir "$T/pools"
seconds=6
in_guest && seconds=10
check '200 processes and kill -9 never share an address, and the pool stays sound' \
	"$BUILD/tests/ipam-storm" "$T/pools" 200 "$seconds"
sed 's/^/# /' "$T/check.out"
check_eq 'nothing is left in the directory' '' "$(ls -A "$T/pools")"
