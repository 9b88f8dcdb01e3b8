/* SPDX-License-Identifier: MIT */
#pragma once

/* What the operations on the container's tree share: ops-mount.c says how it is done. */

#include "init/init.h"

#include <linux/stat.h>

#ifndef S_IFMT
#define S_IFMT 00170000
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

enum { INIT_IN_ROOT = SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS };

static inline void init_close(int fd)
{
	if (fd >= 0)
		sys_call1(__NR_close, fd);
}

static inline int init_stat(int fd, struct statx *st)
{
	return (int)sys_call5(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, st);
}

static inline int init_attach(int tree_fd, int target_fd)
{
	return sys_move_mount(tree_fd, "", target_fd, "",
			      SYS_MOVE_MOUNT_F_EMPTY_PATH | SYS_MOVE_MOUNT_T_EMPTY_PATH);
}

/* target.c: a path in the container's tree, clean: what all of these take. Made so in place. */
const char *init_path(struct init *init, const struct plan_op *op, int index);

/*
 * target.c: an O_PATH descriptor of @path below the root; a missing one may be made. What is below a
 * place is found by its mount: who shares the tree may give the directory that it is on another name,
 * and the mount goes with it.
 */
int init_open_target(struct init *init, const char *path, bool make, bool directory);
/* One that is there, with no symbolic link on the way: below a place, on the way from it. */
int init_open_without_links(struct init *init, const char *path);
/* @tree has been attached at @path; it is kept if it is a place, else closed. -E2BIG: there are
 * too many. */
int init_note_mount(struct init *init, const char *path, int tree);
int init_make_directories(struct init *init, const char *path);

/*
 * copy-up.c: fill the empty @to with what @from has, directories both. Unless @options, as in
 * mount(8), say so, it also becomes like it.
 */
int init_copy_up(struct init *init, int from, int to, const char *options);

/* ops-mount.c: a detached tree of a new file system, or of an existing one. */
int init_new_file_system(struct init *init, const char *type, const char *source,
			 const char *options, bool readonly, unsigned int attributes);
int init_clone_tree(int dir_fd, const char *path, bool recursive);
