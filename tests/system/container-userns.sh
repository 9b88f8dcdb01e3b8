#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, ranges of ids are kept in files
# Ranges of users that containers do not share: where they come from, who holds which, and who has died meanwhile.
. "${SRC:?}/tests/system/lib.sh"
need busybox jq
make_rootfs "$T/rootfs"

# Who may give what is this machine's, and empty here.
for file in subuid subgid; do
	: >"$T/$file"
	[ -f "/etc/$file" ] || : >"/etc/$file"
	mount --bind "$T/$file" "/etc/$file"
	defer "umount /etc/$file"
done
give() { # LINE
	echo "$1" >"$T/subuid"
	echo "$1" >"$T/subgid"
}
create() { # NAME OPTION...
	name=$1
	shift
	lcx create --name "$name" --network none "$@" --rootfs "$T/rootfs" true
}
# KIND FIRST COUNT of all that are there, in order.
ranges() {
	for id in $(lcx ps -aq --no-trunc); do
		lcx inspect "$id" | jq -r '.[0].config.linux |
			(.uidMappings[]? | "u \(.hostID) \(.size)"), (.gidMappings[]? | "g \(.hostID) \(.size)")'
	done | sort -k1,1 -k2,2n
}
shared() { # how many overlap the one before them
	ranges | awk '$1 == kind && $2 < end { n++ } { kind = $1; end = $2 + $3 } END { print n + 0 }'
}
recorded() { cut -d' ' -f1-3 "$T/lcx-root/users/ranges" | sort -k1,1 -k2,2n; }

# --- without a word of the administrator's

create one --userns auto >/dev/null
create two --userns auto:size=1000 >/dev/null
create three --userns=auto >/dev/null
check_eq 'ranges follow each other' 'g 1879048192 65536,g 1879113728 1000,g 1879114728 65536,u 1879048192 65536,u 1879113728 1000,u 1879114728 65536,' \
	"$(ranges | tr '\n' ',')"
check_eq 'and are written down' "$(ranges)" "$(recorded)"
check_eq 'the process has it' '0 1879048192 65536' \
	"$(lcx run --rm --network none --userns auto --rootfs "$T/rootfs" true; lcx start one >/dev/null; lcx wait one >/dev/null
	lcx inspect one | jq -r '.[0].config.linux.uidMappings[0] | "\(.containerID) \(.hostID) \(.size)"')"
check_eq 'inspect says what was asked for' auto:size=1000 "$(lcx inspect two | jq -r '.[0].userns')"
check_eq 'what ran and is removed holds nothing' "$(ranges)" "$(recorded)"
lcx rm two >/dev/null
create four --userns auto:size=500 >/dev/null
check_eq 'what was given back is given again' 'u 1879113728 500' "$(ranges | grep ' 500$' | tail -n 1)"
create own --uidmap 0:1879114228:500 >/dev/null
create five --userns auto:size=500 >/dev/null
check_eq 'what a map has taken is nobody else'\''s' 0 "$(shared)"
lcx rm one three four own five >/dev/null
check_eq 'nothing is held in the end' '' "$(recorded)"

# --- what the administrator gives to root

give root:200000:131072
create a --userns auto >/dev/null
create b --userns auto >/dev/null
check_eq 'it is used' 'u 200000 65536,u 265536 65536,' "$(ranges | grep ^u | tr '\n' ',')"
check_fails 'there is no more' 1 'no range of 65536 ids is left' create c --userns auto
check_fails 'nor a little' 1 'no range of 1 ids is left' create c --userns auto:size=1
check_eq 'and nothing is held for it' "$(ranges)" "$(recorded)"
lcx rm b >/dev/null
# Of somebody who died between two steps.
id=$(printf %064d 7)
printf 'u 265536 65536 %s\ng 265536 65536 %s\n' "$id" "$id" >>"$T/lcx-root/users/ranges"
check 'the dead hold nothing' create b --userns auto
check 'gc' lcx gc
check_eq 'forgets them' "$(ranges)" "$(recorded)"
lcx rm a b >/dev/null
give 'nonsense:x:y'
give 'root:x:y'
check_fails 'a file that nobody understands is named' 1 '/etc/subuid: the line of .root.' create a --userns auto
: >"$T/subuid"
: >"$T/subgid"

# --- several at once, and some die

for i in 1 2 3 4 5 6 7 8; do
	create "many$i" --userns auto >/dev/null &
done
wait
check_eq 'eight at once' 8 "$(lcx ps -aq | wc -l)"
check_eq 'share nothing' 0 "$(shared)"
for ms in 01 02 03 04 05 06 08 10 12 15 20 25; do
	timeout -s KILL "0.0$ms" "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" \
		create --userns auto --network none --rootfs "$T/rootfs" true >/dev/null 2>&1 || :
done
create after --userns auto >/dev/null
check_eq 'after a dozen deaths nothing is shared' 0 "$(shared)"
lcx gc >/dev/null
check_eq 'and nobody holds what he has not' "$(ranges)" "$(recorded)"
lcx ps -aq | xargs "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" rm >/dev/null
check_eq 'nothing is left' '' "$(recorded)"

# --- words

check_fails 'what is none' 1 'must be host, private, auto' create x --userns keep-id
check_fails 'nor a size of nothing' 1 'must be host, private, auto' create x --userns auto:size=0
check_fails 'nor without maps' 1 'uidMappings and linux.gidMappings' create x --userns private
check_fails 'a range and maps' 1 'exclude each other' create x --userns auto --uidmap 0:100000:10
check 'private goes with maps' create x --userns private --uidmap 0:100000:10
check 'host is as without' create y --userns host
check_eq 'and has no maps' null "$(lcx inspect y | jq '.[0].config.linux.uidMappings')"
check_fails 'a record that is damaged is named' 1 'users/ranges.: line 1' sh -c '
	echo rubbish >"$T/lcx-root/users/ranges"
	"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" create --userns auto --network none --rootfs "$T/rootfs" true'
