# SPDX-License-Identifier: MIT
# The leak check, on which every other test relies, finds each kind of leak.
# guest: no, it tests the bed itself
. "${SRC:?}/tests/system/lib.sh"

finds() { # VIEW
	r=0
	LCX_LEAK_TRIES=1 sh "$SRC/tests/system/leaks.sh" check "$T/leaks" >"$T/found" 2>&1 || r=$?
	if [ "$r" -eq 1 ] && grep -q "^$1: +" "$T/found"; then
		pass "a leak of $1 is found"
	else
		fail "a leak of $1 is found" "$T/found"
	fi
}

leak_snapshot
leak_check 'nothing is found where nothing happened'

ip link add lcxleak type bridge
finds links
ip link del lcxleak

make_netns lcxleak
finds links
ip netns del lcxleak

nft add table inet lcxleak
finds rules
nft delete table inet lcxleak

mkdir "$T/mounted"
mount -t tmpfs lcxleak "$T/mounted"
finds mounts
umount "$T/mounted"

sleep 60 &
finds processes
kill $!
wait $! || :

group=$(find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs | head -n 1)
mkdir "${group%/*}/lcx-leak-$$"
finds cgroups
rmdir "${group%/*}/lcx-leak-$$"

touch "$TMPDIR/left"
finds temporaries
rm "$TMPDIR/left"

leak_check 'nothing is found when all is gone'
