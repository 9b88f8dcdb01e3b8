/* SPDX-License-Identifier: MIT */
#ifndef LCX_SPEC_H
#define LCX_SPEC_H

#include <stddef.h>
#include <stdint.h>

#include <lcx/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lcx_seccomp;

/**
 * struct lcx_spec - the description of a container
 *
 * One object for the Linux part of the OCI runtime specification 1.3, filled
 * by setters, by a config.json, or by both. It is data only: nothing happens to
 * the kernel before the description is given to a container. Setters copy what
 * they are given. A setter that fails leaves the description as it was. One
 * thread at a time per object.
 *
 * Every setter and adder returns 0, or -EINVAL for a value that the
 * specification does not allow (@err says which and why), or -ENOMEM. Where the
 * comment names no other errno, these are all.
 */
struct lcx_spec;

/* What several limits take for "no limit". */
#define LCX_SPEC_UNLIMITED INT64_C(-1)

/**
 * lcx_spec_new() - a description with Docker's defaults
 * @ret: the description, owned by the caller; untouched on failure
 * @err: the failure in words, or NULL if unwanted
 *
 * Own pid, network, ipc, uts, mount and cgroup namespaces; /proc, /dev (tmpfs), /dev/pts,
 * /dev/shm (64 MiB), /dev/mqueue, /sys and /sys/fs/cgroup (both read-only) mounted;
 * Docker's 14 capabilities, masked and read-only paths, device rules and default
 * seccomp profile (if the build has it: lcx_has_feature("seccomp")); user 0:0 in
 * "/", and PATH. No resource limit. no_new_privileges is off as in Docker, since it
 * would disable sudo and ping for users inside: turn it on where they aren't needed.
 * The arguments and the root file system are to be set, or come from an image.
 */
int lcx_spec_new(struct lcx_spec **ret, struct lcx_error **err);

/**
 * lcx_spec_new_empty() - a description of nothing
 *
 * No namespace, mount, capability set or argument: what is not set then is
 * inherited from the caller or left to the kernel, as for a config.json that
 * says "ociVersion" and no more.
 */
int lcx_spec_new_empty(struct lcx_spec **ret, struct lcx_error **err);

/**
 * lcx_spec_from_json() - read a config.json
 * @text:   the document; need not end with a NUL
 * @length: bytes in @text, at most 4 MiB
 * @ret:    the description, owned by the caller; untouched on failure
 * @err:    the failure in words: the JSON path and what is wrong there, e.g.
 *          "linux.resources.memory.limit: must be an integer"
 *
 * A value of the wrong type, out of range, or not in its enumeration is
 * refused; so are a key that stands twice in one object, an entry that contradicts
 * another, and nesting deeper than 32. Unknown properties are ignored, as the
 * specification (config.md, "Extensibility") demands, but reported as warnings; so
 * are unknown capability names. The parts for other operating systems ("windows",
 * "solaris", "vm", "zos", "freebsd") are ignored likewise.
 *
 * Return: 0; -EINVAL for a document that is refused; -E2BIG for one too
 * large; -ENOMEM.
 */
int lcx_spec_from_json(const char *text, size_t length, struct lcx_spec **ret,
		       struct lcx_error **err);

/** lcx_spec_n_warnings() - how many parts of the document were ignored */
size_t lcx_spec_n_warnings(const struct lcx_spec *spec);

/** lcx_spec_warning() - one of them, "process.foo: unknown property"; NULL beyond the last. Valid
 * as long as @spec */
const char *lcx_spec_warning(const struct lcx_spec *spec, size_t index);

/**
 * lcx_spec_to_json() - write a config.json
 * @ret: the document, NUL-terminated; the caller releases it with lcx_string_free()
 *
 * What is not set is not written. Reading the result gives an equal description,
 * with one exception: rules of a seccomp profile that depend on capabilities or on
 * the architecture are written as they apply to this description on this machine.
 */
int lcx_spec_to_json(const struct lcx_spec *spec, char **ret, struct lcx_error **err);

/**
 * lcx_spec_process_from_json() - read the object that is "process" in a config.json alone
 * @ret: a description with nothing but this process, for lcx_container_exec(); the caller's
 *
 * As an OCI runtime's `exec --process` takes it. Return: as lcx_spec_from_json().
 */
int lcx_spec_process_from_json(const char *text, size_t length, struct lcx_spec **ret,
			       struct lcx_error **err);

/**
 * lcx_spec_merge_resources() - change limits by the object that is "linux.resources" there
 *
 * As an OCI runtime's `update --resources` takes it. What it does not name stays as it is; lists
 * are replaced as a whole. Return: as lcx_spec_from_json(); then nothing was changed.
 */
int lcx_spec_merge_resources(struct lcx_spec *spec, const char *text, size_t length,
			     struct lcx_error **err);

/** lcx_spec_dup() - an independent copy */
int lcx_spec_dup(const struct lcx_spec *spec, struct lcx_spec **ret, struct lcx_error **err);

/**
 * lcx_spec_check() - whether this library on this kernel can put it all into effect
 *
 * Nothing that is described is ever silently left out: creating a container makes the same check.
 *
 * Return: 0; -EOPNOTSUPP, with the JSON path of the first property that can't
 * be put into effect and the reason; -EINVAL for a contradiction (an own host name without an own
 * uts namespace, ...).
 */
int lcx_spec_check(const struct lcx_spec *spec, struct lcx_error **err);

/** lcx_spec_free() - release; NULL is accepted, NULL is returned */
struct lcx_spec *lcx_spec_free(struct lcx_spec *spec);

/* The process */

/** lcx_spec_set_args() - the program and its arguments, NULL-terminated; replaces those before */
int lcx_spec_set_args(struct lcx_spec *spec, const char *const *args, struct lcx_error **err);

/** lcx_spec_add_arg() - one more argument; the first one is the program */
int lcx_spec_add_arg(struct lcx_spec *spec, const char *arg, struct lcx_error **err);

/** lcx_spec_set_env() - set one variable of the environment, replacing its value if it is there */
int lcx_spec_set_env(struct lcx_spec *spec, const char *name, const char *value,
		     struct lcx_error **err);

/** lcx_spec_add_env() - the same, given as "NAME=value" */
int lcx_spec_add_env(struct lcx_spec *spec, const char *assignment, struct lcx_error **err);

/** lcx_spec_unset_env() - remove one variable; fine if it isn't there */
int lcx_spec_unset_env(struct lcx_spec *spec, const char *name, struct lcx_error **err);

/** lcx_spec_clear_env() - remove them all */
int lcx_spec_clear_env(struct lcx_spec *spec, struct lcx_error **err);

/** lcx_spec_set_cwd() - the working directory inside; absolute */
int lcx_spec_set_cwd(struct lcx_spec *spec, const char *path, struct lcx_error **err);

/** lcx_spec_set_user() - numeric user and group; 4294967295 is no id. Names: lcx_user_lookup() */
int lcx_spec_set_user(struct lcx_spec *spec, uint32_t uid, uint32_t gid, struct lcx_error **err);

/** lcx_spec_add_group() - a supplementary group; fine if it is there already */
int lcx_spec_add_group(struct lcx_spec *spec, uint32_t gid, struct lcx_error **err);

/** lcx_spec_clear_groups() - no supplementary groups */
int lcx_spec_clear_groups(struct lcx_spec *spec, struct lcx_error **err);

/** lcx_spec_set_umask() - the file mode creation mask, at most 0777 */
int lcx_spec_set_umask(struct lcx_spec *spec, uint32_t mask, struct lcx_error **err);

/** lcx_spec_set_terminal() - whether the process gets a pseudo-terminal: 0 or 1 */
int lcx_spec_set_terminal(struct lcx_spec *spec, int32_t on, struct lcx_error **err);

/** lcx_spec_set_terminal_size() - in characters; 0 and 0: not known */
int lcx_spec_set_terminal_size(struct lcx_spec *spec, uint32_t rows, uint32_t columns,
			       struct lcx_error **err);

/** lcx_spec_set_no_new_privileges() - whether set-user-id programs are without effect: 0 or 1;
 * prctl(2) */
int lcx_spec_set_no_new_privileges(struct lcx_spec *spec, int32_t on, struct lcx_error **err);

/** lcx_spec_set_oom_score_adj() - -1000 (never killed) to 1000 (killed first); proc(5) */
int lcx_spec_set_oom_score_adj(struct lcx_spec *spec, int32_t score, struct lcx_error **err);

/**
 * lcx_spec_set_scheduler() - scheduling policy of the process; sched(7)
 * @policy:   SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_FIFO or SCHED_RR; NULL takes it out
 * @nice:     -20 to 19, of the first two
 * @priority: 1 to 99, of the last two; else 0
 *
 * A real-time policy needs CAP_SYS_NICE where it is started. Return: 0 or -EINVAL.
 */
int lcx_spec_set_scheduler(struct lcx_spec *spec, const char *policy, int32_t nice,
			   int32_t priority, struct lcx_error **err);

/** lcx_spec_set_deadline() - SCHED_DEADLINE; 0 < @runtime_ns <= @deadline_ns <= @period_ns */
int lcx_spec_set_deadline(struct lcx_spec *spec, uint64_t runtime_ns, uint64_t deadline_ns,
			  uint64_t period_ns, struct lcx_error **err);

/** lcx_spec_add_scheduler_flag() - "SCHED_FLAG_RESET_ON_FORK", ... once there is a policy;
 * sched_setattr(2) */
int lcx_spec_add_scheduler_flag(struct lcx_spec *spec, const char *flag, struct lcx_error **err);

/**
 * lcx_spec_set_io_priority() - ioprio_set(2)
 * @class_name: IOPRIO_CLASS_RT, IOPRIO_CLASS_BE or IOPRIO_CLASS_IDLE; NULL takes it out
 * @priority:   0 (first) to 7
 */
int lcx_spec_set_io_priority(struct lcx_spec *spec, const char *class_name, int32_t priority,
			     struct lcx_error **err);

/**
 * lcx_spec_set_exec_cpu_affinity() - processors of processes that are executed later in the
 * container
 * @initial: "0-3,7": where one runs until it is in the container's cgroup; NULL: anywhere
 * @final:   where it runs from then on; NULL: where the cgroup allows
 *
 * The container's first process is not affected: lcx_container_exec() is.
 */
int lcx_spec_set_exec_cpu_affinity(struct lcx_spec *spec, const char *initial, const char *final,
				   struct lcx_error **err);

/**
 * lcx_spec_set_memory_policy() - NUMA policy of the container's processes; set_mempolicy(2)
 * @mode:  "MPOL_BIND", "MPOL_INTERLEAVE", ...; NULL takes it out
 * @nodes: "0-1,3"; NULL: none
 */
int lcx_spec_set_memory_policy(struct lcx_spec *spec, const char *mode, const char *nodes,
			       struct lcx_error **err);

/**
 * lcx_spec_set_rdt_schemas() - its share of cache and memory bandwidth, by the kernel's resctrl
 * @l3_cache:         lines of its `schemata` as "L3:0=f0;1=f"; NULL: as they are
 * @memory_bandwidth: a line of it as "MB:0=20;1=70"; NULL: as it is
 *
 * A class of service that a config.json names by "closID" may have other containers in it, which
 * get the same. Needs resctrl mounted: Documentation/filesystems/resctrl.rst.
 * Return: 0; -EINVAL, -ENOMEM.
 */
int lcx_spec_set_rdt_schemas(struct lcx_spec *spec, const char *l3_cache,
			     const char *memory_bandwidth, struct lcx_error **err);

/** lcx_spec_add_memory_policy_flag() - "MPOL_F_STATIC_NODES", ... once there is a mode */
int lcx_spec_add_memory_policy_flag(struct lcx_spec *spec, const char *flag,
				    struct lcx_error **err);

/** lcx_spec_set_personality() - "LINUX", or "LINUX32" for a 32-bit uname; NULL takes it out */
int lcx_spec_set_personality(struct lcx_spec *spec, const char *domain, struct lcx_error **err);

/**
 * lcx_spec_add_landlock() - one more rule that the container's processes can't leave; landlock(7)
 * @rule: "read=PATH", "ro=PATH" (and to execute), "rw=PATH": the container's path and all below;
 *        "tcp-bind=PORT", "tcp-connect=PORT", "none" for no port at all; "scope=abstract-unix",
 *        "scope=signal": nothing outside of the container is reached by these
 *
 * The first rule about paths forbids all that no rule allows, and so does the first about each of
 * the others. They hold for root, too, beyond and whatever the other limits are. A path that is not
 * there is an error when the container starts, as is a kernel that cannot do all of it:
 * -EOPNOTSUPP. Return: 0, -EINVAL, -ENOMEM.
 */
int lcx_spec_add_landlock(struct lcx_spec *spec, const char *rule, struct lcx_error **err);

/** lcx_spec_set_landlock_best_effort() - do without what this kernel lacks of it; 0 or 1 */
int lcx_spec_set_landlock_best_effort(struct lcx_spec *spec, int32_t on, struct lcx_error **err);

/** lcx_spec_clear_landlock() - take all rules out */
int lcx_spec_clear_landlock(struct lcx_spec *spec, struct lcx_error **err);

/** lcx_spec_set_timer_slack() - how much later a timer may fire, in nanoseconds; PR_SET_TIMERSLACK
 * of prctl(2) */
int lcx_spec_set_timer_slack(struct lcx_spec *spec, uint64_t slack_ns, struct lcx_error **err);

/** lcx_spec_set_coredump_filter() - which mappings a core dump has: the bits of core(5) */
int lcx_spec_set_coredump_filter(struct lcx_spec *spec, uint32_t bits, struct lcx_error **err);

/**
 * lcx_spec_add_rlimit() - a resource limit of the process
 * @name: "RLIMIT_NOFILE", "NOFILE" or "nofile"; one set before is replaced
 * @soft: the limit in force, at most @hard; UINT64_MAX: infinity
 * @hard: how far the process itself may raise it
 */
int lcx_spec_add_rlimit(struct lcx_spec *spec, const char *name, uint64_t soft, uint64_t hard,
			struct lcx_error **err);

/** lcx_spec_set_apparmor_profile() - by name, loaded before by the host; NULL: none */
int lcx_spec_set_apparmor_profile(struct lcx_spec *spec, const char *profile,
				  struct lcx_error **err);

/** lcx_spec_set_selinux_label() - the process's context; NULL: none */
int lcx_spec_set_selinux_label(struct lcx_spec *spec, const char *label, struct lcx_error **err);

/**
 * lcx_spec_set_mount_label() - SELinux label of all files of the file systems that are mounted new:
 * the root's overlay, tmpfs, devpts; NULL: none
 */
int lcx_spec_set_mount_label(struct lcx_spec *spec, const char *label, struct lcx_error **err);

/* Capabilities: "CAP_NET_ADMIN", "net_admin", or "ALL" */

/**
 * lcx_spec_add_capability() - give one capability
 *
 * To the bounding, effective and permitted sets. What a process that is not user 0 gets of them is
 * the kernel's rule, capabilities(7). "ALL" is what the running kernel knows.
 */
int lcx_spec_add_capability(struct lcx_spec *spec, const char *name, struct lcx_error **err);

/** lcx_spec_drop_capability() - take one capability, or "ALL", out of every set; fine if it isn't
 * there */
int lcx_spec_drop_capability(struct lcx_spec *spec, const char *name, struct lcx_error **err);

/** lcx_spec_clear_capabilities() - empty sets: the process can do nothing that an ordinary user
 * can't */
int lcx_spec_clear_capabilities(struct lcx_spec *spec, struct lcx_error **err);

/** lcx_spec_add_ambient_capability() - also keep it over exec(2) by a user that isn't 0 */
int lcx_spec_add_ambient_capability(struct lcx_spec *spec, const char *name,
				    struct lcx_error **err);

/* Seccomp */

/**
 * lcx_spec_set_seccomp() - the filter for system calls
 * @profile: copied; NULL: no filter. See lcx/security.h
 */
int lcx_spec_set_seccomp(struct lcx_spec *spec, const struct lcx_seccomp *profile,
			 struct lcx_error **err);

/**
 * lcx_spec_set_privileged() - as Docker's --privileged: all that protects the host is taken away
 *
 * All capabilities, all devices, no seccomp, no masked or read-only path, /sys and
 * /sys/fs/cgroup writable. A process in it can take over the host.
 */
int lcx_spec_set_privileged(struct lcx_spec *spec, struct lcx_error **err);

/* The file system */

/** lcx_spec_set_root() - the directory of the root file system; absolute, or relative to the bundle
 */
int lcx_spec_set_root(struct lcx_spec *spec, const char *path, struct lcx_error **err);

/** lcx_spec_set_root_readonly() - 0 or 1; a root without a path is "rootfs" from then on */
int lcx_spec_set_root_readonly(struct lcx_spec *spec, int32_t on, struct lcx_error **err);

/**
 * lcx_spec_set_root_propagation() - "private", "slave", "shared", "unbindable", or "r" and one of
 * these
 *
 * With "shared", what a container without a user namespace of its own mounts below a bind mount
 * that is "shared", too, is mounted below its source on the host, and stays there when the
 * container has ended: what engines call bidirectional. So is what the library itself mounts below
 * it: other mounts of the description, what is masked or may only be read, and the console. Let none
 * of these be below such a bind mount, as there are if it is of /dev or /proc. Otherwise nothing of
 * its mounts reaches the host (mount_namespaces(7)).
 */
int lcx_spec_set_root_propagation(struct lcx_spec *spec, const char *kind, struct lcx_error **err);

/**
 * lcx_spec_add_mount() - mount something; in the order of the calls
 * @source:      a path for a bind mount, else what the file system takes; may be NULL
 * @destination: absolute, inside
 * @type:        a file system, or NULL: a bind mount, then "bind" is implied
 * @options:     NULL-terminated, may be NULL: those of the specification
 *               (config.md, "Linux mount options"), and what the file system takes
 *
 * A mount that stands already at the same @destination is replaced in its place: so the
 * defaults of lcx_spec_new() can be changed one by one.
 */
int lcx_spec_add_mount(struct lcx_spec *spec, const char *source, const char *destination,
		       const char *type, const char *const *options, struct lcx_error **err);

/** lcx_spec_add_bind() - a file or directory of the host; @readonly 0 or 1, recursively */
int lcx_spec_add_bind(struct lcx_spec *spec, const char *source, const char *destination,
		      int32_t readonly, struct lcx_error **err);

/** lcx_spec_add_tmpfs() - memory; nosuid, nodev, noexec; @size_bytes 0: the kernel's default, half
 * of the memory */
int lcx_spec_add_tmpfs(struct lcx_spec *spec, const char *destination, uint64_t size_bytes,
		       struct lcx_error **err);

struct lcx_idmap;

/**
 * lcx_spec_set_mount_idmap() - show what is bound at @destination with other owners
 * @map: what has a container id on the disk belongs to the host id beside it, as seen by the host;
 *       needs users and groups. NULL: that of the container's user namespace
 *
 * See lcx_idmap_mount() for what it takes. Return: 0; -ENOENT if nothing is mounted there, -EINVAL.
 */
int lcx_spec_set_mount_idmap(struct lcx_spec *spec, const char *destination,
			     const struct lcx_idmap *map, struct lcx_error **err);

/** lcx_spec_remove_mount() - take out what is mounted at @destination; -ENOENT if nothing is */
int lcx_spec_remove_mount(struct lcx_spec *spec, const char *destination, struct lcx_error **err);

/** lcx_spec_add_masked_path() - hide a file or directory; absolute; fine if it is missing in the
 * container */
int lcx_spec_add_masked_path(struct lcx_spec *spec, const char *path, struct lcx_error **err);

/** lcx_spec_clear_masked_paths() - hide nothing */
int lcx_spec_clear_masked_paths(struct lcx_spec *spec, struct lcx_error **err);

/** lcx_spec_add_readonly_path() - make a file or directory read-only; absolute; fine if it is
 * missing */
int lcx_spec_add_readonly_path(struct lcx_spec *spec, const char *path, struct lcx_error **err);

/** lcx_spec_clear_readonly_paths() - none of these */
int lcx_spec_clear_readonly_paths(struct lcx_spec *spec, struct lcx_error **err);

/**
 * lcx_spec_add_device() - a device node, and the right to use it
 * @path:   inside, absolute
 * @type:   "c", "b", or "p" for a fifo, which needs no right
 * @major:  its number; both 0 for "p"
 * @mode:   permission bits
 * @access: of "rwm" (read, write, mknod), for the device controller
 */
int lcx_spec_add_device(struct lcx_spec *spec, const char *path, const char *type, uint32_t major,
			uint32_t minor, uint32_t mode, uint32_t uid, uint32_t gid,
			const char *access, struct lcx_error **err);

/**
 * lcx_spec_add_device_rule() - a rule of the device controller alone; later rules win
 * @allow:  0 or 1
 * @type:   "a" (all), "b", "c"
 * @major:  -1: all
 * @minor:  -1: all
 * @access: of "rwm"
 */
int lcx_spec_add_device_rule(struct lcx_spec *spec, int32_t allow, const char *type, int64_t major,
			     int64_t minor, const char *access, struct lcx_error **err);

/**
 * lcx_spec_add_hook() - a program to run at a moment of the container's life
 * @kind:      "prestart", "createRuntime", "createContainer", "startContainer", "poststart" or
 *             "poststop": runtime-spec, config.md, "POSIX-platform Hooks"
 * @path:      absolute; of startContainer inside the container, of all others on the host
 * @args:      NULL-terminated, with the name of the program first; NULL: @path alone
 * @env:       NULL-terminated, "NAME=value" each; all that the program gets; may be NULL
 * @timeout_s: seconds until it is killed and taken for failed; 0: as long as it takes
 *
 * The program runs to its end before anything goes on, those of a kind in the order of the calls,
 * with the container's state as JSON on its standard input. Any exit status other than 0 ends the
 * start, and takes everything down again; only of poststop it is told as an event, "warning".
 * poststop runs whenever a start is taken down, also one that failed.
 *
 * createContainer runs in the container's namespaces, before it has its root directory;
 * startContainer as the container's user, with its capabilities and its seccomp filter. The others
 * run as the caller does. Hooks of the host are the one thing that liblcx executes outside a
 * container because a description says so: take descriptions only from whom you would let run
 * programs, or look at them first.
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int lcx_spec_add_hook(struct lcx_spec *spec, const char *kind, const char *path,
		      const char *const *args, const char *const *env, uint32_t timeout_s,
		      struct lcx_error **err);

/* Namespaces: "pid", "network" or "net", "mount" or "mnt", "ipc", "uts", "user", "cgroup", "time"
 */

/** lcx_spec_add_namespace() - a new one, instead of the caller's or the one to join */
int lcx_spec_add_namespace(struct lcx_spec *spec, const char *type, struct lcx_error **err);

/** lcx_spec_join_namespace() - one that exists, by an absolute path such as /proc/PID/ns/net */
int lcx_spec_join_namespace(struct lcx_spec *spec, const char *type, const char *path,
			    struct lcx_error **err);

/**
 * lcx_spec_remove_namespace() - share the caller's; fine if it is shared already
 *
 * Without "mount" nothing of the container is mounted on the host: its tree is attached nowhere, and
 * goes with its last process. But whoever has CAP_SYS_ADMIN and CAP_SYS_CHROOT in there may enter the
 * root of the namespace that is shared, which is the host's: see lcx-spec(3).
 */
int lcx_spec_remove_namespace(struct lcx_spec *spec, const char *type, struct lcx_error **err);

/**
 * lcx_spec_add_uid_map() - map a range of user ids; the user namespace is added if it isn't there
 * @container_id: first id inside
 * @host_id:      first id outside
 * @count:        how many; ranges may not overlap
 */
int lcx_spec_add_uid_map(struct lcx_spec *spec, uint32_t container_id, uint32_t host_id,
			 uint32_t count, struct lcx_error **err);

/** lcx_spec_add_gid_map() - the same for groups */
int lcx_spec_add_gid_map(struct lcx_spec *spec, uint32_t container_id, uint32_t host_id,
			 uint32_t count, struct lcx_error **err);

/** lcx_spec_clear_id_maps() - no map for users or groups */
int lcx_spec_clear_id_maps(struct lcx_spec *spec, struct lcx_error **err);

/**
 * lcx_spec_set_time_offset() - shift a clock; the time namespace is added if it isn't there
 * @clock: "monotonic" or "boottime"
 */
int lcx_spec_set_time_offset(struct lcx_spec *spec, const char *clock, int64_t seconds,
			     uint32_t nanoseconds, struct lcx_error **err);

/** lcx_spec_set_hostname() - at most 64 bytes; NULL: leave it */
int lcx_spec_set_hostname(struct lcx_spec *spec, const char *name, struct lcx_error **err);

/** lcx_spec_set_domainname() - the NIS domain, at most 64 bytes; NULL: leave it */
int lcx_spec_set_domainname(struct lcx_spec *spec, const char *name, struct lcx_error **err);

/**
 * lcx_spec_add_net_device() - lend the container an interface of the host's
 * @host_name: "eth1"; not one of a bridge, nor of a network
 * @name:      what it is called in the container; NULL: the same
 *
 * It is moved there with its addresses, its MTU and its MAC address, set up, and moved back when
 * the container ends; its routes are not kept. A container that may administer its network can
 * keep it for itself, or change what is plugged into it.
 */
int lcx_spec_add_net_device(struct lcx_spec *spec, const char *host_name, const char *name,
			    struct lcx_error **err);

/** lcx_spec_set_sysctl() - a kernel parameter that belongs to one of the namespaces:
 * "net.core.somaxconn" */
int lcx_spec_set_sysctl(struct lcx_spec *spec, const char *name, const char *value,
			struct lcx_error **err);

/**
 * lcx_spec_set_annotation() - a note; NULL @value: remove it
 *
 * lcx itself reads "org.systemd.property.NAME", if the cgroup manager is systemd: a property of the
 * container's scope, its value in the text format of GVariant, such as "uint64 5" or "'text'".
 */
int lcx_spec_set_annotation(struct lcx_spec *spec, const char *key, const char *value,
			    struct lcx_error **err);

/* Resources. LCX_SPEC_UNLIMITED where a limit is signed. */

/** lcx_spec_set_cgroups_path() - where its cgroup is; NULL: where lcx puts it */
int lcx_spec_set_cgroups_path(struct lcx_spec *spec, const char *path, struct lcx_error **err);

/** lcx_spec_set_memory_limit() - beyond it, the kernel kills */
int lcx_spec_set_memory_limit(struct lcx_spec *spec, int64_t size_bytes, struct lcx_error **err);

/** lcx_spec_set_memory_reservation() - what is left to it when memory is short */
int lcx_spec_set_memory_reservation(struct lcx_spec *spec, int64_t size_bytes,
				    struct lcx_error **err);

/** lcx_spec_set_memory_swap() - memory *and* swap together: the memory limit itself means "no swap"
 */
int lcx_spec_set_memory_swap(struct lcx_spec *spec, int64_t size_bytes, struct lcx_error **err);

/** lcx_spec_set_cpu_shares() - the part of the CPU when it is short: 2 to 262144, 1024 is usual */
int lcx_spec_set_cpu_shares(struct lcx_spec *spec, uint64_t shares, struct lcx_error **err);

/**
 * lcx_spec_set_cpu_quota() - at most @quota_us of CPU time in each @period_us
 * @quota_us:  1000 or more, or LCX_SPEC_UNLIMITED; twice the period is two CPUs
 * @period_us: 1000 to 1000000; 0: 100000
 */
int lcx_spec_set_cpu_quota(struct lcx_spec *spec, int64_t quota_us, uint64_t period_us,
			   struct lcx_error **err);

/** lcx_spec_set_cpuset() - CPUs and memory nodes, "0-3,7"; NULL: leave one of them */
int lcx_spec_set_cpuset(struct lcx_spec *spec, const char *cpus, const char *mems,
			struct lcx_error **err);

/** lcx_spec_set_pids_limit() - how many tasks at once */
int lcx_spec_set_pids_limit(struct lcx_spec *spec, int64_t limit, struct lcx_error **err);

/** lcx_spec_set_blkio_weight() - the part of the disks when they are busy: 10 to 1000 */
int lcx_spec_set_blkio_weight(struct lcx_spec *spec, uint32_t weight, struct lcx_error **err);

/**
 * lcx_spec_add_blkio_throttle() - how fast one disk may be used
 * @kind: "read_bps", "write_bps" (bytes), "read_iops", "write_iops" (operations); per second
 */
int lcx_spec_add_blkio_throttle(struct lcx_spec *spec, const char *kind, uint32_t major,
				uint32_t minor, uint64_t rate, struct lcx_error **err);

/** lcx_spec_add_hugepage_limit() - @page_size as "2MB", "1GB" */
int lcx_spec_add_hugepage_limit(struct lcx_spec *spec, const char *page_size, uint64_t limit_bytes,
				struct lcx_error **err);

/** lcx_spec_set_unified() - a file of cgroup v2 by its name, "memory.high", and what is written to
 * it */
int lcx_spec_set_unified(struct lcx_spec *spec, const char *file, const char *value,
			 struct lcx_error **err);

/*
 * What stands in it. Strings are valid until the description is changed or
 * freed; NULL, or the documented number, says that nothing is set.
 */

/** lcx_spec_arg() - one argument; NULL beyond the last */
const char *lcx_spec_arg(const struct lcx_spec *spec, size_t index);

/** lcx_spec_env() - one "NAME=value"; NULL beyond the last */
const char *lcx_spec_env(const struct lcx_spec *spec, size_t index);

/** lcx_spec_getenv() - the value of one variable; NULL if it isn't there */
const char *lcx_spec_getenv(const struct lcx_spec *spec, const char *name);

/** lcx_spec_cwd() - the working directory; NULL if not set */
const char *lcx_spec_cwd(const struct lcx_spec *spec);

/** lcx_spec_root() - the root file system; NULL if not set */
const char *lcx_spec_root(const struct lcx_spec *spec);

/** lcx_spec_root_readonly() - 0 or 1 */
int32_t lcx_spec_root_readonly(const struct lcx_spec *spec);

/** lcx_spec_terminal() - 0 or 1 */
int32_t lcx_spec_terminal(const struct lcx_spec *spec);

/** lcx_spec_hostname() - NULL if not set */
const char *lcx_spec_hostname(const struct lcx_spec *spec);

/** lcx_spec_uid() - 0 if not set */
uint32_t lcx_spec_uid(const struct lcx_spec *spec);

/** lcx_spec_gid() - 0 if not set */
uint32_t lcx_spec_gid(const struct lcx_spec *spec);

/** lcx_spec_has_capability() - whether the bounding set has it: 0 or 1, or -EINVAL for an unknown
 * name */
int32_t lcx_spec_has_capability(const struct lcx_spec *spec, const char *name);

/** lcx_spec_has_namespace() - 1 for a new one, 2 for one to join, 0 for the caller's, -EINVAL for
 * an unknown name */
int32_t lcx_spec_has_namespace(const struct lcx_spec *spec, const char *type);

/** lcx_spec_namespace_path() - the path to join; NULL if there is none */
const char *lcx_spec_namespace_path(const struct lcx_spec *spec, const char *type);

/** lcx_spec_annotation() - the value of one note; NULL if it isn't there */
const char *lcx_spec_annotation(const struct lcx_spec *spec, const char *key);

/** lcx_spec_memory_limit() - in bytes; LCX_SPEC_UNLIMITED if not set */
int64_t lcx_spec_memory_limit(const struct lcx_spec *spec);

/** lcx_spec_pids_limit() - LCX_SPEC_UNLIMITED if not set */
int64_t lcx_spec_pids_limit(const struct lcx_spec *spec);

/** lcx_spec_mount_destination() - of the mount @index; NULL beyond the last */
const char *lcx_spec_mount_destination(const struct lcx_spec *spec, size_t index);

/** lcx_spec_mount_source() - of the mount @index; NULL if it has none, or beyond the last */
const char *lcx_spec_mount_source(const struct lcx_spec *spec, size_t index);

#ifdef __cplusplus
}
#endif

#endif /* LCX_SPEC_H */
