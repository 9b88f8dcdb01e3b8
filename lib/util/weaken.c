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

	for (unsigned int i = 0; wanted && i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], wanted) == 0)
			return 1u << i;
	return 0;
}
#endif
