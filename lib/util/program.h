/* SPDX-License-Identifier: MIT */
#pragma once

/* Programs of the machine that are executed by name. */

#include <stdbool.h>

/* Whether an executable file is there, by the rights that the caller really has. */
bool lcx__is_program(const char *path);

/*
 * Whether it is root's own, and nobody else can change it or put another one in its place: neither
 * where it is named nor on the way to where links lead.
 */
bool lcx__is_administrators_program(const char *path);
