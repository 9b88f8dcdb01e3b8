/* SPDX-License-Identifier: MIT */

/* Who is in a cgroup: list, signal, move. */

#include "cgroup/cgroup-internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fs.h"
#include "util/str.h"
#include "util/sys.h"

enum {
	PROCS_LIMIT = 64 << 20,
	DEPTH_MAX = 128, /* one descriptor each */
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

static int list_below(int dir_fd, struct lcx_cgroup_pids *pids, int depth)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r;

	if (depth > DEPTH_MAX)
		return -ELOOP;
	r = list_here(dir_fd, pids);
	if (r < 0 || lcx__cgroup_is_leaf(dir_fd))
		return r;
	dir = lcx__cgroup_dir_iterate(dir_fd);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = lcx__cgroup_next_dir(dir))) {
		CLEANUP(closep) int fd = lcx__open_dir(dir_fd, entry->d_name);

		if (fd == -ENOENT || fd == -ENODEV)
			continue;
		r = fd < 0 ? fd : list_below(fd, pids, depth + 1);
		if (r < 0)
			return r;
	}
	return 0;
}

int lcx__cgroup_list_pids(int dir_fd, struct lcx_cgroup_pids *pids)
{
	return list_below(dir_fd, pids, 0);
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
		pidfds[i] = sys_pidfd_open(pids[i], 0);
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

int lcx__cgroup_refuse_self(struct lcx_cgroup *cg, const char *what, struct lcx_error **err)
{
	CLEANUP(lcx_cgroup_pids_freep) struct lcx_cgroup_pids *pids = NULL;
	int r = lcx_cgroup_pids_new(cg, &pids, err);
	int32_t pid;

	if (r < 0)
		return r;
	if (strcmp(cg->path, "/") == 0)
		return lcx__fail(err, EBUSY, "the root cgroup is everybody's: it cannot be %s",
				 what);
	while ((pid = lcx_cgroup_pids_next(pids)))
		if (pid == getpid())
			return lcx__fail(err, EBUSY,
					 "this process is in cgroup '%s' itself: it cannot be %s",
					 cg->path, what);
	return 0;
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
