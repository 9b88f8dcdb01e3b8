/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * linux.resources of the OCI runtime specification 1.3: types only, no
 * functions, and no header but util/opt.h, so that lib/cgroup can take its
 * orders in this form although it stands above lib/spec.
 *
 * Units are the specification's (config-linux.md): bytes, microseconds,
 * weights of blkio 10 to 1000, shares of cpu 2 to 262144. What -1 means is said
 * per field. A field that is not set is not written to the kernel.
 */

#include "util/opt.h"

/* -1 is "no limit" for every byte count here. */
struct lcx__res_memory {
	bool set;
	struct lcx__opt_i64 limit;              /* memory.max, memory.limit_in_bytes */
	struct lcx__opt_i64 reservation;        /* memory.low, memory.soft_limit_in_bytes */
	struct lcx__opt_i64 swap;               /* memory *plus* swap, as v1 counts */
	struct lcx__opt_i64 kernel, kernel_tcp; /* v1 only, deprecated by the kernel */
	struct lcx__opt_u64 swappiness;         /* 0 to 100, v1 only */
	struct lcx__opt_bool disable_oom_killer, use_hierarchy; /* v1 only */
	struct lcx__opt_bool check_before_update; /* refuse a limit below the present usage */
};

struct lcx__res_cpu {
	bool set;
	struct lcx__opt_u64 shares;
	struct lcx__opt_i64 quota_us; /* per period; -1: no limit */
	struct lcx__opt_u64 burst_us, period_us;
	struct lcx__opt_i64 realtime_runtime_us; /* v1 only */
	struct lcx__opt_u64 realtime_period_us;  /* v1 only */
	struct lcx__opt_i64 idle;                /* 1: SCHED_IDLE for the whole cgroup */
	char *cpus, *mems;                       /* "0-3,7"; NULL: not set */
};

struct lcx__res_pids {
	bool set;
	struct lcx__opt_i64 limit; /* -1 (and, for Docker, 0): no limit */
};

struct lcx__res_blkio_weight {
	struct lcx__opt_i64 major, minor; /* always set */
	struct lcx__opt_u32 weight, leaf_weight;
};

struct lcx__res_blkio_throttle {
	struct lcx__opt_i64 major, minor; /* always set */
	struct lcx__opt_u64 rate;         /* bytes, or operations, per second */
};

struct lcx__res_blkio {
	bool set;
	struct lcx__opt_u32 weight, leaf_weight; /* 10 to 1000 */
	LCX__LIST(struct lcx__res_blkio_weight) weight_device;
	LCX__LIST(struct lcx__res_blkio_throttle) read_bps, write_bps, read_iops, write_iops;
};

struct lcx__res_hugepage {
	char *page_size;           /* "2MB", "1GB": [1-9][0-9]*[KMG]B, checked */
	struct lcx__opt_u64 limit; /* bytes */
};

struct lcx__res_if_priority {
	char *name;
	struct lcx__opt_u32 priority;
};

struct lcx__res_network_class {
	bool set;
	struct lcx__opt_u32 class_id; /* net_cls.classid */
	LCX__LIST(struct lcx__res_if_priority) priorities;
};

struct lcx__res_rdma {
	char *device; /* "mlx5_1" */
	struct lcx__opt_u32 hca_handles, hca_objects;
};

/* One rule of the device controller; later rules override earlier ones. */
struct lcx__res_device_rule {
	struct lcx__opt_bool allow;       /* always set */
	char *type;                       /* "a", "b", "c"; NULL: "a" */
	struct lcx__opt_i64 major, minor; /* not set, or -1: all */
	char *access;                     /* of "rwm"; NULL or "": all three */
};

struct lcx__resources {
	bool set;
	LCX__LIST(struct lcx__res_device_rule) devices;
	struct lcx__res_memory memory;
	struct lcx__res_cpu cpu;
	struct lcx__res_pids pids;
	struct lcx__res_blkio blkio;
	LCX__LIST(struct lcx__res_hugepage) hugepages;
	struct lcx__res_network_class network;
	LCX__LIST(struct lcx__res_rdma) rdma;
	LCX__LIST(struct lcx__key_value)
	unified; /* file of cgroup v2 -> text; the name has no '/' */
};
