/* SPDX-License-Identifier: MIT */
#pragma once

#include "ctx/ctx.h"
#include "image/extract.h"

/* The limits as lcx_layer_set_limit() has left them. */
void lcx__limits_of(const struct lcx_ctx *ctx, struct lcx__extract_limits *ret);
