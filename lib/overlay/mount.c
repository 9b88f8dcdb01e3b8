/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "overlay/overlay-internal.h"
#include "util/str.h"
#include "util/sys.h"

/*
 * Theory of operation
 *
 * Three generations of kernels are spoken to, the newest first:
 *
 * 1. fsopen(2) with one "lowerdir+" per layer (Linux 6.7): up to 500. The
 *    layer is given by descriptor (6.13) or as "/proc/self/fd/N".
 * 2. fsopen(2) before that: all layers in one string, which fsconfig(2) cuts at 255 bytes:
 *    a dozen layers by "/proc/self/fd/N" each.
 * 3. mount(2): one page for all options, some 200 layers; but it attaches
 *    at once: to the target, or in a thread's own copy of the mounts.
 *
 * "/proc/self/fd/N" is short, needs no change of the current directory, and
 * has none of the characters (colon, comma, backslash) that option strings
 * give a meaning to. Before Linux 6.5 a file system context of overlay takes any
 * parameter and complains at the end; a nonsensical one tells these kernels apart.
 */

#define OVERLAY_MAGIC 0x794c7630

enum { FSCONFIG_VALUE_MAX = 255, WORDS_SIZE = 512, FD_PATH_SIZE = 32 };

static void fd_path(int fd, char text[static FD_PATH_SIZE])
{
	(void)snprintf(text, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
}

static const char *dir_name(const struct lcx__overlay_dir *dir)
{
	return dir->path ? dir->path : "given by descriptor";
}

static int open_dir(const struct lcx__overlay_dir *dir, const char *what, struct lcx_error **err)
{
	int fd = lcx__overlay_open(dir);

	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open overlay's %s '%s'", what, dir_name(dir));
	return fd;
}

/*
 * The kernel's own words about a file system context, the last of them; each
 * begins with a letter for its weight: "e overlay: No changes allowed in ...".
 */
static void read_words(int fs_fd, char words[static WORDS_SIZE])
{
	char line[WORDS_SIZE];
	ssize_t n;

	words[0] = '\0';
	while ((n = read(fs_fd, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		strcpy(words, strlen(line) > 2 ? line + 2 : line);
	}
}

/* What the common codes mean here; the kernel's words are added where it has some. */
int lcx__overlay_refused(int fs_fd, int r, const char *step, struct lcx_error **err)
{
	char words[WORDS_SIZE] = "";

	if (fs_fd >= 0)
		read_words(fs_fd, words);
	if (r == -EPERM)
		return lcx__fail(err, EPERM,
				 "%s: not permitted; mounting an overlay needs CAP_SYS_ADMIN "
				 "in the user namespace of the mount namespace",
				 step);
	if (r == -ENODEV)
		return lcx__fail(err, ENODEV,
				 "%s: this kernel has no overlay file system; load the module "
				 "'overlay'",
				 step);
	if (words[0])
		return lcx__fail(err, -r, "%s: the kernel says: %s", step, words);
	return lcx__fail_sys(err, -r, "%s", step);
}

static int set_string(int fs_fd, const char *key, const char *value)
{
	return sys_fsconfig(fs_fd, value ? SYS_FSCONFIG_SET_STRING : SYS_FSCONFIG_SET_FLAG, key,
			    value, 0);
}

static int set_fd(int fs_fd, const char *key, int fd)
{
	char path[FD_PATH_SIZE];
	int r;

	r = sys_fsconfig(fs_fd, SYS_FSCONFIG_SET_FD, key, NULL, fd);
	if (r != -EINVAL)
		return r;
	fd_path(fd, path);
	return set_string(fs_fd, key, path);
}

/* A context before Linux 6.5 takes what no file system has. */
static bool takes_anything(int fs_fd)
{
	char words[WORDS_SIZE];
	bool taken = set_string(fs_fd, "lcx-no-such-option", NULL) == 0;

	read_words(fs_fd, words);
	return taken;
}

static int open_context(struct lcx_error **err)
{
	int fd = sys_fsopen("overlay", SYS_FSOPEN_CLOEXEC);

	if (fd < 0)
		return lcx__overlay_refused(-1, fd, "open an overlay file system", err);
	return fd;
}

/* Layer by layer. -EOPNOTSUPP, without words, if the kernel has no such way. */
static int add_layers(int fs_fd, const struct lcx_overlay *overlay, struct lcx_error **err)
{
	for (size_t i = 0; i < overlay->lower_count; i++) {
		CLEANUP(closep) int fd = open_dir(&overlay->lowers[i], "lower directory", err);
		char words[WORDS_SIZE];
		int r;

		if (fd < 0)
			return fd;
		r = set_fd(fs_fd, "lowerdir+", fd);
		if (r == 0)
			continue;
		read_words(fs_fd, words);
		if (i == 0 && strstr(words, "Unknown parameter"))
			return -EOPNOTSUPP;
		if (words[0])
			return lcx__fail(err, -r,
					 "overlay's lower directory '%s': the kernel says: %s",
					 dir_name(&overlay->lowers[i]), words);
		return lcx__fail_sys(err, -r, "overlay's lower directory '%s'",
				     dir_name(&overlay->lowers[i]));
	}
	return 0;
}

static int add_upper(int fs_fd, const struct lcx_overlay *overlay, struct lcx_error **err)
{
	const struct {
		const char *key, *what;
		const struct lcx__overlay_dir *dir;
	} dirs[] = {
		{"upperdir", "upper directory", &overlay->upper},
		{"workdir", "work directory", &overlay->work},
	};

	for (size_t i = 0; lcx__overlay_has_upper(overlay) && i < ARRAY_SIZE(dirs); i++) {
		CLEANUP(closep) int fd = open_dir(dirs[i].dir, dirs[i].what, err);
		int r;

		if (fd < 0)
			return fd;
		r = set_fd(fs_fd, dirs[i].key, fd);
		if (r < 0)
			return lcx__overlay_refused(fs_fd, r, dirs[i].what, err);
	}
	return 0;
}

static int add_options(int fs_fd, const struct lcx_overlay *overlay, struct lcx_error **err)
{
	struct lcx__overlay_option options[LCX__OVERLAY_MAX_OPTIONS];
	size_t count = lcx__overlay_options(overlay, options);
	int r;

	r = set_string(fs_fd, "source", "overlay");
	if (r < 0)
		return lcx__overlay_refused(fs_fd, r, "name the overlay", err);
	for (size_t i = 0; i < count; i++) {
		r = set_string(fs_fd, options[i].key, options[i].value);
		if (r < 0)
			return lcx__overlay_refused(fs_fd, r, options[i].key, err);
	}
	return 0;
}

static int finish(int fs_fd, const struct lcx_overlay *overlay, struct lcx_error **err)
{
	int r;

	r = sys_fsconfig(fs_fd, SYS_FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return lcx__overlay_refused(fs_fd, r, "mount the overlay", err);
	r = sys_fsmount(fs_fd, SYS_FSMOUNT_CLOEXEC, overlay->attributes);
	return r < 0 ? lcx__overlay_refused(fs_fd, r, "mount the overlay", err) : r;
}

/* The first way. -EOPNOTSUPP, without words, if it takes another. */
int lcx__overlay_mount_by_layer(const struct lcx_overlay *overlay, struct lcx_error **err)
{
	CLEANUP(closep) int fs_fd = open_context(err);
	int r;

	if (fs_fd < 0)
		return fs_fd;
	if (takes_anything(fs_fd))
		return -EOPNOTSUPP;
	r = add_layers(fs_fd, overlay, err);
	if (r == 0)
		r = add_upper(fs_fd, overlay, err);
	if (r == 0)
		r = add_options(fs_fd, overlay, err);
	return r < 0 ? r : finish(fs_fd, overlay, err);
}

/*
 * The older ways: all directories are open at once, and their names stand in strings.
 */

struct named_dirs {
	int *fds; /* lowers, then upper and work */
	size_t count;
	struct lcx__strbuf lowerdir;                  /* "/proc/self/fd/5:/proc/self/fd/6" */
	char upper[FD_PATH_SIZE], work[FD_PATH_SIZE]; /* or "" */
};

static void named_dirs_clear(struct named_dirs *dirs)
{
	for (size_t i = 0; i < dirs->count; i++)
		closep(&dirs->fds[i]);
	free(dirs->fds);
	lcx__strbuf_free(&dirs->lowerdir);
}

static int name_dir(struct named_dirs *dirs, const struct lcx__overlay_dir *dir, const char *what,
		    char text[static FD_PATH_SIZE], struct lcx_error **err)
{
	int fd = open_dir(dir, what, err);

	if (fd < 0)
		return fd;
	dirs->fds[dirs->count++] = fd;
	fd_path(fd, text);
	return 0;
}

static int name_dirs(const struct lcx_overlay *overlay, struct named_dirs *dirs,
		     struct lcx_error **err)
{
	char text[FD_PATH_SIZE];
	int r = 0;

	dirs->fds = calloc(overlay->lower_count + 2, sizeof(*dirs->fds));
	if (!dirs->fds)
		return lcx__fail_nomem(err);
	for (size_t i = 0; r == 0 && i < overlay->lower_count; i++) {
		r = name_dir(dirs, &overlay->lowers[i], "lower directory", text, err);
		if (r == 0)
			lcx__strbuf_addf(&dirs->lowerdir, "%s%s", i > 0 ? ":" : "", text);
	}
	if (r == 0 && lcx__overlay_has_upper(overlay))
		r = name_dir(dirs, &overlay->upper, "upper directory", dirs->upper, err);
	if (r == 0 && lcx__overlay_has_upper(overlay))
		r = name_dir(dirs, &overlay->work, "work directory", dirs->work, err);
	if (r == 0 && dirs->lowerdir.failed)
		r = lcx__fail_nomem(err);
	return r;
}

/* The second way; -E2BIG, without words, if the layers do not fit. */
static int mount_by_string(const struct lcx_overlay *overlay, struct lcx_error **err)
{
	CLEANUP(named_dirs_clear) struct named_dirs dirs = {0};
	CLEANUP(closep) int fs_fd = -1;
	int r;

	r = name_dirs(overlay, &dirs, err);
	if (r < 0)
		return r;
	if (dirs.lowerdir.length > FSCONFIG_VALUE_MAX)
		return -E2BIG;
	fs_fd = open_context(err);
	if (fs_fd < 0)
		return fs_fd;
	r = set_string(fs_fd, "lowerdir", dirs.lowerdir.text);
	if (r == 0 && dirs.upper[0])
		r = set_string(fs_fd, "upperdir", dirs.upper);
	if (r == 0 && dirs.work[0])
		r = set_string(fs_fd, "workdir", dirs.work);
	if (r < 0)
		return lcx__overlay_refused(fs_fd, r, "set overlay's directories", err);
	r = add_options(fs_fd, overlay, err);
	return r < 0 ? r : finish(fs_fd, overlay, err);
}

static const struct {
	unsigned int attribute;
	unsigned long flag;
} mount_flags[] = {
	{SYS_MOUNT_ATTR_RDONLY, MS_RDONLY},   {SYS_MOUNT_ATTR_NOSUID, MS_NOSUID},
	{SYS_MOUNT_ATTR_NODEV, MS_NODEV},     {SYS_MOUNT_ATTR_NOEXEC, MS_NOEXEC},
	{SYS_MOUNT_ATTR_NOATIME, MS_NOATIME}, {SYS_MOUNT_ATTR_NOSYMFOLLOW, 256 /* Linux 5.10 */},
};

unsigned long lcx__overlay_flags(const struct lcx_overlay *overlay)
{
	unsigned long flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(mount_flags); i++)
		if (overlay->attributes & mount_flags[i].attribute)
			flags |= mount_flags[i].flag;
	return flags;
}

char *lcx__overlay_data(const struct lcx_overlay *overlay, const char *lowers, const char *upper,
			const char *work)
{
	struct lcx__overlay_option options[LCX__OVERLAY_MAX_OPTIONS];
	size_t count = lcx__overlay_options(overlay, options);
	struct lcx__strbuf data = STRBUF_EMPTY;

	lcx__strbuf_addf(&data, "lowerdir=%s", lowers);
	if (upper[0])
		lcx__strbuf_addf(&data, ",upperdir=%s,workdir=%s", upper, work);
	for (size_t i = 0; i < count; i++)
		lcx__strbuf_addf(&data, ",%s%s%s", options[i].key, options[i].value ? "=" : "",
				 options[i].value ? options[i].value : "");
	return lcx__strbuf_take(&data);
}

/* The third way: onto the directory @target_fd. */
static int mount_at_once(const struct lcx_overlay *overlay, int target_fd, struct lcx_error **err)
{
	CLEANUP(named_dirs_clear) struct named_dirs dirs = {0};
	CLEANUP(freep) char *data = NULL;
	char target[FD_PATH_SIZE];
	long page = sysconf(_SC_PAGESIZE);
	int r;

	r = name_dirs(overlay, &dirs, err);
	if (r < 0)
		return r;
	data = lcx__overlay_data(overlay, dirs.lowerdir.text, dirs.upper, dirs.work);
	if (!data)
		return lcx__fail_nomem(err);
	/* The kernel cuts silently, and would mount fewer layers than asked for. */
	if (strlen(data) >= (size_t)page)
		return lcx__fail(
			err, E2BIG,
			"%zu layers are too many for this kernel: their names take %zu of %ld "
			"bytes; squash the image, or use Linux 6.8",
			overlay->lower_count, strlen(data), page - 1);
	fd_path(target_fd, target);
	if (mount("overlay", target, "overlay", lcx__overlay_flags(overlay), data) < 0)
		return lcx__overlay_refused(-1, -errno, "mount the overlay", err);
	return 0;
}

/*
 * The third way for a mount that is to be attached nowhere, made aside. Directories must be
 * opened in the copy of the mounts, and so have paths.
 */

/* Covered in the copy, and there anyway: descriptors are named by it. */
#define COVERED "/proc"

static int mount_in_copy(const void *data, struct lcx_error **err)
{
	CLEANUP(closep) int target_fd = open(COVERED, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (target_fd < 0)
		return lcx__fail_sys(err, errno, "open '%s'", COVERED);
	r = mount_at_once(data, target_fd, err);
	if (r < 0)
		return r;
	r = sys_open_tree(AT_FDCWD, COVERED, SYS_OPEN_TREE_CLONE | O_CLOEXEC);
	return r < 0 ? lcx__fail_sys(err, -r, "take the overlay out") : r;
}

static bool has_paths(const struct lcx_overlay *overlay)
{
	bool all = !lcx__overlay_has_upper(overlay) || (overlay->upper.path && overlay->work.path);

	for (size_t i = 0; i < overlay->lower_count; i++)
		all &= overlay->lowers[i].path != NULL;
	return all;
}

static int mount_aside(const struct lcx_overlay *overlay, struct lcx_error **err)
{
	if (!has_paths(overlay))
		return lcx__fail(
			err, E2BIG,
			"%zu layers given by descriptor are too many for a mount that is "
			"attached nowhere, on this kernel; give their paths, mount them on a "
			"directory, or use Linux 6.8",
			overlay->lower_count);
	return lcx__overlay_aside(mount_in_copy, overlay, err);
}

/*
 * The kernel refuses the work directory of a volatile overlay for good, with
 * EINVAL: what was written may not have reached the disk (fs/overlayfs: work/incompat/volatile).
 */
static int check_work(const struct lcx_overlay *overlay, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;

	if (!lcx__overlay_has_upper(overlay))
		return 0;
	fd = open_dir(&overlay->work, "work directory", err);
	if (fd < 0)
		return fd;
	if (faccessat(fd, "work/incompat/volatile", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return lcx__fail(
			err, EINVAL,
			"overlay's work directory '%s' was used by a volatile mount, whose "
			"changes may be lost in part; begin with new directories, or remove "
			"'work/incompat' in it if the system has not crashed since",
			dir_name(&overlay->work));
	return 0;
}

static int check(const struct lcx_overlay *overlay, struct lcx_error **err)
{
	int r = lcx__overlay_check(overlay, err);

	return r < 0 ? r : check_work(overlay, err);
}

LCX_PUBLIC int lcx_overlay_mount_fd(const struct lcx_overlay *overlay, struct lcx_error **err)
{
	int r;

	r = check(overlay, err);
	if (r < 0)
		return r;
	if (overlay->map)
		return lcx__overlay_mount_mapped(overlay, err);
	if (lcx__overlay_needs_namespace())
		return lcx__overlay_mount_as_user(overlay, err);
	r = -EOPNOTSUPP;
	if (overlay->how == LCX__OVERLAY_AUTO)
		r = lcx__overlay_mount_by_layer(overlay, err);
	if (r == -EOPNOTSUPP)
		r = mount_by_string(overlay, err);
	return r == -E2BIG ? mount_aside(overlay, err) : r;
}

LCX_PUBLIC int lcx_overlay_mount(const struct lcx_overlay *overlay, const char *target,
				 struct lcx_error **err)
{
	CLEANUP(closep) int target_fd = -1, fd = -1;
	int r;

	target_fd = open(target, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (target_fd < 0)
		return lcx__fail_sys(err, errno, "overlay's mount point '%s'", target);
	r = check(overlay, err);
	if (r < 0)
		return r;
	fd = -EOPNOTSUPP;
	if (overlay->map)
		fd = lcx__overlay_mount_mapped(overlay, err);
	else if (overlay->how == LCX__OVERLAY_AUTO)
		fd = lcx__overlay_mount_by_layer(overlay, err);
	if (fd == -EOPNOTSUPP && !overlay->map)
		return mount_at_once(overlay, target_fd, err);
	if (fd < 0)
		return fd;
	r = sys_move_mount(fd, "", target_fd, "",
			   SYS_MOVE_MOUNT_F_EMPTY_PATH | SYS_MOVE_MOUNT_T_EMPTY_PATH);
	if (r < 0)
		return lcx__fail_sys(err, -r, "attach the overlay at '%s'", target);
	return 0;
}

LCX_PUBLIC int lcx_overlay_unmount(const char *target, struct lcx_error **err)
{
	CLEANUP(closep) int fd = open(target, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char path[FD_PATH_SIZE];
	struct statfs fs;
	struct statx stx;

	if (fd < 0 || fstatfs(fd, &fs) < 0 ||
	    statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx) < 0)
		return lcx__fail_sys(err, errno, "overlay's mount point '%s'", target);
	if (fs.f_type != OVERLAY_MAGIC || !(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return lcx__fail(err, EINVAL, "no overlay is mounted at '%s'", target);
	/* The one that was looked at, whatever the path leads to by now. */
	fd_path(fd, path);
	if (umount2(path, MNT_DETACH) < 0)
		return lcx__fail_sys(err, errno, "unmount the overlay at '%s'", target);
	return 0;
}
