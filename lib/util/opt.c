/* SPDX-License-Identifier: MIT */
#include "util/opt.h"

#include <stdlib.h>
#include <string.h>

void *lcx__list_grow(void *list, size_t item_size)
{
	struct lcx__list *l = list;
	char *bigger;

	/* Doubling at powers of two keeps a long list linear without a third member. */
	if ((l->n & (l->n - 1)) == 0) {
		bigger = reallocarray(l->items, l->n ? 2 * l->n : 1, item_size);
		if (!bigger)
			return NULL;
		l->items = bigger;
	}
	l->set = true;
	memset((char *)l->items + l->n * item_size, 0, item_size);
	return (char *)l->items + l->n++ * item_size;
}

void lcx__list_remove(void *list, size_t index, size_t item_size)
{
	struct lcx__list *l = list;
	char *items = l->items;

	memmove(items + index * item_size, items + (index + 1) * item_size,
		(l->n - index - 1) * item_size);
	l->n--;
}
