/* SPDX-License-Identifier: MIT */
#include "image/sources.h"

#include <errno.h>
#include <string.h>

struct source {
	struct lcx__settings settings;
	struct lcx__registry *registry;
};

struct lcx__sources {
	struct source *items;
	size_t n, preferred;
};

struct lcx__get {
	struct lcx__sources *sources;
	size_t source;
	char *path;
	const char *accept;
	bool has_sink;
	struct lcx__sink sink;
	size_t limit;
	struct lcx__request *request;
};

struct lcx__sources *lcx__sources_free(struct lcx__sources *sources)
{
	if (!sources)
		return NULL;
	for (size_t i = 0; i < sources->n; i++) {
		(void)lcx__registry_free(sources->items[i].registry);
		lcx__settings_clear(&sources->items[i].settings);
	}
	free(sources->items);
	free(sources);
	return NULL;
}

static int add(struct lcx__sources *sources, struct lcx__transport *transport,
	       const struct lcx__registries *conf, const char *name, const char *path,
	       const struct lcx__settings *settings, struct lcx_error **err)
{
	struct source *source = &sources->items[sources->n++];

	if (lcx__settings_copy(settings, &source->settings) < 0 ||
	    lcx__registries_apply(conf, name, &source->settings) < 0)
		return lcx__fail_nomem(err);
	return lcx__registry_new(transport, name, path, "pull", &source->settings,
				 &source->registry, err);
}

int lcx__sources_new(struct lcx__transport *transport, const struct lcx__registries *conf,
		     const struct lcx__reference *ref, const struct lcx__settings *settings,
		     struct lcx__sources **ret, struct lcx_error **err)
{
	CLEANUP(lcx__sources_freep) struct lcx__sources *sources = calloc(1, sizeof(*sources));
	char *const *mirrors = lcx__registries_mirrors(conf, ref->registry);
	const struct lcx__settings common = {
		.auth_file = settings->auth_file,
		.stall_timeout_ms = settings->stall_timeout_ms,
	};
	int r = 0;

	if (!sources)
		return lcx__fail_nomem(err);
	sources->items = calloc(lcx__strv_length(mirrors) + 1, sizeof(*sources->items));
	if (!sources->items)
		return lcx__fail_nomem(err);
	for (; r == 0 && mirrors && *mirrors; mirrors++)
		r = add(sources, transport, conf, *mirrors, ref->path, &common, err);
	if (r == 0)
		r = add(sources, transport, conf, ref->registry, ref->path, settings, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(sources);
	return 0;
}

/* The transport is shared, so that each session hears of the others' transfers: twice is enough. */
int lcx__sources_dispatch(struct lcx__sources *sources, struct lcx_error **err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sources->n; i++)
		r = lcx__registry_dispatch(sources->items[i].registry, err);
	return r;
}

int64_t lcx__sources_deadline_ns(const struct lcx__sources *sources)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < sources->n; i++) {
		int64_t deadline = lcx__registry_deadline_ns(sources->items[i].registry);

		first = deadline < first ? deadline : first;
	}
	return first;
}

void lcx__sources_prefer(struct lcx__sources *sources, const struct lcx__get *get)
{
	sources->preferred = get->source;
}

static int ask(struct lcx__get *get, struct lcx_error **err)
{
	get->request = lcx__request_free(get->request);
	return lcx__request_get(get->sources->items[get->source].registry, get->path, get->accept,
				get->has_sink ? &get->sink : NULL, get->limit, &get->request, err);
}

int lcx__get_new(struct lcx__sources *sources, const char *path, const char *accept,
		 const struct lcx__sink *sink, size_t limit, struct lcx__get **ret,
		 struct lcx_error **err)
{
	CLEANUP(lcx__get_freep) struct lcx__get *get = calloc(1, sizeof(*get));
	int r;

	if (!get || !(get->path = strdup(path)))
		return lcx__fail_nomem(err);
	get->sources = sources;
	get->source = sources->preferred;
	get->accept = accept;
	get->limit = limit;
	if (sink) {
		get->has_sink = true;
		get->sink = *sink;
	}
	r = ask(get, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(get);
	return 0;
}

struct lcx__get *lcx__get_free(struct lcx__get *get)
{
	if (get) {
		(void)lcx__request_free(get->request);
		free(get->path);
		free(get);
	}
	return NULL;
}

int lcx__get_reject(struct lcx__get *get, int result, struct lcx_error **err)
{
	int r;

	if (get->source + 1 >= get->sources->n)
		return result;
	get->source++;
	if (err)
		*err = lcx_error_free(*err);
	r = ask(get, err);
	return r < 0 ? r : 1;
}

int lcx__get_result(struct lcx__get *get, struct lcx_error **err)
{
	bool elsewhere = lcx__request_blames_source(get->request);
	int r = lcx__request_result(get->request, err);

	return r < 0 && elsewhere ? lcx__get_reject(get, r, err) : r;
}

const char *lcx__get_body(const struct lcx__get *get, size_t *ret_length, const char **ret_type)
{
	return lcx__request_body(get->request, ret_length, ret_type);
}
