/* SPDX-License-Identifier: MIT */
#pragma once

/* Options in Docker's words that the library has in others. What goes wrong is reported. */

#include "app.h"
#include "memory.h"

/* Whose variables they are: one of the two. */
struct environment {
	struct lcx_container *container;
	struct lcx_spec *spec; /* of an exec */
};

/* --env-file: a line for each variable, # for comments, no quotes; those of -e come after them. */
bool apply_env_files(struct app *app, const struct environment *to, const struct list *paths);

/* "NAME=VALUE", or "NAME", which takes the one that is here, if it is. */
int add_variable(const struct environment *to, const char *text, struct lcx_error **err);

/* --mount type=...,source=...,target=... */
bool apply_mounts(struct app *app, struct lcx_container *c, const struct list *mounts);

/* --ulimit NAME=SOFT[:HARD] */
bool apply_ulimits(struct app *app, struct lcx_container *c, const struct list *limits);
