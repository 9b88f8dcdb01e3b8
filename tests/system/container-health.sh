# SPDX-License-Identifier: MIT
# build: plain
# guest: no, checks are the same there
# Health checks: by the supervisor, and in the loop of a program that owns its containers; starting, healthy,
# unhealthy, too slow; what inspect, ps and events tell; the image's, and what is refused.
. "${SRC:?}/tests/system/lib.sh"
need busybox jq umoci
make_rootfs "$T/rootfs"
supervisor() { for p in /proc/[0-9]*; do ! ls -l "$p/fd" 2>/dev/null | grep -q "$T/lcx-run/supervisor" || echo "${p#/proc/}"; done; }
defer 'lcx rm -f $(lcx ps -aq); kill $(supervisor)'
run() { lcx run -d --network none --rootfs "$T/rootfs" --health-interval 200ms "$@" >/dev/null; }
get() { lcx inspect --format "{{$2}}" "$1"; }
is() { [ "$(get "$1" .State.Health.Status)" = "$2" ]; }
streak_is() { [ "$(get "$1" .State.Health.FailingStreak)" -ge "$2" ]; }

# --- by the supervisor that lcx starts

run --name web --health-cmd 'echo checked; test -e /tmp/well' --health-retries 2 sleep 1000
check_eq 'at first' starting "$(get web .State.Health.Status)"
check_match 'ps: starting' '(health: starting)' "$(lcx ps)"
check 'failures in a row' wait_for 10 is web unhealthy
check 'are counted' streak_is web 2
check_match 'ps: unhealthy' '(unhealthy)' "$(lcx ps)"
: >"$T/rootfs/tmp/well"
check 'success at once' wait_for 10 is web healthy
check_match 'ps: healthy' '(healthy)' "$(lcx ps)"
check_eq 'ps: the filter' web "$(lcx ps -f health=healthy --format '{{.Names}}')"
check_eq 'ps: another one' '' "$(lcx ps -f health=starting -f health=none --format '{{.Names}}')"
check 'the last five are kept' wait_for 10 sh -c '[ "$('"$BUILD"'/examples/lcx/lcx --root $T/lcx-root --run-dir $T/lcx-run inspect --format "{{len .State.Health.Log}}" web)" = 5 ]'
check_eq 'with what they said' '0 checked' "$(lcx inspect web | jq -r '.[0].state.health.log[-1] | "\(.exitCode) \(.output)"' | head -n 1)"
check_match 'with their time' '^20..-..-..T' "$(lcx inspect web | jq -r '.[0].state.health.log[-1].end')"
check_eq 'events tell of changes' 'unhealthy healthy' "$(lcx events --since 10m --until 0s --format json -f event=health | jq -r .Detail | paste -s -d ' ')"
lcx pause web >/dev/null
sleep 0.5
check_eq 'a pause says nothing' healthy "$(get web .State.Health.Status)"
lcx unpause web >/dev/null

run --name slow --health-cmd 'echo soon; sleep 1000' --health-timeout 300ms --health-retries 1 sleep 1000
check 'one that takes too long' wait_for 10 is slow unhealthy
check_match 'says so' 'soon.*took too long' "$(lcx inspect slow | jq -r '.[0].state.health.log[0].output' | paste -s -d ' ')"

# --- held up: a container that leases its own shell has the kernel wait in whoever executes it

cp -a "$T/rootfs" "$T/leased"
cp "$BUILD/tests/probe" "$T/leased/bin"
cp --remove-destination "$T/leased/bin/busybox" "$T/leased/bin/sh"
run --name beside --health-cmd true sleep 1000
lcx run -d --name holder --network none --rootfs "$T/leased" --health-interval 200ms --health-cmd true \
	--health-timeout 500ms --health-retries 1 probe lease /bin/sh >/dev/null
leased() { lcx logs holder | grep -q leased; }
wait_for 10 leased
before=$(date +%s%N)
timeout 20 "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" cp holder:/bin/sh "$T/copied" >"$T/copy" 2>&1 &
copying=$!
check 'its check is too slow' wait_for 10 is holder unhealthy
check_match 'and killed before it was executed' 'took too long' "$(lcx inspect holder | jq -r '.[0].state.health.log[0].output')"
since() { lcx inspect beside | jq -r '.[0].state.health.log[-1].start'; }
later() { [ "$(date -d "$(since)" +%s%N)" -gt "$((before + $1))" ]; }
check 'those of another go on' wait_for 5 later 1000000000
lcx exec holder sh -c true >"$T/held" 2>&1 &
held=$!
sleep 0.3
kill "$held"
ended=0
wait "$held" || ended=$?
wait "$copying" || :
check_match 'who copies it is not held up' 'holds a lease' "$(cat "$T/copy")"
check_eq 'who executes it by hand can be ended' 143 "$ended"
began=$(date +%s)
lcx rm -f holder beside >/dev/null
check 'and the container, too' test "$(($(date +%s) - began))" -lt 5

run --name early --health-cmd false --health-retries 1 --health-start-period 1h --health-start-interval 100ms sleep 1000
run --name loud --health-cmd 'yes | head -c 100000; printf "\033[31m"; exit 1' --health-retries 1 sleep 1000
check 'much output does not stop it' wait_for 10 is loud unhealthy
check_eq 'and is cut' 4096 "$(lcx inspect loud | jq -r '.[0].state.health.log[0].output | length')"
run --name nothing --health-cmd none-such-program sleep 1000
check 'no such program: a failure' wait_for 10 streak_is nothing 1
check 'in the start period' wait_for 10 sh -c '[ "$('"$BUILD"'/examples/lcx/lcx --root $T/lcx-root --run-dir $T/lcx-run inspect --format "{{len .State.Health.Log}}" early)" -ge 2 ]'
check_eq 'failures do not count' 'starting 0' "$(lcx inspect early | jq -r '.[0].state.health | "\(.status) \(.failingStreak // 0)"')"
lcx restart -t 0 web >/dev/null
check 'started again: checked again' wait_for 10 is web healthy
lcx stop -t 0 web >/dev/null
check_eq 'stopped: not running, and no health in ps' 'Exited (137)' "$(lcx ps -a -f name=web --format '{{.Status}}' | cut -c 1-12)"
lcx rm -f $(lcx ps -aq) >/dev/null
no_supervisor() { [ -z "$(supervisor)" ]; }
check 'the supervisor ends when it is not needed' wait_for 10 no_supervisor

# --- many at once: none is overlooked

for i in 1 2 3 4 5 6 7 8; do run --name many$i --health-cmd true sleep 1000 & done
wait
healthy_are() { [ "$(lcx ps -q -f health=healthy | wc -l)" -eq "$1" ]; }
check 'each is checked' wait_for 20 healthy_are 8
lcx rm -f $(lcx ps -aq) >/dev/null

# --- the image's

mkdir "$T/layout"
umoci init --layout "$T/layout/image"
umoci new --image "$T/layout/image:checked"
umoci unpack --image "$T/layout/image:checked" "$T/bundle" >/dev/null
cp -a "$T/rootfs/." "$T/bundle/rootfs/"
umoci repack --image "$T/layout/image:checked" "$T/bundle" >/dev/null
# umoci knows no health checks: the configuration is changed by hand, and what names it by its digest.
python3 - "$T/layout/image" <<'END'
import hashlib, json, os, sys
top = sys.argv[1]
blob = lambda digest: os.path.join(top, 'blobs', *digest.split(':'))
def put(data):
	text = json.dumps(data).encode()
	digest = 'sha256:' + hashlib.sha256(text).hexdigest()
	with open(blob(digest), 'wb') as f:
		f.write(text)
	return {'digest': digest, 'size': len(text)}
index = json.load(open(os.path.join(top, 'index.json')))
manifest = json.load(open(blob(index['manifests'][0]['digest'])))
config = json.load(open(blob(manifest['config']['digest'])))
config.setdefault('config', {})['Healthcheck'] = {'Test': ['CMD', 'test', '-e', '/etc/passwd'], 'Interval': 200000000, 'Retries': 7}
manifest['config'].update(put(config))
index['manifests'][0].update(put(manifest))
json.dump(index, open(os.path.join(top, 'index.json'), 'w'))
END
lcx import "$T/layout/image" checked >/dev/null
lcx run -d --name image --network none checked sleep 1000 >/dev/null
check 'the check of an image' wait_for 10 is image healthy
lcx run -d --name without --network none --no-healthcheck checked sleep 1000 >/dev/null
check_match 'unless it is not wanted' '^Up [^(]*$' "$(lcx ps -f name=without --format '{{.Status}}')"
lcx run -d --name other --network none --health-cmd false --health-retries 1 checked sleep 1000 >/dev/null
check 'or another is' wait_for 10 is other unhealthy

# --- refused

check_fails 'a time that is none' 125 "health-interval is a time" run --health-cmd true --health-interval often true
check_fails 'a number that is none' 125 "health-retries is a number" run --health-cmd true --health-retries often true
check_fails 'both' 125 'contradict' run --health-cmd true --no-healthcheck true
lcx rm -f $(lcx ps -aq) >/dev/null
lcx rmi checked >/dev/null
