/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>

#include "app.h"

static void __attribute__((__noreturn__)) out_of_memory(void)
{
	fputs("lcx: out of memory\n", stderr);
	exit(EXIT_LIBRARY_FAILED);
}

void *xrealloc(void *old, size_t count, size_t size)
{
	void *p = reallocarray(old, count, size);

	if (!p)
		out_of_memory();
	return p;
}

char *xprintf(const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0)
		out_of_memory();
	return text;
}

void list_add(struct list *list, const char *item)
{
	list->items = xrealloc(list->items, list->count + 2, sizeof(*list->items));
	list->items[list->count++] = item;
	list->items[list->count] = NULL;
}

void list_free(struct list *list)
{
	free(list->items);
	*list = (struct list){0};
}

const char *const *list_items(const struct list *list)
{
	static const char *const none[] = {NULL};

	return list->items ? list->items : none;
}
