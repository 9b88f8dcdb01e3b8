/* SPDX-License-Identifier: MIT */
#ifndef LCX_CONTAINER_START_H
#define LCX_CONTAINER_START_H

#include "container/container-internal.h"
#include "container/network/network.h"
#include "container/cgroups/cgroups.h"

/* One start of a container, while it is under way. What it makes is journalled; what it holds is in
 * here. */
struct start {
	struct lcx_container *c;
	const struct lcx_stdio *stdio;
	bool detached;
	bool external; /* nobody owns the process, which waits for its start */
	int gate_fds[2];
	struct lcx__restoring *restoring; /* out of a checkpoint; NULL: it is started */
	bool again;                       /* by a supervisor, as the restart policy says */
	bool attached;                    /* to the monitor, from the first byte on */

	struct lcx__entrance entrance;
	struct lcx__child holder; /* keeps systemd's scope until the process is in it */
	void *seccomp;
	size_t seccomp_size;
	struct place { /* in one of its networks */
		struct lcx_network *network;
		struct lcx_attachment *attachment;
		bool connected; /* up to the interface in the container */
	} * places;
	size_t n_places;
	struct lcx_attachment *pasta; /* with the ports that pasta publishes, or NULL */
	char *staging, *upper, *work, **layers;
	int root_fd;  /* the root, mounted by this process; -1: the container's own mounts it */
	int mntns_fd; /* somebody else's, to be joined; -1: none */
	bool shares_mount; /* that, or the caller's, is the host's */
	struct plan_monitor monitor;
	struct lcx_attach *attach;
	int listen_fd, client_fd, event_dir_fd; /* the monitor's */

	pid_t pid, monitor_pid;
	int netns_fd;
	int creating_fd, created_fd; /* the state, for hooks in the container; -1: none needs it */
	struct lcx__joined_ns shared[LCX__SHARED_MAX]; /* another container's, to be joined */
	size_t n_shared;
};

/* Of a restore: restore.c. */
struct lcx__restoring;
int lcx__start_open_images(struct start *s, struct lcx_error **err);
int lcx__start_restored(struct start *s, struct lcx_error **err);
void lcx__restoring_clear(struct lcx__restoring *restoring);
/* The addresses that it had; nothing at a start. */
int lcx__start_keep_addresses(struct start *s, struct place *place, struct lcx_error **err);

/* A root on top of what is in another's mount namespace: joined.c. */
int lcx__start_open_mounts(struct start *s, struct lcx_error **err);
bool lcx__start_is_joined(const struct start *s);
int lcx__start_joined_root(struct start *s, struct lcx_error **err);

/* Those of its image, and what is to be below them: mountpoints.c. */
int lcx__start_layers(struct start *s, struct lcx_error **err);

/* The root is mounted by this process: process.c. */
bool lcx__start_is_handed(const struct start *s);

/* The stages, in the order of the table in start.c. */
int lcx__start_prepare_hooks(struct start *s, struct lcx_error **err);
int lcx__start_files(struct start *s, struct lcx_error **err);
int lcx__start_network(struct start *s, struct lcx_error **err);
int lcx__start_log(struct start *s, struct lcx_error **err);
int lcx__start_attach(struct start *s, struct lcx_error **err);
int lcx__start_events(struct start *s, struct lcx_error **err);
int lcx__start_process(struct start *s, struct lcx_error **err);
/* Its process is there: into c->run and the journal. */
int lcx__start_note_process(struct start *s, pid_t pid, struct lcx_error **err);

int lcx__start_run_poststart_hooks(struct start *s, struct lcx_error **err);

/* Write c->run down, and when it was started; @again: by whoever carries out its policy. */
int lcx__start_record(struct lcx_container *c, bool again, struct lcx_error **err);
/* Into c->run, for whoever looks at the container from elsewhere. */
int lcx__start_record_network(struct start *s, struct lcx_error **err);

/* While it is launched: struct lcx__spawn_hooks; the first of them as soon as s->netns_fd is. */
int lcx__start_connect(struct start *s, struct lcx_error **err);
int lcx__start_on_netlink(void *data, int netlink_fd, struct lcx_error **err);
int lcx__start_lend(struct start *s, int netlink_fd, struct lcx_error **err);
int lcx__start_write_hosts(struct start *s, struct lcx_error **err);

/* When its namespaces, mounts and network are made. */
int lcx__start_run_create_hooks(struct start *s, struct lcx_error **err);

/* Whether the program's standard input is more than /dev/null. */
bool lcx__start_wants_input(const struct start *s);

/* What every process of a container gets, one that is restored, too. */
struct lcx__compile lcx__start_describe(const struct start *s);
void lcx__start_on_trace(void *data, const char *what, uint64_t ns);
/* By this program or, detached, by a monitor; @restoration: NULL but for a restored one. */
int lcx__start_spawn(struct start *s, const struct lcx__compile *compile,
		     const struct lcx__spawn_hooks *hooks,
		     const struct lcx__restoration *restoration, struct lcx_error **err);

/* All of it, for lcx_container_restore(): by the table that s->restoring asks for. */
struct start lcx__start_of(struct lcx_container *c, const struct lcx_stdio *stdio);
int lcx__start(struct start *s, struct lcx_error **err);
void lcx__start_clear(struct start *s);

void lcx__add_step(struct lcx_container *c, const char *indent, const char *name, int64_t ns);
void lcx__forget_steps(struct lcx_container *c);

/* ---- what teardown undoes of it ---- */

/* Its root in a mount namespace of others: joined.c. */
int lcx__container_undo_root(struct lcx_container *c, const char *object, struct lcx_error **err);
/* Interfaces of the host's (lent.c). */
bool lcx__container_is_lent(const struct lcx_container *c);
int lcx__container_undo_interface(struct lcx_container *c, const char *host_name,
				  struct lcx_error **err);
int lcx__container_undo_pin(struct lcx_container *c, const char *object, struct lcx_error **err);

/* ---- prepare.c ---- */

/* Its process is set up, and waits for lcx_container_proceed(). */
bool lcx__container_is_at_gate(const struct lcx_container *c);

/* The process of a container that nobody owns, which this handle has made, ended with @status. */
int lcx__container_finish_external(struct lcx_container *c, int32_t status, struct lcx_error **err);

#endif
