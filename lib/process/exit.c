/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "process/process.h"

/*
 * The exit status is fetched by waitid() on the pidfd. A host that ignores SIGCHLD,
 * or that reaps all children itself, leaves nothing there to fetch (ECHILD); then the
 * kernel is asked through the pidfd, which it answers since Linux 6.15.
 */

/* struct pidfd_info of linux/pidfd.h, in its first published size. */
struct pidfd_info {
	uint64_t mask, cgroup_id;
	uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
_Static_assert(sizeof(struct pidfd_info) == 64, "the kernel's size of the first version");

#define PIDFD_GET_INFO_  _IOWR(0xff, 11, struct pidfd_info)
#define PIDFD_INFO_EXIT_ (UINT64_C(1) << 3)

static int32_t status_from_wait(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int32_t ask_kernel(int pidfd)
{
	struct pidfd_info info = {.mask = PIDFD_INFO_EXIT_};

	if (ioctl(pidfd, PIDFD_GET_INFO_, &info) < 0 || !(info.mask & PIDFD_INFO_EXIT_))
		return LCX_EXIT_UNKNOWN;
	return status_from_wait(info.exit_code);
}

int lcx__process_poll_exit(int pidfd, int32_t *ret_status)
{
	struct pollfd pfd = {.fd = pidfd, .events = POLLIN};
	siginfo_t info = {0};
	int r;

	if (poll(&pfd, 1, 0) <= 0)
		return 0;
	do
		r = waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | __WALL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		*ret_status = ask_kernel(pidfd);
	else if (info.si_pid == 0)
		return 0;
	else
		*ret_status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 1;
}
