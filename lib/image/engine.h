/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One compressed layer becomes one directory: decode, hash, extract, in bounded
 * steps. The engine is given two descriptors and plain numbers, and looks at nothing
 * else of the host: unpack.h puts it into a confined process.
 */

#include "image/decode.h"
#include "image/digest.h"
#include "image/extract.h"
#include "tar/tar.h"

/* Something between decoding and extracting that lets the two overlap, and hashing, too; ahead.h.
 */
struct lcx__read_ahead {
	void (*begin)(void *data, const struct lcx__source *decoded,
		      const struct lcx__byte_sink *hash);
	/* After the end of @source: when all of it has gone into the sink, what that has said. */
	int (*end)(void *data, struct lcx_error **err);
	struct lcx__extract_source source;
};

struct lcx__engine_job {
	int input_fd; /* the compressed layer, from its beginning; borrowed */
	int root_fd;  /* an empty directory; borrowed */
	struct lcx__digest diff_id;
	struct lcx__extract_limits limits;
	int users_fd;                 /* for a helper: the user namespace it is root of, or -1 */
	bool enclosed;                /* as in struct lcx__extract_rights */
	struct lcx__gate gate;        /* for an input that still grows; else empty */
	struct lcx__read_ahead ahead; /* or empty; with it the engine can't be freed */
};

struct lcx__unpack_progress {
	uint64_t consumed_bytes; /* of the input */
	uint64_t produced_bytes; /* by the decoder; at the end the archive's size */
	bool userxattr;          /* how overlay's marks were written */
};

struct lcx__engine;

int lcx__engine_new(const struct lcx__engine_job *job, struct lcx__engine **ret,
		    struct lcx_error **err);

/* 1 if there is more, 0 when the whole layer is there and its digest fits, else <0. */
int lcx__engine_step(struct lcx__engine *engine, struct lcx__unpack_progress *ret_progress,
		     struct lcx_error **err);

/* As lcx__tree_implied(), when all is done. */
const struct lcx__strbuf *lcx__engine_implied(const struct lcx__engine *engine);

struct lcx__engine *lcx__engine_free(struct lcx__engine *engine);

DEFINE_CLEANUP(struct lcx__engine *, lcx__engine_free)
