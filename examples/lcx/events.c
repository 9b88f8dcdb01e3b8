/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "text.h"

struct events_options {
	const char *since, *until;
	struct list filters;
};

static const struct option_row rows[] = {
	{'f', "filter", OPTION_LIST, offsetof(struct events_options, filters), "KEY=VALUE",
	 "by container (name or identifier), event, image"},
	{'\0', "since", OPTION_STRING, offsetof(struct events_options, since), "TIME",
	 "also those before: 2026-01-31T23:59:59Z, or 10m for ten minutes ago"},
	{'\0', "until", OPTION_STRING, offsetof(struct events_options, until), "TIME",
	 "end when it comes"},
	{0},
};

static const struct grammar grammar = {
	.about = "Print what happens to containers, until Ctrl-C.",
	.rows = rows,
};

/* ---- filters -------------------------------------------------------------- */

static bool is_container(const struct lcx_event *event, const char *wanted)
{
	return strcmp(lcx_event_container_name(event), wanted) == 0 ||
	       (wanted[0] && strncmp(lcx_event_container_id(event), wanted, strlen(wanted)) == 0);
}

static bool is_event(const struct lcx_event *event, const char *wanted)
{
	return strcmp(lcx_event_type(event), wanted) == 0;
}

/* Those of lcx/event.h. */
static const char *const types[] = {
	"created", "started",  "exec",        "exited",   "oom",
	"paused",  "unpaused", "renamed",     "updated",  "checkpointed",
	"removed", "health",   "log-rotated", "log-lost", "warning",
};

static bool is_type(const char *text)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(types[i], text) == 0)
			return true;
	return false;
}

static bool is_image(const struct lcx_event *event, const char *wanted)
{
	return strcmp(lcx_event_image(event), wanted) == 0;
}

static const struct filter {
	const char *key;
	bool (*fits)(const struct lcx_event *event, const char *wanted);
} filters[] = {
	{"container=", is_container},
	{"event=", is_event},
	{"image=", is_image},
};

static const struct filter *find_filter(const char *text)
{
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++)
		if (strncmp(text, filters[i].key, strlen(filters[i].key)) == 0)
			return &filters[i];
	return NULL;
}

/* As Docker: those of one key are alternatives, and each key must fit. */
static bool is_wanted(const struct lcx_event *event, const struct list *list)
{
	for (size_t k = 0; k < sizeof(filters) / sizeof(*filters); k++) {
		bool asked = false, fits = false;

		for (size_t i = 0; i < list->count; i++) {
			if (find_filter(list->items[i]) != &filters[k])
				continue;
			asked = true;
			fits |= filters[k].fits(event, list->items[i] + strlen(filters[k].key));
		}
		if (asked && !fits)
			return false;
	}
	return true;
}

/* ---- printing ------------------------------------------------------------- */

static void print_json_text(const char *key, const char *text)
{
	printf(",\"%s\":\"", key);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			printf("\\u%04x", *text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void print_as_json(const struct lcx_event *event)
{
	printf("{\"TimeNano\":%" PRId64, lcx_event_time_ns(event));
	print_json_text("Type", "container");
	print_json_text("Action", lcx_event_type(event));
	print_json_text("ID", lcx_event_container_id(event));
	print_json_text("Name", lcx_event_container_name(event));
	print_json_text("Image", lcx_event_image(event));
	print_json_text("Detail", lcx_event_detail(event));
	if (lcx_event_exit_status(event) != LCX_EXIT_UNKNOWN)
		printf(",\"ExitCode\":%" PRId32, lcx_event_exit_status(event));
	puts("}");
}

static void print_attribute(const char **separator, const char *key, const char *value)
{
	if (!value[0])
		return;
	printf("%s%s=", *separator, key);
	text_print_safe(stdout, value);
	*separator = ", ";
}

static void print_event(const struct app *app, const struct lcx_event *event)
{
	char time[TEXT_SIZE], code[16] = "";
	const char *separator = "";

	if (app_json(app)) {
		print_as_json(event);
		return;
	}
	text_rfc3339(lcx_event_time_ns(event), time);
	printf("%s container %s %s (", time, lcx_event_type(event), lcx_event_container_id(event));
	if (strcmp(lcx_event_type(event), "exited") == 0)
		(void)snprintf(code, sizeof(code), "%" PRId32, lcx_event_exit_status(event));
	print_attribute(&separator, "detail", lcx_event_detail(event));
	print_attribute(&separator, "exitCode", strcmp(code, "-1") == 0 ? "unknown" : code);
	print_attribute(&separator, "image", lcx_event_image(event));
	print_attribute(&separator, "name", lcx_event_container_name(event));
	puts(")");
}

/* ---- the loop ------------------------------------------------------------- */

/* Return: 1 to go on, 0 when @until_ns has come, a negative errno. */
static int print_available(struct app *app, const struct list *wanted, int64_t until_ns,
			   struct lcx_error **err)
{
	const struct lcx_event *event;
	int r = lcx_dispatch(app->ctx, err);

	while (r == 0 && (r = lcx_event_next(app->ctx, &event, err)) > 0) {
		if (lcx_event_time_ns(event) > until_ns)
			return 0;
		if (is_wanted(event, wanted))
			print_event(app, event);
		r = 0;
	}
	fflush(stdout);
	return r < 0 ? r : text_now_ns() <= until_ns && !ferror(stdout);
}

static int watch(struct app *app, const struct list *wanted, int64_t until_ns,
		 struct lcx_error **err)
{
	struct pollfd pfd = {.fd = lcx_ctx_fd(app->ctx, err), .events = POLLIN};
	int r = pfd.fd < 0 ? pfd.fd : 1;

	while (r > 0) {
		int64_t left_ms = (until_ns - text_now_ns()) / 1000000 + 1;
		int timeout = until_ns == INT64_MAX ? -1 : left_ms > 60000 ? 60000 : (int)left_ms;

		r = print_available(app, wanted, until_ns, err);
		if (r > 0 && poll(&pfd, 1, timeout < -1 ? 0 : timeout) < 0 && errno != EINTR)
			return -errno;
	}
	return r;
}

static bool parse_time(struct app *app, const char *option, const char *text, int64_t *time)
{
	if (!text || text_parse_time(text, time) == 0)
		return true;
	(void)options_usage_error(app,
				  "time '%s' is not understood; write 10m or 2026-01-31T23:59:59Z, "
				  "as %s",
				  text, option);
	return false;
}

static bool refuse_type(struct app *app, const char *text)
{
	char there[256] = "";

	for (size_t i = 0, n = 0; i < sizeof(types) / sizeof(*types) && n < sizeof(there); i++)
		n += (size_t)snprintf(there + n, sizeof(there) - n, "%s%s", i ? ", " : "",
				      types[i]);
	(void)options_usage_error(app, "event '%s' is unknown; there are %s", text, there);
	return false;
}

static bool parse(struct app *app, const struct events_options *o, int64_t *since, int64_t *until)
{
	for (size_t i = 0; i < o->filters.count; i++) {
		const struct filter *filter = find_filter(o->filters.items[i]);

		if (filter && (filter->fits != is_event ||
			       is_type(o->filters.items[i] + strlen(filter->key))))
			continue;
		if (filter)
			return refuse_type(app, o->filters.items[i] + strlen(filter->key));
		(void)options_usage_error(app,
					  "filter '%s' is unknown; there are container=, event= "
					  "and image=",
					  o->filters.items[i]);
		return false;
	}
	return parse_time(app, "--since", o->since, since) &&
	       parse_time(app, "--until", o->until, until);
}

static void events_options_free(struct events_options *o)
{
	list_free(&o->filters);
}

int cmd_events(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(events_options_free) struct events_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int64_t since = 0, until = INT64_MAX;
	int r = 0;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!parse(app, &o, &since, &until))
		return EXIT_LIBRARY_FAILED;
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	if (o.since)
		r = lcx_ctx_set_events_since(app->ctx, since, &err);
	if (r == 0)
		r = watch(app, &o.filters, until, &err);
	if (r < 0)
		app_report(app, &err);
	return r < 0 ? EXIT_COMMAND_FAILED : EXIT_SUCCESS;
}
