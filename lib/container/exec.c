/* SPDX-License-Identifier: MIT */
#include "container/exec.h"

#include <string.h>

#include "container/cgroups/cgroups.h"
#include "container/event.h"
#include "container/listener.h"
#include "container/users/users.h"
#include "security/seccomp.h"
#include "util/process.h"
#include "util/sys.h"

/* ---- filters, compiled once --------------------------------------------- */

static void free_cache(void *cache)
{
	(void)lcx__seccomp_cache_free(cache);
}

int lcx__container_seccomp(struct lcx_container *c, const struct lcx_spec *process, void **ret,
			   size_t *ret_size, struct lcx_error **err)
{
	struct lcx__seccomp_filter filter;
	struct lcx__seccomp_cache *cache = c->ctx->cache;
	int r;

	if (!c->spec->linux_.seccomp)
		return 0;
	if (lcx__seccomp_notifies(c->spec->linux_.seccomp) &&
	    !c->spec->linux_.seccomp->listener_path && c->seccomp_socket_fd < 0)
		return lcx__fail(
			err, EINVAL,
			"linux.seccomp: SCMP_ACT_NOTIFY needs listenerPath, or a socket by "
			"lcx_container_set_seccomp_socket()");
	if (!cache) {
		r = lcx__seccomp_cache_new(c->ctx->run_fd, &cache, err);
		if (r < 0)
			return r;
		c->ctx->cache = cache;
		c->ctx->free_cache = free_cache;
	}
	r = lcx__seccomp_cache_get(cache, c->spec->linux_.seccomp,
				   process->process.capabilities.bounding.value, &filter, err);
	if (r < 0)
		return r;
	*ret = malloc(filter.size);
	if (!*ret)
		return lcx__fail_nomem(err);
	memcpy(*ret, filter.bpf, filter.size);
	*ret_size = filter.size;
	return 0;
}

/* ---- a second process --------------------------------------------------- */

LCX_PUBLIC int lcx_container_exec_spec(struct lcx_container *c, struct lcx_spec **ret,
				       struct lcx_error **err)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *copy = NULL;
	int r = lcx__container_load_spec(c, err);

	if (r == 0)
		r = lcx_spec_dup(c->spec, &copy, err);
	if (r == 0)
		r = lcx_spec_set_args(copy, (const char *const[]){NULL}, err);
	if (r == 0)
		r = lcx_spec_set_terminal(copy, 0, err);
	if (r == 0)
		*ret = TAKE_PTR(copy);
	return r;
}

/*
 * The terminal is the caller's to ask for, by @stdio; only then, or if @wanted asks
 * for one that nobody will serve, is a copy needed.
 */
static int adapt(const struct lcx_spec *wanted, const struct lcx_stdio *stdio,
		 struct lcx_spec **ret_copy, struct lcx_error **err)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	bool terminal = stdio && stdio->terminal;
	int r;

	if (stdio && stdio->has_console)
		return wanted->process.terminal.value
			       ? 0
			       : lcx__fail(err, EINVAL,
					   "a console socket is for a terminal, and the "
					   "description asks for none");
	if (!terminal && !wanted->process.terminal.value)
		return 0;
	r = lcx_spec_dup(wanted, &spec, err);
	if (r == 0)
		r = lcx_spec_set_terminal(spec, terminal, err);
	if (r == 0 && terminal)
		r = lcx_spec_set_terminal_size(spec, stdio->rows, stdio->columns, err);
	if (r == 0 && terminal && !lcx_spec_getenv(spec, "TERM"))
		r = lcx_spec_set_env(spec, "TERM", "xterm", err);
	if (r == 0)
		*ret_copy = TAKE_PTR(spec);
	return r;
}

static int withhold_nodes(const struct lcx_container *c, const struct lcx_spec *wanted,
			  struct lcx_spec **copy, struct lcx_error **err)
{
	int r = 0;

	if (!lcx__container_hides_nodes(c))
		return 0;
	if (!*copy)
		r = lcx_spec_dup(wanted, copy, err);
	return r < 0 ? r : lcx__container_withhold_nodes(c, *copy, err);
}

static void tell_exec(const struct lcx_container *c, const struct lcx_spec *spec)
{
	enum { LONGEST = 1024 };
	struct lcx__strbuf words = STRBUF_EMPTY;
	CLEANUP(freep) char *text = NULL;

	for (char **arg = spec->process.args; arg && *arg; arg++)
		lcx__strbuf_addf(&words, "%s%.*s", arg == spec->process.args ? "" : " ", LONGEST,
				 *arg);
	text = lcx__strbuf_take(&words);
	/* For display: arguments may be any bytes, the stream is JSON. */
	for (size_t i = 0; text && text[i]; i++) {
		if (i == LONGEST)
			text[i] = '\0';
		else if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] >= 0x7f)
			text[i] = '?';
	}
	lcx__event_emit(c, "exec", text);
}

static int on_listener(void *data, pid_t pid, int listener_fd, struct lcx_error **err)
{
	return lcx__container_send_listener(data, "running", pid, listener_fd, err);
}

/* Not in the container's own cgroup: by a handle of its own, for that one is where its limits are.
 */
static int enter_below(struct lcx_container *c, const char *const *cgroups, struct lcx_cgroup **ret,
		       struct lcx__entrance *entrance, struct lcx_error **err)
{
	int r = lcx_cgroup_open(lcx_cgroup_path(c->cgroup), ret, err);

	if (r == 0)
		r = cgroups ? lcx__cgroup_descend(*ret, cgroups, err)
			    : lcx__cgroup_descend_to(*ret, (int32_t)c->run.pid.value, err);
	return r < 0 ? r : lcx__entrance_open(*ret, entrance, err);
}

static int enter(struct lcx_container *c, const char *const *cgroups, struct lcx_cgroup **ret,
		 struct lcx__entrance *entrance, struct lcx_error **err)
{
	int r;

	*entrance = (struct lcx__entrance){.into_fd = -1, .below_fd = -1};
	if (!c->cgroup && !c->run.cgroup && !cgroups)
		return 0;
	r = lcx__container_open_cgroup(c, err);
	if (r < 0)
		return r;
	return cgroups || c->d.system.value || lcx__cgroup_passes_on(c->cgroup)
		       ? enter_below(c, cgroups, ret, entrance, err)
		       : lcx__entrance_open(c->cgroup, entrance, err);
}

struct exec {
	const struct lcx_stdio *stdio;
	struct lcx__log_writer *log;
	const char *const *cgroups;
	struct lcx__spawning **ret_spawning; /* NULL: wait for its execution */
};

static bool shows_writable_cgroups(const struct lcx_spec *spec)
{
	static const char place[] = "/sys/fs/cgroup";

	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct lcx__spec_mount *m = &spec->mounts.items[i];
		bool is_of_cgroups =
			(m->type && strncmp(m->type, "cgroup", strlen("cgroup")) == 0) ||
			(m->source && strncmp(m->source, place, strlen(place)) == 0);

		if (is_of_cgroups && !(m->parsed.attr_set & SYS_MOUNT_ATTR_RDONLY))
			return true;
	}
	return false;
}

/*
 * Whether what is cloned into the container's cgroup could be frozen there: by the container, which
 * has cgroups of its own, or because it is paused; and who waits for many at once may not be held
 * up by one that somebody pauses at this moment. To join later takes the kernel milliseconds.
 */
static bool may_be_frozen(const struct lcx_container *c, const struct exec *how)
{
	return how->ret_spawning || how->cgroups || c->exec_paused || c->d.system.value ||
	       (c->cgroup && lcx__cgroup_passes_on(c->cgroup)) || shows_writable_cgroups(c->spec);
}

static int execute_beside(struct lcx_container *c, int pidfd, const struct lcx_spec *wanted,
			  const struct exec *how, struct lcx_process **ret, struct lcx_error **err)
{
	const struct lcx_stdio *stdio = how->stdio;
	CLEANUP(lcx__entrance_clear)
	struct lcx__entrance entrance = {.into_fd = -1, .below_fd = -1};
	CLEANUP(lcx_cgroup_freep) struct lcx_cgroup *cgroup = NULL;
	CLEANUP(lcx_spec_freep) struct lcx_spec *copy = NULL;
	const struct lcx_spec *spec = wanted;
	CLEANUP(freep) void *seccomp = NULL;
	CLEANUP(freep) char *home = NULL;
	size_t seccomp_size = 0;
	int r;

	if (c->state == LCX_CONTAINER_PAUSED && !c->exec_paused)
		return lcx__fail(err, EBUSY, "container '%s' is paused; unpause it first",
				 lcx__container_display(c));
	r = lcx__container_load_spec(c, err);
	if (r == 0)
		r = adapt(wanted, stdio, &copy, err);
	if (r == 0)
		r = withhold_nodes(c, wanted, &copy, err);
	if (copy)
		spec = copy;
	if (r == 0)
		r = enter(c, how->cgroups, &cgroup, &entrance, err);
	if (r == 0)
		r = lcx__container_enter_resctrl(c, &entrance, err);
	if (r == 0)
		r = lcx__container_seccomp(c, spec, &seccomp, &seccomp_size, err);
	if (r == 0)
		r = lcx__container_home(c, spec, &home, err);
	if (r < 0)
		return r;

	struct lcx__compile compile = {
		.spec = spec,
		.container = c->spec,
		.exec_pidfd = pidfd,
		.join_fds = entrance.join_fds,
		.n_join_fds = entrance.n_join_fds,
		.class_fds = entrance.class_fds,
		.n_class_fds = entrance.n_class_fds,
		.cgroup = entrance.name,
		.cgroup_fd = entrance.into_fd,
		.joins_late = may_be_frozen(c, how),
		.home = home,
		.n_preserved = stdio ? stdio->n_preserved : 0,
		.same_keyring = c->d.same_keyring.value,
		.seccomp = seccomp,
		.seccomp_size = seccomp_size,
	};
	const struct lcx__spawn_hooks hooks = {.data = c, .on_listener = on_listener};

	const struct lcx__spawn spawn = {
		.compile = &compile,
		.stdio = stdio,
		.log = how->log,
		.hooks = &hooks,
		.ctx = c->ctx,
		.patient = c->state == LCX_CONTAINER_PAUSED,
	};

	return how->ret_spawning ? lcx__spawn_begin(&spawn, how->ret_spawning, err)
				 : lcx__spawn(&spawn, ret, err);
}

/* What fails while the container ends, as to join what is not there any more, fails for that. */
static int execute(struct lcx_container *c, const struct lcx_spec *wanted, const struct exec *how,
		   struct lcx_process **ret, struct lcx_error **err)
{
	CLEANUP(closep) int pidfd = lcx__container_open_running(c, err);
	bool is_first = err && !*err;
	int r;

	if (pidfd < 0)
		return pidfd;
	r = execute_beside(c, pidfd, wanted, how, ret, err);
	if (r >= 0 || lcx__pidfd_ends(pidfd, 0) != 1)
		return r;
	if (is_first)
		*err = lcx_error_free(*err);
	return lcx__fail(err, ESRCH, "container '%s' is not running any more",
			 lcx__container_display(c));
}

LCX_PUBLIC void lcx_container_set_exec_paused(struct lcx_container *c, int32_t exec_paused)
{
	c->exec_paused = exec_paused != 0;
}

LCX_PUBLIC int lcx_container_exec(struct lcx_container *c, const struct lcx_spec *spec,
				  const struct lcx_stdio *stdio, struct lcx_process **ret,
				  struct lcx_error **err)
{
	return lcx_container_exec_in(c, spec, stdio, NULL, ret, err);
}

LCX_PUBLIC int lcx_container_exec_in(struct lcx_container *c, const struct lcx_spec *spec,
				     const struct lcx_stdio *stdio, const char *const *cgroups,
				     struct lcx_process **ret, struct lcx_error **err)
{
	const struct exec how = {.stdio = stdio, .cgroups = cgroups && cgroups[0] ? cgroups : NULL};
	int r = execute(c, spec, &how, ret, err);

	if (r == 0)
		tell_exec(c, spec);
	return r;
}

int lcx__container_exec_begin(struct lcx_container *c, const struct lcx_spec *spec,
			      struct lcx__log_writer *log, struct lcx__spawning **ret,
			      struct lcx_error **err)
{
	return execute(c, spec, &(struct exec){.log = log, .ret_spawning = ret}, NULL, err);
}
