# SPDX-License-Identifier: MIT
# guest: no, no kernel knows of passwords
# `lcx login` and `lcx logout`: the registry decides, the file and its helpers get what they should, and nobody else
# sees a secret.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/registry/registry.sh"
need skopeo umoci jq python3 strace

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/busybox"
export DOCKER_CONFIG="$T/docker"
config=$DOCKER_CONFIG/config.json
login() { # PASSWORD ARGUMENT...
	secret_=$1
	shift
	printf '%s\n' "$secret_" | lcx login --password-stdin -u tester "$@"
}
stored() { # NAME: user:password in the file
	jq -r --arg name "$1" '.auths[$name].auth // "-"' "$config" | sed '/^-$/!{s/.*/echo & | base64 -d/e}'
}
user=tester good=open-sesame

# --- the registry decides

registry_start secrets tls basic
basic=$REGISTRY
registry_push "$T/busybox:latest" box:1
check_fails 'a wrong password' 1 'EACCES\|password of .tester' login wrong --ca-file "$REGISTRY_CA" "$basic"
check_fails 'no certificate authority' 1 "$basic" login $good "$basic"
check_fails 'nobody there' 1 '127.0.0.1:1' login $good --plain-http 127.0.0.1:1
check 'nothing of that was stored' test ! -e "$DOCKER_CONFIG"
check 'the right password' login $good --ca-file "$REGISTRY_CA" "$basic"
check_eq 'says so' 'Login Succeeded' "$(cat "$T/check.out")"
check_eq 'is stored' "$user:$good" "$(stored "$basic")"
check_eq 'for the owner alone' '600 700' "$(stat -c %a "$config" "$DOCKER_CONFIG" | tr '\n' ' ' | sed 's/ $//')"
check 'a pull finds it' lcx pull --ca-file "$REGISTRY_CA" "$basic/box:1"
check 'so does skopeo' env REGISTRY_AUTH_FILE="$config" skopeo inspect --cert-dir "$T/ca" "docker://$basic/box:1"
check 'it is tried again without a word' lcx login --ca-file "$REGISTRY_CA" "$basic"
check_fails 'there is no terminal to ask on' 1 'no terminal' setsid -w "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" \
	--run-dir "$T/lcx-run" login -u tester --ca-file "$REGISTRY_CA" "$basic"
check_fails 'a password is no option' 125 'unknown\|not known\|-p' lcx login -u tester -p $good "$basic"
check_fails 'nor is it read without a user' 125 'user' lcx login --password-stdin "$basic"
check_fails 'an empty one' 1 'no password' login '' --ca-file "$REGISTRY_CA" "$basic"
check_fails 'what can be no registry' 1 "can't name a registry" login $good 'a b'
basic_ca=$REGISTRY_CA

registry_start tokens tls token
check_fails 'token server: a wrong password' 1 '' login wrong --ca-file "$REGISTRY_CA" "$REGISTRY"
check_eq 'token server: is not stored' - "$(stored "$REGISTRY")"
check 'token server: the right one' login $good --ca-file "$REGISTRY_CA" "https://$REGISTRY/v2/"
check_eq 'token server: is stored by its short name' "$user:$good" "$(stored "$REGISTRY")"
check_eq 'the other one is still there' "$user:$good" "$(stored "$basic")"
check_fails 'nothing is stored for it: nothing to try' 1 'no terminal' setsid -w "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" \
	--run-dir "$T/lcx-run" login --authfile "$T/none.json" --ca-file "$REGISTRY_CA" "$REGISTRY"

# --- out again

check 'out' lcx logout "$REGISTRY"
check_eq 'says so' "Removing login credentials for $REGISTRY" "$(cat "$T/check.out")"
check_eq 'it is gone' - "$(stored "$REGISTRY")"
check_eq 'the other one is not' "$user:$good" "$(stored "$basic")"
check 'once more' lcx logout "$REGISTRY"
check_eq 'tells' "Not logged in to $REGISTRY" "$(cat "$T/check.out")"
check 'without a file' lcx logout --authfile "$T/none.json"
check_eq 'tells, too' 'Not logged in to https://index.docker.io/v1/' "$(cat "$T/check.out")"
check 'and makes none' test ! -e "$T/none.json"

# --- what else is in the file

mkdir "$T/real"
cat >"$T/real/file.json" <<JSON
{"HttpHeaders": {"X": "y/z"}, "auths": {"https://$basic/v1/": {"auth": "b2xkOm9sZA=="}, "other.example": {"auth": "YTpi", "email": "e"},
 "$basic/team": {"auth": "Yzpk"}}, "detachKeys": "ctrl-e,e", "count": 12345678901234567890, "unicode": "ü"}
JSON
chmod 644 "$T/real/file.json"
ln -s "$T/real/file.json" "$T/link.json"
check 'in a file with other things' login $good --authfile "$T/link.json" --ca-file "$basic_ca" "$basic"
check 'a link stays one' test -L "$T/link.json"
check_eq 'the file is private now' 600 "$(stat -c %a "$T/real/file.json")"
check_eq 'an older name of the registry is replaced, all else stays' "$(jq -S -c . <<-JSON
	{"HttpHeaders": {"X": "y/z"}, "auths": {"$basic": {"auth": "$(printf %s "$user:$good" | base64)"},
	"other.example": {"auth": "YTpi", "email": "e"}, "$basic/team": {"auth": "Yzpk"}}, "detachKeys": "ctrl-e,e",
	"count": 12345678901234567890, "unicode": "ü"}
JSON
)" "$(jq -S -c . "$T/real/file.json")"
check_eq 'to the last digit' 1 "$(grep -c 12345678901234567890 "$T/real/file.json")"
echo '{"auths": []}' >"$T/odd.json"
check_fails 'a file that is something else is left alone' 1 'odd.json\|auths' login $good --authfile "$T/odd.json" --ca-file "$basic_ca" "$basic"
check_eq 'truly' '{"auths": []}' "$(cat "$T/odd.json")"
pids=
for i in 1 2 3 4 5 6; do
	login $good --authfile "$T/both.json" --ca-file "$basic_ca" "$basic" >/dev/null &
	pids="$pids $!"
	login $good --authfile "$T/both.json" --ca-file "$basic_ca" "localhost:${basic#*:}" >/dev/null &
	pids="$pids $!"
done
wait $pids
check_eq 'twelve at once lose nothing' "$basic localhost:${basic#*:}" "$(jq -r '.auths | keys | join(" ")' "$T/both.json")"
check_eq 'and leave nothing' '' "$(cd "$T" && find . -maxdepth 1 -name '.*' ! -name .)"

# --- helpers

mkdir "$T/bin"
cat >"$T/bin/docker-credential-test" <<'HELPER'
#!/bin/sh
echo "$# $*" >>"$T/helper.args"
case $1 in
store) cat >"$T/helper.secret"; tail -c 1 "$T/helper.secret" >/dev/null ;;
get) jq -c '{Username, Secret}' "$T/helper.secret" 2>/dev/null || { echo 'credentials not found in native keychain'; exit 1; } ;;
erase) read -r server; [ -e "$T/helper.secret" ] || { echo 'credentials not found in native keychain'; exit 1; }; rm "$T/helper.secret" ;;
esac
HELPER
cat >"$T/bin/docker-credential-broken" <<'HELPER'
#!/bin/sh
echo "cannot store $(cat)"
exit 1
HELPER
cat >"$T/bin/docker-credential-dies" <<'HELPER'
#!/bin/sh
exec >&-
kill -9 $$
HELPER
chmod +x "$T/bin"/*
export PATH="$T/bin:$PATH"
echo '{"auths": {"'"$basic"'": {"auth": "b2xkOm9sZA=="}}, "credsStore": "test"}' >"$config"
check 'a helper gets the credentials' env ASAN_OPTIONS=detect_leaks=0 strace -f -qq -s 4096 -e trace=execve -o "$T/execs" "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" \
	--run-dir "$T/lcx-run" login --password-stdin -u tester --ca-file "$basic_ca" "$basic" <<-PASSWORD
	$good
PASSWORD
check_eq 'by its standard input' "{\"ServerURL\":\"$basic\",\"Username\":\"$user\",\"Secret\":\"$good\"}" "$(cat "$T/helper.secret")"
check_eq 'not by its arguments' '1 store' "$(cat "$T/helper.args")"
check_fails 'nor are they in those of anybody' 1 '' grep -q $good "$T/execs"
check_eq 'the file has a note of it, and the old password no more' "{\"auths\":{\"$basic\":{}},\"credsStore\":\"test\"}" "$(jq -c . "$config")"
check 'a pull asks the helper' lcx pull --ca-file "$basic_ca" "$basic/box:1"
check 'so does a second login' lcx login --ca-file "$basic_ca" "$basic"
check 'and a logout' lcx logout "$basic"
check_eq 'says so' "Removing login credentials for $basic" "$(cat "$T/check.out")"
check 'it has forgotten' test ! -e "$T/helper.secret"
check_eq 'the file, too' '{"auths":{},"credsStore":"test"}' "$(jq -c . "$config")"
check 'a second logout' lcx logout "$basic"
check_eq 'has nothing to forget' "Not logged in to $basic" "$(cat "$T/check.out")"
for helper in broken dies missing; do
	echo '{"credHelpers": {"'"$basic"'": "'$helper'"}}' >"$config"
	check_fails "a helper that is $helper" 1 "credential helper '$helper'" login $good --ca-file "$basic_ca" "$basic"
	check_fails "$helper: its words don't tell the secret" 1 '' grep -q $good "$T/check.out"
	check_eq "$helper: the file is as before" '{"credHelpers": {"'"$basic"'": "'$helper'"}}' "$(cat "$config")"
done
echo '{"credHelpers": {"other.example": "broken"}}' >"$config"
check 'the helper of another registry is not ours' login $good --ca-file "$basic_ca" "$basic"
check_eq 'the file has it' "$user:$good" "$(stored "$basic")"

# --- on a terminal

cat >"$T/terminal.py" <<'PYTHON'
import os, pty, signal, sys
signal.alarm(60)
pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[3], sys.argv[3:])
seen, answers = b"", [(b"Username: ", sys.argv[1]), (b"Password: ", sys.argv[2])]
while True:
    try:
        data = os.read(master, 4096)
    except OSError:
        break
    if not data:
        break
    seen += data
    if answers and seen.endswith(answers[0][0]):
        os.write(master, answers.pop(0)[1].encode() + b"\n")
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
rm "$config"
check 'asks for both' python3 "$T/terminal.py" $user $good "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" \
	login --ca-file "$basic_ca" "$basic"
check_eq 'and has stored them' "$user:$good" "$(stored "$basic")"
check_fails 'without showing the password' 1 '' grep -q $good "$T/check.out"
