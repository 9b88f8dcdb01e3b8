/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "util/error.h"

/*
 * A filter that decides as the given one does, and is shorter: by architecture and number in a
 * search tree, and by arguments as before. One that can't be told apart so far is left as it is.
 * The result is the caller's; @size is a multiple of an instruction's.
 */
int lcx__seccomp_shorten(const void *filter, size_t size, void **ret, size_t *ret_size,
			  struct lcx_error **err);
