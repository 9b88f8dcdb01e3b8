#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, the calls are the same there
# A process's share of the machine: each property is asserted from inside the container, of its first
# process and of one that is executed later; and what the kernel refuses is told with its name.
. "${SRC:?}/tests/system/lib.sh"
need busybox
make_rootfs "$T/rootfs"
cp "$BUILD/tests/probe" "$T/rootfs/bin"
tool=$BUILD/tests/spec-tool

run() { # PROCESS LINUX OWN COMMAND...
	process=$1 linux=$2 own=$3
	shift 3
	args=$(printf '"%s",' "$@")
	cat >"$T/config.json" <<-END
		{"ociVersion": "1.3.0", "root": {"path": "$T/rootfs"},
		 "process": {"cwd": "/", "args": [${args%,}], "env": ["PATH=/bin"] $process},
		 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
		            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
		 "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}, {"type": "network"}, {"type": "ipc"} $more] $linux},
		 "lcx": {$own}}
	END
	"$tool" run "$T/lcx-root" "$T/lcx-run" "$T/config.json" $exec_args
}
exec_args='' more=''
both() { # NAME EXPECTED PROCESS LINUX OWN WORD
	name=$1 expected=$2 word=$6
	check_eq "$name" "$expected" "$(exec_args='' run "$3" "$4" "$5" probe "$word" 2>&1)"
	check_eq "$name, in a later process" "$expected" "$(exec_args="/bin/probe $word" run "$3" "$4" "$5" sleep 100 2>&1)"
}

both 'a policy for batch work' 'policy 3 nice 7' ', "scheduler": {"policy": "SCHED_BATCH", "nice": 7}' '' '' scheduler
both 'an idle policy' 'policy 5' ', "scheduler": {"policy": "SCHED_IDLE"}' '' '' scheduler
both 'a real-time policy, gone in its children' 'policy 1 priority 5 reset' \
	', "scheduler": {"policy": "SCHED_FIFO", "priority": 5, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}' '' '' scheduler
both 'a deadline' 'policy 6 1000000 20000000 30000000' \
	', "scheduler": {"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 20000000, "period": 30000000}' '' '' scheduler
both 'an I/O priority' 'class 2 priority 6' ', "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 6}' '' '' io
both 'an idle I/O priority' 'class 3 priority 0' ', "ioPriority": {"class": "IOPRIO_CLASS_IDLE"}' '' '' io
both 'a real-time I/O priority' 'class 1 priority 2' ', "ioPriority": {"class": "IOPRIO_CLASS_RT", "priority": 2}' '' '' io
both 'a personality' 'personality 8' '' ', "personality": {"domain": "LINUX32"}' '' personality
both 'a timer slack' 'slack 123456' '' '' '"timerSlack": 123456' slack
both 'a coredump filter' 'filter 00000021' '' '' '"coredumpFilter": 33' filter
both 'a score for the OOM killer' 'oom 321' ', "oomScoreAdj": 321' '' '' oom
if [ -e /sys/devices/system/node ]; then
	both 'memory of one node' 'mode 2 nodes 1' '' ', "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0"}' '' memory
	both 'interleaved memory, by fixed nodes' 'mode 32771 nodes 1' '' \
		', "memoryPolicy": {"mode": "MPOL_INTERLEAVE", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}' '' memory
	both 'local memory' 'mode 4 nodes 0' '' ', "memoryPolicy": {"mode": "MPOL_LOCAL"}' '' memory
	check_match 'a node that is not there' "set the memory policy MPOL_BIND 63: .*each node must be there" \
		"$(run '' ', "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "63"}' '' true 2>&1)"
else
	check_match 'no NUMA: refused by the option of the kernel' 'CONFIG_NUMA' \
		"$(run '' ', "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0"}' '' true 2>&1)"
fi

all=$(cat /sys/devices/system/cpu/online)
affinity=', "execCPUAffinity": {"initial": "0", "final": "0"}'
check_eq 'the first process runs anywhere' "cpus $all" "$(run "$affinity" '' '' probe cpus 2>&1)"
check_eq 'a later one on its own processors' 'cpus 0' "$(exec_args='/bin/probe cpus' run "$affinity" '' '' sleep 100 2>&1)"
check_eq 'the last word is the final one' "cpus ${all##*[-,]}" \
	"$(exec_args='/bin/probe cpus' run ", \"execCPUAffinity\": {\"initial\": \"0\", \"final\": \"${all##*[-,]}\"}" '' '' sleep 100 2>&1)"
check_match 'no such processor' 'run on the processors 4095: none of them is online' \
	"$(exec_args='/bin/probe cpus' run ', "execCPUAffinity": {"initial": "4095"}' '' '' sleep 100 2>&1)"
check_match 'a list that is none' 'process.execCPUAffinity.initial: .3-1. is no list' \
	"$(exec_args='/bin/probe cpus' run ', "execCPUAffinity": {"initial": "3-1"}' '' '' sleep 100 2>&1)"
check_match 'a policy that the kernel has not' 'schedule it by SCHED_ISO: the kernel has no such policy' \
	"$(run ', "scheduler": {"policy": "SCHED_ISO"}' '' '' true 2>&1)"
check_match 'no right to a real-time policy in a user namespace' 'schedule it by SCHED_FIFO: that needs CAP_SYS_NICE' \
	"$(more=', {"type": "user"}' run ', "scheduler": {"policy": "SCHED_FIFO", "priority": 1}' \
		', "uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}], "gidMappings": [{"containerID": 0, "hostID": 0, "size": 1}]' '' true 2>&1)"
