/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "spec/check.h"
#include "spec/edit.h"

/* Setters of resources. */

static struct lcx__resources *resources(struct lcx_spec *spec)
{
	spec->linux_.set = spec->linux_.resources.set = true;
	return &spec->linux_.resources;
}

LCX_PUBLIC int lcx_spec_set_cgroups_path(struct lcx_spec *spec, const char *path,
					 struct lcx_error **err)
{
	int r = path ? lcx__check_cgroups_path(path, err) : 0;

	if (r < 0)
		return lcx__fail_prefix(err, r, "cgroup path");
	spec->linux_.set = true;
	return lcx__set_string(&spec->linux_.cgroups_path, path, err);
}

static int set_memory(struct lcx_spec *spec, struct lcx__opt_i64 *place, const char *what,
		      int64_t size_bytes, struct lcx_error **err)
{
	if (size_bytes < LCX_SPEC_UNLIMITED)
		return lcx__fail(err, EINVAL,
				 "%s: must be a number of bytes, or -1 for no limit, not %" PRId64,
				 what, size_bytes);
	resources(spec)->memory.set = true;
	*place = (struct lcx__opt_i64)LCX__OPT(size_bytes);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_memory_limit(struct lcx_spec *spec, int64_t size_bytes,
					 struct lcx_error **err)
{
	return set_memory(spec, &spec->linux_.resources.memory.limit, "memory limit", size_bytes,
			  err);
}

LCX_PUBLIC int lcx_spec_set_memory_reservation(struct lcx_spec *spec, int64_t size_bytes,
					       struct lcx_error **err)
{
	return set_memory(spec, &spec->linux_.resources.memory.reservation, "memory reservation",
			  size_bytes, err);
}

LCX_PUBLIC int lcx_spec_set_memory_swap(struct lcx_spec *spec, int64_t size_bytes,
					struct lcx_error **err)
{
	return set_memory(spec, &spec->linux_.resources.memory.swap, "memory and swap", size_bytes,
			  err);
}

LCX_PUBLIC int lcx_spec_set_cpu_shares(struct lcx_spec *spec, uint64_t shares,
				       struct lcx_error **err)
{
	if (shares < 2 || shares > 262144)
		return lcx__fail(err, EINVAL, "CPU shares: must be from 2 to 262144, not %" PRIu64,
				 shares);
	resources(spec)->cpu.set = true;
	spec->linux_.resources.cpu.shares = (struct lcx__opt_u64)LCX__OPT(shares);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_cpu_quota(struct lcx_spec *spec, int64_t quota_us, uint64_t period_us,
				      struct lcx_error **err)
{
	struct lcx__res_cpu *cpu = &spec->linux_.resources.cpu;

	/* The bounds of the kernel's tg_set_cfs_bandwidth(). */
	if (period_us == 0)
		period_us = 100000;
	if (period_us < 1000 || period_us > 1000000)
		return lcx__fail(err, EINVAL,
				 "CPU period: must be from 1000 to 1000000 us, not %" PRIu64,
				 period_us);
	if (quota_us != LCX_SPEC_UNLIMITED && quota_us < 1000)
		return lcx__fail(
			err, EINVAL,
			"CPU quota: must be 1000 us or more, or -1 for no limit, not %" PRId64,
			quota_us);
	resources(spec)->cpu.set = true;
	cpu->quota_us = (struct lcx__opt_i64)LCX__OPT(quota_us);
	cpu->period_us = (struct lcx__opt_u64)LCX__OPT(period_us);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_cpuset(struct lcx_spec *spec, const char *cpus, const char *mems,
				   struct lcx_error **err)
{
	struct lcx__res_cpu *cpu = &spec->linux_.resources.cpu;
	CLEANUP(freep) char *cpus_copy = NULL;
	int r = cpus ? lcx__check_id_list(cpus, err) : 0;

	if (r == 0 && mems)
		r = lcx__check_id_list(mems, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "cpuset");
	r = lcx__set_string(&cpus_copy, cpus, err);
	if (r == 0)
		r = lcx__set_string(&cpu->mems, mems, err);
	if (r < 0)
		return r;
	free(cpu->cpus);
	cpu->cpus = TAKE_PTR(cpus_copy);
	resources(spec)->cpu.set = true;
	return 0;
}

LCX_PUBLIC int lcx_spec_set_pids_limit(struct lcx_spec *spec, int64_t limit, struct lcx_error **err)
{
	if (limit < LCX_SPEC_UNLIMITED)
		return lcx__fail(err, EINVAL,
				 "pids limit: must be a number, or -1 for no limit, not %" PRId64,
				 limit);
	resources(spec)->pids.set = true;
	spec->linux_.resources.pids.limit = (struct lcx__opt_i64)LCX__OPT(limit);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_blkio_weight(struct lcx_spec *spec, uint32_t weight,
					 struct lcx_error **err)
{
	if (weight < 10 || weight > 1000)
		return lcx__fail(err, EINVAL, "block io weight: must be from 10 to 1000, not %u",
				 weight);
	resources(spec)->blkio.set = true;
	spec->linux_.resources.blkio.weight = (struct lcx__opt_u32)LCX__OPT(weight);
	return 0;
}

static void *throttle_list(struct lcx__res_blkio *blkio, const char *kind)
{
	const struct {
		const char *name;
		void *list;
	} kinds[] = {
		{"read_bps", &blkio->read_bps},
		{"write_bps", &blkio->write_bps},
		{"read_iops", &blkio->read_iops},
		{"write_iops", &blkio->write_iops},
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].name, kind) == 0)
			return kinds[i].list;
	return NULL;
}

LCX_PUBLIC int lcx_spec_add_blkio_throttle(struct lcx_spec *spec, const char *kind, uint32_t major,
					   uint32_t minor, uint64_t rate, struct lcx_error **err)
{
	void *list = throttle_list(&spec->linux_.resources.blkio, kind);
	struct lcx__res_blkio_throttle *item;

	if (!list)
		return lcx__fail(
			err, EINVAL,
			"'%.32s' is no throttle: read_bps, write_bps, read_iops or write_iops",
			kind);
	item = lcx__add_item(list, sizeof(*item), err);
	if (!item)
		return -ENOMEM;
	resources(spec)->blkio.set = true;
	item->major = (struct lcx__opt_i64)LCX__OPT(major);
	item->minor = (struct lcx__opt_i64)LCX__OPT(minor);
	item->rate = (struct lcx__opt_u64)LCX__OPT(rate);
	return 0;
}

LCX_PUBLIC int lcx_spec_add_hugepage_limit(struct lcx_spec *spec, const char *page_size,
					   uint64_t limit_bytes, struct lcx_error **err)
{
	CLEANUP(freep) char *copy = NULL;
	struct lcx__res_hugepage *item;
	int r = lcx__check_page_size(page_size, err);

	if (r < 0)
		return lcx__fail_prefix(err, r, "huge page size");
	r = lcx__set_string(&copy, page_size, err);
	if (r < 0)
		return r;
	item = lcx__add_item(&resources(spec)->hugepages, sizeof(*item), err);
	if (!item)
		return -ENOMEM;
	item->page_size = TAKE_PTR(copy);
	item->limit = (struct lcx__opt_u64)LCX__OPT(limit_bytes);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_unified(struct lcx_spec *spec, const char *file, const char *value,
				    struct lcx_error **err)
{
	int r = lcx__check_unified_name(file, err);

	if (r < 0)
		return lcx__fail_prefix(err, r, "cgroup file");
	return lcx__set_pair(&resources(spec)->unified, file, value, err);
}
