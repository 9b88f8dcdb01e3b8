/* SPDX-License-Identifier: MIT */

/*
 * All that a cgroup's files tell, as a list of names and numbers. What stats.c reads by itself
 * comes first, under the names of its getters; then the table below, whose files hold one number,
 * or a number for each key, processor, disk or size of page.
 */

#include "cgroup/cgroup-internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/fs.h"
#include "util/str.h"

struct lcx_cgroup_figures {
	char **names;
	int64_t *values;
	size_t n, size;
};

enum { FILE_LIMIT = 4 << 20 };

/* ---- the list ----------------------------------------------------------- */

static int grow(struct lcx_cgroup_figures *f)
{
	size_t size = f->size ? f->size * 2 : 128;
	char **names = realloc(f->names, size * sizeof(*names));
	int64_t *values;

	if (!names)
		return -ENOMEM;
	f->names = names;
	values = realloc(f->values, size * sizeof(*values));
	if (!values)
		return -ENOMEM;
	f->values = values;
	f->size = size;
	return 0;
}

/* @name is taken; NULL: there was no memory for it. */
static int add(struct lcx_cgroup_figures *f, char *name, int64_t value)
{
	if (!name || (f->n == f->size && grow(f) < 0)) {
		free(name);
		return -ENOMEM;
	}
	f->names[f->n] = name;
	f->values[f->n++] = value;
	return 0;
}

/* ---- shapes of files ---------------------------------------------------- */

typedef int add_fn(struct lcx_cgroup_figures *f, const char *name, char *text);

static int add_number(struct lcx_cgroup_figures *f, const char *name, char *text)
{
	int64_t value = lcx__cgroup_number(text);

	return value < 0 ? 0 : add(f, strdup(name), value);
}

/* Lines of "key number"; a key that is no word is none. */
static int add_keyed(struct lcx_cgroup_figures *f, const char *name, char *text)
{
	char *line;
	int r = 0;

	while (r == 0 && (line = strsep(&text, "\n"))) {
		char *key = strsep(&line, " ");
		int64_t value = line ? lcx__cgroup_number(line) : -1;

		if (value >= 0 && *key)
			r = add(f, lcx__format("%s.%s", name, key), value);
	}
	return r;
}

/* One number for each processor. */
static int add_processors(struct lcx_cgroup_figures *f, const char *name, char *text)
{
	unsigned int cpu = 0;
	char *word;
	int r = 0;

	while (r == 0 && (word = strsep(&text, " \n")))
		if (*word)
			r = add(f, lcx__format("cpu.%u.%s", cpu++, name), lcx__cgroup_number(word));
	return r;
}

/* Lines of "processor user system", below a heading. */
static int add_processor_lines(struct lcx_cgroup_figures *f, const char *name, char *text)
{
	char *line;
	int r = 0;

	(void)name;
	while (r == 0 && (line = strsep(&text, "\n"))) {
		unsigned int cpu;
		long long user, system;

		if (sscanf(line, "%u %lld %lld", &cpu, &user, &system) != 3)
			continue;
		r = add(f, lcx__format("cpu.%u.user_ns", cpu), user);
		if (r == 0)
			r = add(f, lcx__format("cpu.%u.system_ns", cpu), system);
	}
	return r;
}

/* "0-3,7" */
static int add_members(struct lcx_cgroup_figures *f, const char *name, char *text)
{
	char *part;
	int r = 0;

	while ((part = strsep(&text, ",\n"))) {
		unsigned int first, last;
		int found = sscanf(part, "%u-%u", &first, &last);

		if (found < 1)
			continue;
		for (last = found < 2 ? first : last; r == 0 && first <= last; first++)
			r = add(f, lcx__format("%s.%u", name, first), 1);
	}
	return r;
}

static bool is_device(const char *word)
{
	return word && isdigit((unsigned char)*word) && strchr(word, ':');
}

/* Version 1: lines of "MAJOR:MINOR Operation number"; @name is what is counted. */
static int add_operations(struct lcx_cgroup_figures *f, const char *name, char *text)
{
	char *line;
	int r = 0;

	while (r == 0 && (line = strsep(&text, "\n"))) {
		char *device = strsep(&line, " "), *operation = strsep(&line, " ");

		if (!is_device(device) || !operation || !line)
			continue;
		*operation = (char)tolower((unsigned char)*operation);
		r = add(f, lcx__format("io.%s.%s_%s", device, operation, name),
			lcx__cgroup_number(line));
	}
	return r;
}

static const struct {
	const char *key, *name;
} io_keys[] = {
	{"rbytes", "read_bytes"}, {"wbytes", "write_bytes"},   {"rios", "read_ops"},
	{"wios", "write_ops"},    {"dbytes", "discard_bytes"}, {"dios", "discard_ops"},
};

static int add_io_key(struct lcx_cgroup_figures *f, const char *device, char *pair)
{
	char *key = strsep(&pair, "=");

	for (size_t i = 0; pair && i < ARRAY_SIZE(io_keys); i++)
		if (strcmp(io_keys[i].key, key) == 0)
			return add(f, lcx__format("io.%s.%s", device, io_keys[i].name),
				   lcx__cgroup_number(pair));
	return 0;
}

/* Version 2: lines of "MAJOR:MINOR key=number key=number...". */
static int add_disks(struct lcx_cgroup_figures *f, const char *name, char *text)
{
	char *line, *pair;
	int r = 0;

	(void)name;
	while (r == 0 && (line = strsep(&text, "\n"))) {
		char *device = strsep(&line, " ");

		while (r == 0 && is_device(device) && (pair = strsep(&line, " ")))
			r = add_io_key(f, device, pair);
	}
	return r;
}

/* ---- which file holds what ---------------------------------------------- */

static const struct row {
	bool v2;
	enum controller controller;
	const char *file;
	add_fn *add;
	const char *name;
} rows[] = {
	{false, CONTROLLER_CPUACCT, "cpuacct.usage_percpu", add_processors, "usage_ns"},
	{false, CONTROLLER_CPUACCT, "cpuacct.usage_all", add_processor_lines, NULL},

	{false, CONTROLLER_CPUSET, "cpuset.cpus", add_members, "cpuset.cpu"},
	{false, CONTROLLER_CPUSET, "cpuset.mems", add_members, "cpuset.node"},
	{true, CONTROLLER_CPUSET, "cpuset.cpus.effective", add_members, "cpuset.cpu"},
	{true, CONTROLLER_CPUSET, "cpuset.mems.effective", add_members, "cpuset.node"},
	{false, CONTROLLER_CPUSET, "cpuset.cpu_exclusive", add_number, "cpuset.cpu_exclusive"},
	{false, CONTROLLER_CPUSET, "cpuset.mem_exclusive", add_number, "cpuset.mem_exclusive"},
	{false, CONTROLLER_CPUSET, "cpuset.mem_hardwall", add_number, "cpuset.mem_hardwall"},
	{false, CONTROLLER_CPUSET, "cpuset.memory_migrate", add_number, "cpuset.memory_migrate"},
	{false, CONTROLLER_CPUSET, "cpuset.memory_pressure", add_number, "cpuset.memory_pressure"},
	{false, CONTROLLER_CPUSET, "cpuset.memory_spread_page", add_number,
	 "cpuset.memory_spread_page"},
	{false, CONTROLLER_CPUSET, "cpuset.memory_spread_slab", add_number,
	 "cpuset.memory_spread_slab"},
	{false, CONTROLLER_CPUSET, "cpuset.sched_load_balance", add_number,
	 "cpuset.sched_load_balance"},
	{false, CONTROLLER_CPUSET, "cpuset.sched_relax_domain_level", add_number,
	 "cpuset.sched_relax_domain_level"},

	{false, CONTROLLER_MEMORY, "memory.failcnt", add_number, "memory.failures"},
	{false, CONTROLLER_MEMORY, "memory.memsw.usage_in_bytes", add_number,
	 "memory_and_swap.usage_bytes"},
	{false, CONTROLLER_MEMORY, "memory.memsw.max_usage_in_bytes", add_number,
	 "memory_and_swap.peak_bytes"},
	{false, CONTROLLER_MEMORY, "memory.memsw.limit_in_bytes", add_number,
	 "memory_and_swap.limit_bytes"},
	{false, CONTROLLER_MEMORY, "memory.memsw.failcnt", add_number, "memory_and_swap.failures"},
	{false, CONTROLLER_MEMORY, "memory.kmem.max_usage_in_bytes", add_number,
	 "memory.kernel.peak_bytes"},
	{false, CONTROLLER_MEMORY, "memory.kmem.limit_in_bytes", add_number,
	 "memory.kernel.limit_bytes"},
	{false, CONTROLLER_MEMORY, "memory.kmem.failcnt", add_number, "memory.kernel.failures"},
	{false, CONTROLLER_MEMORY, "memory.kmem.tcp.usage_in_bytes", add_number,
	 "memory.kernel_tcp.usage_bytes"},
	{false, CONTROLLER_MEMORY, "memory.kmem.tcp.max_usage_in_bytes", add_number,
	 "memory.kernel_tcp.peak_bytes"},
	{false, CONTROLLER_MEMORY, "memory.kmem.tcp.limit_in_bytes", add_number,
	 "memory.kernel_tcp.limit_bytes"},
	{false, CONTROLLER_MEMORY, "memory.kmem.tcp.failcnt", add_number,
	 "memory.kernel_tcp.failures"},
	{true, CONTROLLER_MEMORY, "memory.swap.peak", add_number, "swap.peak_bytes"},
	{true, CONTROLLER_MEMORY, "memory.events", add_keyed, "memory.events"},
	{true, CONTROLLER_MEMORY, "memory.swap.events", add_keyed, "swap.events"},
	{false, CONTROLLER_MEMORY, "memory.stat", add_keyed, "memory.stat"},
	{true, CONTROLLER_MEMORY, "memory.stat", add_keyed, "memory.stat"},

	{true, CONTROLLER_PIDS, "pids.peak", add_number, "pids.peak"},
	{true, CONTROLLER_PIDS, "pids.events", add_keyed, "pids.events"},
	{false, CONTROLLER_PIDS, "pids.peak", add_number, "pids.peak"},
	{false, CONTROLLER_PIDS, "pids.events", add_keyed, "pids.events"},

	{true, CONTROLLER_IO, "io.stat", add_disks, NULL},
	{false, CONTROLLER_IO, "blkio.throttle.io_service_bytes_recursive", add_operations,
	 "bytes"},
	{false, CONTROLLER_IO, "blkio.throttle.io_serviced_recursive", add_operations, "ops"},
};

/* Of each size of page: "hugetlb.2MB." and one of these. */
static const struct row page_rows[] = {
	{false, CONTROLLER_HUGETLB, "usage_in_bytes", add_number, "usage_bytes"},
	{false, CONTROLLER_HUGETLB, "max_usage_in_bytes", add_number, "peak_bytes"},
	{false, CONTROLLER_HUGETLB, "limit_in_bytes", add_number, "limit_bytes"},
	{false, CONTROLLER_HUGETLB, "failcnt", add_number, "failures"},
	{true, CONTROLLER_HUGETLB, "current", add_number, "usage_bytes"},
	{true, CONTROLLER_HUGETLB, "max", add_number, "limit_bytes"},
	{true, CONTROLLER_HUGETLB, "events", add_keyed, "events"},
};

/* ---- reading ------------------------------------------------------------ */

/* The directory of a row's controller, or -1: not in use, or of the other version. */
static int dir_of(const struct lcx_cgroup *cg, const struct row *row)
{
	int index = cg->layout->controller[row->controller];

	return index < 0 || lcx__cgroup_is_v2(cg, index) != row->v2 ? -1 : cg->dir_fd[index];
}

/* What this kernel has not got is left out. */
static int read_row(struct lcx_cgroup_figures *f, int dir_fd, const char *file,
		    const struct row *row, const char *name)
{
	CLEANUP(freep) char *text = NULL;
	int r = lcx__read_file(dir_fd, file, FILE_LIMIT, &text, NULL);

	if (r == -ENOENT || r == -EOPNOTSUPP)
		return 0;
	return r < 0 ? r : row->add(f, name, text);
}

static int read_pages(struct lcx_cgroup_figures *f, int dir_fd, bool v2, const char *size)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(page_rows); i++) {
		CLEANUP(freep)
		char *file = lcx__format("hugetlb.%s.%s", size, page_rows[i].file);
		CLEANUP(freep)
		char *name = lcx__format("hugetlb.%s.%s", size, page_rows[i].name);

		if (page_rows[i].v2 != v2)
			continue;
		r = file && name ? read_row(f, dir_fd, file, &page_rows[i], name) : -ENOMEM;
	}
	return r;
}

/* The sizes are those that there are files for. */
static int read_huge_pages(struct lcx_cgroup_figures *f, const struct lcx_cgroup *cg)
{
	int index = cg->layout->controller[CONTROLLER_HUGETLB];
	bool v2 = index >= 0 && lcx__cgroup_is_v2(cg, index);
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = 0;

	if (index < 0 || cg->dir_fd[index] < 0)
		return 0;
	dir = lcx__cgroup_dir_iterate(cg->dir_fd[index]);
	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		char size[16], rest[32];

		if (sscanf(entry->d_name, "hugetlb.%15[0-9KMGB].%31s", size, rest) == 2 &&
		    strcmp(rest, v2 ? "current" : "usage_in_bytes") == 0)
			r = read_pages(f, cg->dir_fd[index], v2, size);
	}
	return r;
}

static int read_rows(struct lcx_cgroup_figures *f, const struct lcx_cgroup *cg)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rows); i++) {
		int dir_fd = dir_of(cg, &rows[i]);

		if (dir_fd >= 0)
			r = read_row(f, dir_fd, rows[i].file, &rows[i], rows[i].name);
	}
	return r == 0 ? read_huge_pages(f, cg) : r;
}

static const struct {
	const char *name;
	int64_t (*get)(const struct lcx_cgroup_stats *stats);
} plain[] = {
	{"cpu.usage_ns", lcx_cgroup_stats_cpu_usage_ns},
	{"cpu.user_ns", lcx_cgroup_stats_cpu_user_ns},
	{"cpu.system_ns", lcx_cgroup_stats_cpu_system_ns},
	{"cpu.periods", lcx_cgroup_stats_cpu_periods},
	{"cpu.throttled_periods", lcx_cgroup_stats_cpu_throttled_periods},
	{"cpu.throttled_ns", lcx_cgroup_stats_cpu_throttled_ns},
	{"memory.usage_bytes", lcx_cgroup_stats_memory_usage_bytes},
	{"memory.peak_bytes", lcx_cgroup_stats_memory_peak_bytes},
	{"memory.limit_bytes", lcx_cgroup_stats_memory_limit_bytes},
	{"memory.working_set_bytes", lcx_cgroup_stats_memory_working_set_bytes},
	{"memory.anon_bytes", lcx_cgroup_stats_memory_anon_bytes},
	{"memory.file_bytes", lcx_cgroup_stats_memory_file_bytes},
	{"memory.kernel.usage_bytes", lcx_cgroup_stats_memory_kernel_bytes},
	{"memory.oom_kills", lcx_cgroup_stats_memory_oom_kills},
	{"swap.usage_bytes", lcx_cgroup_stats_swap_usage_bytes},
	{"swap.limit_bytes", lcx_cgroup_stats_swap_limit_bytes},
	{"pids.current", lcx_cgroup_stats_pids_current},
	{"pids.limit", lcx_cgroup_stats_pids_limit},
	{"io.read_bytes", lcx_cgroup_stats_io_read_bytes},
	{"io.write_bytes", lcx_cgroup_stats_io_write_bytes},
	{"io.read_ops", lcx_cgroup_stats_io_read_ops},
	{"io.write_ops", lcx_cgroup_stats_io_write_ops},
};

static const char *const stalled[][2] = {
	{"stalled.cpu.some_ns", "stalled.cpu.full_ns"},
	{"stalled.memory.some_ns", "stalled.memory.full_ns"},
	{"stalled.io.some_ns", "stalled.io.full_ns"},
};

static int add_plain(struct lcx_cgroup_figures *f, const struct lcx_cgroup_stats *stats)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(plain); i++) {
		int64_t value = plain[i].get(stats);

		if (value >= 0)
			r = add(f, strdup(plain[i].name), value);
	}
	for (int i = 0; r == 0 && i < 2 * (int)ARRAY_SIZE(stalled); i++) {
		int64_t value = lcx_cgroup_stats_stalled_ns(stats, i / 2, i % 2);

		if (value >= 0)
			r = add(f, strdup(stalled[i / 2][i % 2]), value);
	}
	return r;
}

LCX_PUBLIC int lcx_cgroup_figures_new(struct lcx_cgroup *cg, struct lcx_cgroup_figures **ret,
				      struct lcx_error **err)
{
	CLEANUP(lcx_cgroup_figures_freep) struct lcx_cgroup_figures *f = NULL;
	CLEANUP(lcx_cgroup_stats_freep) struct lcx_cgroup_stats *stats = NULL;
	int r = lcx_cgroup_stats_new(cg, &stats, err);

	if (r < 0)
		return r;
	f = calloc(1, sizeof(*f));
	r = f ? add_plain(f, stats) : -ENOMEM;
	if (r == 0)
		r = read_rows(f, cg);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read the figures of cgroup '%s'", cg->path);
	*ret = TAKE_PTR(f);
	return 0;
}

LCX_PUBLIC struct lcx_cgroup_figures *lcx_cgroup_figures_free(struct lcx_cgroup_figures *f)
{
	if (!f)
		return NULL;
	for (size_t i = 0; i < f->n; i++)
		free(f->names[i]);
	free((void *)f->names);
	free(f->values);
	free(f);
	return NULL;
}

LCX_PUBLIC uint32_t lcx_cgroup_figures_count(const struct lcx_cgroup_figures *f)
{
	return (uint32_t)f->n;
}

LCX_PUBLIC const char *lcx_cgroup_figures_name(const struct lcx_cgroup_figures *f, uint32_t index)
{
	return index < f->n ? f->names[index] : NULL;
}

LCX_PUBLIC int64_t lcx_cgroup_figures_value(const struct lcx_cgroup_figures *f, uint32_t index)
{
	return index < f->n ? f->values[index] : -1;
}

LCX_PUBLIC int64_t lcx_cgroup_figures_get(const struct lcx_cgroup_figures *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->names[i], name) == 0)
			return f->values[i];
	return -1;
}
