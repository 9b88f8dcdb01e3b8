/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "overlay/overlay-internal.h"

/*
 * Documentation/filesystems/overlayfs.rst: a whiteout is a character device 0:0,
 * or, in a directory whose "opaque" is "x", an empty file with the attribute
 * "whiteout". "opaque" is "y" for a directory that hides the lowers' one.
 */

enum { ATTRIBUTE_NAME_SIZE = 40 };

/* Length of the value, which is cut and NUL-terminated; -ENODATA if there is none. */
static int get(int fd, bool user, const char *name, char *value, size_t size)
{
	char path[32], attribute[ATTRIBUTE_NAME_SIZE];
	ssize_t n;

	/* fgetxattr() refuses O_PATH descriptors, and other ones might block or act on a device. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	(void)snprintf(attribute, sizeof(attribute), "%s.overlay.%s", user ? "user" : "trusted",
		       name);
	n = getxattr(path, attribute, value, size - 1);
	if (n < 0)
		return errno == EOPNOTSUPP ? -ENODATA : -errno;
	value[n] = '\0';
	return (int)n;
}

int lcx__overlay_read_marks(int fd, bool user, struct lcx__overlay_marks *marks)
{
	char value[8] = "";
	int r;

	memset(marks, 0, sizeof(*marks));
	r = get(fd, user, "opaque", value, sizeof(value));
	if (r < 0 && r != -ENODATA && r != -ERANGE)
		return r;
	marks->opaque = r == 1 && value[0] == 'y';
	marks->whiteouts = r == 1 && value[0] == 'x';

	/* Only its presence counts: it may hold a digest. */
	r = get(fd, user, "metacopy", value, sizeof(value));
	marks->metacopy = r >= 0 || r == -ERANGE;

	r = get(fd, user, "redirect", marks->redirect, sizeof(marks->redirect));
	if (r < 0 || strlen(marks->redirect) != (size_t)r)
		marks->redirect[0] = '\0';
	return r < 0 && r != -ENODATA ? r : 0;
}

bool lcx__overlay_is_whiteout(int fd, const struct stat *st, bool by_attribute, bool user)
{
	char value[8];
	int r;

	if (S_ISCHR(st->st_mode))
		return st->st_rdev == makedev(0, 0);
	if (!by_attribute || !S_ISREG(st->st_mode) || st->st_size != 0)
		return false;
	r = get(fd, user, "whiteout", value, sizeof(value));
	return r >= 0 || r == -ERANGE;
}
