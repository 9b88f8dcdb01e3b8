/* SPDX-License-Identifier: MIT */
#include "container/checkpoint/checkpoint.h"

#include <string.h>

/* One row an option: where it is kept, what criu calls it, and when it is told. */

enum kind { TEXT, FLAG, SERVER, DESCRIPTOR };

static const struct option {
	const char *key;
	enum kind kind;
	size_t offset;
	int criu; /* enum lcx__criu_option; 0: not criu's */
	int ways; /* enum lcx__checkpoint_way */
} options[] = {
#define AT(member) offsetof(struct lcx_checkpoint, member)
	{"image-path", TEXT, AT(image_path), 0, 0},
	{"work-path", TEXT, AT(work_path), 0, 0},
	{"criu", TEXT, AT(criu), 0, 0},
	{"parent-path", TEXT, AT(parent_path), LCX__CRIU_PARENT_IMG, LCX__CHECKPOINT_DUMP},
	{"leave-running", FLAG, AT(leave_running), LCX__CRIU_LEAVE_RUNNING, LCX__CHECKPOINT_DUMP},
	{"pre-dump", FLAG, AT(pre_dump), LCX__CRIU_TRACK_MEM, LCX__CHECKPOINT_DUMP},
	{"tcp-established", FLAG, AT(tcp_established), LCX__CRIU_TCP_ESTABLISHED,
	 LCX__CHECKPOINT_DUMP | LCX__CHECKPOINT_RESTORE},
	{"tcp-close", FLAG, AT(tcp_close), LCX__CRIU_TCP_CLOSE, LCX__CHECKPOINT_RESTORE},
	{"tcp-skip-in-flight", FLAG, AT(tcp_skip_in_flight), LCX__CRIU_TCP_SKIP_IN_FLIGHT,
	 LCX__CHECKPOINT_DUMP},
	{"ext-unix-sk", FLAG, AT(ext_unix_sk), LCX__CRIU_EXT_UNIX_SK,
	 LCX__CHECKPOINT_DUMP | LCX__CHECKPOINT_RESTORE},
	{"shell-job", FLAG, AT(shell_job), LCX__CRIU_SHELL_JOB,
	 LCX__CHECKPOINT_DUMP | LCX__CHECKPOINT_RESTORE},
	{"file-locks", FLAG, AT(file_locks), LCX__CRIU_FILE_LOCKS,
	 LCX__CHECKPOINT_DUMP | LCX__CHECKPOINT_RESTORE},
	{"link-remap", FLAG, AT(link_remap), LCX__CRIU_LINK_REMAP, LCX__CHECKPOINT_DUMP},
	{"auto-dedup", FLAG, AT(auto_dedup), LCX__CRIU_AUTO_DEDUP,
	 LCX__CHECKPOINT_DUMP | LCX__CHECKPOINT_RESTORE},
	{"lazy-pages", FLAG, AT(lazy_pages), LCX__CRIU_LAZY_PAGES,
	 LCX__CHECKPOINT_DUMP | LCX__CHECKPOINT_RESTORE},
	{"page-server", SERVER, AT(page_server), 0, 0}, /* pages.c */
	{"status-fd", DESCRIPTOR, AT(status_fd), 0, 0},
	{"keep", FLAG, AT(keep), 0, 0},
	{"lsm-profile", TEXT, AT(lsm_profile), LCX__CRIU_LSM_PROFILE, LCX__CHECKPOINT_RESTORE},
	{"lsm-mount-context", TEXT, AT(lsm_mount_context), LCX__CRIU_LSM_MOUNT_CONTEXT,
	 LCX__CHECKPOINT_RESTORE},
};

/* What others let one choose, and is one way here. */
static const struct {
	const char *key, *value, *why;
} settled[] = {
	{"manage-cgroups-mode", "ignore",
	 "the library makes the cgroup, with its limits, and puts the processes into it"},
	{"empty-ns", "network",
	 "the network namespace alone is made anew, or joined, and attached to its networks"},
};

LCX_PUBLIC int lcx_checkpoint_new(struct lcx_checkpoint **ret, struct lcx_error **err)
{
	struct lcx_checkpoint *o = calloc(1, sizeof(*o));

	if (!o)
		return lcx__fail_nomem(err);
	*ret = o;
	return 0;
}

static void *place_of(const struct lcx_checkpoint *o, const struct option *option)
{
	return (char *)(uintptr_t)o + option->offset;
}

LCX_PUBLIC struct lcx_checkpoint *lcx_checkpoint_free(struct lcx_checkpoint *o)
{
	if (!o)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].kind == TEXT)
			free(*(char **)place_of(o, &options[i]));
	lcx__page_server_clear(&o->page_server);
	lcx__status_close(o->status_fd);
	free(o);
	return NULL;
}

static int set_text(char **place, const char *key, const char *value, struct lcx_error **err)
{
	char *copy = NULL;

	if (value && value[0] == '\0')
		return lcx__fail(err, EINVAL, "checkpoint option '%s': must not be empty", key);
	if (value && !(copy = strdup(value)))
		return lcx__fail_nomem(err);
	free(*place);
	*place = copy;
	return 0;
}

static int set_flag(bool *place, const char *key, const char *value, struct lcx_error **err)
{
	if (value && strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
		return lcx__fail(err, EINVAL, "checkpoint option '%s': '%s' is neither on nor off",
				 key, value);
	*place = value && strcmp(value, "on") == 0;
	return 0;
}

static int set_server(struct lcx__page_server *place, const char *value, struct lcx_error **err)
{
	if (value)
		return lcx__page_server_parse(value, place, err);
	lcx__page_server_clear(place);
	return 0;
}

/* "-1" is nobody, as it is for other runtimes. */
static int set_descriptor(int **place, const char *value, struct lcx_error **err)
{
	if (value && strcmp(value, "-1") != 0)
		return lcx__status_open(value, place, err);
	*place = lcx__status_close(*place);
	return 0;
}

static int set(void *place, const struct option *option, const char *value, struct lcx_error **err)
{
	switch (option->kind) {
	case TEXT:
		return set_text(place, option->key, value, err);
	case FLAG:
		return set_flag(place, option->key, value, err);
	case SERVER:
		return set_server(place, value, err);
	case DESCRIPTOR:
		return set_descriptor(place, value, err);
	}
	return -EINVAL;
}

static int settle(const char *key, const char *value, struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(settled); i++)
		if (strcmp(settled[i].key, key) == 0)
			return !value || strcmp(value, settled[i].value) == 0
				       ? 0
				       : lcx__fail(err, EOPNOTSUPP,
						   "checkpoint option '%s': '%s' can't be had: "
						   "%s; '%s' says so",
						   key, value, settled[i].why, settled[i].value);
	return lcx__fail(err, EINVAL, "there is no checkpoint option '%s'", key);
}

LCX_PUBLIC int lcx_checkpoint_set_option(struct lcx_checkpoint *o, const char *key,
					 const char *value, struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strcmp(options[i].key, key) == 0)
			return set(place_of(o, &options[i]), &options[i], value, err);
	return settle(key, value, err);
}

void lcx__checkpoint_put_options(const struct lcx_checkpoint *o, enum lcx__checkpoint_way way,
				 struct lcx__strbuf *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option *option = &options[i];
		const char *text = option->kind == TEXT ? *(char **)place_of(o, option) : NULL;

		if (!(option->ways & (int)way))
			continue;
		if (text)
			lcx__criu_put_text(to, (enum lcx__criu_option)option->criu, text);
		else if (option->kind == FLAG && *(bool *)place_of(o, option))
			lcx__criu_put_number(to, (enum lcx__criu_option)option->criu, 1);
	}
	/* What has changed since the parent is known only if the kernel has kept track. */
	if (way == LCX__CHECKPOINT_DUMP && o->parent_path && !o->pre_dump)
		lcx__criu_put_number(to, LCX__CRIU_TRACK_MEM, 1);
}
