/* SPDX-License-Identifier: MIT */
/*
 * An entry, out of its header and what extended ones said before: theirs count more, then those for
 * all entries, then the plain one.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tar/read-internal.h"

static mode_t kind_of(char type)
{
	switch (type) {
	case '\0':
	case '0':
	case '1':
	case '7':
	case 'S':
		return S_IFREG;
	case '2':
		return S_IFLNK;
	case '3':
		return S_IFCHR;
	case '4':
		return S_IFBLK;
	case '5':
	case 'D': /* GNU's, with a list of its files as content */
		return S_IFDIR;
	case '6':
		return S_IFIFO;
	default:
		return 0;
	}
}

/* The path of a plain header: ustar has a second field for its beginning. */
static char *plain_path(const struct lcx__tar_header *h)
{
	bool ustar = memcmp(h->magic, "ustar\0", 6) == 0;

	return ustar && h->prefix[0] ? lcx__format("%.155s/%.100s", h->prefix, h->name)
				     : strndup(h->name, sizeof(h->name));
}

int lcx__tar_fill_names(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
			struct lcx_error **err)
{
	struct lcx__tar_extended *x = &t->extended;
	struct lcx__tar_entry *e = &t->entry;
	bool has_link = h->type == '1' || h->type == '2';

	e->path = x->sparse_path ? TAKE_PTR(x->sparse_path)
		  : x->path      ? TAKE_PTR(x->path)
				 : plain_path(h);
	if (has_link)
		e->link = x->link ? TAKE_PTR(x->link) : strndup(h->link, sizeof(h->link));
	e->hard = h->type == '1';
	return e->path && (e->link || !has_link) ? 0 : lcx__fail_nomem(err);
}

/* What an extended header says, or one for all, or the plain one. */
static int choose(const char *field, size_t size, const struct lcx__tar_value *own,
		  const struct lcx__tar_value *all, uint64_t *ret)
{
	if (own->is == VALUE_SET || (own->is == VALUE_NONE && all->is == VALUE_SET)) {
		*ret = own->is == VALUE_SET ? own->number : all->number;
		return 0;
	}
	return lcx__tar_number(field, size, ret);
}

static const struct lcx__tar_value nothing;

static int fill_owner(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
		      struct lcx_error **err)
{
	struct lcx__tar_entry *e = &t->entry;
	uint64_t uid, gid;

	if (choose(h->uid, sizeof(h->uid), &t->extended.uid, &t->global.uid, &uid) < 0 ||
	    choose(h->gid, sizeof(h->gid), &t->extended.gid, &t->global.gid, &gid) < 0)
		return lcx__fail(err, EBADMSG, "an owner that is no number");
	/* The largest id is (uid_t)-1, which means "leave as it is" to chown(2). */
	if (uid >= UINT32_MAX || gid >= UINT32_MAX)
		return lcx__fail(err, EBADMSG, "owner %ju:%ju is out of range", (uintmax_t)uid,
				 (uintmax_t)gid);
	e->uid = (uid_t)uid;
	e->gid = (gid_t)gid;
	return 0;
}

static int fill_time(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
		     struct lcx_error **err)
{
	int64_t seconds = 0;

	if (t->extended.has_mtime) {
		t->entry.mtime = t->extended.mtime;
	} else if (t->global.has_mtime && !t->extended.deleted_mtime) {
		t->entry.mtime = t->global.mtime;
	} else {
		if (lcx__tar_signed(h->mtime, sizeof(h->mtime), &seconds) < 0)
			return lcx__fail(err, EBADMSG, "a time that is no number");
		t->entry.mtime = (struct timespec){.tv_sec = (time_t)seconds};
	}
	return 0;
}

static int fill_device(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
		       struct lcx_error **err)
{
	uint64_t high, low;

	if (choose(h->major, sizeof(h->major), &t->extended.dev_major, &nothing, &high) < 0 ||
	    choose(h->minor, sizeof(h->minor), &t->extended.dev_minor, &nothing, &low) < 0 ||
	    high > UINT32_MAX || low > UINT32_MAX)
		return lcx__fail(err, EBADMSG, "a device without a number");
	t->entry.device = makedev((unsigned int)high, (unsigned int)low);
	return 0;
}

static int fill_mode(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
		     struct lcx_error **err)
{
	struct lcx__tar_entry *e = &t->entry;
	size_t length = strlen(e->path);
	uint64_t mode;

	if (!kind_of(h->type))
		return lcx__fail(err, EBADMSG, "an entry of type '%c' is refused",
				 h->type >= ' ' && h->type <= '~' ? h->type : '?');
	if (lcx__tar_number(h->mode, sizeof(h->mode), &mode) < 0)
		return lcx__fail(err, EBADMSG, "a mode that is no number");
	e->mode = kind_of(h->type) | (mode & 07777);
	/* Before pax, a directory was a file whose name ends in a slash. */
	if ((h->type == '\0' || h->type == '0') && length > 0 && e->path[length - 1] == '/')
		e->mode = S_IFDIR | (e->mode & 07777);
	return 0;
}

static int check_names(struct lcx__tar_entry *e, struct lcx_error **err)
{
	int r;

	if (!e->path[0] || (e->link && !e->link[0]))
		return lcx__fail(err, EBADMSG, "an empty name");
	r = lcx__tar_path(e->path, err);
	return r == 0 && e->hard ? lcx__tar_path(e->link, err) : r;
}

/* ---- the content's size and place ---- */

static bool has_pieces(const struct lcx__tar_header *h, const struct lcx__tar_extended *x)
{
	return h->type == 'S' || x->has_map || x->has_map_offset || x->real_size.is == VALUE_SET ||
	       x->sparse_major.is == VALUE_SET;
}

static int read_map(struct lcx__tar_reader *t, const struct lcx__tar_header *h, uint64_t *ret_real,
		    struct lcx_error **err)
{
	struct lcx__tar_extended *x = &t->extended;

	*ret_real = x->real_size.number;
	if (h->type == 'S')
		return lcx__tar_map_read_gnu(&t->map, h, &t->blocks, ret_real, err);
	if (x->sparse_major.number == 1 && x->sparse_minor.number == 0)
		return lcx__tar_map_read_blocks(&t->map, &t->blocks, &t->left, err);
	if (x->sparse_major.number > 0 || !x->has_map || x->has_map_offset)
		return lcx__fail(err, EOPNOTSUPP,
				 "a sparse file of a form that is not known; archive it without "
				 "holes");
	t->map = TAKE(x->map, (struct lcx__tar_map){0});
	return 0;
}

static int fill_content(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
			struct lcx_error **err)
{
	struct lcx__tar_entry *e = &t->entry;
	uint64_t size = 0, stored;
	int r;

	if (choose(h->size, sizeof(h->size), &t->extended.size, &nothing, &stored) < 0)
		return lcx__fail(err, EBADMSG, "a size that is no number");
	/* Links of some writers say their target's size, and have no content. */
	if ((!S_ISREG(e->mode) || e->hard) && h->type != 'D')
		stored = 0;
	if (stored > INT64_MAX - LCX__TAR_BLOCK - t->position)
		return lcx__fail(err, EBADMSG, "an impossible size");
	t->left = size = stored;
	t->padding = -stored % LCX__TAR_BLOCK;
	e->sparse = S_ISREG(e->mode) && !e->hard && has_pieces(h, &t->extended);
	r = e->sparse ? read_map(t, h, &size, err) : 0;
	if (r == 0 && !e->sparse && S_ISREG(e->mode) && lcx__tar_map_add(&t->map, 0, size) < 0)
		return lcx__fail_nomem(err);
	if (r == 0 && e->sparse && !lcx__tar_map_fits(&t->map, size, t->left))
		return lcx__fail(err, EBADMSG, "the map of a sparse file doesn't fit its content");
	if (S_ISREG(e->mode) && !e->hard)
		e->size = size;
	t->offset = t->position;
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct lcx__tar_xattr *)a)->name,
		      ((const struct lcx__tar_xattr *)b)->name);
}

/* The kernel's answer to some that are none is that the file system has no lists. */
static int check_acls(const struct lcx__tar_entry *e, struct lcx_error **err)
{
	for (size_t i = 0; i < e->n_xattrs; i++) {
		const struct lcx__tar_xattr *x = &e->xattrs[i];
		struct lcx__strbuf words = STRBUF_EMPTY;
		bool good = !lcx__acl_is(x->name) || lcx__acl_format(x->value, x->size, &words);

		lcx__strbuf_free(&words);
		if (!good)
			return lcx__fail(err, EBADMSG,
					 "the attribute '%s' is no access control list", x->name);
	}
	return 0;
}

int lcx__tar_fill(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
		  struct lcx_error **err)
{
	struct lcx__tar_extended *x = &t->extended;
	int r;

	if (x->trouble[0])
		return lcx__fail(err, EBADMSG, "%s", x->trouble);
	if (lcx__tar_extended_inherit(x, &t->global) < 0)
		return lcx__fail_nomem(err);
	t->entry.xattrs = TAKE_PTR(x->xattrs);
	t->entry.n_xattrs = x->n_xattrs;
	x->n_xattrs = 0;
	if (t->entry.n_xattrs > 1)
		qsort(t->entry.xattrs, t->entry.n_xattrs, sizeof(*t->entry.xattrs), by_name);
	r = check_acls(&t->entry, err);
	if (r == 0)
		r = fill_mode(t, h, err);
	if (r == 0)
		r = fill_owner(t, h, err);
	if (r == 0)
		r = fill_time(t, h, err);
	if (r == 0 && (h->type == '3' || h->type == '4'))
		r = fill_device(t, h, err);
	if (r == 0)
		r = fill_content(t, h, err);
	return r < 0 ? r : check_names(&t->entry, err);
}
