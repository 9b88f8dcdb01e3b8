/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A tar stream becomes files below one directory descriptor: see extract.c for
 * the rules. Nothing here depends on the host's directories, locale, umask or
 * environment, so that it can run in a confined helper process.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

/* Without gaps between its members: it is sent to the helper. */
struct lcx__extract_limits {
	uint64_t entries, total_bytes; /* of files as they'd be written, holes included */
	uint32_t path_bytes, xattr_bytes, xattrs_per_entry;
	/* Decoder output beyond ratio_from_bytes may be at most ratio times its input. */
	uint32_t ratio;
	uint64_t ratio_from_bytes;
	uint64_t window_bytes; /* of zstd: what the decoder has to remember */
	uint64_t free_bytes;   /* that must be left on the file system; 0: look at nothing */
};

extern const struct lcx__extract_limits lcx__extract_limits_default;

/* How this process may write trees; found out by trying, in the target itself. */
struct lcx__extract_rights {
	bool chown;     /* owners as in the archive, else all files stay ours */
	bool devices;   /* device nodes, else they are left out, as the OCI allows */
	bool userxattr; /* overlay's marks as user.overlay.*, else trusted.overlay.* */
	bool enclosed;  /* this process is the tree's own: its paths lead nowhere else, and its
			 * working directory matters to nobody */
};

int lcx__extract_rights_probe(int dir_fd, struct lcx__extract_rights *ret, struct lcx_error **err);

/*
 * Where the bytes come from: the next ones, as many as are at hand, which stay there until it is
 * asked again; 0 at the end, <0 with words.
 */
struct lcx__extract_source {
	ssize_t (*next)(void *data, const unsigned char **ret, struct lcx_error **err);
	void *data;
};

struct lcx__extractor;

/* @root_fd: an empty directory; borrowed. @source is copied, its data borrowed. */
int lcx__extractor_new(int root_fd, const struct lcx__extract_source *source,
		       const struct lcx__extract_limits *limits,
		       const struct lcx__extract_rights *rights, struct lcx__extractor **ret,
		       struct lcx_error **err);

/*
 * Extract about @budget_bytes more. Return: 1 if there is more, 0 when all is
 * done, or a negative errno (-EBADMSG for what an archive must not contain).
 */
int lcx__extractor_step(struct lcx__extractor *x, size_t budget_bytes, struct lcx_error **err);

/* As lcx__tree_implied(), when all is done. */
struct lcx__strbuf;
const struct lcx__strbuf *lcx__extractor_implied(const struct lcx__extractor *x);

struct lcx__extractor *lcx__extractor_free(struct lcx__extractor *x);

DEFINE_CLEANUP(struct lcx__extractor *, lcx__extractor_free)
