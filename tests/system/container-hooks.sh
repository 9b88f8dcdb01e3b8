# SPDX-License-Identifier: MIT
# guest: no, hooks know nothing of cgroups
# Hooks of all six kinds: when, where and with what they run, and what becomes of a start if one fails.
. "${SRC:?}/tests/system/lib.sh"
need busybox jq
make_rootfs "$T/rootfs"
mkdir -p "$T/said"
run() { # NAME SCRIPT HOOK...
	name_=$1 script_=$2
	shift 2
	timeout 60 "$BUILD/tests/container-hooks" "$T/lcx-root" "$T/lcx-run" "$T/rootfs" "$name_" "$script_" "$@"
}
gone() { # NAME: remove it
	lcx rm "$1" >/dev/null
}

# What a hook saw: its state, its environment, its namespaces, its arguments.
cat >"$T/hook" <<EOF
#!/bin/sh
cat >"$T/said/\$1.state"
env >"$T/said/\$1.env"
readlink /proc/self/ns/mnt >"$T/said/\$1.mnt"
readlink /proc/self/ns/net >"$T/said/\$1.net"
echo "\$@" >"$T/said/\$1.args"
ls -l /proc/self/fd | grep -c ' -> ' >"$T/said/\$1.fds"
umask >"$T/said/\$1.umask"
echo "\$1" >>"$T/said/order"
EOF
chmod 755 "$T/hook"
# Inside there is busybox alone, and nothing of the host's.
cat >"$T/rootfs/bin/hook" <<'EOF'
#!/bin/busybox sh
cat >/tmp/hook.state
id -u >/tmp/hook.uid
grep CapEff /proc/self/status >/tmp/hook.caps
readlink /proc/self/ns/mnt >/tmp/hook.mnt
EOF
chmod 755 "$T/rootfs/bin/hook"

umask 027
check_eq 'a start with all kinds' 'status 0' "$(run all 'tr -d "\n" </tmp/hook.state; echo; cat /tmp/hook.uid; grep CapEff /proc/self/status; cat /tmp/hook.caps; readlink /proc/self/ns/mnt; cat /tmp/hook.mnt' \
	poststop "$T/hook" 0 a prestart "$T/hook" 5 b createRuntime "$T/hook" 5 c createContainer "$T/hook" 5 d \
	startContainer /bin/hook 5 e poststart "$T/hook" 5 f | tee "$T/out" | tail -n 1)"
check_eq 'their order' 'prestart createRuntime createContainer poststart poststop' "$(xargs <"$T/said/order")"
check_eq 'their arguments' 'createRuntime c' "$(cat "$T/said/createRuntime.args")"
for kind in prestart createRuntime createContainer poststart; do
	status=creating
	outside=true
	[ $kind != poststart ] || status=running
	# In the container it is process 1.
	[ $kind != createContainer ] || outside=false
	check_eq "$kind: the state" "all $status $outside a \"value\" 1.3.0 true" "$(jq -r '[.id, .status, (.pid > 1),
		.annotations["org.example.key"], .ociVersion, (.bundle | startswith("/"))] | join(" ")' "$T/said/$kind.state")"
done
check_eq 'poststop: the state has no process' 'all stopped null' "$(jq -r '[.id, .status, (.pid | tostring)] | join(" ")' "$T/said/poststop.state")"
check_eq 'a clean environment' 'HOOK=yes' "$(grep -v '^PWD=\|^_=\|^SHLVL=' "$T/said/createRuntime.env")"
check_eq 'also in the container' 'HOOK=yes' "$(grep -v '^PWD=\|^_=\|^SHLVL=' "$T/said/createContainer.env")"
check_eq 'three descriptors, and the one to look at them' 4 "$(cat "$T/said/createContainer.fds")"
check_eq 'the umask of the caller' 0027 "$(cat "$T/said/createRuntime.umask")"
for kind in prestart createRuntime poststart poststop; do
	check_eq "$kind runs on the host" "$(readlink /proc/self/ns/mnt) $(readlink /proc/self/ns/net)" \
		"$(cat "$T/said/$kind.mnt") $(cat "$T/said/$kind.net")"
done
check 'createContainer runs in the namespaces of the container' test "$(cat "$T/said/createContainer.net")" != "$(readlink /proc/self/ns/net)"
check_eq 'and in its mounts' "$(tail -n 2 "$T/out" | head -n 1)" "$(cat "$T/said/createContainer.mnt")"
check_eq 'startContainer runs in the container' created "$(head -n 1 "$T/out" | jq -r .status)"
check_eq 'as its user, with its capabilities' 1 "$(sed -n '3,4p' "$T/out" | uniq | wc -l)"
check_eq 'in its root' "$(sed -n 5p "$T/out")" "$(sed -n 6p "$T/out")"
gone all

: >"$T/said/order"
check_eq 'with a monitor' 'status 0' "$(run watched 'true' -d createContainer "$T/hook" 5 x startContainer /bin/hook 5 x poststop "$T/hook" 5 x | tail -n 1)"
check_eq 'all ran' 'createContainer poststop' "$(xargs <"$T/said/order")"
gone watched

cat >"$T/bad" <<'EOF'
#!/bin/sh
echo "words before" >&2
printf 'no \033 room'
exit 3
EOF
chmod 755 "$T/bad"
cp "$T/bad" "$T/rootfs/bin/bad"
sed -i '1s/.*/#!\/bin\/busybox sh/' "$T/rootfs/bin/bad"
for kind in prestart createRuntime createContainer startContainer poststart; do
	bad=$T/bad
	[ $kind != startContainer ] || bad=/bin/bad
	: >"$T/said/order"
	leak_snapshot
	run "bad-$kind" 'sleep 100' $kind "$bad" 0 '' poststop "$T/hook" 0 '' >"$T/out" 2>&1 || :
	check_match "$kind: its failure ends the start" "run the $kind hook '$bad': exit status 3: words before no room" "$(cat "$T/out")"
	check_eq "$kind: poststop runs all the same" poststop "$(xargs <"$T/said/order")"
	state=created
	[ $kind != poststart ] || state='exited 137'
	check_eq "$kind: the container is as before, or has run" "$state" "$(lcx inspect "bad-$kind" | jq -r '.[0].state | if .status == "exited" then "exited \(.exitCode)" else .status end')"
	gone "bad-$kind"
	leak_check "$kind: nothing is left"
done

# One that has run before, by itself, and ends at a hook: killed, in a run of its own; after one that was killed for
# want of memory before it was ready, in the run before.
cat >"$T/second" <<EOF
#!/bin/sh
[ ! -e "$T/said/second" ] || exit 3
EOF
cat >"$T/rootfs/bin/greedy" <<'EOF'
#!/bin/busybox sh
[ ! -e /greedy ] || exec tail /dev/zero
EOF
chmod 755 "$T/second" "$T/rootfs/bin/greedy"
check_eq 'a start whose hooks are content' 'status 7' "$(run second '[ ! -e /again ] || exec sleep 100; exit 7' -d startContainer /bin/greedy 0 '' poststart "$T/second" 0 '')"
state() { lcx inspect second | jq -r '.[0].state | "\(.status) \(.exitCode) \(.oomKilled)"'; }
lcx update -m 16m --memory-swap 16m second >/dev/null
: >"$T/rootfs/greedy"
check_fails 'a hook that is killed for want of memory' 1 '/bin/greedy' lcx start second
check_eq 'the run before was not' 'exited 7 false' "$(state)"
mv "$T/rootfs/greedy" "$T/rootfs/again"
: >"$T/said/second"
check_fails 'a hook that fails when it runs' 1 'exit status 3' lcx start second
check_eq 'the run has ended by that' 'exited 137 false' "$(state)"
gone second

check_match 'a missing program' "run the createRuntime hook '$T/missing': No such file or directory" \
	"$(run missing true createRuntime "$T/missing" 0 '')"
check_match 'a path that is not absolute' "the hook's path" "$(run relative true createRuntime hook 0 '')"
check_match 'an unknown kind' "'often' is no kind of hook" "$(run unknown true often /bin/true 0 '')"
gone missing

printf '#!/bin/sh\nsleep 100 & echo $! >%s; sleep 100\n' "$T/said/child" >"$T/slow"
chmod 755 "$T/slow"
check_match 'a hook that takes too long is killed' "run the createRuntime hook '$T/slow': .*timed out" \
	"$(run slow true createRuntime "$T/slow" 1 '')"
check_fails 'with its children' 1 '' kill -0 "$(cat "$T/said/child")"
gone slow

check_match 'a failed poststop hook is a warning' 'status 0 warning run the poststop hook .*exit status 3' \
	"$(run after true poststop "$T/bad" 0 '' poststop "$T/hook" 0 '' | xargs -0 echo | tr '\n' ' ')"
check_eq 'and the next one runs' stopped "$(jq -r .status "$T/said/poststop.state")"
gone after

# The program that starts is killed while a hook runs: the hook goes with it, and poststop is made up for.
: >"$T/said/order"
run killed true createContainer "$T/slow" 0 '' poststop "$T/hook" 0 '' >/dev/null 2>&1 &
rm -f "$T/said/child"
wait_for 10 test -s "$T/said/child"
kill -9 "$(pgrep -f "container-hooks $T/lcx-root" | tail -n 1)"
wait || :
not_running() { ! kill -0 "$(cat "$T/said/child")" 2>/dev/null; }
wait_for 10 not_running
check 'gc after the death' lcx gc
check_eq 'poststop ran' poststop "$(xargs <"$T/said/order")"
gone killed
