/* SPDX-License-Identifier: MIT */
/*
 * What can only be done with directories when no entry follows any more: their modes, lists of
 * access and times, and which of them no entry has named.
 */
#include "image/tree-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* Paths of directories are kept to the end: a bound on that memory. */
enum {
	DEFERRED_BYTES_MAX = 64 << 20,
	IMPLIED_MAX = 16384,
};

struct lcx__tree_deferred {
	char *path;
	size_t order;
	mode_t mode;
	struct timespec mtime;
	struct lcx__tar_xattr acls[2]; /* value NULL: none */
};

static void clear_deferred(struct lcx__tree_deferred *d)
{
	free(d->path);
	for (size_t i = 0; i < ARRAY_SIZE(d->acls); i++) {
		free(d->acls[i].name);
		free(d->acls[i].value);
	}
}

void lcx__tree_clear_dirs(struct lcx__tree *tree)
{
	for (size_t i = 0; i < tree->n_deferred; i++)
		clear_deferred(&tree->deferred[i]);
	free(tree->deferred);
	lcx__strbuf_free(&tree->implied);
}

int lcx__tree_note_implied(struct lcx__tree *tree, const char *path, struct lcx_error **err)
{
	if (++tree->n_implied > IMPLIED_MAX ||
	    tree->implied.length + strlen(path) >= LCX__TREE_IMPLIED_BYTES)
		return lcx__fail(err, EBADMSG, "too many directories that no entry names");
	lcx__strbuf_add(&tree->implied, path, strlen(path) + 1);
	return tree->implied.failed ? lcx__fail_nomem(err) : 0;
}

static int keep_acls(struct lcx__tree *tree, const struct lcx__tar_entry *e,
		     struct lcx__tree_deferred *d, struct lcx_error **err)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n_xattrs && n < ARRAY_SIZE(d->acls); i++) {
		const struct lcx__tar_xattr *x = &e->xattrs[i];
		struct lcx__tar_xattr *acl = &d->acls[n];

		if (!lcx__acl_is(x->name))
			continue;
		*acl = (struct lcx__tar_xattr){strdup(x->name), malloc(x->size + 1), x->size};
		n++;
		if (!acl->name || !acl->value)
			return lcx__fail_nomem(err);
		memcpy(acl->value, x->value, x->size);
		tree->deferred_bytes += x->size;
	}
	return 0;
}

int lcx__tree_defer(struct lcx__tree *tree, const struct lcx__tar_entry *e, struct lcx_error **err)
{
	struct lcx__tree_deferred *d;

	tree->deferred_bytes += strlen(e->path) + sizeof(*d);
	if (tree->deferred_bytes > DEFERRED_BYTES_MAX)
		return lcx__fail(err, EBADMSG, "too many directories");
	if (tree->n_deferred == tree->deferred_size) {
		size_t size = tree->deferred_size ? tree->deferred_size * 2 : 256;

		d = realloc(tree->deferred, size * sizeof(*d));
		if (!d)
			return lcx__fail_nomem(err);
		tree->deferred = d;
		tree->deferred_size = size;
	}
	d = &tree->deferred[tree->n_deferred];
	*d = (struct lcx__tree_deferred){.path = strdup(e->path), .order = tree->n_deferred};
	if (!d->path)
		return lcx__fail_nomem(err);
	tree->n_deferred++;
	d->mode = e->mode & 07777;
	d->mtime = e->mtime;
	return keep_acls(tree, e, d, err);
}

/* Deeper before shallower, and of two equal paths the later entry first. */
static int compare_deferred(const void *a, const void *b)
{
	const struct lcx__tree_deferred *x = a, *y = b;
	int r = strcmp(y->path, x->path);

	return r != 0 ? r : x->order < y->order ? 1 : -1;
}

static int compare_path(const void *path, const void *item)
{
	return strcmp(((const struct lcx__tree_deferred *)item)->path, path);
}

/* An entry that came after all has named some of them. */
static int forget_named(struct lcx__tree *tree, struct lcx_error **err)
{
	struct lcx__strbuf kept = STRBUF_EMPTY;
	const char *end = tree->implied.text + tree->implied.length;

	for (const char *path = tree->implied.text; path < end; path += strlen(path) + 1)
		if (tree->n_deferred == 0 || !bsearch(path, tree->deferred, tree->n_deferred,
						      sizeof(*tree->deferred), compare_path))
			lcx__strbuf_add(&kept, path, strlen(path) + 1);
	lcx__strbuf_free(&tree->implied);
	tree->implied = kept;
	return kept.failed ? lcx__fail_nomem(err) : 0;
}

const struct lcx__strbuf *lcx__tree_implied(const struct lcx__tree *tree)
{
	return &tree->implied;
}

static int finish_dir(const struct lcx__tree *tree, const struct lcx__tree_deferred *d, int fd,
		      struct lcx_error **err)
{
	const struct timespec times[2] = {d->mtime, d->mtime};

	for (size_t i = 0; i < ARRAY_SIZE(d->acls) && d->acls[i].value; i++)
		if (fsetxattr(fd, d->acls[i].name, d->acls[i].value, d->acls[i].size, 0) < 0 &&
		    !lcx__tree_xattr_failure_is_fine(tree, errno))
			return lcx__fail_sys(err, errno,
					     "set the attribute '%s' of directory '%.300s'",
					     d->acls[i].name, d->path);
	if (fchmod(fd, d->mode) < 0 || futimens(fd, times) < 0)
		return lcx__fail_sys(err, errno, "mode and time of directory '%.300s'", d->path);
	return 0;
}

int lcx__tree_finish(struct lcx__tree *tree, struct lcx_error **err)
{
	lcx__tree_forget_parent(tree);
	if (tree->n_deferred > 0)
		qsort(tree->deferred, tree->n_deferred, sizeof(*tree->deferred), compare_deferred);
	for (size_t i = 0; i < tree->n_deferred; i++) {
		const struct lcx__tree_deferred *d = &tree->deferred[i];
		CLEANUP(closep) int fd = -1;
		int r;

		if (i > 0 && strcmp(d[-1].path, d->path) == 0)
			continue;
		fd = lcx__tree_open(tree, d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
			continue; /* a later entry replaced it */
		if (fd < 0)
			return lcx__fail_sys(err, -fd, "open directory '%.300s'", d->path);
		r = finish_dir(tree, d, fd, err);
		if (r < 0)
			return r;
	}
	return forget_named(tree, err);
}
