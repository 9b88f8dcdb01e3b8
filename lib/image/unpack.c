/* SPDX-License-Identifier: MIT */
#include "image/unpack.h"

#include <errno.h>

#include "image/helper.h"

/* One of the two. */
struct lcx__unpack {
	struct lcx__engine *engine;
	struct lcx__helper *helper;
};

int lcx__unpack_new(const struct lcx__unpack_job *job, struct lcx__unpack **ret,
		    struct lcx_error **err)
{
	CLEANUP(lcx__unpack_freep) struct lcx__unpack *u = calloc(1, sizeof(*u));
	const struct lcx__engine_job inner = {
		.input_fd = job->input_fd,
		.root_fd = job->root_fd,
		.diff_id = job->diff_id,
		.limits = job->limits,
	};
	int r;

	if (!u)
		return lcx__fail_nomem(err);
	if (job->in_process && job->grows)
		return lcx__fail(err, EINVAL, "an input that grows needs the extraction helper");
	r = job->in_process ? lcx__engine_new(&inner, &u->engine, err)
			    : lcx__helper_start(&inner, job->grows, &u->helper, err);
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
	return u->helper ? lcx__helper_step(u->helper, ret_progress, err)
			 : lcx__engine_step(u->engine, ret_progress, err);
}

int lcx__unpack_fd(const struct lcx__unpack *u)
{
	return u->helper ? lcx__helper_fd(u->helper) : -1;
}

const struct lcx__strbuf *lcx__unpack_implied(const struct lcx__unpack *u)
{
	return u->helper ? lcx__helper_implied(u->helper) : lcx__engine_implied(u->engine);
}
