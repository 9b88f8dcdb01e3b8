/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Shared by the files of which a tree being written is made: tree.c (the kinds of entries),
 * tree-place.c, tree-attributes.c, tree-dirs.c, tree-links.c, tree-nodes.c and tree-whiteout.c.
 */

#include <sys/stat.h>

#include "image/tree.h"

struct lcx__tree_deferred;

struct lcx__tree {
	int root_fd;
	struct lcx__extract_rights rights;
	char *parent_path; /* what parent_fd is; NULL if it has to be opened anew */
	int parent_fd;
	struct lcx__tree_deferred *deferred;
	size_t n_deferred, deferred_size, deferred_bytes;
	struct lcx__strbuf implied; /* paths, with a NUL behind each */
	size_t n_implied;
	struct lcx__strbuf skipped; /* of devices, likewise: hard links to them are no fault */
};

/* The place where something new goes. */
struct lcx__tree_place {
	int dir_fd;
	const char *name;
	bool deleted; /* this layer had something else here: nothing below may show through */
};

/* Below the root, as a process in it would see it; "" is the root. */
int lcx__tree_open(const struct lcx__tree *tree, const char *path, int flags);

/*
 * The directory of @path, borrowed until the next call, and, in *@ret_name, what is to be made in
 * it. The last directory is kept open: archives come in order.
 */
int lcx__tree_open_parent(struct lcx__tree *tree, const char *path, bool make, int *ret_fd,
			  const char **ret_name, struct lcx_error **err);
void lcx__tree_forget_parent(struct lcx__tree *tree);

/*
 * Make one directory that must be new, and return it open. Where this layer has
 * deleted the name before, what lies below must stay hidden.
 */
int lcx__tree_make_dir(const struct lcx__tree *tree, int parent_fd, const char *name, mode_t mode,
		       bool opaque, struct lcx_error **err);

/* Make room for a new name. A directory stays if a directory comes. */
int lcx__tree_clear_place(struct lcx__tree_place *at, bool dir_comes, struct lcx_error **err);

/* Is that what was to be expected of this file system, or these rights? */
bool lcx__tree_xattr_failure_is_fine(const struct lcx__tree *tree, int code);

/* On the open @fd, or if that is -1, on what is at the place; but for the lists of directories. */
int lcx__tree_set_xattrs(const struct lcx__tree *tree, const struct lcx__tar_entry *e,
			 const struct lcx__tree_place *at, int fd, struct lcx_error **err);
int lcx__tree_change_owner(const struct lcx__tree *tree, const struct lcx__tar_entry *e, int dir_fd,
			   const char *name, struct lcx_error **err);
int lcx__tree_restore_mode(const struct lcx__tree *tree, const struct lcx__tree_place *at,
			   int path_fd, mode_t mode, struct lcx_error **err);

/* Mode, access control lists and time of a directory come last. */
int lcx__tree_defer(struct lcx__tree *tree, const struct lcx__tar_entry *e, struct lcx_error **err);
int lcx__tree_note_implied(struct lcx__tree *tree, const char *path, struct lcx_error **err);
void lcx__tree_clear_dirs(struct lcx__tree *tree);

int lcx__tree_add_hard_link(struct lcx__tree *tree, const struct lcx__tar_entry *e,
			    struct lcx_error **err);

/* A device or a pipe is never opened for more than its inode: it would answer. */
int lcx__tree_add_node(struct lcx__tree *tree, const struct lcx__tar_entry *e,
		       const struct lcx__tree_place *at, struct lcx_error **err);
int lcx__tree_skip_device(struct lcx__tree *tree, const struct lcx__tar_entry *e,
			  struct lcx_error **err);
bool lcx__tree_was_skipped(const struct lcx__tree *tree, const char *path);

/* Deletions: what an archive calls them, and what overlayfs does. */
bool lcx__tree_is_mark(const char *name);
bool lcx__tree_is_whiteout(const struct stat *st);
int lcx__tree_check_names(const char *path, struct lcx_error **err);
int lcx__tree_set_opaque(const struct lcx__tree *tree, int dir_fd, struct lcx_error **err);
int lcx__tree_add_whiteout(struct lcx__tree *tree, const struct lcx__tree_place *at,
			   struct lcx_error **err);
