/* SPDX-License-Identifier: MIT */
#pragma once

/* What every function of the image room says in a library built without it. */

#include "image/image.h"
#include "lcx/login.h"

int lcx__image_unsupported(struct lcx_error **err);
