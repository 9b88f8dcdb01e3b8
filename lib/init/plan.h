/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The launch plan: everything that lcx-init does before a program is executed,
 * computed beforehand by the library. It is one flat blob that needs no parsing
 * and no allocation on the other side:
 *
 *	struct plan_header | struct plan_op[n_ops] | strings, vectors, data
 *
 * lcx-init maps it, performs the operations in their order, and ends with EXEC.
 * Offsets are counted from the start of the blob; 0 stands for "none". This
 * header is shared by the two sides and uses no C library.
 *
 * Adding an operation is: a row here, a function in a file ops-*.c, and its use
 * by whoever builds plans.
 */

#include <stdint.h>

#include "log/config.h"

#define PLAN_MAGIC 0x4e504c58u /* "XLPN" */

/*
 * X(NAME, stage, template): the stage is the word for lcx_error_stage(); the template
 * describes the operation when it fails: {0} to {4} are its strings, {n} its first number.
 */
#define PLAN_OPS(X)                                                                                \
	/* becoming somebody: ops-process.c */                                                     \
	X(NONDUMPABLE, "process", "hide from ptrace")                                              \
	X(SESSION, "process", "start a session")                                                   \
	X(DETACH, "process", "detach from the caller")                                             \
	X(MONITOR, "process", "start the monitored process")                                       \
	X(ENTER, "process", "enter the pid namespace")                                             \
	X(REAPER, "process", "start the program below init")                                       \
	X(HOLD, "process", "hold the namespaces")                                                  \
	X(SYNC, "process", "wait for the caller")                                                  \
	X(SEND_NETLINK, "network", "open a netlink socket in the network namespace")               \
	X(SEND_ROOT, "rootfs", "hand out the root directory")                                      \
	X(LOOPBACK, "network", "bring the loopback interface up")                                  \
	X(TERMINAL, "terminal", "make a terminal")                                                 \
	X(CONTROL, "terminal", "take the terminal as the controlling one")                         \
	/* its share of the machine: ops-scheduling.c */                                           \
	X(AFFINITY, "scheduling", "run on the processors {0}")                                     \
	X(SCHEDULER, "scheduling", "schedule it by {0}")                                           \
	X(IO_PRIORITY, "scheduling", "set the I/O priority {0}")                                   \
	X(MEMORY_POLICY, "scheduling", "set the memory policy {0}")                                \
	X(PERSONALITY, "process", "set the personality {0}")                                       \
	X(LABEL, "security", "set the {0} '{1}'")                                                  \
	X(TIMER_SLACK, "process", "set the timer slack to {n} ns")                                 \
	/* the end */                                                                              \
	X(CLOSE, "process", "close what the set-up needed")                                        \
	X(FIND, "exec", "execute '{0}'")                                                           \
	X(WAIT, "process", "wait for the start")                                                   \
	X(HOOK, "hook", "run {0} '{1}'")                                                           \
	X(EXEC, "exec", "execute '{0}'")                                                           \
	/* namespaces and cgroups: ops-ns.c */                                                     \
	X(JOIN_CGROUP, "cgroup", "join the cgroup '{0}'")                                          \
	X(JOIN_CLASS, "cgroup", "join the class of service of linux.intelRdt")                     \
	X(SETNS, "namespace", "join the {0} namespace")                                            \
	X(UNSHARE, "namespace", "make new namespaces")                                             \
	X(TIME_OFFSETS, "namespace", "set the time namespace's offsets to '{0}'")                  \
	X(HOSTNAME, "namespace", "set the host name to '{0}'")                                     \
	X(DOMAINNAME, "namespace", "set the domain name to '{0}'")                                 \
	/* the root file system: ops-mount.c */                                                    \
	X(PROPAGATION, "mount", "make the mounts of the host {0}")                                 \
	X(ROOT_OVERLAY, "rootfs", "mount the overlay file system on '{0}'")                        \
	X(ROOT_BIND, "rootfs", "use '{1}' as the root file system")                                \
	X(ROOT_TREE, "rootfs", "use a tree that is mounted already as the root file system")       \
	/* one that the library has mounted: ops-root.c */                                         \
	X(STAGING, "rootfs", "open '{0}', to mount the root file system on")                       \
	X(ROOT_HANDED, "rootfs", "mount the root file system on '{0}'")                            \
	/* by another process, for one that has no mount namespace of its own: ops-build.c */      \
	X(BUILD, "mount", "start a process that makes the mounts")                                 \
	X(BUILT, "rootfs", "take the finished tree out of its mount namespace")                    \
	/* in a mount namespace of somebody else's: ops-root.c */                                  \
	X(ENTER_ROOT, "rootfs", "change the root to the container's")                              \
	X(UNMOUNT_ROOT, "rootfs", "unmount the container's root")                                  \
	/* what is in it: ops-mount.c */                                                           \
	X(MOUNT, "mount", "mount {0} on '{1}'")                                                    \
	X(BIND, "mount", "bind '{0}' on '{1}'")                                                    \
	X(TARGET, "mount", "make '{0}', to mount on it")                                           \
	X(MKNOD, "mount", "make the device '{1}' in '{0}'")                                        \
	X(SYMLINK, "mount", "make the link '{1}' in '{0}'")                                        \
	X(MASK, "mount", "mask '{0}'")                                                             \
	X(READONLY, "mount", "make '{0}' read-only")                                               \
	X(REMOUNT, "mount", "change the mount on '{0}'")                                           \
	X(SYSCTL, "sysctl", "set {0} to '{1}'")                                                    \
	X(PIVOT, "rootfs", "change the root to the container's")                                   \
	X(CHDIR, "process", "change to the working directory '{0}'")                               \
	/* what the process may do: ops-identity.c */                                              \
	X(PROC_WRITE, "process", "write '{1}' to {0}")                                             \
	X(RLIMIT, "rlimit", "set the limit {0}")                                                   \
	X(UMASK, "process", "set the umask")                                                       \
	X(KEYRING, "process", "join a new session keyring")                                        \
	X(CAP_BOUND, "capabilities", "limit the capability bounding set")                          \
	X(USER, "user", "become user {n}")                                                         \
	X(CAPS, "capabilities", "set the capabilities")                                            \
	/* ops-landlock.c */                                                                       \
	X(LANDLOCK_NEW, "landlock", "make a set of Landlock rules")                                \
	X(LANDLOCK_PATH, "landlock", "allow '{0}' by Landlock")                                    \
	X(LANDLOCK_PORT, "landlock", "allow the TCP port {n} by Landlock")                         \
	X(LANDLOCK_ENTER, "landlock", "enter the Landlock rules")                                  \
	X(NO_NEW_PRIVS, "process", "forbid new privileges")                                        \
	X(SECCOMP, "seccomp", "install the seccomp filter")

enum plan_code {
#define X(name, stage, text) PLAN_##name,
	PLAN_OPS(X)
#undef X
		PLAN_N_CODES
};

enum plan_op_flags {
	PLAN_F_RECURSIVE = 1 << 0,     /* ROOT_BIND, BIND: with the mounts below */
	PLAN_F_MAKE_TARGET = 1 << 1,   /* BIND, MOUNT, CHDIR: make a missing target */
	PLAN_F_IGNORE_ERRORS = 1 << 2, /* go on if it fails */
	PLAN_F_MOVE = 1 << 3,          /* PIVOT: by moving the mount, where pivot_root(2) can't */
	PLAN_F_TOP_ONLY = 1 << 4,      /* PROPAGATION: of the root's mount alone */
	PLAN_F_COPY_UP = 1 << 5,       /* MOUNT: what stands there is copied into it */
	PLAN_F_READONLY = 1 << 6,      /* ROOT_OVERLAY without upper; MOUNT: the superblock, too */
	PLAN_F_BUILDER = 1 << 7,       /* TERMINAL: it is another process's; CONTROL comes later */
};

struct plan_op {
	uint16_t code;   /* enum plan_code */
	uint16_t flags;  /* enum plan_op_flags */
	int32_t fd;      /* a descriptor of lcx-init's, or -1 */
	uint32_t str[5]; /* NUL-terminated strings, or vectors or data as the operation says */
	uint32_t length; /* bytes of data, or members of a vector */
	uint64_t num[4];
};

/*
 * Changes of propagation, up to four in one number: MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE and
 * MS_SHARED are the bits 17 to 20, MS_REC is 14.
 */
enum { PLAN_PROPAGATION_BITS = 8, PLAN_PROPAGATION_SHIFT = 14 };

static inline uint64_t plan_propagation(uint64_t changes)
{
	return (changes & 0x7f) << PLAN_PROPAGATION_SHIFT;
}

/* Attributes that are set and cleared in the whole tree, in one number: they have 32 bits each. */
static inline uint64_t plan_deep(uint64_t set, uint64_t clear)
{
	return set | clear << 32;
}

struct plan_header {
	uint32_t magic;
	uint32_t size; /* of the whole blob */
	uint32_t n_ops;
	uint32_t trace; /* non-zero: report each operation's duration */
#if LCX_WEAKEN
	uint32_t weakened, unused; /* util/weaken.h; the operations stay aligned */
#endif
};

/* What sched_setattr(2) takes, in the kernel's layout. */
struct plan_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
	uint32_t util_min, util_max;
};

/* The descriptors that lcx-init starts with; the plan's own follow. */
enum {
	PLAN_FD_CONTROL = 3,
	PLAN_FD_PLAN = 4,
	PLAN_FD_FIRST = 5,
};

/*
 * Control messages, one a packet of a SOCK_SEQPACKET socket, from lcx-init to
 * the library; the answer to SYNC, whose first number is the type of its message, is one byte. The
 * end of the stream without an ERROR means that the program was executed.
 */
enum plan_message_type {
	PLAN_MESSAGE_ERROR =
		1,         /* operation @op failed with @error; @text is the kernel's own, if any */
	PLAN_MESSAGE_MAPS, /* SYNC: waits for the id maps of its user namespace */
	PLAN_MESSAGE_READY,    /* SYNC: set up; waits for what the library does from outside */
	PLAN_MESSAGE_NETLINK,  /* carries the socket of SEND_NETLINK */
	PLAN_MESSAGE_ROOT,     /* carries the root directory of SEND_ROOT */
	PLAN_MESSAGE_TERMINAL, /* carries the master side of TERMINAL */
	PLAN_MESSAGE_CHILD,    /* carries the pidfd of the process that goes on with the plan */
	PLAN_MESSAGE_ADOPT,    /* to a monitor: carries the pidfd of process @op, its child */
	PLAN_MESSAGE_LISTENER, /* carries the listener of SECCOMP */
	PLAN_MESSAGE_TRACE,    /* operation @op took @ns */
	PLAN_MESSAGE_WAITING,  /* WAIT: from here on whoever opens the gate is spoken to */
};

struct plan_message {
	uint32_t type;
	uint32_t op;
	int32_t error; /* positive errno */
	uint32_t code; /* enum plan_code of @op, for who does not have the plan */
	uint64_t ns;
	char text[200];
};

enum { PLAN_EVENT_SIZE = 1024 };

/* "STATUS FINISHED_NS RUN", blanks, and a newline: each of the same length, with its NUL. */
enum { PLAN_EXIT_SIZE = 64 };

/* MONITOR's parameters, as data. Descriptors are lcx-init's, or -1. */
struct plan_monitor {
	uint64_t clone_flags;
	uint64_t run;           /* whose end it tells: the number that its start has drawn */
	int32_t state_dir_fd;   /* where "exit" is written, to ".exit" before */
	int32_t owner_fd;       /* the container's owner lock; the line of "exit" is written to it, too */
	int32_t log_dir_fd;     /* where a log's file is, or -1 */
	int32_t out_fd, err_fd; /* read ends of the pipes; -1 with a terminal */
	int32_t in_fd;          /* write end of its standard input; -1: none, or a terminal */
	int32_t listen_fd;      /* where others attach: attach.h; -1: nowhere */
	int32_t client_fd;      /* who is attached from the start on, or -1 */
	uint32_t terminal;      /* 1: its output comes from a terminal, not from the pipes */
	uint32_t system;        /* 1: a whole system, whose SIGINT is an orderly end: reboot(2) */
	uint32_t logging;       /* 1: as follows; with its context in str 1 */
	struct lcx__log_config log;
	int32_t cgroup_fd; /* CLONE_INTO_CGROUP, or -1 */
	/* Where the library names the process that the program has made as a child of the
	 * monitor's, and that takes its place: a restored one; -1: the program itself is it. */
	int32_t adopt_fd;
	int32_t event_dir_fd;           /* where events are told, or -1 */
	int32_t packer_fd;              /* the program that compresses the log's files, or -1 */
	char started[PLAN_EVENT_SIZE];  /* what is told when the program is executed; "": nothing */
	char exited[PLAN_EVENT_SIZE];   /* and at its end, up to its status and "}" */
	char log_lost[PLAN_EVENT_SIZE]; /* and of a log that lacks something, up to its detail */
	char log_rotated[PLAN_EVENT_SIZE]; /* and of one that begins a new file, likewise */
};
