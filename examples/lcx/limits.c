/* SPDX-License-Identifier: MIT */
#include "limits.h"

#include <limits.h>
#include <string.h>

#include "text.h"

enum {
	CPU_PERIOD_US = 100000,
	LEAST_MEMORY_BYTES =
		512 << 10, /* no program begins with less: it would be killed at once */
};

static bool parse_size(struct app *app, const char *what, const char *text, bool may_be_any,
		       int64_t *ret)
{
	if (!text)
		return true;
	if (may_be_any && strcmp(text, "-1") == 0) {
		*ret = -1;
		return true;
	}
	if (text_parse_bytes(text, ret) == 0)
		return true;
	(void)options_usage_error(app, "%s '%s' is no size; write 64m or 1.5g", what, text);
	return false;
}

static bool is_enough(struct app *app, const char *text, int64_t bytes)
{
	if (!text || bytes == 0 || bytes >= LEAST_MEMORY_BYTES)
		return true;
	(void)options_usage_error(
		app, "memory limit '%s' is too low for any program; 512k is the least", text);
	return false;
}

static bool parse_number(struct app *app, const char *what, const char *text, int64_t min,
			 int64_t max, int64_t *ret)
{
	if (!text || text_parse_int(text, min, max, ret) == 0)
		return true;
	(void)options_usage_error(app, "%s '%s' is no number", what, text);
	return false;
}

static bool parse_cpus(struct app *app, const char *text, int64_t *ret_quota_us)
{
	int64_t micro = 0;

	if (text && (text_parse_micro(text, &micro) < 0 || micro < 10000 ||
		     micro > INT64_C(100000) * 1000000)) {
		(void)options_usage_error(app, "'%s' processors are no limit; write 0.5 or 2",
					  text);
		return false;
	}
	*ret_quota_us = micro / (1000000 / CPU_PERIOD_US);
	return true;
}

bool limits_parse(struct app *app, const struct limit_options *o, struct limits *ret)
{
	*ret = (struct limits){.cpuset_cpus = o->cpuset_cpus, .cpuset_mems = o->cpuset_mems};
	return parse_size(app, "memory limit", o->memory, false, &ret->memory_bytes) &&
	       is_enough(app, o->memory, ret->memory_bytes) &&
	       parse_size(app, "memory reservation", o->memory_reservation, false,
			  &ret->memory_reservation_bytes) &&
	       parse_size(app, "limit of memory and swap", o->memory_swap, true,
			  &ret->memory_swap_bytes) &&
	       parse_cpus(app, o->cpus, &ret->cpu_quota_us) &&
	       parse_number(app, "share", o->cpu_shares, 2, 262144, &ret->cpu_shares) &&
	       parse_number(app, "limit of tasks", o->pids_limit, -1, INT32_MAX, &ret->pids);
}

int limits_apply(const struct limits *limits, struct lcx_spec *spec, struct lcx_error **err)
{
	int r = 0;

	if (limits->memory_bytes)
		r = lcx_spec_set_memory_limit(spec, limits->memory_bytes, err);
	if (r == 0 && limits->memory_reservation_bytes)
		r = lcx_spec_set_memory_reservation(spec, limits->memory_reservation_bytes, err);
	if (r == 0 && limits->memory_swap_bytes)
		r = lcx_spec_set_memory_swap(spec, limits->memory_swap_bytes, err);
	if (r == 0 && limits->cpu_quota_us)
		r = lcx_spec_set_cpu_quota(spec, limits->cpu_quota_us, CPU_PERIOD_US, err);
	if (r == 0 && limits->cpu_shares)
		r = lcx_spec_set_cpu_shares(spec, (uint64_t)limits->cpu_shares, err);
	if (r == 0 && (limits->cpuset_cpus || limits->cpuset_mems))
		r = lcx_spec_set_cpuset(spec, limits->cpuset_cpus, limits->cpuset_mems, err);
	if (r == 0 && limits->pids)
		r = lcx_spec_set_pids_limit(spec, limits->pids, err);
	return r;
}
