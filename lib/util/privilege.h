/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/* Whether the calling thread has capability @number (CAP_...) in force, in its own user namespace. */
bool lcx__has_capability(int number);
