/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "util/error.h"

/*
 * Landlock for the workload: rules by path and by TCP port, which hold for a program and all that
 * it starts, root or not. landlock(7). The kernel's numbers are repeated here, for headers are
 * older.
 */

/* LANDLOCK_ACCESS_FS_x */
#define LCX__LANDLOCK_EXECUTE    (UINT64_C(1) << 0)
#define LCX__LANDLOCK_WRITE_FILE (UINT64_C(1) << 1)
#define LCX__LANDLOCK_READ_FILE  (UINT64_C(1) << 2)
#define LCX__LANDLOCK_READ_DIR   (UINT64_C(1) << 3)
#define LCX__LANDLOCK_REFER      (UINT64_C(1) << 13)
#define LCX__LANDLOCK_TRUNCATE   (UINT64_C(1) << 14)
#define LCX__LANDLOCK_IOCTL_DEV  (UINT64_C(1) << 15)

/* LANDLOCK_ACCESS_NET_x, LANDLOCK_SCOPE_x */
#define LCX__LANDLOCK_BIND_TCP      (UINT64_C(1) << 0)
#define LCX__LANDLOCK_CONNECT_TCP   (UINT64_C(1) << 1)
#define LCX__LANDLOCK_ABSTRACT_UNIX (UINT64_C(1) << 0)
#define LCX__LANDLOCK_SIGNAL        (UINT64_C(1) << 1)

enum lcx__landlock_kind { LCX__LANDLOCK_PATH, LCX__LANDLOCK_PORT, LCX__LANDLOCK_SCOPE };

/* One rule in words, such as "ro=/usr". */
struct lcx__landlock_rule {
	enum lcx__landlock_kind kind;
	uint64_t access;  /* what it allows; of a scope: what it forbids outside */
	const char *path; /* in the text that was parsed */
	int32_t port;     /* -1: none at all is allowed */
};

int lcx__landlock_parse(const char *text, struct lcx__landlock_rule *ret, struct lcx_error **err);

/* What the kernel's version @abi can forbid. */
struct lcx__landlock_rights {
	uint64_t fs, net, scope;
};
struct lcx__landlock_rights lcx__landlock_rights(int32_t abi);

/* What all @rules together, an array ended by NULL, forbid if nothing allows it. */
int lcx__landlock_handled(char *const *rules, struct lcx__landlock_rights *ret,
			  struct lcx_error **err);

/* -EOPNOTSUPP with the Linux that is needed if this kernel can't do all of @wanted. */
int lcx__landlock_check(const struct lcx__landlock_rights *wanted, struct lcx_error **err);
