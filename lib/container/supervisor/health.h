/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Health checks. How they are described, and what came of them, which stands in the container's
 * directory: health-state.c. Carrying them out, for a supervisor and for the loop of a program that
 * owns containers: health.c.
 */

#include "container/container-internal.h"
#include "lcx/supervisor.h"

enum { LCX__HEALTH_LOGS = 5, LCX__HEALTH_OUTPUT_MAX = 4096 }; /* as many as Docker keeps */

/* One check that was made. */
struct health_log {
	struct lcx__opt_i64 start_ns, end_ns, exit_code;
	char *output;
};

/* What came of them: health.json. */
struct health {
	char *status; /* "starting", "healthy", "unhealthy" */
	struct lcx__opt_i64 failing_streak;
	LCX__LIST(struct health_log) log; /* the latest ones, oldest first */
};

/* What is asked for is the caller's, or else the image's; at creation. */
int lcx__health_merge(struct lcx_container *c, const struct lcx_image *image,
		      struct lcx_error **err);

/* With the usual value for what was not said. */
int64_t lcx__health_setting(const struct lcx_container *c, enum lcx_health_setting setting);

/* "starting", before its process runs; nothing without a check. */
int lcx__health_begin(const struct lcx_container *c, struct lcx_error **err);
int lcx__health_load(const struct lcx_container *c, struct health *ret);
int lcx__health_save(const struct lcx_container *c, const struct health *health);
void lcx__health_clear(struct health *health);

/* After a check ended so. Return: whether the status is another one. */
bool lcx__health_judge(struct health *health, bool passed, bool within_start_period,
		       int64_t retries);

struct json_object *lcx__health_to_json(const struct lcx_container *c);

/* ---- carrying out ---- */

struct lcx__checker;

/*
 * Of a container that runs and has a check; @epoll_fd is told of descriptors, with a data.fd of -1.
 * The checker has a handle of its own.
 */
int lcx__checker_new(struct lcx_ctx *ctx, const char *id, int epoll_fd, struct lcx__checker **ret,
		     struct lcx_error **err);
/* When it is due, on the monotonic clock. */
int64_t lcx__checker_due_ns(const struct lcx__checker *checker);
/* Do what is due: never waits. Return: 1 while the container runs, 0 when it does not. */
int lcx__checker_dispatch(struct lcx__checker *checker);
struct lcx__checker *lcx__checker_free(struct lcx__checker *checker);
