/* SPDX-License-Identifier: MIT */
#pragma once

#include "lcx/security.h"
#include "util/error.h"

DEFINE_CLEANUP(struct lcx_user *, lcx_user_free)
