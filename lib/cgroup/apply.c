/* SPDX-License-Identifier: MIT */

/*
 * linux.resources of the OCI runtime specification, one function for each of its
 * objects, in one table. The order matters twice: memory before swap, and `unified`
 * last, since it is the most specific. Numbers are the specification's: -1 is no limit.
 */

#include "cgroup/limits-internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "spec/resources.h"

static int64_t from_oci(int64_t value)
{
	return value == -1 ? INT64_MAX : value;
}

/* Engines write the zero of their own structures for "not given". */
static bool is_given(const struct lcx__opt_i64 *value)
{
	return value->set && value->value != 0;
}

/* --- memory --- */

static int refuse_below_usage(struct lcx_cgroup *cg, int index, int64_t limit,
			      struct lcx_error **err)
{
	const char *file =
		lcx__cgroup_is_v2(cg, index) ? "memory.current" : "memory.usage_in_bytes";
	int64_t usage;
	int r = lcx__cgroup_read_number(cg->dir_fd[index], file, &usage);

	if (r < 0)
		return lcx__fail_sys(err, -r, "cgroup '%s': read %s", cg->path, file);
	if (usage <= limit)
		return 0;
	return lcx__fail(err, EBUSY,
			 "cgroup '%s': memory.limit %" PRId64
			 " is below the present usage of %" PRId64
			 " bytes; free memory first, or do not ask for checkBeforeUpdate",
			 cg->path, limit, usage);
}

/*
 * The specification counts swap as version 1 does, together with memory. Version 2
 * counts it alone: the difference, for which the memory limit must be known.
 */
static int apply_swap_v2(struct lcx_cgroup *cg, const struct lcx__res_memory *memory, int index,
			 struct lcx_error **err)
{
	int64_t total = from_oci(memory->swap.value), limit;
	int r;

	if (is_given(&memory->limit)) {
		limit = from_oci(memory->limit.value);
	} else {
		r = lcx__cgroup_read_number(cg->dir_fd[index], "memory.max", &limit);
		if (r < 0)
			return lcx__fail_sys(err, -r, "cgroup '%s': read memory.max", cg->path);
	}
	if (total == INT64_MAX)
		return lcx_cgroup_set_limit(cg, LCX_CGROUP_SWAP_MAX_BYTES, INT64_MAX, err);
	if (limit == INT64_MAX)
		return lcx__fail(err, EINVAL,
				 "memory.swap %" PRId64
				 " counts memory and swap together and needs "
				 "memory.limit beside it",
				 total);
	if (total < limit)
		return lcx__fail(err, EINVAL,
				 "memory.swap %" PRId64
				 " counts memory and swap together and cannot "
				 "be below memory.limit %" PRId64,
				 total, limit);
	return lcx_cgroup_set_limit(cg, LCX_CGROUP_SWAP_MAX_BYTES, total - limit, err);
}

static int apply_memory_limits(struct lcx_cgroup *cg, const struct lcx__res_memory *memory,
			       struct lcx_error **err)
{
	int index = lcx__cgroup_use(cg, CONTROLLER_MEMORY, err);
	int r = 0;

	if (index < 0)
		return index;
	if (is_given(&memory->limit) && memory->check_before_update.set &&
	    memory->check_before_update.value)
		r = refuse_below_usage(cg, index, from_oci(memory->limit.value), err);
	if (r < 0)
		return r;
	/* Both at once have an order; a limit alone leaves the swap that was allowed. */
	if (!lcx__cgroup_is_v2(cg, index) && is_given(&memory->swap))
		return lcx__cgroup_set_memory_v1(
			cg, index, is_given(&memory->limit) ? from_oci(memory->limit.value) : -1,
			is_given(&memory->swap) ? from_oci(memory->swap.value) : -1, err);
	if (is_given(&memory->limit))
		r = lcx_cgroup_set_limit(cg, LCX_CGROUP_MEMORY_MAX_BYTES,
					 from_oci(memory->limit.value), err);
	if (r == 0 && is_given(&memory->swap))
		r = apply_swap_v2(cg, memory, index, err);
	return r;
}

static int refuse_kernel_limit(struct lcx_error **err)
{
	return lcx__fail(
		err, EOPNOTSUPP,
		"memory.kernel: kernels since 5.16 have no such limit; kernel memory counts "
		"in memory.limit: remove it");
}

static int apply_memory(struct lcx_cgroup *cg, const struct lcx__resources *res,
			struct lcx_error **err)
{
	const struct lcx__res_memory *memory = &res->memory;
	int r = 0;

	if (is_given(&memory->limit) || is_given(&memory->swap))
		r = apply_memory_limits(cg, memory, err);
	if (r == 0 && is_given(&memory->reservation))
		r = lcx_cgroup_set_limit(cg, LCX_CGROUP_MEMORY_LOW_BYTES,
					 from_oci(memory->reservation.value), err);
	if (r == 0 && is_given(&memory->kernel) && memory->kernel.value != -1)
		r = refuse_kernel_limit(err);
	if (r == 0 && is_given(&memory->kernel_tcp))
		r = lcx_cgroup_set_limit(cg, LCX_CGROUP_KERNEL_TCP_MAX_BYTES,
					 from_oci(memory->kernel_tcp.value), err);
	if (r == 0 && memory->swappiness.set)
		r = lcx_cgroup_set_limit(cg, LCX_CGROUP_SWAPPINESS,
					 (int64_t)memory->swappiness.value, err);
	/* "Off", and hierarchical accounting, are what version 2 and today's version 1 have. */
	if (r == 0 && memory->disable_oom_killer.set && memory->disable_oom_killer.value)
		r = lcx_cgroup_set_limit(cg, LCX_CGROUP_OOM_KILL_DISABLE, 1, err);
	if (r == 0 && memory->use_hierarchy.set && !memory->use_hierarchy.value)
		r = lcx__fail(err, EOPNOTSUPP,
			      "memory.useHierarchy: memory is always accounted hierarchically; "
			      "remove it");
	return r;
}

/* --- CPU --- */

struct cpu_number {
	bool set;
	int64_t value;
	enum lcx_cgroup_limit limit;
};

/* Numbers of the specification are 64 bits without a sign: too large is refused, not wrapped. */
static int64_t clip(uint64_t value)
{
	return value >= INT64_MAX ? INT64_MAX - 1 : (int64_t)value;
}

static int64_t clip_shares(uint64_t shares)
{
	return shares < 2 ? 2 : shares > 262144 ? 262144 : (int64_t)shares;
}

static int apply_cpu(struct lcx_cgroup *cg, const struct lcx__resources *res,
		     struct lcx_error **err)
{
	const struct lcx__res_cpu *cpu = &res->cpu;
	/* Shares are refused by one that is idle, and count again when it is not. */
	bool idle = cpu->idle.set && cpu->idle.value == 1;
	/* The kernel itself clips shares; 0 is "not set" to every engine. */
	const struct cpu_number numbers[] = {
		{cpu->idle.set, cpu->idle.value, LCX_CGROUP_CPU_IDLE},
		{cpu->shares.set && cpu->shares.value && !idle, clip_shares(cpu->shares.value),
		 LCX_CGROUP_CPU_SHARES},
		{cpu->burst_us.set, clip(cpu->burst_us.value), LCX_CGROUP_CPU_BURST_US},
		{cpu->realtime_period_us.set, clip(cpu->realtime_period_us.value),
		 LCX_CGROUP_CPU_RT_PERIOD_US},
		{cpu->realtime_runtime_us.set, from_oci(cpu->realtime_runtime_us.value),
		 LCX_CGROUP_CPU_RT_RUNTIME_US},
	};
	bool quota = is_given(&cpu->quota_us);
	bool period = cpu->period_us.set && cpu->period_us.value != 0;
	int r = 0;

	if (quota || period)
		r = lcx__cgroup_set_cpu_max(cg,
					    !quota                    ? -1
					    : cpu->quota_us.value < 0 ? INT64_MAX
								      : cpu->quota_us.value,
					    period ? clip(cpu->period_us.value) : -1, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(numbers); i++)
		if (numbers[i].set)
			r = lcx_cgroup_set_limit(cg, (int32_t)numbers[i].limit, numbers[i].value,
						 err);
	if (r == 0 && cpu->cpus && *cpu->cpus)
		r = lcx_cgroup_set_cpus(cg, cpu->cpus, err);
	if (r == 0 && cpu->mems && *cpu->mems)
		r = lcx_cgroup_set_mems(cg, cpu->mems, err);
	return r;
}

static int apply_pids(struct lcx_cgroup *cg, const struct lcx__resources *res,
		      struct lcx_error **err)
{
	int64_t limit = res->pids.limit.value;

	if (!res->pids.limit.set)
		return 0;
	return lcx_cgroup_set_limit(cg, LCX_CGROUP_PIDS_MAX, limit <= 0 ? INT64_MAX : limit, err);
}

/* --- block I/O --- */

static int check_blkio_weight(uint64_t weight, struct lcx_error **err)
{
	if (weight >= 10 && weight <= 1000)
		return 0;
	return lcx__fail(err, ERANGE, "blockIO weight %" PRIu64 " is not between 10 and 1000",
			 weight);
}

static int check_device(int64_t major, int64_t minor, struct lcx_error **err)
{
	if (major >= 0 && major <= UINT32_MAX && minor >= 0 && minor <= UINT32_MAX)
		return 0;
	return lcx__fail(err, EINVAL, "blockIO: %" PRId64 ":%" PRId64 " is not a block device",
			 major, minor);
}

static int apply_io_weight(struct lcx_cgroup *cg, const struct lcx__opt_u32 *weight,
			   const struct lcx__res_blkio_weight *device, struct lcx_error **err)
{
	int64_t value;
	int r = check_blkio_weight(weight->value, err);

	if (r < 0)
		return r;
	value = (int64_t)lcx__cgroup_io_weight_from_blkio(weight->value);
	if (!device)
		return lcx_cgroup_set_limit(cg, LCX_CGROUP_IO_WEIGHT, value, err);
	return lcx_cgroup_set_io_limit(cg, LCX_CGROUP_IO_DEVICE_WEIGHT,
				       (uint32_t)device->major.value, (uint32_t)device->minor.value,
				       value, err);
}

static int apply_blkio_device(struct lcx_cgroup *cg, const struct lcx__res_blkio_weight *device,
			      struct lcx_error **err)
{
	int r = check_device(device->major.value, device->minor.value, err);

	if (r == 0 && device->weight.set && device->weight.value)
		r = apply_io_weight(cg, &device->weight, device, err);
	if (r == 0 && device->leaf_weight.set && device->leaf_weight.value)
		r = lcx_cgroup_set_io_limit(
			cg, LCX_CGROUP_IO_DEVICE_LEAF_WEIGHT, (uint32_t)device->major.value,
			(uint32_t)device->minor.value, device->leaf_weight.value, err);
	return r;
}

static int apply_throttles(struct lcx_cgroup *cg, enum lcx_cgroup_io_limit limit,
			   const struct lcx__res_blkio_throttle *items, size_t count,
			   struct lcx_error **err)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t rate = items[i].rate.value;
		int r = check_device(items[i].major.value, items[i].minor.value, err);

		if (r == 0)
			r = lcx_cgroup_set_io_limit(cg, (int32_t)limit,
						    (uint32_t)items[i].major.value,
						    (uint32_t)items[i].minor.value,
						    rate == 0 ? INT64_MAX : clip(rate), err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int apply_blkio(struct lcx_cgroup *cg, const struct lcx__resources *res,
		       struct lcx_error **err)
{
	const struct lcx__res_blkio *io = &res->blkio;
	int r = 0;

	if (io->weight.set && io->weight.value)
		r = apply_io_weight(cg, &io->weight, NULL, err);
	if (r == 0 && io->leaf_weight.set && io->leaf_weight.value)
		r = lcx_cgroup_set_limit(cg, LCX_CGROUP_IO_LEAF_WEIGHT, io->leaf_weight.value, err);
	for (size_t i = 0; r == 0 && i < io->weight_device.n; i++)
		r = apply_blkio_device(cg, &io->weight_device.items[i], err);
	if (r == 0)
		r = apply_throttles(cg, LCX_CGROUP_IO_READ_BYTES_PER_S, io->read_bps.items,
				    io->read_bps.n, err);
	if (r == 0)
		r = apply_throttles(cg, LCX_CGROUP_IO_WRITE_BYTES_PER_S, io->write_bps.items,
				    io->write_bps.n, err);
	if (r == 0)
		r = apply_throttles(cg, LCX_CGROUP_IO_READ_OPS_PER_S, io->read_iops.items,
				    io->read_iops.n, err);
	if (r == 0)
		r = apply_throttles(cg, LCX_CGROUP_IO_WRITE_OPS_PER_S, io->write_iops.items,
				    io->write_iops.n, err);
	return r;
}

/* --- the rest --- */

static int apply_hugepages(struct lcx_cgroup *cg, const struct lcx__resources *res,
			   struct lcx_error **err)
{
	for (size_t i = 0; i < res->hugepages.n; i++) {
		const struct lcx__res_hugepage *page = &res->hugepages.items[i];
		int r = lcx_cgroup_set_hugetlb(cg, page->page_size, clip(page->limit.value), err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int apply_network(struct lcx_cgroup *cg, const struct lcx__resources *res,
			 struct lcx_error **err)
{
	const struct lcx__res_network_class *network = &res->network;
	int r = 0;

	if (network->class_id.set)
		r = lcx_cgroup_set_limit(cg, LCX_CGROUP_NET_CLASS_ID, network->class_id.value, err);
	for (size_t i = 0; r == 0 && i < network->priorities.n; i++)
		r = lcx_cgroup_set_net_priority(cg, network->priorities.items[i].name,
						network->priorities.items[i].priority.value, err);
	return r;
}

static int apply_rdma(struct lcx_cgroup *cg, const struct lcx__resources *res,
		      struct lcx_error **err)
{
	for (size_t i = 0; i < res->rdma.n; i++) {
		const struct lcx__res_rdma *rdma = &res->rdma.items[i];
		int r = lcx_cgroup_set_rdma(
			cg, rdma->device,
			rdma->hca_handles.set ? (int64_t)rdma->hca_handles.value : -1,
			rdma->hca_objects.set ? (int64_t)rdma->hca_objects.value : -1, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The list replaces what was installed, unless there is none in the resources. */
static int apply_devices(struct lcx_cgroup *cg, const struct lcx__resources *res,
			 struct lcx_error **err)
{
	if (res->devices.n == 0)
		return 0;
	lcx_cgroup_clear_devices(cg);
	for (size_t i = 0; i < res->devices.n; i++) {
		const struct lcx__res_device_rule *rule = &res->devices.items[i];
		int r = lcx_cgroup_device_rule(
			cg, rule->allow.value, rule->type ? rule->type[0] : 'a',
			rule->major.set ? rule->major.value : -1,
			rule->minor.set ? rule->minor.value : -1,
			rule->access && *rule->access ? rule->access : "rwm", err);

		if (r < 0)
			return r;
	}
	return lcx_cgroup_apply_devices(cg, err);
}

static int apply_unified(struct lcx_cgroup *cg, const struct lcx__resources *res,
			 struct lcx_error **err)
{
	for (size_t i = 0; i < res->unified.n; i++) {
		int r = lcx_cgroup_set_file(cg, res->unified.items[i].key,
					    res->unified.items[i].value, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static const struct {
	const char *name;
	int (*apply)(struct lcx_cgroup *cg, const struct lcx__resources *res,
		     struct lcx_error **err);
} stages[] = {
	{"memory", apply_memory},
	{"cpu", apply_cpu},
	{"pids", apply_pids},
	{"blockIO", apply_blkio},
	{"hugepageLimits", apply_hugepages},
	{"network", apply_network},
	{"rdma", apply_rdma},
	{"devices", apply_devices},
	{"unified", apply_unified},
};

int lcx__cgroup_apply(struct lcx_cgroup *cg, const struct lcx__resources *resources,
		      struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		int r = stages[i].apply(cg, resources, err);

		if (r < 0)
			return lcx__fail_prefix(err, r, "linux.resources.%s", stages[i].name);
	}
	return 0;
}
