/* SPDX-License-Identifier: MIT */

/*
 * The vocabulary of control files. One row per limit tells what it is called in
 * each version and how a value is spelled there; a new limit is a new row.
 */

#include "cgroup/limits-internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "util/fs.h"
#include "util/str.h"

/* --- conversions --- */

/* Of 1 or more. By hand, for libm would be loaded at each start for nothing else: each squaring
 * tells a further bit of the fraction. */
static double log2_of(double x)
{
	double result = 0, bit = 1;

	for (; x >= 2; x /= 2)
		result += 1;
	for (int i = 0; i < 52; i++) {
		x *= x;
		bit /= 2;
		if (x >= 2) {
			x /= 2;
			result += bit;
		}
	}
	return result;
}

/*
 * cpu.shares has 2..262144 around 1024, cpu.weight 1..10000 around 100. The quadratic
 * in log2(shares) hits all three points, as runc and crun have it since 2025; their
 * older linear map gave a default container a weight of 39. It is the weight's log10, rounded up
 * to that of a whole one.
 */
uint64_t lcx__cgroup_weight_from_shares(uint64_t shares)
{
	static const double log2_of_10 = 3.321928094887362, slack = 1e-9;
	uint64_t low = 1, high = 10000;
	double l, wanted;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2_of((double)shares);
	wanted = ((l * l + 125 * l) / 612.0 - 7.0 / 34.0) * log2_of_10;
	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (log2_of((double)middle + slack) < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t lcx__cgroup_shares_from_weight(uint64_t weight)
{
	uint64_t low = 2, high = 262144;

	while (low < high) {
		uint64_t middle = (low + high + 1) / 2;

		if (lcx__cgroup_weight_from_shares(middle) <= weight)
			low = middle;
		else
			high = middle - 1;
	}
	/* Several shares may have one weight; the default is the default in both. */
	return weight == 100 ? 1024 : low;
}

uint64_t lcx__cgroup_io_weight_from_blkio(uint64_t weight)
{
	return 1 + (weight - 10) * 9999 / 990;
}

uint64_t lcx__cgroup_blkio_from_io_weight(uint64_t weight)
{
	return 10 + ((weight - 1) * 990 + 9999 / 2) / 9999;
}

/* --- reading and writing --- */

int lcx__cgroup_read_number(int dir_fd, const char *file, int64_t *ret)
{
	/* Version 1 prints the largest whole number of pages for "no limit". */
	const uint64_t v1_unlimited = INT64_MAX - 65535;
	CLEANUP(freep) char *text = NULL;
	uint64_t value;
	int r;

	r = lcx__read_file(dir_fd, file, 64, &text, NULL);
	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	if (strcmp(text, "max") == 0 || strcmp(text, "-1") == 0) {
		*ret = INT64_MAX;
		return 0;
	}
	r = lcx__parse_u64(text, UINT64_MAX, &value);
	if (r < 0)
		return r;
	*ret = value >= v1_unlimited ? INT64_MAX : (int64_t)value;
	return 0;
}

int lcx__cgroup_write(struct lcx_cgroup *cg, int index, const char *file, const char *text,
		      struct lcx_error **err)
{
	int r = lcx__write_control(cg->dir_fd[index], file, text);

	if (r == -ENOENT)
		return lcx__fail(err, EOPNOTSUPP,
				 "cgroup '%s': this kernel has no %s, so it cannot be set to '%s'; "
				 "leave that limit unset, or boot a kernel that has it",
				 cg->path, file, text);
	if (r < 0)
		return lcx__fail_sys(err, -r, "cgroup '%s': set %s to '%s'", cg->path, file, text);
	return 0;
}

/* --- the table --- */

enum form {
	FORM_NUMBER,
	FORM_QUOTA,
	FORM_PERIOD,
	FORM_SHARES,    /* the value is a weight, the file wants shares */
	FORM_WEIGHT,    /* the value is shares, the file wants a weight */
	FORM_IO_WEIGHT, /* "default N" */
	FORM_BLKIO,     /* the value is an io.weight, the file wants 10 to 1000 */
	FORM_MEMORY_V1,
	FORM_SWAP_V1,
};

struct spelling {
	const char *file; /* NULL: this version has no such limit */
	enum form form;
	const char *unlimited; /* NULL: cannot be unlimited */
};

static const struct limit_rule {
	const char *name;
	enum controller controller;
	int64_t min, max;
	struct spelling v2, v1;
	struct spelling v2_else, v1_else; /* where the kernel has not got the first */
} rules[] = {
	[LCX_CGROUP_MEMORY_MAX_BYTES] = {"memory.max",
					 CONTROLLER_MEMORY,
					 0,
					 INT64_MAX,
					 {"memory.max", FORM_NUMBER, "max"},
					 {"memory.limit_in_bytes", FORM_MEMORY_V1, "-1"}},
	[LCX_CGROUP_MEMORY_HIGH_BYTES] = {"memory.high",
					  CONTROLLER_MEMORY,
					  0,
					  INT64_MAX,
					  {"memory.high", FORM_NUMBER, "max"}},
	[LCX_CGROUP_MEMORY_LOW_BYTES] = {"memory.low",
					 CONTROLLER_MEMORY,
					 0,
					 INT64_MAX,
					 {"memory.low", FORM_NUMBER, "max"},
					 {"memory.soft_limit_in_bytes", FORM_NUMBER, "-1"}},
	[LCX_CGROUP_MEMORY_MIN_BYTES] =
		{"memory.min", CONTROLLER_MEMORY, 0, INT64_MAX, {"memory.min", FORM_NUMBER, "max"}},
	[LCX_CGROUP_SWAP_MAX_BYTES] = {"swap.max",
				       CONTROLLER_MEMORY,
				       0,
				       INT64_MAX,
				       {"memory.swap.max", FORM_NUMBER, "max"},
				       {"memory.memsw.limit_in_bytes", FORM_SWAP_V1, "-1"}},
	[LCX_CGROUP_SWAPPINESS] = {"swappiness",
				   CONTROLLER_MEMORY,
				   0,
				   100,
				   {NULL},
				   {"memory.swappiness", FORM_NUMBER, NULL}},
	[LCX_CGROUP_OOM_GROUP] =
		{"oom.group", CONTROLLER_MEMORY, 0, 1, {"memory.oom.group", FORM_NUMBER, NULL}},
	[LCX_CGROUP_OOM_KILL_DISABLE] = {"oom_kill_disable",
					 CONTROLLER_MEMORY,
					 0,
					 1,
					 {NULL},
					 {"memory.oom_control", FORM_NUMBER, NULL}},
	[LCX_CGROUP_KERNEL_TCP_MAX_BYTES] = {"kernel TCP memory",
					     CONTROLLER_MEMORY,
					     0,
					     INT64_MAX,
					     {NULL},
					     {"memory.kmem.tcp.limit_in_bytes", FORM_NUMBER, "-1"}},
	[LCX_CGROUP_CPU_QUOTA_US] = {"cpu quota",
				     CONTROLLER_CPU,
				     1000,
				     INT64_MAX,
				     {"cpu.max", FORM_QUOTA, "max"},
				     {"cpu.cfs_quota_us", FORM_QUOTA, "-1"}},
	[LCX_CGROUP_CPU_PERIOD_US] = {"cpu period",
				      CONTROLLER_CPU,
				      1000,
				      1000000,
				      {"cpu.max", FORM_PERIOD, NULL},
				      {"cpu.cfs_period_us", FORM_PERIOD, NULL}},
	[LCX_CGROUP_CPU_BURST_US] = {"cpu burst",
				     CONTROLLER_CPU,
				     0,
				     INT64_MAX / 1000,
				     {"cpu.max.burst", FORM_NUMBER, NULL},
				     {"cpu.cfs_burst_us", FORM_NUMBER, NULL}},
	[LCX_CGROUP_CPU_WEIGHT] = {"cpu weight",
				   CONTROLLER_CPU,
				   1,
				   10000,
				   {"cpu.weight", FORM_NUMBER, NULL},
				   {"cpu.shares", FORM_SHARES, NULL}},
	[LCX_CGROUP_CPU_SHARES] = {"cpu shares",
				   CONTROLLER_CPU,
				   2,
				   262144,
				   {"cpu.weight", FORM_WEIGHT, NULL},
				   {"cpu.shares", FORM_NUMBER, NULL}},
	[LCX_CGROUP_CPU_IDLE] = {"cpu idle",
				 CONTROLLER_CPU,
				 0,
				 1,
				 {"cpu.idle", FORM_NUMBER, NULL},
				 {"cpu.idle", FORM_NUMBER, NULL}},
	[LCX_CGROUP_CPU_RT_RUNTIME_US] = {"cpu real-time runtime",
					  CONTROLLER_CPU,
					  0,
					  INT64_MAX,
					  {NULL},
					  {"cpu.rt_runtime_us", FORM_NUMBER, "-1"}},
	[LCX_CGROUP_CPU_RT_PERIOD_US] = {"cpu real-time period",
					 CONTROLLER_CPU,
					 1,
					 INT64_MAX / 1000,
					 {NULL},
					 {"cpu.rt_period_us", FORM_NUMBER, NULL}},
	[LCX_CGROUP_PIDS_MAX] = {"pids.max",
				 CONTROLLER_PIDS,
				 0,
				 INT64_MAX,
				 {"pids.max", FORM_NUMBER, "max"},
				 {"pids.max", FORM_NUMBER, "max"}},
	[LCX_CGROUP_IO_WEIGHT] = {"io weight",
				  CONTROLLER_IO,
				  1,
				  10000,
				  {"io.weight", FORM_IO_WEIGHT, NULL},
				  {"blkio.weight", FORM_BLKIO, NULL},
				  {"io.bfq.weight", FORM_BLKIO, NULL},
				  {"blkio.bfq.weight", FORM_BLKIO, NULL}},
	[LCX_CGROUP_IO_LEAF_WEIGHT] = {"io leaf weight",
				       CONTROLLER_IO,
				       10,
				       1000,
				       {NULL},
				       {"blkio.leaf_weight", FORM_NUMBER, NULL}},
	[LCX_CGROUP_NET_CLASS_ID] = {"network class",
				     CONTROLLER_NET_CLS,
				     0,
				     UINT32_MAX,
				     {NULL},
				     {"net_cls.classid", FORM_NUMBER, NULL}},
	[LCX_CGROUP_ZSWAP_MAX_BYTES] = {"zswap.max",
					CONTROLLER_MEMORY,
					0,
					INT64_MAX,
					{"memory.zswap.max", FORM_NUMBER, "max"}},
	[LCX_CGROUP_ZSWAP_WRITEBACK] = {"zswap.writeback",
					CONTROLLER_MEMORY,
					0,
					1,
					{"memory.zswap.writeback", FORM_NUMBER, NULL}},
};
_Static_assert(ARRAY_SIZE(rules) == LCX_CGROUP_ZSWAP_WRITEBACK + 1,
	       "rules and enum lcx_cgroup_limit differ");

/* --- memory of version 1 --- */

/* memory.limit_in_bytes may never exceed memory.memsw.limit_in_bytes, whichever is written first.
 */
static int write_memory_v1(struct lcx_cgroup *cg, int index, bool memsw, int64_t value,
			   struct lcx_error **err)
{
	char text[24];

	if (value == INT64_MAX)
		(void)strcpy(text, "-1");
	else
		(void)snprintf(text, sizeof(text), "%" PRId64, value);
	return lcx__cgroup_write(cg, index,
				 memsw ? "memory.memsw.limit_in_bytes" : "memory.limit_in_bytes",
				 text, err);
}

int lcx__cgroup_set_memory_v1(struct lcx_cgroup *cg, int index, int64_t memory_bytes,
			      int64_t memsw_bytes, struct lcx_error **err)
{
	int64_t memsw_now = INT64_MAX;
	bool memsw_first;
	int r = 0;

	(void)lcx__cgroup_read_number(cg->dir_fd[index], "memory.memsw.limit_in_bytes", &memsw_now);
	memsw_first = memory_bytes > memsw_now || memsw_bytes > memsw_now;
	if (memsw_first && memsw_bytes >= 0)
		r = write_memory_v1(cg, index, true, memsw_bytes, err);
	if (r == 0 && memory_bytes >= 0)
		r = write_memory_v1(cg, index, false, memory_bytes, err);
	if (r == 0 && !memsw_first && memsw_bytes >= 0)
		r = write_memory_v1(cg, index, true, memsw_bytes, err);
	return r;
}

static int64_t add_limits(int64_t a, int64_t b)
{
	int64_t sum;

	return a == INT64_MAX || b == INT64_MAX || __builtin_add_overflow(a, b, &sum) ? INT64_MAX
										      : sum;
}

/* A new memory limit keeps the amount of swap alone that was allowed before. */
static int set_memory_max_v1(struct lcx_cgroup *cg, int index, int64_t value,
			     struct lcx_error **err)
{
	int64_t memory, memsw;

	if (lcx__cgroup_read_number(cg->dir_fd[index], "memory.limit_in_bytes", &memory) < 0 ||
	    lcx__cgroup_read_number(cg->dir_fd[index], "memory.memsw.limit_in_bytes", &memsw) < 0 ||
	    memsw == INT64_MAX || memory > memsw)
		return lcx__cgroup_set_memory_v1(cg, index, value, -1, err);
	return lcx__cgroup_set_memory_v1(cg, index, value, add_limits(value, memsw - memory), err);
}

static int set_swap_max_v1(struct lcx_cgroup *cg, int index, int64_t value, struct lcx_error **err)
{
	int64_t memory = INT64_MAX;
	int r;

	r = lcx__cgroup_read_number(cg->dir_fd[index], "memory.limit_in_bytes", &memory);
	if (r < 0)
		return lcx__fail_sys(err, -r, "cgroup '%s': read memory.limit_in_bytes", cg->path);
	if (memory == INT64_MAX && value != INT64_MAX)
		return lcx__fail(err, EINVAL,
				 "cgroup '%s': version 1 limits swap together with memory; set a "
				 "memory limit before the swap limit",
				 cg->path);
	return lcx__cgroup_set_memory_v1(cg, index, -1, add_limits(memory, value), err);
}

/* --- CPU bandwidth --- */

static int set_cpu_max_v2(struct lcx_cgroup *cg, int index, int64_t quota_us, int64_t period_us,
			  struct lcx_error **err)
{
	CLEANUP(freep) char *now = NULL;
	char text[64], quota[24];
	int r;

	if (quota_us == INT64_MAX) {
		(void)strcpy(quota, "max");
	} else if (quota_us >= 0) {
		(void)snprintf(quota, sizeof(quota), "%" PRId64, quota_us);
	} else {
		r = lcx__read_file(cg->dir_fd[index], "cpu.max", 64, &now, NULL);
		if (r < 0)
			return lcx__fail_sys(err, -r, "cgroup '%s': read cpu.max", cg->path);
		now[strcspn(now, " \n")] = '\0';
		(void)snprintf(quota, sizeof(quota), "%s", now);
	}
	if (period_us >= 0)
		(void)snprintf(text, sizeof(text), "%s %" PRId64, quota, period_us);
	else
		(void)snprintf(text, sizeof(text), "%s", quota);
	return lcx__cgroup_write(cg, index, "cpu.max", text, err);
}

/*
 * Version 1 has two files, and checks their ratio against parent and children after
 * each write: when the period is refused with the old quota, the quota goes first.
 */
static int set_cpu_max_v1(struct lcx_cgroup *cg, int index, int64_t quota_us, int64_t period_us,
			  struct lcx_error **err)
{
	char quota[24], period[24];
	bool again = false;
	int r = 0;

	(void)snprintf(quota, sizeof(quota), "%" PRId64, quota_us == INT64_MAX ? -1 : quota_us);
	(void)snprintf(period, sizeof(period), "%" PRId64, period_us);
	if (period_us >= 0) {
		r = lcx__cgroup_write(cg, index, "cpu.cfs_period_us", period,
				      quota_us >= 0 ? NULL : err);
		again = r == -EINVAL && quota_us >= 0;
		if (r < 0 && !again)
			return lcx__fail_sys(err, -r, "cgroup '%s': set cpu.cfs_period_us to '%s'",
					     cg->path, period);
	}
	if (quota_us >= 0)
		r = lcx__cgroup_write(cg, index, "cpu.cfs_quota_us", quota, err);
	if (r == 0 && again)
		r = lcx__cgroup_write(cg, index, "cpu.cfs_period_us", period, err);
	return r;
}

int lcx__cgroup_set_cpu_max(struct lcx_cgroup *cg, int64_t quota_us, int64_t period_us,
			    struct lcx_error **err)
{
	int index = lcx__cgroup_use(cg, CONTROLLER_CPU, err);

	if (index < 0)
		return index;
	return lcx__cgroup_is_v2(cg, index) ? set_cpu_max_v2(cg, index, quota_us, period_us, err)
					    : set_cpu_max_v1(cg, index, quota_us, period_us, err);
}

/* --- one limit --- */

static void spell(const struct spelling *spelling, int64_t value, char text[static 32])
{
	uint64_t number = (uint64_t)value;

	if (value == INT64_MAX && spelling->unlimited) {
		(void)snprintf(text, 32, "%s", spelling->unlimited);
		return;
	}
	if (spelling->form == FORM_SHARES)
		number = lcx__cgroup_shares_from_weight(number);
	else if (spelling->form == FORM_WEIGHT)
		number = lcx__cgroup_weight_from_shares(number);
	else if (spelling->form == FORM_BLKIO)
		number = lcx__cgroup_blkio_from_io_weight(number);
	(void)snprintf(text, 32, "%s%" PRIu64, spelling->form == FORM_IO_WEIGHT ? "default " : "",
		       number);
}

static int write_limit(struct lcx_cgroup *cg, int index, const struct spelling *spelling,
		       int64_t value, struct lcx_error **err)
{
	char text[32];

	switch (spelling->form) {
	case FORM_QUOTA:
		return lcx__cgroup_set_cpu_max(cg, value, -1, err);
	case FORM_PERIOD:
		return lcx__cgroup_set_cpu_max(cg, -1, value, err);
	case FORM_MEMORY_V1:
		return set_memory_max_v1(cg, index, value, err);
	case FORM_SWAP_V1:
		return set_swap_max_v1(cg, index, value, err);
	case FORM_NUMBER:
	case FORM_SHARES:
	case FORM_WEIGHT:
	case FORM_IO_WEIGHT:
	case FORM_BLKIO:
		break;
	}
	spell(spelling, value, text);
	return lcx__cgroup_write(cg, index, spelling->file, text, err);
}

static int check_value(const struct limit_rule *rule, int64_t value, struct lcx_error **err)
{
	bool may_be_unlimited = rule->v2.unlimited || rule->v1.unlimited;

	if (value == INT64_MAX && may_be_unlimited)
		return 0;
	if (value >= rule->min && value <= rule->max && value != INT64_MAX)
		return 0;
	return lcx__fail(err, ERANGE,
			 "the limit '%s' does not take %" PRId64 ": it must be %" PRId64
			 " to %" PRId64 "%s",
			 rule->name, value, rule->min, rule->max,
			 may_be_unlimited ? ", or INT64_MAX for no limit" : "");
}

LCX_PUBLIC int lcx_cgroup_set_limit(struct lcx_cgroup *cg, int32_t limit, int64_t value,
				    struct lcx_error **err)
{
	const struct spelling *spelling, *other;
	const struct limit_rule *rule;
	int index, r;

	if (limit < 0 || (size_t)limit >= ARRAY_SIZE(rules))
		return lcx__fail(err, EINVAL, "%d is not a cgroup limit", limit);
	rule = &rules[limit];
	r = check_value(rule, value, err);
	if (r < 0)
		return r;
	index = lcx__cgroup_use(cg, rule->controller, err);
	if (index < 0)
		return index;

	spelling = lcx__cgroup_is_v2(cg, index) ? &rule->v2 : &rule->v1;
	other = lcx__cgroup_is_v2(cg, index) ? &rule->v2_else : &rule->v1_else;
	if (!spelling->file)
		return lcx__fail(err, EOPNOTSUPP,
				 "cgroup version %d has no limit '%s'; leave it unset on this "
				 "machine",
				 lcx__cgroup_is_v2(cg, index) ? 2 : 1, rule->name);
	if (other->file && faccessat(cg->dir_fd[index], spelling->file, F_OK, 0) < 0 &&
	    faccessat(cg->dir_fd[index], other->file, F_OK, 0) == 0)
		spelling = other;
	return write_limit(cg, index, spelling, value, err);
}
