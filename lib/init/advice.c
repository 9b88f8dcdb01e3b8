/* SPDX-License-Identifier: MIT */
#include "init/plan-internal.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

/*
 * What an errno of a certain call means, and what to do about it, where the
 * system's own words are no help. From clone(2), unshare(2), seccomp(2) and fsopen(2).
 */

#define UNBOUND                                                                                    \
	"without CAP_MKNOD, in a user namespace or in another container, the node of that path "   \
	"here is bound instead, and there is none with these numbers"

static const struct {
	enum plan_code code;
	int error;
	const char *words;
} meanings[] = {
	{PLAN_ROOT_OVERLAY, ENODEV, "load the kernel's module overlay"},
	{PLAN_MOUNT, ENODEV, "the kernel has no such file system, or does not load its module"},
	{PLAN_MKNOD, ENODEV, UNBOUND},
	{PLAN_MKNOD, ENOENT, UNBOUND},
	{PLAN_SECCOMP, EINVAL,
	 "the kernel is built without CONFIG_SECCOMP_FILTER, or too old for a flag of the profile; "
	 "WAIT_KILLABLE_RECV needs Linux 5.19"},
	{PLAN_SECCOMP, EBUSY,
	 "lcx itself runs under a filter with a listener, and the kernel allows one"},
	{PLAN_LABEL, ENOENT, "no such profile is loaded: apparmor_parser(8)"},
	{PLAN_LABEL, EINVAL, "the loaded policy does not know it"},
	{PLAN_LABEL, EACCES, "the loaded policy does not let this process change to it"},
	{PLAN_LABEL, E2BIG, "the kernel takes no more than a page of it"},
	{PLAN_PROC_WRITE, E2BIG, "the kernel takes but a part of that"},
	{PLAN_SYSCTL, E2BIG, "the kernel takes but a part of that: it has fewer values"},
	{PLAN_PROC_WRITE, EXDEV, "what is there is not the kernel's: something is mounted over it"},
	{PLAN_SYSCTL, EXDEV, "what is there is not the kernel's: something is mounted over it"},
	{PLAN_LABEL, EXDEV, "what is there is not the kernel's: something is mounted over it"},
	{PLAN_LANDLOCK_ENTER, E2BIG,
	 "it is in 16 Landlock domains already, one in the other, and the kernel takes no more"},
	{PLAN_AFFINITY, EINVAL, "none of them is online and in the cgroup's cpuset"},
	{PLAN_SCHEDULER, EPERM,
	 "that needs CAP_SYS_NICE outside of any user namespace, or a limit nice or rtprio; for a "
	 "real-time policy with CONFIG_RT_GROUP_SCHED also cpu.rt_runtime_us in the cgroup"},
	{PLAN_SCHEDULER, EINVAL,
	 "the kernel has no such policy, or its values are out of bounds: sched(7)"},
	{PLAN_SCHEDULER, EBUSY, "the processors have no such bandwidth left"},
	{PLAN_SCHEDULER, EOPNOTSUPP, "the kernel is built without CONFIG_UCLAMP_TASK"},
	{PLAN_IO_PRIORITY, EPERM,
	 "the real-time class needs CAP_SYS_NICE or CAP_SYS_ADMIN outside of any user namespace"},
	{PLAN_IO_PRIORITY, ENOSYS, "the kernel is built without CONFIG_BLOCK"},
	{PLAN_MEMORY_POLICY, ENOSYS, "the kernel is built without CONFIG_NUMA"},
	{PLAN_MEMORY_POLICY, EINVAL,
	 "this kernel has no such mode, or not with these nodes and flags; each node must be there "
	 "and in the cgroup's cpuset"},
	/* Tried by itself: a task of SCHED_DEADLINE can't clone. */
	{PLAN_REAPER, EAGAIN,
	 "a process with SCHED_DEADLINE can't make another; add SCHED_FLAG_RESET_ON_FORK or leave "
	 "the init out"},
};

const char *lcx__clone_advice(int error, uint64_t flags)
{
	switch (error) {
	case ENOSPC:
	case EUSERS:
		return "a limit in /proc/sys/user is reached";
	case EINVAL:
		return "the kernel lacks one of these kinds";
	case EPERM:
		return flags & CLONE_NEWUSER
			       ? "user namespaces are forbidden here, by a sysctl, a security "
				 "module or the seccomp filter of a container around this one"
			       : "that needs CAP_SYS_ADMIN, or a user namespace of one's own";
	default:
		return NULL;
	}
}

/* A new one would show what a container around this process has covered of its own. */
static bool would_reveal(const struct lcx__plan *plan, uint32_t op)
{
	const struct plan_op *mount = &plan->ops[op];
	const char *type = mount->str[0] ? plan->data.text + mount->str[0] : "";

	return mount->code == PLAN_MOUNT &&
	       (strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0);
}

const char *lcx__plan_advice(const struct lcx__plan *plan, uint32_t op, int error)
{
	enum plan_code code;

	if (op >= plan->n_ops)
		return NULL;
	code = plan->ops[op].code;
	if (error == EPERM && would_reveal(plan, op))
		return "here some of it is covered, and a user namespace may not have what is not "
		       "covered; a container around this one needs --security-opt "
		       "systempaths=unconfined";
	if (code == PLAN_UNSHARE)
		return lcx__clone_advice(error, 0);
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (meanings[i].code == code && meanings[i].error == error)
			return meanings[i].words;
	return NULL;
}
