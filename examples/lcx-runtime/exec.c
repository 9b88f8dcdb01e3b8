/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "runtime.h"

struct exec_options {
	struct process_options process;
	const char *description, *user, *cwd, *process_label, *apparmor;
	struct texts env, caps, gids, cgroups;
	bool detach, tty, no_new_privs, ignore_paused;
};

#define AT(member) offsetof(struct exec_options, member)
const struct option exec_options[] = {
	{'p', "process", OPTION_TEXT, AT(description),
	 "a file with the process, as in config.json"},
	{'d', "detach", OPTION_FLAG, AT(detach), "return once it runs"},
	{'t', "tty", OPTION_FLAG, AT(tty), "with a terminal"},
	{'u', "user", OPTION_TEXT, AT(user), "UID[:GID]"},
	{'g', "additional-gids", OPTION_TEXTS, AT(gids), "one more group of the user's"},
	{'\0', "cwd", OPTION_TEXT, AT(cwd), "the working directory"},
	{'e', "env", OPTION_TEXTS, AT(env), "NAME=VALUE"},
	{'c', "cap", OPTION_TEXTS, AT(caps), "one more capability"},
	{'\0', "no-new-privs", OPTION_FLAG, AT(no_new_privs), "nothing may gain privileges"},
	{'\0', "process-label", OPTION_TEXT, AT(process_label), "a label of SELinux"},
	{'\0', "apparmor", OPTION_TEXT, AT(apparmor), "a profile of AppArmor"},
	{'\0', "cgroup", OPTION_TEXTS, AT(cgroups),
	 "[CONTROLLER:]PATH below the container's cgroup"},
	{'\0', "ignore-paused", OPTION_FLAG, AT(ignore_paused),
	 "in a paused container, too: it begins when that is resumed"},
	{'\0', "pid-file", OPTION_TEXT, AT(process.pid_file), "write the process's number there"},
	{'\0', "console-socket", OPTION_TEXT, AT(process.console_socket),
	 "an AF_UNIX socket that gets the terminal"},
	{'\0', "pidfd-socket", OPTION_TEXT, AT(process.pidfd_socket),
	 "an AF_UNIX socket that gets a pidfd of the process"},
	{'\0', "preserve-fds", OPTION_NUMBER, AT(process.preserve_fds),
	 "how many descriptors from 3 on the process gets"},
	{0},
};

/* Digits, and nothing but the end or @end after them: what is misread here may become root. */
static const char *read_id(const char *text, char end, uint32_t *ret)
{
	uint64_t id = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9' && id < UINT32_MAX; at++)
		id = id * 10 + (uint64_t)(*at - '0');
	if (at == text || id >= UINT32_MAX || (*at && *at != end))
		return NULL;
	*ret = (uint32_t)id;
	return *at ? at + 1 : at;
}

static bool read_user(const char *text, uint32_t *uid, uint32_t *gid)
{
	const char *rest = read_id(text, ':', uid);

	return rest && (rest[-1] != ':' || read_id(rest, '\0', gid));
}

static int set_ids(const struct runtime *rt, const struct exec_options *o, struct lcx_spec *spec,
		   struct lcx_error **err)
{
	uint32_t uid, gid = lcx_spec_gid(spec);
	int r = 0;

	if (o->user && !read_user(o->user, &uid, &gid))
		return report(rt, "--user '%s' is not UID or UID:GID", o->user);
	if (o->user)
		r = lcx_spec_set_user(spec, uid, gid, err);
	for (size_t i = 0; r == 0 && i < o->gids.n; i++) {
		if (!read_id(o->gids.items[i], '\0', &gid))
			return report(rt, "--additional-gids '%s' is not a GID", o->gids.items[i]);
		r = lcx_spec_add_group(spec, gid, err);
	}
	return r;
}

/* What the options say, on top of the container's own process. */
static int describe(const struct runtime *rt, struct lcx_container *c, const struct exec_options *o,
		    char **argv, struct lcx_spec **ret, struct lcx_error **err)
{
	int r = lcx_container_exec_spec(c, ret, err);

	if (r == 0)
		r = lcx_spec_set_args(*ret, (const char *const *)argv, err);
	if (r == 0)
		r = set_ids(rt, o, *ret, err);
	if (r == 0 && o->cwd)
		r = lcx_spec_set_cwd(*ret, o->cwd, err);
	if (r == 0 && o->tty)
		r = lcx_spec_set_terminal(*ret, 1, err);
	if (r == 0 && o->no_new_privs)
		r = lcx_spec_set_no_new_privileges(*ret, 1, err);
	if (r == 0 && o->process_label)
		r = lcx_spec_set_selinux_label(*ret, o->process_label, err);
	if (r == 0 && o->apparmor)
		r = lcx_spec_set_apparmor_profile(*ret, o->apparmor, err);
	for (size_t i = 0; r == 0 && i < o->env.n; i++)
		r = lcx_spec_add_env(*ret, o->env.items[i], err);
	for (size_t i = 0; r == 0 && i < o->caps.n; i++)
		r = lcx_spec_add_capability(*ret, o->caps.items[i], err);
	return r;
}

static int read_process(const struct runtime *rt, const struct exec_options *o,
			struct lcx_spec **ret)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *text = NULL;
	size_t length;
	int r;

	if (read_document(rt, o->description, &text, &length) != 0)
		return 1;
	r = lcx_spec_process_from_json(text, length, ret, &err);
	if (r == 0 && o->tty)
		r = lcx_spec_set_terminal(*ret, 1, &err);
	return r < 0 ? report(rt, "%s: %s", o->description, lcx_error_message(err)) : 0;
}

/* On the command's own terminal, or on its descriptors. */
static int make_own_stdio(const struct runtime *rt, const struct exec_options *o, bool terminal,
			  struct lcx_stdio **ret)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	if (!terminal)
		return make_stdio(rt, &o->process, false, ret);
	if (lcx_stdio_new(ret, &err) < 0)
		return report_error(rt, err);
	lcx_stdio_set_terminal(*ret, 24, 80);
	lcx_stdio_set_attach(*ret, 0, 1, -1);
	return 0;
}

static int execute(struct runtime *rt, const struct exec_options *o, int argc, char **argv,
		   int *status)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_process_freep) struct lcx_process *process = NULL;
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	CLEANUP(lcx_stdio_freep) struct lcx_stdio *stdio = NULL;
	bool own;
	int r;

	if (!o->description && argc < 2)
		return report(rt, "exec: needs a program, or --process");
	if (open_container(rt, argv[0], &c) != 0)
		return 1;
	if (o->description ? read_process(rt, o, &spec) != 0
			   : describe(rt, c, o, argv + 1, &spec, &err) != 0)
		return err ? report_error(rt, err) : 1;
	own = !o->detach && !o->process.console_socket;
	if (own ? make_own_stdio(rt, o, lcx_spec_terminal(spec), &stdio)
		: make_stdio(rt, &o->process, lcx_spec_terminal(spec), &stdio))
		return 1;
	lcx_container_set_exec_paused(c, o->ignore_paused);
	r = lcx_container_exec_in(c, spec, stdio, o->cgroups.items, &process, &err);
	if (r == -ESRCH)
		return report(rt, "cannot exec in a stopped container: container '%s' is not running",
			      argv[0]);
	if (r == -EBUSY && lcx_container_state(c) == LCX_CONTAINER_PAUSED)
		return report(rt, "cannot exec in a paused container (use --ignore-paused to "
				  "override)");
	if (r < 0)
		return report_error(rt, err);
	if (announce(rt, &o->process, lcx_process_pid(process), lcx_process_pidfd(process)) != 0) {
		(void)lcx_process_kill(process, 9, NULL);
		return 1;
	}
	*status = o->detach ? 0 : serve(rt, process, own && lcx_spec_terminal(spec), NULL);
	return 0;
}

/* What kept the program from its start must not look like a status of the program's. */
int cmd_exec(struct runtime *rt, void *values, int argc, char **argv)
{
	int status = 255;

	return execute(rt, values, argc, argv, &status) == 0 ? status : 255;
}
