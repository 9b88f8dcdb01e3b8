/* SPDX-License-Identifier: MIT */
/* What a file has beside its content: owner, mode, extended attributes. */
#include "image/tree-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "util/sys.h"

/*
 * Extended attributes: what an image may say about its own files is taken; the
 * host's own labels (security.selinux, .ima, ...) are the host's; and nobody but
 * us writes overlayfs's private ones, which redirect to other files.
 */
static const struct xattr_rule {
	const char *prefix;
	enum { XATTR_SET, XATTR_DROP, XATTR_REFUSE } action;
} xattr_rules[] = {
	{"user.overlay.", XATTR_REFUSE},
	{"trusted.overlay.", XATTR_REFUSE},
	{"user.", XATTR_SET},
	{"trusted.", XATTR_SET},
	{"security.capability", XATTR_SET},
	{"system.posix_acl_", XATTR_SET},
	{"", XATTR_DROP},
};

/*
 * Not there on this file system, or not ours to give: then the tree is as good as it can
 * be here, as with other tools. With full rights a refusal is a failure.
 */
bool lcx__tree_xattr_failure_is_fine(const struct lcx__tree *tree, int code)
{
	return code == EOPNOTSUPP || (code == EPERM && !tree->rights.devices);
}

/* What is no directory and no regular file can't be opened, and has its attributes by a path. */
static int set_xattr_at(const struct lcx__tree *tree, const struct lcx__tree_place *at,
			const struct lcx__tar_xattr *x)
{
	CLEANUP(freep) char *path = NULL;

	if (tree->rights.enclosed) {
		if (fchdir(at->dir_fd) < 0)
			return -errno;
		return lsetxattr(at->name, x->name, x->value, x->size, 0) < 0 ? -errno : 0;
	}
	path = lcx__format("/proc/self/fd/%d/%s", at->dir_fd, at->name);
	if (!path)
		return -ENOMEM;
	return lsetxattr(path, x->name, x->value, x->size, 0) < 0 ? -errno : 0;
}

static int set_xattr(const struct lcx__tree *tree, const struct lcx__tree_place *at, int fd,
		     const struct lcx__tar_xattr *x)
{
	if (fd < 0)
		return set_xattr_at(tree, at, x);
	return fsetxattr(fd, x->name, x->value, x->size, 0) < 0 ? -errno : 0;
}

/* On the open @fd, or if that is -1, on what is at the place. */
int lcx__tree_set_xattrs(const struct lcx__tree *tree, const struct lcx__tar_entry *e,
			 const struct lcx__tree_place *at, int fd, struct lcx_error **err)
{
	for (size_t i = 0; i < e->n_xattrs; i++) {
		const struct lcx__tar_xattr *x = &e->xattrs[i];
		const struct xattr_rule *rule = xattr_rules;
		int r = 0;

		while (strncmp(x->name, rule->prefix, strlen(rule->prefix)) != 0)
			rule++;
		if (rule->action == XATTR_REFUSE)
			return lcx__fail(err, EBADMSG, "the attribute '%.100s' is refused",
					 x->name);
		if (rule->action == XATTR_SET && !(S_ISDIR(e->mode) && lcx__acl_is(x->name)))
			r = set_xattr(tree, at, fd, x);
		if (r < 0 && !lcx__tree_xattr_failure_is_fine(tree, -r))
			return lcx__fail_sys(err, -r, "set the attribute '%.100s'", x->name);
	}
	return 0;
}

int lcx__tree_change_owner(const struct lcx__tree *tree, const struct lcx__tar_entry *e, int dir_fd,
			   const char *name, struct lcx_error **err)
{
	int flags = AT_SYMLINK_NOFOLLOW | (name[0] == '\0' ? AT_EMPTY_PATH : 0);

	if (!tree->rights.chown || fchownat(dir_fd, name, e->uid, e->gid, flags) == 0)
		return 0;
	if (errno == EINVAL)
		return lcx__fail(
			err, EOVERFLOW,
			"the owner %u:%u has no id here: this user namespace needs a larger "
			"range (subuid(5))",
			e->uid, e->gid);
	return lcx__fail_sys(err, errno, "chown to %u:%u", e->uid, e->gid);
}

/*
 * The host's umask may have taken bits, and chown(2) the special ones. fchmod(2) takes no
 * O_PATH: newer kernels have a call that does, else it takes /proc, which an enclosed process
 * hasn't; but that one may follow its paths.
 */
int lcx__tree_restore_mode(const struct lcx__tree *tree, const struct lcx__tree_place *at,
			   int path_fd, mode_t mode, struct lcx_error **err)
{
	struct stat st;
	char self[64];
	int r;

	if (fstat(path_fd, &st) < 0)
		return lcx__fail_sys(err, errno, "stat");
	if ((st.st_mode & 07777) == mode)
		return 0;
	r = sys_fchmodat2(path_fd, "", mode, AT_EMPTY_PATH);
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", path_fd);
	if (r == -ENOSYS && tree->rights.enclosed)
		r = fchmodat(at->dir_fd, at->name, mode, 0) < 0 ? -errno : 0;
	else if (r == -ENOSYS)
		r = fchmodat(AT_FDCWD, self, mode, 0) < 0 ? -errno : 0;
	return r < 0 ? lcx__fail_sys(err, -r, "chmod") : 0;
}
