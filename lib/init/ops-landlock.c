/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

/*
 * landlock(7): a rule set is made, rules are added to it, and the process enters it. Paths are the
 * container's: it is the root by now. Only what leads to a file is opened, never the file.
 */

#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_add_rule       445
#define __NR_landlock_restrict_self  446
#endif

enum { RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };

/* num: what is handled of files, of the network, of scopes. Older kernels take what they know. */
int init_op_LANDLOCK_NEW(struct init *init, const struct plan_op *op)
{
	const struct {
		uint64_t fs, net, scope;
	} attr = {op->num[0], op->num[1], op->num[2]};
	int fd = (int)sys_call3(__NR_landlock_create_ruleset, &attr, op->length, 0);

	if (fd < 0)
		return fd;
	init->landlock_fd = fd;
	return 0;
}

/* str 0: the path; num: what is allowed below a directory, and of a file. */
int init_op_LANDLOCK_PATH(struct init *init, const struct plan_op *op)
{
	struct {
		uint64_t access;
		int32_t fd;
	} __attribute__((__packed__)) rule = {op->num[0], -1};
	struct statx st = {0};
	int fd =
		(int)sys_call4(__NR_openat, AT_FDCWD, init_str(init, op, 0), O_PATH | O_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return fd;
	r = (int)sys_call5(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE, &st);
	if ((st.stx_mode & 0170000) != 0040000)
		rule.access = op->num[1];
	rule.fd = fd;
	if (r == 0)
		r = (int)sys_call4(__NR_landlock_add_rule, init->landlock_fd, RULE_PATH_BENEATH,
				   &rule, 0);
	sys_call1(__NR_close, fd);
	return r;
}

/* num: the port, what is allowed. */
int init_op_LANDLOCK_PORT(struct init *init, const struct plan_op *op)
{
	const struct {
		uint64_t access, port;
	} rule = {op->num[1], op->num[0]};

	return (int)sys_call4(__NR_landlock_add_rule, init->landlock_fd, RULE_NET_PORT, &rule, 0);
}

int init_op_LANDLOCK_ENTER(struct init *init, const struct plan_op *op)
{
	int r = (int)sys_call2(__NR_landlock_restrict_self, init->landlock_fd, 0);

	(void)op;
	sys_call1(__NR_close, init->landlock_fd);
	init->landlock_fd = -1;
	return r;
}
