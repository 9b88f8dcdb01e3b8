# SPDX-License-Identifier: MIT
# What a layer may have at most, set by the command.
# guest: no, numbers are the same there
. "${SRC:?}/tests/system/lib.sh"
need umoci skopeo jq python3

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
lcx import --ref latest "$T/layout" box >/dev/null
lcx save -o "$T/box.tar" box
lcx rmi box >/dev/null

take() { # OPTION...: import it afresh
	lcx import "$@" --ref latest "$T/layout" box
}
for row in 'entries=3 more than 3 entries' 'total-bytes=1k more than 1024 bytes' 'path-bytes=3 too long' \
	'free-bytes=4000g free on the file system\|left on the file system'; do
	limit=${row%% *}
	check_fails "refused beyond $limit" 1 "${row#* }" take --layer-limit "$limit"
done
check_fails 'the last one counts' 1 'more than 2 entries' take --layer-limit entries=100000 --layer-limit entries=2
check_fails 'several count' 1 'more than 2 entries' take --layer-limit entries=2 --layer-limit ratio=100 --layer-limit xattrs=1 --layer-limit xattr-bytes=1k --layer-limit window-bytes=1m
check_fails 'load has them' 1 'more than 3 entries' lcx load -i "$T/box.tar" --layer-limit entries=3
check_fails 'an unknown one' 125 "no layer limit 'weight'; there are entries" take --layer-limit weight=3
check_fails 'one without a number' 125 "'entries' has no number" take --layer-limit entries
check_fails 'one that is no number' 125 "'entries=many' has no number" take --layer-limit entries=many
check_fails 'a number that it cannot have' 125 'not from 1' take --layer-limit entries=0
check_eq 'none of these is here' '' "$(lcx images -q)"
check 'what is large enough is no hindrance' take --layer-limit entries=1m --layer-limit total-bytes=1.5g --layer-limit free-bytes=0
check_fails 'run has them' 125 "no layer limit" lcx run --rm --network none --layer-limit x=1 box true
lcx run --name work --network none box sh -c 'touch /1 /2 /3 /4'
check_fails 'commit has them' 1 'more than 3 entries' lcx commit --layer-limit entries=3 work box:made
lcx rm work >/dev/null
