/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
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

/* LANDLOCK_MAX_NUM_LAYERS of the kernel's security/landlock/limits.h */
enum { MOST_DOMAINS = 16 };

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

/*
 * No call tells a process that it is in a domain. But there is an end to how many can be entered,
 * one in the other: those that are left tell.
 */
static int count_domains_left(void)
{
	const uint64_t execution = 1; /* LANDLOCK_ACCESS_FS_EXECUTE */
	int left = 0, fd;

	if (sys_call5(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	fd = (int)sys_call3(__NR_landlock_create_ruleset, &execution, sizeof(execution), 0);
	if (fd < 0)
		return -1;
	while (left < MOST_DOMAINS && sys_call2(__NR_landlock_restrict_self, fd, 0) == 0)
		left++;
	return left;
}

void init_explain_domain(struct init *init)
{
	int left = init->detail[0] ? -1 : count_domains_left();

	if (left >= 0 && left < MOST_DOMAINS)
		(void)text_append(init->detail, sizeof(init->detail),
				  "a Landlock domain is around this process, which in there mounts "
				  "nothing, if files are handled, and joins no process outside of "
				  "it: landlock(7)");
}
