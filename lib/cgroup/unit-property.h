/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Properties of a unit of systemd's that a description has in words of its own, as the annotations
 * "org.systemd.property.NAME" of engines: the value is in the text format of GVariant, such as
 * "true", "'inactive-or-failed'", "uint64 5000000" and "['a.service', 'b.service']".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lcx/error.h"

#define LCX__UNIT_PROPERTY_PREFIX "org.systemd.property."

struct lcx__unit_property {
	char *name;
	char type; /* of D-Bus: one of "bsynqiuxtd"; of the members, if it is an array */
	bool is_array;
	size_t n;
	union lcx__unit_value {
		char *text;       /* s */
		uint64_t natural; /* b, y, q, u, t */
		int64_t integer;  /* n, i, x */
		double real;      /* d */
	} * values;
};

struct lcx__unit_properties {
	struct lcx__unit_property *items;
	size_t n;
};

/*
 * Append what an annotation without its prefix says. A name that ends in "Sec" is a time in
 * seconds, which systemd knows in microseconds by the name with "USec". What is settled by the
 * container itself is refused by name, and so is a value that is none.
 */
int lcx__unit_properties_add(struct lcx__unit_properties *properties, const char *name,
			     const char *text, struct lcx_error **err);
void lcx__unit_properties_clear(struct lcx__unit_properties *properties);
