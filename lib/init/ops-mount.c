/* SPDX-License-Identifier: MIT */
#include "init/mount.h"

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

/*
 * Up to four changes, one after the other, as plan_propagation() packs them: a mount that becomes
 * a slave and then shared is both.
 */
static int set_propagation(int tree_fd, uint64_t changes)
{
	int r = 0;

	for (; changes && r == 0; changes >>= PLAN_PROPAGATION_BITS) {
		uint64_t one = plan_propagation(changes);
		struct sys_mount_attr attr = {.propagation = one & ~(uint64_t)MS_REC};

		r = sys_mount_setattr(tree_fd, "",
				      AT_EMPTY_PATH | (one & MS_REC ? SYS_AT_RECURSIVE : 0), &attr);
	}
	return r;
}

/* ---- new file systems --------------------------------------------------- */

struct new_tree {
	const char *type, *source, *options, *label;
	bool readonly;
	unsigned int attributes;
};

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

/* SELinux: every file of it has this label, whatever else is said. */
static int label_file_system(int fs_fd, const char *label)
{
	return label ? sys_fsconfig(fs_fd, SYS_FSCONFIG_SET_STRING, "context", label, 0) : 0;
}

static int new_tree(struct init *init, const struct new_tree *wish)
{
	int fs_fd = sys_fsopen(wish->type, SYS_FSOPEN_CLOEXEC), r = 0;

	if (fs_fd < 0)
		return fs_fd;
	if (wish->source)
		r = sys_fsconfig(fs_fd, SYS_FSCONFIG_SET_STRING, "source", wish->source, 0);
	if (r == 0)
		r = label_file_system(fs_fd, wish->label);
	if (r == 0)
		r = keep_detail(init, fs_fd, configure(fs_fd, wish->options));
	if (r == 0)
		r = create_tree(init, fs_fd, wish->readonly, wish->attributes);
	init_close(fs_fd);
	return r;
}

int init_new_file_system(struct init *init, const char *type, const char *source,
			 const char *options, bool readonly, unsigned int attributes)
{
	const struct new_tree wish = {type, source, options, NULL, readonly, attributes};

	return new_tree(init, &wish);
}

/* What is masked in these is found by its name later: no link may stand on the way
 * (CVE-2019-19921). */
static bool is_kernel_interface(const char *type)
{
	return strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0;
}

static int reopen_without_links(struct init *init, const char *path, int target)
{
	init_close(target);
	return init_open_without_links(init, path);
}

/* What is copied is written: read-only it becomes only afterwards. */
static int fill(struct init *init, const struct plan_op *op, int target, int tree)
{
	struct sys_mount_attr attr = {.attr_set = op->num[0] & SYS_MOUNT_ATTR_RDONLY};
	int r = init_copy_up(init, target, tree, init_str(init, op, 3));

	return r == 0 && attr.attr_set ? sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr) : r;
}

/* str: type, target, source, options, SELinux label; num: attributes, none, propagation. */
int init_op_MOUNT(struct init *init, const struct plan_op *op)
{
	const char *path = init_path(init, op, 1);
	bool copies = op->flags & PLAN_F_COPY_UP;
	const struct new_tree wish = {
		.type = init_str(init, op, 0),
		.source = init_str(init, op, 2),
		.options = init_str(init, op, 3),
		.label = init_str(init, op, 4),
		.readonly = op->flags & PLAN_F_READONLY,
		.attributes = (unsigned int)op->num[0] &
			      (copies ? ~(unsigned int)SYS_MOUNT_ATTR_RDONLY : ~0u),
	};
	int target, tree, r;

	target = init_open_target(init, path, op->flags & PLAN_F_MAKE_TARGET, true);
	if (target >= 0 && is_kernel_interface(wish.type) && !lcx__is_off(LINKS))
		target = reopen_without_links(init, path, target);
	if (target < 0)
		return target;
	r = tree = new_tree(init, &wish);
	if (tree >= 0)
		r = copies ? fill(init, op, target, tree) : 0;
	if (r == 0)
		r = init_attach(tree, target);
	if (r == 0)
		r = set_propagation(tree, op->num[2]);
	if (r == 0)
		r = init_note_mount(init, path, tree);
	else
		init_close(tree);
	init_close(target);
	return r;
}

/* ---- existing trees ----------------------------------------------------- */

int init_clone_tree(int dir_fd, const char *path, bool recursive)
{
	return sys_open_tree(dir_fd, path,
			     SYS_OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH |
				     (recursive ? SYS_AT_RECURSIVE : 0));
}

/* num: attributes to set, attributes to clear, propagation, the same in the whole tree. */
static int change_tree(int tree, const struct plan_op *op)
{
	struct sys_mount_attr attr = {
		.attr_set = op->num[0],
		.attr_clr = op->num[1],
	};
	struct sys_mount_attr deep = {.attr_set = (uint32_t)op->num[3],
				      .attr_clr = op->num[3] >> 32};
	int r = 0;

	if (attr.attr_set || attr.attr_clr)
		r = sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);
	if (r == 0 && op->num[3])
		r = sys_mount_setattr(tree, "", AT_EMPTY_PATH | SYS_AT_RECURSIVE, &deep);
	return r;
}

/* Whoever puts something on a path of the image's must not come to cover the kernel's files,
 * because a link of the image's leads there (CVE-2019-16884). Those below /sys are the kernel's. */
static int open_bind_target(struct init *init, const struct plan_op *op, bool directory)
{
	const char *path = init_path(init, op, 1);
	uint64_t fs[16] = {0};
	bool below_sys;
	int target = init_open_target(init, path, op->flags & PLAN_F_MAKE_TARGET, directory), r;

	if (target < 0 || lcx__is_off(LINKS))
		return target;
	r = (int)sys_call2(__NR_fstatfs, target, fs);
	if (r < 0) {
		init_close(target);
		return r;
	}
	below_sys = strlen(path) >= 4 && memcmp(path, "sys/", 4) == 0;
	return fs[0] == PROC_SUPER_MAGIC || (fs[0] == SYSFS_MAGIC && !below_sys)
		       ? reopen_without_links(init, path, target)
		       : target;
}

int init_op_BIND(struct init *init, const struct plan_op *op)
{
	const char *source = init_str(init, op, 0);
	struct statx st = {0};
	int tree, target = -1, r;

	/* One that the library has cloned is taken as it is: Linux clones it again only from 6.15
	 * on. */
	tree = op->fd >= 0 ? op->fd : init_clone_tree(AT_FDCWD, source, op->flags & PLAN_F_RECURSIVE);
	if (tree < 0)
		return tree;
	r = init_stat(tree, &st);
	if (r == 0)
		r = target = open_bind_target(init, op, (st.stx_mode & S_IFMT) == 0040000);
	if (target >= 0)
		r = change_tree(tree, op);
	if (r == 0)
		r = init_attach(tree, target);
	if (r == 0)
		r = set_propagation(tree, op->num[2]);
	if (r == 0)
		r = init_note_mount(init, init_path(init, op, 1), tree);
	else
		init_close(tree);
	init_close(target);
	return r;
}

int init_op_PROPAGATION(struct init *init, const struct plan_op *op)
{
	uint64_t deep = op->flags & PLAN_F_TOP_ONLY ? 0 : MS_REC;

	(void)init;
	return (int)sys_call5(__NR_mount, "none", "/", 0, deep | op->num[0], 0);
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
		  : create_tree(init, fs_fd, op->flags & PLAN_F_READONLY,
				(unsigned int)op->num[1]);
	init_close(fs_fd);
	return r;
}

static bool append_option(char *text, size_t size, const char *key, const char *value)
{
	const char *quote;

	if (!text_append(text, size, ",") || !text_append(text, size, key))
		return false;
	if (!value[0])
		return true;
	if (!text_append(text, size, "="))
		return false;
	if (value[0] == '/')
		return append_fd_path(text, size, value);
	/* A label may have commas; the kernel takes it in quotes then. */
	quote = strchr(value, ',') ? "\"" : "";
	return text_append(text, size, quote) && text_append(text, size, value) &&
	       text_append(text, size, quote);
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
			      op->num[2] | (op->flags & PLAN_F_READONLY ? MS_RDONLY : 0), text);
}

/* str: staging, layers (top-most first), options as pairs; length: of layers; num[0]: of options;
 * num[1]: attributes of the mount; num[2]: the same as flags for mount(2). */
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
	init_close(tree);
	return r < 0 ? r : open_root(init, staging);
}

/* pivot_root(2) wants a mount: the directory is bound onto the staging directory. */
int init_op_ROOT_BIND(struct init *init, const struct plan_op *op)
{
	const char *staging = init_str(init, op, 0);
	int tree = init_clone_tree(AT_FDCWD, init_str(init, op, 1), op->flags & PLAN_F_RECURSIVE),
	    r;

	if (tree < 0)
		return tree;
	r = change_tree(tree, op);
	if (r == 0)
		r = sys_move_mount(tree, "", AT_FDCWD, staging, SYS_MOVE_MOUNT_F_EMPTY_PATH);
	init_close(tree);
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

/* num: as of change_tree(). */
int init_op_REMOUNT(struct init *init, const struct plan_op *op)
{
	int target = init_open_target(init, init_path(init, op, 0), false, false), r;

	if (target < 0)
		return target;
	r = change_tree(target, op);
	if (r == 0)
		r = set_propagation(target, op->num[2]);
	init_close(target);
	return r;
}

enum { DETACH = 2 /* MNT_DETACH */ };

/* The old root ends up below the new one at the same place, and is let go: pivot_root(2). */
static int pivot_root(void)
{
	int r = (int)sys_call2(__NR_pivot_root, ".", ".");

	return r == 0 ? (int)sys_call2(__NR_umount2, ".", DETACH) : r;
}

/*
 * The root of an initial RAM disk cannot be pivoted. The old one stays below the new one, out of
 * reach; but a proc or sysfs there would let a user namespace mount one without the masks.
 */
static int move_root(void)
{
	int r;

	(void)sys_call2(__NR_umount2, "/proc", DETACH);
	(void)sys_call2(__NR_umount2, "/sys", DETACH);
	r = (int)sys_call5(__NR_mount, ".", "/", 0, 8192 /* MS_MOVE */, 0);
	return r == 0 ? (int)sys_call1(__NR_chroot, ".") : r;
}

int init_op_PIVOT(struct init *init, const struct plan_op *op)
{
	int r = (int)sys_call1(__NR_fchdir, init->root_fd);

	if (r == 0)
		r = op->flags & PLAN_F_MOVE ? move_root() : pivot_root();
	if (r == 0)
		r = (int)sys_call1(__NR_chdir, "/");
	/* The root's own propagation, now that the host is gone. */
	if (r == 0 && op->num[0])
		r = (int)sys_call5(__NR_mount, "none", "/", 0, op->num[0], 0);
	init_close(init->root_fd);
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
		r = init_make_directories(init, path);
		if (r == 0)
			r = (int)sys_call1(__NR_chdir, path);
	}
	if (r < 0)
		return r;
	r = (int)sys_call2(__NR_getcwd, cwd, sizeof(cwd));
	return r < 0 ? r : cwd[0] == '/' || lcx__is_off(DESCRIPTORS) ? 0 : -EXDEV;
}
