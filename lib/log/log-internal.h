/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the reader's files; the writer's half is in writer.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lcx/log.h"
#include "log/writer.h"

/* A longer line of the file is damaged by definition. Ours are at most LCX__LOG_LINE_MAX. */
enum { LCX__LOG_RECORD_MAX = 256 * 1024 };

struct lcx__log_record {
	enum lcx_log_stream stream;
	int64_t time_ns;
	char *text; /* in the line that was parsed */
	size_t length;
	bool partial;
};

/*
 * Take one line of a log file apart, in place: @line is @length bytes with the newline
 * as the last of them, and is not usable as a line afterwards. Return: 0, or -EBADMSG if it
 * is not exactly what a writer of json-file or CRI logs writes.
 */
int lcx__log_parse(char *line, size_t length, struct lcx__log_record *ret);

/*
 * The files of a log: "NAME", which is written, and "NAME.1" (younger) to
 * "NAME.999" (older), or "NAME.1.gz" and so on. Writers may rename and compress them at any moment;
 * an open file is found again by its inode, or by what the compressed one says.
 */
struct lcx__log_chain {
	int dir_fd;
	char name[LCX__LOG_NAME_SIZE];
};

/* A file of the chain that is open. */
struct lcx__log_file {
	int fd;
	int index;   /* where it was seen last; meanwhile it may have moved up */
	bool packed; /* by gzip */
};

/*
 * Open the oldest or the youngest file. Return: 0 or a negative errno: -ENOENT when
 * there is none.
 */
int lcx__log_chain_oldest(const struct lcx__log_chain *chain, struct lcx__log_file *ret);
int lcx__log_chain_youngest(const struct lcx__log_chain *chain, struct lcx__log_file *ret);

/*
 * Open the neighbour of @file. Return: 0, -ENOENT when there is none (yet), or another negative
 * errno. *@ret_gap is set if @file was removed by rotation, so that files between it and the one
 * returned may have been, too.
 */
int lcx__log_chain_younger(const struct lcx__log_chain *chain, struct lcx__log_file *file,
			   struct lcx__log_file *ret, bool *ret_gap);
int lcx__log_chain_older(const struct lcx__log_chain *chain, struct lcx__log_file *file,
			 struct lcx__log_file *ret);

/*
 * Look from the end of the log for the beginning of the last @lines lines.
 * *@ret is the open file and *@ret_offset the place in it where they begin: of a compressed one, in
 * what it becomes. Return: 0 or a negative errno; @why only if what decompresses can't be had.
 */
int lcx__log_find_tail(const struct lcx__log_chain *chain, uint64_t lines,
		       struct lcx__log_file *ret, int64_t *ret_offset, struct lcx_error **why);
