/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <asm/errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>

int init_op_RLIMIT(struct init *init, const struct plan_op *op)
{
	struct {
		uint64_t soft, hard;
	} limit = {op->num[1], op->num[2]};

	(void)init;
	return (int)sys_call4(__NR_prlimit64, 0, op->num[0], &limit, 0);
}

int init_op_UMASK(struct init *init, const struct plan_op *op)
{
	(void)init;
	sys_call1(__NR_umask, op->num[0]);
	return 0;
}

/* Kernels without keyrings have nothing to separate. */
int init_op_KEYRING(struct init *init, const struct plan_op *op)
{
	int r = (int)sys_call2(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, init_str(init, op, 0));

	return r == -ENOSYS ? 0 : r < 0 ? r : 0;
}

/* Every bit above the last capability that the kernel knows answers EINVAL. */
int init_op_CAP_BOUND(struct init *init, const struct plan_op *op)
{
	(void)init;
	for (int cap = 0; cap < 64; cap++) {
		int r;

		if (op->num[0] & ((uint64_t)1 << cap))
			continue;
		r = (int)sys_call5(__NR_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
		if (r == -EINVAL)
			break;
		if (r < 0)
			return r;
	}
	return 0;
}

/* str 0: the supplementary groups as an array of 32 bit numbers, length of them. */
int init_op_USER(struct init *init, const struct plan_op *op)
{
	uint64_t uid = op->num[0], gid = op->num[1];
	int r;

	/* Capabilities survive the change of user, to be set exactly by CAPS afterwards. */
	r = (int)sys_call5(__NR_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
	if (r == 0 && !(op->flags & PLAN_F_IGNORE_ERRORS))
		r = (int)sys_call2(__NR_setgroups, op->length, init_str(init, op, 0));
	/* A user namespace whose creator may not drop groups denies it: user_namespaces(7). */
	if (r == -EPERM && op->num[2])
		r = 0;
	if (r == 0)
		r = (int)sys_call3(__NR_setresgid, gid, gid, gid);
	if (r == 0)
		r = (int)sys_call3(__NR_setresuid, uid, uid, uid);
	return r;
}

/* num: effective, permitted, inheritable, ambient. */
int init_op_CAPS(struct init *init, const struct plan_op *op)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	int r;

	(void)init;
	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(op->num[0] >> (32 * i));
		data[i].permitted = (uint32_t)(op->num[1] >> (32 * i));
		data[i].inheritable = (uint32_t)(op->num[2] >> (32 * i));
	}
	r = (int)sys_call2(__NR_capset, &header, data);
	if (r < 0)
		return r;
	r = (int)sys_call5(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int cap = 0; r == 0 && cap < 64; cap++)
		if (op->num[3] & ((uint64_t)1 << cap))
			r = (int)sys_call5(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0,
					   0);
	return r;
}

int init_op_NO_NEW_PRIVS(struct init *init, const struct plan_op *op)
{
	(void)init;
	(void)op;
	return (int)sys_call5(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/*
 * str 0: the program, length bytes of it; num 0: SECCOMP_FILTER_FLAG_*. A listener goes to the
 * library at once, by sendmsg(2), which the filter does not stop: from here on any other call may
 * wait for whoever has it.
 */
int init_op_SECCOMP(struct init *init, const struct plan_op *op)
{
	struct sock_fprog program = {
		.len = (unsigned short)(op->length / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)(init->base + op->str[0]),
	};

	struct plan_message message = {.type = PLAN_MESSAGE_LISTENER};
	int listener = (int)sys_call3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, op->num[0], &program);

	if (listener < 0 || !(op->num[0] & SECCOMP_FILTER_FLAG_NEW_LISTENER))
		return listener;
	/* Its end closes it, and so does the exec: close(2) may be one of the calls that wait. */
	return init_send(init, &message, listener);
}
