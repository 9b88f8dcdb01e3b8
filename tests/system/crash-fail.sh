#!/bin/sh
# SPDX-License-Identifier: MIT
# build: plain
# guest: no, the failures are made, not the kernel's
# Calls of the host program fail, and its allocations, evenly spread over all the ways that lead to one;
# `sh tests/run.sh sweep/crash-fail` goes each way.
. "${SRC:?}/tests/system/crash.sh"
crash 1 -k error -k alloc
# Who can't be asked for is not taken for dead.
crash 0 -k error -e poll -s stop -s 'remove by force'
# A name that is on the disk already, though the disk has failed, is a name.
crash 0 -k error -e fsync -s rename
# Other limits and another restart policy that were refused are not there.
crash 0 -k error -e fsync -s update
