#!/bin/sh
# SPDX-License-Identifier: MIT
# The shared object must export exactly what the symbol map promises.
listed=$(sed -n 's/^[[:space:]]*\(lcx_[a-z0-9_]*\);$/\1/p' "$2" | LC_ALL=C sort)
exported=$(nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort)
[ "$listed" = "$exported" ] && exit 0
printf '%s\n' "$listed" >"${TMPDIR:-/tmp}/listed.$$"
printf '%s\n' "$exported" | diff "${TMPDIR:-/tmp}/listed.$$" - | sed 's/^</map only:/; s/^>/library only:/'
rm -f "${TMPDIR:-/tmp}/listed.$$"
exit 1
