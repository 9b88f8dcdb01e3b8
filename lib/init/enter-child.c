/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <linux/sched.h>
#include <stdint.h>

#include "init/enter.h"
#include "util/sys.h"

/* The descriptors are the host's, too: this one is closed again. */
static int write_file(const struct lcx__enter *enter)
{
	int fd = (int)sys_call4(__NR_openat, AT_FDCWD, enter->path,
				O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	long n;

	if (fd < 0)
		return fd;
	n = sys_call3(__NR_write, fd, enter->text, enter->length);
	sys_call1(__NR_close, fd);
	return n < 0 ? (int)n : 0;
}

static int open_file(const struct lcx__enter *enter)
{
	return (int)sys_call4(__NR_openat, AT_FDCWD, enter->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW,
			      0);
}

/* Raw calls only: the C library's would write the errno of the thread that waits. */
int lcx__enter_child(void *data)
{
	struct lcx__enter *enter = data;

	enter->result = (int)sys_call2(__NR_setns, enter->ns_fd,
				       enter->path && !enter->text ? 0 : CLONE_NEWNET);
	if (enter->result >= 0 && enter->path)
		enter->result = enter->text ? write_file(enter) : open_file(enter);
	else if (enter->result >= 0)
		enter->result =
			(int)sys_call3(__NR_socket, enter->domain, enter->type, enter->protocol);
	for (;;)
		sys_call1(__NR_exit, 0);
}
