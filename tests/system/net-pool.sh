#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, a file is read by the library
# beside: it makes no control groups
# An address pool whose file is torn or overwritten is made again out of the attachments' records.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/net.sh"
need jq dd

for netns in one two three four; do
	make_netns "$netns"
done
check 'create' tool create web 10.91.0.0/29 subnet=fd00:91::/64 exclude=10.91.0.3
check 'attach one' tool attach web one /run/netns/one
check 'attach two' tool attach web two /run/netns/two address=10.91.0.5 address=fd00:91::55
pool=$T/root/ipam/web/web.ipam
check 'its file' test -s "$pool"
leases() {
	tool inspect web | jq -r '[.containers[] | "\(.owner)=\(.address),\(.address6)"] | join(" ")'
}
before=$(leases)

damage() { # torn|overwritten|emptied
	case $1 in
	torn) truncate -s 5000 "$pool" ;;
	emptied) : >"$pool" ;;
	overwritten) dd if=/dev/urandom of="$pool" bs=4096 count=4 conv=notrunc status=none ;;
	esac
}
for how in torn overwritten emptied; do
	damage "$how"
	check "$how: the next attachment" tool attach web three /run/netns/three
	check_eq "$how: has an address that nobody has" 4 "$(leases | tr ' ,=' '\n\n\n' | grep -c -e '^10\.91\.0\.[2456]$' -e three)"
	check_fails "$how: what is in use stays so" 1 '10.91.0.5' tool attach web four /run/netns/four address=10.91.0.5
	check_fails "$how: so does what is excluded" 1 '10.91.0.3' tool attach web four /run/netns/four address=10.91.0.3
	check_fails "$how: of IPv6, too" 1 'fd00:91::55' tool attach web four /run/netns/four address=fd00:91::55
	check "$how: detach" tool detach web three
	check_eq "$how: the others are as before" "$before" "$(leases)"
done
damage overwritten
check 'a detach mends it, too' tool detach web two
check 'and gives the address back' tool attach web two /run/netns/two address=10.91.0.5
damage torn
check 'a sweep does' tool sweep one two
check 'it is whole again' tool attach web three /run/netns/three
check 'detach' tool detach web three

# An attachment that cannot be read may have any address.
damage torn
echo '{' >"$T/root/run/net/web/two.json"
check_fails 'with a record that cannot be read, nothing is given' 1 'two' tool attach web three /run/netns/three
rm "$T/root/run/net/web/two.json"
check 'without it, it is what a sweep finds by its mark' tool sweep
check 'remove' tool remove web
check_eq 'nothing is left' '' "$(left)"
