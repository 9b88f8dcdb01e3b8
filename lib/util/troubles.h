/* SPDX-License-Identifier: MIT */
#pragma once

#include "util/error.h"
#include "util/str.h"

/* Several failures in a row, none of which stops the rest: the first one's number, everyone's
 * words. */
struct lcx__troubles {
	int result;
	struct lcx__strbuf words;
};

#define TROUBLES_NONE ((struct lcx__troubles){0})

/* Takes *err and empties it; @r >= 0 is none. */
void lcx__troubles_add(struct lcx__troubles *troubles, int r, struct lcx_error **err);

/* The result, in words. *@troubles is empty again. */
int lcx__troubles_end(struct lcx__troubles *troubles, struct lcx_error **err);
