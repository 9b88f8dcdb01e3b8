/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "ns/ns.h"
#include "overlay/overlay-internal.h"
#include "util/fs.h"
#include "util/sys.h"

/*
 * What to mount, and how. One row per option, in the kernel's words; one that
 * has a default here is always told to the kernel, because its own default
 * depends on how it was built and on module parameters. A flag is told by
 * its name alone, and only if it is on.
 */
static const struct option_rule {
	const char *key;
	bool is_flag;
	const char *default_value;
	const char *values[4];
} option_rules[] = {
	{"volatile", true, "off", {"off", "on"}},
	{"userxattr", true, "off", {"off", "on"}},
	{"redirect_dir", false, "nofollow", {"nofollow", "on", "follow"}},
	{"metacopy", false, "off", {"off", "on"}},
	{"index", false, "off", {"off", "on"}},
	{"nfs_export", false, "off", {"off", "on"}},
	{"xino", false, NULL, {"off", "on", "auto"}},
};
_Static_assert(ARRAY_SIZE(option_rules) == LCX__OVERLAY_RULES, "option_rules has another size");
_Static_assert((int)LCX__OVERLAY_RULES <= (int)LCX__OVERLAY_MAX_OPTIONS, "too many options");

static const struct {
	const char *name;
	unsigned int attribute;
} flag_rules[] = {
	{"ro", SYS_MOUNT_ATTR_RDONLY},       {"nosuid", SYS_MOUNT_ATTR_NOSUID},
	{"nodev", SYS_MOUNT_ATTR_NODEV},     {"noexec", SYS_MOUNT_ATTR_NOEXEC},
	{"noatime", SYS_MOUNT_ATTR_NOATIME}, {"nosymfollow", SYS_MOUNT_ATTR_NOSYMFOLLOW},
};

LCX_PUBLIC int lcx_overlay_new(struct lcx_overlay **ret, struct lcx_error **err)
{
	struct lcx_overlay *overlay = calloc(1, sizeof(*overlay));

	if (!overlay)
		return lcx__fail_nomem(err);
	overlay->upper.fd = overlay->work.fd = -1;
	*ret = overlay;
	return 0;
}

void lcx__overlay_dir_clear(struct lcx__overlay_dir *dir)
{
	free(dir->path);
	dir->path = NULL;
	closep(&dir->fd);
}

LCX_PUBLIC struct lcx_overlay *lcx_overlay_free(struct lcx_overlay *overlay)
{
	if (!overlay)
		return NULL;
	for (size_t i = 0; i < overlay->lower_count; i++)
		lcx__overlay_dir_clear(&overlay->lowers[i]);
	free(overlay->lowers);
	lcx__overlay_dir_clear(&overlay->upper);
	lcx__overlay_dir_clear(&overlay->work);
	lcx_idmap_free(overlay->map);
	free(overlay);
	return NULL;
}

/* By path or, if that is NULL, by descriptor. */
static int make_dir(const char *path, int fd, const char *what, struct lcx__overlay_dir *ret,
		    struct lcx_error **err)
{
	struct lcx__overlay_dir dir = {.fd = -1};

	if (path && path[0] == '\0')
		return lcx__fail(err, EINVAL, "the path of overlay's %s is empty", what);
	if (path) {
		dir.path = strdup(path);
		if (!dir.path)
			return lcx__fail_nomem(err);
	} else {
		dir.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (dir.fd < 0)
			return lcx__fail_sys(err, errno, "descriptor %d as overlay's %s", fd, what);
	}
	*ret = dir;
	return 0;
}

static int add_lower(struct lcx_overlay *overlay, const char *path, int fd, struct lcx_error **err)
{
	struct lcx__overlay_dir *bigger;
	int r;

	if (overlay->lower_count == LCX__OVERLAY_MAX_LOWERS)
		return lcx__fail(err, E2BIG, "an overlay has at most %d layers; squash the image",
				 LCX__OVERLAY_MAX_LOWERS);
	bigger = reallocarray(overlay->lowers, overlay->lower_count + 1, sizeof(*bigger));
	if (!bigger)
		return lcx__fail_nomem(err);
	overlay->lowers = bigger;
	r = make_dir(path, fd, "lower directory", &bigger[overlay->lower_count], err);
	if (r == 0)
		overlay->lower_count++;
	return r;
}

LCX_PUBLIC int lcx_overlay_add_lower(struct lcx_overlay *overlay, const char *path,
				     struct lcx_error **err)
{
	return add_lower(overlay, path ? path : "", -1, err);
}

LCX_PUBLIC int lcx_overlay_add_lower_fd(struct lcx_overlay *overlay, int dir_fd,
					struct lcx_error **err)
{
	return add_lower(overlay, NULL, dir_fd, err);
}

static int set_upper(struct lcx_overlay *overlay, const char *upper, int upper_fd, const char *work,
		     int work_fd, struct lcx_error **err)
{
	struct lcx__overlay_dir new_upper, new_work;
	int r;

	r = make_dir(upper, upper_fd, "upper directory", &new_upper, err);
	if (r < 0)
		return r;
	r = make_dir(work, work_fd, "work directory", &new_work, err);
	if (r < 0) {
		lcx__overlay_dir_clear(&new_upper);
		return r;
	}
	lcx__overlay_dir_clear(&overlay->upper);
	lcx__overlay_dir_clear(&overlay->work);
	overlay->upper = new_upper;
	overlay->work = new_work;
	return 0;
}

LCX_PUBLIC int lcx_overlay_set_upper(struct lcx_overlay *overlay, const char *upper,
				     const char *work, struct lcx_error **err)
{
	return set_upper(overlay, upper ? upper : "", -1, work ? work : "", -1, err);
}

LCX_PUBLIC int lcx_overlay_set_upper_fd(struct lcx_overlay *overlay, int upper_fd, int work_fd,
					struct lcx_error **err)
{
	return set_upper(overlay, NULL, upper_fd, NULL, work_fd, err);
}

LCX_PUBLIC int lcx_overlay_set_option(struct lcx_overlay *overlay, const char *key,
				      const char *value, struct lcx_error **err)
{
	for (size_t i = 0; key && i < ARRAY_SIZE(option_rules); i++) {
		const struct option_rule *rule = &option_rules[i];

		if (strcmp(rule->key, key) != 0)
			continue;
		for (size_t v = 0; value && v < ARRAY_SIZE(rule->values); v++) {
			if (!rule->values[v] || strcmp(rule->values[v], value) != 0)
				continue;
			overlay->values[i] = rule->values[v];
			return 0;
		}
		if (value)
			return lcx__fail(err, EINVAL, "overlay option %s cannot be '%s'", key,
					 value);
		overlay->values[i] = NULL;
		return 0;
	}
	return lcx__fail(err, EINVAL, "overlay has no option '%s'", key ? key : "(null)");
}

LCX_PUBLIC int lcx_overlay_set_flag(struct lcx_overlay *overlay, const char *flag, int32_t on,
				    struct lcx_error **err)
{
	for (size_t i = 0; flag && i < ARRAY_SIZE(flag_rules); i++) {
		if (strcmp(flag_rules[i].name, flag) != 0)
			continue;
		if (on)
			overlay->attributes |= flag_rules[i].attribute;
		else
			overlay->attributes &= ~flag_rules[i].attribute;
		return 0;
	}
	return lcx__fail(err, EINVAL, "a mount has no flag '%s' that can be chosen here",
			 flag ? flag : "(null)");
}

LCX_PUBLIC int lcx_overlay_set_idmap(struct lcx_overlay *overlay, const struct lcx_idmap *map,
				     struct lcx_error **err)
{
	struct lcx_idmap *copy = NULL;
	int r = map ? lcx_idmap_dup(map, &copy, err) : 0;

	if (r < 0)
		return r;
	lcx_idmap_free(overlay->map);
	overlay->map = copy;
	return 0;
}

bool lcx__overlay_has_upper(const struct lcx_overlay *overlay)
{
	return overlay->upper.path || overlay->upper.fd >= 0;
}

static const char *value_of(const struct lcx_overlay *overlay, const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(option_rules); i++)
		if (strcmp(option_rules[i].key, key) == 0)
			return overlay->values[i];
	return NULL;
}

bool lcx__overlay_is_on(const struct lcx_overlay *overlay, const char *key)
{
	const char *value = value_of(overlay, key);

	return value && strcmp(value, "on") == 0;
}

int lcx__overlay_check(const struct lcx_overlay *overlay, struct lcx_error **err)
{
	const char *redirect = value_of(overlay, "redirect_dir");

	if (overlay->lower_count == 0)
		return lcx__fail(err, EINVAL, "an overlay needs a lower directory");
	if (!lcx__overlay_has_upper(overlay) && overlay->lower_count == 1)
		return lcx__fail(err, EINVAL,
				 "an overlay of one lower directory and no upper is just that "
				 "directory; bind-mount it, or add another");
	if (lcx__overlay_is_on(overlay, "userxattr") &&
	    (lcx__overlay_is_on(overlay, "metacopy") ||
	     (redirect && strcmp(redirect, "nofollow") != 0)))
		return lcx__fail(err, EINVAL,
				 "overlay's userxattr excludes metacopy and redirect_dir, which "
				 "would let a user reach files of others");
	if (lcx__overlay_is_on(overlay, "metacopy") && redirect && strcmp(redirect, "on") != 0)
		return lcx__fail(err, EINVAL, "overlay's metacopy needs redirect_dir=on");
	return 0;
}

size_t lcx__overlay_lower_count(const struct lcx_overlay *overlay)
{
	return overlay->lower_count;
}

size_t lcx__overlay_options(const struct lcx_overlay *overlay,
			    struct lcx__overlay_option options[static LCX__OVERLAY_MAX_OPTIONS])
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(option_rules); i++) {
		const struct option_rule *rule = &option_rules[i];
		const char *value = overlay->values[i] ? overlay->values[i] : rule->default_value;

		/* Files that are copied without content are found again by their redirect. */
		if (strcmp(rule->key, "redirect_dir") == 0 &&
		    lcx__overlay_is_on(overlay, "metacopy"))
			value = "on";
		if (!value || (rule->is_flag && strcmp(value, "off") == 0))
			continue;
		options[count].key = rule->key;
		options[count++].value = rule->is_flag ? NULL : value;
	}
	return count;
}

unsigned int lcx__overlay_attributes(const struct lcx_overlay *overlay)
{
	return overlay->attributes;
}

int lcx__overlay_open(const struct lcx__overlay_dir *dir)
{
	int fd = dir->path ? open(dir->path, O_PATH | O_DIRECTORY | O_CLOEXEC)
			   : openat(dir->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}
