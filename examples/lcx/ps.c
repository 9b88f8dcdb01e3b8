/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "table.h"
#include "text.h"

struct ps_options {
	bool all, no_trunc;
	struct list filters;
};

static const struct option_row rows[] = {
	{'a', "all", OPTION_FLAG, offsetof(struct ps_options, all), NULL,
	 "also those that do not run"},
	{'f', "filter", OPTION_LIST, offsetof(struct ps_options, filters), "KEY=VALUE",
	 "by id, name, status, ancestor (image), network, label"},
	{'\0', "no-trunc", OPTION_FLAG, offsetof(struct ps_options, no_trunc), NULL,
	 "print whole identifiers and commands"},
	{0},
};

static const struct grammar grammar = {
	.about = "List containers.",
	.rows = rows,
};

static const struct table_column columns[] = {
	{"CONTAINER ID", "ID"},      {"IMAGE", "Image"},   {"COMMAND", "Command"},
	{"CREATED", "CreatedSince"}, {"STATUS", "Status"}, {"PORTS", "Ports"},
	{"NAMES", "Names"},          {NULL, "State"},      {NULL, "CreatedAt"},
	{NULL, "ExitCode"},          {NULL, "Pid"},        {NULL, "Network"},
	{NULL, "Address"},
};

/* ---- filters -------------------------------------------------------------- */

static bool has_label(const struct lcx_container *c, const char *wanted)
{
	CLEANUP(freep) char *key = xprintf("%s", wanted);
	char *value = strchr(key, '=');
	const char *found;

	if (value)
		*value++ = '\0';
	found = lcx_container_label(c, key);
	return found && (!value || strcmp(found, value) == 0);
}

static bool has_id(const struct lcx_container *c, const char *wanted)
{
	return strncmp(lcx_container_id(c), wanted, strlen(wanted)) == 0;
}

static bool has_name(const struct lcx_container *c, const char *wanted)
{
	return strstr(lcx_container_name(c), wanted) != NULL;
}

static bool has_image(const struct lcx_container *c, const char *wanted)
{
	return strcmp(lcx_container_image(c), wanted) == 0;
}

static bool has_network(const struct lcx_container *c, const char *wanted)
{
	return strcmp(lcx_container_network(c), wanted) == 0;
}

static const char *docker_state(const struct lcx_container *c)
{
	enum lcx_container_state state = lcx_container_state(c);

	return state == LCX_CONTAINER_STOPPED ? "exited" : lcx_container_state_name(state);
}

static bool has_status(const struct lcx_container *c, const char *wanted)
{
	return strcmp(wanted, docker_state(c)) == 0 ||
	       strcmp(wanted, lcx_container_state_name(lcx_container_state(c))) == 0;
}

static const struct filter {
	const char *key;
	bool (*fits)(const struct lcx_container *container, const char *wanted);
} filters[] = {
	{"ancestor=", has_image}, {"id=", has_id},           {"label=", has_label},
	{"name=", has_name},      {"network=", has_network}, {"status=", has_status},
};

static const struct filter *find_filter(const char *text)
{
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		if (strncmp(text, filters[i].key, strlen(filters[i].key)) == 0)
			return &filters[i];
	}
	return NULL;
}

static bool check_filters(struct app *app, const struct list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!find_filter(list->items[i])) {
			(void)options_usage_error(
				app,
				"filter '%s' is unknown; there are id=, name=, status=, "
				"ancestor=, network= and label=",
				list->items[i]);
			return false;
		}
	}
	return true;
}

static bool is_wanted(const struct lcx_container *c, const struct ps_options *o)
{
	enum lcx_container_state state = lcx_container_state(c);
	bool shown = o->all || state == LCX_CONTAINER_RUNNING || state == LCX_CONTAINER_PAUSED;

	for (size_t i = 0; i < o->filters.count; i++) {
		const struct filter *filter = find_filter(o->filters.items[i]);

		if (!filter->fits(c, o->filters.items[i] + strlen(filter->key)))
			return false;
		/* Who asks for a status wants to see it, running or not. */
		shown = shown || filter->fits == has_status;
	}
	return shown;
}

/* ---- rows ----------------------------------------------------------------- */

static void status_of(const struct lcx_container *c, char out[static TEXT_SIZE])
{
	char duration[TEXT_SIZE], code[16] = "unknown";

	switch (lcx_container_state(c)) {
	case LCX_CONTAINER_RUNNING:
	case LCX_CONTAINER_PAUSED:
		text_duration(text_now_ns() - lcx_container_started_ns(c), duration);
		(void)snprintf(out, TEXT_SIZE, "Up %.30s%s", duration,
			       lcx_container_state(c) == LCX_CONTAINER_PAUSED ? " (Paused)" : "");
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
	table_add(table, docker_state(c));
	table_add(table, created);
	table_add_number(table, "", lcx_container_exit_status(c));
	table_add_number(table, "", lcx_container_pid(c));
	table_add(table, lcx_container_network(c));
	table_add(table, lcx_container_address(c));
}

static int show(struct app *app, const struct ps_options *o, const char *id, struct table *table,
		struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	char text[80];
	int r = lcx_container_open(app->ctx, id, &c, err);

	if (r < 0)
		return r;
	if (!is_wanted(c, o))
		return 0;
	text_short_id(id, o->no_trunc, text);
	if (app->quiet && !app_json(app))
		puts(text);
	else
		add_row(table, c, app, o);
	return 0;
}

static int show_all(struct app *app, const struct ps_options *o, struct table *table)
{
	CLEANUP(lcx_container_list_freep) struct lcx_container_list *list = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int code = EXIT_SUCCESS;

	if (lcx_container_list_new(app->ctx, &list, &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	for (uint32_t i = lcx_container_list_length(list); i > 0; i--) { /* newest first */
		int r = show(app, o, lcx_container_list_id(list, i - 1), table, &err);

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

int cmd_ps(struct app *app, int argc, char **argv)
{
	CLEANUP(ps_options_free) struct ps_options o = {0};
	CLEANUP(table_freep) struct table *table = NULL;
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int code;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!check_filters(app, &o.filters))
		return EXIT_LIBRARY_FAILED;
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	table = table_new(columns, sizeof(columns) / sizeof(*columns));
	code = show_all(app, &o, table);
	if (!app->quiet || app_json(app))
		table_print(table, app_json(app));
	return code;
}
