/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* The bytes of lcx-monitor, put into the library by embed.py. */
extern const unsigned char lcx__monitor_program[];
extern const size_t lcx__monitor_program_size;
