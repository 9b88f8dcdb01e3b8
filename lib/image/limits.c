/* SPDX-License-Identifier: MIT */
#include "image/limits.h"

#include <limits.h>

#include "lcx/layer.h"

const struct lcx__extract_limits lcx__extract_limits_default = {
	.entries = 4u << 20,
	.total_bytes = UINT64_C(256) << 30,
	.path_bytes = PATH_MAX - 1,
	.xattr_bytes = 64 << 10,
	.xattrs_per_entry = 64,
	/*
	 * gzip can't grow data more than 1032-fold, and a file of zeros is honest. What is
	 * beyond that is zstd; it is only looked at once it is large enough to hurt.
	 */
	.ratio_from_bytes = UINT64_C(1) << 30,
	.ratio = 1100,
	.window_bytes = 128 << 20, /* the largest that zstd's own tools take unasked */
	.free_bytes = 8 << 20,
};

/* One row per enum lcx_layer_limit; the default is the one above. */
static const struct rule {
	const char *name;
	uint64_t least, most;
} rules[] = {
	[LCX_LAYER_LIMIT_ENTRIES] = {"entries", 1, UINT32_MAX},
	[LCX_LAYER_LIMIT_TOTAL_BYTES] = {"total bytes", 1, INT64_MAX / 2},
	[LCX_LAYER_LIMIT_RATIO] = {"ratio", 1, UINT32_MAX},
	[LCX_LAYER_LIMIT_PATH_BYTES] = {"path bytes", 1, PATH_MAX - 1},
	[LCX_LAYER_LIMIT_XATTR_BYTES] = {"attribute bytes", 1, 64 << 10},
	[LCX_LAYER_LIMIT_XATTRS] = {"attributes", 1, 1024},
	[LCX_LAYER_LIMIT_WINDOW_BYTES] = {"window bytes", 1 << 10, UINT64_C(2) << 30},
	[LCX_LAYER_LIMIT_FREE_BYTES] = {"free bytes", 0, INT64_MAX},
};
_Static_assert(ARRAY_SIZE(rules) == LCX__CTX_LAYER_LIMITS, "the context keeps as many");

void lcx__limits_of(const struct lcx_ctx *ctx, struct lcx__extract_limits *ret)
{
	*ret = lcx__extract_limits_default;
	ret->entries = lcx_layer_limit(ctx, LCX_LAYER_LIMIT_ENTRIES);
	ret->total_bytes = lcx_layer_limit(ctx, LCX_LAYER_LIMIT_TOTAL_BYTES);
	ret->ratio = (uint32_t)lcx_layer_limit(ctx, LCX_LAYER_LIMIT_RATIO);
	ret->path_bytes = (uint32_t)lcx_layer_limit(ctx, LCX_LAYER_LIMIT_PATH_BYTES);
	ret->xattr_bytes = (uint32_t)lcx_layer_limit(ctx, LCX_LAYER_LIMIT_XATTR_BYTES);
	ret->xattrs_per_entry = (uint32_t)lcx_layer_limit(ctx, LCX_LAYER_LIMIT_XATTRS);
	ret->window_bytes = lcx_layer_limit(ctx, LCX_LAYER_LIMIT_WINDOW_BYTES);
	ret->free_bytes = lcx_layer_limit(ctx, LCX_LAYER_LIMIT_FREE_BYTES);
}

static uint64_t default_of(enum lcx_layer_limit limit)
{
	const struct lcx__extract_limits *all = &lcx__extract_limits_default;

	switch (limit) {
	case LCX_LAYER_LIMIT_ENTRIES:
		return all->entries;
	case LCX_LAYER_LIMIT_TOTAL_BYTES:
		return all->total_bytes;
	case LCX_LAYER_LIMIT_RATIO:
		return all->ratio;
	case LCX_LAYER_LIMIT_PATH_BYTES:
		return all->path_bytes;
	case LCX_LAYER_LIMIT_XATTR_BYTES:
		return all->xattr_bytes;
	case LCX_LAYER_LIMIT_XATTRS:
		return all->xattrs_per_entry;
	case LCX_LAYER_LIMIT_WINDOW_BYTES:
		return all->window_bytes;
	case LCX_LAYER_LIMIT_FREE_BYTES:
		return all->free_bytes;
	}
	return 0;
}

LCX_PUBLIC int lcx_layer_set_limit(struct lcx_ctx *ctx, enum lcx_layer_limit limit, uint64_t value,
				   struct lcx_error **err)
{
	const struct rule *rule;

	if ((size_t)limit >= ARRAY_SIZE(rules))
		return lcx__fail(err, EINVAL, "there is no limit %d of layers", (int)limit);
	rule = &rules[limit];
	if (value < rule->least || value > rule->most)
		return lcx__fail(err, ERANGE, "layers' limit of %s: %ju is not from %ju to %ju",
				 rule->name, (uintmax_t)value, (uintmax_t)rule->least,
				 (uintmax_t)rule->most);
	ctx->layer_limits[limit] = value + 1;
	return 0;
}

LCX_PUBLIC uint64_t lcx_layer_limit(const struct lcx_ctx *ctx, enum lcx_layer_limit limit)
{
	if ((size_t)limit >= ARRAY_SIZE(rules))
		return 0;
	return ctx->layer_limits[limit] > 0 ? ctx->layer_limits[limit] - 1 : default_of(limit);
}

LCX_PUBLIC void lcx_layer_set_in_process(struct lcx_ctx *ctx, bool in_process)
{
	ctx->layers_in_process = in_process;
}

LCX_PUBLIC bool lcx_layer_in_process(const struct lcx_ctx *ctx)
{
	return ctx->layers_in_process;
}
