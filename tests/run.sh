#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: sh tests/run.sh [PART | PART/PATTERN]...
#
#   unit       Check tests and the corpora of the fuzz targets, in the plain build and in the one with
#              ASan and UBSan
#   abi        exported symbols, headers alone as C11 and C++, man pages, pkg-config
#   system     real kernel objects, on this machine
#   vm         the same system tests in a virtual machine with cgroup v2
#   ffi        the library called from Python and Lua, nothing compiled
#   examples   every example program, and examples/quickstart.sh
#   fuzz       every fuzz target, with an instrumented build of clang's, for LCX_FUZZ_SECONDS (what a line
#              "seconds: N" in it says, or 3)
#   bench      measurements (not part of "everything")
#   sweep      system tests that take a few of many places, at every single one: those that know
#              LCX_TEST_EVERY_CALL (an hour or two; not part of "everything")
#
# Without arguments all but bench and sweep, in three lanes at once: system, ffi and examples, which work on
# what the machine has; the rest; and the system tests that say "# beside: REASON", most of which wait. A pattern
# chooses tests by name: system/net-*, unit/ipam.
# The last line is "N passed, N failed, N skipped"; the exit code is 1 if any failed or none ran.
#
# Environment: LCX_BUILD_DIR (default: build/ in the source tree) gets the builds "plain" and "asan" and
# the logs; LCX_TEST_CACHE (default: /var/tmp/lcx-test-cache) keeps what costs time to make.

set -eu
cd "$(dirname "$0")/.."
SRC=$(pwd)
exec </dev/null
if [ -z "${LCX_TEST_ROOTED:-}" ] && ! mountpoint -q /; then
	export LCX_TEST_ROOTED=1
	exec sh tests/rooted.sh sh "$SRC/tests/run.sh" "$@"
fi
top=${LCX_BUILD_DIR:-$SRC/build}
mkdir -p "$top"
top=$(cd "$top" && pwd)
: "${LCX_TEST_CACHE:=/var/tmp/lcx-test-cache}"
export SRC LCX_TEST_CACHE
export LC_ALL=C.UTF-8

logs=$top/logs
all_parts='unit abi system vm ffi examples fuzz'
# In the order of the lanes. The virtual machine takes the longest, so the others follow it.
lane_parts='system ffi examples'
guest_parts='vm unit abi fuzz system'
beside_parts='system'
system_limit=240
[ "${1:-}" != --in-guest ] || system_limit=600

# --- counting

passed=0 failed=0 skipped=0 failures=

# Count the TAP lines of a log; add a failure if the program failed and no line says so.
tally() { # LOG STATUS NAME
	counts=$(awk '
		/^not ok/ { bad++; next }
		/^ok/ { if (toupper($0) ~ /# *SKIP/) skips++; else good++ }
		END { print good + 0, bad + 0, skips + 0 }' "$1")
	# shellcheck disable=SC2086
	set -- "$1" "$2" "$3" $counts
	if [ "$2" -ne 0 ] && [ "$5" -eq 0 ]; then
		echo "not ok - $3 exited with $2" | tee -a "$1"
		set -- "$1" "$2" "$3" "$4" 1 "$6"
	elif [ "$4$5$6" = 000 ]; then
		echo "not ok - $3 tested nothing" | tee -a "$1"
		set -- "$1" "$2" "$3" 0 1 0
	fi
	passed=$((passed + $4)) failed=$((failed + $5)) skipped=$((skipped + $6))
	if [ "$5" -ne 0 ]; then
		note_failure "$3: $(sed -n 's/^not ok - //p' "$1" | head -n 3 | paste -sd ';')"
		printf '  FAIL  %-42s %3d s %4d passed, %d failed, log %s\n' "$3" "$test_time" "$4" "$5" "$1"
		# What failed, wherever it stands, and how it ended.
		{ awk '/^not ok/ { show = 1 } /^ok/ { show = 0 } show' "$1" | head -n 100; echo ...; tail -n 15 "$1"; } |
			sed 's/^/        | /'
	else
		printf '  ok    %-42s %3d s %4d passed%s\n' "$3" "$test_time" "$4" "$([ "$6" -eq 0 ] || echo ", $6 skipped")"
		grep -i '^ok.*# *skip' "$1" | sed 's/^/        | /' || :
	fi
}

# Run one test program, its output in a log, and count.
run_test() { # NAME COMMAND...
	name=$1
	shift
	log=$logs/$(echo "$name" | tr '/ ' '--').log
	r=0
	test_began=$(date +%s)
	"$@" >"$log" 2>&1 || r=$?
	test_time=$(($(date +%s) - test_began))
	tally "$log" "$r" "$name"
}

lost() { # NAME: a part that could not even begin
	failed=$((failed + 1))
	note_failure "$1"
	echo "  FAIL  $1"
}

# All failures are said once more at the end: the output is long.
note_failure() { # TEXT
	failures="$failures
failed: $1"
}

# --- builds

# gcc's sanitizers; the leak checker is part of ASan. A finding must end the program, or nobody sees it.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}"

# With sanitizers the compiler takes half the time if it does not optimize, and what is tested, which mostly waits for
# the kernel, hardly more. Line numbers are all that a report needs.
quickly_built='-Doptimization=0 -Dc_args=-g1'

build() { # plain|asan
	[ ! -e "$top/$1.done" ] || return 0
	targets=
	case $1 in
	plain) options='-Db_sanitize=none' ;;
	asan) options="-Db_sanitize=address,undefined -Db_lundef=false $quickly_built" ;;
	fuzz)
		options='-Dfuzz=true -Doptimization=1 -Ddebug=false'
		for source in tests/fuzz/*.c; do targets="$targets tests/fuzz/fuzz-$(basename "$source" .c)"; done
		;;
	weak)
		options='-Db_sanitize=none -Dweaken=true -Dimage=disabled -Doptimization=0 -Ddebug=false'
		targets='examples/lcx/lcx examples/lcx-runtime/lcx-runtime tests/spec-tool'
		;;
	tsan) options="-Db_sanitize=thread -Db_lundef=false -Dimage=disabled $quickly_built" targets=tests/host-threads ;;
	esac
	build_began=$(date +%s)
	# shellcheck disable=SC2086
	if { [ -f "$top/$1/build.ninja" ] || meson setup "$top/$1" "$SRC" -Dwerror=true -Dimage=enabled \
		-Dseccomp=enabled -Dtests=enabled $options; } >"$logs/build-$1.log" 2>&1 &&
		ninja -C "$top/$1" $targets >>"$logs/build-$1.log" 2>&1; then
		echo "build/$1: $(($(date +%s) - build_began)) s"
		: >"$top/$1.done"
	else
		lost "build/$1: log $logs/build-$1.log"
		grep -E 'error|FAILED|ERROR' "$logs/build-$1.log" | head -n 30 | sed 's/^/        | /'
		return 1
	fi
}

install_packages() {
	sh tests/install.sh build image quickstart test registry engines vm >"$logs/packages.log" 2>&1 && return 0
	lost "packages: log $logs/packages.log"
	tail -n 20 "$logs/packages.log" | sed 's/^/        | /'
	return 1
}

# --- parts

matches() { # NAME: was it chosen?
	# shellcheck disable=SC2254
	case $1 in $pattern) return 0 ;; *) return 1 ;; esac
}

part_unit() {
	for kind in plain asan; do
		build "$kind" || continue
		for source in tests/unit/*.c; do
			name=$(basename "$source" .c)
			matches "$name" || continue
			run_test "unit/$name ($kind)" unit_test "$top/$kind/tests/unit-$name"
		done
		for source in tests/fuzz/*.c; do
			name=$(basename "$source" .c)
			matches "corpus-$name" || continue
			run_test "unit/corpus-$name ($kind)" unit_test "$top/$kind/tests/replay-$name"
		done
	done
}

# The time limits only end what hangs: a busy machine under a sanitizer is slow.
# Check writes its TAP to a file of its own; what the code under test prints is kept apart from it.
# A program without Check is one test.
unit_test() { # PROGRAM
	rm -f "$logs/tap"
	status=0
	(cd "${1%/*}" && CK_TAP_LOG_FILE_NAME=$logs/tap CK_VERBOSITY=silent CK_DEFAULT_TIMEOUT=60 exec timeout 300 "$1") || status=$?
	if [ -f "$logs/tap" ]; then
		cat "$logs/tap"
	elif [ "$status" -eq 0 ]; then
		echo "ok - ${1##*/}"
	fi
	return "$status"
}

part_abi() {
	build plain || return 0
	for script in tests/abi/*.sh; do
		[ -f "$script" ] || continue
		name=$(basename "$script" .sh)
		matches "$name" || continue
		BUILD=$top/plain run_test "abi/$name" timeout 300 sh "$script"
	done
}

# On this machine with ASan and UBSan, in the guest (which emulates the processor) without. A test chooses
# by a line "# build: plain" (it measures time or memory, or goes where no sanitizer can follow) or
# "# build: tsan" (threads; on this machine only).
build_of() { # SCRIPT
	wish=$(sed -n 's/^# build: \([a-z]*\).*/\1/p' "$1" | head -n 1)
	[ -z "${LCX_TEST_GUEST:-}" ] || wish=plain
	echo "${wish:-asan}"
}

# A test says "# guest: no, REASON" if there is nothing in it that another kernel could do differently.
# "# guest: sweep, REASON": it is slow there, and run in the guest only with LCX_TEST_EVERY_CALL=1.
not_in_guest() { # SCRIPT
	[ -n "${LCX_TEST_GUEST:-}" ] || return 1
	grep -q '^# guest: no, ' "$1" || { [ -z "${LCX_TEST_EVERY_CALL:-}" ] && grep -q '^# guest: sweep, ' "$1"; }
}

# Of the lanes of a whole run all but the first take only tests that say "# beside: REASON": they make no control
# groups, which the first compares. Who comes first to a test runs it.
mine() { # NAME SCRIPT
	[ "$mode" != beside ] || grep -q '^# beside: ' "$2" || return 1
	[ "$mode" = guest ] || [ -z "${LCX_TEST_CLAIMS:-}" ] || mkdir "$LCX_TEST_CLAIMS/$1" 2>/dev/null
}

# Beside the build one whose defences can be turned off.
also_weak() { # SCRIPT
	grep -q '^# also: weak$' "$1"
}

part_system() {
	[ "$(id -u)" -eq 0 ] || { lost 'system: needs root'; return 0; }
	[ -n "${LCX_TEST_GUEST:-}" ] || prepare_images || return 0
	for script in tests/system/*-*.sh; do
		[ -f "$script" ] || continue
		name=$(basename "$script" .sh)
		matches "$name" || continue
		! not_in_guest "$script" || continue
		mine "$name" "$script" || continue
		kind=$(build_of "$script")
		[ -n "${LCX_TEST_GUEST:-}" ] || build "$kind" || continue
		! also_weak "$script" || build weak || continue
		BUILD=$top/$kind run_test "system/$name${LCX_TEST_GUEST:+ (v2)}" \
			sh tests/system/isolate.sh "$system_limit" sh "$script"
	done
}

# Made before the tests, which have no network.
prepare_images() {
	[ -f tests/registry/mkimage.sh ] || return 0
	sh tests/registry/mkimage.sh cache >"$logs/images.log" 2>&1 && return 0
	lost "images: log $logs/images.log"
	tail -n 20 "$logs/images.log" | sed 's/^/        | /'
	return 1
}

part_vm() {
	[ "$(id -u)" -eq 0 ] || { lost 'vm: needs root'; return 0; }
	build plain && prepare_images || return 0
	r=0
	LCX_BUILD_DIR=$top sh tests/vm/run.sh sh tests/run.sh --in-guest "system/$pattern" >"$logs/vm.log" 2>&1 || r=$?
	take_over vm "$r" '  '
}

# Print and count what another run of this script has told.
take_over() { # NAME STATUS INDENTATION
	summary=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$logs/$1.log" | tail -n 1)
	grep -v -e '^[0-9]* passed' -e '^failed: ' "$logs/$1.log" | sed "s/^/$3/"
	if [ -z "$summary" ]; then
		lost "$1: no result (status $2), log $logs/$1.log"
		return 0
	fi
	others=$(grep '^failed: ' "$logs/$1.log") || :
	failures="$failures${others:+
$others}"
	# shellcheck disable=SC2086
	set -- $summary
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

part_ffi() {
	[ "$(id -u)" -eq 0 ] || { lost 'ffi: needs root'; return 0; }
	build plain || return 0
	for script in tests/ffi/*.sh; do
		[ -f "$script" ] || continue
		name=$(basename "$script" .sh)
		matches "$name" || continue
		BUILD=$top/plain run_test "ffi/$name" sh tests/system/isolate.sh 120 sh "$script"
	done
}

part_examples() {
	[ "$(id -u)" -eq 0 ] || { lost 'examples: needs root'; return 0; }
	build plain || return 0
	for script in tests/examples/*.sh; do
		[ -f "$script" ] || continue
		name=$(basename "$script" .sh)
		matches "$name" || continue
		BUILD=$top/plain run_test "examples/$name" sh tests/system/isolate.sh 240 sh "$script"
	done
}

part_bench() {
	build plain || return 0
	meson test -C "$top/plain" --benchmark --no-rebuild --verbose
}

part_sweep() {
	[ "$(id -u)" -eq 0 ] || { lost 'sweep: needs root'; return 0; }
	build plain || return 0
	for script in $(grep -l -e LCX_TEST_EVERY_CALL -e crash.sh tests/system/*-*.sh); do
		name=$(basename "$script" .sh)
		matches "$name" || continue
		! also_weak "$script" || build weak || continue
		LCX_TEST_EVERY_CALL=${LCX_TEST_EVERY_CALL:-1} BUILD=$top/plain run_test "sweep/$name" \
			sh tests/system/isolate.sh 7200 sh "$script"
	done
}

# With an instrumented build of their own, as many at once as there are processors; what is found new goes to the
# build directory, not to the corpus.
part_fuzz() {
	CC=clang build fuzz || return 0
	chosen=
	for source in tests/fuzz/*.c; do
		name=$(basename "$source" .c)
		matches "$name" || continue
		# What takes longest begins first.
		[ -n "$(seconds_of "$source")" ] && chosen="$name $chosen" || chosen="$chosen $name"
	done
	# shellcheck disable=SC2086
	for name in $chosen; do
		seconds=$(seconds_of "tests/fuzz/$name.c")
		echo "$name ${LCX_FUZZ_SECONDS:-${seconds:-3}}"
	done | xargs -r -n 2 -P "$(nproc)" sh -c '
		mkdir -p "$1/corpus/$3"
		"$1/tests/fuzz/fuzz-$3" -max_total_time="$4" -artifact_prefix="$2/fuzz-$3-" \
			"$1/corpus/$3" "tests/fuzz/$3" >"$2/fuzz-of-$3" 2>&1 && echo "ok - $3 survives" >>"$2/fuzz-of-$3" || :
	' sh "$top/fuzz" "$logs"
	for name in $chosen; do
		run_test "fuzz/$name" fuzz_result "$logs/fuzz-of-$name"
	done
}

seconds_of() { # SOURCE
	sed -n 's/^ \* seconds: \([0-9]*\)$/\1/p' "$1"
}

fuzz_result() { # LOG
	cat "$1"
	grep -q '^ok - ' "$1"
}

# --- main

# The parts that use nothing of the machine run beside those that do, each lane with a /dev/shm of its own, so that
# nobody takes their files for what a test has left behind.
start_beside() { # NAME PART...
	name=$1
	shift
	# shellcheck disable=SC2016
	setsid unshare --mount --ipc --propagation private sh -c 'mount -t tmpfs -o mode=1777 tmpfs /dev/shm && exec "$@"' \
		sh sh tests/run.sh --beside "$@" >"$logs/$name.log" 2>&1 &
	lanes="$lanes $name:$!"
	trap end_beside EXIT
	trap 'exit 130' HUP INT TERM
}

end_beside() {
	for lane in $lanes; do
		kill -- -"${lane#*:}" 2>/dev/null && wait "${lane#*:}" || :
	done
}

finish_beside() {
	for lane in $lanes; do
		r=0
		wait "${lane#*:}" || r=$?
		take_over "${lane%:*}" "$r" ''
	done
	trap - EXIT
}

run_parts() { # PART[/PATTERN]...
	for part; do
		pattern='*'
		case $part in */*) pattern=${part#*/} part=${part%%/*} ;; esac
		began=$(date +%s)
		echo "== $part"
		"part_$part"
		echo "== $part: $(($(date +%s) - began)) s"
	done
}

# The builds that the lanes share come first, with all processors.
run_everything() {
	install_packages && build plain && build asan || return 0
	[ "$(id -u)" -ne 0 ] || prepare_images || return 0
	export LCX_TEST_CLAIMS="$top/claims"
	rm -rf "$LCX_TEST_CLAIMS" && mkdir "$LCX_TEST_CLAIMS"
	lanes=
	# shellcheck disable=SC2086
	start_beside guest $guest_parts
	# shellcheck disable=SC2086
	start_beside beside $beside_parts
	# shellcheck disable=SC2086
	run_parts $lane_parts
	finish_beside
}

mode=here
case ${1:-} in
--in-guest) mode=guest logs=${LCX_VM_OUT:?}/logs && export LCX_TEST_GUEST=1 && unset LCX_TEST_BESIDE && shift ;;
--beside) mode=beside && export LCX_TEST_BESIDE=1 && shift ;;
esac
mkdir -p "$logs"
[ "$mode" != here ] || rm -f "$top"/*.done

for part; do
	case " $all_parts bench sweep " in
	*" ${part%%/*} "*) ;;
	*) echo "run.sh: no part '${part%%/*}'; there are: $all_parts bench sweep" >&2; exit 2 ;;
	esac
done

if [ $# -eq 0 ]; then
	run_everything
elif [ "$mode" != here ] || install_packages; then
	run_parts "$@"
fi

[ -z "$failures" ] || echo "${failures#?}"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
