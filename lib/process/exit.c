/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <sys/wait.h>

#include "process/process.h"
#include "util/process.h"

int lcx__process_poll_exit(int pidfd, int32_t *ret_status)
{
	struct pollfd pfd = {.fd = pidfd, .events = POLLIN};
	int status, r;

	if (poll(&pfd, 1, 0) <= 0)
		return 0;
	r = lcx__pidfd_wait(pidfd, WNOHANG, &status);
	if (r == 0)
		return 0;
	if (r < 0)
		*ret_status = LCX_EXIT_UNKNOWN;
	else
		*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 1;
}
