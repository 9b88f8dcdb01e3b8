# SPDX-License-Identifier: MIT
#
# What every system test shares. A test is a POSIX sh script that begins with
#
#	. "${SRC:?}/tests/system/lib.sh"
#
# and is started by `sh tests/run.sh system/NAME`, as root, in network, mount and process namespaces
# of its own (isolate.sh), with any working directory and with
#
#	SRC    the source tree
#	BUILD  a build directory
#	T      (made here) a private temporary directory, removed at the end
#
# Variables that end in _ are its own.
#
# It prints one line for each thing that must hold, by the functions below, and needs no exit code:
# a failed line, or an end before its time, fails the script.

set -eu
: "${SRC:?}" "${BUILD:?}"
T=$(mktemp -d "${TMPDIR:-/tmp}/lcx-test.XXXXXX")
export SRC BUILD T
failures=0
cleanups=

# --- results

pass() { # NAME
	echo "ok - $1"
}

fail() { # NAME [FILE with the words]
	echo "not ok - $1"
	[ -z "${2:-}" ] || sed 's/^/# /' "$2"
	failures=$((failures + 1))
}

skip() { # NAME REASON
	echo "ok - $1 # SKIP $2"
}

# The rest of the script cannot run here, for a reason that lies in the machine.
skip_rest() { # NAME REASON
	skip "$@"
	exit 0
}

# Pass if the command succeeds; else fail and show what it said.
check() { # NAME COMMAND...
	name_=$1
	shift
	if "$@" >"$T/check.out" 2>&1; then
		pass "$name_"
	else
		echo "[status $?] $*" >>"$T/check.out"
		fail "$name_" "$T/check.out"
	fi
}

# Pass if the command fails with this status and says these words (a basic regular expression, or '').
check_fails() { # NAME STATUS WORDS COMMAND...
	name_=$1 status_=$2 words_=$3
	shift 3
	r_=0
	"$@" >"$T/check.out" 2>&1 || r_=$?
	if [ "$r_" -eq "$status_" ] && { [ -z "$words_" ] || grep -q -e "$words_" "$T/check.out"; }; then
		pass "$name_"
	else
		echo "[status $r_, wanted $status_ with '$words_'] $*" >>"$T/check.out"
		fail "$name_" "$T/check.out"
	fi
}

check_eq() { # NAME EXPECTED ACTUAL
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		printf 'expected: %s\nfound:    %s\n' "$2" "$3" >"$T/check.out"
		fail "$1" "$T/check.out"
	fi
}

check_match() { # NAME PATTERN(grep) TEXT
	if printf '%s\n' "$3" | grep -q -e "$2"; then
		pass "$1"
	else
		printf 'no match for: %s\nin:           %s\n' "$2" "$3" >"$T/check.out"
		fail "$1" "$T/check.out"
	fi
}

# --- the end of a test

# Have a command (one string, evaluated) run at the end, the last one first.
defer() {
	cleanups="$1
$cleanups"
}

finish_() {
	status_=$?
	trap - EXIT HUP INT TERM
	set +e
	[ "$status_" -eq 0 ] || fail "runs to its end (status $status_)"
	while [ -n "$cleanups" ]; do
		todo_=${cleanups%%"
"*}
		cleanups=${cleanups#*"
"}
		eval "$todo_" >/dev/null 2>&1
	done
	cd /
	rm -rf --one-file-system "$T"
	[ "$failures" -eq 0 ]
	exit $?
}
trap finish_ EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- tools

# The bed installs every program; one that is missing is a defect, not a reason to skip.
need() { # PROGRAM...
	for program_; do
		command -v "$program_" >/dev/null 2>&1 || {
			echo "$program_ is not installed: add its package to tests/packages" >&2
			exit 1
		}
	done
}

# Wait until a command succeeds, looking ten times a second. Fails after SECONDS.
wait_for() { # SECONDS COMMAND...
	tries_=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries_=$((tries_ - 1))
		[ "$tries_" -gt 0 ] || { echo "timed out waiting for: $*" >&2; return 1; }
		sleep 0.1
	done
}

# End a daemon of an engine: its helpers end after it, and what it could not unmount while they lived is
# unmounted then, or the directory could not be removed.
end_engine() { # PID DIR
	kill "$1" && wait "$1" || :
	no_process_of() { ! pgrep -f -- "$1"; }
	wait_for 20 no_process_of "$2" || :
	awk -v dir="$2/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
		while read -r place_; do umount -l "$place_" || :; done
}

in_guest() { # true in the machine of tests/vm, where cgroup v2 is all there is
	[ -n "${LCX_TEST_GUEST:-}" ]
}

has_cgroup2() {
	[ -f /sys/fs/cgroup/cgroup.controllers ]
}

# Run shell code (a string) in new network and mount namespaces. It has these
# functions too, a T of its own, and the arguments as $1...; its lines count, its variables don't return.
in_new_namespaces() { # CODE [ARGUMENT...]
	code_=$1
	shift
	# shellcheck disable=SC2016
	unshare --net --mount --propagation private sh -c '
		. "$SRC/tests/system/lib.sh"
		ip link set lo up
		code=$1
		shift
		eval "$code"' "$0" "$code_" "$@" || failures=$((failures + 1))
}

# Make a named network namespace that goes away at the end.
make_netns() { # NAME
	ip netns add "$1"
	defer "ip netns del $1"
	ip -n "$1" link set lo up
}

# A root file system with nothing but Debian's static busybox and what a program expects to find.
make_rootfs() { # DIR
	need busybox
	mkdir -p "$1/bin" "$1/sbin" "$1/usr/bin" "$1/etc" "$1/proc" "$1/sys" "$1/dev" "$1/run" "$1/root" "$1/var/log" "$1/tmp"
	chmod 1777 "$1/tmp"
	cp "$(command -v busybox)" "$1/bin/busybox"
	chroot "$1" /bin/busybox --install -s /bin
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/:/bin/sh\n' >"$1/etc/passwd"
	printf 'root:x:0:\nuser:x:1000:\nstaff:x:50:user\n' >"$1/etc/group"
}

# $at: the test's directory at a place that every user can reach.
place_for_others() {
	at=/mnt
	mount --bind "$T" "$at"
	defer "umount $at"
	chmod 755 "$at"
}

# The same with what an ordinary user needs: directories, a root file system, the command.
place_for_user() {
	place_for_others
	mkdir "$at/home" "$at/run"
	make_rootfs "$at/rootfs"
	cp "$BUILD/examples/lcx/lcx" "$BUILD"/lib/liblcx.so.0 "$at/"
}

# A TCP port of 127.0.0.1 that nobody listens on.
free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# The command, with a store and a run directory of the test's own.
lcx() {
	"$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/lcx-run" "$@"
}

# Look for leaks between two points of a test; run.sh does the same around the whole of it.
leak_snapshot() {
	rm -rf "$T/leaks"
	sh "$SRC/tests/system/leaks.sh" snapshot "$T/leaks"
}

leak_check() { # NAME
	check "$1" sh "$SRC/tests/system/leaks.sh" check "$T/leaks"
}
