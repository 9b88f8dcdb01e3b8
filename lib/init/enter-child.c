/* SPDX-License-Identifier: MIT */
#include <linux/sched.h>
#include <stdint.h>

#include "init/enter.h"
#include "util/sys.h"

/* Raw calls only: the C library's would write the errno of the thread that waits. */
int lcx__enter_child(void *data)
{
	struct lcx__enter *enter = data;

	enter->result = (int)sys_call2(__NR_setns, enter->netns_fd, CLONE_NEWNET);
	if (enter->result >= 0)
		enter->result =
			(int)sys_call3(__NR_socket, enter->domain, enter->type, enter->protocol);
	for (;;)
		sys_call1(__NR_exit, 0);
}
