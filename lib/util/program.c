/* SPDX-License-Identifier: MIT */
#include "util/program.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"

static bool is_executable_file(const char *path, const struct stat *st)
{
	return S_ISREG(st->st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

bool lcx__is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && is_executable_file(path, &st);
}

static bool is_roots_alone(const struct stat *st)
{
	return st->st_uid == 0 && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Each directory above @path, which is absolute and of which this eats the end. */
static bool are_above_roots_alone(char *path)
{
	struct stat st;
	char *slash;

	while ((slash = strrchr(path, '/'))) {
		slash[slash == path] = '\0';
		if (stat(path, &st) < 0 || !is_roots_alone(&st))
			return false;
		if (slash == path)
			return true;
	}
	return false;
}

bool lcx__is_administrators_program(const char *path)
{
	CLEANUP(freep) char *resolved = realpath(path, NULL), *named = strdup(path);
	struct stat st;

	return resolved && named && stat(resolved, &st) == 0 && is_executable_file(resolved, &st) &&
	       is_roots_alone(&st) && are_above_roots_alone(resolved) &&
	       are_above_roots_alone(named);
}
