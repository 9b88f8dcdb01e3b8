/* SPDX-License-Identifier: MIT */
#include "security/rlimit.h"

#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "lcx/security.h"

const struct lcx__json_name lcx__rlimit_names[] = {
	{"RLIMIT_AS", RLIMIT_AS},
	{"RLIMIT_CORE", RLIMIT_CORE},
	{"RLIMIT_CPU", RLIMIT_CPU},
	{"RLIMIT_DATA", RLIMIT_DATA},
	{"RLIMIT_FSIZE", RLIMIT_FSIZE},
	{"RLIMIT_LOCKS", RLIMIT_LOCKS},
	{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
	{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
	{"RLIMIT_NICE", RLIMIT_NICE},
	{"RLIMIT_NOFILE", RLIMIT_NOFILE},
	{"RLIMIT_NPROC", RLIMIT_NPROC},
	{"RLIMIT_RSS", RLIMIT_RSS},
	{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
	{"RLIMIT_RTTIME", RLIMIT_RTTIME},
	{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
	{"RLIMIT_STACK", RLIMIT_STACK},
	{0},
};
_Static_assert(ARRAY_SIZE(lcx__rlimit_names) - 1 == RLIM_NLIMITS,
	       "the kernel's headers know newer limits");

LCX_PUBLIC const char *lcx_rlimit_name(int32_t number)
{
	return lcx__json_name_of(lcx__rlimit_names, (uint64_t)number);
}

LCX_PUBLIC int32_t lcx_rlimit_number(const char *name)
{
	static const size_t prefix = sizeof("RLIMIT_") - 1;

	for (const struct lcx__json_name *limit = lcx__rlimit_names; limit->name; limit++)
		if (strcasecmp(limit->name, name) == 0 ||
		    strcasecmp(limit->name + prefix, name) == 0)
			return (int32_t)limit->value;
	return -EINVAL;
}
