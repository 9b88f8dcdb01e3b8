#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, the counts are the same there
# beside: it makes no control groups
# The last of many containers on a bridge costs what the first does, but for what the kernel takes of it: that is
# measured by the same made by hand. (tests/bench/net-bench.sh does it with 1,000.)
. "${SRC:?}/tests/system/lib.sh"
need ip nft

count=100
# In memory, as /run is: what a file system on a disk takes for a new file is its own affair.
mkdir "$T/root"
mount -t tmpfs -o mode=700 root "$T/root"
defer 'umount "$T/root"'
"$BUILD/tests/net-times" "$T/root" many bridge $count >"$T/times" 2>"$T/words" || fail "$count containers on one bridge" "$T/words"
read -r first last ports hand_first hand_last <<END
$(awk '$1 == "hand" { hand = $2 " " $3 } $1 == "lcx" { lcx = $2 " " $3 } $1 == "ports" { print lcx, $2, hand }' "$T/times")
END
echo "# the first tenth took $first us each, the last $last us; by hand $hand_first and $hand_last; with 200 ports $ports"
# Wide margins: the machine is shared. What is shown is that it does not grow with the number.
check 'what is ours of it does not grow with the number' \
	test $((last - hand_last)) -lt $((2 * (first > hand_first ? first - hand_first : 0) + 1000))
check 'one with 200 ports costs less than 30 with one' test "$ports" -lt $((first * 30))
# The first ones were told by the host's procfs, the others by one of the context's.
check_eq 'none of them believes a router' 'routers 0' "$(grep routers "$T/times")"
check_eq "$count entries, and 200 for each of five more" $((count + 5 * 200)) "$(nft list map inet lcx published_any | grep -c many-)"
rules=$(nft list table inet lcx | grep -c -e ' accept comment ' -e ' drop comment ' -e ' masquerade comment ' -e ' dnat ip to ')
check "the rules are a handful: $rules" test "$rules" -le 20
check_eq 'sweep finds all' $((count + 5)) "$("$BUILD/tests/net-tool" "$T/root" sweep)"
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
	echo "link add full$i group 77 type ifb"
	echo "link set full$i master $bridge"
	i=$((i + 1))
done >"$T/batch"
ip -batch "$T/batch"
check_fails 'one more says what is full, and the way out' 1 "bridge '$bridge' is full: the kernel allows 1023 .*use another network" \
	tool attach bridge two /run/netns/two 8090:80
check_eq 'and leaves nothing' '' "$(ip -n two -o link | grep -v ': lo' || :)$(nft list map inet lcx published_any | grep 8090 || :)"
ip link del full0
check 'with one place free it goes' tool attach bridge two /run/netns/two 8090:80
check 'detach' tool detach bridge two
check 'detach the first' tool detach bridge one
# As a group they go in one step, one by one they take half a minute.
ip link del group 77
