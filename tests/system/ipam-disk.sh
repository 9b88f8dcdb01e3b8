#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, files are the same there
# beside: it makes no control groups
# A full disk is an error with words, never a signal.
. "${SRC:?}/tests/system/lib.sh"

mkdir "$T/small"
mount -t tmpfs -o size=160k,mode=0700 lcx-test-small "$T/small"
defer "umount '$T/small'"
"$BUILD/tests/ipam-full-disk" "$T/small" || fail "ipam-full-disk ends well (status $?)"
