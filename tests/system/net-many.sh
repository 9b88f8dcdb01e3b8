#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, the counts are the same there
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
rules=$(nft list table inet lcx | grep -c -e ' accept comment ' -e ' drop comment ' -e ' masquerade comment ' -e ' dnat ip to ')
check "the rules are a handful: $rules" test "$rules" -le 20
check_eq 'sweep finds all' "$count" "$("$BUILD/tests/net-tool" "$T/root" sweep)"
check_eq 'no interface is left' '' "$(ip -o link | grep lcx || :)"
check_eq 'no table is left' '' "$(nft list tables)"
check 'no lease is left' "$BUILD/tests/net-tool" "$T/root" remove bridge

# --- more than the kernel has room for: 1,023 ports of one bridge; other devices take the places
. "$SRC/tests/system/net.sh"
make_netns one
make_netns two
bridge=$(tool attach bridge one /run/netns/one | awk '{ print $3 }')
i=0
while [ "$i" -lt 1022 ]; do
	echo "link add full$i type ifb"
	echo "link set full$i master $bridge"
	i=$((i + 1))
done >"$T/batch"
ip -batch "$T/batch"
check_fails 'one more says what is full, and the way out' 1 "bridge '$bridge' is full: the kernel allows 1023 .*use another network" \
	tool attach bridge two /run/netns/two 8090:80
check_eq 'and leaves nothing' '' "$(ip -n two -o link | grep -v ': lo' || :)$(nft list map inet lcx published_any | grep 8090 || :)"
ip link del full0
check 'with one place free it goes' tool attach bridge two /run/netns/two 8090:80
check 'detach' tool detach bridge two 0
check 'detach the first' tool detach bridge one 0
sed -n 's/^link add \(full[1-9][0-9]*\) .*/link del \1/p' "$T/batch" >"$T/undo"
ip -batch "$T/undo"
