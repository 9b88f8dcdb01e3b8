/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The calls that host-unchanged makes, a table for each module in host-calls-MODULE.c. A row is one
 * function that calls the library: alone where the kernel or files are touched, with one row for
 * what succeeds and one for what must fail; a handle's getters and setters together. A function
 * that is exported and in no row fails the test by its name.
 */

#include <errno.h>
#include <stddef.h>

#include <lcx/lcx.h>

struct world {
	const char *dir;      /* empty and private */
	const char *rootfs;   /* a directory with busybox */
	const char *layout;   /* an OCI layout with the tag "latest" */
	const char *registry; /* "127.0.0.1:PORT", which has public/busybox:latest */
	char root_dir[4096], run_dir[4096];
	int dir_fd; /* @dir */
	struct lcx_ctx *ctx;
	const char *step; /* the last of a row's calls, for the words of its failure */
};

/* What a row's call leaves held, beyond what the rows above left. */
enum after {
	HELD,     /* handles are open */
	BASE,     /* a handle is open, and all below may rely on it */
	RELEASED, /* as at the last BASE */
	ALL_GONE, /* as in the beginning */
};

struct row {
	const char *name; /* NULL ends a table */
	int (*call)(struct world *w, struct lcx_error **err);
	enum after after;
};

#define ROW(call, after)                                                                           \
	{                                                                                          \
#call, call, after                                                                 \
	}

extern const struct row rows_base[], rows_spec[], rows_security[], rows_ipam[], rows_log[],
	rows_netlink[], rows_ns[], rows_overlay[], rows_cgroup[];
/* These need a context, which is there between the first two. */
extern const struct row rows_ctx_open[], rows_ctx_free[];
extern const struct row rows_image[], rows_archive[], rows_transfer[], rows_login[], rows_net[],
	rows_container[], rows_bundle[], rows_container_stdio[], rows_copy[], rows_event[],
	rows_share[], rows_supervisor[], rows_net_remove[], rows_image_remove[];

/* For the calls of one row, with its @w and @err. This one must succeed: */
#define MUST(call)                                                                                 \
	do {                                                                                       \
		int r_ = (call);                                                                   \
		w->step = #call;                                                                   \
		if (r_ < 0)                                                                        \
			return r_;                                                                 \
	} while (0)

/* This one must fail, and leave words: */
#define REFUSED(call)                                                                              \
	do {                                                                                       \
		int r_ = (call);                                                                   \
		w->step = #call;                                                                   \
		if (r_ >= 0 || !*err)                                                              \
			return -ENOTRECOVERABLE;                                                   \
		*err = lcx_error_free(*err);                                                       \
	} while (0)

/* What this one can do depends on the machine, what it may not do does not: */
#define EITHER(call)                                                                               \
	do {                                                                                       \
		(void)(call);                                                                      \
		*err = lcx_error_free(*err);                                                       \
	} while (0)

/* Call all getters of a table, which all take the same arguments. */
#define ALL(getters, ...)                                                                          \
	do {                                                                                       \
		for (size_t i_ = 0; i_ < sizeof(getters) / sizeof(*(getters)); i_++)               \
			(void)(getters)[i_](__VA_ARGS__);                                          \
	} while (0)
