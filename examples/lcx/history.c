/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "table.h"
#include "text.h"

struct history_options {
	bool no_trunc;
};

static const struct option_row rows[] = {
	{'\0', "no-trunc", OPTION_FLAG, offsetof(struct history_options, no_trunc), NULL,
	 "print whole commands"},
	{0},
};

static const struct grammar grammar = {
	.operands = "IMAGE",
	.about = "Print how an image was made, the last step first.",
	.rows = rows,
	.min = 1,
	.max = 1,
	.takes_template = true,
};

static const struct table_column columns[] = {
	{"CREATED", "CreatedSince"}, {"CREATED BY", "CreatedBy"}, {"SIZE", "Size"},
	{"COMMENT", "Comment"},      {NULL, "CreatedAt"},         {NULL, "Layer"},
};

enum { COMMAND_SHOWN = 45 };

static void add_step(struct table *table, const struct lcx_image *image, size_t i, bool no_trunc)
{
	int64_t created = lcx_image_history_created_ns(image, i);
	int64_t layer = lcx_image_history_layer(image, i);
	uint64_t bytes = layer < 0 ? 0 : lcx_image_layer_size_bytes(image, (size_t)layer);
	const char *by = lcx_image_history_created_by(image, i), *id;
	bool cut = !no_trunc && strlen(by) > COMMAND_SHOWN;
	CLEANUP(freep)
	char *shown =
		xprintf("%.*s%s", cut ? COMMAND_SHOWN - 3 : (int)strlen(by), by, cut ? "..." : "");
	char ago[TEXT_SIZE], size[TEXT_SIZE], at[TEXT_SIZE];

	id = layer < 0 ? NULL : lcx_image_layer_diff_id(image, (size_t)layer);
	text_ago(created, ago);
	text_rfc3339(created, at);
	text_decimal_size((double)bytes, size);
	table_add(table, created ? ago : "-");
	table_add(table, shown);
	table_add_number(table, size, (int64_t)bytes);
	table_add(table, lcx_image_history_comment(image, i));
	table_add(table, created ? at : "");
	table_add(table, id ? id : "");
}

int cmd_history(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(table_freep) struct table *table = NULL;
	struct history_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	if (lcx_image_open(app->ctx, argv[0], &image, &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < lcx_image_history_count(image); i++)
		add_step(table, image, i, o.no_trunc || app_json(app));
	return table_print(table, app);
}
