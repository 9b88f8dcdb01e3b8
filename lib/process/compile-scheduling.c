/* SPDX-License-Identifier: MIT */
#include "process/compile-internal.h"

#include <fcntl.h>
#include <string.h>

#include "spec/names.h"
#include "util/str.h"

/*
 * Its share of the machine. This comes before the identity: most of it needs a right that
 * the program will not have.
 */

enum { MAX_CPUS = 8192, MAX_NODES = 1024 };

/* A mask of up to MAX_CPUS bits, as the kernel takes it: an array of long. */
struct mask {
	unsigned long words[MAX_CPUS / (8 * sizeof(unsigned long))];
	size_t length; /* in bytes, that are needed */
};

static bool read_number(const char **text, size_t limit, size_t *ret)
{
	size_t value = 0;
	const char *at = *text + strspn(*text, " ");

	if (*at < '0' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9' && value < limit; at++)
		value = value * 10 + (size_t)(*at - '0');
	*text = at + strspn(at, " ");
	*ret = value;
	return value < limit;
}

static void set_bit(struct mask *mask, size_t bit)
{
	size_t word = bit / (8 * sizeof(long));

	mask->words[word] |= 1UL << bit % (8 * sizeof(long));
	if (mask->length < (word + 1) * sizeof(long))
		mask->length = (word + 1) * sizeof(long);
}

/* "0-3,7", as cpuset(7) has it. */
static int parse_list(const char *text, size_t limit, struct mask *ret, struct lcx_error **err)
{
	const char *at = text;
	size_t first, last;

	*ret = (struct mask){.length = 0};
	do {
		if (!read_number(&at, limit, &first))
			break;
		last = first;
		if (*at == '-') {
			at++;
			if (!read_number(&at, limit, &last) || last < first)
				break;
		}
		for (size_t bit = first; bit <= last; bit++)
			set_bit(ret, bit);
		if (*at == '\0')
			return 0;
	} while (*at++ == ',');
	return lcx__fail(err, EINVAL, "'%.64s' is no list such as 0-3,7 of numbers below %zu", text,
			 limit);
}

static int add_affinity(struct compiler *c, const char *list, const char *which,
			struct lcx_error **err)
{
	struct plan_op *op;
	struct mask mask;
	int r;

	if (!list || !*list)
		return 0;
	r = parse_list(list, MAX_CPUS, &mask, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "process.execCPUAffinity.%s", which);
	op = lcx__plan_add(c->plan, PLAN_AFFINITY);
	op->str[0] = lcx__plan_string(c->plan, list);
	op->str[1] = lcx__plan_data(c->plan, mask.words, mask.length);
	op->length = (uint32_t)mask.length;
	return 0;
}

int lcx__compile_affinity_before(struct compiler *c, struct lcx_error **err)
{
	return add_affinity(c, c->spec->process.exec_cpu_affinity.initial, "initial", err);
}

int lcx__compile_affinity_after(struct compiler *c, struct lcx_error **err)
{
	return add_affinity(c, c->spec->process.exec_cpu_affinity.final, "final", err);
}

static void compile_scheduler(struct compiler *c)
{
	const struct lcx__spec_scheduler *s = &c->spec->process.scheduler;
	struct plan_sched_attr attr = {
		.size = sizeof(attr),
		.policy = (uint32_t)s->policy.value,
		.flags = s->flags.value,
		.nice = s->nice.value,
		.priority = (uint32_t)s->priority.value,
		.runtime_ns = s->runtime_ns.value,
		.deadline_ns = s->deadline_ns.value,
		.period_ns = s->period_ns.value,
	};
	struct plan_op *op;

	if (!s->set)
		return;
	op = lcx__plan_add(c->plan, PLAN_SCHEDULER);
	op->str[0] = lcx__plan_string(
		c->plan, lcx__json_name_of(lcx__scheduler_policies, (uint64_t)s->policy.value));
	op->str[1] = lcx__plan_data(c->plan, &attr, sizeof(attr));
}

static void compile_io_priority(struct compiler *c)
{
	enum { CLASS_SHIFT = 13 }; /* include/uapi/linux/ioprio.h */
	const struct lcx__spec_io_priority *p = &c->spec->process.io_priority;
	struct plan_op *op;

	if (!p->set)
		return;
	op = lcx__plan_add(c->plan, PLAN_IO_PRIORITY);
	op->str[0] = lcx__plan_format(c->plan, "%s %d",
				      lcx__json_name_of(lcx__io_classes, (uint64_t)p->class.value),
				      p->priority.value);
	op->num[0] = (uint64_t)p->class.value << CLASS_SHIFT | (uint64_t)p->priority.value;
}

static int compile_memory_policy(struct compiler *c, const struct lcx__spec_linux *linux_,
				 struct lcx_error **err)
{
	const struct lcx__spec_memory_policy *p = &linux_->memory_policy;
	struct mask mask = {.length = 0};
	struct plan_op *op;
	int r = 0;

	if (!p->set)
		return 0;
	if (p->nodes && *p->nodes)
		r = parse_list(p->nodes, MAX_NODES, &mask, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "linux.memoryPolicy.nodes");
	op = lcx__plan_add(c->plan, PLAN_MEMORY_POLICY);
	op->str[0] = lcx__plan_format(
		c->plan, "%s %s",
		lcx__json_name_of(lcx__memory_policy_modes, (uint64_t)p->mode.value),
		p->nodes ? p->nodes : "");
	op->num[0] = (uint64_t)p->mode.value | p->flags.value;
	op->length = (uint32_t)mask.length;
	if (mask.length)
		op->str[1] = lcx__plan_data(c->plan, mask.words, mask.length);
	return 0;
}

static void compile_personality(struct compiler *c, const struct lcx__spec_linux *linux_)
{
	const struct lcx__spec_personality *p = &linux_->personality;
	struct plan_op *op;

	if (!p->set)
		return;
	op = lcx__plan_add(c->plan, PLAN_PERSONALITY);
	op->str[0] = lcx__plan_string(c->plan,
				      lcx__json_name_of(lcx__personality_domains, p->domain.value));
	op->num[0] = p->domain.value;
}

int lcx__compile_scheduling(struct compiler *c, struct lcx_error **err)
{
	/* What is not the process's own holds for every process of the container. */
	const struct lcx_spec *container = c->in->container ? c->in->container : c->spec;

	compile_scheduler(c);
	compile_io_priority(c);
	compile_personality(c, &container->linux_);
	if (container->own.timer_slack_ns.set)
		lcx__plan_add(c->plan, PLAN_TIMER_SLACK)->num[0] =
			container->own.timer_slack_ns.value;
	return compile_memory_policy(c, &container->linux_, err);
}

static void write_proc(struct compiler *c, const char *file, uint32_t text)
{
	struct plan_op *op = lcx__plan_add(c->plan, PLAN_PROC_WRITE);

	op->str[0] = lcx__plan_string(c->plan, file);
	op->str[1] = text;
}

/*
 * What is set by a file of its own process. The files must be the host's, so that nothing of
 * an image can stand in their place, and the process still dumpable, or they belong to root.
 */
int lcx__compile_host_settings(struct compiler *c, struct lcx_error **err)
{
	const struct lcx_spec *container = c->in->container ? c->in->container : c->spec;

	(void)err;
	if (c->spec->process.oom_score_adj.set)
		write_proc(c, "/proc/self/oom_score_adj",
			   lcx__plan_format(c->plan, "%d", c->spec->process.oom_score_adj.value));
	if (container->own.coredump_filter.set)
		write_proc(c, "/proc/self/coredump_filter",
			   lcx__plan_format(c->plan, "0x%x", container->own.coredump_filter.value));
	return 0;
}

/*
 * The clone can't make it in its cgroup if it shall run somewhere else before, or could be frozen
 * there: then it joins by itself, later.
 */
int lcx__compile_late_cgroup(struct compiler *c, struct lcx_error **err)
{
	const char *initial = c->spec->process.exec_cpu_affinity.initial;
	struct plan_op *op;
	int fd;

	if (c->out->cgroup_fd < 0 || (!c->in->joins_late && (!initial || !*initial)))
		return 0;
	fd = openat(c->out->cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return lcx__fail_sys(err, errno, "open the cgroup '%s'", c->in->cgroup);
	c->out->cgroup_fd = -1;
	op = lcx__plan_add(c->plan, PLAN_JOIN_CGROUP);
	op->fd = lcx__compile_own_fd(c, fd);
	op->str[0] = lcx__plan_string(c->plan, c->in->cgroup);
	return 0;
}
