/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "lcx/security.h"
#include "util/error.h"

static const struct {
	const char *name;
	int32_t number;
} limits[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
};
_Static_assert(ARRAY_SIZE(limits) == RLIM_NLIMITS, "the kernel's headers know newer limits");

LCX_PUBLIC const char *lcx_rlimit_name(int32_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].number == number)
			return limits[i].name;
	return NULL;
}

LCX_PUBLIC int32_t lcx_rlimit_number(const char *name)
{
	static const size_t prefix = sizeof("RLIMIT_") - 1;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (strcasecmp(limits[i].name, name) == 0 ||
		    strcasecmp(limits[i].name + prefix, name) == 0)
			return limits[i].number;
	return -EINVAL;
}
