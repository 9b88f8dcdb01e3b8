/* SPDX-License-Identifier: MIT */
#include "util/weaken.h"

#if LCX_WEAKEN
#include <stdlib.h>
#include <string.h>

uint32_t lcx__weakened(void)
{
	static const char *const names[] = {
#define X(id, name) name,
		LCX__DEFENCES(X)
#undef X
	};
	const char *wanted = getenv("LCX_WEAKEN");
	uint32_t off = 0;
	size_t length;

	for (; wanted && *wanted; wanted += length + (wanted[length] == ',')) {
		length = strcspn(wanted, ",");
		for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (strlen(names[i]) == length && strncmp(names[i], wanted, length) == 0)
				off |= 1u << i;
	}
	return off;
}
#endif
