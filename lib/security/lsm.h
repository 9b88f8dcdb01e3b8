/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * Linux Security Modules, as the running kernel has them: built in is not enough, they are enabled
 * at its boot.
 */
bool lcx__selinux_is_enabled(void);
bool lcx__apparmor_is_enabled(void);

/* Where a process says by which profile its next program is confined. */
const char *lcx__apparmor_exec_file(void);
