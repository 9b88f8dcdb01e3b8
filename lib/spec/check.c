/* SPDX-License-Identifier: MIT */
#include "spec/check.h"

#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "security/landlock.h"
#include "security/rlimit.h"
#include "spec/names.h"

enum {
	MAX_HOST_NAME = 64, /* the kernel's __NEW_UTS_LEN */
	MAX_ID_MAPS = 340,  /* user_namespaces(7) */
};

int lcx__check_not_empty(const char *text, struct lcx_error **err)
{
	return *text ? 0 : lcx__fail(err, EINVAL, "must not be empty");
}

int lcx__check_oci_version(const char *text, struct lcx_error **err)
{
	const char *at = text;

	for (int i = 0; i < 3; i++) {
		size_t n = strspn(at, "0123456789");

		if (n == 0 || (n > 1 && at[0] == '0') || (i < 2 && at[n] != '.'))
			return lcx__fail(err, EINVAL, "'%.32s' is not a version such as 1.3.0",
					 text);
		at += n + (i < 2);
	}
	/* What follows is a pre-release or a build: semver.org, 9 and 10. */
	if (*at && ((*at != '-' && *at != '+') || !at[1]))
		return lcx__fail(err, EINVAL, "'%.32s' is not a version such as 1.3.0", text);
	/* 1.x documents mean the same to all of 1.x; 0.x were its drafts. */
	if (strspn(text, "0123456789") > 1 || text[0] > '1')
		return lcx__fail(err, EINVAL, "version %.*s is not read here, 1.x is",
				 (int)strspn(text, "0123456789"), text);
	return 0;
}

int lcx__check_absolute(const char *path, struct lcx_error **err)
{
	if (path[0] != '/')
		return lcx__fail(err, EINVAL, "must be an absolute path, not '%.64s'", path);
	if (strlen(path) >= PATH_MAX)
		return lcx__fail(err, EINVAL, "must be shorter than %d bytes", PATH_MAX);
	return 0;
}

int lcx__check_env_name(const char *name, struct lcx_error **err)
{
	if (*name && !strchr(name, '='))
		return 0;
	return lcx__fail(err, EINVAL, "'%.64s' cannot name a variable of the environment", name);
}

int lcx__check_env(const char *assignment, struct lcx_error **err)
{
	const char *equals = strchr(assignment, '=');

	if (equals && equals != assignment)
		return 0;
	return lcx__fail(err, EINVAL, "must be NAME=value, not '%.64s'", assignment);
}

int lcx__check_host_name(const char *name, struct lcx_error **err)
{
	if (strlen(name) <= MAX_HOST_NAME)
		return 0;
	return lcx__fail(err, EINVAL, "must have at most %d bytes, not %zu", MAX_HOST_NAME,
			 strlen(name));
}

int lcx__check_id_list(const char *text, struct lcx_error **err)
{
	if (text[strspn(text, "0123456789, -")] == '\0')
		return 0;
	return lcx__fail(err, EINVAL, "must be a list such as 0-3,7, not '%.64s'", text);
}

int lcx__check_page_size(const char *text, struct lcx_error **err)
{
	size_t digits = strspn(text, "0123456789");

	if (digits > 0 && text[0] != '0' && text[digits] != '\0' && strchr("KMG", text[digits]) &&
	    strcmp(text + digits + 1, "B") == 0)
		return 0;
	return lcx__fail(err, EINVAL, "must be a size such as 64KB, 2MB or 1GB, not '%.32s'", text);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int lcx__check_file_name(const char *name, struct lcx_error **err)
{
	if (*name && !strchr(name, '/') && !is_dots(name) && strlen(name) <= NAME_MAX)
		return 0;
	return lcx__fail(err, EINVAL, "'%.64s' cannot be the name of a file", name);
}

int lcx__check_class_name(const char *name, struct lcx_error **err)
{
	/* The class that all others have. */
	return strcmp(name, "/") == 0 ? 0 : lcx__check_file_name(name, err);
}

int lcx__check_unified_name(const char *name, struct lcx_error **err)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	if (length > 0 && length <= NAME_MAX && name[length] == '\0' && name[0] != '.')
		return 0;
	return lcx__fail(err, EINVAL, "'%.64s' cannot be a file of a cgroup, such as memory.high",
			 name);
}

int lcx__check_sysctl_name(const char *name, struct lcx_error **err)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-@:");

	/* Dots become slashes, so ".." would not survive, but nobody has to rely on it. */
	if (length > 0 && length < PATH_MAX / 2 && name[length] == '\0' && name[0] != '.' &&
	    name[0] != '/' && !strstr(name, "..") && !strstr(name, "//"))
		return 0;
	return lcx__fail(err, EINVAL,
			 "'%.64s' cannot be a kernel parameter, such as net.core.somaxconn", name);
}

int lcx__check_interface(const char *name, struct lcx_error **err)
{
	size_t length = strlen(name);

	/* What dev_valid_name() of the kernel takes. */
	if (length > 0 && length < IFNAMSIZ && !is_dots(name) && !strpbrk(name, "/: \t\n\v\f\r"))
		return 0;
	return lcx__fail(err, EINVAL, "'%.32s' cannot be the name of a network interface", name);
}

int lcx__check_device_access(const char *text, struct lcx_error **err)
{
	if (text[strspn(text, "rwm")] == '\0' && strlen(text) <= 3)
		return 0;
	return lcx__fail(err, EINVAL, "must be of r, w and m, not '%.16s'", text);
}

int lcx__check_device_rule_type(const char *text, struct lcx_error **err)
{
	if (text[0] == '\0' || (strchr("abc", text[0]) && text[1] == '\0'))
		return 0;
	return lcx__fail(err, EINVAL, "must be a, b or c, not '%.16s'", text);
}

int lcx__check_cgroups_path(const char *path, struct lcx_error **err)
{
	CLEANUP(freep) char *copy = strdup(path);
	char *rest = copy, *part;

	if (!copy)
		return lcx__fail_nomem(err);
	if (strlen(path) >= PATH_MAX || strchr(path, '\n'))
		return lcx__fail(err, EINVAL, "must be a path without a newline");
	while ((part = strsep(&rest, "/")))
		if (strcmp(part, "..") == 0)
			return lcx__fail(err, EINVAL, "must not contain '..'");
	return 0;
}

int lcx__check_schema_line(const char *text, struct lcx_error **err)
{
	return strchr(text, '\n') ? lcx__fail(err, EINVAL, "must be one line") : 0;
}

int lcx__check_landlock(const char *text, struct lcx_error **err)
{
	struct lcx__landlock_rule rule;

	return lcx__landlock_parse(text, &rule, err);
}

int lcx__check_mem_bw_schema(const char *text, struct lcx_error **err)
{
	if (strncmp(text, "MB:", 3) != 0)
		return lcx__fail(err, EINVAL, "must start with 'MB:'");
	return lcx__check_schema_line(text, err);
}

int lcx__finish_rlimit(void *object, struct lcx_error **err)
{
	const struct lcx__spec_rlimit *limit = object;

	if (limit->soft.value <= limit->hard.value)
		return 0;
	return lcx__fail(err, EINVAL, "the soft limit is above the hard limit");
}

int lcx__finish_rlimits(void *object, struct lcx_error **err)
{
	const struct lcx__list *list = object;
	const struct lcx__spec_rlimit *limits = list->items;
	uint64_t seen = 0;

	for (size_t i = 0; i < list->n; i++) {
		uint64_t bit = UINT64_C(1) << limits[i].resource.value;

		if (seen & bit)
			return lcx__fail(err, EINVAL, "%s stands twice; keep one",
					 lcx__json_name_of(lcx__rlimit_names,
							   (uint64_t)limits[i].resource.value));
		seen |= bit;
	}
	return 0;
}

int lcx__finish_id_map(void *object, struct lcx_error **err)
{
	const struct lcx__spec_id_map *map = object;
	uint64_t size = map->size.value;

	if (size == 0)
		return lcx__fail(err, EINVAL, "size: must not be 0");
	if (map->container_id.value + size > UINT32_MAX || map->host_id.value + size > UINT32_MAX)
		return lcx__fail(err, EINVAL,
				 "size: the range ends beyond the last id, 4294967294");
	return 0;
}

static bool overlap(uint32_t a, uint32_t b, uint32_t size_a, uint32_t size_b)
{
	return a < (uint64_t)b + size_b && b < (uint64_t)a + size_a;
}

int lcx__finish_id_maps(void *object, struct lcx_error **err)
{
	const struct lcx__list *list = object;
	const struct lcx__spec_id_map *m = list->items;

	if (list->n > MAX_ID_MAPS)
		return lcx__fail(err, EINVAL, "more than %d ranges", MAX_ID_MAPS);
	for (size_t i = 0; i < list->n; i++)
		for (size_t j = 0; j < i; j++)
			if (overlap(m[i].container_id.value, m[j].container_id.value,
				    m[i].size.value, m[j].size.value) ||
			    overlap(m[i].host_id.value, m[j].host_id.value, m[i].size.value,
				    m[j].size.value))
				return lcx__fail(err, EINVAL, "ranges %zu and %zu overlap", j, i);
	return 0;
}

int lcx__finish_namespaces(void *object, struct lcx_error **err)
{
	const struct lcx__list *list = object;
	const struct lcx__spec_namespace *namespaces = list->items;
	uint32_t seen = 0;

	for (size_t i = 0; i < list->n; i++) {
		uint32_t flag = namespaces[i].type.value;

		if (seen & flag)
			return lcx__fail(err, EINVAL, "'%s' stands twice; keep one",
					 lcx__json_name_of(lcx__namespace_names, flag));
		seen |= flag;
	}
	return 0;
}

int lcx__finish_device(void *object, struct lcx_error **err)
{
	struct lcx__spec_device *device = object;

	if (device->type.value != 'p' && (!device->major.set || !device->minor.set))
		return lcx__fail(err, EINVAL, "major and minor: must be there");
	/* Docker sends the type of the file along with its permissions. */
	device->file_mode.value &= 0777;
	return 0;
}

int lcx__finish_scheduler(void *object, struct lcx_error **err)
{
	const struct lcx__spec_scheduler *s = object;
	bool deadline = s->policy.value == LCX__SCHED_DEADLINE;
	bool realtime = s->policy.value == SCHED_FIFO || s->policy.value == SCHED_RR;

	if (!deadline && (s->runtime_ns.value || s->deadline_ns.value || s->period_ns.value))
		return lcx__fail(err, EINVAL,
				 "runtime, deadline and period go with SCHED_DEADLINE only");
	if (!realtime && s->priority.value != 0)
		return lcx__fail(err, EINVAL, "priority: goes with SCHED_FIFO and SCHED_RR only");
	return 0;
}

int lcx__finish_unified(void *object, struct lcx_error **err)
{
	const struct lcx__key_value *pair = object;

	/* Several lines are several values to some files (io.max): only a NUL has been refused. */
	if (strlen(pair->value) < 4096)
		return 0;
	return lcx__fail(err, EINVAL, "must be shorter than 4096 bytes, for it is written at once");
}

int lcx__finish_mount(void *object, struct lcx_error **err)
{
	struct lcx__spec_mount *mount = object;
	bool has_maps = mount->uid_mappings.n > 0;
	int r;

	if (has_maps != (mount->gid_mappings.n > 0))
		return lcx__fail(err, EINVAL, "uidMappings and gidMappings: must be there both");
	r = lcx__mount_options_parse((const char *const *)mount->options, &mount->parsed, err);
	if (r == 0 && mount->type && strcmp(mount->type, "bind") == 0 &&
	    !(mount->parsed.flags & (MS_BIND | MS_REMOUNT))) {
		mount->parsed.flags |= MS_BIND;
		r = lcx__mount_options_check_bind(&mount->parsed, err);
	}
	if (r < 0)
		return lcx__fail_prefix(err, r, "options");
	if (has_maps && mount->parsed.idmap == LCX__IDMAP_NONE)
		mount->parsed.idmap = LCX__IDMAP_MOUNT;
	return 0;
}
