/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From a description to a launch plan. Everything that can be known before a
 * process exists is decided here, in the host, where errors have words and
 * memory is at hand; lcx-init only performs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "init/launch.h"
#include "spec/spec.h"

/* What the description does not say. All is borrowed. */
struct lcx__joined_ns {
	uint32_t flag; /* CLONE_NEW... */
	int fd;
};

struct lcx__compile {
	const struct lcx_spec *spec;
	/* Of an exec: the container's own description, whose namespaces are joined; only the
	 * process is @spec's. */
	const struct lcx_spec *container;
	int exec_pidfd; /* of an exec: a process in the container; else unused */

	/* The root: layers with (or without) a read-write layer, or else a directory. */
	const char *const *layers; /* top-most first; NULL: use @rootfs */
	const char *upper, *work;  /* NULL: read-only */
	bool volatile_changes;     /* they needn't survive a crash of the machine */
	const char *rootfs;
	const char *staging; /* an empty directory that it is mounted on */
	/*
	 * Of a user namespace whose root is nobody on the host: the root is mounted by the caller,
	 * and so is, while this is compiled, what is bound in it.
	 */
	bool handed;
	bool users_last; /* the caller may join what a joined user namespace has no rights over */
	int root_fd; /* then, or if @joins_mount: attached nowhere */
	bool joins_mount; /* the mount namespace is somebody else's: @mntns_fd */
	/*
	 * It is the host's, where nothing of the container's may be mounted: the caller's, as also
	 * with a description without one, or @mntns_fd.
	 */
	bool shares_mount;
	int mntns_fd; /* -1: the caller's */

	const int *join_fds; /* cgroup v1: the `tasks` files to write to */
	size_t n_join_fds;
	const int *class_fds; /* resctrl: likewise */
	size_t n_class_fds;
	const char *cgroup; /* its name, for errors */
	int cgroup_fd;      /* cgroup v2: for CLONE_INTO_CGROUP, or -1 */
	/*
	 * An exec joins it by itself: in one that may be frozen a clone would stop before its exec,
	 * and the caller's thread with it, vfork(2), with its signals blocked.
	 */
	bool joins_late;

	/* What createContainer and startContainer hooks read, files in memory; -1: there is no such
	 * hook. Written by the caller before it answers READY. */
	int creating_fd, created_fd;

	/* Namespaces that @spec joins, whatever its paths; all others by their paths. */
	const struct lcx__joined_ns *joined;
	size_t n_joined;

	const void *seccomp; /* struct sock_filter[]; NULL: none */
	size_t seccomp_size;

	bool netlink;  /* a socket in the network namespace is wanted */
	bool reaper;   /* lcx-init stays as the parent of the program */
	bool delegated; /* it may make cgroups of its own, where that can do no harm */
	bool hold;     /* lcx-init stays, and there is no program */
	bool make_cwd; /* a missing working directory is made */
	const char *home; /* "HOME=...", a variable more of the program; NULL: none */
	/* The start comes later, by lcx__gate_open(): the gate's two descriptors, or NULL. */
	const int *gate_fds;
	/* The caller's descriptors 3, 4, ... that the program gets under the same numbers. */
	int n_preserved;
	bool nodev_root;   /* device nodes that are in it can't be opened */
	bool move_root;    /* instead of pivot_root(2) */
	bool same_keyring; /* the caller's session keyring */
	const struct plan_monitor
		*monitor; /* NULL: the caller owns the process; its fds are the caller's */
	const char *log_context; /* of the monitor's log; its length stands there */
	bool trace;
};

struct lcx__compiled {
	struct lcx__plan *plan;
	uint64_t clone_flags;
	int cgroup_fd;     /* borrowed: CLONE_INTO_CGROUP, or -1 */
	int *owned_fds; /* must live until the launch */
	size_t n_owned_fds;
};

/*
 * The plan that makes, in a mount namespace of its own, only the bind mounts of a container that
 * doesn't run, on the detached tree @tree_fd, and then waits: READY. Of what is missing below
 * @optional, a directory, nothing is mounted; or NULL.
 */
int lcx__compile_view(const struct lcx_spec *spec, int tree_fd, const char *optional,
		      struct lcx__compiled *ret, struct lcx_error **err);

/* A tree of mounts as a container's: attached nowhere. Return: a descriptor. */
int lcx__clone_tree(const struct lcx_spec *spec, const char *path, bool recursive,
		    struct lcx_error **err);

/* The file of /proc of a switch of the kernel's; owned by the caller, NULL without memory. */
char *lcx__sysctl_path(const char *key);

void lcx__compiled_clear(struct lcx__compiled *compiled);

/* How many processes that plan has one after the other, before the container's. */
int lcx__compile_n_forks(const struct lcx__compile *input);

/* The plan that makes a container and executes its process. */
int lcx__compile_start(const struct lcx__compile *input, struct lcx__compiled *ret,
		       struct lcx_error **err);

/*
 * The plan for a program that makes a container's processes out of files, up to its execution,
 * which the caller appends: in the container's cgroup, in a mount namespace of its own, with the
 * container's root mounted on @input->staging.
 */
int lcx__compile_restore(const struct lcx__compile *input, struct lcx__compiled *ret,
			 struct lcx_error **err);

/* The plan that executes one more process in @input->container. */
int lcx__compile_exec(const struct lcx__compile *input, struct lcx__compiled *ret,
		      struct lcx_error **err);
