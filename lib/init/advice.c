/* SPDX-License-Identifier: MIT */
#include "init/plan-internal.h"

#include <errno.h>
#include <sched.h>

/*
 * What an errno of a certain call means, and what to do about it, where the
 * system's own words are no help. From clone(2), unshare(2), seccomp(2) and fsopen(2).
 */

static const struct {
	enum plan_code code;
	int error;
	const char *words;
} meanings[] = {
	{PLAN_ROOT_OVERLAY, ENODEV, "load the kernel's module overlay"},
	{PLAN_MOUNT, ENODEV, "the kernel has no such file system, or does not load its module"},
	{PLAN_SECCOMP, EINVAL, "the kernel is built without CONFIG_SECCOMP_FILTER"},
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
			       ? "user namespaces are forbidden here, by a sysctl or a security "
				 "module"
			       : "that needs CAP_SYS_ADMIN, or a user namespace of one's own";
	default:
		return NULL;
	}
}

const char *lcx__plan_advice(const struct lcx__plan *plan, uint32_t op, int error)
{
	enum plan_code code;

	if (op >= plan->n_ops)
		return NULL;
	code = plan->ops[op].code;
	if (code == PLAN_UNSHARE)
		return lcx__clone_advice(error, 0);
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (meanings[i].code == code && meanings[i].error == error)
			return meanings[i].words;
	return NULL;
}
