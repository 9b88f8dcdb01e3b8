/* SPDX-License-Identifier: MIT */
#include "container/start/start.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "container/cgroups/cgroups.h"
#include "container/checkpoint/checkpoint.h"
#include "container/event.h"
#include "container/supervisor/health.h"
#include "container/supervisor/loop.h"
#include "container/supervisor/restart.h"
#include "container/tree/tree.h"
#include "container/users/users.h"
#include "lcx/attach.h"
#include "lcx/net.h"
#include "util/fs.h"
#include "util/process.h"
#include "util/sys.h"

/*
 * Theory of operation. Starting is the table `stages` below: each stage prepares
 * something that the launch needs, and writes its intent into the journal before
 * it makes a kernel object. Undoing is lcx__container_teardown(), which replays the
 * journal, whether a stage fails here or a crash leaves it to somebody else.
 *
 * The process itself then sets up its file system (lib/process) while this side,
 * at the same time, gives it its network; both meet at READY.
 */

enum { SETTLE_TIMEOUT_MS = 10000, END_TIMEOUT_MS = 1000 };

void lcx__start_clear(struct start *s)
{
	lcx__restoring_clear(s->restoring);
	lcx__entrance_clear(&s->entrance);
	lcx__child_abandon(&s->holder);
	free(s->seccomp);
	for (size_t i = 0; i < s->n_places; i++) {
		lcx_network_free(s->places[i].network);
		lcx_attachment_free(s->places[i].attachment);
	}
	free(s->places);
	lcx_attachment_free(s->pasta);
	free(s->staging);
	free(s->upper);
	free(s->work);
	(void)lcx__strv_free(s->layers);
	lcx_attach_free(s->attach);
	closep(&s->listen_fd);
	closep(&s->client_fd);
	closep(&s->event_dir_fd);
	closep(&s->monitor.packer_fd);
	closep(&s->netns_fd);
	closep(&s->root_fd);
	for (size_t i = 0; i < s->n_shared; i++)
		closep(&s->shared[i].fd);
	closep(&s->mntns_fd);
	closep(&s->creating_fd);
	closep(&s->created_fd);
	closep(&s->gate_fds[0]);
	closep(&s->gate_fds[1]);
}

/* ---- stages ------------------------------------------------------------- */

/* Which run it is: no time would tell, as clocks are set back. */
static int draw_number(struct lcx__opt_i64 *ret)
{
	uint32_t random[2];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -errno;
	*ret = (struct lcx__opt_i64)LCX__OPT((int64_t)(random[0] >> 1) << 32 | random[1] | 1);
	return 0;
}

/* The run directory, and in it the lock that says: alive. */
static int stage_claim(struct start *s, struct lcx_error **err)
{
	struct lcx_container *c = s->c;
	CLEANUP(closep) int runs_fd = lcx__make_dirs(c->ctx->run_fd, "containers", 0700);
	char boot_id[LCX__BOOT_ID_SIZE];
	int r;

	if (runs_fd < 0)
		return lcx__fail_sys(err, -runs_fd, "open the run directory");
	c->run_fd = lcx__make_dirs(runs_fd, c->d.id, 0700);
	if (c->run_fd < 0)
		return lcx__fail_sys(err, -c->run_fd, "make the run directory");
	c->owner_fd = openat(c->run_fd, "owner", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (c->owner_fd < 0)
		return lcx__fail_sys(err, errno, "open the owner's lock");
	if (flock(c->owner_fd, LOCK_EX | LOCK_NB) < 0) {
		int code = errno == EWOULDBLOCK ? EALREADY : errno;

		closep(&c->owner_fd);
		closep(&c->run_fd); /* somebody else's: not to be taken down */
		return lcx__fail_sys(err, code, "lock the container");
	}
	if (mkdirat(c->run_fd, "rootfs", 0700) < 0 && errno != EEXIST)
		return lcx__fail_sys(err, errno, "make the directory to mount on");
	s->staging = lcx__format("%s/containers/%s/rootfs", c->ctx->run_dir, c->d.id);
	r = lcx__boot_id(boot_id);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read the boot id");
	r = draw_number(&c->run.number);
	if (r < 0)
		return lcx__fail_sys(err, -r, "draw a random number");
	c->run.boot_id = strdup(boot_id);
	return s->staging && c->run.boot_id ? 0 : lcx__fail_nomem(err);
}

static int stage_rootfs(struct start *s, struct lcx_error **err)
{
	struct lcx_container *c = s->c;
	int r = c->d.layers ? lcx__container_renew_volatile(c, err) : 0;

	if (r == 0)
		r = lcx__start_open_mounts(s, err);
	if (r < 0)
		return r;
	if (lcx__start_is_handed(s)) {
		r = lcx__container_mount_root(c, err);
		s->root_fd = r < 0 ? -1 : r;
		return r < 0 ? r : 0;
	}
	if (lcx__start_is_joined(s))
		return lcx__start_joined_root(s, err);
	if (!c->d.layers)
		return 0;
	s->upper = lcx__format("%s/containers/%s/upper", c->ctx->root_dir, c->d.id);
	s->work = lcx__format("%s/containers/%s/work", c->ctx->root_dir, c->d.id);
	return s->upper && s->work ? lcx__start_layers(s, err) : lcx__fail_nomem(err);
}

static int stage_cgroup(struct start *s, struct lcx_error **err)
{
	int r = lcx__container_make_cgroup(s->c, &s->holder, err);

	if (r == 0)
		r = lcx__container_make_resctrl(s->c, err);
	if (r == 0)
		r = lcx__container_enter_cgroup(s->c, &s->entrance, err);
	return r < 0 ? r : lcx__container_enter_resctrl(s->c, &s->entrance, err);
}

static int stage_seccomp(struct start *s, struct lcx_error **err)
{
	return lcx__container_seccomp(s->c, s->c->spec, &s->seccomp, &s->seccomp_size, err);
}

int lcx__start_record(struct lcx_container *c, bool again, struct lcx_error **err)
{
	CLEANUP(freep)
	char *started = lcx__format("%lld %s %lld\n", (long long)c->run.started_ns.value,
				    c->run.boot_id, (long long)c->run.number.value);
	int r;

	if (!started)
		return lcx__fail_nomem(err);
	r = lcx__replace_file(c->dir_fd, "started", started, strlen(started), 0600, false);
	if (r < 0)
		return lcx__fail_sys(err, -r, "record the start");
	/* Not before: a start that fails leaves a container that was stopped alone. */
	if (!again)
		lcx__restart_forget(c);
	return lcx__run_state_save(&c->run, c->run_fd, err);
}

/* From here on it is a running container for everybody. */
static int stage_record(struct start *s, struct lcx_error **err)
{
	struct lcx_container *c = s->c;
	pid_t owner = s->detached ? s->monitor_pid : getpid();
	int64_t owner_start_time = 0;
	int r;

	r = lcx__read_start_time(owner, &owner_start_time);
	/* A short program, and a monitor that has done all its work: nobody will look for it. */
	if (r == -ESRCH && s->detached)
		r = 0;
	if (r < 0)
		return lcx__fail_sys(err, -r, "read the start time of process %d", owner);
	/* Its own end is what others wait for. */
	if (s->external) {
		owner = (pid_t)c->run.pid.value;
		owner_start_time = c->run.start_time.value;
		c->run.external = (struct lcx__opt_bool)LCX__OPT(true);
	}
	c->run.owner_pid = (struct lcx__opt_i64)LCX__OPT(owner);
	c->run.owner_start_time = (struct lcx__opt_i64)LCX__OPT(owner_start_time);
	c->run.started_ns = (struct lcx__opt_i64)LCX__OPT(lcx__now_ns());
	c->run.terminal = (struct lcx__opt_bool)LCX__OPT(c->spec->process.terminal.value);
	c->run.stdin_open =
		(struct lcx__opt_bool)LCX__OPT(c->run.terminal.value || lcx__start_wants_input(s));
	r = lcx__start_record_network(s, err);
	if (r == 0)
		r = lcx__health_begin(c, err);
	if (r < 0)
		return r;
	return lcx__start_record(c, s->again, err);
}

struct stage {
	const char *name;
	int (*run)(struct start *s, struct lcx_error **err);
};

static const struct stage stages[] = {
	{"state", stage_claim},
	{"hooks", lcx__start_prepare_hooks},
	{"rootfs", stage_rootfs},
	{"files", lcx__start_files},
	{"cgroup", stage_cgroup},
	{"seccomp", stage_seccomp},
	{"network", lcx__start_network},
	{"log", lcx__start_log},
	{"attach", lcx__start_attach},
	{"events", lcx__start_events},
	{"process", lcx__start_process},
	{"state", stage_record},
	{"hooks", lcx__start_run_poststart_hooks},
};

/* The filter, and all that lcx-init does for a process, are in the images. */
static const struct stage restore_stages[] = {
	{"state", stage_claim},        {"hooks", lcx__start_prepare_hooks},
	{"rootfs", stage_rootfs},      {"files", lcx__start_files},
	{"cgroup", stage_cgroup},      {"network", lcx__start_network},
	{"log", lcx__start_log},       {"attach", lcx__start_attach},
	{"events", lcx__start_events}, {"restore", lcx__start_restored},
	{"state", stage_record},       {"hooks", lcx__start_run_poststart_hooks},
};

static int run_stages(struct start *s, struct lcx_error **err)
{
	const struct stage *table = s->restoring ? restore_stages : stages;
	size_t n = s->restoring ? ARRAY_SIZE(restore_stages) : ARRAY_SIZE(stages);

	for (size_t i = 0; i < n; i++) {
		int64_t began = lcx__monotonic_ns();
		int r = table[i].run(s, err);

		lcx__add_step(s->c, "", table[i].name, lcx__monotonic_ns() - began);
		if (r < 0)
			return lcx__fail_stage(err, r, table[i].name);
	}
	return 0;
}

/* ---- the transaction ---------------------------------------------------- */

/* What was written down has been a run, which ends here; its monitor tells so, if it has one. */
static void end_run(struct lcx_container *c)
{
	CLEANUP(closep)
	int process = lcx__open_process(c->run.pid.value, c->run.start_time.value), owner = -1;

	if (process >= 0)
		(void)sys_pidfd_send_signal(process, SIGKILL);
	if (c->run.owner_pid.value != getpid())
		owner = lcx__open_process(c->run.owner_pid.value, c->run.owner_start_time.value);
	if (owner >= 0)
		(void)lcx__pidfd_ends(owner, END_TIMEOUT_MS);
	closep(&owner);
	(void)lcx__container_record_exit(c, 128 + SIGKILL, NULL);
}

static void give_up(struct lcx_container *c)
{
	lcx__container_load_last(c);
	if (c->run.number.set && c->run.number.value == c->last_run)
		end_run(c);
	c->process = lcx__process_abandon(c->process);
	/* The failure that is being reported is the cause; what is left, lcx_gc() finds by the
	 * journal. */
	(void)lcx__container_teardown(c, NULL);
	closep(&c->owner_fd);
	closep(&c->run_fd);
	lcx__run_state_clear(&c->run);
	lcx__container_load_last(c);
	c->state = c->started_ns ? LCX_CONTAINER_STOPPED : LCX_CONTAINER_CREATED;
}

/* A run that has ended is finished first, by whoever owns it: the output's end is still under way.
 */
static int settle(struct lcx_container *c, struct lcx_error **err)
{
	int r;

	if (c->state == LCX_CONTAINER_NEW || c->state == LCX_CONTAINER_CREATED)
		return 0;
	r = lcx__container_load_state(c, err);
	if (r < 0 || c->state != LCX_CONTAINER_STOPPED)
		return r;
	return lcx_container_wait(c, SETTLE_TIMEOUT_MS, NULL, err);
}

/* Decided anew under the lock: somebody may have stopped it since the supervisor looked. */
static int note_restart(struct start *s, struct lcx_error **err)
{
	if (!s->again)
		return 0;
	if (!lcx__restart_is_wanted(s->c))
		return lcx__fail(err, ECANCELED, "container '%s' is not to be started again",
				 lcx__container_display(s->c));
	return lcx__restart_count_up(s->c, err);
}

static int prepare(struct start *s, struct lcx_error **err)
{
	struct lcx_container *c = s->c;
	CLEANUP(closep) int owner_fd = -1;
	int r = lcx__container_load_state(c, err);

	if (r < 0)
		return r;
	if (lcx__container_is_running(c))
		return lcx__fail(err, EALREADY, "container '%s' is already running",
				 lcx__container_display(c));
	r = lcx__container_is_owned(c, &owner_fd, err);
	if (r == 1)
		return lcx__fail(err, EBUSY,
				 "container '%s' has ended, but its owner, process %lld, has not "
				 "waited for it yet",
				 lcx__container_display(c), (long long)c->run.owner_pid.value);
	if (r < 0)
		return r;
	/* Whatever an owner that died has left is taken down before anything is made. */
	r = lcx__container_teardown(c, err);
	if (r == 0)
		r = lcx__container_load_spec(c, err);
	if (r == 0)
		r = note_restart(s, err);
	if (r < 0)
		return r;
	lcx__loop_remove(c);
	c->process = lcx_process_free(c->process);
	closep(&c->waited.fd);
	if (c->log)
		(void)lcx__log_writer_close(c->log);
	free(TAKE_PTR(c->log));
	/* One that its owner removes at its end tells it those who wait, and nobody later. */
	r = c->d.auto_remove.value && !s->detached ? 0
						   : lcx__exit_put_aside(c->dir_fd, c->last_run);
	if (r < 0)
		return lcx__fail_sys(err, -r, "make room for the exit status");
	return 0;
}

/* A monitor's container has a terminal if it was described so; it is this program's otherwise. */
static int apply_stdio(const struct start *s, struct lcx_error **err)
{
	const struct lcx_stdio *stdio = s->stdio;
	struct lcx_container *c = s->c;
	bool has_fds = stdio && (stdio->fds[0] >= 0 || stdio->fds[1] >= 0 || stdio->fds[2] >= 0);

	if (stdio && s->detached && stdio->mode == LCX__STDIO_PASSTHROUGH &&
	    strcmp(c->d.log_driver, "passthrough") == 0 && !s->attached)
		return c->spec->process.terminal.value ? lcx_spec_set_terminal(c->spec, 0, err) : 0;
	if (stdio && s->detached &&
	    (stdio->mode != LCX__STDIO_CAPTURE || (has_fds && !s->attached)))
		return lcx__fail(err, EINVAL,
				 "a detached container keeps no descriptor of its starter's, but "
				 "with log driver 'passthrough'");
	if (s->detached && c->spec->process.terminal.value && (!stdio || !stdio->terminal))
		return 0;
	if (stdio && stdio->has_console)
		return c->spec->process.terminal.value
			       ? 0
			       : lcx__fail(err, EINVAL,
					   "a console socket is for a terminal, and the "
					   "description asks for none");
	if (!stdio || !stdio->terminal)
		return c->spec->process.terminal.value ? lcx_spec_set_terminal(c->spec, 0, err) : 0;
	return lcx_spec_set_terminal_size(c->spec, stdio->rows, stdio->columns, err) < 0
		       ? -EINVAL
		       : lcx_spec_set_terminal(c->spec, 1, err);
}

static int create_first(struct lcx_container *c, const struct lcx_stdio *stdio,
			struct lcx_error **err)
{
	int64_t began = lcx__monotonic_ns();
	int r;

	if (c->state != LCX_CONTAINER_NEW)
		return 0;
	if (stdio && stdio->terminal)
		(void)lcx_spec_set_terminal(c->spec, 1, NULL);
	r = lcx_container_create(c, err);
	lcx__add_step(c, "", "create", lcx__monotonic_ns() - began);
	return r;
}

int lcx__start(struct start *s, struct lcx_error **err)
{
	CLEANUP(closep) int lock_fd = -1;
	struct lcx_container *c = s->c;
	int r;

	lcx__forget_steps(c);
	r = create_first(c, s->stdio, err);
	if (r < 0)
		return r;
	r = settle(c, err);
	if (r == 0)
		r = lcx__container_lock(c, &lock_fd, err);
	if (r == 0)
		lcx__checkpoint_sweep(c);
	/* Before anything of the last run is lost. */
	if (r == 0 && s->restoring)
		r = lcx__start_open_images(s, err);
	if (r == 0)
		r = prepare(s, err);
	if (r == 0)
		r = apply_stdio(s, err);
	if (r < 0)
		return r;
	r = run_stages(s, err);
	if (r == 0 && !s->external)
		r = lcx__loop_add(c, err);
	if (r < 0) {
		give_up(c);
		return r;
	}
	/* The monitor holds the owner's lock now, or nobody. */
	if (s->detached || s->external)
		closep(&c->owner_fd);
	else
		lcx__event_emit(c, "started", NULL);
	c->state = s->external && !s->restoring ? LCX_CONTAINER_PREPARED : LCX_CONTAINER_RUNNING;
	c->last_run = c->run.number.value;
	c->started_ns = c->run.started_ns.value;
	c->finished_ns = 0;
	c->oom_killed = false;
	c->exit_status = LCX_EXIT_UNKNOWN;
	if (s->attached) /* as whoever attaches to one that runs */
		(void)lcx__waited_note(c, NULL);
	return 0;
}

struct start lcx__start_of(struct lcx_container *c, const struct lcx_stdio *stdio)
{
	return (struct start){
		.c = c,
		.stdio = stdio,
		.entrance = {.into_fd = -1, .below_fd = -1},
		.netns_fd = -1,
		.root_fd = -1,
		.mntns_fd = -1,
		.holder = LCX__CHILD_NONE,
		.creating_fd = -1,
		.created_fd = -1,
		.listen_fd = -1,
		.client_fd = -1,
		.event_dir_fd = -1,
		.gate_fds = {-1, -1},
		.monitor = {.log_dir_fd = -1,
			    .out_fd = -1,
			    .err_fd = -1,
			    .in_fd = -1,
			    .listen_fd = -1,
			    .client_fd = -1,
			    .cgroup_fd = -1,
			    .event_dir_fd = -1,
			    .packer_fd = -1},
	};
}

LCX_PUBLIC int lcx_container_start(struct lcx_container *c, const struct lcx_stdio *stdio,
				   struct lcx_error **err)
{
	CLEANUP(lcx__start_clear) struct start s = lcx__start_of(c, stdio);

	return lcx__start(&s, err);
}

LCX_PUBLIC int lcx_container_start_detached(struct lcx_container *c, const struct lcx_stdio *stdio,
					    struct lcx_error **err)
{
	CLEANUP(lcx__start_clear) struct start s = lcx__start_of(c, stdio);

	s.detached = true;
	return lcx__start(&s, err);
}

LCX_PUBLIC int lcx_container_prepare(struct lcx_container *c, const struct lcx_stdio *stdio,
				     struct lcx_error **err)
{
	CLEANUP(lcx__start_clear) struct start s = lcx__start_of(c, stdio);

	if (!stdio || (stdio->mode != LCX__STDIO_PASSTHROUGH && !stdio->has_console))
		return lcx__fail(err, EINVAL,
				 "a prepared container's streams are passed through, or go to a "
				 "console socket: nobody is there to copy them");
	s.external = true;
	return lcx__start(&s, err);
}

int lcx__container_start_again(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(lcx__start_clear) struct start s = lcx__start_of(c, NULL);

	s.detached = s.again = true;
	return lcx__start(&s, err);
}

LCX_PUBLIC int lcx_container_start_attached(struct lcx_container *c, const struct lcx_stdio *stdio,
					    struct lcx_attach **ret, struct lcx_error **err)
{
	CLEANUP(lcx__start_clear) struct start s = lcx__start_of(c, stdio);
	int r;

	s.detached = s.attached = true;
	r = lcx__start(&s, err);
	if (r == 0)
		*ret = TAKE_PTR(s.attach);
	return r;
}
