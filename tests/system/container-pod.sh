# SPDX-License-Identifier: MIT
# guest: no, namespaces are the same there
# Pods: one holder, several members, in the holder's namespaces and in no other's.
. "${SRC:?}/tests/system/lib.sh"
need busybox jq
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
lcx import --ref latest "$T/layout" box >/dev/null
ns() { lcx exec "$1" readlink "/proc/self/ns/$2"; }
get() { lcx inspect "$1" | jq -r ".[0].$2"; }
is() { [ "$(get "$1" state.status)" = "$2" ]; }

lcx pod create --hostname group --add-host somewhere:10.9.9.9 -p 127.0.0.1:8097:80 p >/dev/null
check_eq 'a pod is made, and does not run' 'p created 0' "$(lcx pod ls --format '{{.Name}} {{.Status}} {{.Members}}')"
lcx run -d --name web --pod p box sh -c 'mkdir /www; echo hello >/www/index.html; httpd -f -p 80 -h /www' >/dev/null
check 'its first member starts it' is p running
check_eq 'another finds it on the loopback' hello "$(lcx run --rm --pod p box sh -c 'i=0; while ! wget -qO- http://127.0.0.1/ 2>/dev/null; do i=$((i + 1)); [ $i -lt 50 ] || exit 1; usleep 100000; done')"
check_eq 'and the host on the published port' hello "$(wget -qO- http://127.0.0.1:8097/)"
lcx run -d --name two --pod p box sh -c 'ipcs >/dev/null; sleep 1000' >/dev/null
for kind in net ipc uts; do
	check_eq "$kind is shared" "$(ns web $kind)" "$(ns two $kind)"
	check "$kind is not the host's" test "$(ns web $kind)" != "$(readlink /proc/self/ns/$kind)"
done
for kind in pid mnt cgroup; do check "$kind is not" test "$(ns web $kind)" != "$(ns two $kind)"; done
check_eq 'its hostname is theirs' 'group group group' "$(lcx exec two sh -c 'echo $(hostname) $(cat /etc/hostname) $HOSTNAME')"
check_match 'its hosts, too' '^10.9.9.9.*somewhere' "$(lcx exec two cat /etc/hosts)"
check_match 'with its address' "^$(get p network.address | cut -d/ -f1).*group" "$(lcx exec two cat /etc/hosts)"
check_eq 'two members' 'p running 2' "$(lcx pod ls --format '{{.Name}} {{.Status}} {{.Members}}')"
check_eq 'the holder is one process, without a program' 1 "$(lcx top p | tail -n +2 | wc -l)"
holder=$(get p state.pid)
check_eq 'that holds nothing of the host' 0 "$(ls "/proc/$holder/fd" | wc -l)"

# A member goes and comes; the holder stays. The holder comes anew, and members that start then find it.
lcx restart -t 0 web >/dev/null
check_eq 'a member that starts again is in it again' "$(ns two net)" "$(ns web net)"
lcx kill web >/dev/null
check 'the others go on' is two running
lcx start web >/dev/null
old=$(ns two net)
lcx stop -t 1 p >/dev/null
check_eq 'told to end, the holder ends well' 'exited 0' "$(get p state.status) $(get p state.exitCode)"
check_eq 'who runs keeps what it had' "$old" "$(ns two net)"
lcx stop -t 0 web >/dev/null
check_fails 'nobody starts without it' 1 'its pod' lcx start web
lcx start p >/dev/null
check 'with it they do' lcx start web
check 'in its new namespaces' test "$(ns web net)" != "$old"

# --- processes, too

lcx pod create --share net,pid q >/dev/null
lcx run -d --name first --pod q box sh -c 'sleep 1234 & sleep 1000' >/dev/null
check_match 'of another member' 'sleep 1234' "$(lcx run --rm --pod q box ps)"
check 'process 1 is the holder' lcx exec first sh -c '[ $$ -ne 1 ]'
lcx rm -f first >/dev/null
check_eq 'all of a member ends with it' 0 "$(lcx run --rm --pod q box ps | grep -c 'sleep 1234' || :)"
lcx run --rm --pod q box sh -c '(sleep 0.1; exit 3) & exit 0' || :
sleep 0.3
check_eq 'orphans are reaped' 0 "$(lcx run --rm --pod q box ps -o stat | grep -c Z || :)"
check_eq 'hostname and IPC are its own then' 1 "$([ "$(lcx run --rm --pod q --hostname own box hostname)" = own ] && echo 1)"

# --- words

check_fails 'a network beside' 125 "network is the pod's" lcx run --rm --pod p --network none box true
check_fails 'a hostname beside' 125 "hostname is the pod's" lcx run --rm --pod p --hostname x box true
check_fails 'ports beside' 125 "can't be published" lcx run --rm --pod p -p 1:1 box true
check_fails 'users of its own' 125 'no users of its own' lcx run --rm --pod p --userns auto box true
check_fails 'one that is none' 125 'holds no pod' lcx run --rm --pod web box true
check_fails 'one that is not there' 125 "no container 'nope'" lcx run --rm --pod nope box true
check_fails 'a kind that is none' 1 "can't share 'mnt'" lcx pod create --share mnt x
check_fails 'with what runs' 1 'is running' lcx pod rm p
check_fails 'a whole system among the processes of others' 125 'process numbers of its own' lcx run --rm --pod q --system box true
lcx pod create r >/dev/null
lcx create --name member --pod r box true >/dev/null
lcx stop -t 1 r >/dev/null
check_eq 'inspect tells of it' "$(get r id)" "$(get member pod)"
check_fails 'the holder before its members' 1 "holds a pod that 'member' is in" lcx rm r
check_fails 'with its volumes, too' 1 'holds a pod' lcx rm -v r
check 'it is still there to be started' lcx start r
check 'and its member, too' lcx start member
lcx rm -f member >/dev/null
lcx stop -t 1 r >/dev/null
check 'without members it goes' lcx rm r
check 'but by force' lcx pod rm -f p q
check_eq 'nothing is left' '' "$(lcx ps -aq)"
