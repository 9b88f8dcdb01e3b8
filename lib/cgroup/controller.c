/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "cgroup/cgroup-internal.h"

/* Controllers and their names, in the one version and the other. */

const struct lcx__controller lcx__controllers[CONTROLLERS] = {
	[CONTROLLER_CPU] = {"cpu", "cpu", false},
	[CONTROLLER_CPUACCT] = {"cpuacct", NULL, true}, /* cpu.stat is always there */
	[CONTROLLER_CPUSET] = {"cpuset", "cpuset", false},
	[CONTROLLER_MEMORY] = {"memory", "memory", false},
	[CONTROLLER_IO] = {"blkio", "io", false},
	[CONTROLLER_PIDS] = {"pids", "pids", false},
	[CONTROLLER_DEVICES] = {"devices", NULL, true}, /* an eBPF program */
	[CONTROLLER_FREEZER] = {"freezer", NULL, true}, /* cgroup.freeze */
	[CONTROLLER_HUGETLB] = {"hugetlb", "hugetlb", false},
	[CONTROLLER_RDMA] = {"rdma", "rdma", false},
	[CONTROLLER_MISC] = {"misc", "misc", false},
	[CONTROLLER_NET_CLS] = {"net_cls", NULL, false},
	[CONTROLLER_NET_PRIO] = {"net_prio", NULL, false},
	[CONTROLLER_PERF_EVENT] = {"perf_event", NULL, true},
};

static bool same_name(const char *name, const char *text, size_t length)
{
	return name && strlen(name) == length && memcmp(name, text, length) == 0;
}

int lcx__controller_find(const char *name, size_t length)
{
	for (int i = 0; i < CONTROLLERS; i++)
		if (same_name(lcx__controllers[i].v1_name, name, length) ||
		    same_name(lcx__controllers[i].v2_name, name, length))
			return i;
	return -EINVAL;
}

uint32_t lcx__controller_mask(const char *list)
{
	uint32_t mask = 0;

	while (*list) {
		size_t length = strcspn(list, " \n");
		int i = lcx__controller_find(list, length);

		if (i >= 0 && lcx__controllers[i].v2_name)
			mask |= 1u << i;
		list += length;
		list += strspn(list, " \n");
	}
	return mask;
}
