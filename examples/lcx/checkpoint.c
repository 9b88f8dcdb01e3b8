/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "session.h"

/* checkpoint and restore: the names of their options are the library's. */

struct checkpoint_options {
	const char *image_path, *work_path, *parent_path, *lsm_profile, *lsm_mount_context,
		*page_server, *status_fd;
	bool leave_running, pre_dump, tcp_established, tcp_close, tcp_skip_in_flight, ext_unix_sk,
		shell_job, file_locks, link_remap, auto_dedup, keep, lazy_pages;
};

#define AT(member) offsetof(struct checkpoint_options, member)
#define COMMON_ROWS                                                                                \
	{'\0',           "image-path", OPTION_STRING,                                              \
	 AT(image_path), "DIRECTORY",  "of the images; default: the container's own"},             \
		{'\0',          "work-path", OPTION_STRING,                                        \
		 AT(work_path), "DIRECTORY", "of criu's log; default: the container's own"},       \
		{'\0', "tcp-established",         OPTION_FLAG, AT(tcp_established),                \
		 NULL, "with its TCP connections"},                                                \
		{'\0',        "ext-unix-sk",                                                       \
		 OPTION_FLAG, AT(ext_unix_sk),                                                     \
		 NULL,        "with unix sockets that lead outside"},                              \
		{'\0',          "shell-job", OPTION_FLAG,                                          \
		 AT(shell_job), NULL,        "with a terminal of the caller's"},                   \
		{'\0', "file-locks", OPTION_FLAG, AT(file_locks), NULL, "with locks on files"},    \
		{'\0',           "lazy-pages", OPTION_FLAG,                                        \
		 AT(lazy_pages), NULL,         "memory comes page by page, when it is asked for"}, \
	{                                                                                          \
		'\0', "auto-dedup", OPTION_FLAG, AT(auto_dedup), NULL,                             \
			"give memory back that a later image replaces"                             \
	}

static const struct option_row checkpoint_rows[] = {
	COMMON_ROWS,
	{'R', "leave-running", OPTION_FLAG, AT(leave_running), NULL, "it goes on"},
	{'\0', "pre-dump", OPTION_FLAG, AT(pre_dump), NULL,
	 "only its memory, and it goes on: the rest is fast then"},
	{'\0', "parent-path", OPTION_STRING, AT(parent_path), "DIRECTORY",
	 "of the images of a --pre-dump, relative to the image path"},
	{'\0', "tcp-skip-in-flight", OPTION_FLAG, AT(tcp_skip_in_flight), NULL,
	 "without connections that are being made"},
	{'\0', "link-remap", OPTION_FLAG, AT(link_remap), NULL, "with files that were removed"},
	{'\0', "page-server", OPTION_STRING, AT(page_server), "ADDRESS:PORT",
	 "memory is sent there; with --lazy-pages, is fetched there"},
	{'\0', "status-fd", OPTION_STRING, AT(status_fd), "NUMBER",
	 "the descriptor that gets \\0 once memory can be fetched"},
	{0},
};

static const struct option_row restore_rows[] = {
	COMMON_ROWS,
	{'k', "keep", OPTION_FLAG, AT(keep), NULL,
	 "keep the images in the container's own directory"},
	{'\0', "tcp-close", OPTION_FLAG, AT(tcp_close), NULL, "with its connections closed"},
	{'\0', "lsm-profile", OPTION_STRING, AT(lsm_profile), "KIND:LABEL",
	 "another label for its processes"},
	{'\0', "lsm-mount-context", OPTION_STRING, AT(lsm_mount_context), "LABEL",
	 "another label for its mounts"},
	{0},
};

struct job {
	struct app *app;
	struct lcx_checkpoint *checkpoint;
};

static int fill(const struct option_row *row, const struct checkpoint_options *o,
		struct lcx_checkpoint *checkpoint, struct lcx_error **err)
{
	int r = 0;

	for (; r == 0 && row->name; row++) {
		const void *place = (const char *)o + row->offset;
		const char *value = NULL;

		if (row->type == OPTION_STRING)
			value = *(const char *const *)place;
		else if (*(const bool *)place)
			value = "on";
		if (value)
			r = lcx_checkpoint_set_option(checkpoint, row->name, value, err);
	}
	return r;
}

static int each(struct app *app, const struct grammar *grammar, app_container_fn *fn, int argc,
		char **argv)
{
	CLEANUP(lcx_checkpoint_freep) struct lcx_checkpoint *checkpoint = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct checkpoint_options o = {0};
	enum options_result result = options_parse(app, grammar, &o, &argc, argv);
	struct job job = {.app = app};

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (o.image_path && argc > 1)
		return options_usage_error(app, "--image-path: is for one container only");
	if (lcx_checkpoint_new(&checkpoint, &err) < 0 ||
	    fill(grammar->rows, &o, checkpoint, &err) < 0) {
		app_report(app, &err);
		return EXIT_LIBRARY_FAILED;
	}
	job.checkpoint = checkpoint;
	return app_open(app) ? app_each_container(app, argc, argv, fn, &job) : EXIT_COMMAND_FAILED;
}

static int checkpoint_one(struct lcx_container *container, void *data, struct lcx_error **err)
{
	const struct job *job = data;

	return lcx_container_checkpoint(container, job->checkpoint, err);
}

int cmd_checkpoint(struct app *app, int argc, char **argv)
{
	static const struct grammar grammar = {
		.operands = "CONTAINER...",
		.about = "Write the processes of containers to disk, by criu, and end them.",
		.rows = checkpoint_rows,
		.min = 1,
		.max = -1,
	};

	return each(app, &grammar, checkpoint_one, argc, argv);
}

static int restore_one(struct lcx_container *container, void *data, struct lcx_error **err)
{
	CLEANUP(lcx_stdio_freep) struct lcx_stdio *stdio = NULL;
	const struct job *job = data;
	int r = session_detached_stdio(container, &stdio, err);

	if (r == 0)
		r = lcx_container_restore_detached(container, job->checkpoint, stdio, err);
	if (r == 0)
		app_supervise(job->app, container);
	return r;
}

int cmd_restore(struct app *app, int argc, char **argv)
{
	static const struct grammar grammar = {
		.operands = "CONTAINER...",
		.about = "Have the processes of checkpoints go on, by criu.",
		.rows = restore_rows,
		.min = 1,
		.max = -1,
	};

	return each(app, &grammar, restore_one, argc, argv);
}
