/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime.h"

/* checkpoint and restore, with runc's options, whose names are also the library's. */

struct checkpoint_options {
	struct create_options create;
	const char *image_path, *work_path, *parent_path, *manage_cgroups_mode, *page_server,
		*empty_ns, *status_fd, *lsm_profile, *lsm_mount_context;
	bool leave_running, tcp_established, ext_unix_sk, shell_job, lazy_pages, file_locks,
		pre_dump, auto_dedup, link_remap, tcp_close, tcp_skip_in_flight;
};

#define AT(member) offsetof(struct checkpoint_options, member)
#define COMMON_ROWS                                                                                \
	{'\0', "image-path", OPTION_TEXT, AT(image_path),                                          \
	 "the directory of the images; default: ./checkpoint"},                                    \
		{'\0', "work-path", OPTION_TEXT, AT(work_path),                                    \
		 "the directory of criu's log; default: one of the container's"},                  \
		{'\0', "tcp-established", OPTION_FLAG, AT(tcp_established),                        \
		 "with its TCP connections"},                                                      \
		{'\0', "ext-unix-sk", OPTION_FLAG, AT(ext_unix_sk),                                \
		 "with unix sockets that lead outside"},                                           \
		{'\0', "shell-job", OPTION_FLAG, AT(shell_job),                                    \
		 "with a terminal of the caller's"},                                               \
		{'\0', "file-locks", OPTION_FLAG, AT(file_locks), "with locks on files"},          \
		{'\0', "auto-dedup", OPTION_FLAG, AT(auto_dedup),                                  \
		 "give memory back that a later image replaces"},                                  \
		{'\0', "manage-cgroups-mode", OPTION_TEXT, AT(manage_cgroups_mode),                \
		 "'ignore' only: the runtime makes the cgroup"},                                   \
		{'\0', "lazy-pages", OPTION_FLAG, AT(lazy_pages),                                  \
		 "its memory comes page by page, when it is asked for"},                           \
	{                                                                                          \
		'\0', "empty-ns", OPTION_TEXT, AT(empty_ns),                                       \
			"network: it is made anew, or joined, in any case"                         \
	}

const struct option checkpoint_options[] = {
	COMMON_ROWS,
	{'\0', "leave-running", OPTION_FLAG, AT(leave_running), "it goes on"},
	{'\0', "pre-dump", OPTION_FLAG, AT(pre_dump), "only its memory, and it goes on"},
	{'\0', "parent-path", OPTION_TEXT, AT(parent_path),
	 "the images of a --pre-dump, relative to the image path"},
	{'\0', "page-server", OPTION_TEXT, AT(page_server),
	 "ADDRESS:PORT: memory is sent there; with --lazy-pages, is fetched there"},
	{'\0', "status-fd", OPTION_TEXT, AT(status_fd),
	 "the descriptor that gets \\0 once memory can be fetched"},
	{'\0', "link-remap", OPTION_FLAG, AT(link_remap), "with files that were removed"},
	{'\0', "tcp-skip-in-flight", OPTION_FLAG, AT(tcp_skip_in_flight),
	 "without connections that are being made"},
	{0},
};

const struct option restore_options[] = {
	COMMON_ROWS,
	CREATE_ROWS(AT(create)),
	{'d', "detach", OPTION_FLAG, AT(create.detach), "return once it runs"},
	{'\0', "no-subreaper", OPTION_FLAG, AT(create.no_subreaper), NULL},
	{'\0', "tcp-close", OPTION_FLAG, AT(tcp_close), "with its connections closed"},
	{'\0', "lsm-profile", OPTION_TEXT, AT(lsm_profile), "another label for its processes"},
	{'\0', "lsm-mount-context", OPTION_TEXT, AT(lsm_mount_context),
	 "another label for its mounts"},
	{0},
};

/* What is not the library's, but the way in which a command is called. */
static bool is_ours(const char *name)
{
	static const char *const ours[] = {
		"bundle",       "pid-file", "console-socket", "detach",       "pidfd-socket",
		"preserve-fds", "no-pivot", "no-new-keyring", "no-subreaper", NULL};

	for (size_t i = 0; ours[i]; i++)
		if (strcmp(ours[i], name) == 0)
			return true;
	return false;
}

static int fill(const struct runtime *rt, const struct option *row,
		const struct checkpoint_options *o, struct lcx_checkpoint *checkpoint,
		struct lcx_error **err)
{
	int r = lcx_checkpoint_set_option(checkpoint, "criu", rt->criu, err);

	for (; r == 0 && row->name; row++) {
		const void *place = (const char *)o + row->offset;
		const char *value = NULL;

		if (is_ours(row->name))
			continue;
		if (row->kind == OPTION_TEXT)
			value = *(const char *const *)place;
		else if (row->kind == OPTION_FLAG && *(const bool *)place)
			value = "on";
		if (value)
			r = lcx_checkpoint_set_option(checkpoint, row->name, value, err);
	}
	if (r == 0 && !o->image_path)
		r = lcx_checkpoint_set_option(checkpoint, "image-path", "checkpoint", err);
	return r;
}

/* The library has one of its own: who reads hears the end of it as soon as it was told. */
static void close_status(const char *status_fd)
{
	int fd = status_fd ? atoi(status_fd) : -1;

	if (fd > STDERR_FILENO)
		(void)close(fd);
}

/* As runc does: what isn't left running is gone, and is made again by a restore. */
int cmd_checkpoint(struct runtime *rt, void *values, int argc, char **argv)
{
	CLEANUP(lcx_checkpoint_freep) struct lcx_checkpoint *checkpoint = NULL;
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	const struct checkpoint_options *o = values;

	(void)argc;
	if (lcx_checkpoint_new(&checkpoint, &err) < 0 ||
	    fill(rt, checkpoint_options, o, checkpoint, &err) < 0)
		return report_error(rt, err);
	close_status(o->status_fd);
	if (open_container(rt, argv[0], &c) != 0)
		return 1;
	if (lcx_container_checkpoint(c, checkpoint, &err) < 0)
		return report_error(rt, err);
	if (o->leave_running || o->pre_dump)
		return 0;
	return lcx_container_remove(c, 1, &err) < 0 ? report_error(rt, err) : 0;
}

static int restore(struct runtime *rt, struct lcx_container *c,
		   const struct lcx_checkpoint *checkpoint, const struct create_options *o)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_stdio_freep) struct lcx_stdio *stdio = NULL;
	struct lcx_process *process;
	int r;

	if (make_stdio(rt, &o->process, lcx_spec_terminal(lcx_container_spec(c)), &stdio) != 0)
		return 1;
	if (lcx_container_restore_unowned(c, checkpoint, stdio, &err) < 0)
		return report_error(rt, err);
	process = lcx_container_process(c);
	r = announce(rt, &o->process, lcx_process_pid(process), lcx_process_pidfd(process));
	if (r != 0 || o->detach)
		return r;
	r = serve(rt, process, false, NULL);
	(void)lcx_container_wait(c, -1, NULL, NULL);
	return r;
}

int cmd_restore(struct runtime *rt, void *values, int argc, char **argv)
{
	CLEANUP(lcx_checkpoint_freep) struct lcx_checkpoint *checkpoint = NULL;
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct checkpoint_options *o = values;
	int code;

	(void)argc;
	if (lcx_checkpoint_new(&checkpoint, &err) < 0 ||
	    fill(rt, restore_options, o, checkpoint, &err) < 0)
		return report_error(rt, err);
	if (o->create.process.preserve_fds > 0)
		return report(rt, "--preserve-fds can't be had: a restored process has the "
				  "descriptors that it had");
	if (load_bundle(rt, argv[0], &o->create, &c) != 0)
		return 1;
	code = restore(rt, c, checkpoint, &o->create);
	if (code != 0 || !o->create.detach)
		(void)lcx_container_remove(c, 1, NULL);
	return code;
}
