/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "runtime.h"

/* A config.json to start from. */

struct spec_options {
	const char *bundle, *file;
	bool rootless;
};

const struct option spec_options[] = {
	{'b', "bundle", OPTION_TEXT, offsetof(struct spec_options, bundle),
	 "the directory to write it to; default: the current one"},
	{'f', "file", OPTION_TEXT, offsetof(struct spec_options, file),
	 "its name there, or its path; default: config.json"},
	{'\0', "rootless", OPTION_FLAG, offsetof(struct spec_options, rootless),
	 "for an ordinary user"},
	{0},
};

/* As its own root, in a user namespace, without what needs more than that. */
static int make_rootless(struct lcx_spec *spec, struct lcx_error **err)
{
	int r = lcx_spec_add_namespace(spec, "user", err);

	if (r == 0)
		r = lcx_spec_add_uid_map(spec, 0, geteuid(), 1, err);
	if (r == 0)
		r = lcx_spec_add_gid_map(spec, 0, getegid(), 1, err);
	/* Groups other than the one that is mapped don't exist in there. */
	if (r == 0)
		r = lcx_spec_remove_mount(spec, "/dev/pts", err);
	if (r == 0)
		r = lcx_spec_add_mount(spec, "devpts", "/dev/pts", "devpts",
				       (const char *const[]){"nosuid", "noexec", "newinstance",
							     "ptmxmode=0666", "mode=0620", NULL},
				       err);
	return r;
}

static int describe(const struct spec_options *o, char **ret, struct lcx_error **err)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	int r = lcx_spec_new(&spec, err);

	if (r == 0)
		r = lcx_spec_set_args(spec, (const char *const[]){"sh", NULL}, err);
	if (r == 0)
		r = lcx_spec_set_env(spec, "TERM", "xterm", err);
	if (r == 0)
		r = lcx_spec_set_terminal(spec, 1, err);
	if (r == 0)
		r = lcx_spec_set_root(spec, "rootfs", err);
	if (r == 0)
		r = lcx_spec_set_root_readonly(spec, 1, err);
	if (r == 0)
		r = lcx_spec_set_hostname(spec, "lcx", err);
	if (r == 0 && o->rootless)
		r = make_rootless(spec, err);
	return r == 0 ? lcx_spec_to_json(spec, ret, err) : r;
}

static char *make_path(const struct spec_options *o)
{
	const char *file = o->file ? o->file : "config.json";
	char *path = NULL;

	if (file[0] == '/')
		return strdup(file);
	return asprintf(&path, "%s/%s", o->bundle ? o->bundle : ".", file) < 0 ? NULL : path;
}

int cmd_spec(struct runtime *rt, void *values, int argc, char **argv)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_string_freep) char *json = NULL;
	CLEANUP(freep) char *path = NULL;
	const struct spec_options *o = values;
	FILE *file;
	int fd;

	(void)argc;
	(void)argv;
	if (describe(o, &json, &err) < 0)
		return report_error(rt, err);
	path = make_path(o);
	if (!path)
		return report(rt, "out of memory");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file)
		return report(rt, "'%s': %s", path,
			      errno == EEXIST ? "already exists; remove it first"
					      : strerror(errno));
	fprintf(file, "%s\n", json);
	return fclose(file) == 0 ? 0 : report(rt, "'%s': %s", path, strerror(errno));
}
