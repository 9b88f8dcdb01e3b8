#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: leaks.sh snapshot DIR | leaks.sh check DIR
# "snapshot" notes in DIR what exists; "check" compares with it, waits a little for what the kernel
# takes down by itself, and prints and fails on what is new (+) or gone (-).
set -eu
action=$1 dir=$2
mkdir -p "$dir"

# Addresses and flags change by themselves; a link is its index, name and kind of namespace.
links() {
	ip -o link 2>/dev/null | sed 's/^\([0-9]*: [^:]*\):.*/\1/' || :
	for ns in $(ip netns list 2>/dev/null | awk '{ print $1 }'); do
		echo "namespace $ns"
		ip -n "$ns" -o link 2>/dev/null | sed "s/^\([0-9]*: [^:]*\):.*/$ns: \1/" || :
	done
}

rules() {
	nft -s list ruleset 2>/dev/null || :
}

# Mount ids are handed out again: a mount is its root, its place and what it is, not whom it tells.
mounts() {
	sed 's/^[0-9]* [0-9]* [^ ]* //; s/ \(shared\|master\|propagate_from\):[0-9]*//g; s/,seclabel//' /proc/self/mountinfo | LC_ALL=C sort
}

# Seen from a process namespace of our own, version 2 shows the processes of others as 0: a group of that
# name is theirs in every hierarchy, and so may be the parent of all.
cgroups() {
	find /sys/fs/cgroup -path '*lcx*' -name cgroup.procs -exec grep -lx 0 {} + 2>/dev/null |
		sed 's,/cgroup.procs$,,; s,.*/,,' >"$dir/foreign" || :
	[ ! -s "$dir/foreign" ] || echo lcx >>"$dir/foreign"
	find /sys/fs/cgroup -type d -path '*lcx*' 2>/dev/null | awk -F/ -v list="$dir/foreign" '
		BEGIN { while ((getline name <list) > 0) foreign[name] = 1 }
		!($NF in foreign)' | LC_ALL=C sort
}

# Every process that this process namespace can see, but this script, its caller, and zombies of process 1,
# which only wait to be reaped.
# A process is its id, parent and name; kernel threads (children of 2) are nobody's.
processes() {
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v me=$$ -v caller=$PPID -v isolated="${LCX_TEST_ISOLATED:-}" '
		{
			name = $0; sub(/^[^(]*\(/, "", name); sub(/\)[^)]*$/, "", name)
			rest = $0; sub(/^.*\) /, "", rest); split(rest, field, " ")
			state = field[1]; parent = field[2]
		}
		$1 == me || $1 == caller || parent == me || parent == 0 || parent == 2 { next }
		parent == 1 && state == "Z" { next }
		# Outside of a namespace of our own the machine is full of others: only ours count.
		isolated == "" && name !~ /^lcx/ { next }
		{ print "process " $1 " (" name ") of " parent }' | LC_ALL=C sort
}

states() {
	for place in /run/lcx /var/lib/lcx /dev/shm; do
		[ ! -d "$place" ] || find "$place" -mindepth 1 -maxdepth 3 2>/dev/null
	done | LC_ALL=C sort
}

temporaries() {
	find "$TMPDIR" -mindepth 1 -maxdepth 1 | LC_ALL=C sort
}

views='links rules mounts processes states'
# Beside the first lane of a whole run control groups are that one's.
[ -n "${LCX_TEST_BESIDE:-}" ] || views="$views cgroups"
[ -z "${LCX_TEST_ISOLATED:-}" ] || views="$views temporaries"

take() {
	mkdir -p "$1"
	for view in $views; do
		"$view" >"$1/$view"
	done
}

# What is in the test's own namespaces must be as it was. Control groups and directories are the machine's,
# where others work at the same time: there a leak is what is new and stays for as long as we look.
compare() {
	take "$dir/after"
	clean=true
	for view in $views; do
		case $view in
		cgroups | states)
			[ -f "$dir/stays-$view" ] || cp "$dir/after/$view" "$dir/stays-$view"
			LC_ALL=C comm -12 "$dir/stays-$view" "$dir/after/$view" >"$dir/both"
			mv "$dir/both" "$dir/stays-$view"
			LC_ALL=C comm -13 "$dir/before/$view" "$dir/stays-$view" | sed "s/^/$view: + /" >"$dir/diff"
			;;
		*)
			diff "$dir/before/$view" "$dir/after/$view" | sed -n "s/^</$view: -/p; s/^>/$view: +/p" >"$dir/diff"
			;;
		esac
		[ ! -s "$dir/diff" ] || clean=false
		cat "$dir/diff"
	done >"$dir/report"
	$clean
}

case $action in
snapshot)
	# What waits in the place of who removed an interface ends by itself, and is nothing to come back.
	while take "$dir/before" && grep -q '(lcx-remover)' "$dir/before/processes"; do sleep 0.1; done
	;;
check)
	rm -f "$dir"/stays-*
	# The kernel removes a dead namespace's devices and mounts on its own time.
	tries=${LCX_LEAK_TRIES:-20} # four a second
	while ! compare; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || { cat "$dir/report"; exit 1; }
		sleep 0.25
	done
	;;
*)
	echo "usage: leaks.sh snapshot|check DIR" >&2
	exit 2
	;;
esac
