#!/bin/sh
# SPDX-License-Identifier: MIT
# build: plain
# guest: no, it is the same library that dies, and stopping it at each call is slow there
# The host program, and what it starts, is killed at calls by which it makes or removes something, evenly spread
# over all that there are; `sh tests/run.sh sweep/crash-kill` goes to each.
. "${SRC:?}/tests/system/crash.sh"
crash 2 -k kill -k helper
