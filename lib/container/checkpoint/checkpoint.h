/* SPDX-License-Identifier: MIT */
#pragma once

/* What checkpoint and restore share. */

#include "container/cgroups/cgroups.h"
#include "container/container-internal.h"
#include "container/network/network.h"
#include "criu/criu.h"
#include "lcx/checkpoint.h"

DEFINE_CLEANUP(struct lcx_checkpoint *, lcx_checkpoint_free)

/* ---- checkpoint-options.c ---- */

struct lcx__page_server {
	char *address; /* NULL: none */
	uint16_t port;
};

struct lcx_checkpoint {
	char *image_path, *work_path, *criu, *parent_path, *lsm_profile, *lsm_mount_context;
	bool leave_running, pre_dump, tcp_established, tcp_close, tcp_skip_in_flight, ext_unix_sk,
		shell_job, file_locks, link_remap, auto_dedup, keep, lazy_pages;
	struct lcx__page_server page_server;
	int *status_fd; /* -1 once it was told; NULL: nobody asked */
};

enum lcx__checkpoint_way { LCX__CHECKPOINT_DUMP = 1, LCX__CHECKPOINT_RESTORE = 2 };

/* Those that criu is told as they are. */
void lcx__checkpoint_put_options(const struct lcx_checkpoint *o, enum lcx__checkpoint_way way,
				 struct lcx__strbuf *options);

/* ---- pages.c: memory that goes elsewhere, or comes later ---- */

int lcx__page_server_parse(const char *text, struct lcx__page_server *ret, struct lcx_error **err);
void lcx__page_server_clear(struct lcx__page_server *server);
/* A copy of a descriptor of the caller's, in place of that in *ret. */
int lcx__status_open(const char *text, int **ret, struct lcx_error **err);
int *lcx__status_close(int *status_fd);

/* Whether the options go together, and nobody else listens there. */
int lcx__pages_check(const struct lcx_checkpoint *o, enum lcx__checkpoint_way way,
		     struct lcx_error **err);
/* For a dump; *ret_fd, if that is set, is to stay open until criu has ended. */
int lcx__pages_put(const struct lcx_checkpoint *o, struct lcx__strbuf *options, int *ret_fd,
		   struct lcx_error **err);
/* Images without memory are marked, and restored only if it is fetched. */
#define LCX__PAGES_MARK "lcx-lazy"
int lcx__pages_save_mark(const struct lcx_checkpoint *o, int dir_fd, struct lcx_error **err);
int lcx__pages_check_mark(const struct lcx_checkpoint *o, int dir_fd, struct lcx_error **err);
/* Who restores may fetch. */
void lcx__pages_note_ready(const struct lcx_checkpoint *o);

/* ---- checkpoint-possible.c ---- */

/* Whether the container can be restored as it is; else -EOPNOTSUPP in words. */
int lcx__checkpoint_check(struct lcx_container *c, struct lcx_error **err);
/* Only root may. */
int lcx__checkpoint_check_rights(struct lcx_error **err);

struct json_object;

/* ---- outside.c: what of a container comes from outside of it ---- */

/* Its network namespace is made, or joined, by the library, under this name. */
#define LCX__CHECKPOINT_NETWORK "lcx-network"

/* For a dump: of the container's process, which runs. */
int lcx__checkpoint_put_outside(struct lcx_container *c, struct lcx__strbuf *options,
				struct lcx_error **err);
/* For a restore: where each of it comes from now. */
int lcx__restore_put_outside(const struct lcx_container *c, struct lcx__strbuf *options,
			     struct lcx_error **err);

/* ---- streams.c: its standard streams, by criu's names ---- */

/*
 * Written beside the images, as other runtimes do, for a name has the number of an object that
 * won't be there any more. "": it comes from inside.
 */
struct lcx__stream_names {
	char *names[3];
};
void lcx__stream_names_clear(struct lcx__stream_names *names);
/* One of them, as criu knows it. */
const char *lcx__stream_name(const char *name);
/* Whatever a restore is given in its place, as for other runtimes: nothing is read there. */
bool lcx__stream_is_null(const char *name);

int lcx__checkpoint_find_streams(const struct lcx_container *c, struct lcx__stream_names *ret,
				 struct lcx_error **err);
int lcx__checkpoint_save_streams(const struct lcx__stream_names *names, int dir_fd,
				 struct lcx_error **err);
int lcx__checkpoint_load_streams(int dir_fd, struct lcx__stream_names *ret, struct lcx_error **err);

/* ---- flags.c: what its mounts may not do, kept beside the images ---- */

int lcx__checkpoint_save_flags(const struct lcx_container *c, int dir_fd, struct lcx_error **err);
/* Of a process that was restored, and stands still. */
int lcx__checkpoint_mend_flags(int dir_fd, int64_t pid, struct lcx_error **err);

/* ---- network.c: its addresses, kept beside the images ---- */

struct lcx__kept_networks {
	LCX__LIST(struct network_wish) networks;
};
void lcx__kept_networks_clear(struct lcx__kept_networks *kept);

/* It was connected with networks that its description doesn't name. */
bool lcx__checkpoint_has_new_networks(const struct lcx_container *c);
int lcx__checkpoint_save_networks(struct lcx_container *c, int dir_fd, struct lcx_error **err);
int lcx__checkpoint_load_networks(int dir_fd, struct lcx__kept_networks *ret,
				  struct lcx_error **err);
/* Ask for the addresses that it had in @network. */
int lcx__kept_networks_apply(const struct lcx__kept_networks *kept, const char *network,
			     struct lcx_attachment *attachment, struct lcx_error **err);

/* ---- trust.c: what criu may follow and overwrite ---- */

/* And those of the steps before. */
int lcx__checkpoint_check_images(int images_fd, const char *path, struct lcx_error **err);
/* Old logs are gone afterwards. */
int lcx__checkpoint_check_work(int work_fd, const char *path, struct lcx_error **err);

/* ---- claim.c: where a dump writes outside of the container's own directory ---- */

struct lcx__claim {
	int parent_fd;
	char *parent, *name; /* the directory that it is in, without links, and its name there */
	char *aside;         /* another name beside it, with some of the token in it */
	char *token;         /* the dump's own, random */
	uint64_t device;     /* that it is on */
	bool is_made;        /* for the dump: "aside" until it has its mark */
	bool is_aside;       /* and after it, until it changes places with an older one */
};
#define LCX__CLAIM_NONE ((struct lcx__claim){.parent_fd = -1})
void lcx__claim_clear(struct lcx__claim *claim);

/* @dir_fd: -1: it is not there yet. With a new token. */
int lcx__claim_find(const char *path, int dir_fd, struct lcx__claim *ret, struct lcx_error **err);
/* In place of an older claim: the caller holds the container's lock. @dir_fd: what was made; or -1.
 */
int lcx__claim_save(const struct lcx_container *c, const struct lcx__claim *claim, int dir_fd,
		    struct lcx_error **err);
/* From now on what is in there is the dump's. */
int lcx__claim_mark(const struct lcx__claim *claim, int dir_fd, struct lcx_error **err);
/* Of two that are whole, the one that is aside after this. */
int lcx__claim_mark_spare(const struct lcx__claim *claim, int dir_fd, int older_fd,
			  struct lcx_error **err);
void lcx__claim_unmark_spare(const struct lcx__claim *claim, int older_fd);
/* All that is in there, but for marks: lcx__claim_sweep(). */
int lcx__claim_empty(const struct lcx__claim *claim, int dir_fd);
int lcx__claim_remove_aside(const struct lcx__claim *claim, int aside_fd);
/* It is whole. */
int lcx__claim_end(const struct lcx_container *c, const struct lcx__claim *claim, int dir_fd,
		   struct lcx_error **err);
/* A dump writes there, any one, or was killed. */
bool lcx__claim_is_on(int dir_fd);
/* Whoever made it was killed. */
void lcx__claim_sweep(const struct lcx_container *c);
/* It goes with the container: a criu that is about to end is waited for. */
void lcx__claim_drop(const struct lcx_container *c);

/* ---- files.c: the directories ---- */

struct lcx__checkpoint_place {
	int images_fd, work_fd;
	int older_fd; /* of an image path that has an older checkpoint, which is replaced */
	bool own;     /* the container's own, under another name until it is whole */
	struct lcx__claim claim;
};
#define LCX__CHECKPOINT_NOWHERE                                                                    \
	((struct lcx__checkpoint_place){                                                           \
		.images_fd = -1, .work_fd = -1, .older_fd = -1, .claim = LCX__CLAIM_NONE})
void lcx__checkpoint_place_close(struct lcx__checkpoint_place *place);

/* For a dump: empty ones. */
int lcx__checkpoint_make_place(struct lcx_container *c, const struct lcx_checkpoint *o,
			       struct lcx__checkpoint_place *ret, struct lcx_error **err);
/* It is whole: put it where it belongs, in place of an older one. With "lazy-pages" it is not yet:
 * lcx__checkpoint_settle(). */
int lcx__checkpoint_commit(struct lcx_container *c, const struct lcx_checkpoint *o,
			   struct lcx__checkpoint_place *place, struct lcx_error **err);
/* Nobody removes it any more: it can be restored. Again is nothing. */
int lcx__checkpoint_settle(struct lcx_container *c, struct lcx__checkpoint_place *place,
			   struct lcx_error **err);
/* Nothing came of it. */
void lcx__checkpoint_discard(struct lcx_container *c, struct lcx__checkpoint_place *place);

/* For a restore. */
int lcx__checkpoint_open_place(struct lcx_container *c, const struct lcx_checkpoint *o,
			       struct lcx__checkpoint_place *ret, struct lcx_error **err);

/* What a dump has left whose caller was killed. The caller holds the container's lock. */
void lcx__checkpoint_sweep(const struct lcx_container *c);

/* The container's own is not needed any more. */
void lcx__checkpoint_forget(const struct lcx_container *c);
