/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/* Whether the calling thread has capability @number (CAP_...) in force, in its own user namespace. */
bool lcx__has_capability(int number);

/* Whether this is the machine's user namespace. In any other even root can't write trusted.*
 * attributes (xattr(7)), make devices or mount most file systems. */
bool lcx__is_in_first_users(void);
