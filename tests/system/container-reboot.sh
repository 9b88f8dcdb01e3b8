# SPDX-License-Identifier: MIT
# guest: no, files and policies are the same there
# The machine loses its power and is started anew: another boot id, nothing in memory, all on the disk as it was. Containers
# come back as their policies say, what nobody saw end has no status, and what the dead had is free again.
. "${SRC:?}/tests/system/lib.sh"
need jq busybox ip nft
make_rootfs "$T/rootfs"
lcx network create --subnet 10.91.7.0/29 small >/dev/null # five addresses beside the gateway's
lcx volume create kept >/dev/null
run() { lcx run -d --network small --rootfs "$T/rootfs" "$@" >/dev/null; }
get() { lcx inspect "$1" | jq -r ".[0].$2"; }
is() { [ "$(get "$1" state.status)" = "$2" ]; }

run --name always --restart always -v kept:/v sh -c 'echo x >>/v/starts; sleep 1000'
run --name unless --restart unless-stopped sleep 1000
run --name failing --restart on-failure:5 sleep 1000
run --name plain -p 127.0.0.1:8099:80 sleep 1000
lcx run -d --network none --rootfs "$T/rootfs" --name halted --restart always sleep 1000 >/dev/null
lcx run -d --network none --rootfs "$T/rootfs" --name ended --restart unless-stopped sleep 1000 >/dev/null
lcx run -d --rm --network small --rootfs "$T/rootfs" --name passing sleep 1000 >/dev/null
passing=$(lcx inspect passing | jq -r '.[0].id')
unstarted=$(lcx create --rm --network none --rootfs "$T/rootfs" --name unstarted sleep 1000)
hollow=$(lcx run -d --rm --network none --rootfs "$T/rootfs" --name hollow sleep 1000)
torn=$(lcx run -d --rm --network none --rootfs "$T/rootfs" --name torn -v /v sleep 1000)
cp -a "$T/lcx-root" "$T/before"
lcx rm -f torn hollow unstarted >/dev/null
lcx stop -t 0 halted ended >/dev/null
check_fails 'all addresses are taken' 125 'small' lcx run --rm --network small --rootfs "$T/rootfs" true
leased=$(get plain network.address)

# --- the power goes: everything that lives at once, then the kernel's objects, then what is in memory

groups=$(for c in always unless failing plain passing; do get $c id; done)
pids=$(for c in always unless failing plain passing; do get $c state.ownerPid; get $c state.pid; done)
others=$(for p in /proc/[0-9]*; do
	case $(readlink "$p/exe" 2>/dev/null) in */examples/lcx/lcx | *lcx-init* | *lcx-resolver* | /memfd:*) echo "${p#/proc/}" ;; esac
done)
kill -KILL $pids $others 2>/dev/null || :
no_process() { for p in $pids $others; do [ ! -d "/proc/$p" ] || [ "$(awk '{ print $3 }' "/proc/$p/stat")" = Z ] || return 1; done; }
wait_for 10 no_process
for link in $(ip -o link show type bridge | awk -F': ' '{ print $2 }') $(ip -o link show type veth | awk -F'[:@ ]+' '{ print $2 }'); do ip link del "$link" 2>/dev/null || :; done
nft flush ruleset
for id in $groups; do
	for group in /sys/fs/cgroup/*/lcx/*."$id" /sys/fs/cgroup/lcx/*."$id"; do [ ! -d "$group" ] || rmdir "$group"; done
done
find "$T/lcx-run" -mindepth 1 -delete
# Of what is removed at its end nobody has waited until the disk had it.
restore() { # NAME...
	for name; do eval "id=\$$name"; tar -C "$T/before" -c "containers/$id" volumes "names/$name" | tar -C "$T/lcx-root" -x; done
}
restore torn hollow unstarted
truncate -s 100 "$T/lcx-root/containers/$torn/container.json"
truncate -s 0 "$T/lcx-root/containers/$hollow/config.json"
sed 's/^......../00000000/' /proc/sys/kernel/random/boot_id >"$T/boot_id"
mount --bind "$T/boot_id" /proc/sys/kernel/random/boot_id
defer 'umount /proc/sys/kernel/random/boot_id'

# --- and comes back

# Whoever comes first removes what of that can still be read; later, the collector of garbage and who waits.
are_there() { for id; do [ ! -d "$T/lcx-root/containers/$id" ] || echo "$id"; done; }
lcx ps >/dev/null
check_eq '--rm: the first that comes removes them' "$torn" "$(are_there "$passing" "$hollow" "$unstarted" "$torn")"
check_eq 'and their names' torn "$(ls "$T/lcx-root/names" | grep -e passing -e hollow -e unstarted -e torn)"
mkdir -m 700 "$T/lcx-run/containers" # somebody has started another one
restore passing hollow unstarted
truncate -s 100 "$T/lcx-root/containers/$hollow/config.json"
lcx volume create spare >/dev/null
check 'what nobody can read has no volumes, if it is nothing' lcx volume rm spare
lcx gc >/dev/null
check_eq '--rm: so does gc, and what was cut off' '' "$(are_there "$passing" "$hollow" "$unstarted" "$torn")"
check_eq 'with its volume' kept "$(ls "$T/lcx-root/volumes")"
restore passing torn
truncate -s 0 "$T/lcx-root/containers/$torn/container.json"
check_eq 'nobody has seen how it ended' 'exited null' "$(get plain state.status) $(get plain state.exitCode)"
check_eq 'one that was stopped before has its status' 137 "$(get ended state.exitCode)"
"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" supervise &
supervise=$!
defer 'kill $supervise || :'
check_fails '--rm, and cut off: there is no such container' 1 'torn' lcx inspect torn
for c in always unless failing halted; do check "$c runs again" wait_for 10 is $c running; done
check 'it is another run' test "$(wc -l <"$T/lcx-root/volumes/kept/data/starts")" -eq 2
check 'stopped on purpose: stays so' is ended exited
check 'without a policy: left alone' is plain exited
passed() { ! lcx inspect passing >/dev/null 2>&1; }
check '--rm: it is removed' wait_for 10 passed
check_eq 'three addresses are taken, by those that run' 3 "$(lcx network inspect small | jq '.[0].containers | length')"
check_match 'each has one' '^10\.91\.7\.' "$(get always network.address)"
check_eq 'the others are listed all the same' 0 "$(lcx ps -a | grep -c torn || :)"
lcx gc >/dev/null
check 'and it is removed, with its volume' [ "$(ls -d "$T/lcx-root/containers/$torn" 2>&1 | wc -l) $(ls "$T/lcx-root/volumes")" = '1 kept' ]
check 'a dead one'"'"'s address is free' lcx run -d --name first --network small --rootfs "$T/rootfs" sleep 1000
check 'another one'"'"'s, too' lcx run -d --name second --network small --rootfs "$T/rootfs" sleep 1000
check_fails 'and no more' 125 'small' lcx run --rm --network small --rootfs "$T/rootfs" true
check_match 'the dead had had one of these' "$leased" "$(get first network.address) $(get second network.address) $(get always network.address) $(get unless network.address) $(get failing network.address)"
lcx rm -f first >/dev/null
check 'by hand it starts, too, with its port' lcx start plain
check_match 'on the port' '8099' "$(get plain network.ports)"
lcx rm -f $(lcx ps -aq) >/dev/null
check_eq 'nothing is left of either boot' '' "$(ls "$T/lcx-run/containers")"
lcx network rm small >/dev/null
kill $supervise
wait $supervise || :
