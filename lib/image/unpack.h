/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One compressed layer becomes one directory: decode, hash, extract, in bounded
 * steps. This is the seam along which a confined helper process can be put: the job
 * is two descriptors and plain numbers, what comes back is progress and an error, and
 * nothing in between looks at the host.
 */

#include "image/digest.h"
#include "image/extract.h"

struct lcx__unpack_job {
	int input_fd; /* the compressed layer, from its beginning; borrowed */
	int root_fd;  /* an empty directory; borrowed */
	struct lcx__digest diff_id;
	struct lcx__extract_limits limits;
};

struct lcx__unpack_progress {
	uint64_t consumed_bytes; /* of the input */
	uint64_t produced_bytes; /* by the decoder; at the end the archive's size */
	bool userxattr;          /* how overlay's marks were written */
};

struct lcx__unpack;

int lcx__unpack_new(const struct lcx__unpack_job *job, struct lcx__unpack **ret,
		    struct lcx_error **err);

/* 1 if there is more, 0 when the whole layer is there and its digest fits, else <0. */
int lcx__unpack_step(struct lcx__unpack *unpack, struct lcx__unpack_progress *ret_progress,
		     struct lcx_error **err);

/* As lcx__tree_implied(), when all is done. */
const struct lcx__strbuf *lcx__unpack_implied(const struct lcx__unpack *unpack);

struct lcx__unpack *lcx__unpack_free(struct lcx__unpack *unpack);

DEFINE_CLEANUP(struct lcx__unpack *, lcx__unpack_free)
