/* SPDX-License-Identifier: MIT */
#pragma once

/* What apply.c needs of limits.c beyond the public calls. */

#include "cgroup/cgroup-internal.h"

/* cpu.weight that is to the default of 100 as @shares is to its default of 1024. */
uint64_t lcx__cgroup_weight_from_shares(uint64_t shares);
uint64_t lcx__cgroup_shares_from_weight(uint64_t weight);

/* blkio.weight (10 to 1000) and io.weight (1 to 10000), linear as all runtimes do it. */
uint64_t lcx__cgroup_io_weight_from_blkio(uint64_t weight);
uint64_t lcx__cgroup_blkio_from_io_weight(uint64_t weight);

/* Write one control file of @controller, on whichever version it is; words included. */
int lcx__cgroup_write(struct lcx_cgroup *cg, int index, const char *file, const char *text,
		      struct lcx_error **err);

/* A single number out of a control file; "max" and what version 1 prints for it are INT64_MAX. */
int lcx__cgroup_read_number(int dir_fd, const char *file, int64_t *ret);

/* Version 1 only: memory, and memory plus swap, in the order that the kernel takes; -1 leaves one.
 */
int lcx__cgroup_set_memory_v1(struct lcx_cgroup *cg, int index, int64_t memory_bytes,
			      int64_t memsw_bytes, struct lcx_error **err);

/* Quota and period at once; -1 leaves one as it is, INT64_MAX is no quota. */
int lcx__cgroup_set_cpu_max(struct lcx_cgroup *cg, int64_t quota_us, int64_t period_us,
			    struct lcx_error **err);
