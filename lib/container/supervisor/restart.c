/* SPDX-License-Identifier: MIT */
#include "container/supervisor/restart.h"

#include <fcntl.h>
#include <string.h>

#include "container/cgroups/cgroups.h"
#include "container/container-internal.h"
#include "lcx/supervisor.h"
#include "util/fs.h"

enum {
	FIRST_PAUSE_MS = 100,
	LONGEST_PAUSE_MS = 60000,
	MAX_RESTARTS = 1000000,
};

#define LONG_ENOUGH_NS INT64_C(10000000000)

/* ---- policies ----------------------------------------------------------- */

static const struct {
	const char *name;
	enum lcx__restart kind;
} kinds[] = {
	{"no", LCX__RESTART_NO},
	{"on-failure", LCX__RESTART_ON_FAILURE},
	{"always", LCX__RESTART_ALWAYS},
	{"unless-stopped", LCX__RESTART_UNLESS_STOPPED},
};

int lcx__restart_parse(const char *text, struct lcx__restart_policy *ret)
{
	size_t length = text ? strcspn(text, ":") : 0;
	uint64_t max = 0;

	*ret = (struct lcx__restart_policy){LCX__RESTART_NO, 0};
	if (!text || !text[0])
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strlen(kinds[i].name) != length || memcmp(kinds[i].name, text, length) != 0)
			continue;
		ret->kind = kinds[i].kind;
		if (text[length] == '\0')
			return 0;
		if (ret->kind != LCX__RESTART_ON_FAILURE ||
		    lcx__parse_u64(text + length + 1, MAX_RESTARTS, &max) < 0)
			return -EINVAL;
		ret->max = (uint32_t)max;
		return 0;
	}
	return -EINVAL;
}

bool lcx__restart_wanted(const struct lcx__restart_policy *policy,
			 const struct lcx__restart_past *past)
{
	if (past->was_stopped)
		return policy->kind == LCX__RESTART_ALWAYS && past->other_boot;
	if (past->rebooted)
		return true;
	switch (policy->kind) {
	case LCX__RESTART_NO:
		return false;
	case LCX__RESTART_ON_FAILURE:
		return past->status != 0 && (policy->max == 0 || past->restarts < policy->max);
	case LCX__RESTART_ALWAYS:
	case LCX__RESTART_UNLESS_STOPPED:
		return true;
	}
	return false;
}

uint32_t lcx__restart_pause_ms(uint32_t before_ms, int64_t ran_ns)
{
	if (before_ms == 0 || ran_ns >= LONG_ENOUGH_NS)
		return FIRST_PAUSE_MS;
	return before_ms >= LONGEST_PAUSE_MS / 2 ? LONGEST_PAUSE_MS : 2 * before_ms;
}

LCX_PUBLIC int lcx_container_set_restart_policy(struct lcx_container *c, const char *policy,
						struct lcx_error **err)
{
	struct lcx__restart_policy parsed;
	char *copy;

	if (lcx__restart_parse(policy, &parsed) < 0)
		return lcx__fail(err, EINVAL,
				 "restart policy '%s': there are no, always, unless-stopped, "
				 "on-failure and on-failure:N",
				 policy);
	copy = strdup(policy);
	if (!copy)
		return lcx__fail_nomem(err);
	free(c->d.restart);
	c->d.restart = copy;
	return 0;
}

LCX_PUBLIC const char *lcx_container_restart_policy(const struct lcx_container *c)
{
	return c->d.restart && c->d.restart[0] ? c->d.restart : "no";
}

/* ---- what is remembered ------------------------------------------------- */

LCX_PUBLIC uint32_t lcx_container_restart_count(const struct lcx_container *c)
{
	CLEANUP(freep) char *text = NULL;
	uint64_t count;

	if (c->dir_fd < 0 || lcx__read_file(c->dir_fd, "restarts", 32, &text, NULL) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return lcx__parse_u64(text, UINT32_MAX - 1, &count) < 0 ? 0 : (uint32_t)count;
}

bool lcx__restart_may_be_wanted(const struct lcx_container *c)
{
	return c->d.system.value || strcmp(lcx_container_restart_policy(c), "no") != 0;
}

void lcx__restart_note_stop(struct lcx_container *c)
{
	if (c->dir_fd >= 0 && lcx__restart_may_be_wanted(c))
		(void)lcx__replace_file(c->dir_fd, "stopped", "1\n", 2, 0600, false);
}

void lcx__restart_forget(struct lcx_container *c)
{
	(void)unlinkat(c->dir_fd, "stopped", 0);
	(void)unlinkat(c->dir_fd, "restarts", 0);
}

bool lcx__restart_is_wanted(const struct lcx_container *c)
{
	struct lcx__restart_policy policy;
	struct lcx__restart_past past = {
		.status = c->exit_status,
		.restarts = lcx_container_restart_count(c),
		.was_stopped = faccessat(c->dir_fd, "stopped", F_OK, 0) == 0,
		.other_boot = lcx__container_is_of_other_boot(c) == 1,
		.rebooted = lcx__system_wants_restart(c),
	};

	return lcx__restart_parse(c->d.restart, &policy) == 0 &&
	       lcx__restart_wanted(&policy, &past);
}

int lcx__restart_count_up(struct lcx_container *c, struct lcx_error **err)
{
	char text[32];
	int r;

	/* It has not failed: that is no try of the policy's. */
	if (lcx__system_wants_restart(c))
		return 0;
	(void)snprintf(text, sizeof(text), "%u\n", lcx_container_restart_count(c) + 1);
	r = lcx__replace_file(c->dir_fd, "restarts", text, strlen(text), 0600, false);
	/* Of before the machine was started anew: from here on it is wanted. */
	(void)unlinkat(c->dir_fd, "stopped", 0);
	return r < 0 ? lcx__fail_sys(err, -r, "count the restart") : 0;
}
