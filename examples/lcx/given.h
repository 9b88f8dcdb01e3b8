/* SPDX-License-Identifier: MIT */
#pragma once

/* Options in Docker's words that the library has in others. What goes wrong is reported. */

#include "app.h"
#include "memory.h"

/* --env-file: a line for each variable, # for comments, no quotes; those of -e come after them. */
bool apply_env_files(struct app *app, struct lcx_container *c, const struct list *paths);

/* "NAME=VALUE", or "NAME", which takes the one that is here, if it is. */
int add_variable(struct lcx_container *c, const char *text, struct lcx_error **err);

/* --mount type=...,source=...,target=... */
bool apply_mounts(struct app *app, struct lcx_container *c, const struct list *mounts);

/* --ulimit NAME=SOFT[:HARD] */
bool apply_ulimits(struct app *app, struct lcx_container *c, const struct list *limits);
