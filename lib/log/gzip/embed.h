/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* The bytes of lcx-gzip, put into the library by init/embed.py. */
extern const unsigned char lcx__gzip_program[];
extern const size_t lcx__gzip_program_size;
