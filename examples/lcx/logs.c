/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "text.h"

struct logs_options {
	bool follow, timestamps;
	const char *tail, *since, *until;
};

static const struct option_row rows[] = {
	{'f', "follow", OPTION_FLAG, offsetof(struct logs_options, follow), NULL,
	 "go on until the container has ended"},
	{'n', "tail", OPTION_STRING, offsetof(struct logs_options, tail), "LINES",
	 "the last lines only; default all"},
	{'t', "timestamps", OPTION_FLAG, offsetof(struct logs_options, timestamps), NULL,
	 "print when each line was written"},
	{'\0', "since", OPTION_STRING, offsetof(struct logs_options, since), "TIME",
	 "2026-01-31T23:59:59Z, or 10m for ten minutes ago"},
	{'\0', "until", OPTION_STRING, offsetof(struct logs_options, until), "TIME",
	 "likewise; following ends when it comes"},
	{0},
};

static const struct grammar grammar = {
	.operands = "CONTAINER",
	.about = "Print what a container has written, to standard output and to standard error as "
		 "it did.",
	.rows = rows,
	.min = 1,
	.max = 1,
};

struct limits {
	int64_t tail, since_ns, until_ns; /* -1: not set */
};

static bool parse_limits(struct app *app, const struct logs_options *o, struct limits *limits)
{
	*limits = (struct limits){-1, -1, -1};
	if (o->tail && strcmp(o->tail, "all") != 0 &&
	    text_parse_int(o->tail, 0, INT64_MAX, &limits->tail) < 0)
		(void)options_usage_error(app, "'%s' is no number of lines", o->tail);
	else if (o->since && text_parse_time(o->since, &limits->since_ns) < 0)
		(void)options_usage_error(app,
					  "time '%s' is not understood; write 10m or "
					  "2026-01-31T23:59:59Z",
					  o->since);
	else if (o->until && text_parse_time(o->until, &limits->until_ns) < 0)
		(void)options_usage_error(app,
					  "time '%s' is not understood; write 10m or "
					  "2026-01-31T23:59:59Z",
					  o->until);
	else
		return true;
	return false;
}

static int open_reader(const struct lcx_container *c, const struct logs_options *o,
		       const struct limits *limits, struct lcx_log_reader **ret,
		       struct lcx_error **err)
{
	CLEANUP(freep) char *path = xprintf("%s", lcx_container_log_path(c));
	CLEANUP(freep) char *copy = xprintf("%s", path);
	CLEANUP(closep) int dir_fd = open(dirname(copy), O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dir_fd < 0)
		return -errno;
	r = lcx_log_reader_open(dir_fd, basename(path), ret, err);
	if (r == 0 && limits->tail >= 0)
		r = lcx_log_reader_set_tail(*ret, (uint64_t)limits->tail, err);
	if (r == 0 && limits->since_ns >= 0)
		r = lcx_log_reader_set_since(*ret, limits->since_ns, err);
	if (r == 0 && limits->until_ns >= 0)
		r = lcx_log_reader_set_until(*ret, limits->until_ns, err);
	if (r == 0 && o->follow)
		r = lcx_log_reader_set_follow(*ret, err);
	return r;
}

/* A line that was stored in parts has its time in front of the first one only. */
struct printer {
	bool timestamps, within_line[LCX_LOG_STREAM_STDERR + 1];
};

static void print_entry(struct printer *printer, const struct lcx_log_reader *reader)
{
	enum lcx_log_stream stream = lcx_log_reader_stream(reader);
	FILE *out = stream == LCX_LOG_STREAM_STDERR ? stderr : stdout;
	char time[TEXT_SIZE];

	if (printer->timestamps && !printer->within_line[stream]) {
		text_rfc3339(lcx_log_reader_time_ns(reader), time);
		fprintf(out, "%s ", time);
	}
	printer->within_line[stream] = lcx_log_reader_partial(reader);
	/* Both may go to one place, and the order is what it was. */
	if (out == stderr)
		fflush(stdout);
	fwrite(lcx_log_reader_text(reader), 1, lcx_log_reader_length(reader), out);
}

static int print_available(struct printer *printer, struct lcx_log_reader *reader,
			   struct lcx_error **err)
{
	int r;

	while ((r = lcx_log_reader_next(reader, err)) > 0)
		print_entry(printer, reader);
	fflush(stdout);
	return r;
}

/*
 * Not whether its process runs: who writes its log may be behind, and has all of it written only
 * when the end is told.
 */
static bool is_alive(struct lcx_container *c)
{
	return lcx_container_wait(c, 0, NULL, NULL) == -ETIMEDOUT;
}

enum { LOOK_MS = 250 }; /* how soon the end of the container is noticed */

/* With a little time for who writes its log, which has the time of the line in it. */
static bool is_past(int64_t until_ns)
{
	return until_ns >= 0 && text_now_ns() - LOOK_MS * INT64_C(1000000) > until_ns;
}

static int print_log(struct lcx_container *c, const struct logs_options *o, int64_t until_ns,
		     struct lcx_log_reader *reader, struct lcx_error **err)
{
	struct printer printer = {.timestamps = o->timestamps};
	bool alive = o->follow && !is_past(until_ns);
	int r = print_available(&printer, reader, err);

	while (r == 0 && alive && !ferror(stdout)) {
		/* Asked before the reading: what it wrote last is still printed. */
		alive = is_alive(c) && !is_past(until_ns);
		if (alive)
			r = lcx_log_reader_wait(reader, LOOK_MS, err);
		if (r >= 0)
			r = print_available(&printer, reader, err);
	}
	return r;
}

int cmd_logs(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_log_reader_freep) struct lcx_log_reader *reader = NULL;
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct logs_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	struct limits limits;
	int r;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!parse_limits(app, &o, &limits))
		return EXIT_LIBRARY_FAILED;
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	r = lcx_container_open(app->ctx, argv[0], &c, &err);
	if (r == 0 && lcx_container_log_path(c)[0] == '\0') {
		app_error(app,
			  "container '%s' keeps no log that can be read here: its log driver is "
			  "'%s', not json-file or cri",
			  argv[0], lcx_container_log_driver(c));
		return EXIT_COMMAND_FAILED;
	}
	if (r == 0)
		r = open_reader(c, &o, &limits, &reader, &err);
	if (r == -ENOENT && c && lcx_container_state(c) == LCX_CONTAINER_CREATED)
		return EXIT_SUCCESS; /* never started: nothing written */
	if (r == 0)
		r = print_log(c, &o, limits.until_ns, reader, &err);
	if (r < 0)
		app_report(app, &err);
	return r < 0 ? EXIT_COMMAND_FAILED : EXIT_SUCCESS;
}
