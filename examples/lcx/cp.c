/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "stream.h"

struct cp_options {
	bool follow, archive;
};

static const struct option_row rows[] = {
	{'L', "follow-link", OPTION_FLAG, offsetof(struct cp_options, follow), NULL,
	 "copy what a link leads to, if it is the source itself"},
	{'a', "archive", OPTION_FLAG, offsetof(struct cp_options, archive), NULL,
	 "keep the owners of files"},
	{0},
};

static const struct grammar grammar = {
	.operands = "CONTAINER:PATH TARGET|- | SOURCE|- CONTAINER:PATH",
	.about = "Copy files out of a container or into it. '-' is a tar archive on standard "
		 "output\n"
		 "or input. Of a directory that ends in '/.' only what is in it is copied.",
	.rows = rows,
	.min = 2,
	.max = 2,
};

/* Where the path in "CONTAINER:PATH" begins, or NULL: a path of the host, which may have a colon
 * behind a slash or dot. */
static char *path_in(char *operand)
{
	char *colon = strchr(operand, ':');

	if (!colon || operand[0] == '/' || operand[0] == '.' ||
	    memchr(operand, '/', (size_t)(colon - operand)))
		return NULL;
	*colon = '\0';
	return colon + 1;
}

static int copy_out(struct app *app, struct lcx_container *c, const char *path, const char *target,
		    uint32_t flags, struct lcx_error **err)
{
	int fd;

	if (strcmp(target, "-") != 0)
		return lcx_container_copy_out(c, path, target, flags, err);
	fd = stream_create(app, NULL);
	return fd < 0 ? fd : lcx_container_copy_out_tar(c, path, fd, flags, err);
}

static int copy_in(struct app *app, struct lcx_container *c, const char *source, const char *path,
		   uint32_t flags, struct lcx_error **err)
{
	int fd;

	if (strcmp(source, "-") != 0)
		return lcx_container_copy_in(c, source, path, flags, err);
	fd = stream_open(app, NULL);
	return fd < 0 ? fd : lcx_container_copy_in_tar(c, fd, path, flags, err);
}

int cmd_cp(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *container = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct cp_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	char *from, *to;
	uint32_t flags;
	int r;

	if (result != OPTIONS_OK)
		return options_exit(result);
	from = path_in(argv[0]);
	to = path_in(argv[1]);
	if (!from == !to)
		return options_usage_error(app, "one of the two must be CONTAINER:PATH");
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	flags = (o.follow ? LCX_COPY_FOLLOW : 0) | (o.archive ? LCX_COPY_ARCHIVE : 0);
	r = lcx_container_open(app->ctx, from ? argv[0] : argv[1], &container, &err);
	if (r == 0)
		r = from ? copy_out(app, container, from, argv[1], flags, &err)
			 : copy_in(app, container, argv[0], to, flags, &err);
	if (err)
		app_report(app, &err);
	return r < 0 ? EXIT_COMMAND_FAILED : EXIT_SUCCESS;
}
