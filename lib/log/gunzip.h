/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A compressed file of a log, decompressed from its beginning on, in a bounded amount of memory,
 * whatever stands in it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

struct lcx__gunzip;

/* @fd is borrowed, and its offset left alone. Return: 0, -ENOMEM, -EOPNOTSUPP without zlib, which is
 * loaded now. */
int lcx__gunzip_new(int fd, struct lcx__gunzip **ret, struct lcx_error **err);

/*
 * Return: how many bytes there are; 0 at the end, and where the file is damaged; a negative errno
 * of pread(2).
 */
ssize_t lcx__gunzip_read(struct lcx__gunzip *gz, void *buffer, size_t size);

/* The end was one of damage: what follows in the file is lost. */
bool lcx__gunzip_is_damaged(const struct lcx__gunzip *gz);

struct lcx__gunzip *lcx__gunzip_free(struct lcx__gunzip *gz);

static inline void lcx__gunzip_freep(struct lcx__gunzip **gz)
{
	*gz = lcx__gunzip_free(*gz);
}
