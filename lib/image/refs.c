/* SPDX-License-Identifier: MIT */
/*
 * Names of images. One small file each, so that two processes that name different
 * images never meet; the file is called after a hash, since a name is longer than a
 * file name may be and has slashes.
 */
#include "image/store.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>

#include "util/fs.h"
#include "util/str.h"

enum { REF_FILE_MAX = 1024 };

static int file_name(const char *name, struct lcx__digest *digest, struct lcx_error **err)
{
	return lcx__digest_of(NULL, name, strlen(name), digest, err);
}

int lcx__refs_set(const struct lcx__store *store, const char *name,
		  const struct lcx__digest *manifest, struct lcx_error **err)
{
	CLEANUP(closep) int lock = lcx__store_lock(store, LOCK_SH, err);
	CLEANUP(closep) int dir_fd = lcx__open_dir(store->fd, "refs");
	CLEANUP(freep) char *text = lcx__format("%s\n%s\n", name, manifest->text);
	struct lcx__digest file;
	int r;

	if (lock < 0)
		return lock;
	if (!text)
		return lcx__fail_nomem(err);
	r = file_name(name, &file, err);
	if (r < 0)
		return r;
	r = dir_fd < 0 ? dir_fd
		       : lcx__replace_file(dir_fd, lcx__digest_hex(&file), text, strlen(text), 0600,
					   true);
	return r < 0 ? lcx__fail_sys(err, -r, "name the image '%s'", name) : 0;
}

int lcx__refs_remove(const struct lcx__store *store, const char *name, struct lcx_error **err)
{
	CLEANUP(closep) int dir_fd = lcx__open_dir(store->fd, "refs");
	struct lcx__digest file;
	int r;

	r = file_name(name, &file, err);
	if (r < 0)
		return r;
	if (dir_fd < 0 || unlinkat(dir_fd, lcx__digest_hex(&file), 0) < 0)
		return lcx__fail_sys(err, errno, "remove the name '%s'", name);
	return 0;
}

static int parse(char *text, struct lcx__ref *ref)
{
	char *rest = text, *name = strsep(&rest, "\n"), *digest = strsep(&rest, "\n");

	if (!digest || lcx__digest_parse(digest, &ref->manifest) < 0)
		return -EUCLEAN;
	ref->name = strdup(name);
	return ref->name ? 0 : -ENOMEM;
}

static int append(struct lcx__refs *refs, int dir_fd, const char *file)
{
	CLEANUP(freep) char *text = NULL;
	struct lcx__ref *bigger;
	int r;

	if (file[0] == '.')
		return 0;
	r = lcx__read_file(dir_fd, file, REF_FILE_MAX, &text, NULL);
	if (r < 0)
		return r == -ENOENT ? 0 : r; /* removed just now */
	bigger = realloc(refs->items, (refs->n + 1) * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	refs->items = bigger;
	r = parse(text, &refs->items[refs->n]);
	if (r == 0)
		refs->n++;
	return r == -ENOMEM ? r : 0; /* a damaged name names nothing */
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct lcx__ref *)a)->name, ((const struct lcx__ref *)b)->name);
}

int lcx__refs_read(const struct lcx__store *store, struct lcx__refs **ret, struct lcx_error **err)
{
	CLEANUP(lcx__refs_freep) struct lcx__refs *refs = calloc(1, sizeof(*refs));
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r;

	if (!refs)
		return lcx__fail_nomem(err);
	r = lcx__read_dir(store->fd, "refs", &dir);
	while (r == 0 && (entry = lcx__next_entry(dir)))
		r = append(refs, dirfd(dir), entry->d_name);
	if (r == 0)
		r = -errno;
	if (r < 0)
		return lcx__fail_sys(err, -r, "read the names of images");
	if (refs->n > 0)
		qsort(refs->items, refs->n, sizeof(*refs->items), compare_names);
	*ret = TAKE_PTR(refs);
	return 0;
}

struct lcx__refs *lcx__refs_free(struct lcx__refs *refs)
{
	if (!refs)
		return NULL;
	for (size_t i = 0; i < refs->n; i++)
		free(refs->items[i].name);
	free(refs->items);
	free(refs);
	return NULL;
}
