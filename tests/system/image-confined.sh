#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, the calls that confine it are older than both kernels
# beside: it makes no control groups
# The process that unpacks: what it is given, what its death does, and hosts that make it hard for it.
. "${SRC:?}/tests/system/lib.sh"
need python3 pgrep

tool() { "$BUILD/tests/image-tool" "$T/store" "$@"; }
store_is_empty() { # of what an import makes, but for what is to be resumed
	(cd "$T/store/images" && find refs layers tmp pins holds -mindepth 1)
}

# An image whose unpacking takes a while: many files.
python3 - "$SRC" "$T" <<'END'
import io, sys, tarfile
sys.path.insert(0, sys.argv[1] + '/tests/layers')
import layout

def archive(n, name):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar:
        for i in range(n):
            item = tarfile.TarInfo(f'd/{name}{i}')
            item.size = 5
            tar.addfile(item, io.BytesIO(b'data\n'))
    return out.getvalue()

big, small = archive(6000, 'big'), archive(3, 'small')
layout.write(sys.argv[2] + '/big', [(big, big, '')])
layout.write(sys.argv[2] + '/small', [(small, small, '')])
END

# Start an import in the background and stop its helper in the middle.
start_and_stop() {
	tool import "$T/big" x big >"$T/import.out" 2>&1 &
	host=$!
	helper=
	for _ in $(seq 2000); do
		helper=$(pgrep -x lcx-extract) && break
		sleep 0.005
	done
	[ -n "$helper" ] || return 1
	# It calls itself by its name before it has given up the rest.
	for _ in $(seq 2000); do
		grep -q '^Seccomp:.*2$' "/proc/$helper/status" && break
		sleep 0.005
	done
	kill -STOP "$helper"
}

check 'the helper is seen at work' start_and_stop
status() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$helper/status"; }
check_eq 'it is filtered, and gets no new privileges' '2 1' "$(status Seccomp) $(status NoNewPrivs)"
check_eq 'its root is empty' '' "$(ls -A "/proc/$helper/root/")"
check_eq 'its environment, too' '' "$(tr -d '\0' <"/proc/$helper/environ")"
check_eq 'no library is mapped' '' "$(grep '\.so' "/proc/$helper/maps" || :)"
check_eq 'nothing is writable and executable' '' "$(grep ' rwx' "/proc/$helper/maps" || :)"
# /dev/null three times, its control socket, the layer and the directory; and those that it opens in it.
check_eq 'it has no descriptor of the host' '/dev/null /dev/null /dev/null socket' \
	"$(for fd in 0 1 2 3; do readlink "/proc/$helper/fd/$fd"; done | sed 's/:.*//' | tr '\n' ' ' | sed 's/ $//')"
check_eq 'which are few' yes "$([ "$(ls "/proc/$helper/fd" | wc -l)" -le 9 ] && echo yes)"
check_eq 'it has a mount namespace of its own' different \
	"$([ "$(readlink /proc/self/ns/mnt)" = "$(readlink "/proc/$helper/ns/mnt")" ] || echo different)"
check_eq 'with one mount that it sees' 1 "$(wc -l <"/proc/$helper/mounts")"

kill -KILL "$helper"
wait "$host" && fail 'its death is an error' || pass 'its death is an error'
check_match 'in words' '^ENOMEM: .*layer sha256:.*helper was killed' "$(cat "$T/import.out")"
check_eq 'nothing half-made is left' '' "$(store_is_empty)"

check 'and again' start_and_stop
kill -KILL "$host"
kill -CONT "$helper"
for _ in $(seq 1000); do
	kill -0 "$helper" 2>/dev/null || break
	sleep 0.01
done
check 'it ends when its host is killed' sh -c "! kill -0 $helper 2>/dev/null"
wait "$host" 2>/dev/null || :
tool gc

check 'the same image can be had afterwards' tool import "$T/big" x big
check_eq 'with all its files' 6000 "$(ls "$(tool show big | sed -n 's/^layer //p')/d" | wc -l)"
tool remove big

# Hosts that make it hard; each unpacks the layer anew.
try() { # NAME COMMAND...
	check "$@"
	tool remove small >/dev/null 2>&1 || fail "$1: the image is there"
}
import="$BUILD/tests/image-tool $T/store import $T/small x small"
try 'works where SIGCHLD is ignored' sh -c "trap '' CHLD; exec $import"
try 'works with no standard descriptor' sh -c "exec $import <&- >&- 2>&-"
try 'works with a umask of 777' sh -c "umask 777; exec $import"
try 'works without CAP_SYS_ADMIN' setpriv --inh-caps=-sys_admin --bounding-set=-sys_admin sh -c "exec $import"
# shellcheck disable=SC2016
try 'works where no mount namespace is to be had' unshare --user --map-root-user \
	sh -c "echo 0 >/proc/sys/user/max_mnt_namespaces && exec $import"
try 'works in the calling process, if asked to' "$BUILD/tests/image-tool" "$T/store" --in-process import "$T/small" x small
# By what it leaves, not by its status: the address sanitizer can't end well without /proc.
unshare -m sh -c "mount -t tmpfs none /proc && exec $import" >"$T/words" 2>&1 || :
check 'works without /proc' tool show small
