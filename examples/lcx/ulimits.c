/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include <lcx/security.h>
#include <lcx/spec.h>

#include "given.h"
#include "options.h"
#include "text.h"

/* -1 is no limit. */
static int parse_limit(const char *text, uint64_t *ret)
{
	int64_t value;
	int r = text_parse_int(text, -1, INT64_MAX, &value);

	if (r == 0)
		*ret = value < 0 ? UINT64_MAX : (uint64_t)value;
	return r;
}

static bool apply_ulimit(struct app *app, struct lcx_spec *spec, const char *text)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *name = xprintf("%s", text);
	char *soft = strchr(name, '='), *hard;
	uint64_t limits[2] = {0, 0};

	if (soft)
		*soft++ = '\0';
	hard = soft ? strchr(soft, ':') : NULL;
	if (hard)
		*hard++ = '\0';
	if (lcx_rlimit_number(name) < 0) {
		(void)options_usage_error(
			app, "--ulimit '%s': there is no limit '%s'; see getrlimit(2)", text, name);
		return false;
	}
	if (!soft || parse_limit(soft, &limits[0]) < 0 ||
	    parse_limit(hard ? hard : soft, &limits[1]) < 0) {
		(void)options_usage_error(
			app, "--ulimit '%s': write %s=SOFT[:HARD], numbers, -1 for none", text,
			name);
		return false;
	}
	if (limits[0] > limits[1]) {
		(void)options_usage_error(
			app, "--ulimit '%s': what is in force is above the highest", text);
		return false;
	}
	if (lcx_spec_add_rlimit(spec, name, limits[0], limits[1], &err) == 0)
		return true;
	app_report(app, &err);
	return false;
}

bool apply_ulimits(struct app *app, struct lcx_container *c, const struct list *limits)
{
	for (size_t i = 0; i < limits->count; i++)
		if (!apply_ulimit(app, lcx_container_spec(c), limits->items[i]))
			return false;
	return true;
}
