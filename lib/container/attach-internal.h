/* SPDX-License-Identifier: MIT */
#pragma once

#include "container/attach.h"
#include "init/attach.h"
#include "process/flow.h"
#include "process/stdio.h"

enum { OUT, ERR, N_OUTPUTS };

struct lcx_attach {
	int socket_fd, epoll_fd;
	char name[160]; /* of the container, for messages */
	struct lcx__flow outputs[N_OUTPUTS];

	int in_fd;              /* a duplicate; -1: none, or no more */
	bool in_waits;          /* it is in the epoll set */
	bool socket_waits;      /* for room */
	bool end_waits;         /* the end of the input is to be sent */
	uint32_t size_waits[2]; /* rows, columns; 0: no */
	size_t in_start, in_length;
	char in[4096];
	unsigned char keys[LCX__DETACH_KEYS_MAX];
	uint32_t n_keys, n_pressed;

	bool may_resize;
	bool is_welcome, has_terminal, has_input, is_detached, is_over;
	int error; /* how the monitor refused, or that it died; negative */
	uint64_t lost;
	struct {
		struct attach_head head;
		char data[ATTACH_DATA_MAX];
	} frame;
};

/* Have a descriptor watched for @events, or for others. Return: 0 or a negative errno. */
int lcx__attach_watch(struct lcx_attach *a, int fd, uint32_t events, bool is_new);

/* Send a frame, whole or not at all. Return: 0 or a negative errno. */
int lcx__attach_say(struct lcx_attach *a, const struct attach_head *head, const void *data,
		    size_t length);
