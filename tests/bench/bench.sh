# SPDX-License-Identifier: MIT
# How the benchmarks begin that are started by hand, as root: `. "$(dirname "$0")/bench.sh"`. The script goes on in network
# and mount namespaces of its own, with SRC, BUILD (build/, unless it was given) and what tests/system/lib.sh has.
set -eu
SRC=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$SRC/build}
export SRC BUILD
if [ -z "${LCX_BENCH_ISOLATED:-}" ]; then
	export LCX_BENCH_ISOLATED=1
	exec unshare --net --mount --propagation private sh "$0" "$@"
fi
ip link set lo up
. "$SRC/tests/system/lib.sh"
