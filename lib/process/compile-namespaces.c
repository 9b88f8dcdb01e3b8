/* SPDX-License-Identifier: MIT */
#include "process/compile-internal.h"

#include <fcntl.h>
#include <sched.h>

#include "util/process.h"
#include "util/str.h"
#include "util/sys.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/*
 * Namespaces: which the clone makes, which are joined on the way, and all of a container's at once
 * for a further program in it.
 *
 * A user namespace owns those that are made by who is in it. One that is joined is joined after all
 * others, which may be the host's (who is in there may not join them any more), and before the new
 * ones are made; by an ordinary user first of all, for without it he may join nothing.
 */

enum {
	/* What clone() makes at once; the two others are made on the way. */
	MADE_BY_CLONE = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC |
			CLONE_NEWUTS,
};

static const struct {
	uint32_t flag;
	const char *name;
} namespace_kinds[] = {
	{CLONE_NEWUSER, "user"}, {CLONE_NEWNET, "network"},   {CLONE_NEWIPC, "ipc"},
	{CLONE_NEWUTS, "uts"},   {CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWTIME, "time"},
	{CLONE_NEWPID, "pid"},
};

bool lcx__compile_is_private(const struct compiler *c, uint32_t clone_flag)
{
	return lcx__spec_namespace(c->in->container ? c->in->container : c->spec, clone_flag) !=
	       NULL;
}

static bool is_new_to(const struct lcx_spec *spec, uint32_t clone_flag)
{
	const struct lcx__spec_namespace *ns = lcx__spec_namespace(spec, clone_flag);

	return ns && !ns->path;
}

bool lcx__compile_is_new(const struct compiler *c, uint32_t clone_flag)
{
	return is_new_to(c->spec, clone_flag);
}

bool lcx__compile_joins_users(const struct lcx__compile *in)
{
	const struct lcx__spec_namespace *users = lcx__spec_namespace(in->spec, CLONE_NEWUSER);

	return !in->container && users && users->path;
}

bool lcx__compile_shares_mount(const struct compiler *c)
{
	return c->in->shares_mount || !lcx__compile_is_private(c, CLONE_NEWNS);
}

int lcx__compile_clone_flags(struct compiler *c, struct lcx_error **err)
{
	const struct lcx__spec_namespace *mount = lcx__spec_namespace(c->spec, CLONE_NEWNS);
	uint64_t flags = 0;

	if (mount && mount->path && !c->in->joins_mount && !c->in->shares_mount)
		return lcx__fail(err, EOPNOTSUPP,
				 "linux.namespaces: 'mount' with a path needs root.path, a "
				 "directory, and no new user namespace");
	for (size_t i = 0; i < c->spec->linux_.namespaces.n; i++)
		if (!c->spec->linux_.namespaces.items[i].path)
			flags |= c->spec->linux_.namespaces.items[i].type.value;
	flags &= MADE_BY_CLONE;
	if (!lcx__compile_joins_users(c->in)) {
		c->out->clone_flags = flags;
		return 0;
	}
	if (c->in->monitor)
		return lcx__fail(err, EOPNOTSUPP,
				 "linux.namespaces: 'user' with a path: a monitor can't make what "
				 "that is to own; start the container attached, or prepare it");
	c->late_flags = flags;
	return 0;
}

static bool joins_pid(const struct compiler *c)
{
	return lcx__compile_is_private(c, CLONE_NEWPID) && !lcx__compile_is_new(c, CLONE_NEWPID);
}

int lcx__compile_n_forks(const struct lcx__compile *input)
{
	const struct lcx__spec_namespace *pid = lcx__spec_namespace(input->spec, CLONE_NEWPID);

	if (input->monitor)
		return 2; /* out of the caller's family; the monitor's child */
	return input->container || (pid && pid->path) || lcx__compile_joins_users(input) ? 1 : 0;
}

static int lent_fd(const struct compiler *c, uint32_t flag)
{
	for (size_t i = 0; i < c->in->n_joined; i++)
		if (c->in->joined[i].flag == flag)
			return c->in->joined[i].fd;
	return -1;
}

static int join_namespace(struct compiler *c, size_t kind, struct lcx_error **err)
{
	const struct lcx__spec_namespace *ns =
		lcx__spec_namespace(c->spec, namespace_kinds[kind].flag);
	struct plan_op *op;
	int fd, lent;

	if (!ns || !ns->path)
		return 0;
	lent = lent_fd(c, namespace_kinds[kind].flag);
	fd = lent >= 0 ? fcntl(lent, F_DUPFD_CLOEXEC, 3) : open(ns->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return lcx__fail_sys(err, errno, "open the %s namespace '%s'",
				     namespace_kinds[kind].name, ns->path);
	op = lcx__plan_add(c->plan, PLAN_SETNS);
	op->fd = lcx__compile_own_fd(c, fd);
	op->str[0] = lcx__plan_string(c->plan, namespace_kinds[kind].name);
	op->num[0] = namespace_kinds[kind].flag;
	return 0;
}

/* For the monitor, which clones in there. */
int lcx__compile_join_pid(struct compiler *c, struct lcx_error **err)
{
	return joins_pid(c) ? join_namespace(c, ARRAY_SIZE(namespace_kinds) - 1, err) : 0;
}

/* Whoever has no mapped id yet can own nothing: it takes id 0 before it makes anything. */
static void add_user(struct compiler *c)
{
	struct plan_op *op = lcx__plan_add(c->plan, PLAN_USER);

	op->num[2] = 1; /* setgroups() may be denied in there */
}

int lcx__compile_user_namespace(struct compiler *c, struct lcx_error **err)
{
	bool is_new = lcx__compile_is_new(c, CLONE_NEWUSER);

	(void)err;
	if (is_new)
		lcx__plan_add(c->plan, PLAN_SYNC)->num[0] = PLAN_MESSAGE_MAPS;
	if (c->in->handed && !lcx__compile_shares_mount(c))
		lcx__plan_add(c->plan, PLAN_STAGING)->str[0] =
			lcx__plan_string(c->plan, c->in->staging);
	if (is_new)
		add_user(c);
	return 0;
}

/* In the end by a new process, also without a pid namespace: by it the caller finds the others. */
static void enter_users(struct compiler *c)
{
	if (c->late_flags)
		lcx__plan_add(c->plan, PLAN_UNSHARE)->num[0] = c->late_flags;
	add_user(c);
	(void)lcx__plan_add(c->plan, PLAN_ENTER);
}

int lcx__compile_joins(struct compiler *c, struct lcx_error **err)
{
	enum { USERS };
	int r = 0;

	/* A process that joins is visible in there: nobody may trace it or open its /proc/PID/exe.
	 */
	(void)lcx__plan_add(c->plan, PLAN_NONDUMPABLE);
	if (!c->in->users_last)
		r = join_namespace(c, USERS, err);
	for (size_t i = USERS + 1; r == 0 && i < ARRAY_SIZE(namespace_kinds); i++)
		if (namespace_kinds[i].flag != CLONE_NEWPID || !c->in->monitor)
			r = join_namespace(c, i, err);
	if (r == 0 && c->in->users_last)
		r = join_namespace(c, USERS, err);
	if (r < 0)
		return r;
	if (lcx__compile_joins_users(c->in))
		enter_users(c);
	else if (joins_pid(c) && !c->in->monitor)
		(void)lcx__plan_add(c->plan, PLAN_ENTER);
	return 0;
}

static void add_offset(struct lcx__strbuf *text, const char *clock,
		       const struct lcx__spec_time_offset *offset)
{
	if (offset->set)
		lcx__strbuf_addf(text, "%s %lld %u\n", clock, (long long)offset->secs.value,
				 offset->nanosecs.value);
}

int lcx__compile_time(struct compiler *c, struct lcx_error **err)
{
	const struct lcx__spec_time_offsets *offsets = &c->spec->linux_.time_offsets;
	struct lcx__strbuf buf = STRBUF_EMPTY;
	CLEANUP(freep) char *text = NULL;
	struct plan_op *op;

	if (!lcx__compile_is_new(c, CLONE_NEWTIME))
		return 0;
	add_offset(&buf, "boottime", &offsets->boottime);
	add_offset(&buf, "monotonic", &offsets->monotonic);
	text = lcx__strbuf_take(&buf);
	if (!text)
		return lcx__fail_nomem(err);
	op = lcx__plan_add(c->plan, PLAN_TIME_OFFSETS);
	op->str[0] = text[0] ? lcx__plan_string(c->plan, text) : 0;
	return 0;
}

/*
 * The root that the container's process has. Its number may have become somebody else's, or will
 * while it is looked up; but not if the process is still there afterwards.
 */
static int open_root_of(int pidfd, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/root", lcx__pidfd_pid(pidfd));
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return lcx__fail_sys(err, errno, "open the container's root");
	if (sys_pidfd_send_signal(pidfd, 0) < 0)
		return lcx__fail(err, ESRCH, "the container's process has just ended");
	return TAKE_FD(fd);
}

/* All namespaces of the container at once, by its process: pidfd with setns(2), Linux 5.8. */
int lcx__compile_join_container(struct compiler *c, struct lcx_error **err)
{
	struct plan_op *op = lcx__plan_add(c->plan, PLAN_SETNS);
	int fd;

	op->fd = lcx__plan_fd(c->plan, c->in->exec_pidfd);
	op->str[0] = lcx__plan_string(c->plan, "container's");
	for (size_t i = 0; i < c->in->container->linux_.namespaces.n; i++)
		op->num[0] |= c->in->container->linux_.namespaces.items[i].type.value;
	/* The root of a mount namespace that others use, too, need not be the container's. */
	if (!is_new_to(c->in->container, CLONE_NEWNS)) {
		fd = open_root_of(c->in->exec_pidfd, err);
		if (fd < 0)
			return fd;
		op = lcx__plan_add(c->plan, PLAN_ENTER_ROOT);
		op->fd = lcx__compile_own_fd(c, fd);
	}
	if (lcx__compile_is_private(c, CLONE_NEWUSER)) {
		op = lcx__plan_add(c->plan, PLAN_USER);
		op->num[2] = 1;
	}
	(void)lcx__plan_add(c->plan, PLAN_ENTER);
	return 0;
}
