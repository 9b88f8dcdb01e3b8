/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Shared by the files of lib/container: what is here is the handle, its description, and how it is
 * made, found and taken away. What belongs to one noun has a room and a header of its own:
 *
 *	start/		one start: its stages, in a table
 *	life/		what happens to one that exists: wait, stop, pause, remove
 *	supervisor/	restart policies, health checks, the loop of a host program
 *	users/		whose ids of the host its users are
 *	cgroups/	its cgroup, or systemd's scope
 *	network/	what it asks of its networks, and the files that names are looked up in
 *	volume/		directories with names, that several mount
 *	tree/		its files from outside: copy, export, commit
 *	audit/		what the kernel says it really has
 *
 * On disk a container is
 *
 *	ROOT/containers/ID/	survives a reboot; locked while its state changes
 *		container.json	what it was described as (container.c, record.c)
 *		config.json	the OCI description
 *		upper, work	its read-write layer
 *		json.log	its output
 *		started, exit	the last run: "NS BOOT_ID", "STATUS NS"; oom: it ran out of memory
 *		stopped, restarts	for the restart policy (supervisor/restart.c)
 *		health.json	what came of its health checks (supervisor/health.c)
 *		log-lost	"LINES BYTES ERRNO" of the last run, if its log is incomplete
 *		hosts, hostname, resolv.conf	filled at each start
 *	ROOT/mountpoints/	below all images: start/mountpoints.c
 *	ROOT/volumes/NAME/	volume/volume.h
 *	ROOT/names/NAME		a symbolic link whose text is the ID
 *	ROOT/users/ranges	whose ids of the host are which container's (users/ranges.c)
 *	RUN/containers/ID/	is there only while it is set up
 *		owner		locked by the program or monitor that owns the process
 *		journal		what has been made, in order (journal.c)
 *		state.json	its processes
 *		attach		the monitor's socket (attach.c)
 *		rootfs		an empty directory to mount on
 *
 * Locks are flock(2) on files and directories, by descriptors of their own: they belong to the
 * open file, hence work between threads, and the kernel drops them when the last
 * holder dies, which is how a dead owner is told from a living one.
 */

#include <sys/types.h>

#include "cgroup/cgroup.h"
#include "ctx/ctx.h"
#include "lcx/container.h"
#include "log/packer.h"
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
	char *cgroup_manager; /* "systemd", "disabled"; NULL: cgroupfs */
	struct lcx__opt_i64 created_ns;
	char *boot_id; /* of its creation, if it is removed at its end; else NULL */
};

int lcx__description_save(const struct description *description, int dir_fd,
			  struct lcx_error **err);
/* In a directory that nobody knows yet. */
int lcx__description_save_first(const struct description *description, int dir_fd, bool durable,
				struct lcx_error **err);
/* -ENOENT, too, for one that was to be removed at its end, and was not written to its own. */
int lcx__description_load(int dir_fd, struct description *ret, struct lcx_error **err);
void lcx__description_clear(struct description *description);

/* ---- any record of a table of fields: record.c ---- */

struct json_object;
struct lcx__json_field;
typedef int lcx__write_file_fn(int dir_fd, const char *name, const void *data, size_t length,
			       mode_t mode, bool durable);
/* @write: lcx__replace_file() or lcx__new_file(). */
int lcx__record_save(const struct lcx__json_field *fields, const void *record, int dir_fd,
		     const char *file, lcx__write_file_fn *write, bool durable,
		     struct lcx_error **err);
/* Into a @record that is zeroed. Both return -ENOENT without words: there is no such file. */
int lcx__record_load(const struct lcx__json_field *fields, void *record, int dir_fd,
		     const char *file, struct lcx_error **err);
int lcx__json_load(int dir_fd, const char *file, size_t limit, struct json_object **ret,
		   struct lcx_error **err);

/* ---- what it is while it runs: state.json ---- */

struct run_state {
	char *boot_id;
	struct lcx__opt_i64 pid, start_time; /* of its process: proc_pid_stat(5), field 22 */
	struct lcx__opt_i64 owner_pid, owner_start_time; /* of the program or monitor */
	struct lcx__opt_i64 started_ns;
	struct lcx__opt_i64 number; /* which run it is: life/exit.c */
	struct lcx__opt_bool paused, terminal, stdin_open;
	struct lcx__opt_bool
		external;            /* nobody of ours owns its process: who started it reaps it */
	char *cgroup;                /* absolute; NULL if there is none */
	char *scope;                 /* of systemd's, if its cgroup is one's */
	char **resctrl;              /* directories of its class of service; NULL: none */
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

/* One run of a container among others. */
struct run_identity {
	int64_t pid, start_time;
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
	struct {
		int fd; /* where somebody else writes how it ended; -1 */
		struct run_identity run;
	} waited;
	int64_t last_run; /* its number, and of it is what follows */
	int64_t started_ns, finished_ns;
	int32_t exit_status;
	bool oom_killed;

	struct lcx_process *process;
	bool in_loop;                 /* lcx_dispatch() serves it */
	struct lcx__checker *checker; /* while it does; NULL: no health check */
	struct lcx__log_writer *log;
	struct lcx__log_starter log_starter; /* what it is lent */
	uint64_t log_rotations_told;
	int64_t log_rotation_told_ns;
	char *log_context;      /* lent to it */
	uint64_t log_lost_told; /* lines, by an event */
	lcx_log_fn log_callback;
	void *log_callback_data;
	/* While it runs, once it was needed: to find one takes many system calls. */
	struct lcx_cgroup *cgroup;

	const char *resctrl_mount; /* where, for tests; NULL: where it is mounted */
	bool debug, exec_paused;
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

/* -ESRCH in words if the handle is of one that nobody has created. */
int lcx__container_check_created(const struct lcx_container *c, struct lcx_error **err);

/*
 * The lock of the container whose directory this is, LOCK_EX or LOCK_SH, perhaps with LOCK_NB: its
 * directory is locked. Return: a descriptor, closed to drop it; -ENOENT if it was removed,
 * -EWOULDBLOCK, or another errno.
 */
int lcx__container_lock_dir(int dir_fd, int how);
/* Take the lock under which a container's state changes; *ret_fd is closed to drop it. */
int lcx__container_lock(struct lcx_container *c, int *ret_fd, struct lcx_error **err);

/* Read from disk which run was written down last, and how it ended. */
void lcx__container_load_last(struct lcx_container *c);
/* Of the boot that this run was in. Return: 1 or 0; -ENOENT: there was none; another errno. */
int lcx__container_is_of_other_boot(const struct lcx_container *c);

/* The same, and whether it runs. */
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

/* Hold on to the run that goes on, or was not taken down yet: whatever becomes of the container,
 * this handle's next wait can tell how that one ended. */
int lcx__waited_note(struct lcx_container *c, struct lcx_error **err);
/* Room for how it will end, in the container's directory. */
int lcx__exit_reserve(int dir_fd);
/* How the last run ended: put aside by a start, with room for the next. */
int lcx__exit_put_aside(int dir_fd, int64_t last_run);
/* Of that run, and of no other. */
bool lcx__exit_read(int dir_fd, int64_t run, int32_t *ret_status, int64_t *ret_ns);
/* The kernel ended that run for want of memory. */
void lcx__oom_note(int dir_fd, int64_t run);
bool lcx__oom_was_noted(int dir_fd, int64_t run);
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

/* ---- device.c: when it is made, and its users are known ---- */

int lcx__container_add_devices(struct lcx_container *c, struct lcx_error **err);

/* ---- passing.c: what is removed at its end, after that of the machine ---- */

/* Of the directory of such a container. */
enum { LCX__PASSING_MODE = 01000 }; /* S_ISVTX */
bool lcx__passing_is_marked(int containers_fd, const char *id);

/* It does not run, and nobody can know what it was: the power went before that was written. */
bool lcx__passing_is_torn(const struct lcx_ctx *ctx, int containers_fd, const char *id);

/*
 * Remove it if it does not run, and belongs to an earlier boot or was not written to its end then.
 * The caller holds the lock, and has loaded its state. Return: 1 if it was removed, else 0.
 */
int lcx__passing_end(struct lcx_container *c, struct lcx_error **err);

/* What can't be found out, for want of descriptors, say, counts as there: nothing goes on a guess.
 */
bool lcx__may_exist(int parent_fd, const char *dir, const char *name);

/* ---- name.c ---- */

/* Take the container's name, if it has one; *ret_lock_fd keeps all names locked until it is closed.
 */
int lcx__name_claim(const struct lcx_container *c, int *ret_lock_fd, struct lcx_error **err);
void lcx__name_release(const struct lcx_container *c);

/* Whether container @id is there and is described by this name. */
bool lcx__name_is_held(const struct lcx_ctx *ctx, const char *id, const char *name);

/* ---- container.c, create.c, find.c ---- */

/* A bind mount, with options as -v has them; the texts are taken apart. */
int lcx__container_add_bind(struct lcx_container *c, char *source, char *destination, char *options,
			    struct lcx_error **err);

/* A handle that holds nothing yet. NULL: no memory. */
struct lcx_container *lcx__container_alloc(struct lcx_ctx *ctx);
/* With this description, which is taken. */
int lcx__container_new(struct lcx_ctx *ctx, const char *name, struct lcx_spec **spec,
		       struct lcx_container **ret, struct lcx_error **err);

/* A tree to look users and programs up in; a descriptor or a negative errno in words. */
int lcx__container_open_lookup(const struct lcx_container *c, struct lcx_error **err);
int lcx__container_open_dirs(struct lcx_container *c, struct lcx_error **err);
int lcx__container_open_id(struct lcx_ctx *ctx, const char *id, struct lcx_container **ret,
			   struct lcx_error **err);
/* The filter of the container's profile for a process with the capabilities of @process. */
int lcx__container_seccomp(struct lcx_container *c, const struct lcx_spec *process, void **ret,
			   size_t *ret_size, struct lcx_error **err);

/* Values of options. */
int lcx__parse_size(const char *text, uint64_t *ret_bytes);
int lcx__parse_count(const char *text, uint32_t *ret);

/* ---- storage.c: where containers are; the read-write layer, by its options ---- */

/* The directory of containers, made where it is missing. A descriptor or a negative errno. */
int lcx__containers_dir(const struct lcx_ctx *ctx);
int lcx__container_check_storage_option(const char *key, const char *value, struct lcx_error **err);
/* When the container is made, in its directory. */
int lcx__container_limit_storage(const struct lcx_container *c, int dir_fd, struct lcx_error **err);
bool lcx__container_is_volatile(const struct lcx_container *c);
bool lcx__container_wants_chown(const struct lcx_container *c);
/* Before each start: -EUCLEAN if changes may be lost. */
int lcx__container_renew_volatile(const struct lcx_container *c, struct lcx_error **err);
/* A container's directory, of any name, with its limit. */
int lcx__container_remove_dir(struct lcx_ctx *ctx, int containers_fd, const char *name);
