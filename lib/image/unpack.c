/* SPDX-License-Identifier: MIT */
#include "image/unpack.h"

#include <errno.h>

#include "image/helper.h"
#include "ns/users.h"

/* One of the two. */
struct lcx__unpack {
	struct lcx__engine *engine;
	struct lcx__helper *helper;
	struct lcx_ctx *ctx;
};

/* ---- in this process ---- */

struct work {
	struct lcx__unpack *unpack;
	const struct lcx__engine_job *job;
	struct lcx__unpack_progress *progress;
};

static int make_engine(void *data, struct lcx_error **err)
{
	const struct work *work = data;

	return lcx__engine_new(work->job, &work->unpack->engine, err);
}

static int step_engine(void *data, struct lcx_error **err)
{
	const struct work *work = data;

	return lcx__engine_step(work->unpack->engine, work->progress, err);
}

static int new_engine(struct lcx__unpack *u, const struct lcx__engine_job *job,
		      struct lcx_error **err)
{
	struct work work = {.unpack = u, .job = job};

	return lcx__users_within(u->ctx, false, make_engine, &work, err);
}

/* ---- in a helper ---- */

static int start_helper(struct lcx__unpack *u, struct lcx__engine_job *job, bool grows,
			struct lcx_error **err)
{
	int r = lcx__users_fd(u->ctx, &job->users_fd, err);

	return r < 0 ? r : lcx__helper_start(job, grows, &u->helper, err);
}

int lcx__unpack_new(const struct lcx__unpack_job *job, struct lcx__unpack **ret,
		    struct lcx_error **err)
{
	CLEANUP(lcx__unpack_freep) struct lcx__unpack *u = calloc(1, sizeof(*u));
	struct lcx__engine_job inner = {
		.input_fd = job->input_fd,
		.root_fd = job->root_fd,
		.diff_id = job->diff_id,
		.limits = job->limits,
		.users_fd = -1,
	};
	int r;

	if (!u)
		return lcx__fail_nomem(err);
	if (job->in_process && job->grows)
		return lcx__fail(err, EINVAL, "an input that grows needs the extraction helper");
	u->ctx = job->ctx;
	r = job->in_process ? new_engine(u, &inner, err) : start_helper(u, &inner, job->grows, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(u);
	return 0;
}

struct lcx__unpack *lcx__unpack_free(struct lcx__unpack *u)
{
	if (u) {
		(void)lcx__engine_free(u->engine);
		(void)lcx__helper_free(u->helper);
		free(u);
	}
	return NULL;
}

int lcx__unpack_feed(struct lcx__unpack *u, uint64_t available_bytes, bool complete,
		     struct lcx_error **err)
{
	return u->helper ? lcx__helper_feed(u->helper, available_bytes, complete, err) : 0;
}

int lcx__unpack_step(struct lcx__unpack *u, struct lcx__unpack_progress *ret_progress,
		     struct lcx_error **err)
{
	struct work work = {.unpack = u, .progress = ret_progress};

	return u->helper ? lcx__helper_step(u->helper, ret_progress, err)
			 : lcx__users_within(u->ctx, false, step_engine, &work, err);
}

int lcx__unpack_fd(const struct lcx__unpack *u)
{
	return u->helper ? lcx__helper_fd(u->helper) : -1;
}

const struct lcx__strbuf *lcx__unpack_implied(const struct lcx__unpack *u)
{
	return u->helper ? lcx__helper_implied(u->helper) : lcx__engine_implied(u->engine);
}
