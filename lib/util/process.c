/* SPDX-License-Identifier: MIT */
#include "util/process.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/fs.h"
#include "util/sys.h"

/* Field 22; field 2, the name, may hold anything, also blanks and parentheses: proc(5). */
int lcx__read_start_time(pid_t pid, int64_t *ret)
{
	CLEANUP(freep) char *text = NULL;
	char path[64], *at;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	r = lcx__read_file(AT_FDCWD, path, 4096, &text, NULL);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return -EIO;
	*ret = strtoll(at + 1, NULL, 10);
	return 0;
}

/* The number may have been given to somebody else: the pidfd is opened first, then checked. */
int lcx__open_process(int64_t pid, int64_t start_time)
{
	CLEANUP(closep) int pidfd = -1;
	struct pollfd ended = {.events = POLLIN};
	int64_t found;
	int r;

	if (pid <= 0)
		return -ESRCH;
	pidfd = sys_pidfd_open((int)pid, 0);
	if (pidfd < 0)
		return pidfd;
	r = lcx__read_start_time((pid_t)pid, &found);
	if (r < 0)
		return r;
	/* A zombie keeps its number for as long as its parent likes. */
	ended.fd = pidfd;
	return found == start_time && poll(&ended, 1, 0) == 0 ? TAKE_FD(pidfd) : -ESRCH;
}
