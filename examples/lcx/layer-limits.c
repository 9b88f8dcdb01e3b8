/* SPDX-License-Identifier: MIT */
#include "layer-limits.h"

#include <string.h>

#include "text.h"

static const struct {
	const char *name;
	enum lcx_layer_limit limit;
} names[] = {
	{"entries", LCX_LAYER_LIMIT_ENTRIES},
	{"total-bytes", LCX_LAYER_LIMIT_TOTAL_BYTES},
	{"ratio", LCX_LAYER_LIMIT_RATIO},
	{"path-bytes", LCX_LAYER_LIMIT_PATH_BYTES},
	{"xattr-bytes", LCX_LAYER_LIMIT_XATTR_BYTES},
	{"xattrs", LCX_LAYER_LIMIT_XATTRS},
	{"window-bytes", LCX_LAYER_LIMIT_WINDOW_BYTES},
	{"free-bytes", LCX_LAYER_LIMIT_FREE_BYTES},
};

enum { N_NAMES = sizeof(names) / sizeof(*names) };

static int set(struct app *app, const char *item)
{
	struct lcx_error *err = NULL;
	size_t length = strcspn(item, "="), i = 0;
	int64_t value = 0;

	while (i < N_NAMES &&
	       (strlen(names[i].name) != length || strncmp(names[i].name, item, length) != 0))
		i++;
	if (i == N_NAMES)
		return options_usage_error(app,
					   "there is no layer limit '%.*s'; there are entries, "
					   "total-bytes, ratio, path-bytes, xattr-bytes, xattrs, "
					   "window-bytes and free-bytes",
					   (int)length, item);
	if (item[length] == '\0' || text_parse_bytes(item + length + 1, &value) < 0)
		return options_usage_error(app, "layer limit '%s' has no number; write %s=64m",
					   item, names[i].name);
	if (lcx_layer_set_limit(app->ctx, names[i].limit, (uint64_t)value, &err) < 0) {
		app_report(app, &err);
		return EXIT_LIBRARY_FAILED;
	}
	return 0;
}

int layer_limits_set(struct app *app, const struct list *limits)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < limits->count; i++)
		code = set(app, limits->items[i]);
	return code;
}
