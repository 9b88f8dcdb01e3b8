/* SPDX-License-Identifier: MIT */
#pragma once

/* Where archives come from and go to: a file that is named, or what the shell has redirected. */

#include <stdbool.h>

#include "app.h"

/*
 * Open @path for writing, or standard output if it is NULL or "-"; a terminal is refused. The
 * result is reported: -1. The caller closes it with stream_close(), which tells what could not be
 * written.
 */
int stream_create(const struct app *app, const char *path);

/* Open @path for reading, or standard input. */
int stream_open(const struct app *app, const char *path);

/* @failed removes a file that stream_create() has made. */
bool stream_close(const struct app *app, int fd, const char *path, bool failed);
