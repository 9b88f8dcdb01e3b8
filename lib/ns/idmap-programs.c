/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "init/launch.h"
#include "ns/ns-internal.h"
#include "util/program.h"
#include "util/str.h"

/*
 * An ordinary user may map no id but his own. Two setuid programs of the package uidmap map those
 * of /etc/subuid and /etc/subgid for him: they read the files themselves, and trust nothing but
 * who has called them. They are executed from directories that are the administrator's, with an
 * empty environment, and only if the host asks for it.
 */

enum { TIMEOUT_MS = 10000 };

static const struct {
	enum lcx_id_kind kind;
	const char *name, *file;
} programs[] = {
	{LCX_ID_USER, "newuidmap", "subuid"},
	{LCX_ID_GROUP, "newgidmap", "subgid"},
};

static const char *const directories[] = {
	"/usr/bin", "/bin", "/usr/local/bin", "/run/wrappers/bin", NULL,
};

static int find_program(const char *name, char **ret, struct lcx_error **err)
{
	const char *stranger = NULL;

	for (const char *const *dir = directories; *dir; dir++) {
		CLEANUP(freep) char *path = lcx__format("%s/%s", *dir, name);

		if (!path)
			return lcx__fail_nomem(err);
		if (!lcx__is_program(path))
			continue;
		if (lcx__is_administrators_program(path)) {
			*ret = TAKE_PTR(path);
			return 0;
		}
		stranger = *dir;
	}
	if (stranger)
		return lcx__fail(err, EPERM,
				 "%s: '%s/%s' is not used, for somebody else than root can "
				 "change it or a directory that leads to it",
				 name, stranger, name);
	return lcx__fail(err, ENOENT,
			 "%s: no such program; an ordinary user's ranges of ids need it: "
			 "it is in the package uidmap, or shadow-utils",
			 name);
}

static int add_number(char ***args, uint32_t number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", number);
	return lcx__strv_append(args, text);
}

static int make_args(const struct lcx_idmap *map, enum lcx_id_kind kind, const char *name,
		     int32_t pid, char ***args)
{
	const struct lcx__id_range *ranges;
	size_t n;
	int r = lcx__strv_append(args, name);

	ranges = lcx__idmap_ranges(map, kind, &n);
	if (r == 0)
		r = add_number(args, (uint32_t)pid);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = add_number(args, ranges[i].container_id);
		if (r == 0)
			r = add_number(args, ranges[i].host_id);
		if (r == 0)
			r = add_number(args, ranges[i].count);
	}
	return r;
}

int lcx__idmap_run_program(const struct lcx_idmap *map, enum lcx_id_kind kind, int32_t pid,
			   struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	CLEANUP(lcx__strv_freep) char **args = NULL;
	CLEANUP(freep) char *path = NULL;
	size_t i = kind == programs[0].kind ? 0 : 1;
	const char *name = programs[i].name, *const nothing[] = {NULL};
	struct lcx__run run = {
		.name = name,
		.env = nothing,
		.input_fd = -1,
		.timeout_ms = TIMEOUT_MS,
	};
	int r;

	r = find_program(name, &path, err);
	if (r < 0)
		return r;
	if (make_args(map, kind, name, pid, &args) < 0)
		return lcx__fail_nomem(err);
	run.path = path;
	run.args = (const char *const *)args;
	r = lcx__run(&run, &why);
	if (r == -ECANCELED)
		return lcx__fail(err, EPERM,
				 "%s; it must be setuid, the caller free to gain rights "
				 "(no_new_privs), and the ranges those of /etc/%s",
				 lcx_error_message(why), programs[i].file);
	return r < 0 ? lcx__fail(err, -r, "%s", lcx_error_message(why)) : 0;
}
