/* SPDX-License-Identifier: MIT */
#pragma once

/* What knows its CPU must know it after each move. */

#include <errno.h>
#include <sched.h>
#include <stdbool.h>

/* Visit each CPU that this thread may be on. Return: 0, -ESTALE where it was taken for another. */
static inline int visit_cpus(bool (*is_right)(int cpu))
{
	cpu_set_t may, one;

	if (sched_getaffinity(0, sizeof(may), &may) < 0)
		return -errno;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &may))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof(one), &one) < 0)
			return -errno;
		if (!is_right(cpu))
			return -ESTALE;
	}
	return 0;
}
