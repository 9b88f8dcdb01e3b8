/* SPDX-License-Identifier: MIT */

/*
 * What is mounted where, and where the caller is in it.
 *
 * /proc/self/mountinfo tells the hierarchies: version 2 by the file system type,
 * version 1 by the controllers among the super block's options, whatever the mount
 * points are called. /proc/self/cgroup tells where the caller is in each; its paths
 * start at the root of the cgroup namespace, a mount may show only a part of that.
 */

#include "cgroup/cgroup-internal.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "util/fs.h"
#include "util/str.h"
#include "util/sys.h"

/* --- mountinfo --- */

/* Undo the kernel's octal escapes of blank, tab, newline and backslash. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static bool has_option(const char *options, const char *wanted)
{
	size_t length = strlen(wanted);

	while (options) {
		if (strncmp(options, wanted, length) == 0 &&
		    (options[length] == ',' || options[length] == '\0'))
			return true;
		options = strchr(options, ',');
		if (options)
			options++;
	}
	return false;
}

/* Add "memory" or "name=systemd" to the list that names a hierarchy in messages. */
static void add_name(struct lcx__hierarchy *h, const char *option, size_t length)
{
	size_t used = strlen(h->name);

	if (used + length + 2 > sizeof(h->name))
		return;
	if (used)
		h->name[used++] = ',';
	memcpy(h->name + used, option, length);
	h->name[used + length] = '\0';
}

static void parse_v1_options(struct lcx__hierarchy *h, const char *options)
{
	while (*options) {
		size_t length = strcspn(options, ",");
		int i = lcx__controller_find(options, length);

		/* "io" is no controller of version 1. */
		if (i >= 0 && strlen(lcx__controllers[i].v1_name) == length &&
		    memcmp(lcx__controllers[i].v1_name, options, length) == 0) {
			h->controllers |= 1u << i;
			add_name(h, options, length);
		} else if (length > 5 && strncmp(options, "name=", 5) == 0) {
			add_name(h, options, length);
		}
		options += length;
		options += *options == ',';
	}
}

static int parse_device(const char *text, struct lcx__hierarchy *h)
{
	uint64_t major, minor;
	char copy[32];
	char *colon;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, text);
	colon = strchr(copy, ':');
	if (!colon)
		return -EINVAL;
	*colon = '\0';
	if (lcx__parse_u64(copy, UINT32_MAX, &major) < 0 ||
	    lcx__parse_u64(colon + 1, UINT32_MAX, &minor) < 0)
		return -EINVAL;
	h->major = (uint32_t)major;
	h->minor = (uint32_t)minor;
	return 0;
}

static void hierarchy_clear(struct lcx__hierarchy *h)
{
	free(h->mount_point);
	free(h->mount_root);
	free(h->own);
	memset(h, 0, sizeof(*h));
}

enum { MOUNTINFO_FIXED = 6 }; /* id, parent, device, root, mount point, options */

/* One line, taken apart in place: 1 if it is a cgroup mount, now in *@h, 0 if not. */
static int parse_mount(char *line, struct lcx__hierarchy *h)
{
	char *fixed[MOUNTINFO_FIXED], *type, *options, *word;

	for (int i = 0; i < MOUNTINFO_FIXED; i++) {
		fixed[i] = strsep(&line, " ");
		if (!fixed[i] || !line)
			return 0;
	}
	do
		word = strsep(&line, " "); /* optional fields end with a dash */
	while (word && strcmp(word, "-") != 0);
	type = strsep(&line, " ");
	(void)strsep(&line, " "); /* the source is any text */
	options = strsep(&line, " ");
	if (!type || !options || (strcmp(type, "cgroup") != 0 && strcmp(type, "cgroup2") != 0))
		return 0;

	if (parse_device(fixed[2], h) < 0)
		return 0;
	h->unified = strcmp(type, "cgroup2") == 0;
	h->read_only = has_option(fixed[5], "ro") || has_option(options, "ro");
	if (h->unified)
		add_name(h, "unified", strlen("unified"));
	else
		parse_v1_options(h, options);

	unescape(fixed[3]);
	unescape(fixed[4]);
	h->mount_root = strdup(fixed[3]);
	h->mount_point = strdup(fixed[4]);
	if (!h->mount_root || !h->mount_point)
		return -ENOMEM;
	return 1;
}

/* Of two mounts of one hierarchy: writable before read-only, then the one that shows more. */
static bool is_better(const struct lcx__hierarchy *a, const struct lcx__hierarchy *b)
{
	if (a->read_only != b->read_only)
		return !a->read_only;
	return strlen(a->mount_root) < strlen(b->mount_root);
}

static int add_mount(struct lcx__cgroup_layout *layout, struct lcx__hierarchy *found)
{
	for (size_t i = 0; i < layout->count; i++) {
		struct lcx__hierarchy *h = &layout->hierarchies[i];

		if (h->unified != found->unified || h->major != found->major ||
		    h->minor != found->minor)
			continue;
		if (is_better(found, h)) {
			hierarchy_clear(h);
			*h = *found;
		} else {
			hierarchy_clear(found);
		}
		return 0;
	}
	if (layout->count == HIERARCHIES_MAX) {
		hierarchy_clear(found);
		return -E2BIG;
	}
	layout->hierarchies[layout->count++] = *found;
	return 0;
}

static int parse_mountinfo(struct lcx__cgroup_layout *layout, const char *text)
{
	CLEANUP(freep) char *copy = strdup(text);
	char *rest = copy, *line;

	if (!copy)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n"))) {
		struct lcx__hierarchy found = {0};
		int r = parse_mount(line, &found);

		if (r > 0)
			r = add_mount(layout, &found);
		else
			hierarchy_clear(&found);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- /proc/self/cgroup --- */

/* "cpu,cpuacct" of a line names the hierarchy that has them; "" is version 2. */
static bool is_named(const struct lcx__hierarchy *h, const char *names)
{
	return h->unified ? *names == '\0' || *names == ',' : *names && has_option(h->name, names);
}

/* The path in the line of @h; NULL if there is none. @text is taken apart. */
static const char *path_in(const struct lcx__hierarchy *h, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		char *names;

		(void)strsep(&line, ":"); /* the hierarchy's number */
		names = strsep(&line, ":");
		if (names && line && is_named(h, names))
			return line;
	}
	return NULL;
}

/* The kernel writes ".." for what is outside of the cgroup namespace. */
static bool goes_up(const char *path)
{
	while ((path = strstr(path, "/.."))) {
		path += 3;
		if (*path == '/' || *path == '\0')
			return true;
	}
	return false;
}

/* @path seen below a mount of @mount_root; the mount itself if it lies outside. */
static char *path_below(const char *mount_root, const char *path)
{
	size_t length = strcmp(mount_root, "/") == 0 ? 0 : strlen(mount_root);

	if (strncmp(path, mount_root, length) != 0 || path[length] != '/' || goes_up(path) ||
	    strcmp(path + length, "/") == 0)
		return strdup("");
	return strdup(path + length);
}

static int parse_own(struct lcx__cgroup_layout *layout, const char *text)
{
	for (size_t i = 0; i < layout->count; i++) {
		struct lcx__hierarchy *h = &layout->hierarchies[i];
		CLEANUP(freep) char *copy = strdup(text);
		const char *path = copy ? path_in(h, copy) : NULL;

		h->own = !copy ? NULL : path ? path_below(h->mount_root, path) : strdup("");
		if (!h->own)
			return -ENOMEM;
	}
	return 0;
}

int lcx__cgroup_layout_is_below(const struct lcx__cgroup_layout *layout, int index,
				const char *text, const char *path)
{
	const struct lcx__hierarchy *h = &layout->hierarchies[index];
	CLEANUP(freep) char *copy = strdup(text);
	const char *line = copy ? path_in(h, copy) : NULL;
	CLEANUP(freep) char *own = line ? path_below(h->mount_root, line) : NULL;
	size_t length = strlen(path);

	if (copy && (!line || goes_up(h->mount_root)))
		return -ENODATA;
	if (!own)
		return -ENOMEM;
	return strncmp(own, path, length) == 0 && (own[length] == '/' || own[length] == '\0');
}

/* --- the choice of hierarchies --- */

/*
 * Who knows the processes. The unified hierarchy even if it has no controller: it
 * alone has events, an atomic kill, a freeze that leaves no process behind, and
 * CLONE_INTO_CGROUP. On pure version 1 the freezer, since a complete kill needs it.
 */
static int choose_tracker(const struct lcx__cgroup_layout *layout)
{
	static const char *const preferred[] = {"freezer", "pids", "name=systemd"};

	if (layout->unified >= 0 && !layout->hierarchies[layout->unified].read_only)
		return layout->unified;
	for (size_t p = 0; p < ARRAY_SIZE(preferred); p++)
		for (size_t i = 0; i < layout->count; i++)
			if (has_option(layout->hierarchies[i].name, preferred[p]))
				return (int)i;
	return layout->count > 0 ? 0 : -1;
}

static void index_controllers(struct lcx__cgroup_layout *layout)
{
	for (int c = 0; c < CONTROLLERS; c++) {
		layout->controller[c] = -1;
		for (size_t i = 0; i < layout->count; i++)
			if (layout->hierarchies[i].controllers & 1u << c &&
			    (layout->controller[c] < 0 || !layout->hierarchies[i].unified))
				layout->controller[c] = (int)i;
		if (layout->controller[c] < 0 && lcx__controllers[c].implicit)
			layout->controller[c] = layout->unified;
	}
}

/* Something else may be mounted on top, or there may be a change since we read. */
static int check_hierarchy(const struct lcx__hierarchy *h, int fd)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return -errno;
	return fs.f_type == (h->unified ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC) &&
			       major(st.st_dev) == h->major && minor(st.st_dev) == h->minor
		       ? 0
		       : -ENODEV;
}

/*
 * The kernel tells a mount point without links, and below it there are none but a stranger's: so
 * one call opens the whole path, and what came out of it tells that it is the hierarchy's.
 */
int lcx__cgroup_dir_open(const struct lcx__cgroup_layout *layout, int index, const char *path,
			 size_t length)
{
	const struct lcx__hierarchy *h = &layout->hierarchies[index];
	size_t skipped = layout->fs_fd == AT_FDCWD ? 0 : strspn(h->mount_point, "/");
	CLEANUP(closep) int fd = -1;
	char whole[PATH_MAX];
	int r;

	r = snprintf(whole, sizeof(whole), "%s%.*s", h->mount_point + skipped, (int)length, path);
	if (r < 0 || (size_t)r >= sizeof(whole))
		return -ENAMETOOLONG;
	fd = sys_openat2(layout->fs_fd, whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
			 SYS_RESOLVE_NO_SYMLINKS);
	if (fd < 0 || layout->fs_fd != AT_FDCWD)
		return TAKE_FD(fd);
	r = check_hierarchy(h, fd);
	return r < 0 ? r : TAKE_FD(fd);
}

int lcx__cgroup_root_fd(const struct lcx__cgroup_layout *layout, int index)
{
	return lcx__cgroup_dir_open(layout, index, "", 0);
}

/* Which controllers the unified hierarchy has for us: those that reach the base. */
static void read_unified_controllers(struct lcx__cgroup_layout *layout)
{
	CLEANUP(closep) int fd = -1;
	CLEANUP(freep) char *text = NULL;

	if (layout->unified < 0)
		return;
	fd = lcx__cgroup_dir_open(layout, layout->unified, layout->base, strlen(layout->base));
	if (fd < 0 || lcx__read_file(fd, "cgroup.controllers", 4096, &text, NULL) < 0)
		return;
	layout->hierarchies[layout->unified].controllers = lcx__controller_mask(text);
}

/* --- the layout as a whole --- */

int lcx__cgroup_layout_parse(int fs_fd, const char *mountinfo, const char *own,
			     struct lcx__cgroup_layout **ret, struct lcx_error **err)
{
	CLEANUP(lcx__cgroup_layout_freep) struct lcx__cgroup_layout *layout = NULL;
	int r;

	layout = calloc(1, sizeof(*layout));
	if (!layout)
		return lcx__fail_nomem(err);
	layout->references = 1;
	layout->fs_fd = fs_fd;
	layout->unified = -1;

	r = parse_mountinfo(layout, mountinfo);
	if (r == 0)
		r = parse_own(layout, own);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read the cgroup mounts of /proc/self/mountinfo");
	for (size_t i = 0; i < layout->count; i++)
		if (layout->hierarchies[i].unified)
			layout->unified = (int)i;
	layout->tracker = choose_tracker(layout);
	r = lcx__cgroup_find_base(layout);
	if (r < 0)
		return lcx__fail_sys(err, -r, "open the cgroup mount '%s'",
				     layout->hierarchies[layout->tracker].mount_point);
	read_unified_controllers(layout);
	index_controllers(layout);
	*ret = TAKE_PTR(layout);
	return 0;
}

int lcx__cgroup_layout_read(struct lcx__cgroup_layout **ret, struct lcx_error **err)
{
	enum { LIMIT = 16 << 20 };
	CLEANUP(freep) char *mountinfo = NULL;
	CLEANUP(freep) char *own = NULL;
	int r;

	r = lcx__read_file(AT_FDCWD, "/proc/self/mountinfo", LIMIT, &mountinfo, NULL);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read /proc/self/mountinfo");
	r = lcx__read_file(AT_FDCWD, "/proc/self/cgroup", LIMIT, &own, NULL);
	if (r == -ENOENT)
		return lcx__fail(err, ENODEV, "this kernel is built without cgroups");
	if (r < 0)
		return lcx__fail_sys(err, -r, "read /proc/self/cgroup");
	return lcx__cgroup_layout_parse(AT_FDCWD, mountinfo, own, ret, err);
}

struct lcx__cgroup_layout *lcx__cgroup_layout_ref(struct lcx__cgroup_layout *layout)
{
	(void)__atomic_add_fetch(&layout->references, 1, __ATOMIC_RELAXED);
	return layout;
}

struct lcx__cgroup_layout *lcx__cgroup_layout_free(struct lcx__cgroup_layout *layout)
{
	if (!layout || __atomic_sub_fetch(&layout->references, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	for (size_t i = 0; i < layout->count; i++)
		hierarchy_clear(&layout->hierarchies[i]);
	free(layout->base);
	free(layout);
	return NULL;
}

enum lcx_cgroup_mode lcx__cgroup_layout_mode(const struct lcx__cgroup_layout *layout)
{
	if (layout->count == 0)
		return LCX_CGROUP_MODE_NONE;
	if (layout->unified < 0)
		return LCX_CGROUP_MODE_V1;
	return layout->count == 1 ? LCX_CGROUP_MODE_UNIFIED : LCX_CGROUP_MODE_HYBRID;
}
