/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The content store, `images/` below the root directory, shared by processes:
 *
 *   blobs/ALGORITHM/HEX   documents and compressed layers, complete and checked
 *   layers/HEX/           one unpacked layer by chain id: `diff/`, and `info`; without the
 *                         latter it is damaged, and no layer any more
 *   damaged/HEX.NAME/     a damaged layer that was replaced; containers may still use it
 *   refs/HEX              one name of an image: the name and its manifest's digest
 *   holds/OWNER           what a container needs ("root set" format, below)
 *   pins/NAME             what a running pull needs; locked as long as it lives
 *   tmp/NAME/             the running pull's scratch directory
 *   partial/HEX           a blob that is not complete yet, to be resumed
 *   locks/HEX             who fetches and unpacks this blob
 *   lock                  shared: anybody, for moments; exclusive: the sweep
 *
 * Whatever has a final name is complete: it was synced and renamed there; the
 * temporary names in between (".tmp-*") are used under the shared lock only. A root
 * set is a text of lines "blob DIGEST" and "layer DIGEST".
 */

#include "ctx/ctx.h"
#include "image/digest.h"

struct lcx__store {
	int fd;     /* images/ */
	char *path; /* absolute */
	struct lcx_ctx *ctx;
};

int lcx__store_open(struct lcx_ctx *ctx, struct lcx__store **ret, struct lcx_error **err);
struct lcx__store *lcx__store_free(struct lcx__store *store);

DEFINE_CLEANUP(struct lcx__store *, lcx__store_free)

/* A descriptor that holds the store's lock (LOCK_SH or LOCK_EX) until it is closed. */
int lcx__store_lock(const struct lcx__store *store, int operation, struct lcx_error **err);

/* Names relative to the store's directory. */
enum { LCX__STORE_NAME_SIZE = 192 };
void lcx__blob_name(const struct lcx__digest *digest, char name[static LCX__STORE_NAME_SIZE]);
void lcx__layer_name(const struct lcx__digest *chain_id, char name[static LCX__STORE_NAME_SIZE]);

/* blob.c: -ENOENT without words if there is none. */
int lcx__blob_size(const struct lcx__store *store, const struct lcx__digest *digest, uint64_t *ret);
bool lcx__layer_exists(const struct lcx__store *store, const struct lcx__digest *chain_id);

/* A document, checked against its digest: -EUCLEAN if it is damaged. */
int lcx__blob_read(const struct lcx__store *store, const struct lcx__digest *digest, char **ret,
		   size_t *ret_length, struct lcx_error **err);

/* A document that was checked already. */
int lcx__blob_write(const struct lcx__store *store, const struct lcx__digest *digest,
		    const void *data, size_t length, struct lcx_error **err);

/* Hash a whole blob: 0, -ENOENT, -EUCLEAN in words and then it is removed, to be fetched again. */
int lcx__blob_verify(const struct lcx__store *store, const struct lcx__digest *digest,
		     struct lcx_error **err);

/* What `info` of an unpacked layer says. */
struct lcx__layer_info {
	uint64_t size_bytes; /* of the archive, unpacked */
	bool userxattr;
};
int lcx__layer_info_read(const struct lcx__store *store, const struct lcx__digest *chain_id,
			 struct lcx__layer_info *ret);
/*
 * Give the directory @name below @from_fd, an unpacked and synced layer, its place. If there
 * is a good one already, nothing happens; a damaged one is replaced, in one step.
 */
int lcx__layer_place(const struct lcx__store *store, int from_fd, const char *name,
		     const struct lcx__digest *chain_id, struct lcx_error **err);

/* Whoever has the layer mounted keeps it; the next pull makes it anew. */
void lcx__layer_set_aside(const struct lcx__store *store, const struct lcx__digest *chain_id);
int lcx__layer_info_write(int layer_fd, const struct lcx__layer_info *info);

/* refs.c */
struct lcx__ref {
	char *name; /* as lcx__reference_format() writes it */
	struct lcx__digest manifest;
};
struct lcx__refs {
	struct lcx__ref *items; /* sorted by name */
	size_t n;
};
int lcx__refs_read(const struct lcx__store *store, struct lcx__refs **ret, struct lcx_error **err);
struct lcx__refs *lcx__refs_free(struct lcx__refs *refs);
int lcx__refs_set(const struct lcx__store *store, const char *name,
		  const struct lcx__digest *manifest, struct lcx_error **err);
int lcx__refs_remove(const struct lcx__store *store, const char *name, struct lcx_error **err);

DEFINE_CLEANUP(struct lcx__refs *, lcx__refs_free)

/* pin.c: what a running operation needs and writes. */
struct lcx__pin {
	const struct lcx__store *store;
	int fd;
	int tmp_fd; /* tmp/NAME, made at once */
	char name[64];
};
int lcx__pin_new(const struct lcx__store *store, struct lcx__pin **ret, struct lcx_error **err);
int lcx__pin_blob(struct lcx__pin *pin, const struct lcx__digest *digest, struct lcx_error **err);
int lcx__pin_layer(struct lcx__pin *pin, const struct lcx__digest *chain_id,
		   struct lcx_error **err);
struct lcx__pin *lcx__pin_free(struct lcx__pin *pin); /* removes the scratch directory */

DEFINE_CLEANUP(struct lcx__pin *, lcx__pin_free)

/* gc.c: sweep; the caller doesn't hold the lock. */
int lcx__store_sweep(const struct lcx__store *store, uint64_t *ret_freed_bytes,
		     struct lcx_error **err);
