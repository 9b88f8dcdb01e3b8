/* SPDX-License-Identifier: MIT */
#include "init/packer.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/signal.h>

#include "init/init.h"

enum { N_FDS = 3, ABOVE = 16 };

/* First all above what they become: no order alone would do when they overlap. */
static void execute(const struct packer *packer, const int *sources)
{
	static const char *const argv[] = {"lcx-gzip", NULL}, *const environment[] = {NULL};
	int copies[N_FDS], program, r = 0;

	program = (int)sys_call3(__NR_fcntl, packer->program_fd, F_DUPFD_CLOEXEC, ABOVE);
	for (int i = 0; i < N_FDS && r >= 0; i++)
		r = copies[i] = (int)sys_call3(__NR_fcntl, sources[i], F_DUPFD_CLOEXEC, ABOVE);
	for (int i = 0; i < N_FDS && r >= 0; i++)
		r = (int)sys_call3(__NR_dup3, copies[i], i, 0);
	/* The container's terminal, its lock and those who are attached are none of its business.
	 */
	if (r >= 0)
		r = sys_close_range(N_FDS, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
	if (r >= 0)
		(void)sys_call5(__NR_execveat, program, "", argv, environment, AT_EMPTY_PATH);
	for (;;)
		sys_call1(__NR_exit_group, 127);
}

static int start(void *data, int old_fd, int new_fd, int result_fd)
{
	const int sources[N_FDS] = {old_fd, new_fd, result_fd};
	struct packer *packer = data;
	int pid = init_fork(0, SIGCHLD, -1, NULL);

	if (pid == 0)
		execute(packer, sources);
	packer->pid = pid;
	return pid < 0 ? pid : 0;
}

static void end(void *data)
{
	struct packer *packer = data;
	int r;

	(void)sys_call2(__NR_kill, packer->pid, SIGKILL);
	do
		r = (int)sys_call4(__NR_wait4, packer->pid, 0, 0, 0);
	while (r == -EINTR);
}

void packer_init(struct packer *packer, int program_fd)
{
	*packer = (struct packer){.program_fd = program_fd, .packer = {start, end, packer}};
}
