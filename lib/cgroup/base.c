/* SPDX-License-Identifier: MIT */

/*
 * Relative paths start at the *base*, one path for all hierarchies, so that any
 * process that may manage a cgroup finds it by the same name:
 *   1. the nearest ancestor that a service manager has marked as delegated;
 *   2. the topmost ancestor that belongs to the caller: the root of the mount for the
 *      superuser, what was handed over for an ordinary user or one of a user namespace;
 *   3. the root of the mount, where the caller may write;
 *   4. else the caller's own cgroup, where making anything will probably fail.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cgroup/cgroup-internal.h"
#include "util/fs.h"

static bool is_delegated(int dir_fd)
{
	static const char *const marks[] = {"user.delegate", "trusted.delegate"};
	char value[2];

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (fgetxattr(dir_fd, marks[i], value, sizeof(value)) == 1 && value[0] == '1')
			return true;
	return false;
}

static bool is_users_own(int dir_fd, uid_t uid)
{
	struct stat st;

	return fstat(dir_fd, &st) == 0 && st.st_uid == uid &&
	       faccessat(dir_fd, "cgroup.procs", W_OK, AT_EACCESS) == 0;
}

/* Length of the part of @own that is the base, by rules 1 and 2; -1 if neither holds. */
static int64_t find_delegated(int root_fd, const char *own, uid_t uid)
{
	CLEANUP(closep) int at = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);
	CLEANUP(freep) char *copy = strdup(own);
	int64_t delegated = -1, users = -1;
	char *name, *rest = copy;

	if (at < 0 || !copy)
		return -1;
	while ((name = strsep(&rest, "/"))) {
		int64_t length = name - copy + (int64_t)strlen(name);
		int next;

		if (*name) {
			next = lcx__open_dir(at, name);
			if (next < 0)
				break;
			closep(&at);
			at = next;
		}
		if (is_delegated(at))
			delegated = length;
		if (users < 0 && is_users_own(at, uid))
			users = length;
	}
	return delegated >= 0 ? delegated : users;
}

int lcx__cgroup_find_base(struct lcx__cgroup_layout *layout)
{
	CLEANUP(closep) int root_fd = -1;
	const char *own;
	int64_t length;

	if (layout->tracker < 0) {
		layout->base = strdup("");
		return layout->base ? 0 : -ENOMEM;
	}
	own = layout->hierarchies[layout->tracker].own;
	root_fd = lcx__cgroup_root_fd(layout, layout->tracker);
	if (root_fd < 0)
		return root_fd;
	length = *own ? find_delegated(root_fd, own, geteuid()) : 0;
	if (length < 0 && faccessat(root_fd, "cgroup.procs", W_OK, AT_EACCESS) == 0)
		length = 0;
	layout->base = length < 0 ? strdup(own) : strndup(own, (size_t)length);
	return layout->base ? 0 : -ENOMEM;
}
