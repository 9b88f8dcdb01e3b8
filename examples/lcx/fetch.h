/* SPDX-License-Identifier: MIT */
#pragma once

/* Pulling, for `pull` and for a `run` whose image is not here. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "app.h"
#include "layer-limits.h"
#include "options.h"
#include "registry.h"

struct fetch_options {
	struct registry_options registry;
	const char *platform;
	struct list layer_limits;
};

/* Rows for a command's own table, whose structure holds a struct fetch_options named @member. */
#define FETCH_ROWS(type, member)                                                                   \
	REGISTRY_ROWS(type, member.registry),                                                      \
		{'\0',          "platform",                                                        \
		 OPTION_STRING, offsetof(type, member.platform),                                   \
		 "OS/ARCH",     "choose out of an image for several"},                             \
		LAYER_LIMIT_ROW(type, member.layer_limits)

void fetch_options_free(struct fetch_options *options);

/* Pull, showing progress on @out; what goes wrong is reported. @ret may be NULL. */
bool fetch_image(struct app *app, const char *reference, const struct fetch_options *options,
		 FILE *out, struct lcx_image **ret);
