/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <asm/errno.h>
#include <linux/uio.h>

struct fd_control {
	size_t length;
	int level, type;
	int fd, pad;
};

enum { LEVEL_SOCKET = 1, RIGHTS = 1, NO_SIGNAL = 0x4000, CLOSE_ON_EXEC = 0x40000000 };

int init_send_to(int socket_fd, const struct plan_message *message, int fd)
{
	struct iovec iov = {(void *)(uintptr_t)message, sizeof(*message)};
	struct fd_control control = {sizeof(control) - sizeof(int), LEVEL_SOCKET, RIGHTS, fd, 0};
	struct init_message header = {.iov = &iov, .iov_length = 1};
	int r;

	if (fd >= 0) {
		header.control = &control;
		header.control_length = sizeof(control);
	}
	r = (int)sys_call3(__NR_sendmsg, socket_fd, &header, NO_SIGNAL);
	return r < 0 ? r : 0;
}

int init_receive_from(int socket_fd, struct plan_message *message, int *fd)
{
	struct iovec iov = {message, sizeof(*message)};
	struct fd_control control = {.fd = -1};
	struct init_message header = {.iov = &iov,
				      .iov_length = 1,
				      .control = &control,
				      .control_length = sizeof(control)};
	int n;

	do
		n = (int)sys_call3(__NR_recvmsg, socket_fd, &header, CLOSE_ON_EXEC);
	while (n == -EINTR);
	*fd = control.fd;
	return n < 0 ? n : n == sizeof(*message) ? 1 : 0;
}
