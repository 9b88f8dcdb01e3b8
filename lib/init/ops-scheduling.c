/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <asm/errno.h>
#include <linux/prctl.h>

/*
 * What the kernel is told about a process's share of the machine. All of it is inherited
 * by clone() and survives execve(): sched(7), ioprio_set(2), set_mempolicy(2), personality(2).
 */

enum { OF_A_PROCESS = 1 /* IOPRIO_WHO_PROCESS */ };

/* str: the list for errors, the mask; length: of the mask in bytes. */
int init_op_AFFINITY(struct init *init, const struct plan_op *op)
{
	return (int)sys_call3(__NR_sched_setaffinity, 0, op->length, init_str(init, op, 1));
}

/* str 1: struct plan_sched_attr. */
int init_op_SCHEDULER(struct init *init, const struct plan_op *op)
{
	return (int)sys_call3(__NR_sched_setattr, 0, init_str(init, op, 1), 0);
}

/* num 0: class and priority in one. */
int init_op_IO_PRIORITY(struct init *init, const struct plan_op *op)
{
	(void)init;
	return (int)sys_call3(__NR_ioprio_set, OF_A_PROCESS, 0, op->num[0]);
}

/* num 0: mode and flags; str 1: the mask of nodes, or none; length: of the mask in bytes. */
int init_op_MEMORY_POLICY(struct init *init, const struct plan_op *op)
{
	const char *nodes = init_str(init, op, 1);

	/* The kernel takes the number of bits to be one more than it is: set_mempolicy(2). */
	return (int)sys_call3(__NR_set_mempolicy, op->num[0], nodes,
			      nodes ? (uint64_t)op->length * 8 + 1 : 0);
}

int init_op_PERSONALITY(struct init *init, const struct plan_op *op)
{
	int r = (int)sys_call1(__NR_personality, op->num[0]);

	(void)init;
	return r < 0 ? r : 0;
}

/* num 0: nanoseconds; 0 is the slack that it has inherited. */
int init_op_TIMER_SLACK(struct init *init, const struct plan_op *op)
{
	(void)init;
	return (int)sys_call5(__NR_prctl, PR_SET_TIMERSLACK, op->num[0], 0, 0, 0);
}
