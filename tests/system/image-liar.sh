#!/bin/sh
# SPDX-License-Identifier: MIT
# A registry that lies (tests/registry/liar.py): none of it gets in, no second host sees credentials.
# guest: no, no kernel speaks HTTP
# beside: it makes no control groups
. "${SRC:?}/tests/system/lib.sh"
need python3

mkdir "$T/liar"
python3 "$SRC/tests/registry/liar.py" "$T/liar" >"$T/liar/out" 2>&1 &
liar=$!
defer "kill $liar"
wait_for 20 test -s "$T/liar/port"
registry=127.0.0.1:$(cat "$T/liar/port")

# So that a link-local address would answer, as it does in clouds.
ip address add 169.254.169.254/32 dev lo
# A name that somebody else's DNS answers: the mounts are the test's own.
printf '127.0.0.1 localhost\n169.254.169.254 metadata.example\n' >"$T/hosts"
mount --bind "$T/hosts" /etc/hosts
defer "umount /etc/hosts"
cd /etc
tool() { "$BUILD/tests/image-tool" "$T/store" --plain-http --stall 1500 "$@"; }
pull() { tool pull "$registry/$1"; }

lie() { # REPOSITORY ERRNO WORDS
	check_fails "$1: $2" 1 "^$2: .*$3" pull "$1"
	check_eq "$1 left no image" '' "$(tool list)"
}

lie flipped EBADMSG 'its content is'
lie short EBADMSG 'not [0-9]* as its manifest says'
lie long EBADMSG 'longer than'
lie endless EBADMSG 'longer than'
lie size-too-small EBADMSG 'longer than'
lie size-too-large EBADMSG 'not [0-9]* as its manifest says'
lie size-huge EBADMSG 'not [0-9]* as its manifest says'
lie evil-layer EBADMSG "entry '../../evil'"
lie wrong-diff-id EBADMSG 'as the image says'
lie both-kinds EBADMSG 'neither clearly'
lie manifest-as-index EBADMSG 'announced as'
lie urls EBADMSG foreign
lie bad-digest EBADMSG 'not a digest'
lie not-json EBADMSG manifest
lie endless-manifest EBADMSG 'longer than'
lie endless-headers EBADMSG 'headers'
lie endless-beginnings EBADMSG 'headers'
lie cut-always '[A-Z]*' ''
lie stalled '[A-Z]*' ''
lie wrong-range EPROTO 'not asked for'
lie range-of-another EPROTO 'not asked for'
lie range-beyond EPROTO 'not asked for'
lie range-signed EPROTO 'not asked for'
lie byte-by-byte EPROTO 'too small'
check_eq 'asked for a byte a few times only' 5 "$(grep -c 'byte-by-byte.*range=bytes=[1-9]' "$T/liar/log")"
lie 206-unasked EPROTO 'not asked for'
lie redirect-file EPROTO 'must not go'
lie redirect-gopher EPROTO 'must not go'
lie redirect-link-local EPROTO 'must not go'
lie redirect-link-local-name ECONNREFUSED ''
lie redirect-loop EPROTO 'too often'
lie redirect-nowhere EPROTO ''
lie always-busy EPROTO 'status 503'
lie wants-file-token EPROTO 'token server'
lie wants-any EACCES 'no way to log in'
lie lost ENOENT gone
check_fails 'no escape sequence of the registry is passed on' 1 'slow.31m down' pull always-busy

check 'an honest one is pulled' pull honest
digest=$(sed -n 's/^manifest //p' "$T/check.out")
check 'as well by its digest' pull "honest@$digest"
check 'which is no tag in an archive' sh -c '"$1" --root "$2" --run-dir "$T/run" save "$3" | tar xO manifest.json | grep "\"RepoTags\":\[\]"' \
	- "$BUILD/examples/lcx/lcx" "$T/store" "$registry/honest@$digest"
check 'and removed' tool remove "$registry/honest"
rm -rf "$T/store"
check 'a layer of no byte is one' tool --timeout 20000 pull "$registry/no-byte"
rm -rf "$T/store"
check 'a broken connection is resumed' pull cut-once
check 'by a range' grep -q 'cut-once.*range=bytes=[1-9]' "$T/liar/log"
rm -rf "$T/store"
check 'less than the range is gone on from' pull range-of-part
check_eq 'part by part' 3 "$(grep -c 'range-of-part.*range=bytes=[1-9]' "$T/liar/log")"
rm -rf "$T/store"
check '200 for a range begins again' pull 200-for-206
rm -rf "$T/store"
check '429 is waited for' pull busy
rm -rf "$T/store"
check_fails 'what a broken connection has left' 1 '^E' pull cut-always
before=$(grep -c 'range=bytes=[1-9]' "$T/liar/log")
check 'is resumed by another process' pull honest
check_eq 'from where it was' "$((before + 1))" "$(grep -c 'range=bytes=[1-9]' "$T/liar/log")"
rm -rf "$T/store"
check_fails 'a pull that takes too long' 1 '^ETIMEDOUT' tool --stall 50000 --timeout 2000 pull "$registry/stalled"
check 'is resumed' pull honest
check_eq 'likewise' "$((before + 2))" "$(grep -c 'range=bytes=[1-9]' "$T/liar/log")"
rm -rf "$T/store"
check_fails 'one that another thread cancels' 1 '^ECANCELED' tool --stall 50000 --cancel 2000 pull "$registry/stalled"
check 'is resumed, too' pull honest
check_eq 'from the same place' "$((before + 3))" "$(grep -c 'range=bytes=[1-9]' "$T/liar/log")"
rm -rf "$T/store"
pull slow >"$T/first" 2>&1 &
first=$!
check 'of two that pull the same' pull slow
check 'both get it' wait "$first"
check_eq 'by one download' 1 "$(grep -c "/slow/blobs/$(cd "$T/store/images/blobs/sha256" && echo "sha256:$(ls -S | head -n 1)")" "$T/liar/log")"
rm -rf "$T/store"
check_fails 'a resumed lie is found out' 1 '^EBADMSG' pull evil-resume
check 'and not believed the next time' pull evil-resume

check 'no link-local address was asked' test ! -e "$T/liar/other.log"
rm -rf "$T/store"
check 'a redirect to another host is followed' pull redirect-other
rm -rf "$T/store"
check 'also when logged in' tool --creds user:secret pull "$registry/wants-basic"
check 'the registry was given the credentials' grep -q 'wants-basic/manifests.*authorization=Basic' "$T/liar/log"
check_eq 'the other host never' 2 "$(grep -c 'authorization=-$' "$T/liar/other.log")"
check_eq 'nothing else was asked there' 2 "$(wc -l <"$T/liar/other.log")"
rm -rf "$T/store"
check_fails 'no credentials, no image' 1 '^EACCES: .*wants a user' pull wants-basic
check 'nothing appeared next to the store' test ! -e "$T/evil" -a ! -e /etc/evil
