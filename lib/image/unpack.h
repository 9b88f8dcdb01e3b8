/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One compressed layer becomes one directory. The work is done by a confined process of
 * its own (helper.h), so that a stranger's bytes never meet the host program's memory; or,
 * if that was asked for, by the caller in bounded steps (engine.h).
 */

#include "ctx/ctx.h"
#include "image/engine.h"

struct lcx__unpack_job {
	int input_fd; /* the compressed layer, from its beginning; borrowed */
	int root_fd;  /* an empty directory; borrowed */
	struct lcx__digest diff_id;
	struct lcx__extract_limits limits;
	struct lcx_ctx *ctx; /* whose ids the files will have; NULL: this process's */
	bool in_process;
	bool grows; /* the input is a file that lcx__unpack_feed() tells of; not in-process */
};

struct lcx__unpack;

int lcx__unpack_new(const struct lcx__unpack_job *job, struct lcx__unpack **ret,
		    struct lcx_error **err);

/* So many bytes of the input are there, and perhaps no more will come. */
int lcx__unpack_feed(struct lcx__unpack *unpack, uint64_t available_bytes, bool complete,
		     struct lcx_error **err);

/*
 * Never waits. 1 if there is more, 0 when the whole layer is there and its digest fits, else <0.
 * When to call it again: when the descriptor is readable; at once if it is -1.
 */
int lcx__unpack_step(struct lcx__unpack *unpack, struct lcx__unpack_progress *ret_progress,
		     struct lcx_error **err);
int lcx__unpack_fd(const struct lcx__unpack *unpack);

/* As lcx__tree_implied(), when all is done. */
const struct lcx__strbuf *lcx__unpack_implied(const struct lcx__unpack *unpack);

/* Before it has come to its end this stops the work, and the directory is half-made. */
struct lcx__unpack *lcx__unpack_free(struct lcx__unpack *unpack);

DEFINE_CLEANUP(struct lcx__unpack *, lcx__unpack_free)
