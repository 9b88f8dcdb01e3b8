/* SPDX-License-Identifier: MIT */
#include "process/compile-internal.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "ns/ns.h"
#include "util/process.h"
#include "util/str.h"
#include "util/sys.h"
#include "util/weaken.h"

/*
 * Theory of operation. A container's process comes into being in this order:
 *
 *   monitor      only when detached: a process that stays behind
 *   settings     by files of its own in the host's /proc, which it may still write
 *   user         the caller writes the id maps, then it takes an id of its own
 *   join         namespaces that exist already
 *   session      of its own, so that no signal of a terminal reaches it
 *   cgroup       before the cgroup namespace, whose root it becomes
 *   network      hand a socket to the caller, who then works at the same time
 *   root, mounts, devices, terminal, masks     the file system, from outside
 *   ready        the caller has done its part: network is up
 *   hooks        createContainer: the host's files are still there
 *   sysctls      which may name the new interfaces
 *   labels       of the next program, by the host's /proc
 *   pivot        the host's file system is gone
 *   limits, scheduling, identity
 *   hooks        startContainer: all is as the program will have it
 *   program
 *
 * New namespaces are made by the clone itself, except the cgroup and the time
 * namespace, which depend on steps in between. Without a mount namespace of its own, what is
 * between "root" and "labels" is another process's: init/ops-build.c. Nothing that a process has for
 * itself, as limits, labels and capabilities, may stand there.
 */

int lcx__compile_own_fd(struct compiler *c, int fd)
{
	int *bigger = reallocarray(c->out->owned_fds, c->out->n_owned_fds + 1, sizeof(*bigger));

	if (!bigger) {
		closep(&fd);
		return lcx__plan_fd_failed(c->plan);
	}
	c->out->owned_fds = bigger;
	c->out->owned_fds[c->out->n_owned_fds++] = fd;
	return lcx__plan_fd(c->plan, fd);
}

/* The monitor clones, so that it, and not the caller, is the parent. */
static int compile_monitor(struct compiler *c, struct lcx_error **err)
{
	struct plan_monitor params;
	struct plan_op *op;
	int r;

	if (!c->in->monitor)
		return 0;
	params = *c->in->monitor;
	params.clone_flags = c->out->clone_flags;
	params.state_dir_fd = lcx__plan_fd(c->plan, params.state_dir_fd);
	params.owner_fd = lcx__plan_fd(c->plan, params.owner_fd);
	params.log_dir_fd = lcx__plan_fd(c->plan, params.log_dir_fd);
	params.out_fd = lcx__plan_fd(c->plan, params.out_fd);
	params.err_fd = lcx__plan_fd(c->plan, params.err_fd);
	params.in_fd = lcx__plan_fd(c->plan, params.in_fd);
	params.listen_fd = lcx__plan_fd(c->plan, params.listen_fd);
	params.client_fd = lcx__plan_fd(c->plan, params.client_fd);
	params.event_dir_fd = lcx__plan_fd(c->plan, params.event_dir_fd);
	params.packer_fd = lcx__plan_fd(c->plan, params.packer_fd);
	params.cgroup_fd = lcx__plan_fd(c->plan, c->in->cgroup_fd);
	/* The last: what comes after it is not the monitor's. */
	params.adopt_fd = lcx__plan_fd(c->plan, params.adopt_fd);
	c->out->clone_flags = 0;

	(void)lcx__plan_add(c->plan, PLAN_DETACH);
	(void)lcx__plan_add(c->plan, PLAN_SESSION);
	r = lcx__compile_join_pid(c, err);
	if (r < 0)
		return r;
	op = lcx__plan_add(c->plan, PLAN_MONITOR);
	op->str[0] = lcx__plan_data(c->plan, &params, sizeof(params));
	if (params.logging)
		op->str[1] = lcx__plan_data(c->plan, c->in->log_context, params.log.context_length);
	return 0;
}

static int compile_session(struct compiler *c, struct lcx_error **err)
{
	struct plan_op *op;

	(void)err;
	(void)lcx__plan_add(c->plan, PLAN_SESSION);
	if (c->in->same_keyring || lcx__is_off(KEYRING))
		return 0;
	op = lcx__plan_add(c->plan, PLAN_KEYRING);
	op->str[0] = lcx__plan_string(c->plan, "_lcx");
	return 0;
}

static void add_joins(struct compiler *c)
{
	struct plan_op *op;

	for (size_t i = 0; i < c->in->n_join_fds; i++) {
		op = lcx__plan_add(c->plan, PLAN_JOIN_CGROUP);
		op->fd = lcx__plan_fd(c->plan, c->in->join_fds[i]);
		op->str[0] = lcx__plan_string(c->plan, c->in->cgroup);
	}
	/* A group that is measured is for who is in its class already. */
	for (size_t i = 0; i < c->in->n_class_fds; i++) {
		op = lcx__plan_add(c->plan, PLAN_JOIN_CLASS);
		op->fd = lcx__plan_fd(c->plan, c->in->class_fds[i]);
	}
}

static int compile_cgroup(struct compiler *c, struct lcx_error **err)
{
	struct plan_op *op;

	(void)err;
	add_joins(c);
	if (lcx__compile_is_new(c, CLONE_NEWCGROUP)) {
		op = lcx__plan_add(c->plan, PLAN_UNSHARE);
		op->num[0] = CLONE_NEWCGROUP;
	}
	return 0;
}

static int compile_network(struct compiler *c, struct lcx_error **err)
{
	(void)err;
	if (c->in->netlink)
		(void)lcx__plan_add(c->plan, PLAN_SEND_NETLINK);
	else if (lcx__compile_is_new(c, CLONE_NEWNET))
		(void)lcx__plan_add(c->plan, PLAN_LOOPBACK);
	return 0;
}

static int compile_terminal(struct compiler *c, struct lcx_error **err)
{
	const struct lcx__spec_process *process = &c->spec->process;
	struct plan_op *op;

	(void)err;
	if (!process->terminal.value)
		return 0;
	op = lcx__plan_add(c->plan, PLAN_TERMINAL);
	op->flags = !c->in->container && lcx__compile_shares_mount(c) ? PLAN_F_BUILDER : 0;
	op->num[0] = process->console_size.height.value;
	op->num[1] = process->console_size.width.value;
	op->num[2] = process->user.uid.value;
	op->num[3] = c->in->staging != NULL;
	return 0;
}

static int compile_ready(struct compiler *c, struct lcx_error **err)
{
	(void)err;
	lcx__plan_add(c->plan, PLAN_SYNC)->num[0] = PLAN_MESSAGE_READY;
	return 0;
}

static int compile_names(struct compiler *c, struct lcx_error **err)
{
	(void)err;
	if (c->spec->hostname && lcx__compile_is_private(c, CLONE_NEWUTS))
		lcx__plan_add(c->plan, PLAN_HOSTNAME)->str[0] =
			lcx__plan_string(c->plan, c->spec->hostname);
	if (c->spec->domainname && lcx__compile_is_private(c, CLONE_NEWUTS))
		lcx__plan_add(c->plan, PLAN_DOMAINNAME)->str[0] =
			lcx__plan_string(c->plan, c->spec->domainname);
	return 0;
}

/*
 * execCPUAffinity is of an exec alone: where it runs until it is in the container's cgroup, and
 * where then.
 */
static int join_cgroups(struct compiler *c, struct lcx_error **err)
{
	int r;

	/* Whoever joins is visible in there. */
	(void)lcx__plan_add(c->plan, PLAN_NONDUMPABLE);
	r = lcx__compile_affinity_before(c, err);
	if (r == 0)
		r = lcx__compile_late_cgroup(c, err);
	add_joins(c);
	return r == 0 ? lcx__compile_affinity_after(c, err) : r;
}

static int compile_exec_labels(struct compiler *c, struct lcx_error **err)
{
	(void)err;
	lcx__compile_labels(c);
	return 0;
}

/* ---- the two sequences -------------------------------------------------- */

static compile_fn *const start_stages[] = {
	lcx__compile_clone_flags,
	compile_monitor,
	lcx__compile_host_settings,
	lcx__compile_key_label,
	lcx__compile_user_namespace,
	lcx__compile_joins,
	compile_session,
	compile_cgroup,
	lcx__compile_time,
	compile_network,
	lcx__compile_root,
	lcx__compile_mounts,
	lcx__compile_devices,
	compile_terminal,
	lcx__compile_masks,
	compile_ready,
	lcx__compile_sysctls,
	compile_names,
	lcx__compile_create_hooks,
	lcx__compile_pivot,
	lcx__compile_limits,
	lcx__compile_scheduling,
	lcx__compile_identity,
	lcx__compile_start_hooks,
	lcx__compile_program,
};

/* All other namespaces are made by the program. */
static int choose_restore_flags(struct compiler *c, struct lcx_error **err)
{
	(void)err;
	c->out->clone_flags = CLONE_NEWNS;
	return 0;
}

static compile_fn *const restore_stages[] = {
	choose_restore_flags,
	compile_monitor,
	compile_session,
	compile_cgroup,
	lcx__compile_root,
	lcx__compile_targets,
	lcx__compile_restrict_root,
};

static compile_fn *const exec_stages[] = {
	lcx__compile_host_settings,
	lcx__compile_key_label,
	compile_exec_labels,
	join_cgroups,
	lcx__compile_join_container,
	compile_session,
	compile_terminal,
	lcx__compile_limits,
	lcx__compile_scheduling,
	lcx__compile_identity,
	lcx__compile_program,
};

static int begin(struct compiler *c, struct lcx_error **err)
{
	int r = lcx__plan_new(&c->out->plan, err);

	if (r < 0)
		return r;
	c->plan = c->out->plan;
	c->out->cgroup_fd = c->in->monitor ? -1 : c->in->cgroup_fd;
	lcx__plan_set_trace(c->plan, c->in->trace);
	return 0;
}

static int run_stages(struct compiler *c, compile_fn *const *stages, size_t n,
		      struct lcx_error **err)
{
	for (size_t i = 0; i < n; i++) {
		int r = stages[i](c, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int lcx__compile_start(const struct lcx__compile *input, struct lcx__compiled *ret,
		       struct lcx_error **err)
{
	struct compiler c = {.in = input, .spec = input->spec, .out = ret};
	int r;

	*ret = (struct lcx__compiled){0};
	r = begin(&c, err);
	if (r == 0)
		r = run_stages(&c, start_stages, ARRAY_SIZE(start_stages), err);
	lcx_ns_set_free(c.users);
	if (r < 0)
		lcx__compiled_clear(ret);
	return r;
}

int lcx__compile_restore(const struct lcx__compile *input, struct lcx__compiled *ret,
			 struct lcx_error **err)
{
	struct compiler c = {.in = input, .spec = input->spec, .out = ret};
	int r;

	*ret = (struct lcx__compiled){0};
	r = begin(&c, err);
	if (r == 0)
		r = run_stages(&c, restore_stages, ARRAY_SIZE(restore_stages), err);
	lcx_ns_set_free(c.users);
	if (r < 0)
		lcx__compiled_clear(ret);
	return r;
}

static int compile_view(struct compiler *c, int tree_fd, const char *optional,
			struct lcx_error **err)
{
	struct plan_op *op = lcx__plan_add(c->plan, PLAN_PROPAGATION);
	int r;

	c->out->clone_flags = CLONE_NEWNS;
	op->str[0] = lcx__plan_string(c->plan, "private");
	op->num[0] = MS_PRIVATE;
	op = lcx__plan_add(c->plan, PLAN_ROOT_TREE);
	op->fd = lcx__plan_fd(c->plan, tree_fd);
	r = lcx__compile_binds(c, optional, err);
	if (r == 0 && c->spec->root.readonly.value) {
		op = lcx__plan_add(c->plan, PLAN_REMOUNT);
		op->str[0] = lcx__plan_string(c->plan, "/");
		op->num[0] = SYS_MOUNT_ATTR_RDONLY;
	}
	return r < 0 ? r : compile_ready(c, err);
}

int lcx__compile_view(const struct lcx_spec *spec, int tree_fd, const char *optional,
		      struct lcx__compiled *ret, struct lcx_error **err)
{
	const struct lcx__compile none = {.cgroup_fd = -1};
	struct compiler c = {.in = &none, .spec = spec, .out = ret};
	int r;

	*ret = (struct lcx__compiled){0};
	r = begin(&c, err);
	if (r == 0)
		r = compile_view(&c, tree_fd, optional, err);
	lcx_ns_set_free(c.users);
	if (r < 0)
		lcx__compiled_clear(ret);
	return r;
}

int lcx__compile_exec(const struct lcx__compile *input, struct lcx__compiled *ret,
		      struct lcx_error **err)
{
	struct compiler c = {.in = input, .spec = input->spec, .out = ret};
	int r;

	*ret = (struct lcx__compiled){0};
	r = begin(&c, err);
	if (r == 0)
		r = run_stages(&c, exec_stages, ARRAY_SIZE(exec_stages), err);
	if (r < 0)
		lcx__compiled_clear(ret);
	return r;
}

void lcx__compiled_clear(struct lcx__compiled *compiled)
{
	for (size_t i = 0; i < compiled->n_owned_fds; i++)
		closep(&compiled->owned_fds[i]);
	free(compiled->owned_fds);
	compiled->owned_fds = NULL;
	compiled->n_owned_fds = 0;
	compiled->plan = lcx__plan_free(compiled->plan);
}
