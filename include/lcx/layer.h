/* SPDX-License-Identifier: MIT */
#ifndef LCX_LAYER_H
#define LCX_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include <lcx/ctx.h>
#include <lcx/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * How layers are unpacked: what a stranger's archive may demand, and in which process that
 * is found out. All of it is a property of a context, of this process only, and holds for
 * what begins afterwards: lcx_pull_new(), lcx_image_import() and their like.
 *
 * By default each layer is decompressed, hashed and extracted by a helper process of the
 * library's own: it has an empty root, a list of some fifty system calls, no network, few
 * capabilities and little memory. It is a static program inside the library, started as
 * lcx-init is: the host program isn't forked, and needs no file of it. Its parent is the
 * calling process, which gets SIGCHLD when it ends, as from any child; it is waited for by its
 * descriptor, and nothing is lost if the host ignores the signal or waits for all children.
 */

/**
 * enum lcx_layer_limit - what a layer can have too much of
 *
 * A layer beyond a limit is refused with -EBADMSG, and the words name the entry; too little
 * free space is -ENOSPC.
 */
enum lcx_layer_limit {
	LCX_LAYER_LIMIT_ENTRIES,      /* of the archive; 4194304 */
	LCX_LAYER_LIMIT_TOTAL_BYTES,  /* of its files, with holes and attributes; 256 GiB */
	LCX_LAYER_LIMIT_RATIO,        /* of what comes out of the decoder to what goes in, looked
				       * at beyond 1 GiB of output; 1100 */
	LCX_LAYER_LIMIT_PATH_BYTES,   /* of a name or a link's text; at most and by default 4095 */
	LCX_LAYER_LIMIT_XATTR_BYTES,  /* of one attribute's value; at most and by default 65536 */
	LCX_LAYER_LIMIT_XATTRS,       /* of one entry; 64 */
	LCX_LAYER_LIMIT_WINDOW_BYTES, /* of zstd, rounded down to a power of two; 128 MiB */
	LCX_LAYER_LIMIT_FREE_BYTES,   /* that must stay free on the file system; 8 MiB, 0: any */
};

/**
 * lcx_layer_set_limit() - change one limit
 * @ctx:   whose layers are meant
 * @limit: which one
 * @value: 1 or more (0 only for LCX_LAYER_LIMIT_FREE_BYTES)
 * @err:   the failure in words, or NULL if unwanted
 *
 * Return: 0, -EINVAL for an unknown @limit, -ERANGE for a @value that it can't have.
 */
int lcx_layer_set_limit(struct lcx_ctx *ctx, enum lcx_layer_limit limit, uint64_t value,
			struct lcx_error **err);

/** lcx_layer_limit() - the present value of a limit; 0 for an unknown one */
uint64_t lcx_layer_limit(const struct lcx_ctx *ctx, enum lcx_layer_limit limit);

/**
 * lcx_layer_set_in_process() - unpack in the calling process, by the calling thread
 * @ctx:        whose layers are meant
 * @in_process: true: a stranger's bytes meet zlib, zstd and the reader of archives in the memory of the
 *              host program, with all of its rights
 *
 * For hosts that can't start processes, or are nothing but a confined process themselves.
 * Nothing is then unpacked while it is downloaded.
 */
void lcx_layer_set_in_process(struct lcx_ctx *ctx, bool in_process);

/** lcx_layer_in_process() - what lcx_layer_set_in_process() has set; false at first */
bool lcx_layer_in_process(const struct lcx_ctx *ctx);

#ifdef __cplusplus
}
#endif

#endif /* LCX_LAYER_H */
