# SPDX-License-Identifier: MIT
# guest: no, what it says is the same there; limits and statistics are tried by cgroup-limits
# A container's life by the command: detached, looked at, listed as JSON, entered, stopped, removed.
. "${SRC:?}/tests/system/lib.sh"
need jq busybox
make_rootfs "$T/rootfs"
echo text >"$T/rootfs/etc/text"

# --- a detached one, and all that looks at it

id=$(lcx run -d --name web --network none --label tier=front --stop-signal INT --rootfs "$T/rootfs" \
	sh -c 'trap "echo bye; exit 3" INT; echo one; sleep 0.2; echo two >&2; sleep 0.2; echo three; while :; do sleep 0.1; done')
defer 'lcx rm -f web other sig'
check_match 'prints an identifier' '^[0-9a-f]\{12,\}$' "$id"
[ "$(stat -f -c %T "$T")" != ext2/ext3 ] ||
	check_match 'ext4 keeps containers apart from what else is there' '^[^ ]*T' "$(lsattr -d "$T/lcx-root")"
check_fails 'a name that is taken' 125 "web" lcx run -d --name web --rootfs "$T/rootfs" true
wait_for 5 sh -c '"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" logs web 2>/dev/null | grep three'
check_eq 'logs: output' "one
three" "$(lcx logs web 2>/dev/null)"
check_eq 'logs: error' two "$(lcx logs web 2>&1 >/dev/null)"
check_eq 'logs: both, in the order in which they came' "one
two
three" "$(lcx logs web 2>&1)"
check_eq 'logs: the last two' 2 "$(lcx logs --tail 2 web 2>&1 | wc -l)"
check_match 'logs: times' '^20[0-9-]*T[0-9:.]*Z one' "$(lcx logs -t web 2>/dev/null)"
check_eq 'logs: since now' '' "$(lcx logs --since 0s web 2>&1)"
check_eq 'logs: until an hour ago' '' "$(lcx logs --until 1h web 2>&1)"
check 'logs: nobody follows beyond that' timeout 5 "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" \
	logs -f --until 1h web
check_eq 'exec: as another user, elsewhere' "1000 /tmp yes" "$(lcx exec -u user -w /tmp -e A=yes web sh -c 'echo $(id -u) $(pwd) $A')"
printf 'ONE=1\nTWO=2\n' >"$T/variables"
check_eq 'exec: variables of a file, then others' '1 3' "$(lcx exec --env-file "$T/variables" -e TWO=3 web sh -c 'echo $ONE $TWO')"
check_fails 'exec: a file that is not there' 125 'No such file' lcx exec --env-file "$T/none" web true
capabilities() { echo $((0x$(lcx exec "$@" web awk '/^CapEff/ { print $2 }' /proc/self/status))); }
has=$(capabilities)
check_eq 'exec: one capability more' $((has | 1 << 21)) "$(capabilities --cap-add SYS_ADMIN)"
check_eq 'exec: one less, and all but one' "$((has & ~1)) 1" "$(capabilities --cap-drop CHOWN) $(capabilities --cap-drop ALL --cap-add CHOWN)"
check_eq 'exec: with all of them' 1 "$(($(capabilities --privileged) >> 21 & 1))"
check_eq 'exec: standard input' in "$(echo in | lcx exec -i web cat)"
check_fails 'exec: its own code' 9 '' lcx exec web sh -c 'exit 9'
check_fails 'exec: not there' 127 'no-such' lcx exec web no-such
check_fails 'exec: not executable' 126 '/etc/text' lcx exec web /etc/text
check_fails 'exec: a user that is not there' 125 'nobody-here' lcx exec -u nobody-here web true
check 'exec: detached' lcx exec -d web sh -c 'sleep 0.2; touch /tmp/detached'
wait_for 5 test -f "$T/rootfs/tmp/detached"
short=$(echo "$id" | cut -c1-12)
check_match 'ps' "^$short .*web" "$(lcx ps)"
check_eq 'ps -q' "$short" "$(lcx ps -q)"
check_eq 'ps -q --no-trunc' "$id" "$(lcx ps -q --no-trunc)"
check_eq 'ps: a filter that fits' "$short" "$(lcx ps -q -f name=web -f status=running -f label=tier=front)"
check_eq 'ps: one that does not' '' "$(lcx ps -q -f label=tier=back)"
check_fails 'rm of a running one' 1 'is running' lcx rm web
check_fails 'network rm of a used name' 1 nope lcx network rm nope

json() { # NAME FILTER COMMAND...: valid JSON, and the filter is true of it
	name=$1 filter=$2
	shift 2
	lcx "$@" >"$T/json" 2>"$T/json.err" || :
	check "JSON: $name" jq -e "$filter" "$T/json"
}
json ps '.[0].Names == "web" and .[0].State == "running" and (.[0].Pid | type) == "number"' ps --format json
json 'ps, whole identifiers' ".[0].ID == \"$id\"" ps --no-trunc --format json
json inspect 'length == 1 and (.[0] | type) == "object"' inspect web
json 'inspect of two, one missing' 'length == 1' inspect web nope
json stats '.[0].Name == "web" and .[0].MemoryBytes > 0 and .[0].CPUNanoseconds > 0' stats --format json
json version '.Library != null' version --format json
json images 'type == "array"' images --format json
json 'network ls' 'type == "array"' network ls --format json
json gc '.Removed == 0' gc --format json
check_match 'stats' '^CONTAINER ID .*web' "$(lcx stats --no-stream | tr '\n' ' ')"

# --- ends

lcx logs -f web >"$T/followed" 2>&1 &
follower=$!
check_eq 'stop prints the name' web "$(lcx stop -t 5 web)"
check 'logs -f ends with the container' wait_for 5 sh -c "! kill -0 $follower"
check_eq 'and printed its last words' bye "$(tail -n 1 "$T/followed")"
check_match 'by its own stop signal' 'Exited (3)' "$(lcx ps -a)"
check_eq 'ps shows those that run only' '' "$(lcx ps -q)"
check_fails 'exec in a stopped one' 125 'not running' lcx exec web true
check_fails 'kill of a stopped one' 1 'not running' lcx kill web
check 'stop of a stopped one' lcx stop web
lcx run -d --name other --network none --rootfs "$T/rootfs" sleep 1000 >/dev/null
check_fails 'rm goes on after a failure' 1 'nope' lcx rm -f web nope other
check_eq 'all are gone' '' "$(lcx ps -aq)"
check 'a killed one' sh -c 'lcx() { "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" "$@"; }
	id=$(lcx run -d --network none --rootfs "$T/rootfs" sleep 1000) && lcx kill -s KILL "$id" &&
	for i in 1 2 3 4 5 6 7 8 9 10; do lcx ps -a | grep -q "Exited (137)" && break; sleep 0.1; done &&
	lcx ps -a | grep "Exited (137)" && lcx rm "$id"'

# --- signals are passed on

# (A shell function in the background would be a process of its own in front of the command.)
"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" run --rm --name sig --network none \
	--rootfs "$T/rootfs" \
	sh -c 'trap "exit 42" TERM; echo ready; while :; do sleep 0.1; done' >"$T/ready" &
pid=$!
wait_for 5 grep ready "$T/ready"
kill -TERM "$pid"
r=0
wait "$pid" || r=$?
check_eq 'SIGTERM reaches the program' 42 "$r"
check_eq 'and --rm removed it' '' "$(lcx ps -aq)"

# --- networks

check_eq 'network create' back "$(lcx network create --subnet 10.91.7.0/24 back)"
check_match 'network ls' '^back .*10.91.7.0/24' "$(lcx network ls)"
json 'network inspect' '.[0] | type == "object"' network inspect back
check_fails 'a network that is there' 1 back lcx network create back
check_fails 'a subnet that overlaps' 1 '10.91' lcx network create --subnet 10.91.0.0/16 wide
check_fails 'a subnet that is none' 1 'no-subnet' lcx network create --subnet no-subnet x
check_eq 'network rm' back "$(lcx network rm back)"

# --- images

need umoci
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
check_match 'import' '^sha256:' "$(lcx import --ref latest "$T/layout" local/busybox:latest)"
check_match 'images' '^local/busybox  *latest ' "$(lcx images)"
json 'images that are here' '.[0].Tag == "latest" and .[0].Size > 0' images --format json
json 'inspect an image' '.[0] | .RootFS.Type == "layers" and .Config.Cmd == ["sh"] and .Os == "linux"' inspect local/busybox:latest
json 'image inspect tells its names' '.[0] | .RepoTags == ["local/busybox:latest"] and (.RepoDigests[0] | startswith("local/busybox@sha256:"))' \
	image inspect local/busybox
json 'and its history' '.[0].History | length > 0 and (.[0] | has("created_by"))' image inspect local/busybox
json 'inspect by a type' '.[0].Id | startswith("sha256:")' inspect --type image local/busybox
mkdir "$T/without" && : >"$T/without/libcrypto.so.3"
check_eq 'run an image, which needs no libcrypto' from-image \
	"$(LD_LIBRARY_PATH="$T/without" lcx run --rm --network none local/busybox echo from-image)"
mkdir "$T/without-md" && : >"$T/without-md/libmd.so.0"
check_eq 'nor libmd, if libcrypto is there' from-image \
	"$(LD_LIBRARY_PATH="$T/without-md" lcx run --rm --network none local/busybox echo from-image)"
lcx run --name user --network none local/busybox true
defer 'lcx rm -f user'
check_match 'ps shows the image' 'local/busybox' "$(lcx ps -a)"
check_fails 'rmi of an image in use' 1 'user\|in use\|container' lcx rmi local/busybox:latest
lcx rm user >/dev/null
check_eq 'rmi' local/busybox:latest "$(lcx rmi local/busybox:latest)"
check_eq 'no image is left' '' "$(lcx images -q)"
lcx gc >/dev/null
