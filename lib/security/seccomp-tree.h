/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "util/error.h"

/*
 * The same filter, with a search tree in front of it for what it decides by architecture and number
 * alone. The result is the caller's; @size is a multiple of an instruction's.
 */
int lcx__seccomp_add_tree(const void *filter, size_t size, void **ret, size_t *ret_size,
			  struct lcx_error **err);
