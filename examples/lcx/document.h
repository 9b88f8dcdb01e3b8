/* SPDX-License-Identifier: MIT */
#pragma once

/* What `inspect` prints: one JSON array of all things, or each of them as --format words it. */

#include <stdbool.h>

#include "app.h"

struct documents {
	const struct app *app;
	int n; /* printed so far */
};

void documents_begin(struct documents *documents);

/* Return: false if the template does not fit @json, which is reported. */
bool documents_add(struct documents *documents, const char *json);
void documents_end(const struct documents *documents);
