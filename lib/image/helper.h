/* SPDX-License-Identifier: MIT */
#pragma once

/* The library's side of the extraction helper: start it, feed it, listen to it. */

#include "image/engine.h"

struct lcx__helper;

/* As the job says, but its gate: @grows stands for one. */
int lcx__helper_start(const struct lcx__engine_job *job, bool grows, struct lcx__helper **ret,
		      struct lcx_error **err);

/* For an input that grows: so many bytes are there, and perhaps no more will come. */
int lcx__helper_feed(struct lcx__helper *helper, uint64_t available_bytes, bool complete,
		     struct lcx_error **err);

/* Take what it has said, without waiting. 1 if there is more to come, 0 when it is done. */
int lcx__helper_step(struct lcx__helper *helper, struct lcx__unpack_progress *progress,
		     struct lcx_error **err);

/* Readable when a step would do something. */
int lcx__helper_fd(const struct lcx__helper *helper);

/* Of its process; borrowed, -1 once that has ended. */
int lcx__helper_pidfd(const struct lcx__helper *helper);

const struct lcx__strbuf *lcx__helper_implied(const struct lcx__helper *helper);

/* Ends it, at once and for certain: afterwards nobody writes to the directory. */
struct lcx__helper *lcx__helper_free(struct lcx__helper *helper);

DEFINE_CLEANUP(struct lcx__helper *, lcx__helper_free)

/* The bytes of the program. */
extern const unsigned char lcx__extract_program[];
extern const size_t lcx__extract_program_size;
