/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "spec/check.h"
#include "spec/edit.h"
#include "spec/names.h"

/* Setters of a process's share of the machine. */

static int name_value(const struct lcx__json_name *names, const char *name, const char *what,
		      const char *page, uint64_t *ret, struct lcx_error **err)
{
	if (lcx__json_value_of(names, name, ret))
		return 0;
	return lcx__fail(err, EINVAL, "'%.64s' is no %s; %s lists them", name, what, page);
}

static int set_scheduler(struct lcx_spec *spec, struct lcx__spec_scheduler *wanted,
			 struct lcx_error **err)
{
	int r = lcx__finish_scheduler(wanted, err);

	if (r < 0)
		return lcx__fail_prefix(err, r, "scheduler");
	wanted->set = spec->process.set = true;
	spec->process.scheduler = *wanted;
	return 0;
}

LCX_PUBLIC int lcx_spec_set_scheduler(struct lcx_spec *spec, const char *policy, int32_t nice,
				      int32_t priority, struct lcx_error **err)
{
	struct lcx__spec_scheduler wanted = {.flags = spec->process.scheduler.flags};
	uint64_t value = 0;
	int r;

	if (!policy) {
		spec->process.scheduler = (struct lcx__spec_scheduler){.set = false};
		return 0;
	}
	r = name_value(lcx__scheduler_policies, policy, "scheduling policy", "sched(7)", &value,
		       err);
	if (r < 0)
		return r;
	if (value == LCX__SCHED_DEADLINE)
		return lcx__fail(err, EINVAL,
				 "scheduler: SCHED_DEADLINE is set by lcx_spec_set_deadline()");
	if (nice < -20 || nice > 19)
		return lcx__fail(err, EINVAL, "nice: must be from -20 to 19, not %d", nice);
	if (priority < 0 || priority > 99)
		return lcx__fail(err, EINVAL, "priority: must be from 0 to 99, not %d", priority);
	wanted.policy = (struct lcx__opt_int)LCX__OPT((int)value);
	wanted.nice = (struct lcx__opt_int)LCX__OPT(nice);
	wanted.priority = (struct lcx__opt_int)LCX__OPT(priority);
	return set_scheduler(spec, &wanted, err);
}

LCX_PUBLIC int lcx_spec_set_deadline(struct lcx_spec *spec, uint64_t runtime_ns,
				     uint64_t deadline_ns, uint64_t period_ns,
				     struct lcx_error **err)
{
	struct lcx__spec_scheduler wanted = {
		.policy = LCX__OPT(LCX__SCHED_DEADLINE),
		.flags = spec->process.scheduler.flags,
		.runtime_ns = LCX__OPT(runtime_ns),
		.deadline_ns = LCX__OPT(deadline_ns),
		.period_ns = LCX__OPT(period_ns),
	};

	if (runtime_ns == 0 || runtime_ns > deadline_ns || deadline_ns > period_ns)
		return lcx__fail(err, EINVAL,
				 "scheduler: must be 0 < runtime <= deadline <= period: sched(7)");
	return set_scheduler(spec, &wanted, err);
}

LCX_PUBLIC int lcx_spec_add_scheduler_flag(struct lcx_spec *spec, const char *flag,
					   struct lcx_error **err)
{
	struct lcx__opt_u64 *flags = &spec->process.scheduler.flags;
	uint64_t value = 0;
	int r = name_value(lcx__scheduler_flags, flag, "flag of the scheduler", "sched_setattr(2)",
			   &value, err);

	if (r < 0)
		return r;
	if (!spec->process.scheduler.set)
		return lcx__fail(err, EINVAL,
				 "scheduler: has no policy yet; set it before its flags");
	*flags = (struct lcx__opt_u64)LCX__OPT(flags->value | value);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_io_priority(struct lcx_spec *spec, const char *class_name,
					int32_t priority, struct lcx_error **err)
{
	struct lcx__spec_io_priority *place = &spec->process.io_priority;
	uint64_t value = 0;
	int r;

	if (!class_name) {
		*place = (struct lcx__spec_io_priority){.set = false};
		return 0;
	}
	r = name_value(lcx__io_classes, class_name, "class of I/O priorities", "ioprio_set(2)",
		       &value, err);
	if (r < 0)
		return r;
	if (priority < 0 || priority > 7)
		return lcx__fail(err, EINVAL, "I/O priority: must be from 0 to 7, not %d",
				 priority);
	spec->process.set = place->set = true;
	place->class = (struct lcx__opt_int)LCX__OPT((int)value);
	place->priority = (struct lcx__opt_int)LCX__OPT(priority);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_exec_cpu_affinity(struct lcx_spec *spec, const char *initial,
					      const char *final, struct lcx_error **err)
{
	struct lcx__spec_cpu_affinity *place = &spec->process.exec_cpu_affinity;
	struct lcx__spec_cpu_affinity wanted = {.set = initial || final};
	int r = initial ? lcx__check_id_list(initial, err) : 0;

	if (r == 0 && final)
		r = lcx__check_id_list(final, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "affinity");
	r = lcx__set_string(&wanted.initial, initial, err);
	if (r == 0)
		r = lcx__set_string(&wanted.final, final, err);
	if (r < 0) {
		free(wanted.initial);
		return r;
	}
	free(place->initial);
	free(place->final);
	*place = wanted;
	spec->process.set = true;
	return 0;
}

LCX_PUBLIC int lcx_spec_set_memory_policy(struct lcx_spec *spec, const char *mode,
					  const char *nodes, struct lcx_error **err)
{
	struct lcx__spec_memory_policy *place = &spec->linux_.memory_policy;
	uint64_t value = 0;
	int r = 0;

	if (mode)
		r = name_value(lcx__memory_policy_modes, mode, "memory policy", "set_mempolicy(2)",
			       &value, err);
	if (r == 0 && nodes)
		r = lcx__check_id_list(nodes, err);
	if (r == 0)
		r = lcx__set_string(&place->nodes, mode ? nodes : NULL, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "memory policy");
	place->set = mode != NULL;
	place->flags = (struct lcx__opt_u64){.set = false};
	place->mode = (struct lcx__opt_int){.set = place->set, .value = (int)value};
	spec->linux_.set = true;
	return 0;
}

LCX_PUBLIC int lcx_spec_set_rdt_schemas(struct lcx_spec *spec, const char *l3_cache,
					const char *memory_bandwidth, struct lcx_error **err)
{
	struct lcx__spec_intel_rdt *rdt = &spec->linux_.intel_rdt;
	int r = memory_bandwidth ? lcx__check_mem_bw_schema(memory_bandwidth, err) : 0;

	if (r < 0)
		return lcx__fail_prefix(err, r, "memory bandwidth");
	if (l3_cache)
		r = lcx__set_string(&rdt->l3_cache_schema, l3_cache, err);
	if (r == 0 && memory_bandwidth)
		r = lcx__set_string(&rdt->mem_bw_schema, memory_bandwidth, err);
	if (r == 0)
		rdt->set = spec->linux_.set = true;
	return r;
}

LCX_PUBLIC int lcx_spec_add_memory_policy_flag(struct lcx_spec *spec, const char *flag,
					       struct lcx_error **err)
{
	struct lcx__spec_memory_policy *place = &spec->linux_.memory_policy;
	uint64_t value = 0;
	int r = name_value(lcx__memory_policy_flags, flag, "flag of a memory policy",
			   "set_mempolicy(2)", &value, err);

	if (r < 0)
		return r;
	if (!place->set)
		return lcx__fail(err, EINVAL,
				 "memory policy: has no mode yet; set it before its flags");
	place->flags = (struct lcx__opt_u64)LCX__OPT(place->flags.value | value);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_personality(struct lcx_spec *spec, const char *domain,
					struct lcx_error **err)
{
	struct lcx__spec_personality *place = &spec->linux_.personality;
	uint64_t value = 0;
	int r = 0;

	if (domain)
		r = name_value(lcx__personality_domains, domain, "personality",
			       "LINUX and LINUX32: the runtime specification", &value, err);
	if (r < 0)
		return r;
	place->set = domain != NULL;
	place->domain = (struct lcx__opt_u32){.set = place->set, .value = (uint32_t)value};
	spec->linux_.set = true;
	return 0;
}

LCX_PUBLIC int lcx_spec_set_timer_slack(struct lcx_spec *spec, uint64_t slack_ns,
					struct lcx_error **err)
{
	if (slack_ns > INT64_MAX)
		return lcx__fail(err, EINVAL, "timer slack: is too long");
	spec->own.set = true;
	spec->own.timer_slack_ns = (struct lcx__opt_u64)LCX__OPT(slack_ns);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_coredump_filter(struct lcx_spec *spec, uint32_t bits,
					    struct lcx_error **err)
{
	if (bits > 0x1ff)
		return lcx__fail(err, EINVAL,
				 "coredump filter: 0x%x has bits that core(5) does not know", bits);
	spec->own.set = true;
	spec->own.coredump_filter = (struct lcx__opt_u32)LCX__OPT(bits);
	return 0;
}
