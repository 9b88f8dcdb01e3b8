# SPDX-License-Identifier: MIT
# Started by log-proof.sh: MB per second of 80-byte lines, from a container into its log, for lcx's monitor and for
# conmon; medians of five, in turns. The time is that of the container's own program.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/podman.sh"
need busybox
mb=200
make_rootfs "$T/rootfs"
defer 'lcx rm -f $(lcx ps -aq); podman_ rm -fa'
yes 'eighty bytes are a line that programs really write to their logs, day after day' | head -c $((mb * 1000000)) >"$T/rootfs/data"
command='a=$(cut -d " " -f 1 /proc/uptime); cat /data; b=$(cut -d " " -f 1 /proc/uptime); echo "$a $b" >/time'
run_lcx() { lcx run -d --name rate --network none --log-driver "$1" --rootfs "$T/rootfs" sh -c "$command" >/dev/null && lcx wait rate >/dev/null && lcx rm rate >/dev/null; }
run_podman() { podman_ run -d --name rate --network none --log-driver k8s-file --rootfs "$T/rootfs" sh -c "$command" >/dev/null && podman_ wait rate >/dev/null && podman_ rm rate >/dev/null; }
rate() { awk -v mb=$mb '{ printf "%.0f\n", mb / ($2 - $1 + 0.005) }' "$T/rootfs/time"; }
for i in 1 2 3 4 5; do
	for what in lcx:cri lcx:json-file podman:; do
		rm -f "$T/rootfs/time"
		"run_${what%%:*}" "${what#*:}" >"$T/out" 2>&1 || cat "$T/out"
		rate >>"$T/rate-$what"
	done
done
median() { sort -n "$T/rate-$1" | sed -n 3p; }
printf 'conmon, k8s-file   %5d MB/s\nlcx, cri           %5d MB/s  %s\nlcx, json-file     %5d MB/s  %s\n' "$(median podman:)" \
	"$(median lcx:cri)" "$(awk -v a="$(median lcx:cri)" -v b="$(median podman:)" 'BEGIN { printf "%.2f of conmon", a / b }')" \
	"$(median lcx:json-file)" "$(awk -v a="$(median lcx:json-file)" -v b="$(median podman:)" 'BEGIN { printf "%.2f of conmon", a / b }')"
for what in cri json-file; do
	check "$what: twice as fast as conmon" test "$(median lcx:$what)" -ge $((2 * $(median podman:)))
done
