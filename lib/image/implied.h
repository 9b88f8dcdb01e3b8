/* SPDX-License-Identifier: MIT */
#pragma once

#include "util/str.h"

/*
 * Directories that a layer has but doesn't describe, and that are still to be found
 * in a lower one. implied.c tells why.
 */
struct lcx__implied {
	int root_fd;        /* of the layer; borrowed */
	const char **paths; /* NULL once found */
	size_t n;
};

/* @text is borrowed. -ENOMEM */
int lcx__implied_new(int root_fd, const struct lcx__strbuf *text, struct lcx__implied *ret);
void lcx__implied_clear(struct lcx__implied *implied);

/* No layer describes those that are left: they get a fixed time, the same whenever this is done. */
int lcx__implied_finish(struct lcx__implied *implied);

/* Take what @lower_fd, the next lower layer, has of them. */
int lcx__implied_inherit(struct lcx__implied *implied, int lower_fd);
