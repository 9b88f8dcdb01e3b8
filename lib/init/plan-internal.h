/* SPDX-License-Identifier: MIT */
#pragma once

#include "init/launch.h"
#include "util/str.h"

enum { LCX__PLAN_MAX_SIZE = 32 << 20, LCX__PLAN_MAX_FDS = 256, LCX__PLAN_MAX_VECTORS = 256 };

struct lcx__plan {
	struct plan_op *ops;
	uint32_t n_ops, ops_size;
	struct lcx__strbuf data; /* what the operations refer to, by offset */
	struct {
		uint32_t offset, n;
	} vectors[LCX__PLAN_MAX_VECTORS];
	uint32_t n_vectors;
	int fds[LCX__PLAN_MAX_FDS]; /* borrowed */
	int n_fds;
	bool trace, failed;
	struct plan_op spare; /* stands in for an operation that found no memory */
};

/* The stage of an operation, by its code: for what is told without the plan at hand. */
const char *lcx__plan_code_stage(uint32_t code);

/* The blob for lcx-init, owned by the caller. */
int lcx__plan_pack(const struct lcx__plan *plan, char **ret, size_t *ret_size,
		   struct lcx_error **err);
