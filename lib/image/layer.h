/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One layer on its way into the store, wherever its bytes come from. The stages and
 * who moves on from them:
 *
 *   LOCK     lcx__layer_step(); stays while another process works on the same blob
 *   REHASH   lcx__layer_step(); what an earlier attempt has left is read again
 *   FETCH    the caller: lcx__layer_write() from have_bytes on, then _fetched(); what is
 *            there is unpacked meanwhile, and counts once all of it has proved right
 *   UNPACK   lcx__layer_step()
 *   SETTLE   the caller: lcx__layer_commit(), when all of it is on the disk
 *   DONE     the unpacked layer is in the store
 */

#include "image/store.h"
#include "image/unpack.h"
#include "util/str.h"

enum lcx__layer_stage {
	LCX__LAYER_LOCK,
	LCX__LAYER_REHASH,
	LCX__LAYER_FETCH,
	LCX__LAYER_UNPACK,
	LCX__LAYER_SETTLE,
	LCX__LAYER_DONE,
};

struct lcx__layer {
	struct lcx__pin *pin;
	struct lcx__digest digest, diff_id, chain_id;
	uint64_t size_bytes; /* compressed */
	enum lcx__layer_stage stage;
	uint64_t have_bytes, rehashed_bytes, fed_bytes;
	int lock_fd, partial_fd, blob_fd;
	int tree_fd, root_fd; /* of the scratch directory, and its diff/ */
	struct lcx__hash *hash;
	bool is_unpacked; /* from another archive, or from this one before it was lost */
	struct lcx__unpack *unpack;
	struct lcx__unpack_progress progress;
	struct lcx__strbuf implied; /* as lcx__tree_implied() */
};

/* @pin is borrowed and must live longer; blob and layer are pinned here. */
int lcx__layer_init(struct lcx__layer *layer, struct lcx__pin *pin,
		    const struct lcx__digest *digest, uint64_t size_bytes,
		    const struct lcx__digest *diff_id, const struct lcx__digest *chain_id,
		    struct lcx_error **err);
void lcx__layer_clear(struct lcx__layer *layer);

/* A bounded piece of work. 0, or a negative errno; look at the stage. */
int lcx__layer_step(struct lcx__layer *layer, struct lcx_error **err);

/* What to wait for in the stage UNPACK before the next step; -1: nothing, go on. */
int lcx__layer_fd(const struct lcx__layer *layer);

/* In FETCH, at any time before its bytes: who unpacks them gets ready meanwhile. */
int lcx__layer_expect(struct lcx__layer *layer, struct lcx_error **err);

int lcx__layer_write(struct lcx__layer *layer, const void *data, size_t length,
		     struct lcx_error **err);

/* All bytes are here: check them, and commit the blob. -EBADMSG drops them. */
int lcx__layer_fetched(struct lcx__layer *layer, struct lcx_error **err);

/* Give the unpacked and synced layer its name; the caller syncs the directory of names. */
int lcx__layer_commit(struct lcx__layer *layer, struct lcx_error **err);

/* What has been unpacked, settled or not; the caller closes. */
int lcx__layer_open_root(const struct lcx__layer *layer);

/*
 * Unpack the stored archive once more, into the scratch directory, whether or not the layer
 * is there; then look at its root and discard it. -EBADMSG: the archive isn't what the image says.
 */
int lcx__layer_unpack_again(struct lcx__layer *layer, struct lcx_error **err);
void lcx__layer_discard(struct lcx__layer *layer);

/* Forget what is there and start at 0: the source can't resume. */
int lcx__layer_restart(struct lcx__layer *layer, struct lcx_error **err);
