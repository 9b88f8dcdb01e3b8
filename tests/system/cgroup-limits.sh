#!/bin/sh
# SPDX-License-Identifier: MIT
# Limits, events and figures of real cgroups: see cgroup-limits.c. With LCX_TEST_EVERY_CALL (the sweep) a share of the
# processor is measured for ten seconds, and to the twentieth part of it.
. "${SRC:?}/tests/system/lib.sh"
cd "$T"
"$BUILD/tests/cgroup-limits" || failures=1
