/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ns/ns-internal.h"
#include "util/fs.h"
#include "util/str.h"
#include "util/sys.h"

/*
 * How a map reaches the kernel: user_namespaces(7). Each file takes one write(2), once. Without
 * CAP_SETGID over the parent namespace, gid_map takes nothing but the writer's own group, and only
 * after setgroups(2) was given up; and that can't be done any more once gid_map is written. So the
 * groups come first, and are given up only if the kernel did not agree without.
 */

enum { PAGE = 4096 }; /* the kernel's bound on all architectures that we know */

static bool is_own_group_only(const struct lcx_idmap *map)
{
	size_t n;
	const struct lcx__id_range *range = lcx__idmap_ranges(map, LCX_ID_GROUP, &n);

	return n == 1 && range->count == 1 && range->host_id == getegid();
}

static bool has_map(int proc_dir_fd, const char *file)
{
	CLEANUP(freep) char *text = NULL;
	size_t length = 0;

	return lcx__read_file(proc_dir_fd, file, 16 * PAGE, &text, &length) == 0 && length > 0;
}

static int explain(int proc_dir_fd, const char *file, const char *word, int r,
		   struct lcx_error **err)
{
	if (r == -EPERM && has_map(proc_dir_fd, file))
		return lcx__fail(err, EPERM, "write %s: the user namespace has its map already",
				 file);
	if (r == -EPERM)
		return lcx__fail(
			err, EPERM,
			"write %s: the caller may not give these %s ids away; without privilege "
			"that is its own id only, and newuidmap(1) for those in /etc/sub%cid",
			file, word, file[0]);
	return lcx__fail_sys(err, -r, "write %s", file);
}

static int check_size(const struct lcx_idmap *map, enum lcx_id_kind kind, const char *word,
		      struct lcx_error **err)
{
	const char *text = lcx_idmap_text(map, kind);

	if (text[0] == '\0')
		return lcx__fail(err, lcx_idmap_count(map, kind) > 0 ? ENOMEM : EINVAL,
				 "the map has no %s ids", word);
	if (strlen(text) >= PAGE)
		return lcx__fail(err, E2BIG,
				 "the map of %s ids has %zu bytes as text, and the kernel takes "
				 "%d: use fewer "
				 "and larger ranges",
				 word, strlen(text), PAGE - 1);
	return 0;
}

/* The number by which /proc knows the process whose directory this is. */
static int read_pid(int proc_dir_fd, int32_t *ret)
{
	CLEANUP(freep) char *text = NULL;
	uint64_t number;
	int r = lcx__read_file(proc_dir_fd, "stat", PAGE, &text, NULL);

	if (r < 0)
		return r;
	text[strcspn(text, " ")] = '\0';
	r = lcx__parse_u64(text, INT32_MAX, &number);
	*ret = r < 0 ? 0 : (int32_t)number;
	return r;
}

/* Return: 0, -EPERM if there is no way but the direct one, or what has failed, in words. */
static int try_program(const struct lcx_idmap *map, enum lcx_id_kind kind, int proc_dir_fd,
		       const char *file, struct lcx_error **err)
{
	int32_t pid;
	int r;

	if (!lcx__idmap_may_use_programs(map) || has_map(proc_dir_fd, file))
		return explain(proc_dir_fd, file, kind == LCX_ID_USER ? "user" : "group", -EPERM,
			       err);
	r = read_pid(proc_dir_fd, &pid);
	return r < 0 ? lcx__fail_sys(err, -r, "read the number of the process")
		     : lcx__idmap_run_program(map, kind, pid, err);
}

LCX_PUBLIC int lcx_idmap_write(const struct lcx_idmap *map, int proc_dir_fd, struct lcx_error **err)
{
	int r = check_size(map, LCX_ID_GROUP, "group", err);

	if (r == 0)
		r = check_size(map, LCX_ID_USER, "user", err);
	if (r < 0)
		return r;
	r = lcx__write_control(proc_dir_fd, "gid_map", lcx_idmap_text(map, LCX_ID_GROUP));
	if (r == -EPERM && is_own_group_only(map) &&
	    lcx__write_control(proc_dir_fd, "setgroups", "deny") == 0)
		r = lcx__write_control(proc_dir_fd, "gid_map", lcx_idmap_text(map, LCX_ID_GROUP));
	if (r == -EPERM)
		r = try_program(map, LCX_ID_GROUP, proc_dir_fd, "gid_map", err);
	else if (r < 0)
		r = explain(proc_dir_fd, "gid_map", "group", r, err);
	if (r < 0)
		return r;
	r = lcx__write_control(proc_dir_fd, "uid_map", lcx_idmap_text(map, LCX_ID_USER));
	if (r == -EPERM)
		return try_program(map, LCX_ID_USER, proc_dir_fd, "uid_map", err);
	return r < 0 ? explain(proc_dir_fd, "uid_map", "user", r, err) : 0;
}

static int open_proc_dir(int32_t pid, struct lcx_error **err)
{
	char path[32];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? lcx__fail_sys(err, errno, "open '%s'", path) : fd;
}

/* /proc/PID is one process's for as long as it is open; so if ours lives after that, it is ours. */
int lcx__ns_open_child(int32_t pid, int pidfd, struct lcx_error **err)
{
	CLEANUP(closep) int fd = open_proc_dir(pid, err);
	int r;

	if (fd < 0)
		return fd;
	r = sys_pidfd_send_signal(pidfd, 0);
	if (r < 0)
		return lcx__fail_sys(err, -r, "find process %d", pid);
	return TAKE_FD(fd);
}

int lcx__idmap_write_child(const struct lcx_idmap *map, int32_t pid, int pidfd,
			   struct lcx_error **err)
{
	CLEANUP(closep) int fd = lcx__ns_open_child(pid, pidfd, err);

	return fd < 0 ? fd : lcx_idmap_write(map, fd, err);
}

LCX_PUBLIC int lcx_idmap_mount(int mount_fd, int userns_fd, int recursive, struct lcx_error **err)
{
	const struct sys_mount_attr attr = {
		.attr_set = SYS_MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)userns_fd,
	};
	unsigned int flags = AT_EMPTY_PATH | (recursive ? (unsigned int)SYS_AT_RECURSIVE : 0);
	int r = lcx__ns_kind_of(userns_fd);

	if (r != LCX_NS_USER)
		return lcx__fail(err, EINVAL, "descriptor %d is no user namespace", userns_fd);
	r = sys_mount_setattr(mount_fd, "", flags, &attr);
	if (r == -EINVAL)
		return lcx__fail(err, EINVAL,
				 "map the owners of a mount: its file system cannot do that, or it "
				 "is attached "
				 "already, or the user namespace is the initial one");
	if (r == -ENOSYS)
		return lcx__fail(err, EOPNOTSUPP,
				 "map the owners of a mount: that needs Linux 5.12");
	return r < 0 ? lcx__fail_sys(err, -r, "map the owners of a mount") : 0;
}
