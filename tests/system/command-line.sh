# SPDX-License-Identifier: MIT
# The command line itself: options, exit codes, wrong input, listings as JSON.
. "${SRC:?}/tests/system/lib.sh"
need jq busybox
make_rootfs "$T/rootfs"
run() { lcx run --rm --network none --rootfs "$T/rootfs" "$@"; }
plain() { lcx run --rm --network none "$@"; }

# --- usage: everything that is wrong is named, with what was probably meant, and exits 125

check 'help' lcx --help
for command in pull images import rmi run exec ps logs stop kill rm inspect stats network version gc; do
	check_match "help lists $command" "^  $command " "$(lcx --help)"
	[ "$command" = network ] || check "help for $command" lcx "$command" --help
done
for command in ls create inspect rm; do
	check "help for network $command" lcx network "$command" --help
done
check_match 'no command: the list of them' '^  run ' "$(lcx)"
check_fails 'an unknown command, with the nearest' 125 "did you mean 'run'" lcx rnu
check_fails 'an unknown long option, with the nearest' 125 "'--nmae'; did you mean '--name'" lcx run --nmae x y
check_fails 'an unknown letter' 125 "unknown option '-Z'" lcx run -itZ x
check_fails 'an option without its value' 125 "'--name' needs a value" lcx run --name
check_fails 'a flag that is neither true nor false' 125 "true or false, not 'maybe'" lcx run --rm=maybe x
check_fails 'a missing argument' 125 'is missing' lcx rm
check_fails 'one argument too many' 125 'too many' lcx pull a b
check_fails 'an argument where there are none' 125 'takes no arguments' lcx gc x
check_fails 'no image' 125 'image is missing' lcx run --rm
check_fails 'an unknown format' 125 "format 'xml' is unknown" lcx ps --format xml
check_fails 'where to read more' 125 "See 'lcx run --help'" lcx run --nmae x
check_fails 'a wrong network command' 125 "did you mean 'ls'" lcx network sl

# --- values

check_fails 'memory that is no size' 125 "memory limit '5q'" run -m 5q true
check_fails 'memory that is negative' 125 "memory limit" run -m -5 true
check_fails 'memory beyond all bounds' 125 "memory limit" run -m 99999999999t true
check_fails 'no processors' 125 "'0' processors" run --cpus 0 true
check_fails 'processors by name' 125 "'two' processors" run --cpus two true
check_fails 'tasks by name' 125 "limit of tasks 'many'" run --pids-limit many true
check_fails 'an unknown stop signal' 125 "stop signal 'SIGFOO'" run --stop-signal SIGFOO true
check_fails 'an unknown capability' 125 'CAP_FOO\|FOO' run --cap-add FOO true
check_fails 'an unknown security option' 125 "'selinux=off' is unknown" run --security-opt selinux=off true
check_fails 'a missing seccomp profile' 125 'No such file' run --security-opt "seccomp=$T/none" true
check_fails 'an unknown log driver' 125 'carrier-pigeon' run --log-driver carrier-pigeon true
check_fails 'an unknown log option' 125 'max-weight' run --log-opt max-weight=3 true
check_fails 'an unknown network' 125 'nowhere' plain --network nowhere --rootfs "$T/rootfs" true
check_fails 'a volume without destination' 125 '/tmp' run -v /tmp true
check_fails 'a volume whose source is not there' 125 "$T/none" run -v "$T/none:/x" true
check_fails 'a port that is none' 125 '99999' run -p 99999:80 true
check_fails 'a name that is a path' 125 '\.\./x' run --name ../x true
check_fails 'a root file system that is not there' 125 "$T/none" plain --rootfs "$T/none" true
check_fails 'a user that is not there' 125 'nobody-here' run -u nobody-here true
check_fails 'an environment variable without a name' 125 '=x' run -e =x true
check_fails '-t without a terminal' 125 'not a terminal' run -it true
check_fails '-i with -d' 125 'cannot be combined' run -d -i true
check_fails 'a time that is none' 125 "time 'yesterday'" lcx logs --since yesterday x
check_fails 'lines by name' 125 "'few' is no number" lcx logs --tail few x
check_fails 'a filter that is none' 125 "filter 'size=1'" lcx ps --filter size=1
check_fails 'an unknown signal' 125 "signal 'FOO'" lcx kill -s FOO x
check_fails 'seconds by name' 125 "'soon' is no number" lcx stop -t soon x
check_fails 'a reference that is none' 125 'UPPER' lcx run --pull never UPPER/case true
check_fails 'an image that is not here' 125 'missing-image' lcx run --rm --pull never missing-image true
check_eq 'all of these left no container' '' "$(lcx ps -aq)"

for command in 'rm nope' 'rm -f nope' 'stop nope' 'kill nope' 'logs nope' 'rmi nope' 'inspect nope' \
	'stats nope' 'network inspect nope' 'network rm nope' "import $T/none x"; do
	# shellcheck disable=SC2086
	check_fails "$command" 1 'nope\|none' lcx $command
done
check_fails 'exec in no container' 125 'nope' lcx exec nope true
check_fails 'an identifier that is a path' 1 'etc' lcx rm ../../etc
check_fails 'a root directory that others may write to' 125 "$T/open" sh -c \
	'mkdir -m 777 "$T/open"; "$BUILD/examples/lcx/lcx" --root "$T/open" run --rm --rootfs / true'

# --- exit codes and streams

check 'a program that succeeds' run true
check_fails 'its own code' 7 '' run sh -c 'exit 7'
check_fails 'a code above 128' 200 '' run sh -c 'exit 200'
check_fails 'a code as the shell gives it for a signal' 137 '' run sh -c 'sh -c "kill -9 \$\$"; exit $?'
check_fails 'a program that is not there' 127 'no-such-program' run no-such-program
check_fails 'a path that is not there' 127 '/no/such' run /no/such
check_fails 'a directory' 126 '/etc' run /etc
echo text >"$T/rootfs/etc/text"
chmod +x "$T/rootfs/etc/text"
check_fails 'a file without magic' 126 '/etc/text' run /etc/text
chmod -x "$T/rootfs/etc/text"
check_fails 'a file that is not executable' 126 '/etc/text' run /etc/text
check_eq 'these left no container either' '' "$(lcx ps -aq)"
check_eq 'standard output' out "$(run sh -c 'echo out; echo err >&2' 2>"$T/err")"
check_eq 'standard error, apart' err "$(cat "$T/err")"
check_eq 'standard input with -i' 'through' "$(echo through | run -i cat)"
check_eq 'standard input from a file' "$(md5sum <"$BUILD/examples/lcx/lcx")" "$(run -i md5sum <"$BUILD/examples/lcx/lcx")"
check_eq 'no standard input without -i' '' "$(echo through | run cat)"
check_eq 'a megabyte through both ways' 1048576 "$(head -c 1048576 /dev/zero | run -i cat | wc -c)"
check_eq 'a reader that goes away' 1 "$(run sh -c 'yes | head -n 100000' | head -n 1 | wc -l)"

# --- options of run

check_eq 'two dashes end the options' '-n' "$(run -- printf %s -n)"
check_eq 'letters and an attached value' '/tmp' "$(run -iw/tmp pwd)"
check_eq 'a value behind =' 'v=1' "$(run --env=A=v=1 sh -c 'echo $A')"
check_eq 'a variable of the caller' there "$(HERE=there run -e HERE sh -c 'echo $HERE')"
check_eq 'a user by number' '5:6' "$(run -u 5:6 sh -c 'echo $(id -u):$(id -g)')"
check_eq 'a user by name' '1000:1000' "$(run -u user sh -c 'echo $(id -u):$(id -g)')"
check_eq 'a host name' box "$(run -h box hostname)"
check_fails 'a read-only root' 1 'Read-only' run --read-only touch /x
mkdir "$T/volume"
check 'a volume' run -v "$T/volume:/data" touch /data/made
check 'is the host directory' test -f "$T/volume/made"
check_fails 'a read-only volume' 1 'Read-only' run -v "$T/volume:/data:ro" touch /data/no
check_fails 'a dropped capability' 1 'not permitted' run --cap-drop CHOWN chown 1 /etc/text
check_eq 'no new privileges' 1 "$(run --security-opt no-new-privileges sed -n 's/NoNewPrivs:[[:space:]]*//p' /proc/self/status)"
check_eq 'no seccomp filter' 0 "$(run --security-opt seccomp=unconfined sed -n 's/Seccomp:[[:space:]]*//p' /proc/self/status)"
check_eq 'the default seccomp filter' 2 "$(run sed -n 's/Seccomp:[[:space:]]*//p' /proc/self/status)"
check_match 'steps with --debug' 'process.* ms' "$(run --debug true 2>&1)"

# --- a detached one, and all that looks at it

id=$(lcx run -d --name web --network none --label tier=front --stop-signal INT --rootfs "$T/rootfs" \
	sh -c 'trap "echo bye; exit 3" INT; echo one; echo two >&2; echo three; while :; do sleep 0.1; done')
defer 'lcx rm -f web other sig'
check_match 'prints an identifier' '^[0-9a-f]\{12,\}$' "$id"
check_fails 'a name that is taken' 125 "web" lcx run -d --name web --rootfs "$T/rootfs" true
wait_for 5 sh -c '"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" logs web 2>/dev/null | grep three'
check_eq 'logs: output' "one
three" "$(lcx logs web 2>/dev/null)"
check_eq 'logs: error' two "$(lcx logs web 2>&1 >/dev/null)"
check_eq 'logs: the last two' 2 "$(lcx logs --tail 2 web 2>&1 | wc -l)"
check_match 'logs: times' '^20[0-9-]*T[0-9:.]*Z one' "$(lcx logs -t web 2>/dev/null)"
check_eq 'logs: since now' '' "$(lcx logs --since 0s web 2>&1)"
check_eq 'logs: until an hour ago' '' "$(lcx logs --until 1h web 2>&1)"
check_eq 'exec: as another user, elsewhere' "1000 /tmp yes" "$(lcx exec -u user -w /tmp -e A=yes web sh -c 'echo $(id -u) $(pwd) $A')"
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
json 'inspect an image' '.[0].Config.rootfs.type == "layers"' inspect local/busybox:latest
check_eq 'run an image' from-image "$(lcx run --rm --network none local/busybox echo from-image)"
lcx run --name user --network none local/busybox true
defer 'lcx rm -f user'
check_match 'ps shows the image' 'local/busybox' "$(lcx ps -a)"
check_fails 'rmi of an image in use' 1 'user\|in use\|container' lcx rmi local/busybox:latest
lcx rm user >/dev/null
check_eq 'rmi' local/busybox:latest "$(lcx rmi local/busybox:latest)"
check_eq 'no image is left' '' "$(lcx images -q)"
lcx gc >/dev/null
