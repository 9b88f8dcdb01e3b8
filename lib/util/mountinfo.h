/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/* A line of /proc/PID/mountinfo, unescaped: proc(5). */
struct lcx__mount_line {
	unsigned long long id;
	unsigned int major, minor;
	char *root, *point, *type, *source;
	char *options;       /* the mount's own: "rw,nosuid" */
	char *super_options; /* its file system's: "rw,errors=continue" */
	bool writable;       /* the mount and its file system */
};

/* The next line of *@text that is one, which is cut up. Return: false at the end. */
bool lcx__mountinfo_next(char **text, struct lcx__mount_line *ret);
