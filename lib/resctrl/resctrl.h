/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Classes of service for cache and memory bandwidth, by the kernel's file system resctrl: what the
 * runtime specification calls linux.intelRdt, and AMD and Arm have, too. A class is a
 * directory in it, and so is a group whose use is measured, below a class.
 */

#include <stdbool.h>

#include "lcx/error.h"

struct lcx__resctrl_wish {
	const char *own;                   /* the container's id */
	const char *class_name;            /* NULL: one of its own; "/": the one of all others */
	const char *l3_schema, *mb_schema; /* lines of its `schemata`; NULL: none */
	const char *const *schemata;       /* likewise, written last; may be NULL */
	bool monitor;                      /* measure it */
};

/* What a wish means in one mount. All paths are absolute; release with lcx__resctrl_clear(). */
struct lcx__resctrl {
	char *class_dir;
	char *monitor_dir; /* NULL: not measured */
	bool is_there;     /* the class, before us */
	bool is_ours;      /* it goes with the container */
};

/* Where it is mounted, owned by the caller; -EOPNOTSUPP in words if nowhere. */
int lcx__resctrl_find(char **ret, struct lcx_error **err);

/* Look, and refuse what can't be; nothing is made yet. */
int lcx__resctrl_look(const char *mount, const struct lcx__resctrl_wish *wish,
		      struct lcx__resctrl *ret, struct lcx_error **err);

/* Make what is not there, and write or compare its lines. */
int lcx__resctrl_make(const char *mount, const struct lcx__resctrl *groups,
		      const struct lcx__resctrl_wish *wish, struct lcx_error **err);

/* Other lines for a class that is there: @lines, each ended by '\n'. If one is refused, what was
 * there is written back. */
int lcx__resctrl_rewrite(const char *mount, const char *class_dir, const char *lines,
			 struct lcx_error **err);

/* The file to write "0" to, opened, for whoever wants to be in that directory's group. */
int lcx__resctrl_open_tasks(const char *dir, struct lcx_error **err);

/* Remove a class or a group; who is in it goes back to the one above. Not there is fine. */
int lcx__resctrl_remove(const char *dir, struct lcx_error **err);

void lcx__resctrl_clear(struct lcx__resctrl *groups);
