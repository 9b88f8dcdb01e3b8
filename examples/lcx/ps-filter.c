/* SPDX-License-Identifier: MIT */
#include "ps-filter.h"

#include <regex.h>
#include <string.h>

#include "options.h"
#include "text.h"

/* What one filter was worked out to be, by its kind. */
struct filter {
	const struct kind *kind;
	const char *wanted; /* borrowed */
	struct lcx_ctx *ctx;
	int64_t number;
	regex_t pattern;
	bool has_pattern;
	char *image_id, **layers; /* NULL: there is no such image */
};

struct kind {
	const char *key;
	bool (*fits)(const struct filter *filter, const struct lcx_container *c);
	/* Is it one at all? What is wrong is reported. NULL: anything is. */
	bool (*check)(struct app *app, struct filter *filter);
	/* Needs the context. What is wrong is reported. */
	bool (*resolve)(struct app *app, struct filter *filter);
	bool all;       /* containers that do not run are meant, too */
	bool must_each; /* several are not alternatives */
};

struct ps_filters {
	struct filter *items;
	size_t count;
};

const char *ps_state_name(const struct lcx_container *c)
{
	enum lcx_container_state state = lcx_container_state(c);

	return state == LCX_CONTAINER_STOPPED ? "exited" : lcx_container_state_name(state);
}

/* ---- id, name, label, status, exited --------------------------------------- */

static bool fits_id(const struct filter *f, const struct lcx_container *c)
{
	return strncmp(lcx_container_id(c), f->wanted, strlen(f->wanted)) == 0;
}

/* A pattern, as Docker has it; its names begin with a slash for whoever is used to that. */
static bool check_name(struct app *app, struct filter *f)
{
	const char *text = f->wanted;
	CLEANUP(freep)
	char *pattern = xprintf("%s%s", text[0] == '^' ? "^" : "",
				text + (text[0] == '^') + (text[text[0] == '^'] == '/'));

	if (regcomp(&f->pattern, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
		(void)options_usage_error(app, "filter 'name=%s' is no regular expression", text);
		return false;
	}
	f->has_pattern = true;
	return true;
}

static bool fits_name(const struct filter *f, const struct lcx_container *c)
{
	return regexec(&f->pattern, lcx_container_name(c), 0, NULL, 0) == 0;
}

static bool fits_label(const struct filter *f, const struct lcx_container *c)
{
	CLEANUP(freep) char *key = xprintf("%s", f->wanted);
	char *value = strchr(key, '=');
	const char *found;

	if (value)
		*value++ = '\0';
	found = lcx_container_label(c, key);
	return found && (!value || strcmp(found, value) == 0);
}

static bool is_one_of(struct app *app, const struct filter *f, const char *const *words)
{
	CLEANUP(freep) char *there = xprintf("%s", words[0]);

	for (size_t i = 0; words[i]; i++) {
		char *longer;

		if (strcmp(f->wanted, words[i]) == 0)
			return true;
		longer = i ? xprintf("%s, %s", there, words[i]) : NULL;
		if (longer) {
			free(there);
			there = longer;
		}
	}
	(void)options_usage_error(app, "filter '%s=%s' is unknown; there are %s", f->kind->key,
				  f->wanted, there);
	return false;
}

static bool check_status(struct app *app, struct filter *f)
{
	/* Those that no container of ours is ever in are Docker's, and fit none. */
	static const char *const words[] = {"created",    "running",  "paused", "exited",
					    "restarting", "removing", "dead",   NULL};

	return is_one_of(app, f, words);
}

static bool fits_status(const struct filter *f, const struct lcx_container *c)
{
	return strcmp(f->wanted, ps_state_name(c)) == 0;
}

static bool check_exited(struct app *app, struct filter *f)
{
	if (text_parse_int(f->wanted, 0, 255, &f->number) == 0)
		return true;
	(void)options_usage_error(app, "filter 'exited=%s' is no exit code: 0 to 255", f->wanted);
	return false;
}

static bool fits_exited(const struct filter *f, const struct lcx_container *c)
{
	return lcx_container_state(c) == LCX_CONTAINER_STOPPED &&
	       lcx_container_exit_status(c) == f->number;
}

static bool check_health(struct app *app, struct filter *f)
{
	static const char *const words[] = {"starting", "healthy", "unhealthy", "none", NULL};

	return is_one_of(app, f, words);
}

static bool fits_health(const struct filter *f, const struct lcx_container *c)
{
	const char *health = lcx_container_health(c);

	return strcmp(health[0] ? health : "none", f->wanted) == 0;
}

/* ---- network ---------------------------------------------------------------- */

static bool fits_network(const struct filter *f, const struct lcx_container *c)
{
	const char *name;

	for (uint32_t i = 0; (name = lcx_container_network_at(c, i)); i++)
		if (strcmp(name, f->wanted) == 0)
			return true;
	return false;
}

/* ---- before, since ----------------------------------------------------------- */

static bool resolve_moment(struct app *app, struct filter *f)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	struct lcx_error *err = NULL;

	if (lcx_container_open(app->ctx, f->wanted, &c, &err) < 0) {
		app_report(app, &err);
		return false;
	}
	f->number = lcx_container_created_ns(c);
	return true;
}

static bool fits_before(const struct filter *f, const struct lcx_container *c)
{
	return lcx_container_created_ns(c) < f->number;
}

static bool fits_since(const struct filter *f, const struct lcx_container *c)
{
	return lcx_container_created_ns(c) > f->number;
}

/* ---- ancestor: the image, or one that it was made of ------------------------- */

static bool resolve_image(struct app *app, struct filter *f)
{
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;
	size_t n;

	f->ctx = app->ctx;
	if (lcx_image_open(app->ctx, f->wanted, &image, NULL) < 0)
		return true; /* containers may have been made of it all the same */
	n = lcx_image_layer_count(image);
	f->image_id = xprintf("%s", lcx_image_id(image));
	f->layers = xrealloc(NULL, n + 1, sizeof(*f->layers));
	for (size_t i = 0; i < n; i++)
		f->layers[i] = xprintf("%s", lcx_image_layer_dir(image, i));
	f->layers[n] = NULL;
	return true;
}

/* Top-most first: the ancestor's are the last ones. */
static bool is_made_of(const struct lcx_image *image, char *const *layers)
{
	size_t n = lcx_image_layer_count(image), wanted = 0;

	while (layers[wanted])
		wanted++;
	if (wanted == 0 || wanted > n)
		return false;
	for (size_t i = 0; i < wanted; i++)
		if (strcmp(lcx_image_layer_dir(image, n - wanted + i), layers[i]) != 0)
			return false;
	return true;
}

static bool fits_ancestor(const struct filter *f, const struct lcx_container *c)
{
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;

	if (!f->image_id)
		return strcmp(lcx_container_image(c), f->wanted) == 0;
	if (strcmp(lcx_container_image_id(c), f->image_id) == 0)
		return true;
	return lcx_image_open(f->ctx, lcx_container_image_id(c), &image, NULL) == 0 &&
	       is_made_of(image, f->layers);
}

/* ---- all of them -------------------------------------------------------------- */

static const struct kind kinds[] = {
	{"ancestor", fits_ancestor, NULL, resolve_image, false, false},
	{"before", fits_before, NULL, resolve_moment, false, false},
	{"exited", fits_exited, check_exited, NULL, true, false},
	{"health", fits_health, check_health, NULL, false, false},
	{"id", fits_id, NULL, NULL, false, false},
	{"label", fits_label, NULL, NULL, false, true},
	{"name", fits_name, check_name, NULL, false, false},
	{"network", fits_network, NULL, NULL, false, false},
	{"since", fits_since, NULL, resolve_moment, false, false},
	{"status", fits_status, check_status, NULL, true, false},
};

static const struct kind *find_kind(const char *text)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t n = strlen(kinds[i].key);

		if (strncmp(text, kinds[i].key, n) == 0 && text[n] == '=')
			return &kinds[i];
	}
	return NULL;
}

static bool report_unknown(struct app *app, const char *text)
{
	CLEANUP(freep) char *there = xprintf("%s=", kinds[0].key);

	for (size_t i = 1; i < sizeof(kinds) / sizeof(*kinds); i++) {
		char *longer = xprintf("%s, %s=", there, kinds[i].key);

		free(there);
		there = longer;
	}
	(void)options_usage_error(app, "filter '%s' is unknown; there are %s", text, there);
	return false;
}

static bool add(struct app *app, struct ps_filters *filters, const char *text)
{
	const struct kind *kind = find_kind(text);
	struct filter *filter;

	if (!kind)
		return report_unknown(app, text);
	filters->items = xrealloc(filters->items, filters->count + 1, sizeof(*filters->items));
	filter = &filters->items[filters->count++];
	*filter = (struct filter){.kind = kind, .wanted = text + strlen(kind->key) + 1};
	return !kind->check || kind->check(app, filter);
}

struct ps_filters *ps_filters_new(struct app *app, const struct list *texts)
{
	CLEANUP(ps_filters_freep)
	struct ps_filters *filters = xrealloc(NULL, 1, sizeof(*filters));
	struct ps_filters *result;

	*filters = (struct ps_filters){0};
	for (size_t i = 0; i < texts->count; i++)
		if (!add(app, filters, texts->items[i]))
			return NULL;
	result = filters;
	filters = NULL;
	return result;
}

bool ps_filters_resolve(struct app *app, struct ps_filters *filters)
{
	for (size_t i = 0; i < filters->count; i++) {
		struct filter *filter = &filters->items[i];

		if (filter->kind->resolve && !filter->kind->resolve(app, filter))
			return false;
	}
	return true;
}

/* Of all filters of one kind: each, or any. */
static bool kind_fits(const struct ps_filters *filters, const struct kind *kind,
		      const struct lcx_container *c)
{
	bool asked = false;

	for (size_t i = 0; i < filters->count; i++) {
		const struct filter *filter = &filters->items[i];
		bool fits;

		if (filter->kind != kind)
			continue;
		asked = true;
		fits = kind->fits(filter, c);
		if (fits != kind->must_each)
			return fits;
	}
	return !asked || kind->must_each;
}

bool ps_filters_fit(const struct ps_filters *filters, const struct lcx_container *c)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!kind_fits(filters, &kinds[i], c))
			return false;
	return true;
}

bool ps_filters_want_all(const struct ps_filters *filters)
{
	for (size_t i = 0; i < filters->count; i++)
		if (filters->items[i].kind->all)
			return true;
	return false;
}

void ps_filters_free(struct ps_filters *filters)
{
	for (size_t i = 0; i < filters->count; i++) {
		struct filter *filter = &filters->items[i];

		if (filter->has_pattern)
			regfree(&filter->pattern);
		free(filter->image_id);
		for (char **layer = filter->layers; layer && *layer; layer++)
			free(*layer);
		free(filter->layers);
	}
	free(filters->items);
	free(filters);
}
