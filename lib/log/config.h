/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a log is kept: what the library decides and the writer, in the library or in lcx-init,
 * carries out. Flat, since it is a part of the launch plan; it uses no C library.
 */

#include <stdint.h>

enum lcx__log_driver {
	LCX__LOG_TO_FILE, /* in enum lcx_log_format */
	LCX__LOG_TO_JOURNALD,
	LCX__LOG_TO_SYSLOG,
	LCX__LOG_TO_CALLBACK,
};

enum lcx__log_flags {
	LCX__LOG_NON_BLOCKING = 1 << 0,   /* rather lose a line than stop the writer */
	LCX__LOG_DATAGRAMS_ONLY = 1 << 1, /* syslog: no stream, if that is what listens */
	LCX__LOG_NEWLINES = 1 << 2,       /* syslog on a stream: each message ends with a newline */
	LCX__LOG_COMPRESS = 1 << 3,       /* rotated files */
};

#define LCX__LOG_PACKED_SUFFIX ".gz"

enum { LCX__LOG_NAME_SIZE = 128, LCX__LOG_ADDRESS_SIZE = 108 };

struct lcx__log_config {
	uint32_t driver; /* enum lcx__log_driver */
	uint32_t format; /* enum lcx_log_format */
	uint32_t flags;  /* enum lcx__log_flags */
	/* files */
	uint32_t max_files;
	uint64_t max_size_bytes; /* 0: no limit */
	uint64_t max_age_ns;     /* 0: no limit */
	char name[LCX__LOG_NAME_SIZE];
	/* sockets */
	char address[LCX__LOG_ADDRESS_SIZE]; /* a path */
	uint32_t facility;
	uint64_t buffer_bytes; /* of what waits until it can be sent */
	/* What is said with each line, in the driver's own spelling; it stands elsewhere. */
	uint32_t context_length;
};
