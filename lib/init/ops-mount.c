/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/stat.h>

/*
 * Theory of operation. All of this happens in the new mount namespace, while the
 * host's tree is still the root. The container's tree is mounted on a staging
 * directory, everything else is attached below init->root_fd, and PIVOT makes it
 * the root.
 *
 * The container's tree is hostile. A target in it is resolved once, by openat2()
 * with RESOLVE_IN_ROOT and no magic links, into an O_PATH descriptor, and the
 * mount is moved onto that descriptor, never onto a path: between the two there
 * is nothing to swap. Mounts are made detached (fsmount(), open_tree()), get
 * their attributes while nobody can see them, and only then are attached.
 */

#ifndef S_IFMT
#define S_IFMT 00170000
#endif

enum { IN_ROOT = SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS, MAX_LINKS = 20 };

static void close_fd(int fd)
{
	if (fd >= 0)
		sys_call1(__NR_close, fd);
}

static int file_stat(int fd, struct statx *st)
{
	return (int)sys_call5(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, st);
}

static int attach(int tree_fd, int target_fd)
{
	return sys_move_mount(tree_fd, "", target_fd, "",
			      SYS_MOVE_MOUNT_F_EMPTY_PATH | SYS_MOVE_MOUNT_T_EMPTY_PATH);
}

/* MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, perhaps with MS_REC; 0 leaves it as it is. */
static int set_propagation(int tree_fd, uint64_t propagation)
{
	struct sys_mount_attr attr = {.propagation = propagation & ~(uint64_t)MS_REC};

	if (!propagation)
		return 0;
	return sys_mount_setattr(
		tree_fd, "", AT_EMPTY_PATH | (propagation & MS_REC ? SYS_AT_RECURSIVE : 0), &attr);
}

/* ---- targets in the container's tree ------------------------------------ */

/* Open the directory that holds @path and tell its last component. */
static int open_parent(struct init *init, const char *path, char *parent, size_t size,
		       const char **name)
{
	size_t end = strlen(path), slash;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (slash = end; slash > 0 && path[slash - 1] != '/'; slash--)
		;
	if (slash + 2 > size)
		return -ENAMETOOLONG;
	parent[0] = '\0';
	memcpy(parent, path, slash);
	parent[slash] = '\0';
	*name = path + slash;
	return sys_openat2(init->root_fd, slash ? parent : ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
			   IN_ROOT);
}

static int make_directory(struct init *init, const char *path)
{
	char parent[4096];
	const char *name;
	int fd = open_parent(init, path, parent, sizeof(parent), &name), r;

	if (fd < 0)
		return fd;
	r = (int)sys_call3(__NR_mkdirat, fd, name, 0755);
	close_fd(fd);
	return r == -EEXIST ? 0 : r;
}

/* Nearly always only the last one is missing. */
static int make_directories(struct init *init, const char *path)
{
	char prefix[4096];
	size_t length = strlen(path);
	int r = make_directory(init, path);

	if (r != -ENOENT)
		return r;
	if (length >= sizeof(prefix))
		return -ENAMETOOLONG;
	r = 0;
	for (size_t i = 1; i <= length && r == 0; i++) {
		if ((path[i] != '/' && path[i] != '\0') || path[i - 1] == '/')
			continue;
		memcpy(prefix, path, i);
		prefix[i] = '\0';
		r = make_directory(init, prefix);
	}
	return r;
}

/* Return: 0 when it was made, -EEXIST with what stands there in @link if that is a symbolic link.
 */
static int make_file(struct init *init, const char *path, char *link, size_t size)
{
	char parent[4096];
	const char *name;
	int dir, fd, n = 0;

	dir = open_parent(init, path, parent, sizeof(parent), &name);
	if (dir == -ENOENT && make_directories(init, parent) == 0)
		dir = open_parent(init, path, parent, sizeof(parent), &name);
	if (dir < 0)
		return dir;
	fd = (int)sys_call4(__NR_openat, dir, name,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	link[0] = '\0';
	if (fd == -EEXIST) {
		/* A relative one counts from the directory that it stands in. */
		(void)text_append(link, size, parent);
		n = (int)strlen(link);
		fd = (int)sys_call4(__NR_readlinkat, dir, name, link + n, size - (size_t)n - 1);
		link[fd > 0 ? n + fd : 0] = '\0';
		if (fd > 0 && link[n] == '/')
			memmove(link, link + n, (size_t)fd + 1);
		fd = -EEXIST;
	}
	close_fd(dir);
	close_fd(fd);
	return fd < 0 ? fd : 0;
}

/* An image may have a link there whose target only another program would make: it is followed,
 * within the tree. */
static int make_linked_file(struct init *init, const char *path)
{
	char links[2][4096];
	int r = make_file(init, path, links[0], sizeof(links[0]));

	for (int i = 0; r == -EEXIST && links[i & 1][0]; i++) {
		if (i == MAX_LINKS)
			return -ELOOP;
		r = make_file(init, links[i & 1], links[~i & 1], sizeof(links[0]));
	}
	return r == -EEXIST ? 0 : r;
}

static int open_target(struct init *init, const char *path, bool make, bool directory)
{
	int flags = O_PATH | O_CLOEXEC, fd, r;

	fd = sys_openat2(init->root_fd, path, (uint64_t)flags, 0, IN_ROOT);
	if (fd != -ENOENT || !make)
		return fd;
	r = directory ? make_directories(init, path) : make_linked_file(init, path);
	return r < 0 ? r : sys_openat2(init->root_fd, path, (uint64_t)flags, 0, IN_ROOT);
}

/* ---- new file systems --------------------------------------------------- */

/* What the kernel says about a refused file system is read from its context: fsopen(2). */
static int keep_detail(struct init *init, int fs_fd, int result)
{
	long n;

	if (result >= 0)
		return result;
	n = sys_call3(__NR_read, fs_fd, init->detail, sizeof(init->detail) - 1);
	init->detail[n > 0 ? n : 0] = '\0';
	return result;
}

/* Options are "key", "key=value", separated by commas, as in mount(8). */
static int configure(int fs_fd, const char *options)
{
	char item[512], *value;
	size_t n;
	int r;

	while (options && *options) {
		for (n = 0; options[n] && options[n] != ','; n++)
			;
		if (n >= sizeof(item))
			return -ENAMETOOLONG;
		memcpy(item, options, n);
		item[n] = '\0';
		options += n + (options[n] == ',');
		if (n == 0)
			continue;
		value = strchr(item, '=');
		if (value)
			*value++ = '\0';
		r = sys_fsconfig(fs_fd, value ? SYS_FSCONFIG_SET_STRING : SYS_FSCONFIG_SET_FLAG,
				 item, value, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

static int create_tree(struct init *init, int fs_fd, bool readonly, unsigned int attributes)
{
	int r = 0;

	if (readonly)
		r = sys_fsconfig(fs_fd, SYS_FSCONFIG_SET_FLAG, "ro", NULL, 0);
	if (r == 0)
		r = sys_fsconfig(fs_fd, SYS_FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r == 0)
		r = sys_fsmount(fs_fd, SYS_FSMOUNT_CLOEXEC, attributes);
	return keep_detail(init, fs_fd, r);
}

/* str: type, target, source, options; num: attributes. Return: a detached tree. */
static int new_file_system(struct init *init, const char *type, const char *source,
			   const char *options, bool readonly, unsigned int attributes)
{
	int fs_fd = sys_fsopen(type, SYS_FSOPEN_CLOEXEC), r = 0;

	if (fs_fd < 0)
		return fs_fd;
	if (source)
		r = sys_fsconfig(fs_fd, SYS_FSCONFIG_SET_STRING, "source", source, 0);
	if (r == 0)
		r = keep_detail(init, fs_fd, configure(fs_fd, options));
	if (r == 0)
		r = create_tree(init, fs_fd, readonly, attributes);
	close_fd(fs_fd);
	return r;
}

/* What is masked in these is found by its name later: no link may stand on the way
 * (CVE-2019-19921). */
static bool is_kernel_interface(const char *type)
{
	return strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0;
}

static int reopen_without_links(struct init *init, const char *path, int target)
{
	close_fd(target);
	target = sys_openat2(init->root_fd, path, O_PATH | O_CLOEXEC, 0,
			     IN_ROOT | SYS_RESOLVE_NO_SYMLINKS);
	if (target == -ELOOP)
		(void)text_append(init->detail, sizeof(init->detail),
				  "a symbolic link stands on the way there");
	return target;
}

int init_op_MOUNT(struct init *init, const struct plan_op *op)
{
	int target, tree, r;

	target = open_target(init, init_str(init, op, 1), op->flags & PLAN_F_MAKE_TARGET, true);
	if (target >= 0 && is_kernel_interface(init_str(init, op, 0)))
		target = reopen_without_links(init, init_str(init, op, 1), target);
	if (target < 0)
		return target;
	tree = new_file_system(init, init_str(init, op, 0), init_str(init, op, 2),
			       init_str(init, op, 3), op->flags & PLAN_F_READONLY,
			       (unsigned int)op->num[0]);
	r = tree < 0 ? tree : attach(tree, target);
	if (r == 0)
		r = set_propagation(tree, op->num[2]);
	close_fd(tree);
	close_fd(target);
	return r;
}

/* ---- existing trees ----------------------------------------------------- */

static int clone_tree(int dir_fd, const char *path, bool recursive)
{
	return sys_open_tree(dir_fd, path,
			     SYS_OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH |
				     (recursive ? SYS_AT_RECURSIVE : 0));
}

/* num: attributes to set, attributes to clear, propagation, attributes to set recursively. */
static int change_tree(int tree, const struct plan_op *op)
{
	struct sys_mount_attr attr = {
		.attr_set = op->num[0],
		.attr_clr = op->num[1],
	};
	struct sys_mount_attr deep = {.attr_set = op->num[3]};
	int r = 0;

	if (attr.attr_set || attr.attr_clr)
		r = sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);
	if (r == 0 && deep.attr_set)
		r = sys_mount_setattr(tree, "", AT_EMPTY_PATH | SYS_AT_RECURSIVE, &deep);
	return r;
}

int init_op_BIND(struct init *init, const struct plan_op *op)
{
	const char *source = init_str(init, op, 0);
	struct statx st = {0};
	int tree, target = -1, r;

	tree = clone_tree(op->fd >= 0 ? op->fd : AT_FDCWD, op->fd >= 0 ? "" : source,
			  op->flags & PLAN_F_RECURSIVE);
	if (tree < 0)
		return tree;
	r = file_stat(tree, &st);
	if (r == 0)
		r = target =
			open_target(init, init_str(init, op, 1), op->flags & PLAN_F_MAKE_TARGET,
				    (st.stx_mode & S_IFMT) == 0040000);
	if (target >= 0)
		r = change_tree(tree, op);
	if (r == 0)
		r = attach(tree, target);
	if (r == 0)
		r = set_propagation(tree, op->num[2]);
	close_fd(tree);
	close_fd(target);
	return r;
}

int init_op_PROPAGATION(struct init *init, const struct plan_op *op)
{
	(void)init;
	return (int)sys_call5(__NR_mount, "none", "/", 0, MS_REC | op->num[0], 0);
}

/* ---- the root ----------------------------------------------------------- */

static int open_root(struct init *init, const char *staging)
{
	int fd =
		(int)sys_call4(__NR_openat, AT_FDCWD, staging, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	init->root_fd = fd;
	return 0;
}

enum { FSCONFIG_VALUE_MAX = 255, OVERLAY_PAGE = 4096 };

static bool append_fd_path(char *options, size_t size, const char *path)
{
	int fd = (int)sys_call4(__NR_openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	return fd >= 0 && text_append(options, size, "/proc/self/fd/") &&
	       text_append_number(options, size, (uint64_t)fd);
}

/* A flag has an empty value. A directory's long name is replaced by its descriptor's. */
static int set_option(int fs_fd, const char *key, const char *value)
{
	char path[40] = "";

	if (value[0] == '/' && strlen(value) > FSCONFIG_VALUE_MAX &&
	    append_fd_path(path, sizeof(path), value))
		value = path;
	return sys_fsconfig(fs_fd, value[0] ? SYS_FSCONFIG_SET_STRING : SYS_FSCONFIG_SET_FLAG, key,
			    value[0] ? value : NULL, 0);
}

/* One fsconfig() a layer: up to 500 layers and no limit on their names; Linux 6.7 and later. */
static int new_overlay(struct init *init, const struct plan_op *op, char **layers, char **options)
{
	int fs_fd = sys_fsopen("overlay", SYS_FSOPEN_CLOEXEC), r = 0;

	if (fs_fd < 0)
		return fs_fd;
	for (uint32_t i = 0; r == 0 && i < op->length; i++)
		r = set_option(fs_fd, "lowerdir+", layers[i]);
	for (uint32_t i = 0; r == 0 && i < op->num[0]; i += 2)
		r = set_option(fs_fd, options[i], options[i + 1]);
	r = r < 0 ? keep_detail(init, fs_fd, r)
		  : create_tree(init, fs_fd, op->flags & PLAN_F_READONLY, 0);
	close_fd(fs_fd);
	return r;
}

static bool append_option(char *text, size_t size, const char *key, const char *value)
{
	if (!text_append(text, size, ",") || !text_append(text, size, key))
		return false;
	if (!value[0])
		return true;
	return text_append(text, size, "=") && (value[0] == '/' ? append_fd_path(text, size, value)
								: text_append(text, size, value));
}

/*
 * Older kernels take all options in one page. Names are kept short by naming
 * descriptors; those stay open until exec, which is soon.
 */
static int old_overlay(struct init *init, const struct plan_op *op, char **layers, char **options)
{
	char text[OVERLAY_PAGE] = "";
	bool fits = true;

	for (uint32_t i = 0; i < op->length && fits; i++)
		fits = text_append(text, sizeof(text), i ? ":" : "lowerdir=") &&
		       append_fd_path(text, sizeof(text), layers[i]);
	for (uint32_t i = 0; i < op->num[0] && fits; i += 2)
		fits = append_option(text, sizeof(text), options[i], options[i + 1]);
	if (!fits) {
		(void)text_append_number(init->detail, sizeof(init->detail), op->length);
		(void)text_append(init->detail, sizeof(init->detail),
				  " layers are too many for this kernel, which takes 4096 bytes of "
				  "options; squash the image, or use Linux 6.8");
		return -E2BIG;
	}
	return (int)sys_call5(__NR_mount, "overlay", init_str(init, op, 0), "overlay",
			      op->flags & PLAN_F_READONLY ? MS_RDONLY : 0, text);
}

/* str: staging, layers (top-most first), options as pairs; length: of layers; num[0]: of options.
 */
int init_op_ROOT_OVERLAY(struct init *init, const struct plan_op *op)
{
	const char *staging = init_str(init, op, 0);
	char **layers = init_vector(init, op->str[1], op->length);
	char **options = init_vector(init, op->str[2], (uint32_t)op->num[0]);
	int tree = new_overlay(init, op, layers, options), r;

	if (tree == -EINVAL || tree == -ENOSYS) {
		char detail[sizeof(init->detail)];

		memcpy(detail, init->detail, sizeof(detail));
		init->detail[0] = '\0';
		r = old_overlay(init, op, layers, options);
		/* If both ways fail, the newer kernel's words say more. */
		if (r < 0 && init->detail[0] == '\0')
			memcpy(init->detail, detail, sizeof(detail));
	} else {
		r = tree < 0 ? tree
			     : sys_move_mount(tree, "", AT_FDCWD, staging,
					      SYS_MOVE_MOUNT_F_EMPTY_PATH);
	}
	close_fd(tree);
	return r < 0 ? r : open_root(init, staging);
}

/* pivot_root(2) wants a mount: the directory is bound onto the staging directory. */
int init_op_ROOT_BIND(struct init *init, const struct plan_op *op)
{
	const char *staging = init_str(init, op, 0);
	int tree = clone_tree(AT_FDCWD, init_str(init, op, 1), op->flags & PLAN_F_RECURSIVE), r;

	if (tree < 0)
		return tree;
	r = change_tree(tree, op);
	if (r == 0)
		r = sys_move_mount(tree, "", AT_FDCWD, staging, SYS_MOVE_MOUNT_F_EMPTY_PATH);
	close_fd(tree);
	return r < 0 ? r : open_root(init, staging);
}

/*
 * fd: a detached tree, which is attached where no path leads. What is mounted on it from here
 * on is seen by whoever else has its descriptor, for as long as this namespace lives.
 */
int init_op_ROOT_TREE(struct init *init, const struct plan_op *op)
{
	init->root_fd = op->fd;
	return sys_move_mount(op->fd, "", AT_FDCWD, "/", SYS_MOVE_MOUNT_F_EMPTY_PATH);
}

/* num: attributes to set, to clear. */
int init_op_REMOUNT(struct init *init, const struct plan_op *op)
{
	struct sys_mount_attr attr = {.attr_set = op->num[0], .attr_clr = op->num[1]};
	int target = open_target(init, init_str(init, op, 0), false, false), r;

	if (target < 0)
		return target;
	r = sys_mount_setattr(target, "", AT_EMPTY_PATH, &attr);
	close_fd(target);
	return r;
}

/* The old root ends up below the new one at the same place, and is let go: pivot_root(2). */
int init_op_PIVOT(struct init *init, const struct plan_op *op)
{
	int r = (int)sys_call1(__NR_fchdir, init->root_fd);

	if (r == 0)
		r = (int)sys_call2(__NR_pivot_root, ".", ".");
	if (r == 0)
		r = (int)sys_call2(__NR_umount2, ".", 2 /* MNT_DETACH */);
	if (r == 0)
		r = (int)sys_call1(__NR_chdir, "/");
	/* The root's own propagation, now that the host is gone. */
	if (r == 0 && op->num[0])
		r = (int)sys_call5(__NR_mount, "none", "/", 0, op->num[0], 0);
	close_fd(init->root_fd);
	init->root_fd = -1;
	return r;
}

/*
 * A working directory may be a link that the image made. getcwd(2) tells whether it
 * led out of the tree: the kernel then puts "(unreachable)" before the path.
 */
int init_op_CHDIR(struct init *init, const struct plan_op *op)
{
	const char *path = init_str(init, op, 0);
	char cwd[4096];
	int r = (int)sys_call1(__NR_chdir, path);

	if (r == -ENOENT && (op->flags & PLAN_F_MAKE_TARGET)) {
		init->root_fd = (int)sys_call4(__NR_openat, AT_FDCWD, "/",
					       O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		r = make_directories(init, path);
		if (r == 0)
			r = (int)sys_call1(__NR_chdir, path);
	}
	if (r < 0)
		return r;
	r = (int)sys_call2(__NR_getcwd, cwd, sizeof(cwd));
	return r < 0 ? r : cwd[0] == '/' ? 0 : -EXDEV;
}

/* ---- single files ------------------------------------------------------- */

/* Whether what stands there is just what was to be made, as in a directory that is used again. */
static bool is_same_node(int dir, const char *name, uint64_t mode, uint64_t device)
{
	struct statx st = {0};
	int r = (int)sys_call5(__NR_statx, dir, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st);
	/* new_decode_dev() in linux/kdev_t.h */
	uint64_t major = device >> 8 & 0xfff, minor = (device & 0xff) | (device >> 12 & 0xfff00);

	return r == 0 && (st.stx_mode & S_IFMT) == (mode & S_IFMT) && st.stx_rdev_major == major &&
	       st.stx_rdev_minor == minor;
}

/* str: directory, name. num: mode with type, device, uid, gid. */
int init_op_MKNOD(struct init *init, const struct plan_op *op)
{
	const char *name = init_str(init, op, 1);
	int dir = open_target(init, init_str(init, op, 0), true, true), r;

	if (dir < 0)
		return dir;
	r = (int)sys_call4(__NR_mknodat, dir, name, op->num[0], op->num[1]);
	/* Without the privilege, as in a user namespace, the host's node is bound instead. */
	if (r == -EPERM && op->str[2]) {
		struct plan_op bind = {.code = PLAN_BIND, .flags = PLAN_F_MAKE_TARGET, .fd = -1};

		close_fd(dir);
		bind.str[0] = op->str[2];
		bind.str[1] = op->str[3];
		return init_op_BIND(init, &bind);
	}
	if (r == -EEXIST && is_same_node(dir, name, op->num[0], op->num[1]))
		r = 0;
	if (r == 0 && (op->num[2] || op->num[3]))
		r = (int)sys_call5(__NR_fchownat, dir, name, op->num[2], op->num[3],
				   0x100 /* NOFOLLOW */);
	close_fd(dir);
	return r;
}

int init_op_SYMLINK(struct init *init, const struct plan_op *op)
{
	int dir = open_target(init, init_str(init, op, 0), true, true), r;

	if (dir < 0)
		return dir;
	r = (int)sys_call3(__NR_symlinkat, init_str(init, op, 2), dir, init_str(init, op, 1));
	close_fd(dir);
	return r == -EEXIST ? 0 : r;
}

/*
 * Directories are covered by one empty tmpfs, cloned each time; anything else by
 * the *host's* /dev/null, whose identity is checked: the image's could be a link.
 */
static int masking_tree(struct init *init, bool directory)
{
	if (directory && init->empty_fd < 0)
		init->empty_fd =
			new_file_system(init, "tmpfs", "tmpfs", "size=0,mode=755", true,
					SYS_MOUNT_ATTR_RDONLY | SYS_MOUNT_ATTR_NOSUID |
						SYS_MOUNT_ATTR_NODEV | SYS_MOUNT_ATTR_NOEXEC);
	if (!directory && init->null_fd < 0) {
		struct statx st = {0};

		init->null_fd =
			(int)sys_call4(__NR_openat, AT_FDCWD, "/dev/null", O_PATH | O_CLOEXEC, 0);
		if (init->null_fd >= 0 && (file_stat(init->null_fd, &st) < 0 ||
					   st.stx_rdev_major != 1 || st.stx_rdev_minor != 3))
			return -ENODEV;
	}
	return directory ? init->empty_fd : init->null_fd;
}

int init_op_MASK(struct init *init, const struct plan_op *op)
{
	int target = open_target(init, init_str(init, op, 0), false, false), from, tree, r;
	struct statx st = {0};
	bool directory;

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return target;
	r = file_stat(target, &st);
	directory = (st.stx_mode & S_IFMT) == 0040000;
	from = r < 0 ? r : masking_tree(init, directory);
	/* A detached mount can be cloned since Linux 6.15; before, a new one is made each time. */
	tree = from < 0 ? from : clone_tree(from, "", false);
	if (tree == -EINVAL && directory) {
		tree = init->empty_fd;
		init->empty_fd = -1;
	}
	r = tree < 0 ? tree : attach(tree, target);
	close_fd(tree);
	close_fd(target);
	return r;
}

int init_op_READONLY(struct init *init, const struct plan_op *op)
{
	struct sys_mount_attr attr = {.attr_set = SYS_MOUNT_ATTR_RDONLY};
	int target = open_target(init, init_str(init, op, 0), false, false), tree, r;

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return target;
	tree = clone_tree(target, "", true);
	r = tree < 0 ? tree : sys_mount_setattr(tree, "", AT_EMPTY_PATH | SYS_AT_RECURSIVE, &attr);
	if (r == 0)
		r = attach(tree, target);
	close_fd(tree);
	close_fd(target);
	return r;
}
