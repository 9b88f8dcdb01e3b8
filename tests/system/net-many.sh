#!/bin/sh
# SPDX-License-Identifier: MIT
# The last of many containers on a bridge costs what the first does.
. "${SRC:?}/tests/system/lib.sh"
need ip nft

count=200
"$BUILD/tests/net-tool" "$T/root" many bridge $count >"$T/times" 2>"$T/words" || fail "$count containers on one bridge" "$T/words"
read -r first last <"$T/times"
echo "# the first tenth took $first us each, the last $last us"
# A wide margin: the machine is shared. What is shown is that it does not grow with the number.
check 'the last costs not much more than the first' test "$last" -lt $((first * 2 + 2000))
check_eq "$count entries, and no rule of theirs" "$count" "$(nft list map inet lcx published_any | grep -c many-)"
rules=$(nft list table inet lcx | grep -c -e ' accept$' -e ' drop$' -e ' masquerade$' -e ' dnat ip to ')
check "the rules are a handful: $rules" test "$rules" -le 20
check_eq 'sweep finds all' "$count" "$("$BUILD/tests/net-tool" "$T/root" sweep)"
check_eq 'no interface is left' '' "$(ip -o link | grep lcx || :)"
check_eq 'no table is left' '' "$(nft list tables)"
check 'no lease is left' "$BUILD/tests/net-tool" "$T/root" remove bridge
