/* SPDX-License-Identifier: MIT */
#include "container/audit/audit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "cgroup/cgroup.h"
#include "container/cgroups/cgroups.h"
#include "lcx/security.h"
#include "util/fs.h"
#include "util/mountinfo.h"

/* What of the host's files and devices is within its reach. */

/* ---- file systems ----------------------------------------------------------- */

struct device_set {
	char *text; /* ",8:1,0:23," */
};

static void device_set_clear(struct device_set *set)
{
	free(set->text);
}

/* The file systems that are mounted here: one that is there, too, is shared. */
static int host_devices(struct device_set *ret)
{
	CLEANUP(freep) char *text = NULL;
	struct lcx__strbuf set = STRBUF_EMPTY;
	struct lcx__mount_line mount;
	char *rest;
	int r = lcx__read_file(AT_FDCWD, "/proc/self/mountinfo", 16 << 20, &text, NULL);

	if (r < 0)
		return r;
	lcx__strbuf_adds(&set, ",");
	for (rest = text; lcx__mountinfo_next(&rest, &mount);)
		lcx__strbuf_addf(&set, "%u:%u,", mount.major, mount.minor);
	ret->text = lcx__strbuf_take(&set);
	return ret->text ? 0 : -ENOMEM;
}

static bool is_shared(const struct device_set *set, const struct lcx__mount_line *mount)
{
	char word[32];

	(void)snprintf(word, sizeof(word), ",%u:%u,", mount->major, mount->minor);
	return strstr(set->text, word);
}

/* Its own files, which lie on the host but belong to it: /etc/hosts and so on. */
static bool is_its_own(const struct audit *audit, const struct lcx__mount_line *mount)
{
	CLEANUP(freep) char *part = lcx__format("/%s/", audit->c->d.id);

	return part && strstr(mount->root, part);
}

static bool is_of_kernel(const char *type)
{
	static const char *const types[] = {"sysfs",      "cgroup",  "cgroup2", "debugfs",
					    "securityfs", "tracefs", "bpf",     "configfs"};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* null, zero, full, random, urandom; tty, console, ptmx; ptys. -1: any. */
static const struct {
	int major, minor;
} default_devices[] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}, {5, 2}, {136, -1}};

static bool is_default(const struct stat *st)
{
	for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++)
		if (S_ISCHR(st->st_mode) &&
		    major(st->st_rdev) == (unsigned int)default_devices[i].major &&
		    (default_devices[i].minor < 0 ||
		     minor(st->st_rdev) == (unsigned int)default_devices[i].minor))
			return true;
	return false;
}

/* A mask, or a node of the host's /dev where none can be made: a device like those that all have.
 */
static bool is_default_node(const struct audit *audit, const struct lcx__mount_line *mount)
{
	CLEANUP(closep)
	int fd = lcx__open_in_root(audit->root_fd, mount->point, O_PATH | O_CLOEXEC, 0);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && is_default(&st);
}

static void add_mount(struct audit *audit, struct json_object *list,
		      const struct lcx__mount_line *mount, bool shared)
{
	struct json_object *json = json_object_new_object();

	(void)json_object_object_add(json, "destination", json_object_new_string(mount->point));
	(void)json_object_object_add(json, "type", json_object_new_string(mount->type));
	(void)json_object_object_add(json, "path", json_object_new_string(mount->root));
	(void)json_object_object_add(json, "writable", json_object_new_boolean(mount->writable));
	(void)json_object_object_add(json, "host", json_object_new_boolean(shared));
	(void)json_object_array_add(list, json);
	if (mount->writable && is_of_kernel(mount->type))
		lcx__audit_weaker(audit, "%s on '%s' is writable", mount->type, mount->point);
	else if (mount->writable && shared && strcmp(mount->point, "/") != 0 &&
		 !is_its_own(audit, mount) && !is_default_node(audit, mount))
		lcx__audit_weaker(audit, "'%s' of a file system of the host is writable on '%s'",
				  mount->root, mount->point);
}

/* A container in the host's mount namespace has a tree that is in none: init/ops-build.c. */
static bool is_in_no_list(const struct audit *audit)
{
	return audit->mounts[0] == '\0';
}

int lcx__audit_mounts(struct audit *audit, struct lcx_error **err)
{
	CLEANUP(device_set_clear) struct device_set host = {NULL};
	CLEANUP(freep) char *text = strdup(audit->mounts);
	struct lcx__mount_line mount;
	struct json_object *list;
	char *rest = text;
	int r = host_devices(&host);

	if (r < 0 || !text)
		return lcx__fail_sys(err, r < 0 ? -r : ENOMEM, "read '/proc/self/mountinfo'");
	if (is_in_no_list(audit)) {
		(void)json_object_object_add(audit->json, "mounts", NULL);
		lcx__audit_weaker(audit, "what is mounted in it is in no mount namespace, and the "
					 "kernel has no list of it");
		return 0;
	}
	list = json_object_new_array();
	while (lcx__mountinfo_next(&rest, &mount))
		add_mount(audit, list, &mount, is_shared(&host, &mount));
	(void)json_object_object_add(audit->json, "mounts", list);
	return 0;
}

/* ---- masks -------------------------------------------------------------- */

/* What @path is on, the last mount counts. */
static bool covering_mount(const struct audit *audit, const char *path, bool *ret_exact,
			   bool *ret_writable)
{
	CLEANUP(freep) char *text = strdup(audit->mounts);
	struct lcx__mount_line mount;
	size_t best = 0;
	bool found = false;
	char *rest = text;

	while (text && lcx__mountinfo_next(&rest, &mount)) {
		size_t length = strcmp(mount.point, "/") == 0 ? 0 : strlen(mount.point);

		if (strncmp(path, mount.point, length) != 0 ||
		    (path[length] != '/' && path[length] != '\0') || length < best)
			continue;
		best = length;
		found = true;
		*ret_exact = path[length] == '\0';
		*ret_writable = mount.writable;
	}
	return found;
}

/* Such a tree is asked itself; the container can have put nothing on it that would not answer. */
static bool covering_unlisted(const struct audit *audit, const char *path, bool *ret_exact,
			      bool *ret_writable)
{
	CLEANUP(closep) int fd = lcx__open_in_root(audit->root_fd, path, O_PATH | O_CLOEXEC, 0);
	struct statvfs fs;
	struct statx st;

	if (fd < 0 || fstatvfs(fd, &fs) < 0 || statx(fd, "", AT_EMPTY_PATH, 0, &st) < 0)
		return false;
	*ret_exact = st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	*ret_writable = !(fs.f_flag & ST_RDONLY);
	return true;
}

static bool covering(const struct audit *audit, const char *path, bool *ret_exact,
		     bool *ret_writable)
{
	return is_in_no_list(audit) ? covering_unlisted(audit, path, ret_exact, ret_writable)
				    : covering_mount(audit, path, ret_exact, ret_writable);
}

static bool is_there(const struct audit *audit, const char *path)
{
	CLEANUP(closep) int fd = lcx__open_in_root(audit->root_fd, path, O_PATH | O_CLOEXEC, 0);

	return fd >= 0;
}

int lcx__audit_paths(struct audit *audit, struct lcx_error **err)
{
	struct json_object *seen = json_object_new_array(), *writable = json_object_new_array();
	bool exact = false, can_write = false;
	const char *path;

	(void)err;
	for (size_t i = 0; (path = lcx_default_masked_path(i)); i++) {
		if (!is_there(audit, path) || !covering(audit, path, &exact, &can_write) ||
		    exact)
			continue;
		(void)json_object_array_add(seen, json_object_new_string(path));
		lcx__audit_weaker(audit, "'%s' is not masked", path);
	}
	for (size_t i = 0; (path = lcx_default_readonly_path(i)); i++) {
		if (!is_there(audit, path) || !covering(audit, path, &exact, &can_write) ||
		    !can_write)
			continue;
		(void)json_object_array_add(writable, json_object_new_string(path));
		lcx__audit_weaker(audit, "'%s' is writable", path);
	}
	(void)json_object_object_add(audit->json, "unmaskedPaths", seen);
	(void)json_object_object_add(audit->json, "writablePaths", writable);
	return 0;
}

/* ---- devices ------------------------------------------------------------ */

enum { MAX_DEVICES = 1000 };

static void add_device(struct audit *audit, struct json_object *list, const char *name,
		       const struct stat *st)
{
	CLEANUP(freep)
	char *text = lcx__format("%c %u:%u", S_ISBLK(st->st_mode) ? 'b' : 'c', major(st->st_rdev),
				 minor(st->st_rdev));
	struct json_object *json = json_object_new_object();

	(void)json_object_object_add(json, "name", json_object_new_string(name));
	(void)json_object_object_add(json, "device", json_object_new_string(text ? text : ""));
	(void)json_object_array_add(list, json);
	if (!is_default(st))
		lcx__audit_weaker(audit, "the device %s is there, as '/dev/%s'", text ? text : "",
				  name);
}

static struct json_object *list_nodes(struct audit *audit)
{
	CLEANUP(closep)
	int dir_fd =
		lcx__open_in_root(audit->root_fd, "/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	struct json_object *list = json_object_new_array();
	struct dirent *entry;
	struct stat st;
	DIR *dir = NULL;

	if (dir_fd < 0 || lcx__read_dir(dir_fd, ".", &dir) < 0)
		return list;
	for (int n = 0; n < MAX_DEVICES && (entry = lcx__next_entry(dir)); n++)
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
			add_device(audit, list, entry->d_name, &st);
	(void)closedir(dir);
	return list;
}

int lcx__audit_devices(struct audit *audit, struct lcx_error **err)
{
	int limited;

	(void)json_object_object_add(audit->json, "devices", list_nodes(audit));
	limited = lcx__container_open_cgroup(audit->c, err);
	if (limited < 0)
		return limited;
	limited = lcx__cgroup_devices_limited(audit->c->cgroup);
	(void)json_object_object_add(audit->json, "devicesLimited",
				     limited < 0 ? NULL : json_object_new_boolean(limited));
	if (limited == 0)
		lcx__audit_weaker(audit, "its cgroup allows every device");
	return 0;
}
