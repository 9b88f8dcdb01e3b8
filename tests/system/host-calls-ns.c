/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host-calls.h"

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

static struct lcx_ns_set *set;
static struct lcx_idmap *map;

static int make_idmap(struct world *w, struct lcx_error **err)
{
	struct lcx_idmap *copy = NULL, *parsed = NULL;
	uint32_t id, host, count;

	(void)w;
	MUST(lcx_idmap_new(&map, err));
	MUST(lcx_idmap_add(map, LCX_ID_USER, 0, 100000, 1000, err));
	MUST(lcx_idmap_add(map, LCX_ID_GROUP, 0, 100000, 1000, err));
	MUST(lcx_idmap_add_identity(map, 1000, 1, err));
	MUST(lcx_idmap_dup(map, &copy, err));
	MUST(lcx_idmap_new(&parsed, err));
	MUST(lcx_idmap_parse(parsed, LCX_ID_USER, "0:100000:1000", err));
	lcx_idmap_set_programs(map, 1);
	(void)lcx_idmap_text(map, LCX_ID_USER);
	for (size_t i = 0; i < lcx_idmap_count(map, LCX_ID_USER); i++)
		(void)lcx_idmap_range(map, LCX_ID_USER, i, &id, &host, &count);
	(void)lcx_idmap_to_host(map, LCX_ID_USER, 1, &host);
	(void)lcx_idmap_from_host(map, LCX_ID_USER, 1, &id);
	lcx_idmap_free(copy);
	EITHER(lcx_idmap_add_subids(parsed, "root", 0, err));
	REFUSED(lcx_idmap_add(map, LCX_ID_USER, 0, 5, 1, err));
	REFUSED(lcx_idmap_parse(parsed, LCX_ID_USER, "x", err));
	REFUSED(lcx_idmap_add_subids(parsed, "no-such-user", 77777, err));
	lcx_idmap_free(parsed);
	return 0;
}

static int create_namespaces(struct world *w, struct lcx_error **err)
{
	(void)w;
	MUST(lcx_ns_create(LCX_NS_USER | LCX_NS_NET | LCX_NS_UTS | LCX_NS_IPC | LCX_NS_MNT |
				   LCX_NS_CGROUP,
			   map, &set, err));
	(void)lcx_ns_set_kinds(set);
	return lcx_ns_set_fd(set, LCX_NS_USER);
}

static int create_a_time_namespace(struct world *w, struct lcx_error **err)
{
	int fd = lcx_ns_create_time(1000000000, 2000000000, err);

	(void)w;
	MUST(fd);
	close(fd);
	REFUSED(lcx_ns_create_time(INT64_MIN, 0, err));
	return 0;
}

static int refuse_namespaces(struct world *w, struct lcx_error **err)
{
	struct lcx_ns_set *none = NULL;
	enum lcx_ns_kind kind;

	(void)w;
	REFUSED(lcx_ns_create(1 << 30, NULL, &none, err));
	REFUSED(lcx_ns_open_pid(-5, LCX_NS_NET, err));
	REFUSED(lcx_ns_open_pidfd(-1, LCX_NS_NET, err));
	REFUSED(lcx_ns_open_path("/proc/self/ns/net", LCX_NS_UTS, err));
	REFUSED(lcx_ns_open_path("/dev/null", LCX_NS_UTS, err));
	REFUSED(lcx_ns_open_owner(w->dir_fd, err));
	REFUSED(lcx_ns_kind_of(w->dir_fd, err));
	REFUSED(lcx_ns_is_same(-1, -1, err));
	return lcx_ns_parse("nonsense", &kind) < 0 ? 0 : -EINVAL;
}

static int look_at_namespaces(struct world *w, struct lcx_error **err)
{
	uint64_t device, inode;
	enum lcx_ns_kind kind;
	int a, b, c, owner, pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	(void)w;
	MUST(lcx_ns_parse(lcx_ns_name(LCX_NS_NET), &kind));
	MUST(a = lcx_ns_open_pid(getpid(), kind, err));
	MUST(b = lcx_ns_open_pidfd(pidfd, kind, err));
	MUST(c = lcx_ns_open_path("/proc/self/ns/net", kind, err));
	MUST(lcx_ns_is_same(a, b, err));
	MUST(lcx_ns_kind_of(c, err));
	MUST(lcx_ns_identity(c, &device, &inode, err));
	MUST(owner = lcx_ns_open_owner(lcx_ns_set_fd(set, kind), err));
	close(owner);
	close(a);
	close(b);
	close(c);
	close(pidfd);
	return 0;
}

/* The mount is what the call is for: it is there between the two. */
static int pin_and_unpin_a_namespace(struct world *w, struct lcx_error **err)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/pinned", w->dir);
	MUST(lcx_ns_pin(lcx_ns_set_fd(set, LCX_NS_NET), path, err));
	MUST(lcx_ns_unpin(path, err));
	REFUSED(lcx_ns_pin(w->dir_fd, path, err));
	REFUSED(lcx_ns_unpin("/no/such/path", err));
	return 0;
}

static pid_t start_child_in_user_namespace(void)
{
	int ends[2];
	char byte;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		bool moved = unshare(CLONE_NEWUSER) == 0;

		close(ends[0]);
		if (write(ends[1], "", 1) != 1 || !moved)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ends[1]);
	(void)!read(ends[0], &byte, 1);
	close(ends[0]);
	return pid;
}

static int write_idmap(struct world *w, struct lcx_error **err)
{
	pid_t pid = start_child_in_user_namespace();
	char path[64];
	int fd, r;

	(void)w;
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(path, O_DIRECTORY | O_CLOEXEC);
	r = lcx_idmap_write(map, fd, err);
	if (r == 0 && lcx_idmap_write(map, fd, err) != -EPERM)
		r = -EINVAL;
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return r;
}

static int idmap_a_mount(struct world *w, struct lcx_error **err)
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, w->dir, OPEN_TREE_CLONE | O_CLOEXEC);

	/* A file system may refuse it. */
	EITHER(lcx_idmap_mount(tree, lcx_ns_set_fd(set, LCX_NS_USER), 0, err));
	close(tree);
	REFUSED(lcx_idmap_mount(w->dir_fd, lcx_ns_set_fd(set, LCX_NS_USER), 0, err));
	REFUSED(lcx_idmap_mount(-1, -1, 0, err));
	return 0;
}

static int free_namespaces(struct world *w, struct lcx_error **err)
{
	(void)w, (void)err;
	set = lcx_ns_set_free(set);
	map = lcx_idmap_free(map);
	return 0;
}

const struct row rows_ns[] = {
	ROW(make_idmap, RELEASED),
	ROW(create_namespaces, HELD),
	ROW(create_a_time_namespace, HELD),
	ROW(refuse_namespaces, HELD),
	ROW(look_at_namespaces, HELD),
	ROW(pin_and_unpin_a_namespace, HELD),
	ROW(write_idmap, HELD),
	ROW(idmap_a_mount, HELD),
	ROW(free_namespaces, RELEASED),
	{0},
};
