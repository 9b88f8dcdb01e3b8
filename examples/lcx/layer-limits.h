/* SPDX-License-Identifier: MIT */
#pragma once

/* What a stranger's layers may demand, for all commands that unpack some. */

#include <stddef.h>

#include "app.h"
#include "memory.h"
#include "options.h"

/* A row for a command's own table, whose structure holds a struct list named @member. */
#define LAYER_LIMIT_ROW(type, member)                                                              \
	{                                                                                          \
		'\0', "layer-limit", OPTION_LIST, offsetof(type, member), "NAME=VALUE",            \
			"what a layer may have at most: entries, total-bytes, ..."                 \
	}

/* Set them in the context, which is open. Return: 0, or the exit code of what was reported. */
int layer_limits_set(struct app *app, const struct list *limits);
