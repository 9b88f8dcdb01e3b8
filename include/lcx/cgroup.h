/* SPDX-License-Identifier: MIT */
#ifndef LCX_CGROUP_H
#define LCX_CGROUP_H

#include <stdint.h>

#include <lcx/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Control groups: version 2, version 1 and both at once ("hybrid"). The words
 * are those of version 2; on version 1 each limit is spelled as that version
 * reads it. What the running kernel lacks is an error that names the
 * controller and the way out, never ignored.
 *
 * Amounts are int64_t. INT64_MAX is "unlimited", both where a limit is set and
 * where it is read; -1 is "unknown", in statistics only.
 */

/**
 * struct lcx_cgroup - one named cgroup
 *
 * On version 2 one directory; on version 1 one directory in each hierarchy in
 * use. Which are in use follows from what is asked: a new cgroup exists only
 * where its processes are tracked (the unified hierarchy if there is one, else
 * freezer, pids, name=systemd, or any other), and a limit adds the hierarchy of
 * its controller.
 *
 * The handle owns descriptors, not the cgroup: lcx_cgroup_free() leaves the
 * cgroup in place. One thread at a time per handle; handles never share state.
 */
struct lcx_cgroup;

/* --- this machine --- */

enum lcx_cgroup_mode {
	LCX_CGROUP_MODE_NONE,    /* no cgroup file system is mounted here */
	LCX_CGROUP_MODE_V1,      /* version 1 hierarchies only */
	LCX_CGROUP_MODE_HYBRID,  /* version 1 controllers beside a unified hierarchy */
	LCX_CGROUP_MODE_UNIFIED, /* version 2 only */
};

/**
 * lcx_cgroup_mode() - what is mounted, as this process sees it now
 *
 * From /proc/self/mountinfo, by file system type and options, never by path.
 *
 * Return: an enum lcx_cgroup_mode, or a negative errno.
 */
int lcx_cgroup_mode(struct lcx_error **err);

/**
 * lcx_cgroup_has_controller() - can a limit of this controller be set
 * @controller: "cpu", "cpuacct", "cpuset", "memory", "io" (or "blkio"), "pids", "devices",
 *              "freezer", "hugetlb", "rdma", "misc", "net_cls", "net_prio", "perf_event"
 *
 * Return: 1, 0, or a negative errno: -EINVAL for a name that is no controller.
 */
int lcx_cgroup_has_controller(const char *controller, struct lcx_error **err);

/**
 * lcx_cgroup_vacate() - move the processes of the caller's own cgroup into a leaf
 * @leaf: one component, made if missing
 *
 * Version 2 allows no controller below a cgroup that holds processes itself
 * (unless it is the root). A program that was started in a delegated cgroup, as
 * a service with Delegate=yes or as the first process of a container, calls this
 * once, before it creates cgroups with relative paths. Every process of the
 * delegated cgroup moves, the caller included. Nothing happens on version 1.
 *
 * Return: 0, or a negative errno: -EACCES if the cgroup is not delegated to the caller.
 */
int lcx_cgroup_vacate(const char *leaf, struct lcx_error **err);

/* --- life of a cgroup --- */

/**
 * lcx_cgroup_create() - make a new cgroup
 * @path: components separated by "/". A relative path starts at the place that is the
 *        caller's: the nearest delegated cgroup, else the topmost one that belongs to the
 *        caller's user (the root of the mount, for the superuser); lcx_cgroup_path() tells it.
 *        An absolute path starts at the root of each mount. Missing parents are made.
 * @ret:  the new handle, owned by the caller; untouched on failure
 * @err:  the failure in words, or NULL if unwanted; untouched on success
 *
 * Return: 0, or a negative errno: -EEXIST if the cgroup is already there, -EINVAL for a bad
 * @path, -ENODEV if no cgroup file system is mounted, -EACCES or -EPERM without the right to.
 */
int lcx_cgroup_create(const char *path, struct lcx_cgroup **ret, struct lcx_error **err);

/**
 * lcx_cgroup_open() - attach to a cgroup, in every hierarchy where it exists
 * @path: as for lcx_cgroup_create(); "" is the caller's place itself
 *
 * Return: 0, or a negative errno: -ENOENT if it exists in no hierarchy.
 */
int lcx_cgroup_open(const char *path, struct lcx_cgroup **ret, struct lcx_error **err);

/**
 * lcx_cgroup_destroy() - remove the cgroup and all below it
 * @timeout_ms: how long to wait for processes that are already dying; 0 for not at all
 *
 * Kills nothing: see lcx_cgroup_kill(). Empty parents of a relative path, and those that this
 * handle made, go too. A cgroup that is gone already is a success. The handle stays, to be freed.
 *
 * Return: 0, or a negative errno: -EBUSY if processes live in it or below.
 */
int lcx_cgroup_destroy(struct lcx_cgroup *cg, uint32_t timeout_ms, struct lcx_error **err);

/** lcx_cgroup_free() - drop the handle; NULL is accepted, NULL is returned */
struct lcx_cgroup *lcx_cgroup_free(struct lcx_cgroup *cg);

/** lcx_cgroup_path() - absolute: any process may open it by this name; valid as long as @cg */
const char *lcx_cgroup_path(const struct lcx_cgroup *cg);

/**
 * lcx_cgroup_use() - account for a controller although no limit of it is set
 * @controller: as for lcx_cgroup_has_controller()
 *
 * Statistics of memory, for example, need the memory controller. On version 2 the controller
 * is enabled in the parents, as far as needed; on version 1 the cgroup is made in its
 * hierarchy, and processes that are already in the cgroup are moved there.
 *
 * Return: 0, or a negative errno: -ENODEV if this kernel has no such controller, -EBUSY if a
 * parent holds processes (see lcx_cgroup_vacate()).
 */
int lcx_cgroup_use(struct lcx_cgroup *cg, const char *controller, struct lcx_error **err);

/* --- processes --- */

/**
 * lcx_cgroup_add_pid() - move a process, with all its threads, into the cgroup
 * @pid: as in the caller's pid namespace; 0 is the caller
 *
 * Costs a grace period of the kernel (milliseconds) where the process has started already;
 * processes that liblcx starts are born in their cgroup instead.
 *
 * Return: 0, or a negative errno: -ESRCH if it is gone.
 */
int lcx_cgroup_add_pid(struct lcx_cgroup *cg, int32_t pid, struct lcx_error **err);

/** lcx_cgroup_is_populated() - 1 if a process lives in it or below, 0 if none, or a negative errno
 */
int lcx_cgroup_is_populated(struct lcx_cgroup *cg, struct lcx_error **err);

/**
 * struct lcx_cgroup_pids - the processes of a cgroup and of those below it, at one moment
 *
 * Processes of other pid namespaces, which have no number here, are left out.
 */
struct lcx_cgroup_pids;

int lcx_cgroup_pids_new(struct lcx_cgroup *cg, struct lcx_cgroup_pids **ret,
			struct lcx_error **err);
/** lcx_cgroup_pids_next() - the next pid, or 0 after the last */
int32_t lcx_cgroup_pids_next(struct lcx_cgroup_pids *pids);
struct lcx_cgroup_pids *lcx_cgroup_pids_free(struct lcx_cgroup_pids *pids);

/**
 * lcx_cgroup_freeze() - stop every process where it stands
 * @timeout_ms: when a process does not stop in this time (it sleeps in the kernel, say), all
 *              are thawed again and -ETIMEDOUT is returned; 0 only starts the freeze
 */
int lcx_cgroup_freeze(struct lcx_cgroup *cg, uint32_t timeout_ms, struct lcx_error **err);

/** lcx_cgroup_thaw() - let them go on; -ETIMEDOUT as for lcx_cgroup_freeze() */
int lcx_cgroup_thaw(struct lcx_cgroup *cg, uint32_t timeout_ms, struct lcx_error **err);

/** lcx_cgroup_is_frozen() - 1 if every process has stopped, 0 if not, or a negative errno */
int lcx_cgroup_is_frozen(struct lcx_cgroup *cg, struct lcx_error **err);

/**
 * lcx_cgroup_signal() - send a signal to every process, through pidfds
 *
 * A process forked meanwhile may be missed; SIGKILL goes through lcx_cgroup_kill(), which misses
 * none.
 */
int lcx_cgroup_signal(struct lcx_cgroup *cg, int32_t signal, struct lcx_error **err);

/**
 * lcx_cgroup_kill() - kill every process, also those forked meanwhile and those frozen
 * @timeout_ms: how long to wait until the cgroup is empty; 0 does not wait
 *
 * One write to cgroup.kill where the kernel has it (5.14, version 2 or hybrid), else freeze,
 * signal each, thaw, until none is left.
 *
 * Return: 0, or a negative errno: -ETIMEDOUT if one is left (it sleeps in the kernel), -EBUSY
 * if the caller itself is in the cgroup.
 */
int lcx_cgroup_kill(struct lcx_cgroup *cg, uint32_t timeout_ms, struct lcx_error **err);

/* --- limits --- */

enum lcx_cgroup_limit {
	LCX_CGROUP_MEMORY_MAX_BYTES,  /* above it the kernel reclaims, then kills */
	LCX_CGROUP_MEMORY_HIGH_BYTES, /* above it the kernel reclaims and slows down; version 2 */
	LCX_CGROUP_MEMORY_LOW_BYTES,  /* protected from reclaim, best effort */
	LCX_CGROUP_MEMORY_MIN_BYTES,  /* protected from reclaim, always; version 2 */
	LCX_CGROUP_SWAP_MAX_BYTES,    /* swap alone; version 1: needs MEMORY_MAX first */
	LCX_CGROUP_SWAPPINESS,        /* 0 to 100; version 1 */
	LCX_CGROUP_OOM_GROUP,         /* 1: the OOM killer takes all or none; version 2 */
	LCX_CGROUP_OOM_KILL_DISABLE,  /* 1: wait instead of kill; version 1 */
	LCX_CGROUP_KERNEL_TCP_MAX_BYTES,   /* version 1 */
	LCX_CGROUP_CPU_QUOTA_US,           /* CPU time in each period */
	LCX_CGROUP_CPU_PERIOD_US,          /* 1,000 to 1,000,000 */
	LCX_CGROUP_CPU_BURST_US,           /* unused quota that may be saved up */
	LCX_CGROUP_CPU_WEIGHT,             /* 1 to 10,000, normally 100; version 1: as shares */
	LCX_CGROUP_CPU_SHARES,             /* 2 to 262,144, normally 1,024; version 2: as weight */
	LCX_CGROUP_CPU_IDLE,               /* 1: only what nobody else wants */
	LCX_CGROUP_CPU_RT_RUNTIME_US,      /* version 1 */
	LCX_CGROUP_CPU_RT_PERIOD_US,       /* version 1 */
	LCX_CGROUP_PIDS_MAX,               /* processes and threads */
	LCX_CGROUP_IO_WEIGHT,              /* 1 to 10,000, normally 100; version 1: 10 to 1,000 */
	LCX_CGROUP_IO_LEAF_WEIGHT,         /* 10 to 1,000; version 1 */
	LCX_CGROUP_NET_CLASS_ID,           /* 32 bits, for tc and nft; version 1 */
	LCX_CGROUP_ZSWAP_MAX_BYTES,        /* swapped, but kept in memory; version 2, Linux 5.19 */
	LCX_CGROUP_ZSWAP_WRITEBACK,        /* 0: never from there to a disk; version 2, Linux 6.8 */
	LCX_CGROUP_LIMIT__PAD = 0x7fffffff /* fixes the size */
};

/**
 * lcx_cgroup_set_limit() - set one limit, now
 * @limit: an enum lcx_cgroup_limit
 * @value: in the unit of its name; INT64_MAX for no limit, where the limit can be unlimited
 *
 * Return: 0, or a negative errno: -EINVAL for an unknown @limit, -ERANGE for a bad @value,
 * -ENODEV if the controller is not here, -EOPNOTSUPP if this version of it has no such limit,
 * -EBUSY if a limit below the present usage is refused (version 1).
 */
int lcx_cgroup_set_limit(struct lcx_cgroup *cg, int32_t limit, int64_t value,
			 struct lcx_error **err);

/** lcx_cgroup_set_cpus() - allowed CPUs as a list, "0-2,5"; lcx_cgroup_set_mems() - NUMA nodes */
int lcx_cgroup_set_cpus(struct lcx_cgroup *cg, const char *list, struct lcx_error **err);
int lcx_cgroup_set_mems(struct lcx_cgroup *cg, const char *list, struct lcx_error **err);

/**
 * lcx_cgroup_set_partition() - whether its CPUs are shared with other cgroups; version 2
 * @type: "member", as all are at first; "root": its CPUs are nobody else's; "isolated": nor does
 *        the scheduler move anything to or from them (Linux 6.1)
 *
 * For more than "member" it needs CPUs of its own, lcx_cgroup_set_cpus(), and a parent that is a
 * partition, as the root is (cgroup-v2.rst, "cpuset.cpus.partition"). The kernel takes the word all
 * the same if that can't be, and says so in the file: here it is a failure, and it is "member" again.
 *
 * Return: 0; -EINVAL for another word; -EBUSY with the kernel's reason; -EOPNOTSUPP if there is no
 * such file: version 1, the root, or before Linux 5.0.
 */
int lcx_cgroup_set_partition(struct lcx_cgroup *cg, const char *type, struct lcx_error **err);

enum lcx_cgroup_io_limit {
	LCX_CGROUP_IO_READ_BYTES_PER_S,
	LCX_CGROUP_IO_WRITE_BYTES_PER_S,
	LCX_CGROUP_IO_READ_OPS_PER_S,
	LCX_CGROUP_IO_WRITE_OPS_PER_S,
	LCX_CGROUP_IO_DEVICE_WEIGHT,      /* as LCX_CGROUP_IO_WEIGHT, for this device */
	LCX_CGROUP_IO_DEVICE_LEAF_WEIGHT, /* version 1 */
	LCX_CGROUP_IO_LIMIT__PAD = 0x7fffffff
};

/**
 * lcx_cgroup_set_io_limit() - one limit for one block device
 * @limit: an enum lcx_cgroup_io_limit
 * @major, @minor: the whole device, not a partition
 */
int lcx_cgroup_set_io_limit(struct lcx_cgroup *cg, int32_t limit, uint32_t major, uint32_t minor,
			    int64_t value, struct lcx_error **err);

/** lcx_cgroup_set_hugetlb() - @page_size as the kernel spells it: "64KB", "2MB", "1GB" */
int lcx_cgroup_set_hugetlb(struct lcx_cgroup *cg, const char *page_size, int64_t limit_bytes,
			   struct lcx_error **err);

/** lcx_cgroup_set_rdma() - handles and objects of one RDMA device ("mlx5_0") */
int lcx_cgroup_set_rdma(struct lcx_cgroup *cg, const char *device, int64_t handles, int64_t objects,
			struct lcx_error **err);

/** lcx_cgroup_set_misc() - a scalar resource that the kernel lists in misc.capacity ("sev") */
int lcx_cgroup_set_misc(struct lcx_cgroup *cg, const char *resource, int64_t value,
			struct lcx_error **err);

/** lcx_cgroup_set_net_priority() - version 1; @interface of the caller's network namespace */
int lcx_cgroup_set_net_priority(struct lcx_cgroup *cg, const char *interface, uint32_t priority,
				struct lcx_error **err);

/**
 * lcx_cgroup_set_file() - write a control file of version 2 by its own name
 * @file: "memory.high", say. Names with "/" and the files that move or stop processes, or
 *        change the tree, are refused with -EINVAL.
 * @text: one line
 */
int lcx_cgroup_set_file(struct lcx_cgroup *cg, const char *file, const char *text,
			struct lcx_error **err);

/* --- devices --- */

/**
 * lcx_cgroup_device_rule() - add a rule to the list that lcx_cgroup_apply_devices() installs
 * @allow:  1 or 0
 * @type:   'c', 'b', or 'a' for both
 * @major, @minor: -1 for any
 * @access: out of "rwm", at least one
 *
 * Of several rules that match, the last decides. A new list starts with "everything denied".
 */
int lcx_cgroup_device_rule(struct lcx_cgroup *cg, int32_t allow, char type, int64_t major,
			   int64_t minor, const char *access, struct lcx_error **err);

/**
 * lcx_cgroup_device_defaults() - add what every container has
 *
 * mknod of any device; use of null, zero, full, random, urandom, tty, console, ptmx and pts.
 */
int lcx_cgroup_device_defaults(struct lcx_cgroup *cg, struct lcx_error **err);

/** lcx_cgroup_clear_devices() - forget the list; what is installed stays until the next apply */
void lcx_cgroup_clear_devices(struct lcx_cgroup *cg);

/**
 * lcx_cgroup_apply_devices() - install the list, also while processes run
 *
 * Version 2: an eBPF program, replaced in one step. Version 1: devices.deny and devices.allow,
 * so written that nothing is allowed meanwhile that both lists deny.
 *
 * Return: 0, or a negative errno: -EPERM without the right to (a user namespace, say).
 */
int lcx_cgroup_apply_devices(struct lcx_cgroup *cg, struct lcx_error **err);

/* --- events --- */

enum lcx_cgroup_event {
	LCX_CGROUP_EVENT_NONE,
	LCX_CGROUP_EVENT_EMPTY,     /* the last process is gone */
	LCX_CGROUP_EVENT_POPULATED, /* the first came; version 2 */
	LCX_CGROUP_EVENT_OOM,       /* the memory limit was hit and reclaim failed */
	LCX_CGROUP_EVENT_OOM_KILL,  /* the kernel killed a process for it */
	LCX_CGROUP_EVENT_FROZEN,    /* version 2 */
	LCX_CGROUP_EVENT_THAWED,    /* version 2 */
	LCX_CGROUP_EVENT_REMOVED,   /* the cgroup itself is gone */
};

/**
 * struct lcx_cgroup_watch - what happens in a cgroup, as a pollable descriptor
 *
 * Counts from its making on. Holds its own descriptors: events that were not yet read survive
 * lcx_cgroup_free(), and should be read before lcx_cgroup_destroy().
 */
struct lcx_cgroup_watch;

int lcx_cgroup_watch_new(struct lcx_cgroup *cg, struct lcx_cgroup_watch **ret,
			 struct lcx_error **err);
/** lcx_cgroup_watch_fd() - borrowed; readable (POLLIN) when lcx_cgroup_watch_next() has something
 */
int lcx_cgroup_watch_fd(const struct lcx_cgroup_watch *watch);
/** lcx_cgroup_watch_next() - the next enum lcx_cgroup_event; _NONE when there is none; never blocks
 */
int lcx_cgroup_watch_next(struct lcx_cgroup_watch *watch);
struct lcx_cgroup_watch *lcx_cgroup_watch_free(struct lcx_cgroup_watch *watch);

/**
 * lcx_cgroup_oom_kills() - how often the kernel killed in this cgroup for lack of memory
 *
 * Return: a count, -ENODATA if the memory controller is not in use, or another negative errno.
 */
int64_t lcx_cgroup_oom_kills(struct lcx_cgroup *cg);

enum lcx_cgroup_pressure {
	LCX_CGROUP_PRESSURE_CPU,
	LCX_CGROUP_PRESSURE_MEMORY,
	LCX_CGROUP_PRESSURE_IO,
};

/**
 * lcx_cgroup_pressure_fd() - a descriptor that tells when processes stall (PSI)
 * @resource:  an enum lcx_cgroup_pressure
 * @full:      1: all processes stalled at once; 0: some did
 * @stall_us:  that much stall ...
 * @window_us: ... within this window, 500,000 to 10,000,000; without CAP_SYS_RESOURCE a multiple
 *             of 2,000,000
 *
 * Return: a descriptor that the caller polls for POLLPRI and closes, or a negative errno:
 * -EOPNOTSUPP without a unified hierarchy or without PSI in the kernel.
 */
int lcx_cgroup_pressure_fd(struct lcx_cgroup *cg, int32_t resource, int32_t full, uint32_t stall_us,
			   uint32_t window_us, struct lcx_error **err);

/* --- statistics --- */

/**
 * struct lcx_cgroup_stats - figures of one cgroup, read again and again
 *
 * Holds its own descriptors of the statistics files, so a reading costs one pread(2) a file and
 * works on after lcx_cgroup_free(). Getters return the last reading: -1 for what this kernel
 * does not tell, or while the controller is not in use (see lcx_cgroup_use()); INT64_MAX for a
 * limit that is not set. Times and counts are totals since the cgroup was made.
 */
struct lcx_cgroup_stats;

/** lcx_cgroup_stats_new() - open the files and read them once */
int lcx_cgroup_stats_new(struct lcx_cgroup *cg, struct lcx_cgroup_stats **ret,
			 struct lcx_error **err);
/** lcx_cgroup_stats_read() - read anew; -ENODEV when the cgroup is gone: the last reading is kept
 */
int lcx_cgroup_stats_read(struct lcx_cgroup_stats *stats, struct lcx_error **err);
struct lcx_cgroup_stats *lcx_cgroup_stats_free(struct lcx_cgroup_stats *stats);

int64_t lcx_cgroup_stats_cpu_usage_ns(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_cpu_user_ns(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_cpu_system_ns(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_cpu_periods(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_cpu_throttled_periods(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_cpu_throttled_ns(const struct lcx_cgroup_stats *stats);

int64_t lcx_cgroup_stats_memory_usage_bytes(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_memory_peak_bytes(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_memory_limit_bytes(const struct lcx_cgroup_stats *stats);
/** usage without the page cache that could go at once: what `docker stats` shows */
int64_t lcx_cgroup_stats_memory_working_set_bytes(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_memory_anon_bytes(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_memory_file_bytes(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_memory_inactive_file_bytes(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_memory_kernel_bytes(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_memory_page_faults(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_memory_major_faults(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_memory_oom_kills(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_swap_usage_bytes(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_swap_limit_bytes(const struct lcx_cgroup_stats *stats);

int64_t lcx_cgroup_stats_pids_current(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_pids_limit(const struct lcx_cgroup_stats *stats);

/** sums over all block devices */
int64_t lcx_cgroup_stats_io_read_bytes(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_io_write_bytes(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_io_read_ops(const struct lcx_cgroup_stats *stats);
int64_t lcx_cgroup_stats_io_write_ops(const struct lcx_cgroup_stats *stats);

/**
 * lcx_cgroup_stats_stalled_ns() - time lost waiting for a resource (PSI)
 * @resource: an enum lcx_cgroup_pressure
 * @full:     1: all processes stalled at once; 0: some did
 */
int64_t lcx_cgroup_stats_stalled_ns(const struct lcx_cgroup_stats *stats, int32_t resource,
				    int32_t full);

/**
 * struct lcx_cgroup_figures - all that a cgroup's files tell, by name; one reading
 *
 * Names keep their meaning from version to version, and end in the unit: "_ns", "_bytes", or a
 * count without; more may come. What this kernel does not tell, or a controller that is not in use
 * does not count, is not in the list; INT64_MAX is a limit that is not set. There are
 *
 *	cpu.usage_ns, memory.usage_bytes, ...	whatever has a getter above
 *	cpu.N.usage_ns, .user_ns, .system_ns	of processor N (version 1)
 *	cpuset.cpu.N, cpuset.node.N		1: may be used
 *	memory.stat.KEY, memory.events.KEY	the kernel's own, in its units: bytes or counts
 *	memory.kernel.*, memory.kernel_tcp.*, memory_and_swap.*	(version 1)
 *	io.MAJOR:MINOR.read_bytes, .write_ops, ...	of a disk; also discard_, and on version 1
 *		sync_, async_, total_
 *	hugetlb.SIZE.usage_bytes, .limit_bytes, ...	of pages of "2MB"
 */
struct lcx_cgroup_figures;

/** lcx_cgroup_figures_new() - read them; to be released with lcx_cgroup_figures_free() */
int lcx_cgroup_figures_new(struct lcx_cgroup *cg, struct lcx_cgroup_figures **ret,
			   struct lcx_error **err);
struct lcx_cgroup_figures *lcx_cgroup_figures_free(struct lcx_cgroup_figures *figures);
uint32_t lcx_cgroup_figures_count(const struct lcx_cgroup_figures *figures);
/** lcx_cgroup_figures_name() - of one below the count, in no promised order; borrowed, or NULL */
const char *lcx_cgroup_figures_name(const struct lcx_cgroup_figures *figures, uint32_t index);
/** lcx_cgroup_figures_value() - of the same, or -1 */
int64_t lcx_cgroup_figures_value(const struct lcx_cgroup_figures *figures, uint32_t index);
/** lcx_cgroup_figures_get() - by its name; -1 if it is not there */
int64_t lcx_cgroup_figures_get(const struct lcx_cgroup_figures *figures, const char *name);

#ifdef __cplusplus
}
#endif

#endif /* LCX_CGROUP_H */
