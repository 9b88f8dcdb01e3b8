/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* The bytes of lcx-pasta, put into the library by embed.py. */
extern const unsigned char lcx__pasta_program[];
extern const size_t lcx__pasta_program_size;
