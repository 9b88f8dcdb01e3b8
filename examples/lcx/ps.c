/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "ps-filter.h"
#include "table.h"
#include "text.h"

struct ps_options {
	bool all, no_trunc, latest;
	const char *last;
	int64_t count; /* of those made last; INT64_MAX: no limit */
	struct list filters;
};

static const struct option_row rows[] = {
	{'a', "all", OPTION_FLAG, offsetof(struct ps_options, all), NULL,
	 "also those that do not run"},
	{'f', "filter", OPTION_LIST, offsetof(struct ps_options, filters), "KEY=VALUE",
	 "by id, name, status, exited, health, ancestor (image), network, label, before, since"},
	{'n', "last", OPTION_STRING, offsetof(struct ps_options, last), "NUMBER",
	 "those made last, running or not"},
	{'l', "latest", OPTION_FLAG, offsetof(struct ps_options, latest), NULL,
	 "the one made last, running or not"},
	{'\0', "no-trunc", OPTION_FLAG, offsetof(struct ps_options, no_trunc), NULL,
	 "print whole identifiers and commands"},
	{0},
};

static const struct grammar grammar = {
	.about = "List containers.",
	.rows = rows,
	.takes_template = true,
};

static const struct table_column columns[] = {
	{"CONTAINER ID", "ID", NULL}, {"IMAGE", "Image", NULL},
	{"COMMAND", "Command", NULL}, {"CREATED", "CreatedSince", "RunningFor"},
	{"STATUS", "Status", NULL},   {"PORTS", "Ports", NULL},
	{"NAMES", "Names", "Name"},   {NULL, "State", NULL},
	{NULL, "CreatedAt", NULL},    {NULL, "ExitCode", NULL},
	{NULL, "Pid", NULL},          {NULL, "Network", NULL},
	{NULL, "Address", NULL},      {NULL, "Networks", NULL},
	{NULL, "Labels", "Label"},    {NULL, "Health", NULL},
};

/* ---- rows ----------------------------------------------------------------- */

static void status_of(const struct lcx_container *c, char out[static TEXT_SIZE])
{
	char duration[TEXT_SIZE], code[16] = "unknown", health[TEXT_SIZE / 2] = "";

	/* Docker's words: (healthy), (unhealthy), (health: starting). */
	if (lcx_container_health(c)[0])
		(void)snprintf(health, sizeof(health), " (%s%s)",
			       strcmp(lcx_container_health(c), "starting") == 0 ? "health: " : "",
			       lcx_container_health(c));
	switch (lcx_container_state(c)) {
	case LCX_CONTAINER_RUNNING:
	case LCX_CONTAINER_PAUSED:
		text_duration(text_now_ns() - lcx_container_started_ns(c), duration);
		(void)snprintf(out, TEXT_SIZE, "Up %.30s%.24s", duration,
			       lcx_container_state(c) == LCX_CONTAINER_PAUSED ? " (Paused)"
									      : health);
		return;
	case LCX_CONTAINER_STOPPED:
		if (lcx_container_exit_status(c) != LCX_EXIT_UNKNOWN)
			(void)snprintf(code, sizeof(code), "%" PRId32,
				       lcx_container_exit_status(c));
		text_ago(lcx_container_finished_ns(c), duration);
		(void)snprintf(out, TEXT_SIZE, "Exited (%s) %.30s", code, duration);
		return;
	default:
		(void)snprintf(out, TEXT_SIZE, "Created");
	}
}

/* Docker's: in quotes, 20 columns. */
static char *command_of(const struct lcx_container *c, bool no_trunc)
{
	enum { WIDTH = 20 };
	const char *command = lcx_container_command(c);
	size_t length = WIDTH - 3;

	if (no_trunc || strlen(command) <= WIDTH)
		return xprintf("\"%s\"", command);
	while (length > 0 && ((unsigned char)command[length] & 0xc0) == 0x80)
		length--; /* not in the middle of a character */
	return xprintf("\"%.*s...\"", (int)length, command);
}

static void add_networks(struct table *table, const struct lcx_container *c)
{
	CLEANUP(freep) char *names = xprintf("%s", "");
	const char *name;

	for (uint32_t i = 0; (name = lcx_container_network_at(c, i)); i++) {
		char *longer = xprintf("%s%s%s", names, i ? "," : "", name);

		free(names);
		names = longer;
	}
	table_add(table, names);
}

static void add_labels(struct table *table, const struct lcx_container *c)
{
	const char *key;

	table_add_members(table);
	for (uint32_t i = 0; (key = lcx_container_label_key(c, i)); i++)
		table_member_text(table, key, lcx_container_label(c, key));
}

static void add_row(struct table *table, const struct lcx_container *c, const struct app *app,
		    const struct ps_options *o)
{
	CLEANUP(freep) char *command = command_of(c, o->no_trunc || app_json(app));
	char id[80], ago[TEXT_SIZE], status[TEXT_SIZE], created[TEXT_SIZE];

	text_short_id(lcx_container_id(c), o->no_trunc, id);
	text_ago(lcx_container_created_ns(c), ago);
	text_rfc3339(lcx_container_created_ns(c), created);
	status_of(c, status);
	table_add(table, id);
	table_add(table, lcx_container_image(c));
	table_add(table, command);
	table_add(table, ago);
	table_add(table, status);
	table_add(table, lcx_container_ports(c));
	table_add(table, lcx_container_name(c));
	table_add(table, ps_state_name(c));
	table_add(table, created);
	table_add_number(table, "", lcx_container_exit_status(c));
	table_add_number(table, "", lcx_container_pid(c));
	table_add(table, lcx_container_network(c));
	table_add(table, lcx_container_address(c));
	add_networks(table, c);
	add_labels(table, c);
	table_add(table, lcx_container_health(c));
}

/* Return: 1 if it is one of those to be shown, 0 if not. */
static int show(struct app *app, const struct ps_options *o, const struct ps_filters *filters,
		const char *id, struct table *table, struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	char text[80];
	int r = lcx_container_open(app->ctx, id, &c, err);

	if (r < 0)
		return r;
	if (!o->all && lcx_container_state(c) != LCX_CONTAINER_RUNNING &&
	    lcx_container_state(c) != LCX_CONTAINER_PAUSED)
		return 0;
	if (!ps_filters_fit(filters, c))
		return 0;
	text_short_id(id, o->no_trunc, text);
	if (app->quiet && !app_json(app))
		puts(text);
	else
		add_row(table, c, app, o);
	return 1;
}

static int show_all(struct app *app, const struct ps_options *o, const struct ps_filters *filters,
		    struct table *table)
{
	CLEANUP(lcx_container_list_freep) struct lcx_container_list *list = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int64_t left = o->count;
	int code = EXIT_SUCCESS;

	if (lcx_container_list_new(app->ctx, &list, &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	/* Newest first. */
	for (uint32_t i = lcx_container_list_count(list); i > 0 && left > 0; i--) {
		int r = show(app, o, filters, lcx_container_list_id(list, i - 1), table, &err);

		left -= r > 0;
		if (r < 0 && r != -ENOENT) { /* -ENOENT: it was removed meanwhile */
			app_report(app, &err);
			code = EXIT_COMMAND_FAILED;
		}
		err = lcx_error_free(err);
	}
	return code;
}

static void ps_options_free(struct ps_options *o)
{
	list_free(&o->filters);
}

/* Who asks for a status, or for the last ones, wants to see them, running or not. */
static bool settle(struct app *app, struct ps_options *o, const struct ps_filters *filters)
{
	o->count = o->latest ? 1 : INT64_MAX;
	if (o->last && text_parse_int(o->last, -1, INT32_MAX, &o->count) < 0) {
		(void)options_usage_error(app, "'%s' is no number of containers", o->last);
		return false;
	}
	if (o->count < 0)
		o->count = INT64_MAX; /* Docker's word for no limit */
	o->all = o->all || o->count != INT64_MAX || ps_filters_want_all(filters);
	return true;
}

int cmd_ps(struct app *app, int argc, char **argv)
{
	CLEANUP(ps_options_free) struct ps_options o = {0};
	CLEANUP(ps_filters_freep) struct ps_filters *filters = NULL;
	CLEANUP(table_freep) struct table *table = NULL;
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int code, printed = EXIT_SUCCESS;

	if (result != OPTIONS_OK)
		return options_exit(result);
	filters = ps_filters_new(app, &o.filters);
	if (!filters || !settle(app, &o, filters))
		return EXIT_LIBRARY_FAILED;
	if (!app_open(app) || !ps_filters_resolve(app, filters))
		return EXIT_COMMAND_FAILED;
	table = table_new(columns, sizeof(columns) / sizeof(*columns));
	code = show_all(app, &o, filters, table);
	if (!app->quiet || app_json(app))
		printed = table_print(table, app);
	return printed != EXIT_SUCCESS ? printed : code;
}
