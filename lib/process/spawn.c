/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "ns/users.h"
#include "process/process-internal.h"
#include "util/process.h"
#include "util/sys.h"

/*
 * One conversation with lcx-init, from the clone to the execution. The plan says
 * what it sends; here each message finds what answers it.
 */
struct talk {
	const struct lcx__spawn *spawn;
	struct lcx__compiled compiled;
	struct lcx__child child;
	int n_forks;   /* how many processes must still be named before the container's is known */
	pid_t monitor; /* who was named before */
	pid_t pid;
	int pidfd; /* the container's process */
	int terminal_fd;
	int adopt_fd; /* where the monitor hears of a restored process; -1 */
	bool waits;   /* at the gate */
	bool untold;  /* it was over before on_child() could be told of it */
};

#define TALK_NONE(by)                                                                              \
	((struct talk){.spawn = (by),                                                              \
		       .child = LCX__CHILD_NONE,                                                   \
		       .pidfd = -1,                                                                \
		       .terminal_fd = -1,                                                          \
		       .adopt_fd = -1})

static void talk_clear(struct talk *talk)
{
	lcx__child_abandon(&talk->child);
	closep(&talk->pidfd);
	closep(&talk->terminal_fd);
	closep(&talk->adopt_fd);
	lcx__compiled_clear(&talk->compiled);
}

enum { END_MS = 1000 };

/*
 * What is over already, or about to be, without its namespaces, has said why: that comes next, and
 * tells more than what now fails.
 */
static int tell_child(struct talk *talk, struct lcx_error **err)
{
	const struct lcx__spawn_hooks *hooks = talk->spawn->hooks;
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	bool is_gone = talk->pid == 0;
	int r = 0;

	/* Not the container's yet. */
	if (talk->spawn->restoration)
		return 0;
	if (!is_gone && hooks && hooks->on_child)
		r = hooks->on_child(hooks->data, talk->pid, talk->pidfd, &why);
	if (r == -ENOENT || r == -ESRCH)
		is_gone = lcx__pidfd_ends(talk->pidfd, END_MS) == 1;
	if (is_gone) {
		talk->untold = hooks && hooks->on_child;
		talk->pid = 0;
		return 0;
	}
	if (r < 0 && err)
		*err = TAKE_PTR(why);
	return r;
}

static int answer_child(struct talk *talk, int *fd, struct lcx_error **err)
{
	closep(&talk->pidfd);
	talk->pidfd = talk->child.next_fd = TAKE_FD(*fd);
	talk->monitor = talk->pid;
	talk->pid = lcx__pidfd_pid(talk->pidfd);
	/* Over already, and reaped, because the host ignores SIGCHLD: its pidfd still tells how. */
	if (talk->pid == -ESRCH)
		talk->pid = 0;
	if (talk->pid < 0)
		return lcx__fail_sys(err, -talk->pid, "find the process behind a pidfd");
	return --talk->n_forks == 0 ? tell_child(talk, err) : 0;
}

static int answer_maps(struct talk *talk, int *fd, struct lcx_error **err)
{
	const struct lcx__spawn_hooks *hooks = talk->spawn->hooks;
	int r = 0;

	(void)fd;
	if (hooks && hooks->on_maps)
		r = hooks->on_maps(hooks->data, talk->pid, talk->pidfd, err);
	return r < 0 ? r : lcx__child_continue(&talk->child, err);
}

static int answer_netlink(struct talk *talk, int *fd, struct lcx_error **err)
{
	const struct lcx__spawn_hooks *hooks = talk->spawn->hooks;

	if (talk->pid == 0)
		return 0;
	return hooks && hooks->on_netlink ? hooks->on_netlink(hooks->data, *fd, err) : 0;
}

/*
 * Whether each of the next steps is the kernel's alone, and done at once unless somebody holds it
 * up: hooks and who has a filter's listener take their time, and so may mounts from afar.
 */
static bool is_to_be_hurried(const struct lcx__compile *compile)
{
	const struct lcx__spec_hook_list *hooks = compile->spec->hooks.kind;

	return !compile->gate_fds &&
	       (compile->container || (hooks[LCX__HOOK_CREATE_CONTAINER].hooks.n == 0 &&
				       hooks[LCX__HOOK_START_CONTAINER].hooks.n == 0));
}

static int answer_ready(struct talk *talk, int *fd, struct lcx_error **err)
{
	const struct lcx__spawn_hooks *hooks = talk->spawn->hooks;
	int r = 0;

	(void)fd;
	if (hooks && hooks->on_ready)
		r = hooks->on_ready(hooks->data, err);
	if (is_to_be_hurried(talk->spawn->compile))
		talk->child.patience_ms = LCX__LAUNCH_PATIENCE_MS;
	return r < 0 ? r : lcx__child_continue(&talk->child, err);
}

static int answer_listener(struct talk *talk, int *fd, struct lcx_error **err)
{
	const struct lcx__spawn_hooks *hooks = talk->spawn->hooks;

	talk->child.patience_ms = -1;
	return hooks && hooks->on_listener ? hooks->on_listener(hooks->data, talk->pid, *fd, err)
					   : 0;
}

static int answer_terminal(struct talk *talk, int *fd, struct lcx_error **err)
{
	(void)err;
	closep(&talk->terminal_fd);
	talk->terminal_fd = TAKE_FD(*fd);
	return 0;
}

static int answer_waiting(struct talk *talk, int *fd, struct lcx_error **err)
{
	(void)fd;
	(void)err;
	talk->waits = true;
	return 0;
}

static int (*const answers[])(struct talk *talk, int *fd, struct lcx_error **err) = {
	[PLAN_MESSAGE_CHILD] = answer_child,       [PLAN_MESSAGE_MAPS] = answer_maps,
	[PLAN_MESSAGE_NETLINK] = answer_netlink,   [PLAN_MESSAGE_READY] = answer_ready,
	[PLAN_MESSAGE_TERMINAL] = answer_terminal, [PLAN_MESSAGE_LISTENER] = answer_listener,
	[PLAN_MESSAGE_WAITING] = answer_waiting,
};

/* Return: 0 once the program was executed; 1 if that is not so yet, and nobody shall wait for it.
 */
static int converse(struct talk *talk, bool waits, struct lcx_error **err)
{
	int type, r = 0;

	for (;;) {
		CLEANUP(closep) int fd = -1;

		if (!waits && lcx__poll_in(talk->child.control_fd, 0) == 0)
			return 1;
		type = lcx__child_receive(&talk->child, &fd, err);
		if (type == 0 && talk->n_forks > 0)
			return lcx__fail(err, ECANCELED,
					 "lcx-init was killed before there was a process");
		if (type == 0 && talk->untold)
			return lcx__fail(err, ECANCELED,
					 "the process was killed before it was the container's");
		if (type <= 0)
			return type;
		if ((size_t)type >= ARRAY_SIZE(answers) || !answers[type])
			return lcx__fail(err, EPROTO, "lcx-init says what nobody asked it");
		r = answers[type](talk, &fd, err);
		if (r < 0)
			return r;
	}
}

static void report_trace(void *data, uint32_t op, uint64_t ns)
{
	const struct talk *talk = data;
	const struct lcx__spawn_hooks *hooks = talk->spawn->hooks;
	char what[200];

	if (!hooks || !hooks->on_trace)
		return;
	lcx__plan_describe(talk->child.plan, op, what, sizeof(what));
	hooks->on_trace(hooks->data, what, ns);
}

static int launch(const struct lcx__compile *compile, const struct lcx__streams *streams,
		  struct talk *talk, struct lcx_error **err)
{
	struct lcx__compiled *compiled = &talk->compiled;
	const struct lcx__restoration *restoration = talk->spawn->restoration;
	struct lcx__launch launch = {
		.stdio = {streams->child[0], streams->child[1], streams->child[2]},
	};
	int r;

	if (restoration)
		r = lcx__compile_restore(compile, compiled, err);
	else
		r = compile->container ? lcx__compile_exec(compile, compiled, err)
				       : lcx__compile_start(compile, compiled, err);
	if (r == 0 && restoration)
		r = restoration->add_program(restoration->data, compiled->plan, streams->child,
					     err);
	if (r < 0)
		return r;
	/* The program's own words go nowhere: it says what is to be said over its line. */
	for (int i = 0; restoration && i < 3; i++)
		launch.stdio[i] = -1;
	launch.plan = compiled->plan;
	launch.cgroup_fd = compiled->cgroup_fd;
	launch.clone_flags = compiled->clone_flags;
	r = lcx__launch(&launch, &talk->child, err);
	if (r < 0)
		return r;
	talk->child.on_trace = report_trace;
	talk->child.trace_data = talk;
	if (compile->container && !talk->spawn->patient)
		talk->child.patience_ms = LCX__LAUNCH_PATIENCE_MS;
	return 0;
}

/* The launched process is the container's, unless the plan has it fork on. */
static int adopt_launched(struct talk *talk, struct lcx_error **err)
{
	talk->pid = talk->child.pid;
	talk->pidfd = fcntl(talk->child.pidfd, F_DUPFD_CLOEXEC, 3);
	if (talk->pidfd < 0)
		return lcx__fail_sys(err, errno, "keep a pidfd");
	return tell_child(talk, err);
}

struct lcx_process *lcx__process_abandon(struct lcx_process *process)
{
	if (process && !process->exited)
		lcx__pidfd_end(process->pidfd);
	return lcx_process_free(process);
}

/* To whoever serves it from now on. */
static int hand_over_terminal(struct talk *talk, struct lcx_error **err)
{
	static const char name[] = "/dev/ptmx";
	const struct lcx_stdio *stdio = talk->spawn->stdio;
	int r;

	if (!stdio || !stdio->has_console || talk->terminal_fd < 0)
		return 0;
	r = lcx__send_fd(stdio->console_fd, name, strlen(name), talk->terminal_fd);
	if (r < 0)
		return lcx__fail_sys(err, -r, "send the terminal to the console socket");
	closep(&talk->terminal_fd);
	return 0;
}

/* Who the program's user is on the host. -ENOENT: nobody that is known */
static int find_owner(const struct lcx__compile *compile, uint32_t *ret)
{
	const struct lcx_spec *spec = compile->container ? compile->container : compile->spec;
	const struct lcx__spec_namespace *users = lcx__spec_namespace(spec, CLONE_NEWUSER);
	uint32_t uid = compile->spec->process.user.uid.value;

	*ret = uid;
	if (!users)
		return 0;
	for (size_t i = 0; i < spec->linux_.uid_mappings.n; i++) {
		const struct lcx__spec_id_map *map = &spec->linux_.uid_mappings.items[i];

		if (uid - map->container_id.value < map->size.value) {
			*ret = map->host_id.value + (uid - map->container_id.value);
			return 0;
		}
	}
	return -ENOENT;
}

struct gift {
	const struct lcx__streams *streams;
	uint32_t uid;
};

static int give(void *data, struct lcx_error **err)
{
	const struct gift *gift = data;

	(void)err;
	lcx__streams_give(gift->streams, gift->uid);
	return 0;
}

/* For those who open them again as /dev/stdout; that it can't be done is no reason not to start. */
static void give_streams(const struct lcx__spawn *spawn, const struct lcx__streams *streams)
{
	struct gift gift = {streams, spawn->compile->spec->process.user.uid.value};

	if (spawn->ctx && spawn->ctx->subids && gift.uid > 0)
		(void)lcx__users_within(spawn->ctx, false, give, &gift, NULL);
	else if (find_owner(spawn->compile, &gift.uid) == 0)
		lcx__streams_give(streams, gift.uid);
}

/* The process whose parent the monitor is, and which it doesn't know. */
static int send_to_monitor(struct talk *talk, int adopt_fd, struct lcx_error **err)
{
	struct plan_message message = {.type = PLAN_MESSAGE_TERMINAL};
	int r = 0;

	if (talk->terminal_fd >= 0)
		r = lcx__send_fd(adopt_fd, &message, sizeof(message), talk->terminal_fd);
	message = (struct plan_message){.type = PLAN_MESSAGE_ADOPT, .op = (uint32_t)talk->pid};
	if (r == 0)
		r = lcx__send_fd(adopt_fd, &message, sizeof(message), talk->pidfd);
	closep(&talk->terminal_fd);
	return r < 0 ? lcx__fail_sys(err, -r, "name the restored process to the monitor") : 0;
}

/* What was executed makes the process, which takes its place. */
static int talk_restoration(struct talk *talk, int adopt_fd, struct lcx_error **err)
{
	const struct lcx__restoration *restoration = talk->spawn->restoration;
	CLEANUP(closep) int pidfd = -1;
	pid_t pid = -1;
	int r = restoration->talk(restoration->data, talk->pidfd, &pid, &talk->terminal_fd, err);

	if (r < 0)
		return r;
	pidfd = sys_pidfd_open(pid, 0);
	if (pidfd < 0)
		return lcx__fail_sys(err, -pidfd, "open the restored process %d", pid);
	closep(&talk->pidfd);
	talk->pidfd = TAKE_FD(pidfd);
	talk->pid = pid;
	return adopt_fd >= 0 ? send_to_monitor(talk, adopt_fd, err) : 0;
}

static int begin_talk(const struct lcx__compile *compile, struct lcx__streams *streams,
		      struct talk *talk, struct lcx_error **err)
{
	int r;

	give_streams(talk->spawn, streams);
	r = launch(compile, streams, talk, err);
	if (r < 0)
		return r;
	talk->n_forks = lcx__compile_n_forks(compile);
	/* Our copies of the child's ends would keep the streams from ever ending. */
	lcx__streams_close_child(streams);
	return talk->n_forks == 0 ? adopt_launched(talk, err) : 0;
}

/* It would stay a zombie of the host's otherwise. */
static int give_up(struct talk *talk, int r)
{
	if (talk->pidfd >= 0)
		lcx__pidfd_end(talk->pidfd);
	closep(&talk->pidfd);
	return r;
}

/* @r: what came of the conversation. */
static int end_talk(struct talk *talk, int r, struct lcx_error **err)
{
	if (r == 0 && talk->spawn->restoration)
		r = talk_restoration(talk, talk->adopt_fd, err);
	else if (r == 0 && talk->spawn->compile->gate_fds && !talk->waits)
		r = lcx__fail(err, ECANCELED, "lcx-init was killed before it could be started");
	if (r == 0)
		r = hand_over_terminal(talk, err);
	return r < 0 ? give_up(talk, r) : 0;
}

static int take_process(struct talk *talk, struct lcx__streams *streams,
			struct lcx_process *process, struct lcx_error **err)
{
	const struct lcx__spawn *spawn = talk->spawn;
	int r;

	process->pid = talk->pid;
	process->pidfd = TAKE_FD(talk->pidfd);
	process->terminal_fd = TAKE_FD(talk->terminal_fd);
	process->is_exec = spawn->compile->container != NULL;
	process->log = spawn->log;
	/* What was launched either lives on as the process, or ended when it handed over. */
	if (talk->pid == talk->child.pid) {
		closep(&talk->child.pidfd);
		closep(&talk->child.control_fd);
		talk->child = LCX__CHILD_NONE;
	} else {
		lcx__child_reap(&talk->child);
	}
	r = lcx__process_connect(process, spawn->stdio, streams, err);
	if (r < 0)
		lcx__pidfd_end(process->pidfd);
	return r;
}

/* ---- a process that is waited for, and one that is not ------------------- */

struct lcx__spawning {
	struct lcx__spawn spawn;
	struct lcx__compile compile; /* of which only flags are looked at, once it has begun */
	struct lcx__spawn_hooks hooks;
	struct lcx_process *process;
	struct lcx__streams streams;
	struct talk talk;
	bool is_waited_for;
};

DEFINE_CLEANUP(struct lcx__spawning *, lcx__spawning_free)

struct lcx__spawning *lcx__spawning_free(struct lcx__spawning *spawning)
{
	if (!spawning)
		return NULL;
	if (spawning->talk.pidfd >= 0)
		lcx__pidfd_end(spawning->talk.pidfd);
	talk_clear(&spawning->talk);
	lcx__streams_close(&spawning->streams);
	lcx_process_free(spawning->process);
	free(spawning);
	return NULL;
}

int lcx__spawning_fd(const struct lcx__spawning *spawning)
{
	return spawning->talk.child.control_fd;
}

void lcx__spawning_kill(struct lcx__spawning *spawning)
{
	const struct talk *talk = &spawning->talk;

	(void)sys_pidfd_send_signal(talk->child.pidfd, SIGKILL);
	if (talk->pidfd >= 0)
		(void)sys_pidfd_send_signal(talk->pidfd, SIGKILL);
}

int lcx__spawn_begin(const struct lcx__spawn *spawn, struct lcx__spawning **ret,
		     struct lcx_error **err)
{
	CLEANUP(lcx__spawning_freep) struct lcx__spawning *spawning = calloc(1, sizeof(*spawning));
	int r;

	if (!spawning)
		return lcx__fail_nomem(err);
	spawning->spawn = *spawn;
	spawning->compile = *spawn->compile;
	spawning->spawn.compile = &spawning->compile;
	if (spawn->hooks) {
		spawning->hooks = *spawn->hooks;
		spawning->spawn.hooks = &spawning->hooks;
	}
	spawning->streams = LCX__STREAMS_NONE;
	spawning->talk = TALK_NONE(&spawning->spawn);
	r = lcx__process_new(&spawning->process, err);
	if (r == 0)
		r = lcx__streams_open(spawn->stdio, &spawning->streams, err);
	if (r == 0)
		r = begin_talk(&spawning->compile, &spawning->streams, &spawning->talk, err);
	if (r == 0)
		*ret = TAKE_PTR(spawning);
	return r;
}

int lcx__spawn_go_on(struct lcx__spawning *spawning, struct lcx_process **ret,
		     struct lcx_error **err)
{
	struct talk *talk = &spawning->talk;
	int r = converse(talk, spawning->is_waited_for, err);

	if (r == 1)
		return 1;
	r = end_talk(talk, r, err);
	if (r == 0)
		r = take_process(talk, &spawning->streams, spawning->process, err);
	if (r == 0)
		*ret = TAKE_PTR(spawning->process);
	return r;
}

int lcx__spawn(const struct lcx__spawn *spawn, struct lcx_process **ret, struct lcx_error **err)
{
	CLEANUP(lcx__spawning_freep) struct lcx__spawning *spawning = NULL;
	int r = lcx__spawn_begin(spawn, &spawning, err);

	if (r < 0)
		return r;
	spawning->is_waited_for = true;
	return lcx__spawn_go_on(spawning, ret, err);
}

static int open_adoption(struct talk *talk, int *ret_theirs, struct lcx_error **err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return lcx__fail_sys(err, errno, "make a socket for the monitor");
	talk->adopt_fd = pair[0];
	*ret_theirs = pair[1];
	return 0;
}

int lcx__spawn_detached(const struct lcx__spawn *spawn, struct plan_monitor *monitor,
			pid_t *ret_monitor, struct lcx_error **err)
{
	CLEANUP(lcx__streams_close) struct lcx__streams streams = LCX__STREAMS_NONE;
	CLEANUP(talk_clear)
	struct talk talk = TALK_NONE(spawn);
	struct lcx__compile compile = *spawn->compile;
	CLEANUP(closep) int adopted_fd = -1;
	int r;

	monitor->adopt_fd = -1;
	if (spawn->restoration) {
		r = open_adoption(&talk, &adopted_fd, err);
		if (r < 0)
			return r;
		monitor->adopt_fd = adopted_fd;
	}
	r = spawn->stdio && spawn->stdio->mode == LCX__STDIO_PASSTHROUGH
		    ? lcx__streams_open(spawn->stdio, &streams, err)
		    : lcx__streams_open_detached(monitor->terminal != 0, spawn->open_input,
						 &streams, err);
	if (r < 0)
		return r;
	/* The monitor reads where we would: it blocks in poll(), never in read(). */
	monitor->in_fd = streams.host[0];
	monitor->out_fd = streams.host[1];
	monitor->err_fd = streams.host[2];
	compile.monitor = monitor;
	r = begin_talk(&compile, &streams, &talk, err);
	r = r < 0 ? give_up(&talk, r) : end_talk(&talk, converse(&talk, true, err), err);
	if (r < 0)
		return r;
	lcx__child_reap(&talk.child);
	*ret_monitor = talk.monitor;
	return 0;
}
