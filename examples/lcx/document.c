/* SPDX-License-Identifier: MIT */
#include "document.h"

#include "memory.h"
#include "template.h"

static bool has_template(const struct app *app)
{
	return app->format && template_is(app->format);
}

void documents_begin(struct documents *documents)
{
	if (!has_template(documents->app))
		putchar('[');
}

void documents_end(const struct documents *documents)
{
	if (!has_template(documents->app))
		puts("]");
}

static bool add_template(const struct app *app, const char *json)
{
	struct json_object *data = json_tokener_parse(json);
	CLEANUP(freep) char *text = NULL, *error = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!data || !out)
		abort();
	error = template_print(out, app->format, data);
	(void)fclose(out);
	json_object_put(data);
	if (error)
		app_error(app, "format '%s': %s", app->format, error);
	else
		puts(text);
	return !error;
}

bool documents_add(struct documents *documents, const char *json)
{
	if (has_template(documents->app))
		return add_template(documents->app, json);
	printf("%s%s", documents->n++ ? ",\n" : "", json);
	return true;
}
