/* SPDX-License-Identifier: MIT */
#include "describe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "given.h"
#include "pod.h"
#include "security.h"
#include "text.h"

void run_options_free(struct run_options *o)
{
	struct list *lists[] = {&o->dns,      &o->dns_search,      &o->dns_options, &o->hosts,
				&o->env,      &o->volumes,         &o->devices,     &o->ports,
				&o->cap_add,  &o->cap_drop,        &o->labels,      &o->log_options,
				&o->security, &o->storage_options, &o->landlock,    &o->mounts,
				&o->ulimits,  &o->env_files};

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		list_free(lists[i]);
	network_options_free(&o->network);
	fetch_options_free(&o->fetch);
	user_options_free(&o->users);
	resource_options_free(&o->resources);
}

/* ---- from options to the description ------------------------------------- */

/* What the library takes as it stands on the command line. */
static const struct {
	size_t offset;
	int (*set)(struct lcx_container *container, const char *value, struct lcx_error **err);
} string_setters[] =
	{
		{offsetof(struct run_options, rootfs), lcx_container_set_rootfs},
		{offsetof(struct run_options, user), lcx_container_set_user},
		{offsetof(struct run_options, workdir), lcx_container_set_cwd},
		{offsetof(struct run_options, log_driver), lcx_container_set_log_driver},
		{offsetof(struct run_options, restart), lcx_container_set_restart_policy},
		{offsetof(struct run_options, pod), lcx_container_set_pod},
},
  list_setters[] = {
	  {offsetof(struct run_options, volumes), lcx_container_add_volume},
	  {offsetof(struct run_options, devices), lcx_container_add_device},
	  {offsetof(struct run_options, ports), lcx_container_publish},
	  {offsetof(struct run_options, dns), lcx_container_add_dns},
	  {offsetof(struct run_options, dns_search), lcx_container_add_dns_search},
	  {offsetof(struct run_options, dns_options), lcx_container_add_dns_option},
	  {offsetof(struct run_options, hosts), lcx_container_add_host},
};

static const struct {
	size_t offset;
	int (*set)(struct lcx_spec *spec, const char *value, struct lcx_error **err);
} spec_setters[] = {
	/* Docker's order: what is dropped first may be given back by name. */
	{offsetof(struct run_options, cap_drop), lcx_spec_drop_capability},
	{offsetof(struct run_options, cap_add), lcx_spec_add_capability},
};

static int apply_as_it_stands(struct lcx_container *c, const struct run_options *o,
			      struct lcx_error **err)
{
	const char *base = (const char *)o;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(string_setters) / sizeof(*string_setters); i++) {
		const char *value = *(const char *const *)(base + string_setters[i].offset);

		if (value)
			r = string_setters[i].set(c, value, err);
	}
	for (size_t i = 0; r == 0 && i < sizeof(list_setters) / sizeof(*list_setters); i++) {
		const struct list *list = (const struct list *)(base + list_setters[i].offset);

		for (size_t n = 0; r == 0 && n < list->count; n++)
			r = list_setters[i].set(c, list->items[n], err);
	}
	for (size_t i = 0; r == 0 && i < sizeof(spec_setters) / sizeof(*spec_setters); i++) {
		const struct list *list = (const struct list *)(base + spec_setters[i].offset);

		for (size_t n = 0; r == 0 && n < list->count; n++)
			r = spec_setters[i].set(lcx_container_spec(c), list->items[n], err);
	}
	return r;
}

static int apply_env(struct lcx_container *c, const struct run_options *o, struct lcx_error **err)
{
	int r = 0;

	if (o->tty)
		r = lcx_container_add_env(c, "TERM=xterm", err);
	for (size_t i = 0; r == 0 && i < o->env.count; i++)
		r = add_variable(&(struct environment){.container = c}, o->env.items[i], err);
	return r;
}

/* "KEY=VALUE" for one of two setters alike; without "=" the value is @missing. */
typedef int pair_setter(struct lcx_container *c, const char *key, const char *value,
			struct lcx_error **err);

static int apply_pairs(struct lcx_container *c, const struct list *pairs, pair_setter *set,
		       struct lcx_error **err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < pairs->count; i++) {
		CLEANUP(freep) char *key = xprintf("%s", pairs->items[i]);
		char *value = strchr(key, '=');

		if (value)
			*value++ = '\0';
		r = set(c, key, value ? value : "", err);
	}
	return r;
}

static int apply_flags(struct lcx_container *c, const struct run_options *o, struct lcx_error **err)
{
	struct lcx_spec *spec = lcx_container_spec(c);
	int64_t seconds;
	int r = 0;

	lcx_container_set_auto_remove(c, o->remove);
	lcx_container_set_stdin_open(c, o->interactive);
	lcx_container_set_init(c, o->init);
	lcx_container_set_system(c, o->system);
	if (o->stop_timeout && text_parse_int(o->stop_timeout, -1, INT32_MAX / 1000, &seconds) == 0)
		r = lcx_container_set_stop_timeout(c, (int32_t)seconds, err);
	if (r == 0 && o->tty)
		r = lcx_spec_set_terminal(spec, 1, err);
	if (r == 0 && o->privileged)
		r = lcx_spec_set_privileged(spec, err);
	if (r == 0 && o->read_only)
		r = lcx_spec_set_root_readonly(spec, 1, err);
	if (r == 0 && o->hostname)
		r = lcx_spec_set_hostname(spec, o->hostname, err);
	/* The specification's name for it, image-spec's conversion.md. */
	if (r == 0 && o->stop_signal)
		r = lcx_spec_set_annotation(spec, "org.opencontainers.image.stopSignal",
					    o->stop_signal, err);
	return r;
}

static int apply_command(struct lcx_container *c, const struct run_options *o, char **argv,
			 struct lcx_error **err)
{
	const char *entrypoint[] = {o->entrypoint, NULL};
	int r = 0;

	if (o->entrypoint)
		r = lcx_container_set_entrypoint(c, entrypoint[0][0] ? entrypoint : entrypoint + 1,
						 err);
	if (r == 0 && argv[0])
		r = lcx_container_set_command(c, (const char *const *)argv, err);
	return r;
}

/* ---- health ------------------------------------------------------------------ */

static const struct {
	const char *option;
	size_t offset;
	enum lcx_health_setting setting;
} health_rows[] = {
	{"health-interval", offsetof(struct run_options, health_interval), LCX_HEALTH_INTERVAL_NS},
	{"health-timeout", offsetof(struct run_options, health_timeout), LCX_HEALTH_TIMEOUT_NS},
	{"health-start-period", offsetof(struct run_options, health_start_period),
	 LCX_HEALTH_START_PERIOD_NS},
	{"health-start-interval", offsetof(struct run_options, health_start_interval),
	 LCX_HEALTH_START_INTERVAL_NS},
	{"health-retries", offsetof(struct run_options, health_retries), LCX_HEALTH_RETRIES},
};

static int parse_health(size_t i, const char *text, int64_t *ret)
{
	return health_rows[i].setting == LCX_HEALTH_RETRIES ? text_parse_int(text, 0, 1000, ret)
							    : text_parse_duration(text, ret);
}

static bool check_health(struct app *app, const struct run_options *o)
{
	for (size_t i = 0; i < sizeof(health_rows) / sizeof(*health_rows); i++) {
		const char *text = *(const char *const *)((const char *)o + health_rows[i].offset);
		int64_t value;

		if (!text || parse_health(i, text, &value) == 0)
			continue;
		(void)options_usage_error(app, "--%s is %s, not '%s'", health_rows[i].option,
					  health_rows[i].setting == LCX_HEALTH_RETRIES
						  ? "a number"
						  : "a time, as 30s or 1m30s",
					  text);
		return false;
	}
	if (o->no_healthcheck && o->health_cmd) {
		(void)options_usage_error(app, "--no-healthcheck and --health-cmd contradict");
		return false;
	}
	return true;
}

static int apply_health(struct lcx_container *c, const struct run_options *o,
			struct lcx_error **err)
{
	const char *const none[] = {"NONE", NULL}, *const shell[] = {"CMD-SHELL", o->health_cmd,
								     NULL};
	int r = 0;

	if (o->no_healthcheck || o->health_cmd)
		r = lcx_container_set_health_test(c, o->no_healthcheck ? none : shell, err);
	for (size_t i = 0; r == 0 && i < sizeof(health_rows) / sizeof(*health_rows); i++) {
		const char *text = *(const char *const *)((const char *)o + health_rows[i].offset);
		int64_t value;

		if (text && parse_health(i, text, &value) == 0)
			r = lcx_container_set_health_setting(c, health_rows[i].setting, value, err);
	}
	return r;
}

/* ---- the description ------------------------------------------------------- */

static int describe(struct lcx_container *c, const struct run_options *o,
		    const struct limits *limits, char **argv, struct lcx_error **err)
{
	int r = apply_as_it_stands(c, o, err);

	if (r == 0)
		r = describe_networks(c, &o->network, err);
	if (r == 0)
		r = describe_users(c, &o->users, err);
	if (r == 0)
		r = apply_env(c, o, err);
	if (r == 0)
		r = apply_pairs(c, &o->labels, lcx_container_set_label, err);
	if (r == 0)
		r = apply_pairs(c, &o->log_options, lcx_container_set_log_option, err);
	if (r == 0)
		r = apply_pairs(c, &o->storage_options, lcx_container_set_storage_option, err);
	if (r == 0)
		r = apply_health(c, o, err);
	if (r == 0)
		r = apply_flags(c, o, err);
	if (r == 0)
		r = limits_apply(limits, lcx_container_spec(c), err);
	return r == 0 ? apply_command(c, o, argv, err) : r;
}

/* ---- the image ------------------------------------------------------------ */

static bool image_is_here(struct app *app, const char *reference)
{
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;

	/* A failure other than "not here" is told, with its words, by the container's creation. */
	return lcx_image_open(app->ctx, reference, &image, NULL) != -ENOENT;
}

static bool want_image(struct app *app, const char *reference, const struct run_options *o)
{
	const char *when = o->pull ? o->pull : "missing";

	if (strcmp(when, "never") == 0)
		return true;
	if (strcmp(when, "always") != 0) {
		if (image_is_here(app, reference))
			return true;
		if (!app->quiet)
			app_error(app, "image '%s' is not here yet", reference);
	}
	return fetch_image(app, reference, &o->fetch, stderr, NULL);
}

/* ---- the whole ------------------------------------------------------------ */

static bool check_options(struct app *app, const struct run_options *o, int argc)
{
	static const char *const whens[] = {"missing", "always", "never"};
	int64_t seconds;
	size_t i = 0;

	if (argc == 0 && !o->rootfs) {
		(void)options_usage_error(app,
					  "an image is missing: lcx %s [OPTION...] IMAGE, "
					  "or --rootfs DIR",
					  app->command);
		return false;
	}
	if (o->stop_timeout &&
	    text_parse_int(o->stop_timeout, -1, INT32_MAX / 1000, &seconds) < 0) {
		(void)options_usage_error(app, "stop timeout '%s' is no number of seconds",
					  o->stop_timeout);
		return false;
	}
	if (o->stop_signal && lcx_signal_parse(o->stop_signal) <= 0) {
		(void)options_usage_error(app, "stop signal '%s' is unknown; write TERM or 15",
					  o->stop_signal);
		return false;
	}
	if (!check_health(app, o))
		return false;
	while (o->pull && i < 3 && strcmp(o->pull, whens[i]) != 0)
		i++;
	if (i == 3)
		(void)options_usage_error(app, "--pull is missing, always or never, not '%s'",
					  o->pull);
	return i < 3;
}

struct lcx_container *describe_container(struct app *app, const struct run_options *o, int argc,
					 char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *container = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct lcx_container *result;
	struct limits limits = {0};
	const char *image = NULL;
	int r;

	if (!check_options(app, o, argc) || !limits_parse(app, &o->limits, &limits))
		return NULL;
	argv[argc] = NULL;
	if (!o->rootfs)
		image = *argv++;
	if (!app_open(app) || layer_limits_set(app, &o->fetch.layer_limits) != 0 ||
	    (image && !want_image(app, image, o)))
		return NULL;

	r = o->pod ? pod_be_started(app, o->pod, &err) : 0;
	if (r == 0)
		r = lcx_container_new(app->ctx, o->name, &container, &err);
	if (r == 0)
		lcx_container_set_debug(container, app->debug);
	if (r == 0 && image)
		r = lcx_container_set_image(container, image, &err);
	if (r == 0 &&
	    (!apply_env_files(app, &(struct environment){.container = container}, &o->env_files) ||
	     !apply_mounts(app, container, &o->mounts) ||
	     !apply_ulimits(app, container, &o->ulimits)))
		return NULL;
	if (r == 0)
		r = describe(container, o, &limits, argv, &err);
	if (r < 0)
		app_report(app, &err);
	if (r < 0 || apply_security(app, lcx_container_spec(container), &o->security) < 0 ||
	    apply_landlock(app, lcx_container_spec(container), &o->landlock) < 0 ||
	    apply_resources(app, lcx_container_spec(container), &o->resources) < 0)
		return NULL;
	result = container;
	container = NULL;
	return result;
}

/* ---- what went wrong, and how long it took -------------------------------- */

static void print_step(const struct app *app, const char *name, int64_t ns)
{
	fprintf(stderr, "lcx: %s: %-48s %4" PRId64 ".%03" PRId64 " ms\n", app->command, name,
		ns / 1000000, ns / 1000 % 1000);
}

void print_steps(const struct app *app, const struct lcx_container *c)
{
	int64_t total_ns = 0;

	if (!app->debug)
		return;
	for (uint32_t i = 0; i < lcx_container_step_count(c); i++) {
		const char *name = lcx_container_step_name(c, i);
		int64_t ns = lcx_container_step_ns(c, i);

		print_step(app, name, ns);
		if (name[0] != ' ') /* a part of the step that follows it */
			total_ns += ns;
	}
	print_step(app, "(all)", total_ns);
}

int fail_start(struct app *app, struct lcx_container *c, struct lcx_error **err)
{
	int code = app_exec_failure(*err);

	print_steps(app, c);
	app_report(app, err);
	/* It never ran, so nobody misses it. */
	if (lcx_container_state(c) != LCX_CONTAINER_NEW)
		(void)lcx_container_remove_with_volumes(c, 1, NULL);
	return code;
}
