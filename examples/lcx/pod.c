/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "attachment.h"
#include "memory.h"
#include "options.h"
#include "pod.h"
#include "table.h"
#include "text.h"

/*
 * A pod is its holder; the order of its members is the user's. What is done to all of them is done
 * here, with the calls that everybody has.
 */

static int open_pod(struct app *app, const char *name, struct lcx_container **ret,
		    struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	int r = lcx_container_open(app->ctx, name, &c, err);

	if (r == -ENOENT) {
		lcx_error_freep(err);
		*err = NULL;
		app_error(app, "no pod '%s'", name);
		return -1;
	}
	if (r == 0 && !lcx_container_is_pod(c)) {
		app_error(app, "container '%s' holds no pod", name);
		return -1;
	}
	if (r == 0) {
		*ret = c;
		c = NULL;
	}
	return r;
}

typedef int each_fn(struct lcx_container *c, void *data, struct lcx_error **err);

/* One that has just been removed is no member any more. Goes on after a failure. */
static int each_member(struct app *app, const struct lcx_container *holder, each_fn *fn, void *data,
		       struct lcx_error **err)
{
	CLEANUP(lcx_container_list_freep) struct lcx_container_list *list = NULL;
	int first = lcx_container_list_new(app->ctx, &list, err);

	for (uint32_t i = 0; list && i < lcx_container_list_count(list); i++) {
		CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
		CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
		int r;

		if (lcx_container_open(app->ctx, lcx_container_list_id(list, i), &c, NULL) < 0 ||
		    strcmp(lcx_container_pod(c), lcx_container_id(holder)) != 0)
			continue;
		r = fn(c, data, first < 0 ? &why : err);
		first = first < 0 ? first : r;
	}
	return first;
}

/* ---- create ---------------------------------------------------------------- */

struct create_options {
	const char *share, *hostname;
	struct list ports, dns, hosts;
	struct network_options network;
};

static void create_options_free(struct create_options *o)
{
	list_free(&o->ports);
	list_free(&o->dns);
	list_free(&o->hosts);
	network_options_free(&o->network);
}

#define ROW(letter, name, type, member, argument, help)                                            \
	{                                                                                          \
		letter, name, type, offsetof(struct create_options, member), argument, help        \
	}

static const struct option_row create_rows[] = {
	ROW('\0', "share", OPTION_STRING, share, "KIND,...",
	    "network, ipc, uts (the default), pid"),
	ROW('\0', "hostname", OPTION_STRING, hostname, "NAME", "of all members"),
	ROW('\0', "network", OPTION_LIST, network.networks, "NETWORK", "as of lcx run"),
	ROW('p', "publish", OPTION_LIST, ports, "[[ADDRESS:]PORT:]PORT",
	    "make a port of a member reachable from outside"),
	ROW('\0', "dns", OPTION_LIST, dns, "ADDRESS", "a name server"),
	ROW('\0', "add-host", OPTION_LIST, hosts, "NAME:ADDRESS", "a line of the hosts file"),
	{0},
};

static const struct grammar create_grammar = {
	.operands = "NAME",
	.about = "Make a pod: a container without a program, whose namespaces others share.",
	.rows = create_rows,
	.min = 1,
	.max = 1,
};

static int add_all(struct lcx_container *c, const struct list *list,
		   int (*add)(struct lcx_container *c, const char *value, struct lcx_error **err),
		   struct lcx_error **err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->count; i++)
		r = add(c, list->items[i], err);
	return r;
}

/* "net" is what people write. */
static int make(struct app *app, const char *name, const char *share, struct lcx_container **ret,
		struct lcx_error **err)
{
	CLEANUP(freep) char *copy = xprintf("%s", share ? share : "");
	const char *kinds[16] = {NULL};
	char *rest = copy, *kind;
	size_t n = 0;

	while (share && n < 15 && (kind = strsep(&rest, ",")))
		kinds[n++] = strcmp(kind, "net") == 0 ? "network" : kind;
	return lcx_pod_new(app->ctx, name, share ? kinds : NULL, ret, err);
}

static int pod_create(struct app *app, int argc, char **argv)
{
	CLEANUP(create_options_free) struct create_options o = {0};
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int code, r;

	if (!app_begin(app, &create_grammar, &o, &argc, argv, &code))
		return code;
	r = make(app, argv[0], o.share, &c, &err);
	if (r == 0)
		r = describe_networks(c, &o.network, &err);
	if (r == 0)
		r = add_all(c, &o.ports, lcx_container_publish, &err);
	if (r == 0)
		r = add_all(c, &o.dns, lcx_container_add_dns, &err);
	if (r == 0)
		r = add_all(c, &o.hosts, lcx_container_add_host, &err);
	if (r == 0)
		r = lcx_spec_set_hostname(lcx_container_spec(c), o.hostname ? o.hostname : argv[0],
					  &err);
	if (r == 0)
		r = lcx_container_create(c, &err);
	if (r < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	puts(lcx_container_id(c));
	return EXIT_SUCCESS;
}

/* ---- ls -------------------------------------------------------------------- */

static const struct grammar ls_grammar = {
	.about = "List pods.",
	.takes_template = true,
};

static const struct table_column columns[] = {
	{"POD ID", "ID"},       {"NAME", "Name"},       {"STATUS", "Status"},
	{"MEMBERS", "Members"}, {"ADDRESS", "Address"},
};

static int count_one(struct lcx_container *c, void *data, struct lcx_error **err)
{
	(void)c, (void)err;
	++*(int64_t *)data;
	return 0;
}

static void add_row(struct app *app, struct table *table, struct lcx_container *c)
{
	char id[80], number[32];
	int64_t members = 0;

	(void)each_member(app, c, count_one, &members, NULL);
	text_short_id(lcx_container_id(c), false, id);
	(void)snprintf(number, sizeof(number), "%lld", (long long)members);
	table_add(table, id);
	table_add(table, lcx_container_name(c));
	table_add(table, lcx_container_state_name(lcx_container_state(c)));
	table_add_number(table, number, members);
	table_add(table, lcx_container_address(c));
}

static int pod_ls(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_container_list_freep) struct lcx_container_list *list = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(table_freep) struct table *table = NULL;
	int code;

	if (!app_begin(app, &ls_grammar, NULL, &argc, argv, &code))
		return code;
	if (lcx_container_list_new(app->ctx, &list, &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	table = table_new(columns, sizeof(columns) / sizeof(*columns));
	for (uint32_t i = 0; i < lcx_container_list_count(list); i++) {
		CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;

		if (lcx_container_open(app->ctx, lcx_container_list_id(list, i), &c, NULL) < 0 ||
		    !lcx_container_is_pod(c))
			continue;
		if (app->quiet && !app_json(app))
			puts(lcx_container_name(c));
		else
			add_row(app, table, c);
	}
	return app->quiet && !app_json(app) ? EXIT_SUCCESS : table_print(table, app);
}

/* ---- start, stop, rm: each of several -------------------------------------- */

static int is_running(const struct lcx_container *c)
{
	return lcx_container_state(c) == LCX_CONTAINER_RUNNING ||
	       lcx_container_state(c) == LCX_CONTAINER_PAUSED;
}

static int start_one(struct lcx_container *c, void *data, struct lcx_error **err)
{
	(void)data;
	return is_running(c) ? 0 : lcx_container_start_detached(c, NULL, err);
}

static int stop_one(struct lcx_container *c, void *data, struct lcx_error **err)
{
	(void)data;
	return is_running(c) ? lcx_container_stop(c, lcx_container_stop_timeout_ms(c), err) : 0;
}

static int remove_one(struct lcx_container *c, void *data, struct lcx_error **err)
{
	const bool *force = data;

	return lcx_container_remove_with_volumes(c, *force, err);
}

struct task {
	each_fn *fn;
	bool members_first, force;
};

static int do_one(struct app *app, const char *name, void *data, struct lcx_error **err)
{
	struct task *task = data;
	CLEANUP(lcx_container_freep) struct lcx_container *holder = NULL;
	int r = open_pod(app, name, &holder, err);

	if (r < 0)
		return r;
	if (!task->members_first)
		r = task->fn(holder, &task->force, err);
	if (r == 0)
		r = each_member(app, holder, task->fn, &task->force, err);
	if (r == 0 && task->members_first)
		r = task->fn(holder, &task->force, err);
	return r;
}

static const struct grammar start_grammar = {
	.operands = "POD...",
	.about = "Start pods: the holder, then the members, oldest first.",
	.min = 1,
	.max = -1,
};

static int pod_start(struct app *app, int argc, char **argv)
{
	struct task task = {start_one, false, false};
	int code;

	if (!app_begin(app, &start_grammar, NULL, &argc, argv, &code))
		return code;
	return app_each(app, argc, argv, do_one, &task);
}

static const struct grammar stop_grammar = {
	.operands = "POD...",
	.about = "Stop the members of pods, then the holder.",
	.min = 1,
	.max = -1,
};

static int pod_stop(struct app *app, int argc, char **argv)
{
	struct task task = {stop_one, true, false};
	int code;

	if (!app_begin(app, &stop_grammar, NULL, &argc, argv, &code))
		return code;
	return app_each(app, argc, argv, do_one, &task);
}

static const struct option_row rm_rows[] = {
	{'f', "force", OPTION_FLAG, offsetof(struct task, force), NULL, "kill what runs first"},
	{0},
};

static const struct grammar rm_grammar = {
	.operands = "POD...",
	.about = "Remove pods with all their members.",
	.rows = rm_rows,
	.min = 1,
	.max = -1,
};

static int pod_rm(struct app *app, int argc, char **argv)
{
	struct task task = {remove_one, true, false};
	int code;

	if (!app_begin(app, &rm_grammar, &task, &argc, argv, &code))
		return code;
	return app_each(app, argc, argv, do_one, &task);
}

int pod_be_started(struct app *app, const char *name, struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *holder = NULL;
	int r = lcx_container_open(app->ctx, name, &holder, err);

	return r < 0 || !lcx_container_is_pod(holder) ? r : start_one(holder, NULL, err);
}

/* ---- the group ------------------------------------------------------------- */

static const struct command commands[] = {
	{"ls", pod_ls, "list pods"},
	{"create", pod_create, "make a pod"},
	{"start", pod_start, "start pods and their members"},
	{"stop", pod_stop, "stop them"},
	{"rm", pod_rm, "remove them"},
	{0},
};

static const struct command_group group = {"pod", commands,
					   "no command: ls, create, start, stop or rm"};

int cmd_pod(struct app *app, int argc, char **argv)
{
	return app_group(app, &group, argc, argv);
}
