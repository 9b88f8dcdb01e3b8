/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The container's description, in the shape of the OCI runtime specification
 * 1.3 (its Linux part), whoever filled it: setters, or a config.json. Rooms below
 * read it directly; only lib/spec writes to it.
 *
 * Zeroed memory is a valid, empty description. Every object starts with
 * `bool set`: whether it is there at all. An absent scalar reads as 0, an
 * absent string as NULL. Whatever stands in here has passed the checks of
 * check.c: types, ranges, enumerations, and the rules that one property alone
 * can tell (a path is absolute, a name has no '/').
 */

#include "lcx/spec.h"
#include "spec/mount.h"
#include "spec/resources.h"
#include "util/error.h"
#include "util/opt.h"

struct lcx__spec_console_size {
	bool set;
	struct lcx__opt_u32 height, width; /* 0 to 65535, as struct winsize has them */
};

struct lcx__spec_user {
	bool set;
	struct lcx__opt_u32 uid, gid;
	struct lcx__opt_u32 umask; /* 0 to 0777 */
	LCX__LIST(uint32_t) additional_gids;
};

/* Masks of 1 << CAP_x. @set without a member set means: that set is empty. */
struct lcx__spec_capabilities {
	bool set;
	struct lcx__opt_u64 bounding, effective, inheritable, permitted, ambient;
};

struct lcx__spec_rlimit {
	struct lcx__opt_int resource;   /* RLIMIT_x, always set, at most one entry for each */
	struct lcx__opt_u64 soft, hard; /* always set; UINT64_MAX is RLIM_INFINITY */
};

struct lcx__spec_scheduler {
	bool set;
	struct lcx__opt_int policy; /* SCHED_x of sched(7), always set */
	struct lcx__opt_int nice, priority;
	struct lcx__opt_u64 flags; /* SCHED_FLAG_x of sched_setattr(2) */
	struct lcx__opt_u64 runtime_ns, deadline_ns, period_ns;
};

struct lcx__spec_io_priority {
	bool set;
	struct lcx__opt_int class;    /* IOPRIO_CLASS_x of ioprio_set(2): 1 RT, 2 BE, 3 IDLE */
	struct lcx__opt_int priority; /* 0 to 7 */
};

struct lcx__spec_cpu_affinity {
	bool set;
	char *initial, *final; /* lists of CPUs, "0-3,7" */
};

struct lcx__spec_process {
	bool set;
	struct lcx__opt_bool terminal;
	struct lcx__spec_console_size console_size;
	struct lcx__spec_user user;
	char **args; /* NULL: none given */
	char **env;  /* "NAME=value" each; NULL: none given */
	char *cwd;   /* absolute */
	struct lcx__spec_capabilities capabilities;
	LCX__LIST(struct lcx__spec_rlimit) rlimits;
	struct lcx__opt_bool no_new_privileges;
	struct lcx__opt_int oom_score_adj; /* -1000 to 1000 */
	struct lcx__spec_scheduler scheduler;
	struct lcx__spec_io_priority io_priority;
	struct lcx__spec_cpu_affinity exec_cpu_affinity;
	char *apparmor_profile, *selinux_label;
};

struct lcx__spec_root {
	bool set;
	char *path; /* may be relative: to the bundle */
	struct lcx__opt_bool readonly;
};

struct lcx__spec_id_map {
	struct lcx__opt_u32 container_id, host_id, size; /* always set; size > 0; no overflow */
};

struct lcx__spec_mount {
	char *destination;                /* as written; relative is below "/" */
	char *type, *source;              /* may be NULL */
	char **options;                   /* as written; may be NULL */
	struct lcx__mount_options parsed; /* what the options mean, see mount.h */
	LCX__LIST(struct lcx__spec_id_map) uid_mappings, gid_mappings;
};

/* The version of the specification that is read and written. */
#define LCX__OCI_VERSION "1.3.0"

struct lcx__spec_hook {
	char *path; /* absolute */
	char **args, **env;
	struct lcx__opt_u32 timeout_s; /* 1 or more; not set: wait for ever */
};

/* The order is the order in which they happen. */
enum lcx__hook_kind {
	LCX__HOOK_PRESTART,
	LCX__HOOK_CREATE_RUNTIME,
	LCX__HOOK_CREATE_CONTAINER,
	LCX__HOOK_START_CONTAINER,
	LCX__HOOK_POSTSTART,
	LCX__HOOK_POSTSTOP,
	LCX__N_HOOK_KINDS
};

struct lcx__spec_hook_list {
	LCX__LIST(struct lcx__spec_hook) hooks;
};

struct lcx__spec_hooks {
	bool set;
	struct lcx__spec_hook_list kind[LCX__N_HOOK_KINDS];
};

struct lcx__spec_namespace {
	struct lcx__opt_u32 type; /* CLONE_NEWx, always set, at most one entry for each */
	char *path;               /* NULL: make a new one; else absolute: join */
};

struct lcx__spec_device {
	char *path;                       /* absolute */
	struct lcx__opt_int type;         /* 'c' (also for "u"), 'b', 'p'; always set */
	struct lcx__opt_i64 major, minor; /* set unless 'p' */
	struct lcx__opt_u32 file_mode;    /* permission bits; not set: 0666 */
	struct lcx__opt_u32 uid, gid;
};

struct lcx__spec_net_device {
	char *host_name;
	char *name; /* in the container; NULL: the same */
};

struct lcx__spec_intel_rdt {
	bool set;
	char *clos_id;
	char **schemata;
	char *l3_cache_schema, *mem_bw_schema;
	struct lcx__opt_bool enable_monitoring;
};

struct lcx__spec_memory_policy {
	bool set;
	struct lcx__opt_int mode;  /* MPOL_x of set_mempolicy(2), always set */
	char *nodes;               /* "0-1,3" */
	struct lcx__opt_u64 flags; /* MPOL_F_x, to be or-ed to the mode */
};

struct lcx__spec_personality {
	bool set;
	struct lcx__opt_u32 domain; /* PER_x of personality(2), always set */
	char **flags;               /* the specification defines none yet */
};

struct lcx__spec_time_offset {
	bool set;
	struct lcx__opt_i64 secs;
	struct lcx__opt_u32 nanosecs; /* below 1e9 */
};

struct lcx__spec_time_offsets {
	bool set;
	struct lcx__spec_time_offset boottime, monotonic;
};

struct lcx__spec_linux {
	bool set;
	LCX__LIST(struct lcx__spec_namespace) namespaces;
	LCX__LIST(struct lcx__spec_id_map) uid_mappings, gid_mappings;
	struct lcx__spec_time_offsets time_offsets;
	LCX__LIST(struct lcx__spec_device) devices;
	LCX__LIST(struct lcx__spec_net_device) net_devices;
	char *cgroups_path;
	struct lcx__resources resources;
	struct lcx__opt_u64
		rootfs_propagation;  /* MS_PRIVATE, MS_SHARED, ... with or without MS_REC */
	struct lcx_seccomp *seccomp; /* NULL: none */
	LCX__LIST(struct lcx__key_value) sysctl;
	char **masked_paths, **readonly_paths; /* absolute; NULL: none given */
	char *mount_label;
	struct lcx__spec_intel_rdt intel_rdt;
	struct lcx__spec_memory_policy memory_policy;
	struct lcx__spec_personality personality;
};

/* What the specification has no words for: the object "lcx". */
struct lcx__spec_own {
	bool set;
	struct lcx__opt_u64 timer_slack_ns;  /* 0: as inherited */
	struct lcx__opt_u32 coredump_filter; /* the bits of core(5) */
	char **landlock;                     /* rules in words: security/landlock.h; NULL: none */
	struct lcx__opt_bool landlock_best_effort;
};

struct lcx_spec {
	char *oci_version; /* as read; NULL: the one that is written */
	struct lcx__spec_process process;
	struct lcx__spec_root root;
	char *hostname, *domainname;
	LCX__LIST(struct lcx__spec_mount) mounts;
	struct lcx__spec_hooks hooks;
	LCX__LIST(struct lcx__key_value) annotations;
	struct lcx__spec_own own;
	struct lcx__spec_linux linux_; /* `linux` alone is a macro of gcc's gnu11 */

	char **warnings; /* what was read and could not be used, one sentence each; NULL: nothing */
};

/* What lcx_spec_new() puts into the environment, and an image may replace. */
#define LCX__DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

DEFINE_CLEANUP(struct lcx_spec *, lcx_spec_free)

/*
 * Whether this build and this kernel can put all of it into effect. The first
 * property that they can't is refused by its JSON path: -EOPNOTSUPP.
 */
int lcx__spec_check_supported(const struct lcx_spec *spec, struct lcx_error **err);

/* Of a container in the host's mount namespace: that it asks for no mount with peers. */
int lcx__spec_check_shared_mounts(const struct lcx_spec *spec, struct lcx_error **err);

/* Its part about security modules: they may be others at the next boot, and an exec has labels,
 * too. */
int lcx__spec_check_labels(const struct lcx_spec *spec, struct lcx_error **err);

/*
 * Allow, whatever the rules so far say, the devices that every container has, and ptys:
 * config-linux.md, "Default Devices". Without any rule, nothing else.
 */
int lcx__spec_allow_default_devices(struct lcx_spec *spec, struct lcx_error **err);

/*
 * Leave out what the kernel would refuse of a description that an engine wrote: ambient
 * capabilities that are not inheritable, too; and, with a warning, what this process has not to
 * grant.
 */
void lcx__spec_trim_ambient(struct lcx_spec *spec);
int lcx__spec_trim_capabilities(struct lcx_spec *spec, struct lcx_error **err);

/* These are in no set any more, with a warning for each that was. */
int lcx__spec_withhold(struct lcx_spec *spec, uint64_t mask, struct lcx_error **err);

/* The bounding set that the description gives: all of the kernel's if it says nothing. */
uint64_t lcx__spec_bounding(const struct lcx_spec *spec);

/* The entry for @clone_flag (CLONE_NEWPID, ...), or NULL: the container shares the caller's. */
const struct lcx__spec_namespace *lcx__spec_namespace(const struct lcx_spec *spec,
						      uint32_t clone_flag);

/* It shows what is mounted elsewhere; one that changes such a mount ("remount") makes none. */
bool lcx__spec_is_bind(const struct lcx__spec_mount *mount);

/* CLONE_NEWx of "pid", "network", "net", ...; -EINVAL for what is none. */
int lcx__namespace_flag(const char *type, uint32_t *ret, struct lcx_error **err);

/* lcx_spec_from_json() of a document that must be UTF-8. */
int lcx__spec_from_utf8(const char *text, size_t length, struct lcx_spec **ret,
			struct lcx_error **err);

/* lcx_spec_to_json() for who keeps it: half as long, and read again in less time. */
int lcx__spec_to_short_json(const struct lcx_spec *spec, char **ret, struct lcx_error **err);

/* A process description alone, as `exec --process FILE` gives it: only ->process is filled. */
int lcx__spec_from_process_json(const char *text, size_t length, struct lcx_spec **ret,
				struct lcx_error **err);

/* A resources object alone, as `update --resources FILE` gives it: only ->linux_.resources is
 * filled. */
int lcx__spec_from_resources_json(const char *text, size_t length, struct lcx_spec **ret,
				  struct lcx_error **err);
