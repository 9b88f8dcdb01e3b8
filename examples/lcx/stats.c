/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "table.h"
#include "text.h"

struct stats_options {
	bool no_stream, no_trunc;
};

static const struct option_row rows[] = {
	{'\0', "no-stream", OPTION_FLAG, offsetof(struct stats_options, no_stream), NULL,
	 "once, also on a terminal"},
	{'\0', "no-trunc", OPTION_FLAG, offsetof(struct stats_options, no_trunc), NULL,
	 "print whole identifiers"},
	{0},
};

static const struct grammar grammar = {
	.operands = "[CONTAINER...]",
	.about =
		"Show what running containers use; on a terminal again every second, until Ctrl-C.",
	.rows = rows,
	.max = -1,
	.takes_template = true,
};

static const struct table_column columns[] = {
	{"CONTAINER ID", "ID"},
	{"NAME", "Name"},
	{"CPU %", "CPUPerc"},
	{"MEM USAGE / LIMIT", "MemUsage"},
	{"MEM %", "MemPerc"},
	{"BLOCK I/O", "BlockIO"},
	{"PIDS", "PIDs"},
	{NULL, "CPUNanoseconds"},
	{NULL, "MemoryBytes"},
	{NULL, "MemoryPeakBytes"},
	{NULL, "MemoryLimitBytes"},
	{NULL, "OOMKills"},
	{NULL, "ThrottledNanoseconds"},
	{NULL, "Figures"},
};

/* A container that is watched. */
struct watched {
	struct lcx_container *container;
	struct lcx_cgroup_stats *stats;
	int64_t cpu_ns, at_ns; /* at the reading before */
	double cpu_percent;
	bool gone;
};

struct watch_list {
	struct watched *items;
	size_t count;
};

static void watch_list_free(struct watch_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		lcx_cgroup_stats_free(list->items[i].stats);
		lcx_container_free(list->items[i].container);
	}
	free(list->items);
}

static int64_t clock_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int watch(struct app *app, struct watch_list *list, const char *name, bool must_run,
		 struct lcx_error **err)
{
	struct watched w = {0};
	int r = lcx_container_open(app->ctx, name, &w.container, err);

	if (r == 0 && !must_run && lcx_container_state(w.container) != LCX_CONTAINER_RUNNING &&
	    lcx_container_state(w.container) != LCX_CONTAINER_PAUSED) {
		lcx_container_free(w.container);
		return 0;
	}
	if (r == 0)
		r = lcx_container_stats(w.container, &w.stats, err);
	if (r < 0) {
		lcx_container_free(w.container);
		return r;
	}
	w.cpu_ns = lcx_cgroup_stats_cpu_usage_ns(w.stats);
	w.at_ns = clock_ns();
	list->items = xrealloc(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = w;
	return 0;
}

static bool watch_named(struct app *app, struct watch_list *list, int argc, char **argv)
{
	struct lcx_error *err = NULL;

	for (int i = 0; i < argc; i++) {
		if (watch(app, list, argv[i], true, &err) < 0) {
			app_report(app, &err);
			return false;
		}
	}
	return true;
}

static bool watch_running(struct app *app, struct watch_list *list)
{
	CLEANUP(lcx_container_list_freep) struct lcx_container_list *all = NULL;
	struct lcx_error *err = NULL;

	if (lcx_container_list_new(app->ctx, &all, &err) < 0) {
		app_report(app, &err);
		return false;
	}
	/* One that has ended meanwhile is no failure: it simply does not run. */
	for (uint32_t i = 0; i < lcx_container_list_count(all); i++)
		(void)watch(app, list, lcx_container_list_id(all, i), false, NULL);
	return true;
}

static void read_anew(struct watched *w)
{
	int64_t cpu_ns, now;

	w->gone = lcx_cgroup_stats_read(w->stats, NULL) < 0;
	cpu_ns = lcx_cgroup_stats_cpu_usage_ns(w->stats);
	now = clock_ns();
	w->cpu_percent = 0;
	if (cpu_ns >= w->cpu_ns && w->cpu_ns >= 0 && now > w->at_ns)
		w->cpu_percent = 100.0 * (double)(cpu_ns - w->cpu_ns) / (double)(now - w->at_ns);
	w->cpu_ns = cpu_ns;
	w->at_ns = now;
}

static int64_t host_memory_bytes(void)
{
	return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

/* "--" for what this kernel does not tell. */
static void format_size(int64_t bytes, bool binary, char out[static TEXT_SIZE])
{
	if (bytes < 0)
		(void)snprintf(out, TEXT_SIZE, "--");
	else if (binary)
		text_binary_size((double)bytes, out);
	else
		text_decimal_size((double)bytes, out);
}

static void add_pair(struct table *table, int64_t a, int64_t b, bool binary)
{
	char left[TEXT_SIZE], right[TEXT_SIZE], both[2 * TEXT_SIZE + 8];

	format_size(a, binary, left);
	format_size(b, binary, right);
	(void)snprintf(both, sizeof(both), "%s / %s", left, right);
	table_add(table, both);
}

/* All that is counted; of one that has just ended nothing. */
static void add_figures(struct table *table, struct lcx_container *container)
{
	CLEANUP(lcx_cgroup_figures_freep) struct lcx_cgroup_figures *figures = NULL;
	uint32_t n;

	(void)lcx_container_figures(container, &figures, NULL);
	n = figures ? lcx_cgroup_figures_count(figures) : 0;
	table_add_members(table);
	for (uint32_t i = 0; i < n; i++)
		table_member_number(table, lcx_cgroup_figures_name(figures, i),
				    lcx_cgroup_figures_value(figures, i));
}

static void add_row(struct table *table, const struct watched *w, bool no_trunc)
{
	const struct lcx_cgroup_stats *s = w->stats;
	int64_t memory = lcx_cgroup_stats_memory_working_set_bytes(s);
	int64_t limit = lcx_cgroup_stats_memory_limit_bytes(s), host = host_memory_bytes();
	int64_t pids = lcx_cgroup_stats_pids_current(s);
	char text[80];

	if (limit < 0 || limit > host)
		limit = host;
	text_short_id(lcx_container_id(w->container), no_trunc, text);
	table_add(table, text);
	table_add(table, lcx_container_name(w->container));
	(void)snprintf(text, sizeof(text), "%.2f%%", w->cpu_percent);
	table_add(table, text);
	add_pair(table, memory, limit, true);
	(void)snprintf(text, sizeof(text), "%.2f%%",
		       memory > 0 ? 100.0 * (double)memory / (double)limit : 0.0);
	table_add(table, text);
	add_pair(table, lcx_cgroup_stats_io_read_bytes(s), lcx_cgroup_stats_io_write_bytes(s),
		 false);
	(void)snprintf(text, sizeof(text), "%" PRId64, pids);
	table_add_number(table, pids < 0 ? "--" : text, pids);
	table_add_number(table, "", lcx_cgroup_stats_cpu_usage_ns(s));
	table_add_number(table, "", memory);
	table_add_number(table, "", lcx_cgroup_stats_memory_peak_bytes(s));
	table_add_number(table, "", limit);
	table_add_number(table, "", lcx_cgroup_stats_memory_oom_kills(s));
	table_add_number(table, "", lcx_cgroup_stats_cpu_throttled_ns(s));
	add_figures(table, w->container);
}

static int print_once(struct app *app, struct watch_list *list, const struct stats_options *o)
{
	CLEANUP(table_freep)
	struct table *table = table_new(columns, sizeof(columns) / sizeof(*columns));
	int code;

	for (size_t i = 0; i < list->count; i++) {
		read_anew(&list->items[i]);
		if (!list->items[i].gone)
			add_row(table, &list->items[i], o->no_trunc);
	}
	code = table_print(table, app);
	fflush(stdout);
	return code;
}

int cmd_stats(struct app *app, int argc, char **argv)
{
	static const struct timespec once = {0, 500 * 1000 * 1000}, pause = {1, 0};
	CLEANUP(watch_list_free) struct watch_list list = {0};
	struct stats_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	bool live;
	int code;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app) ||
	    !(argc ? watch_named(app, &list, argc, argv) : watch_running(app, &list)))
		return EXIT_COMMAND_FAILED;
	live = !o.no_stream && !app_json(app) && isatty(STDOUT_FILENO);
	/* A share of the processor is a difference between two readings. */
	if (list.count)
		(void)nanosleep(&once, NULL);
	code = print_once(app, &list, &o);
	while (live && list.count && code == EXIT_SUCCESS) {
		(void)nanosleep(&pause, NULL);
		fputs("\033[H\033[J", stdout);
		code = print_once(app, &list, &o);
	}
	return code;
}
