/* SPDX-License-Identifier: MIT */
#include "process/compile-internal.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include "ns/ns.h"
#include "security/lsm.h"
#include "security/seccomp.h"
#include "util/weaken.h"

/*
 * The last steps, from root in the container to the program's own identity.
 * Without no_new_privs a filter can only be installed with CAP_SYS_ADMIN, hence
 * before the capabilities go; with it, last, so that it need not allow our own
 * calls: seccomp(2).
 */

static bool has_gate(const struct compiler *c)
{
	return c->in->gate_fds != NULL;
}

/* One after the other, as CLOSE expects them. */
static int compile_close(struct compiler *c, struct lcx_error **err)
{
	int first = -1;
	struct plan_op *op;

	for (int i = 0; i < c->in->n_preserved; i++) {
		int fd = PLAN_FD_CONTROL + i;

		if (fcntl(fd, F_GETFD) < 0)
			return lcx__fail_sys(err, errno, "hand descriptor %d on", fd);
		fd = lcx__plan_fd(c->plan, fd);
		first = i == 0 ? fd : first;
	}
	op = lcx__plan_add(c->plan, PLAN_CLOSE);
	lcx__compile_keep_state(c, op);
	op->num[0] = (uint64_t)c->in->n_preserved;
	op->num[1] = (uint64_t)first;
	op->num[2] = (uint64_t)(has_gate(c) ? lcx__plan_fd(c->plan, c->in->gate_fds[0]) : -1);
	op->num[3] = (uint64_t)(has_gate(c) ? lcx__plan_fd(c->plan, c->in->gate_fds[1]) : -1);
	return 0;
}

int lcx__compile_limits(struct compiler *c, struct lcx_error **err)
{
	const struct lcx__spec_process *process = &c->spec->process;
	struct plan_op *op;
	int r = compile_close(c, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < process->rlimits.n; i++) {
		op = lcx__plan_add(c->plan, PLAN_RLIMIT);
		op->str[0] = lcx__plan_format(c->plan, "number %d",
					      process->rlimits.items[i].resource.value);
		op->num[0] = (uint64_t)process->rlimits.items[i].resource.value;
		op->num[1] = process->rlimits.items[i].soft.value;
		op->num[2] = process->rlimits.items[i].hard.value;
	}
	op = lcx__plan_add(c->plan, PLAN_UMASK);
	op->num[0] = process->user.umask.set ? process->user.umask.value : 0022;
	if (process->cwd) {
		op = lcx__plan_add(c->plan, PLAN_CHDIR);
		op->str[0] = lcx__plan_string(c->plan, process->cwd);
		op->flags = c->in->make_cwd ? PLAN_F_MAKE_TARGET : 0;
	}
	return 0;
}

static void add_label(struct compiler *c, const char *what, const char *label, const char *file,
		      const char *prefix)
{
	struct plan_op *op = lcx__plan_add(c->plan, PLAN_LABEL);

	op->str[0] = lcx__plan_string(c->plan, what);
	op->str[1] = lcx__plan_string(c->plan, label);
	op->str[2] = lcx__plan_string(c->plan, file);
	op->str[3] = lcx__plan_format(c->plan, "%s%s", prefix, label);
}

/* Of keys, before the session keyring is made; the kernel forgets it at the next exec. */
int lcx__compile_key_label(struct compiler *c, struct lcx_error **err)
{
	const char *selinux = c->spec->process.selinux_label;
	int r = lcx__spec_check_labels(c->spec, err);

	if (r == 0 && selinux && *selinux)
		add_label(c, "SELinux label of keys", selinux, "/proc/self/attr/keycreate", "");
	return r;
}

/*
 * The label that the next program gets: written through the host's /proc, where nothing of an
 * image stands in its place, and kept by the kernel up to the exec, over clones. Programs of the
 * host's, createContainer hooks, come before it, and those of the container's, startContainer
 * hooks, after it.
 */
void lcx__compile_labels(struct compiler *c)
{
	const struct lcx__spec_process *process = &c->spec->process;
	const char *selinux = process->selinux_label, *apparmor = process->apparmor_profile;

	if (apparmor && *apparmor && lcx__apparmor_is_enabled())
		add_label(c, "AppArmor profile", apparmor, lcx__apparmor_exec_file(), "exec ");
	if (selinux && *selinux)
		add_label(c, "SELinux label", selinux, "/proc/self/attr/exec", "");
}

/*
 * TSYNC is about threads, and who installs the filter has one; WAIT_KILLABLE_RECV is about the
 * listener's answers, and the kernel refuses it without one.
 */
static uint64_t seccomp_flags(const struct lcx_seccomp *profile)
{
	enum { TSYNC = 1 << 0, NEW_LISTENER = 1 << 3, WAIT_KILLABLE_RECV = 1 << 5 };
	uint64_t flags = profile->flags.value & ~(uint64_t)TSYNC;

	return lcx__seccomp_notifies(profile) ? flags | NEW_LISTENER
					      : flags & ~(uint64_t)WAIT_KILLABLE_RECV;
}

static int compile_seccomp(struct compiler *c, uint32_t steps, struct lcx_error **err)
{
	const struct lcx_spec *container = c->in->container ? c->in->container : c->spec;
	struct plan_op *op;
	int r;

	if (!c->in->seccomp || !container->linux_.seccomp || lcx__is_off(SECCOMP))
		return 0;
	r = lcx__seccomp_check_start(c->in->seccomp, c->in->seccomp_size, steps, err);
	if (r < 0)
		return r;
	op = lcx__plan_add(c->plan, PLAN_SECCOMP);
	op->str[0] = lcx__plan_data(c->plan, c->in->seccomp, c->in->seccomp_size);
	op->length = (uint32_t)c->in->seccomp_size;
	op->num[0] = seccomp_flags(container->linux_.seccomp);
	return 0;
}

/*
 * Of an ordinary user's effective capabilities execve(2) leaves the ambient ones, by
 * capabilities(7). The others would serve nothing but to execute what he may not.
 */
static uint64_t effective_until_exec(const struct lcx__spec_process *process)
{
	const struct lcx__spec_capabilities *caps = &process->capabilities;

	return process->user.uid.value == 0 ? caps->effective.value
					    : caps->effective.value & caps->ambient.value;
}

static void compile_find(struct compiler *c)
{
	const struct lcx__spec_process *process = &c->spec->process;
	const char *path = lcx_spec_getenv(c->spec, "PATH");
	struct plan_op *op;

	if (c->in->hold || !process->args || !process->args[0])
		return; /* lcx__compile_program() decides */
	op = lcx__plan_add(c->plan, PLAN_FIND);
	op->str[0] = lcx__plan_string(c->plan, process->args[0]);
	op->str[1] = lcx__plan_string(c->plan, path);
}

int lcx__compile_identity(struct compiler *c, struct lcx_error **err)
{
	const struct lcx__spec_user *user = &c->spec->process.user;
	const struct lcx__spec_capabilities *caps = &c->spec->process.capabilities;
	bool no_new_privileges = c->spec->process.no_new_privileges.value;
	/* The filter's listener goes to the one who makes the container, before the wait. */
	bool listens = c->in->seccomp && c->spec->linux_.seccomp &&
		       lcx__seccomp_notifies(c->spec->linux_.seccomp);
	uint32_t steps = LCX__SECCOMP_EXECUTE | (listens ? LCX__SECCOMP_LISTEN : 0);
	struct plan_op *op;
	int r = 0;

	/* Who creates now and starts later wants to know now; before any filter, which may forbid
	 * to look. */
	if (has_gate(c))
		compile_find(c);
	/* It needs CAP_SYS_ADMIN, or else no_new_privs. */
	if (!no_new_privileges)
		r = lcx__compile_landlock(c, err);
	lcx__plan_add(c->plan, PLAN_CAP_BOUND)->num[0] = caps->bounding.value;
	if (r == 0 && !no_new_privileges)
		r = compile_seccomp(
			c, steps | LCX__SECCOMP_BECOME | (has_gate(c) ? LCX__SECCOMP_WAIT : 0),
			err);
	if (r < 0)
		return r;

	op = lcx__plan_add(c->plan, PLAN_USER);
	op->num[0] = user->uid.value;
	op->num[1] = user->gid.value;
	op->num[2] = lcx__compile_is_private(c, CLONE_NEWUSER) || lcx__setgroups_is_denied();
	op->length = (uint32_t)user->additional_gids.n;
	op->str[0] = lcx__plan_data(c->plan, user->additional_gids.items,
				    user->additional_gids.n * sizeof(uint32_t));

	op = lcx__plan_add(c->plan, PLAN_CAPS);
	op->num[0] = effective_until_exec(&c->spec->process);
	op->num[1] = caps->permitted.value;
	op->num[2] = lcx__is_off(INHERITABLE) ? caps->permitted.value : caps->inheritable.value;
	op->num[3] = caps->ambient.value;

	if (has_gate(c) && !listens)
		(void)lcx__plan_add(c->plan, PLAN_WAIT);
	if (no_new_privileges) {
		(void)lcx__plan_add(c->plan, PLAN_NO_NEW_PRIVS);
		r = lcx__compile_landlock(c, err);
		if (r == 0)
			r = compile_seccomp(
				c, steps | (has_gate(c) && listens ? LCX__SECCOMP_WAIT : 0), err);
	}
	if (has_gate(c) && listens)
		(void)lcx__plan_add(c->plan, PLAN_WAIT);
	return r;
}

static int compile_env(struct compiler *c, uint32_t *ret, uint32_t *ret_n)
{
	const char *const *given = (const char *const *)c->spec->process.env;
	CLEANUP(freep) const char **env = NULL;
	size_t n = 0;

	if (c->in->home) {
		while (given && given[n])
			n++;
		env = calloc(n + 2, sizeof(*env));
		if (!env)
			return -ENOMEM;
		if (n > 0)
			memcpy(env, given, n * sizeof(*env));
		env[n] = c->in->home;
		given = env;
	}
	*ret = lcx__plan_vector(c->plan, given, ret_n);
	return 0;
}

int lcx__compile_program(struct compiler *c, struct lcx_error **err)
{
	const struct lcx__spec_process *process = &c->spec->process;
	struct plan_op *op;
	uint32_t n_args, n_env, args, env;

	/* Prepared to be joined, but not to be started: runtime-spec 1.3, "Start". */
	if (has_gate(c) && !process->set)
		return 0;
	if (c->in->hold) {
		(void)lcx__plan_add(c->plan, PLAN_HOLD);
		return 0;
	}
	if (!process->args || !process->args[0])
		return lcx__fail(err, EINVAL,
				 "no command: neither the description nor the image names one");
	if (c->in->reaper)
		(void)lcx__plan_add(c->plan, PLAN_REAPER);
	args = lcx__plan_vector(c->plan, (const char *const *)process->args, &n_args);
	if (compile_env(c, &env, &n_env) < 0)
		return lcx__fail_nomem(err);
	op = lcx__plan_add(c->plan, PLAN_EXEC);
	op->str[0] = lcx__plan_string(c->plan, process->args[0]);
	op->str[1] = args;
	op->str[2] = env;
	op->length = n_args;
	op->num[0] = n_env;
	return 0;
}
