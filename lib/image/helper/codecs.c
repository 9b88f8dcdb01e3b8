/* SPDX-License-Identifier: MIT */
#include "image/codecs.h"

/* They are inside. */
#define ROW(name) .name = (name),

int lcx__inflate_load(struct lcx__inflate *ret, struct lcx_error **err)
{
	(void)err;
	*ret = (struct lcx__inflate){INFLATE_FUNCTIONS(ROW)};
	return 0;
}

int lcx__unzstd_load(struct lcx__unzstd *ret, struct lcx_error **err)
{
	(void)err;
	*ret = (struct lcx__unzstd){UNZSTD_FUNCTIONS(ROW)};
	return 0;
}
