/* SPDX-License-Identifier: MIT */
#include "spec/names.h"

#include <sched.h>
#include <sys/mount.h>

#include "spec/spec.h"

const struct lcx__json_name lcx__namespace_names[] = {
	{"mount", CLONE_NEWNS},      {"pid", CLONE_NEWPID},        {"network", CLONE_NEWNET},
	{"uts", CLONE_NEWUTS},       {"ipc", CLONE_NEWIPC},        {"user", CLONE_NEWUSER},
	{"cgroup", CLONE_NEWCGROUP}, {"time", LCX__CLONE_NEWTIME}, {0},
};

/* include/uapi/linux/sched.h */
const struct lcx__json_name lcx__scheduler_policies[] = {
	{"SCHED_OTHER", 0},
	{"SCHED_FIFO", 1},
	{"SCHED_RR", 2},
	{"SCHED_BATCH", 3},
	{"SCHED_ISO", 4},
	{"SCHED_IDLE", 5},
	{"SCHED_DEADLINE", LCX__SCHED_DEADLINE},
	{0},
};

const struct lcx__json_name lcx__scheduler_flags[] = {
	{"SCHED_FLAG_RESET_ON_FORK", 0x01},  {"SCHED_FLAG_RECLAIM", 0x02},
	{"SCHED_FLAG_DL_OVERRUN", 0x04},     {"SCHED_FLAG_KEEP_POLICY", 0x08},
	{"SCHED_FLAG_KEEP_PARAMS", 0x10},    {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
	{"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40}, {0},
};

/* include/uapi/linux/ioprio.h */
const struct lcx__json_name lcx__io_classes[] = {
	{"IOPRIO_CLASS_RT", 1},
	{"IOPRIO_CLASS_BE", 2},
	{"IOPRIO_CLASS_IDLE", 3},
	{0},
};

/* "u", an unbuffered character device, is the same as "c" on Linux: mknod(1). */
const struct lcx__json_name lcx__device_types[] = {
	{"c", 'c'}, {"u", 'c'}, {"b", 'b'}, {"p", 'p'}, {0},
};

const struct lcx__json_name lcx__propagation_names[] = {
	{"private", MS_PRIVATE},
	{"rprivate", MS_PRIVATE | MS_REC},
	{"shared", MS_SHARED},
	{"rshared", MS_SHARED | MS_REC},
	{"slave", MS_SLAVE},
	{"rslave", MS_SLAVE | MS_REC},
	{"unbindable", MS_UNBINDABLE},
	{"runbindable", MS_UNBINDABLE | MS_REC},
	{0},
};

/* config.md, "POSIX-platform Hooks", by enum lcx__hook_kind */
const struct lcx__json_name lcx__hook_names[] = {
	{"prestart", LCX__HOOK_PRESTART},
	{"createRuntime", LCX__HOOK_CREATE_RUNTIME},
	{"createContainer", LCX__HOOK_CREATE_CONTAINER},
	{"startContainer", LCX__HOOK_START_CONTAINER},
	{"poststart", LCX__HOOK_POSTSTART},
	{"poststop", LCX__HOOK_POSTSTOP},
	{0},
};

/* include/uapi/linux/personality.h */
const struct lcx__json_name lcx__personality_domains[] = {
	{"LINUX", 0x0},
	{"LINUX32", 0x8},
	{0},
};

/* include/uapi/linux/mempolicy.h */
const struct lcx__json_name lcx__memory_policy_modes[] = {
	{"MPOL_DEFAULT", 0},
	{"MPOL_PREFERRED", 1},
	{"MPOL_BIND", 2},
	{"MPOL_INTERLEAVE", 3},
	{"MPOL_LOCAL", 4},
	{"MPOL_PREFERRED_MANY", 5},
	{"MPOL_WEIGHTED_INTERLEAVE", 6},
	{0},
};

const struct lcx__json_name lcx__memory_policy_flags[] = {
	{"MPOL_F_STATIC_NODES", 1 << 15},
	{"MPOL_F_RELATIVE_NODES", 1 << 14},
	{"MPOL_F_NUMA_BALANCING", 1 << 13},
	{0},
};
