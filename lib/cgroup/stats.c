/* SPDX-License-Identifier: MIT */

/*
 * Figures. One table tells which file holds which, in which shape; a reading is one
 * pread(2) of each file that is there. Later rows override earlier ones: cpu.stat of
 * the unified hierarchy is always there, cpuacct of version 1 is more exact.
 */

#include "cgroup/cgroup-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "util/str.h"

enum figure {
	FIGURE_CPU_USAGE_NS,
	FIGURE_CPU_USER_NS,
	FIGURE_CPU_SYSTEM_NS,
	FIGURE_CPU_PERIODS,
	FIGURE_CPU_THROTTLED_PERIODS,
	FIGURE_CPU_THROTTLED_NS,
	FIGURE_MEMORY_USAGE_BYTES,
	FIGURE_MEMORY_PEAK_BYTES,
	FIGURE_MEMORY_LIMIT_BYTES,
	FIGURE_MEMORY_WORKING_SET_BYTES,
	FIGURE_MEMORY_ANON_BYTES,
	FIGURE_MEMORY_FILE_BYTES,
	FIGURE_MEMORY_INACTIVE_FILE_BYTES,
	FIGURE_MEMORY_KERNEL_BYTES,
	FIGURE_MEMORY_PAGE_FAULTS,
	FIGURE_MEMORY_MAJOR_FAULTS,
	FIGURE_MEMORY_OOM_KILLS,
	FIGURE_SWAP_USAGE_BYTES,
	FIGURE_SWAP_LIMIT_BYTES,
	FIGURE_MEMSW_LIMIT_BYTES, /* version 1: memory and swap */
	FIGURE_PIDS_CURRENT,
	FIGURE_PIDS_LIMIT,
	FIGURE_IO_READ_BYTES,
	FIGURE_IO_WRITE_BYTES,
	FIGURE_IO_READ_OPS,
	FIGURE_IO_WRITE_OPS,
	FIGURE_STALLED_CPU_SOME_NS, /* "full" follows "some" for each resource, as in the enum */
	FIGURE_STALLED_CPU_FULL_NS,
	FIGURE_STALLED_MEMORY_SOME_NS,
	FIGURE_STALLED_MEMORY_FULL_NS,
	FIGURE_STALLED_IO_SOME_NS,
	FIGURE_STALLED_IO_FULL_NS,
	FIGURES,
};

enum shape {
	SHAPE_NUMBER,   /* "4096" or "max" */
	SHAPE_KEYED,    /* lines of "key number" */
	SHAPE_SUM,      /* the key stands before a number, any number of times */
	SHAPE_PRESSURE, /* the line of the key ends with "total=number" */
};

enum { VALUES_MAX = 6, MICRO = 1000 };

static const struct source {
	bool v2;
	enum controller controller;
	const char *file;
	enum shape shape;
	struct {
		const char *key; /* NULL ends the list, but for SHAPE_NUMBER */
		enum figure figure;
		int64_t scale;
	} values[VALUES_MAX];
} sources[] = {
	{true,
	 CONTROLLER_CPUACCT,
	 "cpu.stat",
	 SHAPE_KEYED,
	 {{"usage_usec", FIGURE_CPU_USAGE_NS, MICRO},
	  {"user_usec", FIGURE_CPU_USER_NS, MICRO},
	  {"system_usec", FIGURE_CPU_SYSTEM_NS, MICRO},
	  {"nr_periods", FIGURE_CPU_PERIODS, 1},
	  {"nr_throttled", FIGURE_CPU_THROTTLED_PERIODS, 1},
	  {"throttled_usec", FIGURE_CPU_THROTTLED_NS, MICRO}}},
	{false,
	 CONTROLLER_CPU,
	 "cpu.stat",
	 SHAPE_KEYED,
	 {{"nr_periods", FIGURE_CPU_PERIODS, 1},
	  {"nr_throttled", FIGURE_CPU_THROTTLED_PERIODS, 1},
	  {"throttled_time", FIGURE_CPU_THROTTLED_NS, 1}}},
	{false,
	 CONTROLLER_CPUACCT,
	 "cpuacct.usage",
	 SHAPE_NUMBER,
	 {{NULL, FIGURE_CPU_USAGE_NS, 1}}},
	{false,
	 CONTROLLER_CPUACCT,
	 "cpuacct.usage_user",
	 SHAPE_NUMBER,
	 {{NULL, FIGURE_CPU_USER_NS, 1}}},
	{false,
	 CONTROLLER_CPUACCT,
	 "cpuacct.usage_sys",
	 SHAPE_NUMBER,
	 {{NULL, FIGURE_CPU_SYSTEM_NS, 1}}},

	{true,
	 CONTROLLER_MEMORY,
	 "memory.current",
	 SHAPE_NUMBER,
	 {{NULL, FIGURE_MEMORY_USAGE_BYTES, 1}}},
	{true,
	 CONTROLLER_MEMORY,
	 "memory.peak",
	 SHAPE_NUMBER,
	 {{NULL, FIGURE_MEMORY_PEAK_BYTES, 1}}},
	{true,
	 CONTROLLER_MEMORY,
	 "memory.max",
	 SHAPE_NUMBER,
	 {{NULL, FIGURE_MEMORY_LIMIT_BYTES, 1}}},
	{true,
	 CONTROLLER_MEMORY,
	 "memory.stat",
	 SHAPE_KEYED,
	 {{"anon", FIGURE_MEMORY_ANON_BYTES, 1},
	  {"file", FIGURE_MEMORY_FILE_BYTES, 1},
	  {"inactive_file", FIGURE_MEMORY_INACTIVE_FILE_BYTES, 1},
	  {"kernel", FIGURE_MEMORY_KERNEL_BYTES, 1},
	  {"pgfault", FIGURE_MEMORY_PAGE_FAULTS, 1},
	  {"pgmajfault", FIGURE_MEMORY_MAJOR_FAULTS, 1}}},
	{true,
	 CONTROLLER_MEMORY,
	 "memory.events",
	 SHAPE_KEYED,
	 {{"oom_kill", FIGURE_MEMORY_OOM_KILLS, 1}}},
	{true,
	 CONTROLLER_MEMORY,
	 "memory.swap.current",
	 SHAPE_NUMBER,
	 {{NULL, FIGURE_SWAP_USAGE_BYTES, 1}}},
	{true,
	 CONTROLLER_MEMORY,
	 "memory.swap.max",
	 SHAPE_NUMBER,
	 {{NULL, FIGURE_SWAP_LIMIT_BYTES, 1}}},
	{false,
	 CONTROLLER_MEMORY,
	 "memory.usage_in_bytes",
	 SHAPE_NUMBER,
	 {{NULL, FIGURE_MEMORY_USAGE_BYTES, 1}}},
	{false,
	 CONTROLLER_MEMORY,
	 "memory.max_usage_in_bytes",
	 SHAPE_NUMBER,
	 {{NULL, FIGURE_MEMORY_PEAK_BYTES, 1}}},
	{false,
	 CONTROLLER_MEMORY,
	 "memory.limit_in_bytes",
	 SHAPE_NUMBER,
	 {{NULL, FIGURE_MEMORY_LIMIT_BYTES, 1}}},
	{false,
	 CONTROLLER_MEMORY,
	 "memory.memsw.limit_in_bytes",
	 SHAPE_NUMBER,
	 {{NULL, FIGURE_MEMSW_LIMIT_BYTES, 1}}},
	{false,
	 CONTROLLER_MEMORY,
	 "memory.stat",
	 SHAPE_KEYED,
	 {{"total_rss", FIGURE_MEMORY_ANON_BYTES, 1},
	  {"total_cache", FIGURE_MEMORY_FILE_BYTES, 1},
	  {"total_inactive_file", FIGURE_MEMORY_INACTIVE_FILE_BYTES, 1},
	  {"total_swap", FIGURE_SWAP_USAGE_BYTES, 1},
	  {"total_pgfault", FIGURE_MEMORY_PAGE_FAULTS, 1},
	  {"total_pgmajfault", FIGURE_MEMORY_MAJOR_FAULTS, 1}}},
	{false,
	 CONTROLLER_MEMORY,
	 "memory.kmem.usage_in_bytes",
	 SHAPE_NUMBER,
	 {{NULL, FIGURE_MEMORY_KERNEL_BYTES, 1}}},
	{false,
	 CONTROLLER_MEMORY,
	 "memory.oom_control",
	 SHAPE_KEYED,
	 {{"oom_kill", FIGURE_MEMORY_OOM_KILLS, 1}}},

	{true, CONTROLLER_PIDS, "pids.current", SHAPE_NUMBER, {{NULL, FIGURE_PIDS_CURRENT, 1}}},
	{true, CONTROLLER_PIDS, "pids.max", SHAPE_NUMBER, {{NULL, FIGURE_PIDS_LIMIT, 1}}},
	{false, CONTROLLER_PIDS, "pids.current", SHAPE_NUMBER, {{NULL, FIGURE_PIDS_CURRENT, 1}}},
	{false, CONTROLLER_PIDS, "pids.max", SHAPE_NUMBER, {{NULL, FIGURE_PIDS_LIMIT, 1}}},

	{true,
	 CONTROLLER_IO,
	 "io.stat",
	 SHAPE_SUM,
	 {{" rbytes=", FIGURE_IO_READ_BYTES, 1},
	  {" wbytes=", FIGURE_IO_WRITE_BYTES, 1},
	  {" rios=", FIGURE_IO_READ_OPS, 1},
	  {" wios=", FIGURE_IO_WRITE_OPS, 1}}},
	{false,
	 CONTROLLER_IO,
	 "blkio.throttle.io_service_bytes_recursive",
	 SHAPE_SUM,
	 {{" Read ", FIGURE_IO_READ_BYTES, 1}, {" Write ", FIGURE_IO_WRITE_BYTES, 1}}},
	{false,
	 CONTROLLER_IO,
	 "blkio.throttle.io_serviced_recursive",
	 SHAPE_SUM,
	 {{" Read ", FIGURE_IO_READ_OPS, 1}, {" Write ", FIGURE_IO_WRITE_OPS, 1}}},

	{true,
	 CONTROLLER_CPUACCT,
	 "cpu.pressure",
	 SHAPE_PRESSURE,
	 {{"some", FIGURE_STALLED_CPU_SOME_NS, MICRO},
	  {"full", FIGURE_STALLED_CPU_FULL_NS, MICRO}}},
	{true,
	 CONTROLLER_CPUACCT,
	 "memory.pressure",
	 SHAPE_PRESSURE,
	 {{"some", FIGURE_STALLED_MEMORY_SOME_NS, MICRO},
	  {"full", FIGURE_STALLED_MEMORY_FULL_NS, MICRO}}},
	{true,
	 CONTROLLER_CPUACCT,
	 "io.pressure",
	 SHAPE_PRESSURE,
	 {{"some", FIGURE_STALLED_IO_SOME_NS, MICRO}, {"full", FIGURE_STALLED_IO_FULL_NS, MICRO}}},
};

struct lcx_cgroup_stats {
	int fd[ARRAY_SIZE(sources)];
	int64_t value[FIGURES];
	char *buffer;
	size_t size;
};

/* --- shapes --- */

/* Digits at @text, or -1; more than fits is as good as unlimited. */
int64_t lcx__cgroup_number(const char *text)
{
	const unsigned long long v1_unlimited = INT64_MAX - 65535;
	unsigned long long value;
	char *end;

	if (strncmp(text, "max", 3) == 0)
		return INT64_MAX;
	if (*text < '0' || *text > '9')
		return -1;
	value = strtoull(text, &end, 10);
	return value >= v1_unlimited ? INT64_MAX : (int64_t)value;
}

static int64_t sum_after(const char *text, const char *key)
{
	int64_t sum = 0;

	while ((text = strstr(text, key))) {
		int64_t value;

		text += strlen(key);
		value = lcx__cgroup_number(text);
		if (value < 0 || __builtin_add_overflow(sum, value, &sum))
			return -1;
	}
	return sum;
}

static int64_t pressure_total(const char *text, const char *key)
{
	while (text && *text) {
		size_t length = strcspn(text, "\n");
		const char *total = strstr(text, "total=");

		if (strncmp(text, key, strlen(key)) == 0 && total && total < text + length)
			return lcx__cgroup_number(total + strlen("total="));
		text += length;
		text += *text == '\n';
	}
	return -1;
}

static int64_t figure_in(const char *text, enum shape shape, const char *key)
{
	int64_t value = -1;

	switch (shape) {
	case SHAPE_NUMBER:
		return lcx__cgroup_number(text);
	case SHAPE_KEYED:
		return lcx__keyed_value(text, key, &value) == 0 && value >= 0 ? value : -1;
	case SHAPE_SUM:
		return sum_after(text, key);
	case SHAPE_PRESSURE:
		return pressure_total(text, key);
	}
	return -1;
}

static void parse(const struct source *source, const char *text, int64_t value[static FIGURES])
{
	for (size_t i = 0; i < VALUES_MAX && (source->values[i].key || i == 0); i++) {
		int64_t found = figure_in(text, source->shape, source->values[i].key);

		if (found < 0)
			continue;
		if (found != INT64_MAX &&
		    __builtin_mul_overflow(found, source->values[i].scale, &found))
			found = -1;
		value[source->values[i].figure] = found;
	}
}

/* --- reading --- */

/* The whole file in the handle's buffer: io.stat grows with the number of disks. */
static int read_whole(struct lcx_cgroup_stats *stats, int fd)
{
	enum { FIRST = 8192, LIMIT = 4 << 20 };

	for (;;) {
		ssize_t n = -1;
		char *bigger;

		if (stats->size)
			n = pread(fd, stats->buffer, stats->size - 1, 0);
		if (stats->size && n < 0)
			return -errno;
		if (n >= 0 && (size_t)n < stats->size - 1) {
			stats->buffer[n] = '\0';
			return 0;
		}
		if (stats->size >= LIMIT)
			return -EFBIG;
		bigger = realloc(stats->buffer, stats->size ? stats->size * 2 : FIRST);
		if (!bigger)
			return -ENOMEM;
		stats->buffer = bigger;
		stats->size = stats->size ? stats->size * 2 : FIRST;
	}
}

static void derive(int64_t value[static FIGURES])
{
	int64_t usage = value[FIGURE_MEMORY_USAGE_BYTES];
	int64_t inactive = value[FIGURE_MEMORY_INACTIVE_FILE_BYTES];
	int64_t memsw = value[FIGURE_MEMSW_LIMIT_BYTES], memory = value[FIGURE_MEMORY_LIMIT_BYTES];

	if (usage >= 0 && inactive >= 0)
		value[FIGURE_MEMORY_WORKING_SET_BYTES] = usage > inactive ? usage - inactive : 0;
	if (memsw == INT64_MAX)
		value[FIGURE_SWAP_LIMIT_BYTES] = INT64_MAX;
	else if (memsw >= 0 && memory >= 0 && memsw >= memory)
		value[FIGURE_SWAP_LIMIT_BYTES] = memsw - memory;
}

LCX_PUBLIC int lcx_cgroup_stats_read(struct lcx_cgroup_stats *stats, struct lcx_error **err)
{
	int64_t value[FIGURES];

	for (int i = 0; i < FIGURES; i++)
		value[i] = -1;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		int r;

		if (stats->fd[i] < 0)
			continue;
		r = read_whole(stats, stats->fd[i]);
		if (r == -ENODEV)
			return lcx__fail(err, ENODEV, "the cgroup of these statistics is gone");
		if (r == -EOPNOTSUPP)
			continue; /* pressure that is switched off */
		if (r < 0)
			return lcx__fail_sys(err, -r, "read the statistics file %s",
					     sources[i].file);
		parse(&sources[i], stats->buffer, value);
	}
	derive(value);
	memcpy(stats->value, value, sizeof(value));
	return 0;
}

static int open_source(struct lcx_cgroup *cg, const struct source *source)
{
	int index = source->v2 ? cg->layout->unified : cg->layout->controller[source->controller];

	if (index < 0 || cg->dir_fd[index] < 0 || lcx__cgroup_is_v2(cg, index) != source->v2)
		return -1;
	return openat(cg->dir_fd[index], source->file, O_RDONLY | O_CLOEXEC);
}

LCX_PUBLIC struct lcx_cgroup_stats *lcx_cgroup_stats_free(struct lcx_cgroup_stats *stats)
{
	if (!stats)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		closep(&stats->fd[i]);
	free(stats->buffer);
	free(stats);
	return NULL;
}

LCX_PUBLIC int lcx_cgroup_stats_new(struct lcx_cgroup *cg, struct lcx_cgroup_stats **ret,
				    struct lcx_error **err)
{
	CLEANUP(lcx_cgroup_stats_freep) struct lcx_cgroup_stats *stats = NULL;
	int r;

	stats = calloc(1, sizeof(*stats));
	if (!stats)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		stats->fd[i] = -1;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		stats->fd[i] = open_source(cg, &sources[i]);
		if (stats->fd[i] < 0 && (errno == EMFILE || errno == ENFILE))
			return lcx__fail_sys(err, errno, "cgroup '%s': open %s", cg->path,
					     sources[i].file);
	}
	r = lcx_cgroup_stats_read(stats, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(stats);
	return 0;
}

/* --- getters --- */

#define DEFINE_GETTER(name, figure)                                                                \
	LCX_PUBLIC int64_t lcx_cgroup_stats_##name(const struct lcx_cgroup_stats *stats)           \
	{                                                                                          \
		return stats->value[figure];                                                       \
	}

DEFINE_GETTER(cpu_usage_ns, FIGURE_CPU_USAGE_NS)
DEFINE_GETTER(cpu_user_ns, FIGURE_CPU_USER_NS)
DEFINE_GETTER(cpu_system_ns, FIGURE_CPU_SYSTEM_NS)
DEFINE_GETTER(cpu_periods, FIGURE_CPU_PERIODS)
DEFINE_GETTER(cpu_throttled_periods, FIGURE_CPU_THROTTLED_PERIODS)
DEFINE_GETTER(cpu_throttled_ns, FIGURE_CPU_THROTTLED_NS)
DEFINE_GETTER(memory_usage_bytes, FIGURE_MEMORY_USAGE_BYTES)
DEFINE_GETTER(memory_peak_bytes, FIGURE_MEMORY_PEAK_BYTES)
DEFINE_GETTER(memory_limit_bytes, FIGURE_MEMORY_LIMIT_BYTES)
DEFINE_GETTER(memory_working_set_bytes, FIGURE_MEMORY_WORKING_SET_BYTES)
DEFINE_GETTER(memory_anon_bytes, FIGURE_MEMORY_ANON_BYTES)
DEFINE_GETTER(memory_file_bytes, FIGURE_MEMORY_FILE_BYTES)
DEFINE_GETTER(memory_inactive_file_bytes, FIGURE_MEMORY_INACTIVE_FILE_BYTES)
DEFINE_GETTER(memory_kernel_bytes, FIGURE_MEMORY_KERNEL_BYTES)
DEFINE_GETTER(memory_page_faults, FIGURE_MEMORY_PAGE_FAULTS)
DEFINE_GETTER(memory_major_faults, FIGURE_MEMORY_MAJOR_FAULTS)
DEFINE_GETTER(memory_oom_kills, FIGURE_MEMORY_OOM_KILLS)
DEFINE_GETTER(swap_usage_bytes, FIGURE_SWAP_USAGE_BYTES)
DEFINE_GETTER(swap_limit_bytes, FIGURE_SWAP_LIMIT_BYTES)
DEFINE_GETTER(pids_current, FIGURE_PIDS_CURRENT)
DEFINE_GETTER(pids_limit, FIGURE_PIDS_LIMIT)
DEFINE_GETTER(io_read_bytes, FIGURE_IO_READ_BYTES)
DEFINE_GETTER(io_write_bytes, FIGURE_IO_WRITE_BYTES)
DEFINE_GETTER(io_read_ops, FIGURE_IO_READ_OPS)
DEFINE_GETTER(io_write_ops, FIGURE_IO_WRITE_OPS)

LCX_PUBLIC int64_t lcx_cgroup_stats_stalled_ns(const struct lcx_cgroup_stats *stats,
					       int32_t resource, int32_t full)
{
	if (resource < LCX_CGROUP_PRESSURE_CPU || resource > LCX_CGROUP_PRESSURE_IO)
		return -1;
	return stats->value[FIGURE_STALLED_CPU_SOME_NS + 2 * resource + (full != 0)];
}
