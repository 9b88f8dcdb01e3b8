/* SPDX-License-Identifier: MIT */

/*
 * A library is a guest: no call may change anything of its host but what the
 * call is for. This program makes the library's calls one after the other,
 * takes a snapshot of itself around each, and prints one TAP line for each.
 *
 * usage: host-unchanged DIR ROOTFS LAYOUT MODE
 *
 * DIR is empty and private, ROOTFS a directory with busybox, LAYOUT an OCI layout with the tag
 * "latest". MODE is how the host lives: "plain", or "odd": SIGCHLD ignored, half of the signals
 * blocked, handlers in place, umask 077, a second thread, its own working directory and locale.
 *
 * Two kinds of things are compared. The process's state must be the same after every call. What it
 * holds (descriptors, children) may grow while handles are open, by descriptors that are all
 * close-on-exec, and must be as before where a row says that everything was released.
 */

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lcx/lcx.h>

#include "host-snapshot.h"

struct world {
	const char *dir, *rootfs, *layout;
	char root_dir[4096], run_dir[4096];
	int dir_fd;
	struct lcx_ctx *ctx;
	struct lcx_ipam_pool *pool;
	struct lcx_spec *spec;
	struct lcx_seccomp *seccomp;
	struct lcx_netlink *netlink;
	struct lcx_link_list *links;
	struct lcx_ns_set *namespaces;
	struct lcx_cgroup *cgroup;
	struct lcx_overlay *overlay;
	struct lcx_log *log;
	struct lcx_image *image;
	struct lcx_image_list *images;
	struct lcx_pull *pull;
	struct lcx_network *network;
	struct lcx_container *container;
	struct lcx_process *process;
	int fd;
};

/* ---- the calls ---------------------------------------------------------- */

static int ask_version(struct world *w, struct lcx_error **err)
{
	(void)w, (void)err;
	lcx_has_feature("image");
	return lcx_version() ? 0 : -EINVAL;
}

static int open_ctx(struct world *w, struct lcx_error **err)
{
	return lcx_ctx_open(w->root_dir, w->run_dir, &w->ctx, err);
}

static int open_ctx_where_there_is_a_file(struct world *w, struct lcx_error **err)
{
	struct lcx_ctx *ctx = NULL;

	(void)w;
	return lcx_ctx_open("/dev/null", "/dev/null", &ctx, err) < 0 ? 0 : -EINVAL;
}

static int free_ctx(struct world *w, struct lcx_error **err)
{
	(void)err;
	w->ctx = lcx_ctx_free(w->ctx);
	return 0;
}

static int create_pool(struct world *w, struct lcx_error **err)
{
	return lcx_ipam_pool_create(w->dir_fd, "pool", "10.9.8.0/29", NULL, &w->pool, err);
}

static int allocate_until_the_pool_is_full(struct world *w, struct lcx_error **err)
{
	char address[64];
	int r = 0;

	while (r == 0)
		r = lcx_ipam_allocate(w->pool, "owner", NULL, address, sizeof(address), err);
	return r == -EINVAL ? r : 0;
}

static int free_pool(struct world *w, struct lcx_error **err)
{
	(void)err;
	w->pool = lcx_ipam_pool_free(w->pool);
	return 0;
}

static int make_spec(struct world *w, struct lcx_error **err)
{
	char *json = NULL;
	int r = lcx_spec_new(&w->spec, err);

	if (r < 0)
		return r;
	r = lcx_spec_to_json(w->spec, &json, err);
	lcx_string_free(json);
	w->spec = lcx_spec_free(w->spec);
	return r;
}

static int refuse_a_wrong_config(struct world *w, struct lcx_error **err)
{
	return lcx_spec_from_json("{\"ociVersion\": 7}", 17, &w->spec, err) < 0 ? 0 : -EINVAL;
}

static int compile_seccomp(struct world *w, struct lcx_error **err)
{
	int r = lcx_has_feature("seccomp") ? lcx_seccomp_default(&w->seccomp, err) : 0;

	w->seccomp = lcx_seccomp_free(w->seccomp);
	return r;
}

static int look_up_a_user(struct world *w, struct lcx_error **err)
{
	struct lcx_user *user = NULL;
	int root_fd = open(w->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = lcx_user_lookup(root_fd, "user", &user, err);

	lcx_user_free(user);
	close(root_fd);
	return r;
}

static int list_links(struct world *w, struct lcx_error **err)
{
	int r = lcx_netlink_open(&w->netlink, err);

	if (r == 0)
		r = lcx_link_list_open(w->netlink, 0, &w->links, err);
	while (r == 0 && lcx_link_list_next(w->links))
		;
	return r;
}

static int make_and_destroy_a_bridge(struct world *w, struct lcx_error **err)
{
	struct lcx_link *link = NULL;
	int r = lcx_bridge_create(w->netlink, "lcxhost0", NULL, err);

	if (r == 0)
		r = lcx_link_open(w->netlink, "lcxhost0", &link, err);
	if (r == 0)
		r = lcx_link_destroy(w->netlink, lcx_link_index(link), err);
	lcx_link_free(link);
	return r;
}

static int free_netlink(struct world *w, struct lcx_error **err)
{
	(void)err;
	w->links = lcx_link_list_free(w->links);
	w->netlink = lcx_netlink_free(w->netlink);
	return 0;
}

static int create_cgroup(struct world *w, struct lcx_error **err)
{
	return lcx_cgroup_create("lcx-host-unchanged", &w->cgroup, err);
}

static int limit_and_read_cgroup(struct world *w, struct lcx_error **err)
{
	struct lcx_cgroup_stats *stats = NULL;
	int r = lcx_cgroup_stats_new(w->cgroup, &stats, err);

	lcx_cgroup_stats_free(stats);
	return r;
}

static int destroy_cgroup(struct world *w, struct lcx_error **err)
{
	int r = lcx_cgroup_destroy(w->cgroup, 2000, err);

	w->cgroup = lcx_cgroup_free(w->cgroup);
	return r;
}

static int mount_overlay_fd(struct world *w, struct lcx_error **err)
{
	int r = lcx_overlay_new(&w->overlay, err);

	if (r == 0)
		r = lcx_overlay_add_lower(w->overlay, w->rootfs, err);
	if (r == 0)
		r = lcx_overlay_add_lower(w->overlay, "/usr/share/doc", err);
	if (r == 0)
		w->fd = r = lcx_overlay_mount_fd(w->overlay, err);
	return r < 0 ? r : 0;
}

static int free_overlay(struct world *w, struct lcx_error **err)
{
	(void)err;
	close(w->fd);
	w->overlay = lcx_overlay_free(w->overlay);
	return 0;
}

static int write_and_read_a_log(struct world *w, struct lcx_error **err)
{
	struct lcx_log_reader *reader = NULL;
	int r = lcx_log_new(&w->log, err);

	if (r == 0)
		r = lcx_log_open(w->log, w->dir_fd, "log", err);
	if (r == 0)
		r = lcx_log_write(w->log, LCX_LOG_STREAM_STDOUT, "line\n", 5, err);
	if (r == 0)
		r = lcx_log_flush(w->log, err);
	if (r == 0)
		r = lcx_log_reader_open(w->dir_fd, "log", &reader, err);
	if (r == 0)
		r = lcx_log_reader_next(reader, err);
	lcx_log_reader_free(reader);
	w->log = lcx_log_free(w->log);
	return r < 0 ? r : 0;
}

static int import_image(struct world *w, struct lcx_error **err)
{
	return lcx_image_import(w->ctx, w->layout, "latest", "box", &w->image, err);
}

static int list_and_verify_images(struct world *w, struct lcx_error **err)
{
	int r = lcx_image_list_new(w->ctx, &w->images, err);

	w->images = lcx_image_list_free(w->images);
	return r == 0 ? lcx_image_verify(w->ctx, "box", err) : r;
}

static int pull_from_nowhere(struct world *w, struct lcx_error **err)
{
	int r = lcx_pull_new(w->ctx, "127.0.0.1:1/none:none", &w->pull, err);

	if (r == 0)
		r = lcx_pull_run(w->pull, 5000, err) < 0 ? 0 : -EINVAL;
	w->pull = lcx_pull_free(w->pull);
	return r;
}

static int free_image(struct world *w, struct lcx_error **err)
{
	(void)err;
	w->image = lcx_image_free(w->image);
	return 0;
}

static int create_network(struct world *w, struct lcx_error **err)
{
	int r = lcx_network_new("guest", &w->network, err);

	if (r == 0)
		r = lcx_network_set_subnet(w->network, "10.9.9.0/24", err);
	return r == 0 ? lcx_network_create(w->ctx, w->network, err) : r;
}

static int free_network(struct world *w, struct lcx_error **err)
{
	(void)err;
	w->network = lcx_network_free(w->network);
	return 0;
}

static int remove_network(struct world *w, struct lcx_error **err)
{
	return lcx_network_remove(w->ctx, "guest", err);
}

static const char *const sleeper[] = {"sh", "-c", "echo up; echo wrong >&2; sleep 60", NULL};

static int describe(struct world *w, const char *const *command, struct lcx_error **err)
{
	int r = lcx_container_new(w->ctx, "host", &w->container, err);

	if (r == 0)
		r = lcx_container_set_image(w->container, "box", err);
	if (r == 0)
		r = lcx_container_set_command(w->container, command, err);
	return r == 0 ? lcx_container_set_network(w->container, "guest", err) : r;
}

static int create_container(struct world *w, struct lcx_error **err)
{
	int r = describe(w, sleeper, err);

	return r == 0 ? lcx_container_create(w->container, err) : r;
}

static int start_container(struct world *w, struct lcx_error **err)
{
	return lcx_container_start(w->container, NULL, err);
}

static int exec_in_container(struct world *w, struct lcx_error **err)
{
	static const char *const args[] = {"/bin/true", NULL};
	struct lcx_spec *spec = NULL;
	int32_t status;
	int r = lcx_container_exec_spec(w->container, &spec, err);

	if (r == 0)
		r = lcx_spec_set_args(spec, args, err);
	if (r == 0)
		r = lcx_container_exec(w->container, spec, NULL, &w->process, err);
	if (r == 0)
		r = lcx_process_wait(w->process, 10000, &status, err);
	w->process = lcx_process_free(w->process);
	lcx_spec_free(spec);
	return r < 0 ? r : 0;
}

/* Many times: where SIGCHLD is ignored the process may be gone before anybody looked at it. */
static int exec_again_and_again(struct world *w, struct lcx_error **err)
{
	int r = 0;

	for (int i = 0; i < 50 && r == 0; i++)
		r = exec_in_container(w, err);
	return r;
}

static int look_at_container(struct world *w, struct lcx_error **err)
{
	struct lcx_cgroup_stats *stats = NULL;
	char *text = NULL;
	int r = lcx_container_inspect(w->container, &text, err);

	lcx_string_free(text);
	if (r == 0)
		r = lcx_container_stats(w->container, &stats, err);
	lcx_cgroup_stats_free(stats);
	return r;
}

static int pause_and_unpause_container(struct world *w, struct lcx_error **err)
{
	int r = lcx_container_pause(w->container, err);

	return r == 0 ? lcx_container_unpause(w->container, err) : r;
}

static int kill_and_wait_for_container(struct world *w, struct lcx_error **err)
{
	int32_t status;
	int r = lcx_container_kill(w->container, SIGKILL, err);

	if (r == 0)
		r = lcx_container_wait(w->container, 10000, &status, err);
	return r < 0 ? r : 0;
}

static int remove_container(struct world *w, struct lcx_error **err)
{
	int r = lcx_container_remove(w->container, 1, err);

	w->container = lcx_container_free(w->container);
	return r;
}

static int start_what_is_not_there(struct world *w, struct lcx_error **err)
{
	static const char *const command[] = {"/no/such/program", NULL};
	int r = describe(w, command, err);

	if (r == 0)
		r = lcx_container_start(w->container, NULL, err) == -ENOENT ? 0 : -EINVAL;
	return r;
}

static int start_detached(struct world *w, struct lcx_error **err)
{
	int r = describe(w, sleeper, err);

	return r == 0 ? lcx_container_start_detached(w->container, NULL, err) : r;
}

static int stop_detached(struct world *w, struct lcx_error **err)
{
	return lcx_container_stop(w->container, 0, err);
}

static int remove_image(struct world *w, struct lcx_error **err)
{
	return lcx_image_remove(w->ctx, "box", err);
}

static int collect_garbage(struct world *w, struct lcx_error **err)
{
	return lcx_gc(w->ctx, NULL, err);
}

/* What a row's call leaves held, beyond what the rows above left. */
enum after {
	HELD,     /* handles are open */
	BASE,     /* a handle is open, and all below may rely on it */
	RELEASED, /* as at the last BASE */
	ALL_GONE, /* as in the beginning */
};

static const struct row {
	const char *name;
	int (*call)(struct world *w, struct lcx_error **err);
	enum after after;
} rows[] = {
#define ROW(call, after)                                                                           \
	{                                                                                          \
#call, call, after                                                                 \
	}
	ROW(ask_version, RELEASED),
	ROW(open_ctx_where_there_is_a_file, RELEASED),
	ROW(create_pool, HELD),
	ROW(allocate_until_the_pool_is_full, HELD),
	ROW(free_pool, RELEASED),
	ROW(make_spec, RELEASED),
	ROW(refuse_a_wrong_config, RELEASED),
	ROW(compile_seccomp, RELEASED),
	ROW(look_up_a_user, RELEASED),
	ROW(list_links, HELD),
	ROW(make_and_destroy_a_bridge, HELD),
	ROW(free_netlink, RELEASED),
	ROW(create_cgroup, HELD),
	ROW(limit_and_read_cgroup, HELD),
	ROW(destroy_cgroup, RELEASED),
	ROW(mount_overlay_fd, HELD),
	ROW(free_overlay, RELEASED),
	ROW(write_and_read_a_log, RELEASED),
	ROW(open_ctx, BASE),
	ROW(import_image, HELD),
	ROW(free_image, RELEASED),
	ROW(list_and_verify_images, RELEASED),
	ROW(pull_from_nowhere, RELEASED),
	ROW(create_network, HELD),
	ROW(free_network, RELEASED),
	ROW(create_container, HELD),
	ROW(start_container, HELD),
	ROW(exec_in_container, HELD),
	ROW(exec_again_and_again, HELD),
	ROW(look_at_container, HELD),
	ROW(pause_and_unpause_container, HELD),
	ROW(kill_and_wait_for_container, HELD),
	/* The context now keeps a directory of compiled filters: once, not once a container. */
	ROW(remove_container, BASE),
	ROW(start_what_is_not_there, HELD),
	ROW(remove_container, RELEASED),
	ROW(start_detached, HELD),
	ROW(look_at_container, HELD),
	ROW(stop_detached, HELD),
	ROW(remove_container, RELEASED),
	ROW(remove_network, RELEASED),
	ROW(remove_image, RELEASED),
	ROW(collect_garbage, RELEASED),
	ROW(free_ctx, ALL_GONE),
#undef ROW
};

/* ---- the host ----------------------------------------------------------- */

static int silence_fd;

/* The library must not print: its standard output and error are a file that must stay empty. */
static void silence(int saved[2])
{
	fflush(NULL);
	for (int fd = 1; fd <= 2; fd++) {
		saved[fd - 1] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
		dup2(silence_fd, fd);
	}
}

static bool was_silent(int saved[2])
{
	struct stat st;
	bool silent = fstat(silence_fd, &st) == 0 && st.st_size == 0;

	for (int fd = 1; fd <= 2; fd++) {
		dup2(saved[fd - 1], fd);
		close(saved[fd - 1]);
	}
	if (!silent && ftruncate(silence_fd, 0) == 0)
		printf("# + output of %lld bytes\n", (long long)st.st_size);
	return silent;
}

static void handler(int number)
{
	(void)number;
}

static void *second_thread(void *arg)
{
	sigset_t set;

	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	pthread_barrier_wait(arg);
	for (;;)
		pause();
	return NULL;
}

static void live_oddly(struct world *w)
{
	static pthread_barrier_t ready;
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	pthread_t thread;
	sigset_t set;

	pthread_barrier_init(&ready, NULL, 2);
	pthread_create(&thread, NULL, second_thread, &ready);
	pthread_barrier_wait(&ready);

	sigemptyset(&set);
	for (int number = 1; number < 32; number += 2)
		sigaddset(&set, number);
	sigaddset(&set, SIGCHLD);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGCHLD, &action, NULL);
	sigaction(SIGPIPE, &action, NULL);
	umask(077);
	setlocale(LC_ALL, "C.UTF-8");
	if (chdir(w->rootfs) < 0)
		perror(w->rootfs);
}

/* ---- comparing ---------------------------------------------------------- */

static bool is_unchanged(const struct snapshot *base, const struct snapshot *now, enum after after)
{
	bool same = strcmp(base->state, now->state) == 0;

	if (!same)
		snapshot_print_difference(base->state, now->state);
	if (after == HELD || after == BASE)
		return !snapshot_has_new_inheritable(base->holdings, now->holdings) && same;
	if (strcmp(base->holdings, now->holdings) != 0) {
		snapshot_print_difference(base->holdings, now->holdings);
		same = false;
	}
	return same;
}

static bool run_row(struct world *w, const struct row *row, const struct snapshot *base,
		    struct snapshot *now)
{
	struct lcx_error *err = NULL;
	bool silent, unchanged;
	int saved[2], r;

	silence(saved);
	r = row->call(w, &err);
	silent = was_silent(saved);
	if (r < 0)
		printf("# %s: %d, %s\n", row->name, r, lcx_error_message(err));
	lcx_error_free(err);

	snapshot_take(now);
	unchanged = is_unchanged(base, now, row->after);
	printf("%s - %s: does its work\n", r < 0 ? "not ok" : "ok", row->name);
	printf("%s - %s: leaves the host unchanged\n", silent && unchanged ? "ok" : "not ok",
	       row->name);
	return r >= 0 && silent && unchanged;
}

static void take_settled(struct snapshot *snapshot)
{
	/* Once before: the C library opens and keeps what it needs for the first one. */
	snapshot_take(snapshot);
	snapshot_free(snapshot);
	snapshot_take(snapshot);
}

int main(int argc, char **argv)
{
	struct snapshot first = {0}, base = {0}, now = {0};
	struct world w = {.fd = -1};
	int failures = 0;

	if (argc != 5)
		return 2;
	w.dir = argv[1], w.rootfs = argv[2], w.layout = argv[3];
	snprintf(w.root_dir, sizeof(w.root_dir), "%s/root", w.dir);
	snprintf(w.run_dir, sizeof(w.run_dir), "%s/run", w.dir);
	w.dir_fd = open(w.dir, O_DIRECTORY | O_CLOEXEC);
	silence_fd = memfd_create("output", MFD_CLOEXEC);
	if (strcmp(argv[4], "odd") == 0)
		live_oddly(&w);

	setvbuf(stdout, NULL, _IOLBF, 0);
	take_settled(&first);
	take_settled(&base);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];

		failures += !run_row(&w, row, row->after == ALL_GONE ? &first : &base, &now);
		/* A change is told once; what follows is compared with how it was left. */
		if (row->after == BASE || strcmp(base.state, now.state) != 0) {
			snapshot_free(&base);
			base = now;
			now = (struct snapshot){0};
		}
		snapshot_free(&now);
	}
	snapshot_free(&first);
	snapshot_free(&base);
	close(w.dir_fd);
	close(silence_fd);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
