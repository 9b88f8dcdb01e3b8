/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Shared by the files of lib/container. On disk a container is
 *
 *	ROOT/containers/ID/	survives a reboot
 *		container.json	what it was described as (container.c, record.c)
 *		config.json	the OCI description
 *		upper, work	its read-write layer
 *		json.log	its output
 *		started, exit	the last run: "NS BOOT_ID", "STATUS NS"; oom: it ran out of memory
 *		stopped, restarts	for the restart policy (restart.c)
 *		health.json	what came of its health checks (health.c)
 *		log-lost	"LINES BYTES ERRNO" of the last run, if its log is incomplete
 *		lock		held while its state changes
 *		hosts, hostname, resolv.conf
 *	ROOT/volumes/NAME/	volumes.h
 *	ROOT/names/NAME		a symbolic link whose text is the ID
 *	ROOT/users/ranges	whose ids of the host are which container's (id-ranges.c)
 *	RUN/containers/ID/	is there only while it is set up
 *		owner		locked by the program or monitor that owns the process
 *		journal		what has been made, in order (journal.c)
 *		state.json	its processes
 *		attach		the monitor's socket (attach.c)
 *		rootfs		an empty directory to mount on
 *
 * Locks are flock(2) on files that nobody else opens: they belong to the open
 * file, hence work between threads, and the kernel drops them when the last
 * holder dies, which is how a dead owner is told from a living one.
 */

#include <sys/types.h>

#include "cgroup/cgroup.h"
#include "ctx/ctx.h"
#include "lcx/container.h"
#include "log/writer.h"
#include "ns/ns.h"
#include "process/process.h"
#include "spec/spec.h"
#include "util/opt.h"
#include "util/str.h"

DEFINE_CLEANUP(struct lcx_container *, lcx_container_free)
DEFINE_CLEANUP(struct lcx_container_list *, lcx_container_list_free)

/* ---- what a container was described as: container.json ---- */

/* One of its networks; what was not asked for is NULL, or not set. */
struct network_wish {
	char *name;
	char *address, *address6, *mac, *interface;
	char **aliases, **sysctls;
	struct lcx__opt_int priority;
	struct lcx__opt_u64 egress_bits, ingress_bits;
	struct lcx__opt_bool hairpin, promiscuous;
};

/* One of its volumes; @name of an anonymous one is set by creation. */
struct volume_wish {
	char *name, *destination;
	char **options;
	struct lcx__opt_bool anonymous, nocopy;
};

struct description {
	char *id, *name;
	char *image;    /* reference as given */
	char *image_id; /* config digest; set by creation */
	char *rootfs;   /* a directory instead of an image */
	char **layers;  /* directories, top-most first; set by creation */
	char **entrypoint, **command;
	char *user;
	char *userns;     /* as given; NULL: as the description says */
	char *pod;        /* the name, and from creation on the id, of its pod's holder; or NULL */
	char **pod_share; /* of a holder: what its members share, as the specification calls it */
	char *network;    /* "none", "host", "pasta", "container:ID", "ns:PATH", or the first of: */
	LCX__LIST(struct network_wish) networks; /* none: that one, as it comes */
	LCX__LIST(struct volume_wish) volumes;
	char **ports;
	char **dns, **dns_search, **dns_options;
	char **hosts; /* "NAME=ADDRESS" */
	char *log_driver;
	LCX__LIST(struct lcx__key_value) log_options, labels, storage_options;
	char *stop_signal;
	struct lcx__opt_i64 stop_timeout; /* in seconds; -1: never kill */
	char *restart;                    /* restart policy; NULL: no */
	char **health_test;               /* lcx_container_set_health_test(); NULL: no check */
	struct lcx__opt_i64 health_interval, health_timeout, health_start_period,
		health_start_interval, health_retries;
	struct lcx__opt_bool auto_remove, stdin_open, init, system;
	char *bundle; /* its directory, if it is as an OCI bundle describes it; else NULL */
	struct lcx__opt_bool move_root, same_keyring;
	char *cgroup_manager; /* "systemd"; NULL: cgroupfs */
	struct lcx__opt_i64 created_ns;
};

int lcx__description_save(const struct description *description, int dir_fd,
			  struct lcx_error **err);
int lcx__description_load(int dir_fd, struct description *ret, struct lcx_error **err);
void lcx__description_clear(struct description *description);

/* ---- what it is while it runs: state.json ---- */

struct run_state {
	char *boot_id;
	struct lcx__opt_i64 pid, start_time; /* of its process: proc_pid_stat(5), field 22 */
	struct lcx__opt_i64 owner_pid, owner_start_time; /* of the program or monitor */
	struct lcx__opt_i64 started_ns;
	struct lcx__opt_bool paused, terminal, stdin_open;
	struct lcx__opt_bool
		external;            /* nobody of ours owns its process: who started it reaps it */
	char *cgroup;                /* absolute; NULL if there is none */
	char *scope;                 /* of systemd's, if its cgroup is one's */
	char *address, *mac, *ports; /* of its network attachment */
	char **volumes;              /* "ID:PATH" of those that came while it runs: mount.c */
};

int lcx__run_state_save(const struct run_state *state, int run_fd, struct lcx_error **err);
int lcx__run_state_load(int run_fd, struct run_state *ret, struct lcx_error **err);
void lcx__run_state_clear(struct run_state *state);

/* ---- the handle ---- */

struct step {
	char *name;
	int64_t ns;
};

struct lcx_container {
	struct lcx_ctx *ctx; /* borrowed */
	struct description d;
	char short_id[13];     /* for display: see lcx__container_display() */
	struct lcx_spec *spec; /* NULL until needed, if it was opened */
	char **env, *cwd;      /* given by the caller, to be merged with the image's */
	char **devices;        /* likewise, to be looked at */
	bool has_chosen_users; /* the maps are this library's choice */

	enum lcx_container_state state;
	int dir_fd, run_fd;    /* -1: not there */
	int seccomp_socket_fd; /* where listeners are sent, a copy of the host's; -1 */
	int owner_fd;          /* locked: this handle owns the process */
	struct run_state run;
	int64_t started_ns, finished_ns;
	int32_t exit_status;
	bool oom_killed;

	struct lcx_process *process;
	bool in_loop;                 /* lcx_dispatch() serves it */
	struct lcx__checker *checker; /* while it does; NULL: no health check */
	struct lcx__log_writer *log;
	char *log_context;      /* lent to it */
	uint64_t log_lost_told; /* lines, by an event */
	lcx_log_fn log_callback;
	void *log_callback_data;
	/* While it runs, once it was needed: to find one takes many system calls. */
	struct lcx_cgroup *cgroup;

	bool debug;
	struct step *steps;
	uint32_t n_steps;
	char *log_path, *command_text; /* for display, made on demand */
};

/* As far as the handle knows: see lcx__container_load_state(). It has a process: one that is paused
 * runs, too, and one that is prepared is about to. */
static inline bool lcx__container_is_running(const struct lcx_container *c)
{
	return c->state == LCX_CONTAINER_RUNNING || c->state == LCX_CONTAINER_PAUSED ||
	       c->state == LCX_CONTAINER_PREPARED;
}

/* What a person calls it, for messages: its name, or the short form of its identifier. */
const char *lcx__container_display(const struct lcx_container *c);

/* Take the lock under which a container's state changes; *ret_fd is closed to drop it. */
int lcx__container_lock(struct lcx_container *c, int *ret_fd, struct lcx_error **err);

/* Read from disk whether it runs, and how it ended. */
int lcx__container_load_state(struct lcx_container *c, struct lcx_error **err);

/* The same, and what it is described as: others may have renamed or changed it. */
int lcx__container_reload(struct lcx_container *c, struct lcx_error **err);

/* A pidfd of its process, which runs or is paused, for the caller; else -ESRCH in words. */
int lcx__container_open_running(struct lcx_container *c, struct lcx_error **err);

/* Read config.json, once. */
int lcx__container_load_spec(struct lcx_container *c, struct lcx_error **err);

/* Whether a living program or monitor owns its process. Return: 1, 0; then *ret_owner_fd, locked,
 * is the caller's. */
int lcx__container_is_owned(struct lcx_container *c, int *ret_owner_fd, struct lcx_error **err);

/* ---- cgroup.c ---- */

/* The cgroup of a container that names none: "lcx/TAG.ID", below the starter's own place. */
char *lcx__container_cgroup_path(const struct lcx_ctx *ctx, const char *id);
#define CGROUP_PARENT "lcx"

/* c->cgroup, with its limits, and c->run.cgroup; neither where there are no cgroups. */
int lcx__container_make_cgroup(struct lcx_container *c, struct lcx__child *ret_holder,
			       struct lcx_error **err);

/* The same, for a container that runs: else -ESRCH in words. */
int lcx__container_running_cgroup(struct lcx_container *c, struct lcx_error **err);

/* The same as a scope of systemd's: scope.c. */
int lcx__container_make_scope(struct lcx_container *c, const struct lcx__resources *resources,
			      struct lcx__child *ret_holder, struct lcx_error **err);
int lcx__container_undo_scope(struct lcx_container *c, const char *unit, struct lcx_error **err);
int lcx__container_undo_slice(struct lcx_container *c, const char *line, struct lcx_error **err);

/* Its root in a mount namespace of others: joined.c. */
int lcx__container_undo_root(struct lcx_container *c, const char *object, struct lcx_error **err);

/* Have c->cgroup open, while the container runs. -ENODEV in words if it has none. */
int lcx__container_open_cgroup(struct lcx_container *c, struct lcx_error **err);

/* How a process of a container gets into its cgroup; without one, nothing is to be done. */
struct lcx__entrance {
	int join_fds[LCX__CGROUP_JOIN_MAX];
	size_t n_join_fds;
	int into_fd;      /* borrowed from c->cgroup, or: */
	int below_fd;     /* of a whole system: system.c; -1 */
	const char *name; /* likewise */
};

int lcx__container_enter_cgroup(struct lcx_container *c, struct lcx__entrance *ret,
				struct lcx_error **err);
/* By any handle, which must live as long. */
int lcx__entrance_open(const struct lcx_cgroup *cg, struct lcx__entrance *ret,
		       struct lcx_error **err);
void lcx__entrance_clear(struct lcx__entrance *entrance);

/* Interfaces of the host's (lent.c). */
bool lcx__container_is_lent(const struct lcx_container *c);
int lcx__container_undo_interface(struct lcx_container *c, const char *host_name,
				  struct lcx_error **err);
int lcx__container_undo_pin(struct lcx_container *c, const char *object, struct lcx_error **err);

int lcx__container_undo_cgroup_intent(struct lcx_container *c, const char *path,
				      struct lcx_error **err);
int lcx__container_undo_cgroup(struct lcx_container *c, const char *object, struct lcx_error **err);

/* ---- journal.c ---- */

/* The intent to make @object of @kind; written before it is made. */
int lcx__journal_add(int run_fd, const char *kind, const char *object, struct lcx_error **err);

/* The lines of the journal that are whole, newest first; owned by the caller: "KIND OBJECT". */
int lcx__journal_read(int run_fd, char ***ret, struct lcx_error **err);

/* ---- teardown.c ---- */

/*
 * Take down all that the journal names, in reverse, and then the run directory. Goes
 * on after a failure; the first one is returned, with all of them in its words.
 * The caller holds the container's lock, and no living owner is there.
 */
int lcx__container_teardown(struct lcx_container *c, struct lcx_error **err);

/* Write down how it ended, unless that stands there already. */
int lcx__container_record_exit(struct lcx_container *c, int32_t status, struct lcx_error **err);

/* After its process has ended, or its owner has: record, take down, and remove if that was asked
 * for. */
int lcx__container_finish(struct lcx_container *c, int32_t status, struct lcx_error **err);

/* Remove it from disk, its anonymous volumes too if that is wanted; the caller holds the lock and
 * it is torn down. */
struct removal {
	bool force, volumes;
};
int lcx__container_delete(struct lcx_container *c, struct removal how, struct lcx_error **err);

/* ---- prepare.c ---- */

/* Its process is set up, and waits for lcx_container_proceed(). */
bool lcx__container_is_at_gate(const struct lcx_container *c);

/* The process of a container that nobody owns, which this handle has made, ended with @status. */
int lcx__container_finish_external(struct lcx_container *c, int32_t status, struct lcx_error **err);

/* ---- loop.c ---- */

/* Have lcx_dispatch() serve a container whose process this handle owns, if the program wants that.
 */
int lcx__loop_add(struct lcx_container *c, struct lcx_error **err);
void lcx__loop_remove(struct lcx_container *c);

/* ---- device.c: when it is made, and its users are known ---- */

int lcx__container_add_devices(struct lcx_container *c, struct lcx_error **err);

/* ---- volume-idmap.c ---- */

/* The map of the option "idmap=TEXT", for the caller. */
int lcx__volume_idmap(const char *text, struct lcx_idmap **ret, struct lcx_error **err);

/* ---- name.c ---- */

/* Take the container's name, if it has one; *ret_lock_fd keeps all names locked until it is closed.
 */
int lcx__name_claim(const struct lcx_container *c, int *ret_lock_fd, struct lcx_error **err);
void lcx__name_release(const struct lcx_container *c);

/* Whether container @id is there and is described by this name. */
bool lcx__name_is_held(const struct lcx_ctx *ctx, const char *id, const char *name);

/* ---- ids.c: c->spec is read already ---- */

/* It has a user namespace made for it. */
bool lcx__container_has_users(const struct lcx_container *c);

/* Such a one, with its root mounted by this process, which is root of the machine. */
bool lcx__container_is_handed(const struct lcx_container *c);

/* Its files are on the disk with the ids that it knows, and mounts show them with those of its
 * range. */
bool lcx__container_is_mapped(const struct lcx_container *c);

/* chowned.c: instead, its only layer is a copy of its image with the ids of its range, in its own
 * directory. */
#define LCX__CHOWNED_DIR "chowned"
bool lcx__container_is_chowned(const struct lcx_container *c);
/* When the container is made, in its directory: nothing unless it wants one. */
int lcx__container_chown_layers(struct lcx_container *c, int dir_fd, struct lcx_error **err);
/* A file that is bound into it becomes its root's. */
int lcx__container_own_file(struct lcx_container *c, int fd);

/* The map of its user namespace, for the caller. */
int lcx__container_idmap(const struct lcx_container *c, struct lcx_idmap **ret,
			 struct lcx_error **err);

/* Whether this process can make it. */
int lcx__container_check_users(const struct lcx_container *c, struct lcx_error **err);

/* ---- userns.c, id-ranges.c ---- */

/*
 * At creation, of a container with a user namespace made for it: choose the range of one that
 * wants any, and write down whose it is. *ret_lock_fd, if it is set, stays open until the
 * container is there or, after a failure, has released its ids.
 */
int lcx__container_take_users(struct lcx_container *c, int *ret_lock_fd, struct lcx_error **err);

/* *ret_fd holds the record locked as long as it is open. */
int lcx__id_ranges_lock(const struct lcx_ctx *ctx, int *ret_fd, struct lcx_error **err);
/* The first of @count users, and of groups, of @pool that nobody has. -ENOSPC */
int lcx__id_ranges_choose(const struct lcx_ctx *ctx, int users_fd, const struct lcx_idmap *pool,
			  uint32_t count, uint32_t *ret_uid, uint32_t *ret_gid,
			  struct lcx_error **err);
/* Those of its description are the container's. */
int lcx__id_ranges_take(const struct lcx_container *c, int users_fd, struct lcx_error **err);
/* They are nobody's any more; not while this process has the record locked. */
int lcx__id_ranges_release(const struct lcx_ctx *ctx, const char *id, struct lcx_error **err);
/* The same for all containers that are not there; *count grows if there was one. */
int lcx__id_ranges_sweep(const struct lcx_ctx *ctx, uint32_t *count, struct lcx_error **err);

/* ---- container.c, create.c, start.c ---- */

/* A bind mount, with options as -v has them; the texts are taken apart. */
int lcx__container_add_bind(struct lcx_container *c, char *source, char *destination, char *options,
			    struct lcx_error **err);

/* With this description, which is taken. */
int lcx__container_new(struct lcx_ctx *ctx, const char *name, struct lcx_spec **spec,
		       struct lcx_container **ret, struct lcx_error **err);

/* The file of a log driver, NULL for one without. */
const char *lcx__log_driver_file(const char *driver);

/* Values of the log options. */
int lcx__parse_size(const char *text, uint64_t *ret_bytes);

/* storage.c: the read-write layer, by its options. */
int lcx__container_check_storage_option(const char *key, const char *value, struct lcx_error **err);
/* When the container is made, in its directory. */
int lcx__container_limit_storage(const struct lcx_container *c, int dir_fd, struct lcx_error **err);
bool lcx__container_is_volatile(const struct lcx_container *c);
bool lcx__container_wants_chown(const struct lcx_container *c);
/* Before each start: -EUCLEAN if changes may be lost. */
int lcx__container_renew_volatile(const struct lcx_container *c, struct lcx_error **err);
/* A container's directory, of any name, with its limit. */
int lcx__container_remove_dir(struct lcx_ctx *ctx, int containers_fd, const char *name);
int lcx__parse_count(const char *text, uint32_t *ret);

/* ---- network-wish.c ---- */

bool lcx__network_is_pasta(const char *network);
/* "none", "host" and whatever else is no network of ours. */
bool lcx__network_is_mode(const char *network);
/* A mode by which it has somebody else's network. */
bool lcx__network_is_shared(const char *network);
/* The networks it is attached to by a start; 0 if it has an interface in none. */
size_t lcx__container_network_count(const struct lcx_container *c);
const char *lcx__container_network_at(const struct lcx_container *c, size_t i);
int lcx__container_attachment(const struct lcx_container *c, size_t i, struct lcx_attachment **ret,
			      struct lcx_error **err);
/* Under which the others of a network find it. */
int lcx__container_add_names(const struct lcx_container *c, struct lcx_attachment *attachment,
			     struct lcx_error **err);

/* ---- resolving.c ---- */

int lcx__container_check_resolving(const struct lcx_container *c, struct lcx_error **err);
int lcx__container_resolv_conf(const struct lcx_container *c, const char *server, char **ret,
			       struct lcx_error **err);
int lcx__container_add_hosts(const struct lcx_container *c, const char *gateway, bool is_final,
			     struct lcx__strbuf *text, struct lcx_error **err);

/* ---- network-mode.c ---- */

/* What the mode means for the description, at creation; nothing for a network of ours. */
int lcx__container_settle_mode(struct lcx_container *c, struct lcx_error **err);
/* Whoever creates or starts it can have it. */
int lcx__container_check_pasta(const struct lcx_container *c, struct lcx_error **err);
/* The id of the container whose network it shares; NULL: none. */
const char *lcx__container_network_of(const struct lcx_container *c);
/* The namespaces of that one, or of its pod, which must run; none if it shares none. */
enum { LCX__SHARED_MAX = 4 };
struct lcx__joined_ns;
int lcx__container_open_shared(struct lcx_container *c,
			       struct lcx__joined_ns ret[static LCX__SHARED_MAX], size_t *ret_n,
			       struct lcx_error **err);

/* ---- create.c, system.c ---- */

/* A tree to look users and programs up in; a descriptor or a negative errno in words. */
int lcx__container_open_lookup(const struct lcx_container *c, struct lcx_error **err);
/* What the init of a whole system needs; before and after the image is merged. */
int lcx__system_prepare(struct lcx_container *c, struct lcx_error **err);
int lcx__system_settle(struct lcx_container *c, struct lcx_error **err);
/* The cgroup that its first process gets into is one below the container's. */
struct lcx__entrance;
int lcx__system_enter(const struct lcx_container *c, struct lcx__entrance *entrance,
		      struct lcx_error **err);

/* ---- pod.c ---- */

bool lcx__container_is_holder(const struct lcx_container *c);
/* It has files in /etc of its own: an image's, or a pod's. */
bool lcx__container_has_files(const struct lcx_container *c);
/* What a member shares, at creation. */
int lcx__pod_settle(struct lcx_container *c, struct lcx_error **err);
/* Before a holder goes: -EBUSY if it has members, and none can be made as long as @containers_fd is
 * open and not unlocked. Nothing for all others. */
int lcx__pod_lock_members(const struct lcx_container *c, int containers_fd, struct lcx_error **err);
/* Those of a process that @c shares: the network only, if it is in no pod. */
int lcx__pod_open_namespaces(const struct lcx_container *c, int pidfd,
			     struct lcx__joined_ns ret[static LCX__SHARED_MAX], size_t *ret_n,
			     struct lcx_error **err);
/* Whether it shares a kind of namespace with its pod, once that is settled. */
bool lcx__pod_shares(const struct lcx_container *c, uint32_t flag);

/* It has an interface in a network of ours. */
bool lcx__container_has_network(const struct lcx_container *c);

int lcx__container_open_dirs(struct lcx_container *c, struct lcx_error **err);
int lcx__container_open_id(struct lcx_ctx *ctx, const char *id, struct lcx_container **ret,
			   struct lcx_error **err);
/* The filter of the container's profile for a process with the capabilities of @process. */
int lcx__container_seccomp(struct lcx_container *c, const struct lcx_spec *process, void **ret,
			   size_t *ret_size, struct lcx_error **err);
