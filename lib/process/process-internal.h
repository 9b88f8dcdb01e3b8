/* SPDX-License-Identifier: MIT */
#pragma once

#include "process/flow.h"
#include "process/process.h"

/* By number of the standard stream. */
enum { FLOW_IN, FLOW_OUT, FLOW_ERR, N_FLOWS };

struct lcx_process {
	pid_t pid;
	int pidfd, epoll_fd;
	int terminal_fd; /* the master side; -1: none */
	bool is_exec;    /* other processes of the container may outlive it */
	bool exited, done;
	int32_t status;              /* once exited */
	struct lcx__log_writer *log; /* borrowed */
	int log_fd;                  /* its socket, while it is waited for; -1 */
	struct lcx__flow flows[N_FLOWS];
};

int lcx__process_new(struct lcx_process **ret, struct lcx_error **err);

/* Send @fd along with @data over a socket. Return: 0 or a negative errno. */
int lcx__send_fd(int socket_fd, const void *data, size_t length, int fd);

/* Hand over the host's side of the streams and start watching. */
int lcx__process_connect(struct lcx_process *process, const struct lcx_stdio *stdio,
			 struct lcx__streams *streams, struct lcx_error **err);
