/* SPDX-License-Identifier: MIT */
#include "container/checkpoint/checkpoint.h"
#include "container/start/start.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include "lcx/ns.h"
#include "net/net.h"
#include "netlink/netlink.h"
#include "ns/ns.h"
#include "spec/spec.h"
#include "util/fs.h"

/*
 * Theory of operation. A restore is a start whose process is made by criu: all that is made for a
 * process by the library, its root, cgroup, network, log and monitor, is made as by a start, with
 * the same journal. criu is executed where the process would be: in the container's cgroup and
 * cgroup namespace, as a child of who is to own it; in a mount namespace in which the root
 * is mounted, and which goes with it. It makes all other namespaces, and the first process as
 * its own sibling, and ends.
 *
 * The network namespace is made before, and is handed over by descriptor; so are the standard
 * streams.
 */

#define RESTORE_LOG "restore.log"

struct lcx__restoring {
	struct lcx_checkpoint *own; /* without options, if there were none */
	const struct lcx_checkpoint *o;
	struct lcx__checkpoint_place place;
	struct lcx__stream_names streams;
	struct lcx__kept_networks networks;
	struct lcx__strbuf options, request;
	bool is_mended; /* its mounts have their flags */
	int line_fd, theirs_fd, netns_fd, null_fd, terminal_fd;
};

void lcx__restoring_clear(struct lcx__restoring *re)
{
	if (!re)
		return;
	lcx_checkpoint_free(re->own);
	lcx__checkpoint_place_close(&re->place);
	lcx__stream_names_clear(&re->streams);
	lcx__kept_networks_clear(&re->networks);
	lcx__strbuf_free(&re->options);
	lcx__strbuf_free(&re->request);
	closep(&re->line_fd);
	closep(&re->theirs_fd);
	closep(&re->netns_fd);
	closep(&re->null_fd);
	closep(&re->terminal_fd);
	free(re);
}

int lcx__start_open_images(struct start *s, struct lcx_error **err)
{
	struct lcx__restoring *re = s->restoring;
	int r = lcx__container_load_state(s->c, err);

	if (r == 0 && lcx__container_is_running(s->c))
		r = lcx__fail(err, EALREADY, "it is running");
	if (r == 0)
		r = lcx__container_load_spec(s->c, err);
	if (r == 0)
		r = lcx__checkpoint_check(s->c, err);
	if (r == 0)
		r = lcx__pages_check(re->o, LCX__CHECKPOINT_RESTORE, err);
	if (r == 0)
		r = lcx__checkpoint_open_place(s->c, re->o, &re->place, err);
	if (r == 0)
		r = lcx__pages_check_mark(re->o, re->place.images_fd, err);
	if (r == 0)
		r = lcx__checkpoint_load_streams(re->place.images_fd, &re->streams, err);
	if (r == 0)
		r = lcx__checkpoint_load_networks(re->place.images_fd, &re->networks, err);
	return r == 0 ? lcx__criu_check_version(re->o->criu, err) : r;
}

int lcx__start_keep_addresses(struct start *s, struct place *place, struct lcx_error **err)
{
	return s->restoring ? lcx__kept_networks_apply(&s->restoring->networks,
						       lcx_network_name(place->network),
						       place->attachment, err)
			    : 0;
}

/* ---- the network -------------------------------------------------------- */

static int join_network(struct start *s, const char *path, struct lcx_error **err)
{
	struct lcx__restoring *re = s->restoring;

	for (size_t i = 0; i < s->n_shared; i++)
		if (s->shared[i].flag == CLONE_NEWNET)
			re->netns_fd = fcntl(s->shared[i].fd, F_DUPFD_CLOEXEC, 3);
	if (re->netns_fd < 0)
		re->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	return re->netns_fd < 0 ? lcx__fail_sys(err, errno, "open the network namespace '%s'", path)
				: 0;
}

/* As a start does it when the interfaces are there; the other sysctls are in the images. */
static void add_sysctls(const struct lcx_spec *spec, struct lcx__plan *plan)
{
	for (size_t i = 0; i < spec->linux_.sysctl.n; i++) {
		const struct lcx__key_value *item = &spec->linux_.sysctl.items[i];
		CLEANUP(freep) char *path = NULL;
		struct plan_op *op;

		if (strncmp(item->key, "net", 3) != 0 ||
		    (item->key[3] != '.' && item->key[3] != '/'))
			continue;
		path = lcx__sysctl_path(item->key);
		op = lcx__plan_add(plan, PLAN_SYSCTL);
		op->str[0] = lcx__plan_string(plan, path ? path : item->key);
		op->str[1] = lcx__plan_string(plan, item->value);
	}
}

static int finish_network(struct start *s, struct lcx_error **err)
{
	CLEANUP(lcx__plan_freep) struct lcx__plan *plan = NULL;
	struct lcx__launch launch = {.cgroup_fd = -1, .stdio = {-1, -1, -1}};
	CLEANUP(lcx__child_abandonp) struct lcx__child child = LCX__CHILD_NONE;
	struct plan_op *op;
	int r = lcx__plan_new(&plan, err);

	if (r < 0)
		return r;
	op = lcx__plan_add(plan, PLAN_SETNS);
	op->fd = lcx__plan_fd(plan, s->restoring->netns_fd);
	op->str[0] = lcx__plan_string(plan, "network");
	op->num[0] = CLONE_NEWNET;
	(void)lcx__plan_add(plan, PLAN_LOOPBACK);
	add_sysctls(s->c->spec, plan);
	launch.plan = plan;
	r = lcx__launch(&launch, &child, err);
	return r == 0 ? lcx__child_receive(&child, NULL, err) : r;
}

static int attach(struct start *s, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *inner = NULL;
	int r = lcx_netlink_open_netns(s->restoring->netns_fd, &inner, err);

	if (r < 0)
		return r;
	s->netns_fd = fcntl(s->restoring->netns_fd, F_DUPFD_CLOEXEC, 3);
	if (s->netns_fd < 0)
		return lcx__fail_sys(err, errno, "keep the network namespace");
	r = lcx__start_on_netlink(s, lcx_netlink_fd(inner), err);
	return r == 0 ? lcx__start_write_hosts(s, err) : r;
}

static int make_network(struct start *s, struct lcx_error **err)
{
	const struct lcx__spec_namespace *ns = lcx__spec_namespace(s->c->spec, CLONE_NEWNET);
	CLEANUP(lcx_ns_set_freep) struct lcx_ns_set *set = NULL;
	int r;

	if (!ns)
		return 0;
	if (ns->path)
		return join_network(s, ns->path, err);
	r = lcx_ns_create(LCX_NS_NET, NULL, &set, err);
	if (r < 0)
		return r;
	s->restoring->netns_fd = fcntl(lcx_ns_set_fd(set, LCX_NS_NET), F_DUPFD_CLOEXEC, 3);
	if (s->restoring->netns_fd < 0)
		return lcx__fail_sys(err, errno, "keep the network namespace");
	if (s->n_places > 0)
		r = attach(s, err);
	return r == 0 ? finish_network(s, err) : r;
}

/* ---- criu --------------------------------------------------------------- */

/* A stream that was another's of the three is that again. */
static bool is_again(const struct lcx__stream_names *streams, int i)
{
	for (int j = 0; j < i; j++)
		if (strcmp(streams->names[j], streams->names[i]) == 0)
			return true;
	return false;
}

/* criu sets the position that a file had, and says of what has none no more than "Illegal seek". */
static int check_is_file(const char *name, int fd, int i, struct lcx_error **err)
{
	static const char *const names[] = {"input", "output", "error"};

	if (strncmp(name, "file[", 5) != 0 || lseek(fd, 0, SEEK_CUR) >= 0)
		return 0;
	return lcx__fail(err, EINVAL,
			 "its standard %s was a file, and what it is given now is none", names[i]);
}

static int add_inherited(struct lcx__restoring *re, const int streams[3], int *fds, size_t *n,
			 struct lcx_error **err)
{
	if (re->netns_fd >= 0) {
		lcx__criu_put_inherited(&re->options, LCX__CRIU_FD_FIRST + (int)*n,
					LCX__CHECKPOINT_NETWORK);
		fds[(*n)++] = re->netns_fd;
	}
	re->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (re->null_fd < 0)
		return lcx__fail_sys(err, errno, "open '/dev/null'");
	for (int i = 0; i < 3; i++) {
		const char *name = re->streams.names[i];
		bool is_null = lcx__stream_is_null(name) || streams[i] < 0;
		int fd = is_null ? re->null_fd : streams[i];
		int r = check_is_file(name, fd, i, err);

		if (r < 0)
			return r;
		if (!name[0] || is_again(&re->streams, i))
			continue;
		lcx__criu_put_inherited(&re->options, LCX__CRIU_FD_FIRST + (int)*n,
					lcx__stream_name(name));
		fds[(*n)++] = fd;
	}
	return 0;
}

static int put_options(struct start *s, struct lcx_error **err)
{
	struct lcx__restoring *re = s->restoring;
	struct lcx__strbuf *options = &re->options;

	lcx__criu_put_number(options, LCX__CRIU_IMAGES_DIR_FD, re->place.images_fd);
	lcx__criu_put_number(options, LCX__CRIU_WORK_DIR_FD, re->place.work_fd);
	lcx__criu_put_number(options, LCX__CRIU_LOG_LEVEL, 4);
	lcx__criu_put_text(options, LCX__CRIU_LOG_FILE, RESTORE_LOG);
	lcx__criu_put_number(options, LCX__CRIU_NOTIFY_SCRIPTS, 1);
	lcx__criu_put_text(options, LCX__CRIU_ROOT, s->staging);
	lcx__criu_put_number(options, LCX__CRIU_RST_SIBLING, 1);
	lcx__criu_put_number(options, LCX__CRIU_ORPHAN_PTS_MASTER, 1);
	lcx__criu_put_number(options, LCX__CRIU_MANAGE_CGROUPS_MODE, LCX__CRIU_CGROUPS_IGNORE);
	lcx__checkpoint_put_options(re->o, LCX__CHECKPOINT_RESTORE, options);
	return lcx__restore_put_outside(s->c, options, err);
}

static int add_program(void *data, struct lcx__plan *plan, const int streams[3],
		       struct lcx_error **err)
{
	struct start *s = data;
	struct lcx__restoring *re = s->restoring;
	const char *path = lcx__criu_find(re->o->criu, err);
	int fds[LCX__CRIU_MAX_FDS], r;
	size_t n = 1;

	if (!path)
		return -EOPNOTSUPP;
	r = lcx__criu_open_line(&re->line_fd, &re->theirs_fd, err);
	if (r == 0)
		r = put_options(s, err);
	if (r == 0)
		r = add_inherited(re, streams, fds, &n, err);
	if (r < 0)
		return r;
	fds[0] = re->theirs_fd;
	lcx__criu_put_request(&re->request, LCX__CRIU_RESTORE, &re->options);
	lcx__criu_compile(plan, path, fds, n);
	return 0;
}

static int on_namespaces(struct start *s, int64_t pid, struct lcx_error **err)
{
	int r = lcx__start_note_process(s, (pid_t)pid, err);

	return r == 0 ? lcx__start_run_create_hooks(s, err) : r;
}

static int on_notify(void *data, const char *script, int64_t pid, int fd, struct lcx_error **err)
{
	struct start *s = data;
	struct lcx__restoring *re = s->restoring;

	if (strcmp(script, "setup-namespaces") == 0)
		return on_namespaces(s, pid, err);
	if (strcmp(script, "post-restore") == 0)
		re->is_mended = lcx__checkpoint_mend_flags(re->place.images_fd, pid, err) == 0;
	if (strcmp(script, "post-restore") == 0)
		return re->is_mended ? 0 : -EIO;
	if (strcmp(script, "orphan-pts-master") != 0 || fd < 0 || re->terminal_fd >= 0)
		return 0;
	re->terminal_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return re->terminal_fd < 0 ? lcx__fail_sys(err, errno, "keep the terminal") : 0;
}

static int talk(void *data, int pidfd, pid_t *ret_pid, int *ret_terminal_fd, struct lcx_error **err)
{
	struct start *s = data;
	struct lcx__restoring *re = s->restoring;
	const struct lcx__criu_hooks hooks = {s, re->place.work_fd, RESTORE_LOG, on_notify};
	struct lcx__criu_answer answer;
	int r;

	closep(&re->theirs_fd);
	r = lcx__criu_ask(re->line_fd, pidfd, &re->request, &hooks, &answer, err);
	closep(&re->line_fd);
	if (r == 0 && (answer.pid <= 1 || answer.pid != s->pid))
		r = lcx__fail(err, EPROTO, "criu names another process than before");
	if (r == 0 && !re->is_mended)
		r = lcx__fail(err, EPROTO, "criu didn't wait until the mounts had their flags");
	if (r < 0)
		return r;
	*ret_pid = (pid_t)answer.pid;
	*ret_terminal_fd = TAKE_FD(re->terminal_fd);
	return 0;
}

int lcx__start_restored(struct start *s, struct lcx_error **err)
{
	struct lcx__compile compile = lcx__start_describe(s);
	const struct lcx__spawn_hooks hooks = {.data = s, .on_trace = lcx__start_on_trace};
	const struct lcx__restoration restoration = {s, add_program, talk};
	int r = make_network(s, err);

	if (r < 0)
		return lcx__fail_stage(err, r, "network");
	return lcx__start_spawn(s, &compile, &hooks, &restoration, err);
}

/* ---- the calls ---------------------------------------------------------- */

static int prepare(struct start *s, const struct lcx_checkpoint *o, struct lcx_error **err)
{
	struct lcx__restoring *re = calloc(1, sizeof(*re));
	int r = 0;

	if (!re)
		return lcx__fail_nomem(err);
	re->line_fd = re->theirs_fd = re->netns_fd = re->null_fd = re->terminal_fd = -1;
	re->place = LCX__CHECKPOINT_NOWHERE;
	s->restoring = re;
	if (!o)
		r = lcx_checkpoint_new(&re->own, err);
	re->o = o ? o : re->own;
	return r == 0 ? lcx__checkpoint_check_rights(err) : r;
}

static int restore(struct start *s, const struct lcx_checkpoint *o, struct lcx_error **err)
{
	struct lcx_container *c = s->c;
	int r = prepare(s, o, err);

	if (r == 0)
		r = lcx__start(s, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "restore of container '%s'",
					lcx__container_display(c));
	/* It goes on, and its files with it: a second time would be another story. */
	if (s->restoring->place.own && !s->restoring->o->keep)
		lcx__checkpoint_forget(c);
	return 0;
}

LCX_PUBLIC int lcx_container_restore(struct lcx_container *c, const struct lcx_checkpoint *o,
				     const struct lcx_stdio *stdio, struct lcx_error **err)
{
	CLEANUP(lcx__start_clear) struct start s = lcx__start_of(c, stdio);

	return restore(&s, o, err);
}

LCX_PUBLIC int lcx_container_restore_detached(struct lcx_container *c,
					      const struct lcx_checkpoint *o,
					      const struct lcx_stdio *stdio, struct lcx_error **err)
{
	CLEANUP(lcx__start_clear) struct start s = lcx__start_of(c, stdio);

	s.detached = true;
	return restore(&s, o, err);
}

LCX_PUBLIC int lcx_container_restore_unowned(struct lcx_container *c,
					     const struct lcx_checkpoint *o,
					     const struct lcx_stdio *stdio, struct lcx_error **err)
{
	CLEANUP(lcx__start_clear) struct start s = lcx__start_of(c, stdio);

	if (!stdio || (stdio->mode != LCX__STDIO_PASSTHROUGH && !stdio->has_console))
		return lcx__fail(err, EINVAL,
				 "a restored container that nobody owns has its streams passed "
				 "through, or sent to a console socket");
	s.external = true;
	return restore(&s, o, err);
}
