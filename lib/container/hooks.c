/* SPDX-License-Identifier: MIT */
#include "container/hooks.h"

#include <string.h>
#include <time.h>

#include "container/container-internal.h"
#include "container/event.h"
#include "process/hook.h"
#include "util/json.h"

/* runtime.md, "State" */
struct oci_state {
	char *oci_version, *id, *status, *bundle, *rootfs, *created;
	struct lcx__opt_i64 pid;
	LCX__LIST(struct lcx__key_value) annotations;
};

static const struct lcx__json_field state_fields[] = {
	{"ociVersion", AS_STRING(struct oci_state, oci_version)},
	{"id", AS_STRING(struct oci_state, id)},
	{"status", AS_STRING(struct oci_state, status)},
	{"pid", AS_I64(struct oci_state, pid)},
	{"bundle", AS_STRING(struct oci_state, bundle)},
	{"rootfs", AS_STRING(struct oci_state, rootfs)},
	{"created", AS_STRING(struct oci_state, created)},
	{"annotations", AS_STRING_MAP(struct oci_state, annotations)},
	{0},
};

static const char *const status_for[] = {
	[LCX__HOOK_PRESTART] = "creating",         [LCX__HOOK_CREATE_RUNTIME] = "creating",
	[LCX__HOOK_CREATE_CONTAINER] = "creating", [LCX__HOOK_START_CONTAINER] = "created",
	[LCX__HOOK_POSTSTART] = "running",         [LCX__HOOK_POSTSTOP] = "stopped",
};

/* RFC 3339, as Go's libraries read it. */
static char *format_time(int64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char date[32];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return NULL;
	return lcx__format("%s.%09lldZ", date, (long long)(ns % 1000000000));
}

char *lcx__container_oci_state(const struct lcx_container *c, const char *status, pid_t pid)
{
	/* The one with which what is written here complies, whatever the bundle does. */
	static char version[] = LCX__OCI_VERSION;
	CLEANUP(freep)
	char *bundle = c->d.bundle ? strdup(c->d.bundle)
				   : lcx__format("%s/containers/%s", c->ctx->root_dir, c->d.id);
	CLEANUP(freep) char *created = format_time(c->d.created_ns.value);
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	/* Borrowed; nothing is released. */
	struct oci_state state = {
		.oci_version = version,
		.id = c->d.name && c->d.name[0] ? c->d.name : c->d.id,
		.status = (char *)(uintptr_t)status,
		.bundle = bundle,
		.rootfs = c->d.rootfs,
		.created = created,
	};

	state.annotations.set = c->spec->annotations.set;
	state.annotations.n = c->spec->annotations.n;
	state.annotations.items = c->spec->annotations.items;
	if (pid > 0)
		state.pid = (struct lcx__opt_i64)LCX__OPT(pid);
	json = bundle ? lcx__json_write(state_fields, &state, NULL) : NULL;
	return json ? lcx__json_print(json) : NULL;
}

bool lcx__container_has_hooks(const struct lcx_container *c, enum lcx__hook_kind kind)
{
	return c->spec->hooks.kind[kind].hooks.n > 0;
}

int lcx__container_run_hooks(struct lcx_container *c, enum lcx__hook_kind kind, pid_t pid,
			     struct lcx_error **err)
{
	const struct lcx__spec_hook_list *list = &c->spec->hooks.kind[kind];
	CLEANUP(freep) char *state = NULL;
	int r = 0;

	if (list->hooks.n == 0)
		return 0;
	state = lcx__container_oci_state(c, status_for[kind], pid);
	if (!state)
		return lcx__fail_nomem(err);
	for (size_t i = 0; r == 0 && i < list->hooks.n; i++)
		r = lcx__hook_run(kind, &list->hooks.items[i], state, err);
	return r;
}

static void warn(const struct lcx_container *c, struct lcx_error *err)
{
	lcx__event_emit(c, "warning", lcx_error_message(err));
	lcx_error_free(err);
}

/* Each of them, whatever became of the one before. */
int lcx__container_undo_hooks(struct lcx_container *c, const char *object, struct lcx_error **err)
{
	const struct lcx__spec_hook_list *list;
	CLEANUP(freep) char *state = NULL;
	struct lcx_error *problem = NULL;

	(void)object;
	if (lcx__container_load_spec(c, &problem) < 0) {
		warn(c, problem);
		return 0;
	}
	list = &c->spec->hooks.kind[LCX__HOOK_POSTSTOP];
	state = lcx__container_oci_state(c, status_for[LCX__HOOK_POSTSTOP], 0);
	if (!state)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < list->hooks.n; i++)
		if (lcx__hook_run(LCX__HOOK_POSTSTOP, &list->hooks.items[i], state, &problem) < 0)
			warn(c, TAKE_PTR(problem));
	return 0;
}
