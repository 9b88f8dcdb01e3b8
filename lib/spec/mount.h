/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the option strings of a mount mean. One table (mount.c) has a row for
 * each option of the runtime specification and of mount(8).
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

enum lcx__idmap {
	LCX__IDMAP_NONE,
	LCX__IDMAP_MOUNT,     /* "idmap" */
	LCX__IDMAP_RECURSIVE, /* "ridmap" */
};

enum { LCX__MAX_PROPAGATION = 4 };

/*
 * The same wishes in two languages: MS_x for mount(2), MOUNT_ATTR_x for
 * mount_setattr(2). "ro" and its kind stand in both; what has no attribute
 * ("sync", "dirsync", ...) is only in @flags; the recursive kind ("rro") only in @rattr_x.
 * Later options win over earlier ones.
 */
struct lcx__mount_options {
	uint64_t flags;       /* MS_x to set, with MS_BIND, MS_REC ("rbind") and MS_REMOUNT */
	uint64_t flags_clear; /* MS_x that were cleared by name ("rw", "exec", ...) */
	uint64_t attr_set, attr_clr;                /* SYS_MOUNT_ATTR_x, for this mount */
	uint64_t rattr_set, rattr_clr;              /* the same, with SYS_AT_RECURSIVE */
	uint64_t propagation[LCX__MAX_PROPAGATION]; /* MS_x [| MS_REC], one mount(2) each, in order
						     */
	uint32_t n_propagation;
	enum lcx__idmap idmap;
	bool tmpcopyup;
	char *data; /* the rest, joined by ",", for the file system; NULL: none */
};

/* @options may be NULL. @ret->data belongs to the caller. A wish that makes no sense is -EINVAL. */
int lcx__mount_options_parse(const char *const *options, struct lcx__mount_options *ret,
			     struct lcx_error **err);

/* The same of what is a bind mount by its type, and not by an option. */
int lcx__mount_options_check_bind(const struct lcx__mount_options *o, struct lcx_error **err);
