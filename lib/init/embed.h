/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* The bytes of lcx-init, put into the library by embed.py. */
extern const unsigned char lcx__init_program[];
extern const size_t lcx__init_program_size;
