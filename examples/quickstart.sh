#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: sh examples/quickstart.sh
#
# From nothing to a web server in a container, each step shown. For Debian 12, as root. It installs the
# Debian packages that are missing, builds liblcx below build/, and works in a temporary directory: at
# the end nothing is left of the container, its network or its image.
#
# Environment: LCX_BUILD (a finished build directory: nothing is installed or built), LCX_PORT (the
# published port; default: 8080, or the next that is free).

set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" -eq 0 ] || { echo 'quickstart: please run it as root: it makes a bridge and control groups' >&2; exit 1; }

# In a chroot the kernel withholds what containers need: there, give ourselves a true root.
if [ -z "${LCX_QUICKSTART_ROOTED:-}" ] && ! mountpoint -q /; then
	export LCX_QUICKSTART_ROOTED=1
	exec sh tests/rooted.sh sh "$(pwd)/examples/quickstart.sh" "$@"
fi

# --- showing what happens

if [ -t 1 ]; then
	bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
else
	bold='' dim='' plain=''
fi

step() { # WORDS
	number=$((${number:-0} + 1))
	printf '\n%s%d. %s%s\n' "$bold" "$number" "$*" "$plain"
}

say() {
	printf '   %s\n' "$*"
}

# Show a command as one would type it, then what it answers, of that no more than $lines lines.
lines=60
show() { # COMMAND...
	printf '   %s$ %s%s\n' "$dim" "$*" "$plain"
	"$@" >"$work/said" 2>&1 || { r=$?; sed 's/^/   /' "$work/said"; die "this ended with status $r: $*"; }
	sed "s/^/   /; ${lines}q" "$work/said"
	[ "$(wc -l <"$work/said")" -le "$lines" ] || say '...'
}

die() {
	printf 'quickstart: %s\n' "$*" >&2
	exit 1
}

# Try ten times a second: a program needs a moment until it listens.
wait_until() { # COMMAND...
	tries=50
	until "$@" >"$work/tried" 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || { cat "$work/tried"; die "waited in vain for: $*"; }
		sleep 0.1
	done
}

work=$(mktemp -d "${TMPDIR:-/tmp}/lcx-quickstart.XXXXXX")
finish() {
	r=$?
	trap - EXIT
	[ "$r" -eq 0 ] || { lcx rm -f web; lcx gc; } >"$work/said" 2>&1 || :
	rm -rf --one-file-system "$work"
	exit "$r"
}
trap finish EXIT
trap 'exit 130' HUP INT TERM

# What the machine has of what containers are made of; compared at the end.
inventory() {
	ip -o link | sed 's/@.*//; s/:.*//' | sort -n
	ip -o link | cut -d: -f2
	nft list ruleset
	sed 's/^[0-9]* [0-9]* [^ ]* //; s/ [a-z]*:[0-9]*//g' /proc/self/mountinfo
	find /sys/fs/cgroup -type d -path '*lcx*'
	grep -l '^Name:[[:space:]]*lcx' /proc/[0-9]*/status 2>/dev/null || :
}

# The kernel takes a dead namespace's interfaces down on its own time: to be tried again.
unchanged() {
	inventory >"$work/after"
	diff "$work/before" "$work/after"
}

# --- the way there

step 'Install what is needed, and build'
if [ -n "${LCX_BUILD:-}" ]; then
	build=$LCX_BUILD
	say "using the build in $build"
else
	build=$(pwd)/build/quickstart
	sh tests/install.sh build image quickstart >"$work/said" 2>&1 || { cat "$work/said"; die 'cannot install the packages above'; }
	say 'all packages of the sections build, image and quickstart in tests/packages are here'
	[ -f "$build/build.ninja" ] || lines=3 show meson setup --buildtype=release -Dtests=disabled "$build"
	printf '   %s$ ninja -C %s%s\n' "$dim" "$build" "$plain"
	ninja -C "$build" >"$work/said" 2>&1 || { tail -n 40 "$work/said"; die 'the build failed'; }
	tail -n 1 "$work/said" | sed 's/^/   /'
fi
program=$build/examples/lcx/lcx
[ -x "$program" ] || die "there is no command in $build: was libsmartcols found?"
lcx() { "$program" --root "$work/root" --run-dir "$work/run" "$@"; }
say "below, 'lcx' stands for: $program --root $work/root --run-dir $work/run"
inventory >"$work/before"

step "Make a small image of Debian's busybox, as an OCI layout: no registry is needed"
show sh tests/registry/mkimage.sh busybox "$work/layout"
say "$(find "$work/layout/blobs" -type f | wc -l) blobs, $(du -sh "$work/layout" | cut -f1), in $work/layout"

step 'Import it'
show lcx import --ref web "$work/layout" busybox:web
show lcx images

step 'Run a program in a container, and see what it sees'
show lcx run --rm --entrypoint /bin/sh busybox:web -c 'echo "I am process $$ of $(ls -d /proc/[0-9]* | wc -l), on $(hostname)"; ip -o -4 addr'
say 'each step of the sequence, with its time:'
show lcx run --debug --rm --entrypoint /bin/true busybox:web

step 'Start a web server: an address from the pool, a published port, limits'
port=${LCX_PORT:-8080}
while [ -z "${LCX_PORT:-}" ] && ss -Hltn "sport = :$port" | grep -q .; do
	port=$((port + 1))
done
show lcx run -d --name web -p "$port:80" -m 64m --cpus 0.5 --pids-limit 32 busybox:web
show lcx ps

step 'Ask it, over the bridge and through the published port'
address=$(lcx --format json inspect web | sed -n 's/.*"address": *"\([0-9.]*\)".*/\1/p' | head -n 1)
[ -n "$address" ] || die "'lcx inspect web' names no address"
wait_until curl -fsS --max-time 2 "http://$address/"
show curl -sS --max-time 5 "http://$address/"
show curl -sS --max-time 5 "http://127.0.0.1:$port/"

step 'Its bridge, its cable and its rules, made by netlink alone'
show ip -br link show type bridge
show ip -br link show type veth
lines=20
show nft list table inet lcx

step 'Its log, its statistics, a second program in it'
show lcx logs web
show lcx stats --no-stream web
show lcx exec web ps
lines=30
show lcx inspect web

step 'Remove it: container, network and image'
show lcx rm -f web
show lcx rmi busybox:web
show lcx ps -a
show lcx images

step 'See that nothing is left'
wait_until unchanged
say 'interfaces, nf_tables rules, mounts, control groups and processes are as they were before'
printf '\nThat was all of it. "man lcx", and README.md for the library.\n'
