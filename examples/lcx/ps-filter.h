/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Docker's filters of `ps`. Those with the same key are alternatives, but all labels must be there;
 * a container is wanted if all keys are content.
 */

#include "app.h"
#include "memory.h"

struct ps_filters;

/* What is unknown is reported. Return: NULL then; else the caller frees it. */
struct ps_filters *ps_filters_new(struct app *app, const struct list *texts);

/* Look up what the filters speak of: images, and other containers. What goes wrong is reported. */
bool ps_filters_resolve(struct app *app, struct ps_filters *filters);

bool ps_filters_fit(const struct ps_filters *filters, const struct lcx_container *c);

/* Whether there is one that speaks of containers that do not run, too. */
bool ps_filters_want_all(const struct ps_filters *filters);

void ps_filters_free(struct ps_filters *filters);
DEFINE_CLEANUP(struct ps_filters *, ps_filters_free)

/* Docker's word for the state of a container. */
const char *ps_state_name(const struct lcx_container *c);
