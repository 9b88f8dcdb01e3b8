/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime.h"

/*
 * What a container uses, as a tree that engines know from runc. A row is a member of the object
 * that is open: a number, or an object or list that is made of several figures.
 */

struct printer {
	const struct lcx_cgroup_figures *figures;
	bool first; /* nothing stands in the open object yet */
};

static void print_key(struct printer *p, const char *key)
{
	printf("%s\"%s\":", p->first ? "" : ",", key);
	p->first = false;
}

static void open_object(struct printer *p, const char *key)
{
	print_key(p, key);
	putchar('{');
	p->first = true;
}

static void close_object(struct printer *p)
{
	putchar('}');
	p->first = false;
}

/* What is not counted here is left out. */
static void print_number(struct printer *p, const char *key, int64_t value)
{
	if (value < 0)
		return;
	print_key(p, key);
	printf("%" PRId64, value);
}

static void print_figure(struct printer *p, const char *key, const char *name)
{
	print_number(p, key, lcx_cgroup_figures_get(p->figures, name));
}

/* ---- processor ---------------------------------------------------------- */

/* One number of each processor, in their order, or nothing. */
static void print_processors(struct printer *p, const char *key, const char *unit)
{
	int64_t value;
	char name[64];

	for (int i = 0;; i++) {
		(void)snprintf(name, sizeof(name), "cpu.%d.%s", i, unit);
		value = lcx_cgroup_figures_get(p->figures, name);
		if (value < 0 && i == 0)
			return;
		if (value < 0)
			break;
		if (i == 0)
			print_key(p, key);
		printf("%s%" PRId64, i ? "," : "[", value);
	}
	putchar(']');
}

static void print_cpu(struct printer *p)
{
	open_object(p, "cpu");
	open_object(p, "usage");
	print_figure(p, "total", "cpu.usage_ns");
	print_processors(p, "percpu", "usage_ns");
	print_processors(p, "percpu_kernel", "system_ns");
	print_processors(p, "percpu_user", "user_ns");
	print_figure(p, "kernel", "cpu.system_ns");
	print_figure(p, "user", "cpu.user_ns");
	close_object(p);
	open_object(p, "throttling");
	print_figure(p, "periods", "cpu.periods");
	print_figure(p, "throttledPeriods", "cpu.throttled_periods");
	print_figure(p, "throttledTime", "cpu.throttled_ns");
	close_object(p);
	close_object(p);
}

/* The numbers that stand behind @prefix in names. */
static void print_members(struct printer *p, const char *key, const char *prefix)
{
	const char *name;
	bool any = false;

	for (uint32_t i = 0; (name = lcx_cgroup_figures_name(p->figures, i)); i++) {
		if (strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		if (!any)
			print_key(p, key);
		printf("%s%s", any ? "," : "[", name + strlen(prefix));
		any = true;
	}
	if (any)
		putchar(']');
}

static void print_cpuset(struct printer *p)
{
	static const char *const flags[] = {
		"cpu_exclusive",      "mem_hardwall",       "mem_exclusive",   "memory_migrate",
		"memory_spread_page", "memory_spread_slab", "memory_pressure", "sched_load_balance",
	};
	char name[64];

	open_object(p, "cpuset");
	print_members(p, "cpus", "cpuset.cpu.");
	print_members(p, "mems", "cpuset.node.");
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		(void)snprintf(name, sizeof(name), "cpuset.%s", flags[i]);
		print_figure(p, flags[i], name);
	}
	/* -1 is a level, the system's own. */
	if (lcx_cgroup_figures_get(p->figures, "cpuset.cpu_exclusive") >= 0) {
		print_key(p, "sched_relax_domain_level");
		printf("%" PRId64,
		       lcx_cgroup_figures_get(p->figures, "cpuset.sched_relax_domain_level"));
	}
	close_object(p);
}

/* ---- memory ------------------------------------------------------------- */

static int64_t sum(const struct printer *p, const char *a, const char *b)
{
	int64_t x = lcx_cgroup_figures_get(p->figures, a),
		y = lcx_cgroup_figures_get(p->figures, b);

	return x < 0 || y < 0 ? -1 : x > INT64_MAX - y ? INT64_MAX : x + y;
}

static void print_entry(struct printer *p, const char *key, const char *prefix)
{
	static const char *const members[][2] = {
		{"limit", "limit_bytes"}, {"usage", "usage_bytes"}, {"max", "peak_bytes"}};
	char name[64];
	int64_t failures;

	open_object(p, key);
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		(void)snprintf(name, sizeof(name), "%s.%s", prefix, members[i][1]);
		print_figure(p, members[i][0], name);
	}
	/* Version 2 counts the same as an event. */
	(void)snprintf(name, sizeof(name), "%s.events.max", prefix);
	failures = lcx_cgroup_figures_get(p->figures, name);
	(void)snprintf(name, sizeof(name), "%s.failures", prefix);
	if (failures < 0)
		failures = lcx_cgroup_figures_get(p->figures, name);
	print_number(p, "failcnt", failures < 0 ? 0 : failures);
	close_object(p);
}

/* Version 2 counts what the kernel takes, without limits of its own. */
static void print_kernel(struct printer *p, const char *key, const char *prefix, const char *usage)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s.limit_bytes", prefix);
	if (lcx_cgroup_figures_get(p->figures, name) >= 0) {
		print_entry(p, key, prefix);
		return;
	}
	open_object(p, key);
	print_number(p, "limit", INT64_MAX);
	print_figure(p, "usage", usage);
	print_number(p, "failcnt", 0);
	close_object(p);
}

/* Swap and memory together, as version 1 counts them and engines expect it on both. */
static void print_swap(struct printer *p)
{
	if (lcx_cgroup_figures_get(p->figures, "memory_and_swap.usage_bytes") >= 0) {
		print_entry(p, "swap", "memory_and_swap");
		return;
	}
	open_object(p, "swap");
	print_number(p, "limit", sum(p, "memory.limit_bytes", "swap.limit_bytes"));
	print_number(p, "usage", sum(p, "memory.usage_bytes", "swap.usage_bytes"));
	print_number(p, "failcnt", 0);
	close_object(p);
}

static void print_raw(struct printer *p)
{
	static const char prefix[] = "memory.stat.";
	const char *name;

	open_object(p, "raw");
	for (uint32_t i = 0; (name = lcx_cgroup_figures_name(p->figures, i)); i++)
		if (strncmp(name, prefix, strlen(prefix)) == 0)
			print_number(p, name + strlen(prefix),
				     lcx_cgroup_figures_value(p->figures, i));
	close_object(p);
}

static void print_memory(struct printer *p)
{
	open_object(p, "memory");
	print_figure(p, "cache", "memory.file_bytes");
	print_entry(p, "usage", "memory");
	print_swap(p);
	print_kernel(p, "kernel", "memory.kernel", "memory.kernel.usage_bytes");
	print_kernel(p, "kernelTCP", "memory.kernel_tcp", "memory.stat.sock");
	print_raw(p);
	close_object(p);
}

/* ---- the rest ----------------------------------------------------------- */

/* No limit is 0. */
static void print_pids(struct printer *p)
{
	int64_t limit = lcx_cgroup_figures_get(p->figures, "pids.limit");

	open_object(p, "pids");
	print_figure(p, "current", "pids.current");
	print_number(p, "limit", limit == INT64_MAX ? 0 : limit);
	close_object(p);
}

/* "io.8:0.read_bytes": an entry of the list of all names that end in @unit. */
static void print_disks(struct printer *p, const char *key, const char *unit)
{
	const char *name;
	bool any = false;

	for (uint32_t i = 0; (name = lcx_cgroup_figures_name(p->figures, i)); i++) {
		unsigned int major, minor;
		char operation[16], counted[16];

		if (sscanf(name, "io.%u:%u.%15[a-z]_%15s", &major, &minor, operation, counted) !=
			    4 ||
		    strcmp(counted, unit) != 0)
			continue;
		if (!any)
			print_key(p, key);
		operation[0] = (char)toupper((unsigned char)operation[0]);
		printf("%s{\"major\":%u,\"minor\":%u,\"op\":\"%s\",\"value\":%" PRId64 "}",
		       any ? "," : "[", major, minor, operation,
		       lcx_cgroup_figures_value(p->figures, i));
		any = true;
	}
	if (any)
		putchar(']');
}

static void print_huge_pages(struct printer *p)
{
	const char *name;

	open_object(p, "hugetlb");
	for (uint32_t i = 0; (name = lcx_cgroup_figures_name(p->figures, i)); i++) {
		char size[16], counted[32], prefix[32];

		if (sscanf(name, "hugetlb.%15[0-9KMGB].%31s", size, counted) != 2 ||
		    strcmp(counted, "usage_bytes") != 0)
			continue;
		(void)snprintf(prefix, sizeof(prefix), "hugetlb.%s", size);
		print_entry(p, size, prefix);
	}
	close_object(p);
}

void print_figures(const char *id, const struct lcx_cgroup_figures *figures)
{
	struct printer p = {figures, true};

	printf("{\"type\":\"stats\",\"id\":\"%s\",\"data\":{", id);
	print_cpu(&p);
	print_cpuset(&p);
	print_memory(&p);
	print_pids(&p);
	open_object(&p, "blkio");
	print_disks(&p, "ioServiceBytesRecursive", "bytes");
	print_disks(&p, "ioServicedRecursive", "ops");
	close_object(&p);
	print_huge_pages(&p);
	puts(",\"intel_rdt\":{},\"network_interfaces\":null}}");
}
