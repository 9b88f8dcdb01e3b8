/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Ownership by scope. Every owned thing is declared empty with CLEANUP() and
 * leaves the scope either released or handed on with TAKE_PTR() / TAKE_FD().
 * Destructors accept NULL and half-built objects and return NULL.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((__cleanup__(fn)))

/* Define fn##p(), for use with CLEANUP(), out of a destructor fn(). */
#define DEFINE_CLEANUP(type, fn)                                                                   \
	static inline void fn##p(type *p)                                                          \
	{                                                                                          \
		if (*p)                                                                            \
			(void)fn(*p);                                                              \
	}

/* Hand a resource on: the variable is emptied, so its cleanup does nothing. */
#define TAKE(var, empty)                                                                           \
	(__extension__({                                                                           \
		__typeof__(var) taken_ = (var);                                                    \
		(var) = (empty);                                                                   \
		taken_;                                                                            \
	}))
#define TAKE_PTR(p) TAKE(p, NULL)
#define TAKE_FD(fd) TAKE(fd, -1)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void freep(void *p)
{
	free(*(void **)p);
}

/* Close and empty a descriptor; errno is kept, so it may stand in an error path. */
static inline void closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

static inline void fclosep(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

static inline void closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}
