/* SPDX-License-Identifier: MIT */

/* Who is in a cgroup: list, signal, move. */

#include "cgroup/cgroup-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fs.h"
#include "util/process.h"
#include "util/str.h"
#include "util/sys.h"

enum {
	PROCS_LIMIT = 64 << 20,
};

int lcx__cgroup_pids_add(struct lcx_cgroup_pids *pids, int32_t pid)
{
	if (pid == 0) {
		pids->foreign = true;
		return 0;
	}
	if ((pids->count & (pids->count + 1)) == 0) { /* full at each power of two less one */
		int32_t *bigger = realloc(pids->pids, (pids->count + 1) * 2 * sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		pids->pids = bigger;
	}
	pids->pids[pids->count++] = pid;
	return 0;
}

/* The processes of one directory. One that is just being removed has none. */
static int list_here(int dir_fd, struct lcx_cgroup_pids *pids)
{
	CLEANUP(freep) char *text = NULL;
	char *line, *rest;
	int r;

	r = lcx__read_file(dir_fd, "cgroup.procs", PROCS_LIMIT, &text, NULL);
	/* A threaded cgroup lists its processes at the domain above it only. */
	if (r == -ENODEV || r == -ENOENT || r == -EOPNOTSUPP)
		return 0;
	for (rest = text; r == 0 && (line = strsep(&rest, "\n"));) {
		uint64_t pid;

		if (*line && lcx__parse_u64(line, INT32_MAX, &pid) == 0)
			r = lcx__cgroup_pids_add(pids, (int32_t)pid);
	}
	return r;
}

/* Add "/NAME" to @todo for each cgroup in @dir_fd. */
static int add_below(int dir_fd, struct lcx__strbuf *todo)
{
	CLEANUP(closedirp) DIR *dir = lcx__cgroup_dir_iterate(dir_fd);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = lcx__cgroup_next_dir(dir))) {
		lcx__strbuf_adds(todo, "/");
		lcx__strbuf_adds(todo, entry->d_name);
	}
	return todo->failed ? -ENOMEM : 0;
}

/* List one directory; if there are more below, go there, for they are next. */
static int list_one(int *at, const char *name, struct lcx__strbuf *todo,
		    struct lcx_cgroup_pids *pids)
{
	CLEANUP(closep) int fd = lcx__open_dir(*at, name);
	bool is_up = strcmp(name, "..") == 0;
	int r;

	if ((fd == -ENOENT || fd == -ENODEV) && !is_up)
		return 0;
	r = fd < 0 ? fd : is_up ? 0 : list_here(fd, pids);
	if (r == 0 && !is_up) {
		if (lcx__cgroup_is_leaf(fd))
			return 0;
		lcx__strbuf_adds(todo, "/..");
		r = add_below(fd, todo);
	}
	if (r < 0)
		return r;
	closep(at);
	*at = TAKE_FD(fd);
	return 0;
}

/*
 * A container may have nested its cgroups to any depth, so neither the stack nor the table of
 * descriptors may grow with it: what is left to do is a text of names, the next one last, and
 * ".." below those of a directory leads back out of it.
 */
static int list_below(int dir_fd, struct lcx__strbuf *todo, struct lcx_cgroup_pids *pids)
{
	CLEANUP(closep) int at = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	char name[NAME_MAX + 1];
	int r = at < 0 ? -errno : add_below(at, todo);

	while (r == 0 && todo->length > 0) {
		char *slash = memrchr(todo->text, '/', todo->length);

		(void)snprintf(name, sizeof(name), "%s", slash + 1);
		*slash = '\0';
		todo->length = (size_t)(slash - todo->text);
		r = list_one(&at, name, todo, pids);
	}
	return r;
}

int lcx__cgroup_list_pids(int dir_fd, struct lcx_cgroup_pids *pids)
{
	struct lcx__strbuf todo = STRBUF_EMPTY;
	int r = list_here(dir_fd, pids);

	if (r < 0 || lcx__cgroup_is_leaf(dir_fd))
		return r;
	r = list_below(dir_fd, &todo, pids);
	lcx__strbuf_free(&todo);
	return r;
}

bool lcx__cgroup_is_deserted(int dir_fd)
{
	CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *pids = calloc(1, sizeof(*pids));

	return pids && list_here(dir_fd, pids) == 0 && pids->count == 0 && !pids->foreign &&
	       lcx__cgroup_is_leaf(dir_fd);
}

struct lcx_cgroup_pids *lcx__cgroup_pids_new_empty(void)
{
	return calloc(1, sizeof(struct lcx_cgroup_pids));
}

LCX_PUBLIC int lcx_cgroup_pids_new(struct lcx_cgroup *cg, struct lcx_cgroup_pids **ret,
				   struct lcx_error **err)
{
	CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *pids = lcx__cgroup_pids_new_empty();
	int r;

	if (!pids)
		return lcx__fail_nomem(err);
	r = lcx__cgroup_list_pids(lcx__cgroup_tracker_fd(cg), pids);
	if (r < 0)
		return lcx__fail_sys(err, -r, "list the processes of cgroup '%s'", cg->path);
	*ret = TAKE_PTR(pids);
	return 0;
}

LCX_PUBLIC int32_t lcx_cgroup_pids_next(struct lcx_cgroup_pids *pids)
{
	return pids->next < pids->count ? pids->pids[pids->next++] : 0;
}

LCX_PUBLIC struct lcx_cgroup_pids *lcx_cgroup_pids_free(struct lcx_cgroup_pids *pids)
{
	if (!pids)
		return NULL;
	free(pids->pids);
	free(pids);
	return NULL;
}

static bool contains(const struct lcx_cgroup_pids *pids, int32_t pid)
{
	for (size_t i = 0; i < pids->count; i++)
		if (pids->pids[i] == pid)
			return true;
	return false;
}

enum { SIGNAL_BATCH = 64 };

/*
 * A number may be given to a new process between the listing and the signal. A
 * pidfd holds one process; it is the right one if its number is still listed after
 * that. Listing is what costs, so this is done for a batch at once.
 */
static int signal_batch(int dir_fd, const int32_t *pids, size_t count, int32_t signal)
{
	CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *now = calloc(1, sizeof(*now));
	int pidfds[SIGNAL_BATCH];
	int first = 0, r;

	if (!now)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		pidfds[i] = lcx__pidfd_open(pids[i]);
		if (pidfds[i] < 0 && pidfds[i] != -ESRCH)
			first = pidfds[i];
	}
	r = lcx__cgroup_list_pids(dir_fd, now);
	for (size_t i = 0; i < count; i++) {
		int sent = 0;

		if (pidfds[i] >= 0 && r == 0 && contains(now, pids[i]))
			sent = sys_pidfd_send_signal(pidfds[i], signal);
		if (sent < 0 && sent != -ESRCH)
			first = sent;
		closep(&pidfds[i]);
	}
	return r < 0 ? r : first;
}

int lcx__cgroup_signal_all(struct lcx_cgroup *cg, int32_t signal)
{
	CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *pids = calloc(1, sizeof(*pids));
	int r, failed = 0;

	if (!pids)
		return -ENOMEM;
	r = lcx__cgroup_list_pids(lcx__cgroup_tracker_fd(cg), pids);
	for (size_t at = 0; r == 0 && at < pids->count; at += SIGNAL_BATCH) {
		size_t left = pids->count - at;
		int one = signal_batch(lcx__cgroup_tracker_fd(cg), pids->pids + at,
				       left < SIGNAL_BATCH ? left : SIGNAL_BATCH, signal);

		if (one < 0)
			failed = one;
	}
	return r < 0 ? r : failed;
}

/* Whether @task of @tasks_fd is in @cg or below it, as the kernel tells. */
static int is_task_in(const struct lcx_cgroup *cg, int tasks_fd, const char *task)
{
	CLEANUP(freep) char *text = NULL;
	char file[NAME_MAX + sizeof("/cgroup")];
	int r;

	(void)snprintf(file, sizeof(file), "%s/cgroup", task);
	r = lcx__read_file(tasks_fd, file, 1 << 20, &text, NULL);
	if (r == -ENOENT || r == -ESRCH)
		return 0; /* it has ended */
	return r < 0 ? r : lcx__cgroup_layout_is_below(cg->layout, cg->tracker, text, cg->path);
}

static int is_listed(const struct lcx_cgroup *cg)
{
	CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *pids = calloc(1, sizeof(*pids));
	int r = pids ? lcx__cgroup_list_pids(lcx__cgroup_tracker_fd(cg), pids) : -ENOMEM;

	return r < 0 ? r : contains(pids, getpid());
}

/*
 * A container may make cgroups as fast as they are listed, so the caller is looked up by itself;
 * each thread of it, for on version 1 one may be elsewhere. It is listed where that does not tell.
 */
static int is_self_in(const struct lcx_cgroup *cg)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = lcx__read_dir(AT_FDCWD, "/proc/self/task", &dir);

	while (r == 0 && (entry = lcx__next_entry(dir)))
		r = is_task_in(cg, dirfd(dir), entry->d_name);
	return r < 0 ? is_listed(cg) : r;
}

int lcx__cgroup_refuse_self(struct lcx_cgroup *cg, const char *what, struct lcx_error **err)
{
	int r;

	if (strcmp(cg->path, "/") == 0)
		return lcx__fail(err, EBUSY, "the root cgroup is everybody's: it cannot be %s",
				 what);
	r = is_self_in(cg);
	if (r < 0)
		return lcx__fail_sys(err, -r, "list the processes of cgroup '%s'", cg->path);
	return r == 0 ? 0
		      : lcx__fail(err, EBUSY,
				  "this process is in cgroup '%s' itself: it cannot be %s",
				  cg->path, what);
}

LCX_PUBLIC int lcx_cgroup_signal(struct lcx_cgroup *cg, int32_t signal, struct lcx_error **err)
{
	int r;

	if (signal < 0 || signal > SIGRTMAX)
		return lcx__fail(err, EINVAL, "%d is not a signal", signal);
	r = lcx__cgroup_refuse_self(cg, "signalled", err);
	if (r < 0)
		return r;
	r = lcx__cgroup_signal_all(cg, signal);
	if (r < 0)
		return lcx__fail_sys(err, -r, "send signal %d to cgroup '%s'", signal, cg->path);
	return 0;
}

/* Write each pid of @pids to the directory @to_fd; those that are gone do not matter. */
static int move_pids(const struct lcx_cgroup_pids *pids, int to_fd)
{
	for (size_t i = 0; i < pids->count; i++) {
		char text[16];
		int r;

		(void)snprintf(text, sizeof(text), "%d", pids->pids[i]);
		r = lcx__write_control(to_fd, "cgroup.procs", text);
		if (r < 0 && r != -ESRCH)
			return r;
	}
	return 0;
}

/* Processes fork while we move them: repeat until those who are missing are none. */
int lcx__cgroup_migrate(struct lcx_cgroup *cg, int to_fd)
{
	for (int pass = 0; pass < 100; pass++) {
		CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *all = NULL;
		CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *there = NULL;
		size_t missing = 0;
		int r;

		all = calloc(1, sizeof(*all));
		there = calloc(1, sizeof(*there));
		if (!all || !there)
			return -ENOMEM;
		r = lcx__cgroup_list_pids(lcx__cgroup_tracker_fd(cg), all);
		if (r < 0 || all->count == 0)
			return r;
		r = lcx__cgroup_list_pids(to_fd, there);
		if (r < 0)
			return r;
		for (size_t i = 0; i < all->count; i++)
			if (!contains(there, all->pids[i]))
				all->pids[missing++] = all->pids[i];
		all->count = missing;
		if (missing == 0)
			return 0;
		r = move_pids(all, to_fd);
		if (r < 0)
			return r;
	}
	return -EAGAIN;
}

/* --- the caller's own cgroup --- */

/* Kernel threads, and processes of other pid namespaces, stay: they make it impossible. */
static int vacate(int from_fd, int to_fd)
{
	for (int pass = 0; pass < 100; pass++) {
		CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *pids = NULL;
		int r;

		pids = calloc(1, sizeof(*pids));
		if (!pids)
			return -ENOMEM;
		r = list_here(from_fd, pids);
		if (r < 0)
			return r;
		if (pids->count == 0)
			return pids->foreign ? -ESRCH : 0;
		r = move_pids(pids, to_fd);
		if (r < 0)
			return r;
	}
	return -EAGAIN;
}

LCX_PUBLIC int lcx_cgroup_vacate(const char *leaf, struct lcx_error **err)
{
	CLEANUP(lcx__cgroup_layout_freep) struct lcx__cgroup_layout *layout = NULL;
	CLEANUP(closep) int from_fd = -1;
	CLEANUP(closep) int to_fd = -1;
	int r;

	if (!lcx__name_is_valid(leaf))
		return lcx__fail(err, EINVAL, "'%s' cannot name a cgroup", leaf);
	r = lcx__cgroup_layout_read(&layout, err);
	if (r < 0)
		return r;
	if (layout->unified < 0)
		return 0;
	from_fd = lcx__cgroup_dir_open(layout, layout->unified, layout->base, strlen(layout->base));
	if (from_fd < 0)
		return lcx__fail_sys(err, -from_fd, "open cgroup '%s'", layout->base);
	/* The root of the hierarchy alone has no cgroup.type, and may hold what it likes. */
	if (faccessat(from_fd, "cgroup.type", F_OK, 0) < 0)
		return 0;
	if (mkdirat(from_fd, leaf, 0755) < 0 && errno != EEXIST)
		return lcx__fail_sys(err, errno, "create cgroup '%s/%s'", layout->base, leaf);
	to_fd = lcx__open_dir(from_fd, leaf);
	if (to_fd < 0)
		return lcx__fail_sys(err, -to_fd, "open cgroup '%s/%s'", layout->base, leaf);
	r = vacate(from_fd, to_fd);
	if (r < 0)
		return lcx__fail_sys(err, -r, "move the processes of cgroup '%s' to its leaf '%s'",
				     layout->base, leaf);
	return 0;
}
