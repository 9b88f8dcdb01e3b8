#!/bin/sh
# SPDX-License-Identifier: MIT
# Whom a registry takes us for: Docker's config.json and its helpers, tokens, client certificates; mirrors,
# default registry and proxies. Nobody sees what is not for him.
# guest: no, no kernel speaks HTTP
# beside: it makes no control groups
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/registry/registry.sh"
need skopeo umoci python3

tool() { "$BUILD/tests/image-tool" "$T/store" "$@"; }
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/busybox"
mkdir "$T/bin"
PATH=$T/bin:$PATH
export PATH

# docker-credential-NAME, a shell script that is given on standard input; its questions are in $T/asked.
helper() { # NAME
	{ printf '#!/bin/sh\nserver=$(cat)\necho "$1 $server" >>%s\n' "$T/asked" && cat; } >"$T/bin/docker-credential-$1"
	chmod +x "$T/bin/docker-credential-$1"
}
config() { # NAME JSON
	printf '%s' "$2" >"$T/$1.json"
}
auth() { printf %s "$1" | base64; }

# --- Docker's file
registry_start passwords basic
registry_push "$T/busybox:latest" team/tool:1
image=$REGISTRY/team/tool:1
pull() { tool --plain-http --auth "$T/$1.json" pull "$image"; }

config plain "{\"auths\": {\"$REGISTRY\": {\"auth\": \"$(auth "$REGISTRY_CREDS")\"}}}"
check 'credentials come from a file' pull plain
config path "{\"auths\": {\"$REGISTRY\": {\"auth\": \"$(auth a:b)\"}, \"$REGISTRY/team\": {\"auth\": \"$(auth "$REGISTRY_CREDS")\"}}}"
rm -rf "$T/store"
check 'the longest name counts' pull path
rm -rf "$T/store"
config other "{\"auths\": {\"127.0.0.1\": {\"auth\": \"$(auth "$REGISTRY_CREDS")\"}}}"
check_fails 'another host has other ones' 1 '^EACCES: .*wants a user' pull other
config wrong "{\"auths\": {\"$REGISTRY\": {\"auth\": \"$(auth tester:wrong)\"}}}"
check_fails 'wrong ones are reported' 1 "^EACCES: .*doesn't accept the password of 'tester'" pull wrong
check_fails 'but not told' 1 '^EACCES' sh -c '! "$@" 2>&1 | grep -e wrong >/dev/null; "$@"' x "$BUILD/tests/image-tool" "$T/store" \
	--plain-http --auth "$T/wrong.json" pull "$image"
check_fails 'a missing file is an error' 1 '^ENOENT: .*none.json' pull none
config broken '{"auths": '
check_fails 'and so is a broken one' 1 '^EBADMSG: .*broken.json' pull broken

# --- helpers
helper good <<END
echo '{"ServerURL": "x", "Username": "${REGISTRY_CREDS%%:*}", "Secret": "${REGISTRY_CREDS#*:}"}'
END
config helper "{\"credHelpers\": {\"$REGISTRY\": \"good\"}}"
check 'a helper is asked' pull helper
check_eq 'for this registry' "get $REGISTRY" "$(cat "$T/asked")"
rm -rf "$T/store" "$T/asked"
config store '{"credsStore": "good"}'
check 'one for all registries, too' pull store
rm -rf "$T/store" "$T/asked"
helper empty <<'END'
echo 'credentials not found in native keychain'
exit 1
END
config fallback "{\"credsStore\": \"empty\", \"auths\": {\"$REGISTRY\": {\"auth\": \"$(auth "$REGISTRY_CREDS")\"}}}"
check 'what it does not know is looked up in the file' pull fallback
rm -rf "$T/store"
helper bad <<'END'
printf 'the keyring is \033[31mlocked\n'
exit 1
END
config bad '{"credsStore": "bad"}'
check_fails 'its words are passed on, without colour' 1 "^EACCES: .*'bad': the keyring is .31mlocked" pull bad
helper endless <<'END'
exec yes
END
config endless '{"credsStore": "endless"}'
check_fails 'an endless answer is broken off' 1 '^EBADMSG: .*longer than' pull endless
helper silent <<'END'
END
config silent '{"credsStore": "silent"}'
check_fails 'no answer is none' 1 '^EACCES: .*no answer' pull silent
helper descriptors <<END
ls /proc/self/fd | tr '\n' ' ' >"$T/descriptors"
echo '{"Username": "a", "Secret": "b"}'
END
config descriptors '{"credsStore": "descriptors"}'
pull descriptors 9</dev/null >/dev/null 2>&1 || :
check_eq 'it has three descriptors, and ls one more' '0 1 2 3 ' "$(cat "$T/descriptors")"
config missing '{"credsStore": "no-such-helper"}'
check_fails 'a missing helper is named' 1 '^ENOENT: .*docker-credential-no-such-helper' pull missing
config traversal '{"credsStore": "../../bin/sh"}'
check_fails 'no path is executed' 1 '^EINVAL: .*name a credential helper' pull traversal
check_fails 'no file, no helper' 1 '^EACCES: .*wants a user' tool --plain-http pull "$image"
check 'the command finds the file as Docker does' env DOCKER_CONFIG="$T/docker" sh -c '
	mkdir "$DOCKER_CONFIG" && cp "$1" "$DOCKER_CONFIG/config.json" && shift && "$@"' x "$T/helper.json" \
	"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" pull --plain-http "$image"
check 'and so does push' env DOCKER_CONFIG="$T/docker" "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" \
	push --plain-http "$image" "$REGISTRY/team/tool:2"
check_match 'which tells of each layer' '^[0-9a-f]\{12\}: Layer already exists' "$(cat "$T/check.out")"
check_fails 'a name that is not here cannot be pushed' 1 'no image' lcx push "$REGISTRY/team/tool:3"
registry_stop passwords

# --- nobody is asked without need
registry_start open
registry_push "$T/busybox:latest" tool:1
rm -f "$T/asked"
check 'a registry that does not ask' tool --plain-http --auth "$T/missing.json" pull "$REGISTRY/tool:1"
check 'gets no helper started' test ! -e "$T/asked"
registry_stop open

# --- client certificates
registry_start certificates tls clients
check_fails 'a registry for known clients refuses others' 1 '^E' tool --ca "$REGISTRY_CA" pull "$REGISTRY/x"
check_fails 'and lets them in' 1 '^ENOENT' tool --ca "$REGISTRY_CA" --cert "$REGISTRY_CLIENT.crt" --key "$REGISTRY_CLIENT.key" pull "$REGISTRY/x"
config registries "{\"registries\": {\"$REGISTRY\": {\"ca-file\": \"$REGISTRY_CA\", \"client-certificate\": \"$REGISTRY_CLIENT.crt\",
	\"client-key\": \"$REGISTRY_CLIENT.key\"}}}"
check_fails 'the certificate may stand in the registries file' 1 '^ENOENT' tool --registries "$T/registries.json" pull "$REGISTRY/x"
openssl pkey -in "$REGISTRY_CLIENT.key" -aes128 -passout pass:secret -out "$T/locked.key" 2>"$T/ca.log"
check_fails 'a pass phrase is not asked for' 1 '^EINVAL: .*client certificate' setsid -w "$BUILD/tests/image-tool" "$T/store" \
	--ca "$REGISTRY_CA" --cert "$REGISTRY_CLIENT.crt" --key "$T/locked.key" pull "$REGISTRY/x"
check_fails 'a certificate without a key is none' 1 '^EINVAL' tool --cert "$REGISTRY_CLIENT.crt" pull "$REGISTRY/x"
mkdir "$T/certs"
openssl req -x509 $registry_key -nodes -days 2 -subj '/CN=somebody else' -keyout "$T/else.key" -out "$T/else.crt" 2>"$T/ca.log"
cp "$REGISTRY_CA" "$T/certs/ca.pem"
openssl rehash "$T/certs"
cp "$REGISTRY_CA" "$T/certs/ca-certificates.crt"
mount --bind "$T/certs" /etc/ssl/certs
identity="--cert $REGISTRY_CLIENT.crt --key $REGISTRY_CLIENT.key"
# shellcheck disable=SC2086
check_fails "the system's authorities are trusted" 1 '^ENOENT' tool $identity pull "$REGISTRY/x"
# shellcheck disable=SC2086
check_fails 'unless others are named' 1 '^EPROTO: .*certificate' tool --ca "$T/else.crt" $identity pull "$REGISTRY/x"
umount /etc/ssl/certs
registry_stop certificates

# --- default registry and mirrors
registry_start main tls
registry_push "$T/busybox:latest" team/tool:1
registry_push "$T/busybox:env" team/tool:2
main=$REGISTRY ca=$REGISTRY_CA
registry_start mirror
registry_push "$T/busybox:latest" team/tool:1
config registries "{\"default-registry\": \"$main\", \"registries\": {
	\"$main\": {\"ca-file\": \"$ca\", \"mirrors\": [\"127.0.0.1:1\", \"$REGISTRY\"]}, \"$REGISTRY\": {\"plain-http\": true},
	\"127.0.0.1:1\": {\"plain-http\": true}}}"
rm -rf "$T/store"
check 'a name without a registry means the default one' tool --registries "$T/registries.json" pull team/tool:1
check_match 'by its name' "^name $main/team/tool:1" "$(cat "$T/check.out")"
check 'it is found by the short name' tool --registries "$T/registries.json" show team/tool:1
check 'all of it came from the mirror' grep -q 'GET /v2/team/tool/blobs' "$REGISTRY_LOG"
check_eq 'and nothing from the registry' 0 "$(grep -c 'GET /v2/team/tool/blobs.*liblcx' "$T/registry-main/log")"
check 'what no mirror has comes from the registry' tool --registries "$T/registries.json" pull team/tool:2
registry_stop mirror
rm -rf "$T/store"
check 'a mirror that is down is passed over' tool --registries "$T/registries.json" pull team/tool:1
config unknown '{"mirrors": []}'
check_fails 'what is unknown in the file is an error' 1 '^EINVAL: .*unknown.json' tool --registries "$T/unknown.json" pull team/tool:1
registry_stop main

# --- a lying registry
mkdir "$T/liar"
python3 "$SRC/tests/registry/liar.py" "$T/liar" >"$T/liar/out" 2>&1 &
liar=$!
defer "kill $liar"
wait_for 20 test -s "$T/liar/port"
registry=127.0.0.1:$(cat "$T/liar/port") mirror=127.0.0.1:$(cat "$T/liar/mirror")
pull() { # REPOSITORY OPTION...
	repository=$1
	shift
	rm -rf "$T/store"
	tool --plain-http --stall 3000 "$@" pull "$registry/$repository"
}

check 'an expired token is replaced' pull token-expires --creds user:secret
check_eq 'by the credentials, not by the old token' '' "$(grep '^/token' "$T/liar/log" | grep -v 'authorization=Basic dXNlcjpzZWNyZXQ=$')"
check 'for what we need, not for what it says' sh -c '! grep -q secrets "$1"' x "$T/liar/log"
check 'the layer went on where it had stopped' grep -q 'token-expires.*range=bytes=[1-9].*authorization=Bearer token-[2-9]' "$T/liar/log"
check 'a redirect with a token is followed' pull token-redirects --creds user:secret
config moves "{\"auths\": {\"$registry\": {\"identitytoken\": \"identity\"}}}"
check_fails 'a token server that sends us on gets no further' 1 '^EBADMSG: .*token server' pull token-moves --creds user:secret
check_fails 'nor with a refresh token' 1 '^EPROTO: .*while something is sent' pull token-moves --auth "$T/moves.json"
check_eq 'nobody else saw token or password' '' "$(grep -v 'authorization=-$' "$T/liar/other.log")"
check_eq 'nor the refresh token' '' "$(grep identity "$T/liar/other.log")"
check_fails 'a token that would be two headers' 1 '^EPROTO: .*no token' pull token-injects --creds user:secret
config identity "{\"auths\": {\"$registry\": {\"identitytoken\": \"identity\"}}}"
check 'a refresh token is posted' pull identity --auth "$T/identity.json"
check 'as a form' grep -q '^grant_type=refresh_token&client_id=liblcx&service=identity&scope=repository%3Aidentity%3Apull&refresh_token=identity$' "$T/liar/forms"
check_fails 'a wait of an hour is too long' 1 '^EPROTO: .*429.*come back in 3600 seconds' pull busy-long
check 'a date to come back is waited for' pull busy-date

config registries "{\"registries\": {\"$registry\": {\"mirrors\": [\"$mirror\"]}, \"$mirror\": {\"plain-http\": true}}}"
check 'a mirror that lies is passed over' pull mirrored --creds user:secret --registries "$T/registries.json"
check 'it was asked' grep -q mirrored "$T/liar/mirror.log"
check_eq 'it never saw the credentials' '' "$(grep -v 'authorization=-$' "$T/liar/mirror.log")"
check 'which the registry did' grep -q 'mirrored/.*authorization=Basic' "$T/liar/log"

# --- a proxy
registry_name=registry.example:${registry#*:}
printf '127.0.0.1 localhost registry.example\n' >"$T/hosts"
mount --bind "$T/hosts" /etc/hosts
defer "umount /etc/hosts"
rm -rf "$T/store"
check 'all goes through it' env http_proxy="http://127.0.0.1:$(cat "$T/liar/proxy")" "$BUILD/tests/image-tool" "$T/store" \
	--plain-http pull "$registry_name/honest"
check 'really' grep -q "http://$registry_name/v2/honest/blobs" "$T/liar/proxy.log"
rm -rf "$T/store" "$T/liar/proxy.log"
check 'but for no_proxy' env http_proxy="http://127.0.0.1:1" no_proxy=registry.example "$BUILD/tests/image-tool" "$T/store" \
	--plain-http pull "$registry_name/honest"
# Through TLS it carries bytes, and sees no more of them than where they go.
registry_start tunnel tls basic
registry_push "$T/busybox:latest" team/tool:1
rm -f "$T/liar/proxy.log"
secret() { "$BUILD/tests/image-tool" "$T/tunnel" --ca "$REGISTRY_CA" --creds "$REGISTRY_CREDS" pull "$REGISTRY/team/tool:1"; }
export https_proxy="http://127.0.0.1:$(cat "$T/liar/proxy")"
check 'a tunnel to a registry with TLS' secret
check 'was gone through' grep -q "^$REGISTRY " "$T/liar/proxy.log"
check_eq 'for that alone, without the credentials' '' "$(grep -v "^$REGISTRY .*authorization=-$" "$T/liar/proxy.log")"
rm -rf "$T/tunnel" "$T/liar/proxy.log"
export no_proxy=example.org,127.0.0.1
check 'none for whom it is not' secret
check 'truly' test ! -e "$T/liar/proxy.log"
unset https_proxy no_proxy
