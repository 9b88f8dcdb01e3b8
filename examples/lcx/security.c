/* SPDX-License-Identifier: MIT */
#include "security.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "app.h"

DEFINE_CLEANUP(struct lcx_seccomp *, lcx_seccomp_free)
DEFINE_CLEANUP(struct lcx_user *, lcx_user_free)

enum { PROFILE_LIMIT = 1 << 20 }; /* the library takes no more */

static char *read_file(struct app *app, const char *path, size_t *ret_length)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	CLEANUP(freep) char *text = xrealloc(NULL, PROFILE_LIMIT + 1, 1);
	size_t length = 0;
	ssize_t n = 1;

	while (fd >= 0 && n > 0 && length <= PROFILE_LIMIT) {
		n = read(fd, text + length, PROFILE_LIMIT + 1 - length);
		length += n > 0 ? (size_t)n : 0;
	}
	if (fd < 0 || n < 0) {
		app_error(app, "seccomp profile '%s': %s", path, strerror(errno));
		return NULL;
	}
	*ret_length = length;
	return xprintf("%.*s", (int)length, text);
}

static int apply_seccomp_file(struct app *app, struct lcx_spec *spec, const char *path)
{
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *profile = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	size_t length = 0;
	CLEANUP(freep) char *text = read_file(app, path, &length);
	int r;

	if (!text)
		return -EINVAL;
	r = lcx_seccomp_from_json(text, length, &profile, &err);
	if (r == 0)
		r = lcx_spec_set_seccomp(spec, profile, &err);
	if (r < 0)
		app_error(app, "seccomp profile '%s': %s", path, lcx_error_message(err));
	return r;
}

static int report(struct app *app, int r, struct lcx_error **err)
{
	if (r < 0)
		app_report(app, err);
	return r;
}

/* An SELinux label in Docker's words: what is not said is what policies for containers have. */
static const struct {
	const char *key, *without;
} label_parts[] = {
	{"user:", "system_u"},
	{"role:", "system_r"},
	{"type:", "container_t"},
	{"level:", "s0"},
	{"filetype:", "container_file_t"},
};

enum { N_LABEL_PARTS = sizeof(label_parts) / sizeof(*label_parts), LABEL_FILE_TYPE = 4 };

/* "label=KEY:VALUE". Return: whether it is one; the value stays in @option. */
static bool read_label(const char *option, const char *values[N_LABEL_PARTS])
{
	for (size_t i = 0; i < N_LABEL_PARTS; i++) {
		size_t length = strlen(label_parts[i].key);

		if (strncmp(option, label_parts[i].key, length) != 0 || !option[length])
			continue;
		values[i] = option + length;
		return true;
	}
	return false;
}

static int set_labels(struct lcx_spec *spec, const char *const v[N_LABEL_PARTS],
		      struct lcx_error **err)
{
	CLEANUP(freep) char *process = xprintf("%s:%s:%s:%s", v[0], v[1], v[2], v[3]);
	CLEANUP(freep) char *mounts = xprintf("%s:object_r:%s:%s", v[0], v[LABEL_FILE_TYPE], v[3]);
	int r = lcx_spec_set_selinux_label(spec, process, err);

	return r == 0 ? lcx_spec_set_mount_label(spec, mounts, err) : r;
}

/* All of them together make the label; "disable" takes it out. */
static int apply_labels(struct app *app, struct lcx_spec *spec, const struct list *options)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	const char *values[N_LABEL_PARTS] = {NULL};
	bool wanted = false;

	for (size_t i = 0; i < options->count; i++) {
		const char *option = options->items[i];

		if (strncmp(option, "label=", 6) != 0 && strncmp(option, "label:", 6) != 0)
			continue;
		wanted = strcmp(option + 6, "disable") != 0;
		if (wanted && !read_label(option + 6, values)) {
			app_error(app,
				  "label '%s' is unknown; there are disable, user:, role:, type:, "
				  "level: and filetype:",
				  option + 6);
			return -EINVAL;
		}
	}
	if (!wanted)
		return 0;
	for (size_t i = 0; i < N_LABEL_PARTS; i++)
		values[i] = values[i] ? values[i] : label_parts[i].without;
	return report(app, set_labels(spec, values, &err), &err);
}

/* For a container that makes containers: their kernel shows them no more of /proc than this one. */
static int uncover(struct lcx_spec *spec, struct lcx_error **err)
{
	int r = lcx_spec_clear_masked_paths(spec, err);

	return r == 0 ? lcx_spec_clear_readonly_paths(spec, err) : r;
}

static int apply_option(struct app *app, struct lcx_spec *spec, const char *option)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	if (strcmp(option, "no-new-privileges") == 0 ||
	    strcmp(option, "no-new-privileges=true") == 0 ||
	    strcmp(option, "no-new-privileges:true") == 0)
		return report(app, lcx_spec_set_no_new_privileges(spec, 1, &err), &err);
	if (strcmp(option, "no-new-privileges=false") == 0)
		return report(app, lcx_spec_set_no_new_privileges(spec, 0, &err), &err);
	if (strcmp(option, "seccomp=unconfined") == 0)
		return report(app, lcx_spec_set_seccomp(spec, NULL, &err), &err);
	if (strcmp(option, "systempaths=unconfined") == 0 ||
	    strcmp(option, "systempaths:unconfined") == 0)
		return report(app, uncover(spec, &err), &err);
	if (strncmp(option, "seccomp=", 8) == 0)
		return apply_seccomp_file(app, spec, option + 8);
	if (strncmp(option, "apparmor=", 9) == 0 || strncmp(option, "apparmor:", 9) == 0)
		return report(app, lcx_spec_set_apparmor_profile(spec, option + 9, &err), &err);
	if (strncmp(option, "label=", 6) == 0 || strncmp(option, "label:", 6) == 0)
		return 0;
	app_error(app,
		  "security option '%s' is unknown; there are no-new-privileges, "
		  "seccomp=unconfined, seccomp=FILE, systempaths=unconfined, "
		  "apparmor=PROFILE and label=...",
		  option);
	return -EINVAL;
}

int apply_security(struct app *app, struct lcx_spec *spec, const struct list *options)
{
	int r = apply_labels(app, spec, options);

	for (size_t i = 0; r == 0 && i < options->count; i++)
		r = apply_option(app, spec, options->items[i]);
	return r;
}

int apply_landlock(struct app *app, struct lcx_spec *spec, const struct list *lists)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < lists->count; i++) {
		CLEANUP(freep) char *copy = xprintf("%s", lists->items[i]);
		char *rest = copy, *rule;

		while (r == 0 && (rule = strsep(&rest, ",")))
			r = strcmp(rule, "best-effort") == 0
				    ? lcx_spec_set_landlock_best_effort(spec, 1, &err)
				    : lcx_spec_add_landlock(spec, rule, &err);
	}
	return report(app, r, &err);
}

static int set_groups(struct lcx_spec *spec, const struct lcx_user *user, struct lcx_error **err)
{
	int r = lcx_spec_clear_groups(spec, err);

	for (size_t i = 0; r == 0 && i < lcx_user_group_count(user); i++)
		r = lcx_spec_add_group(spec, lcx_user_group(user, i), err);
	return r;
}

int apply_user(struct lcx_spec *spec, struct lcx_container *container, const char *user,
	       struct lcx_error **err)
{
	CLEANUP(freep) char *path = xprintf("/proc/%" PRId32 "/root", lcx_container_pid(container));
	CLEANUP(closep) int root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(lcx_user_freep) struct lcx_user *found = NULL;
	int r;

	if (root_fd < 0)
		return -errno;
	r = lcx_user_lookup(root_fd, user, &found, err);
	if (r == 0)
		r = lcx_spec_set_user(spec, lcx_user_uid(found), lcx_user_gid(found), err);
	if (r == 0)
		r = set_groups(spec, found, err);
	return r == 0 ? lcx_spec_set_env(spec, "HOME", lcx_user_home(found), err) : r;
}
