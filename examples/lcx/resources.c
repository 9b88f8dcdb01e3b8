/* SPDX-License-Identifier: MIT */
#include "resources.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "text.h"

void resource_options_free(struct resource_options *o)
{
	struct list *lists[] = {&o->sysctls,  &o->tmpfs,     &o->annotations, &o->cgroup_files,
				&o->read_bps, &o->write_bps, &o->read_iops,   &o->write_iops};

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		list_free(lists[i]);
}

/* ---- "KEY=VALUE" ------------------------------------------------------------- */

static int set_sysctl(struct lcx_spec *spec, const char *name, char *value, struct lcx_error **err)
{
	return lcx_spec_set_sysctl(spec, name, value, err);
}

static int set_annotation(struct lcx_spec *spec, const char *key, char *value,
			  struct lcx_error **err)
{
	return lcx_spec_set_annotation(spec, key, value, err);
}

static int set_cgroup_file(struct lcx_spec *spec, const char *file, char *value,
			   struct lcx_error **err)
{
	return lcx_spec_set_unified(spec, file, value, err);
}

static const struct {
	const char *option, *form;
	size_t offset;
	int (*set)(struct lcx_spec *spec, const char *key, char *value, struct lcx_error **err);
} pairs[] = {
	{"sysctl", "NAME=VALUE", offsetof(struct resource_options, sysctls), set_sysctl},
	{"annotation", "KEY=VALUE", offsetof(struct resource_options, annotations), set_annotation},
	{"cgroup-conf", "FILE=VALUE, as memory.high=1073741824",
	 offsetof(struct resource_options, cgroup_files), set_cgroup_file},
};

/* Without words of the library's: the form of the option is at fault. */
static int report(struct app *app, int r, const char *option, const char *text, const char *form,
		  struct lcx_error **err)
{
	if (r < 0 && *err)
		app_report(app, err);
	else if (r < 0)
		app_error(app, "--%s '%s' must be %s", option, text, form);
	return r;
}

static int apply_pair(struct app *app, struct lcx_spec *spec, size_t row, const char *text)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *key = xprintf("%s", text);
	char *value = strchr(key, '=');
	int r = -EINVAL;

	if (value && value > key) {
		*value++ = '\0';
		r = pairs[row].set(spec, key, value, &err);
	}
	return report(app, r, pairs[row].option, text, pairs[row].form, &err);
}

/* ---- disks --------------------------------------------------------------------- */

static const struct {
	const char *option, *kind;
	size_t offset;
} throttles[] = {
	{"device-read-bps", "read_bps", offsetof(struct resource_options, read_bps)},
	{"device-write-bps", "write_bps", offsetof(struct resource_options, write_bps)},
	{"device-read-iops", "read_iops", offsetof(struct resource_options, read_iops)},
	{"device-write-iops", "write_iops", offsetof(struct resource_options, write_iops)},
};

static int apply_throttle(struct app *app, struct lcx_spec *spec, size_t row, const char *text)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *path = xprintf("%s", text);
	char *colon = strrchr(path, ':');
	struct stat st;
	int64_t rate;

	if (!colon || text_parse_bytes(colon + 1, &rate) < 0)
		return report(app, -EINVAL, throttles[row].option, text,
			      "DEVICE:RATE, as /dev/sda:10m", &err);
	*colon = '\0';
	if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode)) {
		app_error(app, "--%s: '%s' is no disk", throttles[row].option, path);
		return -ENOTBLK;
	}
	return report(app,
		      lcx_spec_add_blkio_throttle(spec, throttles[row].kind, major(st.st_rdev),
						  minor(st.st_rdev), (uint64_t)rate, &err),
		      throttles[row].option, text, "DEVICE:RATE", &err);
}

/* ---- memory -------------------------------------------------------------------- */

enum { MAX_MOUNT_OPTIONS = 32 };

/* As Docker has it: what is not said is nosuid, nodev and noexec. */
static int apply_tmpfs(struct app *app, struct lcx_spec *spec, const char *text)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *dir = xprintf("%s", text);
	const char *options[MAX_MOUNT_OPTIONS + 4] = {"nosuid", "nodev", "noexec"};
	char *rest = strchr(dir, ':'), *option;
	size_t n = 3;

	if (rest)
		*rest++ = '\0';
	while (rest && n < MAX_MOUNT_OPTIONS && (option = strsep(&rest, ",")))
		if (*option)
			options[n++] = option;
	if (dir[0] != '/' || rest)
		return report(app, -EINVAL, "tmpfs", text, "DIR[:OPTION[,OPTION]...]", &err);
	return report(app, lcx_spec_add_mount(spec, "tmpfs", dir, "tmpfs", options, &err), "tmpfs",
		      text, "", &err);
}

static int apply_shm_size(struct app *app, struct lcx_spec *spec, const char *text)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *size = NULL;
	int64_t bytes;

	if (text_parse_bytes(text, &bytes) < 0 || bytes == 0)
		return report(app, -EINVAL, "shm-size", text, "a size, as 64m", &err);
	size = xprintf("size=%lld", (long long)bytes);
	{
		const char *const options[] = {"nosuid",    "noexec", "nodev",
					       "mode=1777", size,     NULL};

		return report(app,
			      lcx_spec_add_mount(spec, "shm", "/dev/shm", "tmpfs", options, &err),
			      "shm-size", text, "", &err);
	}
}

/* ---- the whole ------------------------------------------------------------------ */

static int apply_numbers(struct app *app, struct lcx_spec *spec, const struct resource_options *o)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int64_t number = 0;
	int r = 0;

	if (o->oom_score_adj) {
		r = text_parse_int(o->oom_score_adj, -1000, 1000, &number);
		if (r == 0)
			r = lcx_spec_set_oom_score_adj(spec, (int32_t)number, &err);
		r = report(app, r, "oom-score-adj", o->oom_score_adj, "-1000 to 1000", &err);
	}
	if (r == 0 && o->blkio_weight) {
		r = text_parse_int(o->blkio_weight, 10, 1000, &number);
		if (r == 0)
			r = lcx_spec_set_blkio_weight(spec, (uint32_t)number, &err);
		r = report(app, r, "blkio-weight", o->blkio_weight, "10 to 1000", &err);
	}
	return r;
}

static const struct list *list_at(const struct resource_options *o, size_t offset)
{
	return (const struct list *)((const char *)o + offset);
}

int apply_resources(struct app *app, struct lcx_spec *spec, const struct resource_options *o)
{
	int r = apply_numbers(app, spec, o);

	for (size_t row = 0; row < sizeof(pairs) / sizeof(*pairs); row++)
		for (size_t i = 0; r == 0 && i < list_at(o, pairs[row].offset)->count; i++)
			r = apply_pair(app, spec, row, list_at(o, pairs[row].offset)->items[i]);
	for (size_t row = 0; row < sizeof(throttles) / sizeof(*throttles); row++)
		for (size_t i = 0; r == 0 && i < list_at(o, throttles[row].offset)->count; i++)
			r = apply_throttle(app, spec, row,
					   list_at(o, throttles[row].offset)->items[i]);
	for (size_t i = 0; r == 0 && i < o->tmpfs.count; i++)
		r = apply_tmpfs(app, spec, o->tmpfs.items[i]);
	return r == 0 && o->shm_size ? apply_shm_size(app, spec, o->shm_size) : r;
}
