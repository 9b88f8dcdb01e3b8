/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "container/attach.h"
#include "container/event.h"
#include "container/restart.h"
#include "lcx/net.h"
#include "net/net.h"
#include "ns/ns.h"
#include "security/seccomp.h"
#include "util/fs.h"

/*
 * Theory of operation. Starting is the table `stages` below: each stage prepares
 * something that the launch needs, and writes its intent into the journal before
 * it makes a kernel object. Undoing is lcx__container_teardown(), which replays the
 * journal, whether a stage fails here or a crash leaves it to somebody else.
 *
 * The process itself then sets up its file system (lib/process) while this side,
 * at the same time, gives it its network; both meet at READY.
 */

enum { SETTLE_TIMEOUT_MS = 10000 };

struct start {
	struct lcx_container *c;
	const struct lcx_stdio *stdio;
	bool detached;
	bool again;    /* by a supervisor, as the restart policy says */
	bool attached; /* to the monitor, from the first byte on */

	struct lcx__entrance entrance;
	void *seccomp;
	size_t seccomp_size;
	struct lcx_network *network;
	struct lcx_attachment *attachment;
	char *staging, *upper, *work;
	struct plan_monitor monitor;
	struct lcx_attach *attach;
	int listen_fd, client_fd, event_dir_fd; /* the monitor's */

	pid_t pid, monitor_pid;
	int netns_fd;
	int64_t began_ns; /* of the step in progress */
};

static void start_clear(struct start *s)
{
	lcx__entrance_clear(&s->entrance);
	free(s->seccomp);
	lcx_network_free(s->network);
	lcx_attachment_free(s->attachment);
	free(s->staging);
	free(s->upper);
	free(s->work);
	lcx_attach_free(s->attach);
	closep(&s->listen_fd);
	closep(&s->client_fd);
	closep(&s->event_dir_fd);
	closep(&s->netns_fd);
}

/* ---- steps, for diagnosis ----------------------------------------------- */

static void add_step(struct lcx_container *c, const char *indent, const char *name, int64_t ns)
{
	struct step *bigger = realloc(c->steps, (c->n_steps + 1) * sizeof(*bigger));
	char *text = lcx__format("%s%s", indent, name);

	if (bigger)
		c->steps = bigger;
	if (!bigger || !text) {
		free(text);
		return; /* a diagnosis that is short of memory is short */
	}
	c->steps[c->n_steps++] = (struct step){.name = text, .ns = ns};
}

static void forget_steps(struct lcx_container *c)
{
	while (c->n_steps > 0)
		free(c->steps[--c->n_steps].name);
}

/* ---- stages ------------------------------------------------------------- */

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
	c->run.boot_id = strdup(boot_id);
	return s->staging && c->run.boot_id ? 0 : lcx__fail_nomem(err);
}

static int stage_rootfs(struct start *s, struct lcx_error **err)
{
	struct lcx_container *c = s->c;

	if (!c->d.layers)
		return 0;
	s->upper = lcx__format("%s/containers/%s/upper", c->ctx->root_dir, c->d.id);
	s->work = lcx__format("%s/containers/%s/work", c->ctx->root_dir, c->d.id);
	if (!s->upper || !s->work)
		return lcx__fail_nomem(err);
	return lcx__container_renew_volatile(c, err);
}

/* Contents that depend on the address are filled in later, into the same files. */
static int write_file(struct lcx_container *c, const char *name, const char *text,
		      struct lcx_error **err)
{
	CLEANUP(closep)
	int fd = openat(c->dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0644);
	int r;

	if (fd < 0 || fchmod(fd, 0644) < 0)
		return lcx__fail_sys(err, errno, "write '%s'", name);
	r = lcx__write_all(fd, text, strlen(text));
	return r < 0 ? lcx__fail_sys(err, -r, "write '%s'", name) : 0;
}

static const char *hostname_of(const struct lcx_container *c)
{
	return c->spec->hostname ? c->spec->hostname : "localhost";
}

static int write_hosts(struct start *s, struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	const char *address = s->attachment ? lcx_attachment_address(s->attachment) : NULL;
	int r = lcx_net_hosts_file(hostname_of(s->c), address, &text, err);

	return r < 0 ? r : write_file(s->c, "hosts", text, err);
}

static int stage_files(struct start *s, struct lcx_error **err)
{
	CLEANUP(freep) char *hostname = NULL, *resolv = NULL;
	int r;

	if (s->c->d.rootfs)
		return 0;
	r = lcx_net_hostname_file(hostname_of(s->c), &hostname, err);
	if (r == 0)
		r = write_file(s->c, "hostname", hostname, err);
	if (r == 0)
		r = lcx_net_resolv_conf(NULL, NULL, NULL, NULL,
					strcmp(s->c->d.network, "host") == 0, &resolv, err);
	if (r == 0)
		r = write_file(s->c, "resolv.conf", resolv, err);
	if (r == 0)
		r = write_hosts(s, err);
	return r;
}

static int stage_cgroup(struct start *s, struct lcx_error **err)
{
	int r = lcx__container_make_cgroup(s->c, err);

	return r < 0 ? r : lcx__container_enter_cgroup(s->c, &s->entrance, err);
}

static int stage_seccomp(struct start *s, struct lcx_error **err)
{
	return lcx__container_seccomp(s->c, s->c->spec, &s->seccomp, &s->seccomp_size, err);
}

static int stage_network(struct start *s, struct lcx_error **err)
{
	struct lcx_container *c = s->c;
	int r;

	if (!lcx__container_has_network(c))
		return 0;
	r = lcx_network_open(c->ctx, c->d.network, &s->network, err);
	if (r == 0)
		r = lcx_attachment_new(c->d.id, &s->attachment, err);
	for (char **port = c->d.ports; r == 0 && port && *port; port++) {
		CLEANUP(lcx_port_freep) struct lcx_port *parsed = NULL;

		r = lcx_port_parse(*port, &parsed, err);
		if (r == 0)
			r = lcx_attachment_add_port(s->attachment, parsed, err);
	}
	/* A taken port is an error before anything is made. */
	if (r == 0)
		r = lcx__network_plan(c->ctx, s->network, s->attachment, err);
	if (r == 0)
		r = lcx__journal_add(c->run_fd, "network", c->d.network, err);
	return r;
}

static const char *log_option(const struct lcx_container *c, const char *key)
{
	for (size_t i = 0; i < c->d.log_options.n; i++)
		if (strcmp(c->d.log_options.items[i].key, key) == 0)
			return c->d.log_options.items[i].value;
	return NULL;
}

static int stage_log(struct start *s, struct lcx_error **err)
{
	struct lcx_container *c = s->c;
	const char *size = log_option(c, "max-size"), *files = log_option(c, "max-file");
	uint64_t max_size = 0;
	uint32_t max_files = 1;
	int r;

	if (strcmp(c->d.log_driver, "none") == 0 ||
	    (s->stdio && s->stdio->mode == LCX__STDIO_PASSTHROUGH))
		return 0;
	if ((size && lcx__parse_size(size, &max_size) < 0) ||
	    (files && lcx__parse_count(files, &max_files) < 0))
		return lcx__fail(err, EINVAL, "the log options do not make sense");
	s->monitor.log_max_size_bytes = max_size;
	s->monitor.log_max_files = max_files;
	(void)snprintf(s->monitor.log_name, sizeof(s->monitor.log_name), "%s",
		       lcx__log_driver_file(c->d.log_driver));
	s->monitor.log_format = (uint32_t)lcx__log_driver_format(c->d.log_driver);
	if (s->detached) {
		s->monitor.log_dir_fd = c->dir_fd;
		return 0;
	}
	c->log = malloc(sizeof(*c->log));
	if (!c->log)
		return lcx__fail_nomem(err);
	lcx__log_writer_init(c->log);
	r = lcx__log_writer_open(c->log, c->dir_fd, s->monitor.log_name,
				 (enum lcx_log_format)s->monitor.log_format, max_size, max_files);
	return r < 0 ? lcx__fail_sys(err, -r, "open the log") : 0;
}

static int stage_attach(struct start *s, struct lcx_error **err)
{
	int r = 0;

	if (!s->detached)
		return 0;
	s->listen_fd = lcx__attach_listen(s->c->run_fd, err);
	if (s->listen_fd < 0)
		return s->listen_fd;
	if (s->attached)
		r = lcx__attach_prepare(s->stdio, lcx__container_display(s->c), &s->attach,
					&s->client_fd, err);
	s->monitor.listen_fd = s->listen_fd;
	s->monitor.client_fd = s->client_fd;
	return r;
}

/* A monitor tells itself what happens, so that it does so in the right order. */
static int stage_events(struct start *s, struct lcx_error **err)
{
	CLEANUP(freep) char *started = NULL, *exited = NULL;

	if (!s->detached)
		return 0;
	started = lcx__event_text(s->c, "started", NULL);
	exited = lcx__event_exit_head(s->c);
	if (!started || !exited)
		return lcx__fail_nomem(err);
	if (strlen(started) >= PLAN_EVENT_SIZE || strlen(exited) >= PLAN_EVENT_SIZE)
		return 0;
	s->event_dir_fd = lcx__event_dir(s->c->ctx);
	if (s->event_dir_fd < 0)
		return lcx__fail_sys(err, -s->event_dir_fd, "open the events");
	s->monitor.event_dir_fd = s->event_dir_fd;
	memcpy(s->monitor.started, started, strlen(started) + 1);
	memcpy(s->monitor.exited, exited, strlen(exited) + 1);
	return 0;
}

/* ---- while it is launched ----------------------------------------------- */

static int on_child(void *data, pid_t pid, int pidfd, struct lcx_error **err)
{
	struct start *s = data;
	CLEANUP(freep) char *object = NULL;
	char path[64];
	int64_t start_time;
	int r;

	(void)pidfd;
	s->pid = pid;
	r = lcx__read_start_time(pid, &start_time);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read the start time of process %d", pid);
	s->c->run.pid = (struct lcx__opt_i64)LCX__OPT(pid);
	s->c->run.start_time = (struct lcx__opt_i64)LCX__OPT(start_time);
	object = lcx__format("%d %lld", pid, (long long)start_time);
	if (!object)
		return lcx__fail_nomem(err);
	r = lcx__journal_add(s->c->run_fd, "process", object, err);
	if (r < 0 || !s->attachment)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	s->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	return s->netns_fd < 0 ? lcx__fail_sys(err, errno, "open the network namespace") : 0;
}

static int add_range(struct lcx_idmap *map, enum lcx_id_kind kind,
		     const struct lcx__spec_id_map *range, struct lcx_error **err)
{
	return lcx_idmap_add(map, kind, range->container_id.value, range->host_id.value,
			     range->size.value, err);
}

static int on_maps(void *data, pid_t pid, int pidfd, struct lcx_error **err)
{
	const struct lcx__spec_linux *linux_ = &((struct start *)data)->c->spec->linux_;
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	int r = lcx_idmap_new(&map, err);

	for (size_t i = 0; r == 0 && i < linux_->uid_mappings.n; i++)
		r = add_range(map, LCX_ID_USER, &linux_->uid_mappings.items[i], err);
	for (size_t i = 0; r == 0 && i < linux_->gid_mappings.n; i++)
		r = add_range(map, LCX_ID_GROUP, &linux_->gid_mappings.items[i], err);
	return r < 0 ? r : lcx__idmap_write_child(map, pid, pidfd, err);
}

static int on_netlink(void *data, int netlink_fd, struct lcx_error **err)
{
	struct start *s = data;
	int64_t began = lcx__monotonic_ns();
	int r;

	r = lcx__network_apply(s->c->ctx, s->network, s->attachment, s->netns_fd, netlink_fd, err);
	closep(&s->netns_fd);
	add_step(s->c, " ", "attach to the network", lcx__monotonic_ns() - began);
	return lcx__fail_stage(err, r, "network");
}

static int on_ready(void *data, struct lcx_error **err)
{
	struct start *s = data;

	return s->attachment && !s->c->d.rootfs ? write_hosts(s, err) : 0;
}

static void on_trace(void *data, const char *what, uint64_t ns)
{
	struct start *s = data;

	add_step(s->c, " ", what, (int64_t)ns);
}

static bool wants_input(const struct start *s)
{
	return s->c->d.stdin_open.value || (s->attached && s->stdio && s->stdio->fds[0] >= 0);
}

static int stage_launch(struct start *s, struct lcx_error **err)
{
	struct lcx_container *c = s->c;
	struct lcx__compile compile = {
		.spec = c->spec,
		.layers = (const char *const *)c->d.layers,
		.upper = s->upper,
		.work = s->work,
		.volatile_changes = lcx__container_is_volatile(c),
		.rootfs = c->d.rootfs,
		.staging = s->staging,
		.join_fds = s->entrance.join_fds,
		.n_join_fds = s->entrance.n_join_fds,
		.cgroup = s->entrance.name,
		.cgroup_fd = s->entrance.into_fd,
		.seccomp = s->seccomp,
		.seccomp_size = s->seccomp_size,
		.netlink = s->attachment != NULL,
		.reaper = c->d.init.value,
		.make_cwd = c->d.image != NULL,
		.trace = c->debug,
	};
	struct lcx__spawn_hooks hooks = {s, on_child, on_maps, on_netlink, on_ready, on_trace};
	struct lcx__spawn spawn = {
		.compile = &compile,
		.exec_pidfd = -1,
		.stdio = s->stdio,
		.open_input = wants_input(s),
		.log = c->log,
		.hooks = &hooks,
	};

	if (!s->detached)
		return lcx__spawn(&spawn, &c->process, err);
	s->monitor.state_dir_fd = c->dir_fd;
	s->monitor.owner_fd = c->owner_fd;
	s->monitor.terminal = c->spec->process.terminal.value;
	return lcx__spawn_detached(&spawn, &s->monitor, &s->monitor_pid, err);
}

static char *describe_ports(const struct lcx_attachment *attachment)
{
	struct lcx__strbuf text = STRBUF_EMPTY;

	for (uint32_t i = 0; i < lcx_attachment_port_count(attachment); i++) {
		const struct lcx_port *port = lcx_attachment_port(attachment, i);
		uint16_t last = (uint16_t)(lcx_port_count(port) - 1);

		lcx__strbuf_addf(&text, "%s%s:%u", i ? ", " : "", lcx_port_host_address(port),
				 lcx_port_host_port(port));
		if (last)
			lcx__strbuf_addf(&text, "-%u", lcx_port_host_port(port) + last);
		lcx__strbuf_addf(&text, "->%u", lcx_port_container_port(port));
		if (last)
			lcx__strbuf_addf(&text, "-%u", lcx_port_container_port(port) + last);
		lcx__strbuf_addf(&text, "/%s", lcx_port_protocol(port));
	}
	return lcx__strbuf_take(&text);
}

/* From here on it is a running container for everybody. */
static int stage_record(struct start *s, struct lcx_error **err)
{
	struct lcx_container *c = s->c;
	pid_t owner = s->detached ? s->monitor_pid : getpid();
	int64_t owner_start_time = 0;
	CLEANUP(freep) char *started = NULL;
	int r;

	r = lcx__read_start_time(owner, &owner_start_time);
	/* A short program, and a monitor that has done all its work: nobody will look for it. */
	if (r == -ESRCH && s->detached)
		r = 0;
	if (r < 0)
		return lcx__fail_sys(err, -r, "read the start time of process %d", owner);
	c->run.owner_pid = (struct lcx__opt_i64)LCX__OPT(owner);
	c->run.owner_start_time = (struct lcx__opt_i64)LCX__OPT(owner_start_time);
	c->run.started_ns = (struct lcx__opt_i64)LCX__OPT(lcx__now_ns());
	c->run.terminal = (struct lcx__opt_bool)LCX__OPT(c->spec->process.terminal.value);
	c->run.stdin_open = (struct lcx__opt_bool)LCX__OPT(c->run.terminal.value || wants_input(s));
	if (s->attachment) {
		c->run.address = strdup(lcx_attachment_address(s->attachment));
		c->run.mac = strdup(lcx_attachment_mac(s->attachment));
		c->run.ports = describe_ports(s->attachment);
		if (!c->run.address || !c->run.mac || !c->run.ports)
			return lcx__fail_nomem(err);
	}
	started = lcx__format("%lld %s\n", (long long)c->run.started_ns.value, c->run.boot_id);
	if (!started)
		return lcx__fail_nomem(err);
	r = lcx__replace_file(c->dir_fd, "started", started, strlen(started), 0600, false);
	if (r < 0)
		return lcx__fail_sys(err, -r, "record the start");
	return lcx__run_state_save(&c->run, c->run_fd, err);
}

static const struct {
	const char *name;
	int (*run)(struct start *s, struct lcx_error **err);
} stages[] = {
	{"state", stage_claim},    {"rootfs", stage_rootfs},   {"files", stage_files},
	{"cgroup", stage_cgroup},  {"seccomp", stage_seccomp}, {"network", stage_network},
	{"log", stage_log},        {"attach", stage_attach},   {"events", stage_events},
	{"process", stage_launch}, {"state", stage_record},
};

static int run_stages(struct start *s, struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		int64_t began = lcx__monotonic_ns();
		int r = stages[i].run(s, err);

		add_step(s->c, "", stages[i].name, lcx__monotonic_ns() - began);
		if (r < 0)
			return lcx__fail_stage(err, r, stages[i].name);
	}
	return 0;
}

/* ---- the transaction ---------------------------------------------------- */

static void give_up(struct lcx_container *c)
{
	c->process = lcx__process_abandon(c->process);
	/* The failure that is being reported is the cause; what is left, lcx_gc() finds by the
	 * journal. */
	(void)unlinkat(c->dir_fd, "started", 0);
	(void)lcx__container_teardown(c, NULL);
	closep(&c->owner_fd);
	closep(&c->run_fd);
	lcx__run_state_clear(&c->run);
	c->state = LCX_CONTAINER_CREATED;
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
	if (!s->again) {
		lcx__restart_forget(s->c);
		return 0;
	}
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
	if (c->log)
		(void)lcx__log_writer_close(c->log);
	free(TAKE_PTR(c->log));
	c->oom_killed = false;
	(void)unlinkat(c->dir_fd, "exit", 0);
	(void)unlinkat(c->dir_fd, "oom", 0);
	return 0;
}

/* A monitor's container has a terminal if it was described so; it is this program's otherwise. */
static int apply_stdio(const struct start *s, struct lcx_error **err)
{
	const struct lcx_stdio *stdio = s->stdio;
	struct lcx_container *c = s->c;
	bool has_fds = stdio && (stdio->fds[0] >= 0 || stdio->fds[1] >= 0 || stdio->fds[2] >= 0);

	if (stdio && s->detached &&
	    (stdio->mode != LCX__STDIO_CAPTURE || (has_fds && !s->attached)))
		return lcx__fail(err, EINVAL,
				 "a detached container keeps no descriptor of its starter's");
	if (s->detached && c->spec->process.terminal.value && (!stdio || !stdio->terminal))
		return 0;
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
	add_step(c, "", "create", lcx__monotonic_ns() - began);
	return r;
}

static int start(struct start *s, struct lcx_error **err)
{
	CLEANUP(closep) int lock_fd = -1;
	struct lcx_container *c = s->c;
	int r;

	forget_steps(c);
	r = create_first(c, s->stdio, err);
	if (r < 0)
		return r;
	r = settle(c, err);
	if (r == 0)
		r = lcx__container_lock(c, &lock_fd, err);
	if (r == 0)
		r = prepare(s, err);
	if (r == 0)
		r = apply_stdio(s, err);
	if (r < 0)
		return r;
	r = run_stages(s, err);
	if (r == 0)
		r = lcx__loop_add(c, err);
	if (r < 0) {
		give_up(c);
		return r;
	}
	/* The monitor holds the owner's lock now. */
	if (s->detached)
		closep(&c->owner_fd);
	else
		lcx__event_emit(c, "started", NULL);
	c->state = LCX_CONTAINER_RUNNING;
	c->started_ns = c->run.started_ns.value;
	c->finished_ns = 0;
	c->exit_status = LCX_EXIT_UNKNOWN;
	return 0;
}

static struct start start_of(struct lcx_container *c, const struct lcx_stdio *stdio)
{
	return (struct start){
		.c = c,
		.stdio = stdio,
		.netns_fd = -1,
		.listen_fd = -1,
		.client_fd = -1,
		.event_dir_fd = -1,
		.monitor = {.log_dir_fd = -1,
			    .out_fd = -1,
			    .err_fd = -1,
			    .in_fd = -1,
			    .listen_fd = -1,
			    .client_fd = -1,
			    .cgroup_fd = -1,
			    .event_dir_fd = -1},
	};
}

LCX_PUBLIC int lcx_container_start(struct lcx_container *c, const struct lcx_stdio *stdio,
				   struct lcx_error **err)
{
	CLEANUP(start_clear) struct start s = start_of(c, stdio);

	return start(&s, err);
}

LCX_PUBLIC int lcx_container_start_detached(struct lcx_container *c, const struct lcx_stdio *stdio,
					    struct lcx_error **err)
{
	CLEANUP(start_clear) struct start s = start_of(c, stdio);

	s.detached = true;
	return start(&s, err);
}

int lcx__container_start_again(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(start_clear) struct start s = start_of(c, NULL);

	s.detached = s.again = true;
	return start(&s, err);
}

LCX_PUBLIC int lcx_container_start_attached(struct lcx_container *c, const struct lcx_stdio *stdio,
					    struct lcx_attach **ret, struct lcx_error **err)
{
	CLEANUP(start_clear) struct start s = start_of(c, stdio);
	int r;

	s.detached = s.attached = true;
	r = start(&s, err);
	if (r == 0)
		*ret = TAKE_PTR(s.attach);
	return r;
}

LCX_PUBLIC uint32_t lcx_container_step_count(const struct lcx_container *c)
{
	return c->n_steps;
}

LCX_PUBLIC const char *lcx_container_step_name(const struct lcx_container *c, uint32_t index)
{
	return index < c->n_steps ? c->steps[index].name : NULL;
}

LCX_PUBLIC int64_t lcx_container_step_ns(const struct lcx_container *c, uint32_t index)
{
	return index < c->n_steps ? c->steps[index].ns : 0;
}
