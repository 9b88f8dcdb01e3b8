/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "runtime.h"

#define AT(member) offsetof(struct create_options, member)
#define NEW_ROWS                                                                                   \
	{'f', "config", OPTION_TEXT, AT(config), "another file than the bundle's config.json"},    \
	{                                                                                          \
		'\0', "no-subreaper", OPTION_FLAG, AT(no_subreaper), NULL                          \
	}

const struct option create_options[] = {CREATE_ROWS(0), NEW_ROWS, {0}};

const struct option run_options[] = {
	CREATE_ROWS(0),
	NEW_ROWS,
	{'d', "detach", OPTION_FLAG, AT(detach), "return once it runs"},
	{'\0', "keep", OPTION_FLAG, AT(keep), "do not delete it when it has ended"},
	{0},
};

static long number_in(const char *variable)
{
	const char *text = getenv(variable);
	char *end = NULL;
	long number = text ? strtol(text, &end, 10) : 0;

	return text && end != text && *end == '\0' ? number : 0;
}

/*
 * Descriptors of systemd(1)'s socket activation go along, and so do their number and names: those
 * that are meant for this process, for an engine may have got its own, which it passes on to nobody
 * but for their variables.
 */
static int add_listen_fds(struct create_options *o, struct lcx_spec *spec, struct lcx_error **err)
{
	const char *names = getenv("LISTEN_FDNAMES");
	long n = number_in("LISTEN_FDS");
	int r;

	if (number_in("LISTEN_PID") != getpid() || n <= 0 || n > 100 || !lcx_spec_arg(spec, 0))
		return 0;
	o->process.preserve_fds += (int)n;
	r = lcx_spec_set_env(spec, "LISTEN_FDS", getenv("LISTEN_FDS"), err);
	if (r == 0 && names)
		r = lcx_spec_set_env(spec, "LISTEN_FDNAMES", names, err);
	return r < 0 ? r : lcx_spec_set_env(spec, "LISTEN_PID", "1", err);
}

static int set_cgroup_manager(const struct runtime *rt, struct lcx_container *c)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	const char *manager = rt->cgroup_manager;

	if (rt->systemd_cgroup)
		manager = "systemd";
	if (!manager || lcx_container_set_cgroup_manager(c, manager, &err) == 0)
		return 0;
	return report(rt, "--%s: %s", rt->systemd_cgroup ? "systemd-cgroup" : "cgroup-manager",
		      lcx_error_message(err));
}

/* A description without a process stays one: it has nobody who could say that he is ready. */
static int create(struct runtime *rt, const char *id, const struct create_options *o,
		  struct lcx_container *c)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct lcx_spec *spec = lcx_container_spec(c);
	struct notify_place place = {.lock_fd = -1};
	int failed =
		o->notifies && lcx_spec_arg(spec, 0) ? notify_prepare(rt, id, spec, &place) : 0;
	int r = failed ? 0 : lcx_container_create(c, &err);

	if (r == -EEXIST)
		failed = report(rt, "container with id '%s' already exists", id);
	else if (r < 0)
		failed = report_error(rt, err);
	if (failed && place.made)
		notify_remove(rt, id);
	closep(&place.lock_fd);
	return failed;
}

int load_bundle(struct runtime *rt, const char *id, struct create_options *o,
		struct lcx_container **ret)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	if (open_root(rt) != 0)
		return 1;
	if (lcx_bundle_load_config(rt->ctx, id, o->bundle ? o->bundle : ".", o->config, &c, &err) <
		    0 ||
	    add_listen_fds(o, lcx_container_spec(c), &err) < 0)
		return report_error(rt, err);
	lcx_container_set_move_root(c, o->no_pivot);
	lcx_container_set_new_keyring(c, !o->no_new_keyring);
	if (set_cgroup_manager(rt, c) != 0 || create(rt, id, o, c) != 0)
		return 1;
	report_warnings(rt, lcx_container_spec(c));
	*ret = c;
	c = NULL;
	return 0;
}

static int prepare(struct runtime *rt, struct lcx_container *c, const struct create_options *o)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_stdio_freep) struct lcx_stdio *stdio = NULL;
	struct lcx_process *process;

	if (make_stdio(rt, &o->process, lcx_spec_terminal(lcx_container_spec(c)), &stdio) != 0)
		return 1;
	if (lcx_container_prepare(c, stdio, &err) < 0)
		return report_error(rt, err);
	process = lcx_container_process(c);
	return announce(rt, &o->process, lcx_process_pid(process), lcx_process_pidfd(process));
}

static int proceed(struct runtime *rt, struct lcx_container *c)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	return lcx_container_proceed(c, &err) < 0 ? report_error(rt, err) : 0;
}

static int give_up(struct runtime *rt, const char *id, struct lcx_container *c)
{
	(void)lcx_container_remove(c, 1, NULL);
	notify_remove(rt, id);
	return 1;
}

int cmd_create(struct runtime *rt, void *values, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	struct create_options *o = values;

	(void)argc;
	o->notifies = true;
	if (load_bundle(rt, argv[0], o, &c) != 0)
		return 1;
	return prepare(rt, c, o) == 0 ? 0 : give_up(rt, argv[0], c);
}

int cmd_start(struct runtime *rt, void *values, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(notify_close) struct notify notify = NOTIFY_NONE;
	CLEANUP(closep) int pidfd = -1;
	int32_t pid;

	(void)values;
	(void)argc;
	if (open_container(rt, argv[0], &c) != 0)
		return 1;
	pid = lcx_container_pid(c);
	if (lcx_container_state(c) == LCX_CONTAINER_PREPARED) {
		if (notify_open(rt, argv[0], &notify) != 0)
			return 1;
		pidfd = notify.fd < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
		/* One that has ended, or whose number is another's by now, is refused below. */
		if (notify.fd >= 0 && pidfd < 0 && errno != ESRCH)
			return report(rt, "process of container '%s': %s", argv[0],
				      strerror(errno));
	}
	if (proceed(rt, c) != 0)
		return 1;
	if (pidfd >= 0)
		notify_wait(notify.fd, pidfd, pid);
	return 0;
}

/* The terminal of the command itself, served by it. */
static int start_on_terminal(struct runtime *rt, struct lcx_container *c,
			     const struct create_options *o)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_stdio_freep) struct lcx_stdio *stdio = NULL;
	struct lcx_process *process;

	if (lcx_stdio_new(&stdio, &err) < 0 ||
	    lcx_stdio_set_preserved(stdio, o->process.preserve_fds, &err) < 0)
		return report_error(rt, err);
	lcx_stdio_set_terminal(stdio, 24, 80);
	lcx_stdio_set_attach(stdio, 0, 1, -1);
	if (lcx_container_start(c, stdio, &err) < 0)
		return report_error(rt, err);
	process = lcx_container_process(c);
	return announce(rt, &o->process, lcx_process_pid(process), lcx_process_pidfd(process));
}

static int run(struct runtime *rt, const char *id, struct lcx_container *c,
	       const struct create_options *o)
{
	bool terminal = lcx_spec_terminal(lcx_container_spec(c)) && !o->process.console_socket &&
			!o->detach;
	CLEANUP(notify_close) struct notify notify = NOTIFY_NONE;
	struct lcx_process *process;
	int r = notify_open(rt, id, &notify);

	if (r == 0)
		r = terminal ? start_on_terminal(rt, c, o) : prepare(rt, c, o);
	if (r == 0 && !terminal)
		r = proceed(rt, c);
	if (r != 0)
		return r;
	process = lcx_container_process(c);
	if (o->detach) {
		notify_wait(notify.fd, lcx_process_pidfd(process), lcx_process_pid(process));
		return 0;
	}
	r = serve(rt, process, terminal, &notify);
	(void)lcx_container_wait(c, -1, NULL, NULL);
	return r;
}

int cmd_run(struct runtime *rt, void *values, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	struct create_options *o = values;
	int code;

	(void)argc;
	o->notifies = true;
	if (load_bundle(rt, argv[0], o, &c) != 0)
		return 1;
	code = run(rt, argv[0], c, o);
	if ((code != 0 && o->detach) || (!o->detach && !o->keep))
		(void)give_up(rt, argv[0], c);
	return code;
}
