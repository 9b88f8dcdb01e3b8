/* SPDX-License-Identifier: MIT */
#include "container/start/start.h"

#include <fcntl.h>

#include "container/cgroups/cgroups.h"
#include "container/listener.h"
#include "container/pod.h"
#include "container/users/ordinary.h"
#include "container/users/users.h"
#include "init/gate.h"
#include "ns/ns.h"
#include "util/process.h"

/* A start's process: its launch, and what this side does for it meanwhile. */

int lcx__start_note_process(struct start *s, pid_t pid, struct lcx_error **err)
{
	CLEANUP(freep) char *object = NULL;
	int64_t start_time;
	int r;

	s->pid = pid;
	r = lcx__read_start_time(pid, &start_time);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read the start time of process %d", pid);
	s->c->run.pid = (struct lcx__opt_i64)LCX__OPT(pid);
	s->c->run.start_time = (struct lcx__opt_i64)LCX__OPT(start_time);
	object = lcx__format("%d %lld", pid, (long long)start_time);
	return object ? lcx__journal_add(s->c->run_fd, "process", object, err)
		      : lcx__fail_nomem(err);
}

static int on_child(void *data, pid_t pid, int pidfd, struct lcx_error **err)
{
	struct start *s = data;
	char path[64];
	int r = lcx__start_note_process(s, pid, err);

	(void)pidfd;
	if (r < 0 || (s->n_places == 0 && !lcx__container_is_lent(s->c)))
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	s->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	return s->netns_fd < 0 ? lcx__fail_sys(err, errno, "open the network namespace")
			       : lcx__start_connect(s, err);
}

static int on_maps(void *data, pid_t pid, int pidfd, struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	int r = lcx__container_idmap(((struct start *)data)->c, &map, err);

	return r < 0 ? r : lcx__idmap_write_child(map, pid, pidfd, err);
}

static int on_ready(void *data, struct lcx_error **err)
{
	struct start *s = data;
	int r = lcx__start_write_hosts(s, err);

	return r == 0 ? lcx__start_run_create_hooks(s, err) : r;
}

static int on_listener(void *data, pid_t pid, int listener_fd, struct lcx_error **err)
{
	struct start *s = data;

	return lcx__container_send_listener(s->c, "creating", pid, listener_fd, err);
}

void lcx__start_on_trace(void *data, const char *what, uint64_t ns)
{
	struct start *s = data;

	lcx__add_step(s->c, " ", what, (int64_t)ns);
}

bool lcx__start_wants_input(const struct start *s)
{
	return s->c->d.stdin_open.value || (s->attached && s->stdio && s->stdio->fds[0] >= 0);
}

struct lcx__compile lcx__start_describe(const struct start *s)
{
	const struct lcx_container *c = s->c;

	return (struct lcx__compile){
		.spec = c->spec,
		.layers = (const char *const *)(s->layers ? s->layers : c->d.layers),
		.upper = s->upper,
		.work = s->work,
		.volatile_changes = lcx__container_is_volatile(c),
		.rootfs = c->d.rootfs,
		.staging = s->staging,
		.root_fd = -1,
		.mntns_fd = -1,
		.join_fds = s->entrance.join_fds,
		.n_join_fds = s->entrance.n_join_fds,
		.cgroup = s->entrance.name,
		.cgroup_fd = s->entrance.into_fd,
		.creating_fd = -1,
		.created_fd = -1,
		.nodev_root = lcx__container_hides_nodes(c),
		.same_keyring = c->d.same_keyring.value,
		.trace = c->debug,
		.log_context = c->log_context,
	};
}

int lcx__start_spawn(struct start *s, const struct lcx__compile *compile,
		     const struct lcx__spawn_hooks *hooks,
		     const struct lcx__restoration *restoration, struct lcx_error **err)
{
	struct lcx_container *c = s->c;
	const struct lcx__spawn spawn = {
		.compile = compile,
		.stdio = s->stdio,
		.open_input = lcx__start_wants_input(s),
		.log = c->log,
		.hooks = hooks,
		.restoration = restoration,
		.ctx = c->ctx,
	};

	if (!s->detached)
		return lcx__spawn(&spawn, &c->process, err);
	s->monitor.state_dir_fd = c->dir_fd;
	s->monitor.owner_fd = c->owner_fd;
	s->monitor.run = (uint64_t)c->run.number.value;
	s->monitor.terminal = c->spec->process.terminal.value;
	s->monitor.system = c->d.system.value;
	return lcx__spawn_detached(&spawn, &s->monitor, &s->monitor_pid, err);
}

/* Whoever joins users that are not the machine's root can't reach the root file system, either. */
bool lcx__start_is_handed(const struct start *s)
{
	return lcx__container_is_handed(s->c) ||
	       (lcx__container_joins_users(s->c) && lcx__is_root_of_the_machine() &&
		!lcx__start_is_joined(s));
}

/* All that a start has beyond what a restored process gets, too. */
static struct lcx__compile describe(const struct start *s)
{
	const struct lcx_container *c = s->c;
	struct lcx__compile compile = lcx__start_describe(s);

	compile.handed = s->root_fd >= 0 && !lcx__start_is_joined(s);
	compile.users_last = lcx__is_root_of_the_machine();
	compile.joins_mount = lcx__start_is_joined(s);
	compile.shares_mount = s->shares_mount;
	compile.mntns_fd = s->mntns_fd;
	compile.root_fd = s->root_fd;
	compile.class_fds = s->entrance.class_fds;
	compile.n_class_fds = s->entrance.n_class_fds;
	compile.creating_fd = s->creating_fd;
	compile.created_fd = s->created_fd;
	compile.joined = s->shared;
	compile.n_joined = s->n_shared;
	compile.hold = lcx__container_is_holder(c);
	compile.delegated = c->d.system.value;
	compile.seccomp = s->seccomp;
	compile.seccomp_size = s->seccomp_size;
	compile.netlink = s->n_places > 0 || s->pasta || lcx__container_is_lent(c);
	compile.reaper = c->d.init.value;
	/* As engines, who leave it to their runtime, and images have it. */
	compile.make_cwd = c->d.image || c->d.bundle;
	compile.gate_fds = s->external ? s->gate_fds : NULL;
	compile.n_preserved = s->stdio ? s->stdio->n_preserved : 0;
	compile.move_root = c->d.move_root.value;
	return compile;
}

int lcx__start_process(struct start *s, struct lcx_error **err)
{
	struct lcx__compile compile = describe(s);
	const struct lcx__spawn_hooks hooks = {
		s,
		on_child,
		on_maps,
		lcx__start_on_netlink,
		on_ready,
		on_listener,
		lcx__start_on_trace,
	};
	CLEANUP(freep) char *home = NULL;
	int r = s->external ? lcx__gate_make(s->c->run_fd, s->gate_fds, err) : 0;

	if (r == 0)
		r = lcx__container_home(s->c, s->c->spec, &home, err);
	compile.home = home;
	return r < 0 ? r : lcx__start_spawn(s, &compile, &hooks, NULL, err);
}
