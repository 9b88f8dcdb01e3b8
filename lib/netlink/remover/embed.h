/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* The bytes of lcx-remover, put into the library by embed.py. */
extern const unsigned char lcx__remover_program[];
extern const size_t lcx__remover_program_size;
