/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Values that may be absent, and lists. Zeroed memory is "absent" and "empty"
 * for all of them, and an absent value reads as 0. lib/util/json.h reads and
 * writes structures that are made of these.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lcx__opt_bool {
	bool set, value;
};

struct lcx__opt_int { /* also enumerations */
	bool set;
	int value;
};

struct lcx__opt_u32 {
	bool set;
	uint32_t value;
};

struct lcx__opt_i64 {
	bool set;
	int64_t value;
};

struct lcx__opt_u64 {
	bool set;
	uint64_t value;
};

#define LCX__OPT(v)                                                                                \
	{                                                                                          \
		.set = true, .value = (v)                                                          \
	}

/* n items, owned by the structure around; @set tells an empty list from none. */
#define LCX__LIST(type)                                                                            \
	struct {                                                                                   \
		bool set;                                                                          \
		size_t n;                                                                          \
		type *items;                                                                       \
	}

/* What every LCX__LIST() looks like to code that does not know the type. */
struct lcx__list {
	bool set;
	size_t n;
	void *items;
};

struct lcx__key_value {
	char *key, *value;
};

/* One more item, zeroed, at the end of a list; NULL if out of memory. */
void *lcx__list_grow(void *list, size_t item_size);

/* Close the gap that item @index leaves; what it owned has been released before. */
void lcx__list_remove(void *list, size_t index, size_t item_size);
