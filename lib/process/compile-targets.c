/* SPDX-License-Identifier: MIT */
#include "process/compile-internal.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "util/str.h"
#include "util/sys.h"

/*
 * Places to mount on, of a container whose mounts are made by another program, which makes none:
 * the root may be new, as an image says, and the places were made by the first start. Those in
 * another mount: a bind mount has them in its source; and what else is mounted comes with its
 * files, or is the kernel's.
 */

/* What stands behind the directory of @m, without its slashes; NULL: it is not in @m. */
static const char *inside(const char *path, const struct lcx__spec_mount *m)
{
	size_t length = lcx__path_length(m->destination);

	if (strncmp(path, m->destination, length) != 0 || path[length] != '/')
		return NULL;
	path += length;
	path += strspn(path, "/");
	return path[0] ? path : NULL;
}

/* The mount that @i is in: of those before it the last one, as it covers the others. NULL: the
 * root. */
static const struct lcx__spec_mount *find_outer(const struct compiler *c, size_t i,
						const char **ret_rest)
{
	const char *destination = c->spec->mounts.items[i].destination;

	while (i-- > 0) {
		const struct lcx__spec_mount *m = &c->spec->mounts.items[i];

		*ret_rest = m->parsed.flags & MS_REMOUNT ? NULL : inside(destination, m);
		if (*ret_rest)
			return m;
	}
	return NULL;
}

/* Where owners are mapped, nobody here can tell whose the place would be. */
static bool can_have_places(const struct lcx__spec_mount *outer)
{
	return lcx__spec_is_bind(outer) && outer->source && outer->source[0] == '/' &&
	       !(outer->parsed.attr_set & SYS_MOUNT_ATTR_RDONLY) &&
	       outer->parsed.idmap == LCX__IDMAP_NONE;
}

static int add_target(struct compiler *c, size_t i, struct lcx_error **err)
{
	const struct lcx__spec_mount *m = &c->spec->mounts.items[i], *outer;
	struct stat st = {.st_mode = S_IFDIR};
	const char *rest = NULL;
	struct plan_op *op;

	outer = find_outer(c, i, &rest);
	if (outer && !can_have_places(outer))
		return 0;
	if (lcx__spec_is_bind(m) && (!m->source || stat(m->source, &st) < 0))
		return lcx__fail_sys(err, m->source ? errno : EINVAL, "mount on '%s': '%s'",
				     m->destination, m->source ? m->source : "");
	op = lcx__plan_add(c->plan, PLAN_TARGET);
	op->str[0] = lcx__plan_string(c->plan, outer ? rest : m->destination);
	op->str[1] = outer ? lcx__plan_string(c->plan, outer->source) : 0;
	op->num[0] = S_ISDIR(st.st_mode);
	return 0;
}

int lcx__compile_targets(struct compiler *c, struct lcx_error **err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->spec->mounts.n; i++)
		if (!(c->spec->mounts.items[i].parsed.flags & MS_REMOUNT))
			r = add_target(c, i, err);
	return r;
}
