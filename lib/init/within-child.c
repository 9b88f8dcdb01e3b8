/* SPDX-License-Identifier: MIT */
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>

#include "init/within.h"
#include "util/sys.h"

static int enter(const struct lcx__within *within)
{
	uint64_t all = ~(uint64_t)0;
	int r;

	/* The C library's own, too, which who waits takes. */
	sys_call4(__NR_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	r = (int)sys_call2(__NR_setns, within->users_fd, CLONE_NEWUSER);
	if (r == 0 && within->mounts)
		r = (int)sys_call1(__NR_unshare, CLONE_NEWNS);
	/* After the change of rights, which forgets it. */
	if (r == 0)
		r = (int)sys_call5(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (r == 0 && sys_call0(__NR_getppid) != within->host_pid)
		r = -ECANCELED;
	return r;
}

/* It must not return: below it there is nothing but the stack of who waits. */
int lcx__within_child(void *data)
{
	struct lcx__within *within = data;
	int r = enter(within);

	within->has_entered = r == 0;
	within->result = r == 0 ? within->act(within->data, within->err) : r;
	within->has_ended = true;
	for (;;)
		sys_call1(__NR_exit, 0);
}
