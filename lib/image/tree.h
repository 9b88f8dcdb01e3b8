/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A layer's files being written below one root: single entries, in any order, from
 * an archive that nobody vouches for. tree.c tells the rules.
 */

#include <sys/types.h>
#include <time.h>

#include "image/extract.h"
#include "tar/tar.h"
#include "util/str.h"

struct lcx__tree;

int lcx__tree_new(int root_fd, const struct lcx__extract_rights *rights, struct lcx__tree **ret);
struct lcx__tree *lcx__tree_free(struct lcx__tree *tree);

DEFINE_CLEANUP(struct lcx__tree *, lcx__tree_free)

/*
 * Make what @entry says. For a regular file *@ret_fd is open for its data, and
 * lcx__tree_seal() completes it with the same @entry; else it is -1.
 */
int lcx__tree_add(struct lcx__tree *tree, const struct lcx__tar_entry *entry, int *ret_fd,
		  struct lcx_error **err);
int lcx__tree_seal(struct lcx__tree *tree, const struct lcx__tar_entry *entry, int fd,
		   struct lcx_error **err);

/*
 * Directories that no entry names, after lcx__tree_finish(): paths with a NUL behind
 * each. What lies below the layer has a say in their mode, owner and time.
 */
enum { LCX__TREE_IMPLIED_BYTES = 4 << 20 };
const struct lcx__strbuf *lcx__tree_implied(const struct lcx__tree *tree);

/*
 * Modes and times of directories, which later entries would have disturbed, and their access
 * control lists, which these would have been subject to, or inherited.
 */
int lcx__tree_finish(struct lcx__tree *tree, struct lcx_error **err);
