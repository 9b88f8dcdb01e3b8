/* SPDX-License-Identifier: MIT */
#include "tar/tar.h"

#include <errno.h>
#include <string.h>

/* An open-addressing table of files by their inode; a quarter of it at least is free. */

struct lcx__link {
	dev_t dev;
	ino_t ino;
	char *path; /* NULL: free */
};

static struct lcx__link *slot(struct lcx__link *items, size_t size, dev_t dev, ino_t ino)
{
	size_t at = (size_t)((ino ^ (dev << 7)) * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (size - 1);

	while (items[at].path && (items[at].dev != dev || items[at].ino != ino))
		at = (at + 1) & (size - 1);
	return &items[at];
}

static int grow(struct lcx__links *links)
{
	size_t size = links->size ? links->size * 2 : 64;
	struct lcx__link *items = calloc(size, sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < links->size; i++)
		if (links->items[i].path)
			*slot(items, size, links->items[i].dev, links->items[i].ino) =
				links->items[i];
	free(links->items);
	links->items = items;
	links->size = size;
	return 0;
}

int lcx__links_see(struct lcx__links *links, dev_t dev, ino_t ino, const char *path,
		   const char **ret)
{
	struct lcx__link *found;

	if (links->n * 4 >= links->size * 3 && grow(links) < 0)
		return -ENOMEM;
	found = slot(links->items, links->size, dev, ino);
	*ret = found->path;
	if (found->path)
		return 0;
	found->path = strdup(path);
	if (!found->path)
		return -ENOMEM;
	found->dev = dev;
	found->ino = ino;
	links->n++;
	return 0;
}

void lcx__links_clear(struct lcx__links *links)
{
	for (size_t i = 0; i < links->size; i++)
		free(links->items[i].path);
	free(links->items);
	*links = (struct lcx__links){0};
}
