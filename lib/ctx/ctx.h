/* SPDX-License-Identifier: MIT */
#pragma once

/* What rooms below may know of a context: two directories and their names. */

#include <stdbool.h>
#include <stdint.h>

#include <stdint.h>

#include "lcx/ctx.h"
#include "util/error.h"

enum { LCX__CTX_LAYER_LIMITS = 8 };
#define LCX__SUBIDS_FILE "subids"

struct lcx_ctx {
	char *root_dir, *run_dir; /* absolute */
	int root_fd, run_fd;
	char *registries_file; /* of the image room; NULL: the default one */
	/* How the image room unpacks: lcx/layer.h; a limit is kept plus one, 0 is the default. */
	uint64_t layer_limits[LCX__CTX_LAYER_LIMITS];
	bool layers_in_process;
	/* An ordinary user's ranges, as ROOT/subids has them; NULL: he has none. users.h of lib/ns. */
	char *subids;
	int users_fd;   /* a user namespace with them, once it was needed; -1 */
	bool is_within; /* this call runs in it */
	/* What the container room keeps with it: compiled seccomp filters. */
	void *cache;
	void (*free_cache)(void *cache);
	/* And the loop of a program that asked for its descriptor. */
	void *loop;
	void (*free_loop)(void *loop);
	/* And the network room: a socket of the firewall's. */
	void *firewall;
	void (*free_firewall)(void *firewall);
	void *proc; /* and a procfs, own-proc.c of it */
	void (*free_proc)(void *proc);
	int64_t events_since_ns; /* 0: from now on */
};

DEFINE_CLEANUP(struct lcx_ctx *, lcx_ctx_free)

/* lcx_ctx_open() without the recovery, which needs the rooms below. */
int lcx__ctx_new(const char *root_dir, const char *run_dir, struct lcx_ctx **ret,
		 struct lcx_error **err);

/* Eight hexadecimal digits that tell this root directory's kernel objects from another's. */
enum { LCX__CTX_TAG_SIZE = 9 };
void lcx__ctx_tag(const struct lcx_ctx *ctx, char tag[static LCX__CTX_TAG_SIZE]);
