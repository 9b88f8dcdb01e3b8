/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * Linux Security Modules, as the running kernel has them: built in is not enough, they are enabled
 * at its boot.
 */
bool lcx__apparmor_is_enabled(void);

/* What has to be done before labels mean something; NULL if they do. */
const char *lcx__selinux_missing(void);
const char *lcx__apparmor_missing(void);

/* Where a process says by which profile its next program is confined. */
const char *lcx__apparmor_exec_file(void);
