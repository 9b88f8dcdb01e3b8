/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "lcx/process.h"
#include "util/error.h"

DEFINE_CLEANUP(struct lcx_stdio *, lcx_stdio_free)

enum lcx__stdio_mode { LCX__STDIO_CAPTURE, LCX__STDIO_PASSTHROUGH };

enum { LCX__DETACH_KEYS_MAX = 16, LCX__PRESERVED_MAX = 128 };

struct lcx_stdio {
	enum lcx__stdio_mode mode;
	int fds[3]; /* the caller's: passed through, or attached; -1: none */
	bool terminal;
	uint16_t rows, columns;
	bool has_console; /* the terminal's other side goes there: */
	int console_fd;
	int n_preserved; /* the caller's descriptors 3, 4, ... */
	/* Of an attachment: the keys that end it. */
	unsigned char detach_keys[LCX__DETACH_KEYS_MAX];
	uint32_t n_detach_keys;
};

/*
 * The two sides of a process's standard streams. The child's side is -1 for
 * /dev/null, and for all three with a terminal, which is made inside.
 */
struct lcx__streams {
	int child[3]; /* owned, unless passed through: then copies of the caller's */
	int host[3];  /* owned, non-blocking: [0] is written to, [1] and [2] are read */
};

#define LCX__STREAMS_NONE ((struct lcx__streams){{-1, -1, -1}, {-1, -1, -1}})

/* @stdio may be NULL. */
int lcx__streams_open(const struct lcx_stdio *stdio, struct lcx__streams *ret,
		      struct lcx_error **err);
/* Those of a process that a monitor owns, who attaches others to them. */
int lcx__streams_open_detached(bool terminal, bool input, struct lcx__streams *ret,
			       struct lcx_error **err);
/*
 * Let this user of the host open the pipes anew, as /dev/stdout: they are the caller's own
 * otherwise. Without the right to give them away they stay so.
 */
void lcx__streams_give(const struct lcx__streams *streams, uint32_t uid);
void lcx__streams_close_child(struct lcx__streams *streams);
void lcx__streams_close(struct lcx__streams *streams);
