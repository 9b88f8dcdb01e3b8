/* SPDX-License-Identifier: MIT */
#pragma once

#include "image/engine.h"

/*
 * Decompress in a second thread, some buffers ahead of the extraction, and hash in a third. The
 * threads must be there before the process is confined, and live as long as the process.
 */
int lcx__ahead_start(struct lcx__read_ahead *ret, struct lcx_error **err);
