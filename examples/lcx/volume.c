/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "app.h"
#include "document.h"
#include "memory.h"
#include "options.h"
#include "table.h"
#include "text.h"

DEFINE_CLEANUP(struct lcx_volume *, lcx_volume_free)
DEFINE_CLEANUP(struct lcx_volume_list *, lcx_volume_list_free)

static int fail(struct app *app, struct lcx_error **err)
{
	app_report(app, err);
	return EXIT_COMMAND_FAILED;
}

/* ---- ls ------------------------------------------------------------------- */

static const struct grammar ls_grammar = {
	.about = "List volumes.",
	.takes_template = true,
};

static const struct table_column columns[] = {
	{"VOLUME NAME", "Name"}, {"CREATED", "CreatedSince"}, {NULL, "CreatedAt"},
	{NULL, "Mountpoint"},    {NULL, "Anonymous"},
};

static void add_row(struct table *table, const struct lcx_volume *volume)
{
	char ago[TEXT_SIZE], created[TEXT_SIZE];

	text_ago(lcx_volume_created_ns(volume), ago);
	text_rfc3339(lcx_volume_created_ns(volume), created);
	table_add(table, lcx_volume_name(volume));
	table_add(table, ago);
	table_add(table, created);
	table_add(table, lcx_volume_path(volume));
	table_add(table, lcx_volume_is_anonymous(volume) ? "true" : "false");
}

static int volume_ls(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_volume_list_freep) struct lcx_volume_list *list = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(table_freep) struct table *table = NULL;
	int code;

	if (!app_begin(app, &ls_grammar, NULL, &argc, argv, &code))
		return code;
	if (lcx_volume_list_new(app->ctx, &list, &err) < 0)
		return fail(app, &err);
	table = table_new(columns, sizeof(columns) / sizeof(*columns));
	for (size_t i = 0; i < lcx_volume_list_count(list); i++)
		if (app->quiet && !app_json(app))
			puts(lcx_volume_name(lcx_volume_list_get(list, i)));
		else
			add_row(table, lcx_volume_list_get(list, i));
	return app->quiet && !app_json(app) ? EXIT_SUCCESS : table_print(table, app);
}

/* ---- create --------------------------------------------------------------- */

struct create_options {
	struct list labels;
};

static void create_options_free(struct create_options *o)
{
	list_free(&o->labels);
}

static const struct option_row create_rows[] = {
	{'\0', "label", OPTION_LIST, offsetof(struct create_options, labels), "KEY[=VALUE]",
	 "data of your own"},
	{0},
};

static const struct grammar create_grammar = {
	.operands = "[NAME]",
	.about = "Make a volume; without a name it is anonymous. One that is there already stays.",
	.rows = create_rows,
	.max = 1,
};

static int volume_create(struct app *app, int argc, char **argv)
{
	CLEANUP(create_options_free) struct create_options o = {0};
	CLEANUP(lcx_volume_freep) struct lcx_volume *volume = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) const char **labels = NULL;
	int code, r;

	if (!app_begin(app, &create_grammar, &o, &argc, argv, &code))
		return code;
	labels = calloc(o.labels.count + 1, sizeof(*labels));
	for (size_t i = 0; labels && i < o.labels.count; i++)
		labels[i] = o.labels.items[i];
	r = lcx_volume_create(app->ctx, argc ? argv[0] : NULL, labels, &volume, &err);
	if (r < 0 && r != -EEXIST)
		return fail(app, &err);
	puts(volume ? lcx_volume_name(volume) : argv[0]);
	return EXIT_SUCCESS;
}

/* ---- inspect -------------------------------------------------------------- */

static const struct grammar inspect_grammar = {
	.operands = "VOLUME...",
	.about = "Print everything about volumes, as a JSON array.",
	.min = 1,
	.max = -1,
	.takes_template = true,
};

static struct json_object *labels_to_json(const struct lcx_volume *volume)
{
	struct json_object *labels = json_object_new_object();

	for (const char *const *label = lcx_volume_labels(volume); *label; label++) {
		const char *equals = strchr(*label, '=');
		CLEANUP(freep)
		char *key =
			xprintf("%.*s", (int)(equals ? equals - *label : (ptrdiff_t)strlen(*label)),
				*label);

		(void)json_object_object_add(labels, key,
					     json_object_new_string(equals ? equals + 1 : ""));
	}
	return labels;
}

/* In Docker's terms. */
static char *to_json(const struct lcx_volume *volume)
{
	struct json_object *json = json_object_new_object();
	char created[TEXT_SIZE];
	char *text;

	text_rfc3339(lcx_volume_created_ns(volume), created);
	(void)json_object_object_add(json, "Name", json_object_new_string(lcx_volume_name(volume)));
	(void)json_object_object_add(json, "Driver", json_object_new_string("local"));
	(void)json_object_object_add(json, "Mountpoint",
				     json_object_new_string(lcx_volume_path(volume)));
	(void)json_object_object_add(json, "CreatedAt", json_object_new_string(created));
	(void)json_object_object_add(json, "Labels", labels_to_json(volume));
	(void)json_object_object_add(json, "Anonymous",
				     json_object_new_boolean(lcx_volume_is_anonymous(volume)));
	text = xprintf("%s",
		       json_object_to_json_string_ext(
			       json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	(void)json_object_put(json);
	return text;
}

static int volume_inspect(struct app *app, int argc, char **argv)
{
	struct documents documents = {app, 0};
	int code;

	if (!app_begin(app, &inspect_grammar, NULL, &argc, argv, &code))
		return code;
	code = EXIT_SUCCESS;
	documents_begin(&documents);
	for (int i = 0; i < argc; i++) {
		CLEANUP(lcx_volume_freep) struct lcx_volume *volume = NULL;
		CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
		CLEANUP(freep) char *json = NULL;

		if (lcx_volume_open(app->ctx, argv[i], &volume, &err) < 0) {
			code = fail(app, &err);
			continue;
		}
		json = to_json(volume);
		if (!documents_add(&documents, json))
			code = EXIT_COMMAND_FAILED;
	}
	documents_end(&documents);
	return code;
}

/* ---- rm, prune ------------------------------------------------------------- */

static const struct option_row force_rows[] = {
	{'f', "force", OPTION_FLAG, 0, NULL, "say nothing about one that is not there"},
	{0},
};

static const struct grammar rm_grammar = {
	.operands = "VOLUME...",
	.about = "Remove volumes with all that is in them; not while a container has them.",
	.rows = force_rows,
	.min = 1,
	.max = -1,
};

static int remove_one(struct app *app, const char *name, void *data, struct lcx_error **err)
{
	const bool *force = data;
	int r = lcx_volume_remove(app->ctx, name, err);

	if (r == -ENOENT && *force) {
		*err = lcx_error_free(*err);
		return 0;
	}
	return r;
}

static int volume_rm(struct app *app, int argc, char **argv)
{
	bool force = false;
	int code;

	if (!app_begin(app, &rm_grammar, &force, &argc, argv, &code))
		return code;
	return app_each(app, argc, argv, remove_one, &force);
}

struct prune_options {
	bool all, force;
};

static const struct option_row prune_rows[] = {
	{'a', "all", OPTION_FLAG, offsetof(struct prune_options, all), NULL,
	 "those with a name, too"},
	{'f', "force", OPTION_FLAG, offsetof(struct prune_options, force), NULL,
	 "don't ask whether that is meant"},
	{0},
};

static const struct grammar prune_grammar = {
	.about = "Remove the anonymous volumes that no container has.",
	.rows = prune_rows,
};

static bool is_meant(const struct prune_options *o)
{
	char answer[16] = "";

	if (o->force)
		return true;
	fprintf(stderr, "Remove all %svolumes that no container has? [y/N] ",
		o->all ? "" : "anonymous ");
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int volume_prune(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_volume_list_freep) struct lcx_volume_list *list = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct prune_options o = {0};
	int code, r;

	if (!app_begin(app, &prune_grammar, &o, &argc, argv, &code))
		return code;
	if (!is_meant(&o))
		return EXIT_SUCCESS;
	r = lcx_volume_prune(app->ctx, o.all, &list, &err);
	for (size_t i = 0; list && i < lcx_volume_list_count(list); i++)
		puts(lcx_volume_name(lcx_volume_list_get(list, i)));
	return r < 0 ? fail(app, &err) : EXIT_SUCCESS;
}

/* ---- the group ------------------------------------------------------------- */

static const struct command commands[] = {
	{"ls", volume_ls, "list volumes"},
	{"create", volume_create, "make a volume"},
	{"inspect", volume_inspect, "print everything about volumes"},
	{"rm", volume_rm, "remove volumes"},
	{"prune", volume_prune, "remove those that no container has"},
	{0},
};

static const struct command_group group = {"volume", commands,
					   "no command: ls, create, inspect, rm or prune"};

int cmd_volume(struct app *app, int argc, char **argv)
{
	return app_group(app, &group, argc, argv);
}
