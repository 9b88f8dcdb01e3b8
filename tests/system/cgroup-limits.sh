#!/bin/sh
# SPDX-License-Identifier: MIT
# Limits, events and figures of real cgroups: see cgroup-limits.c.
. "${SRC:?}/tests/system/lib.sh"
cd "$T"
"$BUILD/tests/cgroup-limits" || failures=1
