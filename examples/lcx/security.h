/* SPDX-License-Identifier: MIT */
#pragma once

/* Docker's --security-opt, and users of a container by name. */

#include "app.h"

#include "memory.h"

/* "no-new-privileges[=true|false]", "seccomp=unconfined", "seccomp=default", "seccomp=FILE",
 * "apparmor=PROFILE", "label=disable", "label=type:TYPE" */
int apply_security(struct app *app, struct lcx_spec *spec, const struct list *options);

/* Lists of Landlock's rules, and "best-effort". */
int apply_landlock(struct app *app, struct lcx_spec *spec, const struct list *lists);

/* "name", "name:group" or numbers, as the files of the running @container have them; also HOME. */
int apply_user(struct lcx_spec *spec, struct lcx_container *container, const char *user,
	       struct lcx_error **err);
