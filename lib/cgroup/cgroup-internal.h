/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Shared by the files of lib/cgroup and nobody else.
 *
 *   controller.c their names in both versions
 *   layout.c    what is mounted where; base.c which place is ours
 *   tree.c      directories of one hierarchy: make, find, remove
 *   cgroup.c    the life of a handle, which hierarchies it is in
 *   below.c     places below a cgroup, for a process to enter
 *   enable.c    cgroup.subtree_control down the path
 *   prune.c     what is left above a cgroup in hierarchies of nobody else's
 *   procs.c     who is in it: list, signal, vacate
 *   track.c     populated, freeze, kill: the two tables of operations
 *   limits.c    the vocabulary of control files
 *   apply.c     linux.resources of the OCI
 *   devices.c   the list of device rules, and version 1; bpf.c version 2
 *   watch.c     events; stats.c figures, figures.c all of them by name
 */

#include <stdbool.h>
#include <stdint.h>

#include "cgroup/cgroup.h"

/* --- controllers --- */

enum controller {
	CONTROLLER_CPU,
	CONTROLLER_CPUACCT,
	CONTROLLER_CPUSET,
	CONTROLLER_MEMORY,
	CONTROLLER_IO,
	CONTROLLER_PIDS,
	CONTROLLER_DEVICES,
	CONTROLLER_FREEZER,
	CONTROLLER_HUGETLB,
	CONTROLLER_RDMA,
	CONTROLLER_MISC,
	CONTROLLER_NET_CLS,
	CONTROLLER_NET_PRIO,
	CONTROLLER_PERF_EVENT,
	CONTROLLERS,
};

struct lcx__controller {
	const char *v1_name, *v2_name; /* NULL: not in this version */
	bool implicit;                 /* version 2 has it without enabling */
};

extern const struct lcx__controller lcx__controllers[CONTROLLERS];

/* By either name; a negative errno for none. */
int lcx__controller_find(const char *name, size_t length);

/* A bit for each version 2 controller named in a list separated by blanks. */
uint32_t lcx__controller_mask(const char *list);

/* --- layout --- */

enum { HIERARCHIES_MAX = LCX__CGROUP_JOIN_MAX };

struct lcx__hierarchy {
	char *mount_point; /* absolute, or below the layout's fs_fd */
	char *mount_root;  /* which cgroup of the hierarchy is mounted there */
	char *own;         /* the caller's cgroup, as a path below the mount: "" or "/a/b" */
	char name[64];     /* "memory", "cpu,cpuacct", "name=systemd", "unified": for messages */
	uint32_t controllers;
	uint32_t major, minor;
	bool unified, read_only;
};

/* What the caller sees of cgroups; immutable once made, shared by reference. */
struct lcx__cgroup_layout {
	unsigned int references;
	int fs_fd; /* AT_FDCWD, or a directory that stands in for "/" (tests) */
	size_t count;
	struct lcx__hierarchy hierarchies[HIERARCHIES_MAX];
	int unified;                 /* index, or -1 */
	int tracker;                 /* where new cgroups keep their processes, or -1 */
	int controller[CONTROLLERS]; /* index of the hierarchy, or -1 */
	char *base; /* where relative paths start, in every hierarchy: "" or "/a/b" */
};

/* Of this process, now. */
int lcx__cgroup_layout_read(struct lcx__cgroup_layout **ret, struct lcx_error **err);

/* Of the given texts of /proc/self/mountinfo and /proc/self/cgroup; @fs_fd is borrowed. */
int lcx__cgroup_layout_parse(int fs_fd, const char *mountinfo, const char *own,
			     struct lcx__cgroup_layout **ret, struct lcx_error **err);

struct lcx__cgroup_layout *lcx__cgroup_layout_ref(struct lcx__cgroup_layout *layout);
struct lcx__cgroup_layout *lcx__cgroup_layout_free(struct lcx__cgroup_layout *layout);
DEFINE_CLEANUP(struct lcx__cgroup_layout *, lcx__cgroup_layout_free)

enum lcx_cgroup_mode lcx__cgroup_layout_mode(const struct lcx__cgroup_layout *layout);

/*
 * The directory of an absolute @path, or of its first @length bytes, in one hierarchy, checked to
 * be of the file system that mountinfo spoke of.
 */
int lcx__cgroup_dir_open(const struct lcx__cgroup_layout *layout, int index, const char *path,
			 size_t length);
int lcx__cgroup_root_fd(const struct lcx__cgroup_layout *layout, int index);

/* layout->base, once the rest is known. */
int lcx__cgroup_find_base(struct lcx__cgroup_layout *layout);

/*
 * Whether @text, of some /proc/PID/cgroup, has its process at the absolute @path or below it.
 * -ENODATA if it does not tell: the hierarchy is mounted from outside of the cgroup namespace.
 */
int lcx__cgroup_layout_is_below(const struct lcx__cgroup_layout *layout, int index,
				const char *text, const char *path);

/* --- tree --- */

/* "/a/b" out of @base and @path, checked; -EINVAL for what cannot be a path of cgroups. */
int lcx__cgroup_path_join(const char *base, const char *path, char **ret);

/*
 * mkdir -p; -EEXIST if the last is there. *@ret_kept is the length of the part of
 * @path that was there before. What was made is removed again on failure.
 */
int lcx__cgroup_dir_make(const struct lcx__cgroup_layout *layout, int index, const char *path,
			 size_t *ret_kept);

/* Everything below @dir_fd, deepest first; -EBUSY if a process is in the way. */
int lcx__cgroup_dir_empty(int dir_fd);

/*
 * @path itself, and then its parents as long as they are empty and longer than @keep. @dir_fd is
 * the directory of @path, or -1.
 */
int lcx__cgroup_dir_remove(const struct lcx__cgroup_layout *layout, int index, const char *path,
			   size_t keep, int dir_fd);

/* Whether no cgroup is below it; one may come at any time. */
bool lcx__cgroup_is_leaf(int dir_fd);

/* The next directory entry that is a directory itself; NULL at the end. */
struct dirent *lcx__cgroup_next_dir(DIR *dir);
DIR *lcx__cgroup_dir_iterate(int dir_fd);

/* --- handle --- */

struct device_rule {
	bool allow;
	char type;            /* 'a', 'b', 'c' */
	uint8_t access;       /* DEVICE_* */
	int64_t major, minor; /* -1: any */
};

/* As the kernel's BPF_DEVCG_ACC_*. */
enum { DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4, DEVICE_ALL = 7 };

struct lcx_cgroup {
	struct lcx__cgroup_layout *layout;
	char *path;         /* absolute below each mount: "/a/b", or "/" */
	size_t base_length; /* parents longer than this are ours to remove when empty */
	bool created;       /* by this handle: a directory found elsewhere is a stranger's */
	int tracker;        /* index of the hierarchy that knows the processes */
	int dir_fd[HIERARCHIES_MAX];  /* -1: not in use */
	size_t kept[HIERARCHIES_MAX]; /* length of the path that was there before us */
	struct device_rule *rules;
	size_t rule_count;
};

int lcx__cgroup_create_in(struct lcx__cgroup_layout *layout, const char *path,
			  struct lcx_cgroup **ret, struct lcx_error **err);
int lcx__cgroup_open_in(struct lcx__cgroup_layout *layout, const char *path,
			struct lcx_cgroup **ret, struct lcx_error **err);

/*
 * Make sure that @controller is in use. Return: the index of its hierarchy (so that
 * cg->dir_fd[] of it is open), or a negative errno.
 */
int lcx__cgroup_use(struct lcx_cgroup *cg, enum controller controller, struct lcx_error **err);

static inline bool lcx__cgroup_is_v2(const struct lcx_cgroup *cg, int index)
{
	return cg->layout->hierarchies[index].unified;
}

static inline int lcx__cgroup_tracker_fd(const struct lcx_cgroup *cg)
{
	return cg->dir_fd[cg->tracker];
}

/* Version 2: enable these controllers from the base down to the parent of @cg. */
int lcx__cgroup_enable(struct lcx_cgroup *cg, uint32_t controllers, struct lcx_error **err);

/* --- processes --- */

struct lcx_cgroup_pids {
	int32_t *pids;
	size_t count, next;
	bool foreign; /* some have no number in this pid namespace */
};

/* All processes at or below @dir_fd. */
int lcx__cgroup_list_pids(int dir_fd, struct lcx_cgroup_pids *pids);

/* No process is in it, and no cgroup below it that one could be in. */
bool lcx__cgroup_is_deserted(int dir_fd);

/* Send to each; a pid that is reused meanwhile is not hit. */
int lcx__cgroup_signal_all(struct lcx_cgroup *cg, int32_t signal);

/* -EBUSY if the caller itself would be @what ("killed"). */
int lcx__cgroup_refuse_self(struct lcx_cgroup *cg, const char *what, struct lcx_error **err);

/* Move every process of the tracker's directory into the directory @to_fd. */
int lcx__cgroup_migrate(struct lcx_cgroup *cg, int to_fd);

/* --- tracking: one table for each version --- */

struct lcx__track_ops {
	int (*is_populated)(struct lcx_cgroup *cg);
	/* Wait until nobody is left; -ETIMEDOUT. */
	int (*wait_empty)(struct lcx_cgroup *cg, int64_t deadline_ns);
	/* Start, and (if the deadline is not 0) wait for, a freeze or a thaw. */
	int (*set_frozen)(struct lcx_cgroup *cg, bool frozen, int64_t deadline_ns);
	int (*is_frozen)(struct lcx_cgroup *cg);
	/* Kill all that are there, in one step if the kernel can: else -EOPNOTSUPP. */
	int (*kill)(struct lcx_cgroup *cg);
};

const struct lcx__track_ops *lcx__cgroup_track(const struct lcx_cgroup *cg);

/* --- small things --- */

/* Digits, or "max": INT64_MAX; -1 for anything else. */
int64_t lcx__cgroup_number(const char *text);

/* The whole number behind @key in a flat keyed file ("populated 1"); -ENODATA. */
int lcx__keyed_value(const char *text, const char *key, int64_t *ret);

/* Milliseconds for poll(2) until @deadline_ns, rounded up; 0 when it has passed. */
int lcx__cgroup_remaining_ms(int64_t deadline_ns);

/* Bind the list of rules: bpf.c. */
int lcx__cgroup_bpf_devices(int dir_fd, const struct device_rule *rules, size_t count);

/* How many programs decide about devices there, or a negative errno. */
int lcx__cgroup_bpf_count(int dir_fd);

/* The program alone, for tests: @insns of 8 bytes each; its length or -E2BIG. */
int lcx__cgroup_bpf_compile(const struct device_rule *rules, size_t count, uint64_t *insns,
			    size_t max);
