/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Libraries that are loaded when they are needed. One that was loaded stays, for its functions'
 * addresses are remembered by their users; only the count of those who hold it goes down.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/* To be closed by lcx__library_close(); NULL: dlerror(3) tells why. */
void *lcx__library_open(const char *soname);
void lcx__library_close(void *library);
/* Into a pointer to a function. */
bool lcx__library_find(void *library, const char *name, void *ret);

struct lcx__library {
	const char *soname;
	const char *use; /* "images need", for messages */
	const struct lcx__library_function {
		const char *name;
		size_t offset; /* of the pointer to it */
	} * functions;
	size_t n;
};

/* All of its functions, into a structure. -EOPNOTSUPP in words: it is not there, or lacks one. */
int lcx__library_load(const struct lcx__library *library, void *ret, struct lcx_error **err);
