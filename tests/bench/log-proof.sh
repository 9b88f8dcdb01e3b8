#!/bin/sh
# SPDX-License-Identifier: MIT
# A gigabyte through tests/system/log-proof.sh; and how fast the same bytes go into a log, in turns with conmon under
# podman. As root: sh tests/bench/log-proof.sh [MB]. BUILD is a plain build (build/plain).
set -eu
SRC=$(cd "$(dirname "$0")/../.." && pwd)
: "${BUILD:=$SRC/build/plain}"
export SRC BUILD LCX_PROOF_MB="${1:-1000}"
sh "$SRC/tests/system/isolate.sh" 3600 sh "$SRC/tests/system/log-proof.sh"
exec sh "$SRC/tests/system/isolate.sh" 3600 sh "$SRC/tests/bench/log-rate.sh"
