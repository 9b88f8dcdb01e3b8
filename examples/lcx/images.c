/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "table.h"
#include "text.h"

struct images_options {
	bool digests, no_trunc;
};

static const struct option_row rows[] = {
	{'\0', "digests", OPTION_FLAG, offsetof(struct images_options, digests), NULL,
	 "print digests of manifests"},
	{'\0', "no-trunc", OPTION_FLAG, offsetof(struct images_options, no_trunc), NULL,
	 "print whole identifiers"},
	{0},
};

static const struct grammar grammar = {
	.operands = "[NAME]",
	.about = "List the images that are here.",
	.rows = rows,
	.max = 1,
	.takes_template = true,
};

static const struct table_column columns[] = {
	{"REPOSITORY", "Repository"},
	{"TAG", "Tag"},
	{"IMAGE ID", "ID"},
	{"CREATED", "CreatedSince"},
	{"SIZE", "Size"},
	{NULL, "CreatedAt"},
	{NULL, "Digest"},
	{NULL, "Reference"},
	{NULL, "Layers"},
};

static const struct table_column columns_with_digest[] = {
	{"REPOSITORY", "Repository"}, {"TAG", "Tag"},      {"IMAGE ID", "ID"},
	{"CREATED", "CreatedSince"},  {"SIZE", "Size"},    {NULL, "CreatedAt"},
	{"DIGEST", "Digest"},         {NULL, "Reference"}, {NULL, "Layers"},
};

/* Where the repository ends in a full reference: at "@", or at a ":" behind the last "/". */
static size_t repository_length(const char *reference)
{
	const char *slash = strrchr(reference, '/'), *at = strchr(reference, '@'), *colon;

	if (at)
		return (size_t)(at - reference);
	colon = strchr(slash ? slash : reference, ':');
	return colon ? (size_t)(colon - reference) : strlen(reference);
}

/* "docker.io/library/debian" is "debian" to everyone who types. */
static const char *familiar(const char *reference)
{
	static const char *const prefixes[] = {"docker.io/library/", "docker.io/"};

	for (size_t i = 0; i < 2; i++) {
		if (strncmp(reference, prefixes[i], strlen(prefixes[i])) == 0)
			return reference + strlen(prefixes[i]);
	}
	return reference;
}

static bool is_wanted(const char *reference, const char *wanted)
{
	size_t length = repository_length(familiar(reference));

	return !wanted || strcmp(wanted, reference) == 0 ||
	       strcmp(wanted, familiar(reference)) == 0 ||
	       (strlen(wanted) == length && strncmp(wanted, familiar(reference), length) == 0);
}

static void add_row(struct table *table, const struct lcx_image *image, const char *reference,
		    bool no_trunc)
{
	const char *name = familiar(reference);
	size_t length = repository_length(name);
	CLEANUP(freep) char *repository = xprintf("%.*s", (int)length, name);
	char id[80], ago[TEXT_SIZE], size[TEXT_SIZE], created[TEXT_SIZE], layers[TEXT_SIZE];

	text_short_id(lcx_image_id(image), no_trunc, id);
	text_ago(lcx_image_created_ns(image), ago);
	text_rfc3339(lcx_image_created_ns(image), created);
	text_decimal_size((double)lcx_image_size_bytes(image), size);
	(void)snprintf(layers, sizeof(layers), "%zu", lcx_image_layer_count(image));
	table_add(table, length ? repository : "<none>");
	table_add(table, name[length] == ':' ? name + length + 1 : "<none>");
	table_add(table, id);
	table_add(table, ago);
	table_add_number(table, size, (int64_t)lcx_image_size_bytes(image));
	table_add(table, created);
	table_add(table, lcx_image_manifest_digest(image));
	table_add(table, reference);
	table_add_number(table, layers, (int64_t)lcx_image_layer_count(image));
}

static void add_rows(struct table *table, const struct lcx_image *image, const char *wanted,
		     bool no_trunc)
{
	const char *const *references = lcx_image_references(image);

	for (size_t i = 0; references[i]; i++) {
		if (is_wanted(references[i], wanted))
			add_row(table, image, references[i], no_trunc);
	}
	if (!references[0] && !wanted)
		add_row(table, image, "", no_trunc);
}

static bool has_wanted(const struct lcx_image *image, const char *wanted)
{
	const char *const *references = lcx_image_references(image);

	for (size_t i = 0; references[i]; i++) {
		if (is_wanted(references[i], wanted))
			return true;
	}
	return !wanted;
}

static void print_ids(const struct lcx_image_list *list, const char *wanted, bool no_trunc)
{
	for (size_t i = 0; i < lcx_image_list_count(list); i++) {
		const struct lcx_image *image = lcx_image_list_get(list, i);
		char id[80];

		text_short_id(lcx_image_id(image), no_trunc, id);
		if (has_wanted(image, wanted))
			puts(id);
	}
}

int cmd_images(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_image_list_freep) struct lcx_image_list *list = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(table_freep) struct table *table = NULL;
	struct images_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	const char *wanted = argc > 0 ? argv[0] : NULL;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	if (lcx_image_list_new(app->ctx, &list, &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	if (app->quiet && !app_json(app)) {
		print_ids(list, wanted, o.no_trunc);
		return EXIT_SUCCESS;
	}
	table = table_new(o.digests ? columns_with_digest : columns,
			  sizeof(columns) / sizeof(*columns));
	for (size_t i = 0; i < lcx_image_list_count(list); i++)
		add_rows(table, lcx_image_list_get(list, i), wanted, o.no_trunc);
	return table_print(table, app);
}
