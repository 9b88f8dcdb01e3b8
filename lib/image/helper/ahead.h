/* SPDX-License-Identifier: MIT */
#pragma once

#include "image/engine.h"

/*
 * Decompress and hash in a second thread, some buffers ahead of the extraction. The thread
 * must be there before the process is confined, and lives as long as the process.
 */
int lcx__ahead_start(struct lcx__read_ahead *ret, struct lcx_error **err);
