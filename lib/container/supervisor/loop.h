/* SPDX-License-Identifier: MIT */
#pragma once

#include "util/error.h"

struct lcx_container;

/* Have lcx_dispatch() serve a container whose process this handle owns, if the program wants that.
 */
int lcx__loop_add(struct lcx_container *c, struct lcx_error **err);
void lcx__loop_remove(struct lcx_container *c);
