/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A layer's files being written below one root: single entries, in any order, from
 * an archive that nobody vouches for. tree.c tells the rules.
 */

#include <sys/types.h>
#include <time.h>

#include "image/extract.h"
#include "util/str.h"

struct lcx__xattr {
	const char *name;
	const void *value;
	size_t size;
};

/* All of it borrowed for one call. */
struct lcx__entry {
	const char *path; /* as lcx__tree_path() leaves it; "" is the root */
	const char *link; /* a symbolic link's text, or a hard link's path as above; else NULL */
	bool hard;        /* @link is a hard link's */
	mode_t mode;      /* type and permissions */
	uid_t uid;
	gid_t gid;
	dev_t device;
	struct timespec mtime;
	const struct lcx__xattr *xattrs;
	size_t n_xattrs;
};

struct lcx__tree;

int lcx__tree_new(int root_fd, const struct lcx__extract_rights *rights, struct lcx__tree **ret);
struct lcx__tree *lcx__tree_free(struct lcx__tree *tree);

DEFINE_CLEANUP(struct lcx__tree *, lcx__tree_free)

/*
 * Bring an archive's path into the form "a/b/c", in place: no leading slash, no
 * "." and no empty component. One with ".." is -EBADMSG.
 */
int lcx__tree_path(char *path, struct lcx_error **err);

/*
 * Make what @entry says. For a regular file *@ret_fd is open for its data, and
 * lcx__tree_seal() completes it with the same @entry; else it is -1.
 */
int lcx__tree_add(struct lcx__tree *tree, const struct lcx__entry *entry, int *ret_fd,
		  struct lcx_error **err);
int lcx__tree_seal(struct lcx__tree *tree, const struct lcx__entry *entry, int fd,
		   struct lcx_error **err);

/*
 * Directories that no entry names, after lcx__tree_finish(): paths with a NUL behind
 * each. What lies below the layer has a say in their mode, owner and time.
 */
enum { LCX__TREE_IMPLIED_BYTES = 4 << 20 };
const struct lcx__strbuf *lcx__tree_implied(const struct lcx__tree *tree);

/* Modes and times of directories, which later entries would have disturbed. */
int lcx__tree_finish(struct lcx__tree *tree, struct lcx_error **err);
