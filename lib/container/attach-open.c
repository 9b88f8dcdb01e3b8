/* SPDX-License-Identifier: MIT */
#include "container/attach-internal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "container/container-internal.h"

/* An attachment is made: by the socket of a monitor, or by a pair of which it gets one end. */

enum { CONNECT_TRIES = 50 };

static int take_fds(struct lcx_attach *a, const struct lcx_stdio *stdio, struct lcx_error **err)
{
	for (int i = 0; stdio && i < 3; i++) {
		int copy;

		if (stdio->fds[i] < 0)
			continue;
		copy = fcntl(stdio->fds[i], F_DUPFD_CLOEXEC, 3);
		if (copy < 0)
			return lcx__fail_sys(err, errno, "attach descriptor %d", stdio->fds[i]);
		*(i == 0 ? &a->in_fd : &a->outputs[i - 1].to) = copy;
	}
	for (int i = 0; i < N_OUTPUTS; i++) {
		a->outputs[i].epoll_fd = a->epoll_fd;
		a->outputs[i].is_fed = a->outputs[i].to >= 0;
	}
	return 0;
}

static int attach_new(const struct lcx_stdio *stdio, const char *display, struct lcx_attach **ret,
		      struct lcx_error **err)
{
	CLEANUP(lcx_attach_freep) struct lcx_attach *a = NULL;
	int r;

	if (stdio && stdio->mode == LCX__STDIO_PASSTHROUGH)
		return lcx__fail(err, EINVAL,
				 "a container cannot be attached by passing "
				 "descriptors through; copy, by lcx_stdio_set_attach()");
	a = calloc(1, sizeof(*a));
	if (!a)
		return lcx__fail_nomem(err);
	a->socket_fd = a->in_fd = -1;
	for (int i = 0; i < N_OUTPUTS; i++)
		a->outputs[i] = LCX__FLOW_NONE;
	(void)snprintf(a->name, sizeof(a->name), "%s", display);
	if (stdio) {
		memcpy(a->keys, stdio->detach_keys, sizeof(a->keys));
		a->n_keys = stdio->n_detach_keys;
		a->size_waits[0] = stdio->terminal ? stdio->rows : 0;
		a->size_waits[1] = stdio->columns;
	}
	a->may_resize = stdio && (stdio->terminal || stdio->fds[0] >= 0);
	a->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (a->epoll_fd < 0)
		return lcx__fail_sys(err, errno, "make an epoll instance");
	r = take_fds(a, stdio, err);
	if (r == 0)
		*ret = TAKE_PTR(a);
	return r;
}

/* From here on the socket is in the set. */
static int greet(struct lcx_attach *a, struct lcx_error **err)
{
	struct attach_head hello = {.type = ATTACH_HELLO,
				    .flags = (a->in_fd >= 0 ? ATTACH_F_INPUT : 0) |
					     (a->may_resize ? ATTACH_F_TERMINAL : 0)};
	int r = lcx__attach_watch(a, a->socket_fd, EPOLLIN, true);

	if (r == 0)
		r = lcx__attach_say(a, &hello, NULL, 0);
	return r < 0 ? lcx__fail_sys(err, -r, "attach to container '%s'", a->name) : 0;
}

int lcx__attach_prepare(const struct lcx_stdio *stdio, const char *display, struct lcx_attach **ret,
			int *ret_monitor_fd, struct lcx_error **err)
{
	CLEANUP(lcx_attach_freep) struct lcx_attach *a = NULL;
	CLEANUP(closep) int monitor_fd = -1;
	int r = attach_new(stdio, display, &a, err), pair[2];

	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return lcx__fail_sys(err, errno, "make a pair of sockets");
	a->socket_fd = pair[0];
	monitor_fd = pair[1];
	r = greet(a, err);
	if (r < 0)
		return r;
	*ret_monitor_fd = TAKE_FD(monitor_fd);
	*ret = TAKE_PTR(a);
	return 0;
}

/* By descriptor: a path of a socket has room for 107 bytes only, unix(7). */
static struct sockaddr_un address_of(int run_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path),
		       "/proc/self/fd/%d/" ATTACH_SOCKET, run_fd);
	return address;
}

int lcx__attach_listen(int run_fd, struct lcx_error **err)
{
	CLEANUP(closep)
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = address_of(run_fd);

	(void)unlinkat(run_fd, ATTACH_SOCKET, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, ATTACH_MAX_CLIENTS) < 0)
		return lcx__fail_sys(err, errno, "make the socket that others attach to");
	return TAKE_FD(fd);
}

/* A full queue says EAGAIN at once: the monitor takes in whoever waits as soon as it runs. */
static int connect_to(struct lcx_attach *a, int run_fd)
{
	struct sockaddr_un address = address_of(run_fd);

	for (int i = 0; i < CONNECT_TRIES; i++) {
		if (connect(a->socket_fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		(void)poll(NULL, 0, 10);
	}
	return -EAGAIN;
}

LCX_PUBLIC int lcx_container_attach(struct lcx_container *c, const struct lcx_stdio *stdio,
				    struct lcx_attach **ret, struct lcx_error **err)
{
	CLEANUP(closep) int pidfd = lcx__container_open_running(c, err);
	CLEANUP(lcx_attach_freep) struct lcx_attach *a = NULL;
	int r;

	if (pidfd < 0)
		return pidfd;
	/* Neither would anything come from it, nor what is typed reach it. */
	if (c->state == LCX_CONTAINER_PAUSED)
		return lcx__fail(err, EBUSY, "container '%s' is paused; unpause it first",
				 lcx__container_display(c));
	/* Whoever has heard its last word asks how it ended. */
	r = lcx__waited_note(c, err);
	if (r == 0)
		r = attach_new(stdio, lcx__container_display(c), &a, err);
	if (r < 0)
		return r;
	a->socket_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->socket_fd < 0)
		return lcx__fail_sys(err, errno, "make a socket");
	r = connect_to(a, c->run_fd);
	if (r == -ENOENT)
		return lcx__fail(err, EOPNOTSUPP,
				 "container '%s' was not started detached: its output goes to the "
				 "program that started it",
				 lcx__container_display(c));
	if (r < 0)
		return lcx__fail_sys(err, -r, "attach to container '%s'",
				     lcx__container_display(c));
	r = greet(a, err);
	if (r == 0)
		*ret = TAKE_PTR(a);
	return r;
}

/* ---- what there is to attach to ----------------------------------------- */

LCX_PUBLIC int32_t lcx_container_has_terminal(struct lcx_container *c)
{
	if (lcx__container_is_running(c))
		return c->run.terminal.value;
	return lcx__container_load_spec(c, NULL) == 0 && c->spec->process.terminal.value;
}

LCX_PUBLIC int32_t lcx_container_stdin_open(struct lcx_container *c)
{
	return lcx__container_is_running(c)
		       ? c->run.stdin_open.value
		       : c->d.stdin_open.value || lcx_container_has_terminal(c);
}
