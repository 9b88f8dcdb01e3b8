/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "host-calls.h"

/* The standard streams of processes, and attaching to a container: process.h, attach.h. */

static struct lcx_container *container;
static struct lcx_process *process;
static struct lcx_attach *attach;
static struct lcx_stdio *stdio;
static int in[2] = {-1, -1}, out[2] = {-1, -1};

static const char *const reader[] = {"cat", NULL};

static int make_stdio(struct world *w, struct lcx_error **err)
{
	(void)w;
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	MUST(lcx_stdio_new(&stdio, err));
	lcx_stdio_set_passthrough(stdio, -1, -1, -1);
	lcx_stdio_set_attach(stdio, in[0], out[1], -1);
	lcx_stdio_set_terminal(stdio, 24, 80);
	MUST(lcx_stdio_set_detach_keys(stdio, "ctrl-p,ctrl-q", err));
	REFUSED(lcx_stdio_set_detach_keys(stdio, "no such key", err));
	return 0;
}

static int start_attached(struct world *w, struct lcx_error **err)
{
	MUST(lcx_container_new(w->ctx, "streams", &container, err));
	MUST(lcx_container_set_rootfs(container, w->rootfs, err));
	MUST(lcx_container_set_command(container, reader, err));
	MUST(lcx_container_set_network(container, "none", err));
	return lcx_container_start_attached(container, stdio, &attach, err);
}

static int use_attach(struct world *w, struct lcx_error **err)
{
	struct pollfd fd = {.fd = lcx_attach_fd(attach), .events = POLLIN};

	(void)w;
	if (write(in[1], "typed\n", 6) != 6)
		return -errno;
	for (int i = 0; i < 5 && poll(&fd, 1, 200) > 0; i++)
		MUST(lcx_attach_dispatch(attach, err));
	EITHER(lcx_attach_resize(attach, 30, 100, err));
	(void)lcx_attach_is_detached(attach), (void)lcx_attach_has_terminal(attach);
	(void)lcx_attach_lost_bytes(attach);
	REFUSED(lcx_attach_wait(attach, 10, err));
	attach = lcx_attach_free(attach);
	return 0;
}

static int attach_again(struct world *w, struct lcx_error **err)
{
	(void)w;
	MUST(lcx_container_attach(container, stdio, &attach, err));
	attach = lcx_attach_free(attach);
	return 0;
}

static int exec_on_a_terminal(struct world *w, struct lcx_error **err)
{
	struct lcx_spec *spec = NULL;

	(void)w;
	MUST(lcx_container_exec_spec(container, &spec, err));
	MUST(lcx_spec_set_args(spec, reader, err));
	MUST(lcx_spec_set_terminal(spec, 1, err));
	MUST(lcx_container_exec(container, spec, stdio, &process, err));
	lcx_spec_free(spec);
	return 0;
}

static int use_process(struct world *w, struct lcx_error **err)
{
	struct pollfd fd = {.fd = lcx_process_fd(process), .events = POLLIN};
	int32_t status;

	(void)w;
	(void)lcx_process_pid(process), (void)lcx_process_pidfd(process);
	if (write(in[1], "typed\n", 6) != 6)
		return -errno;
	for (int i = 0; i < 5 && poll(&fd, 1, 200) > 0; i++)
		MUST(lcx_process_dispatch(process, err));
	MUST(lcx_process_resize(process, 30, 100, err));
	REFUSED(lcx_process_wait(process, 10, &status, err));
	MUST(lcx_process_kill(process, lcx_signal_parse("SIGKILL"), err));
	MUST(lcx_process_wait(process, 10000, &status, err));
	process = lcx_process_free(process);
	return 0;
}

/* Whoever is to read has gone: no signal reaches the host. */
static int write_to_nobody(struct world *w, struct lcx_error **err)
{
	static const char *const echo[] = {"sh", "-c", "echo a; sleep 0.1; echo b", NULL};
	struct lcx_spec *spec = NULL;
	int32_t status;

	(void)w;
	close(out[0]);
	out[0] = -1;
	lcx_stdio_free(stdio);
	MUST(lcx_stdio_new(&stdio, err));
	lcx_stdio_set_attach(stdio, -1, out[1], out[1]);
	MUST(lcx_container_exec_spec(container, &spec, err));
	MUST(lcx_spec_set_args(spec, echo, err));
	MUST(lcx_spec_set_terminal(spec, 0, err));
	MUST(lcx_container_exec(container, spec, stdio, &process, err));
	MUST(lcx_process_wait(process, 10000, &status, err));
	process = lcx_process_free(process);
	lcx_spec_free(spec);
	return 0;
}

static int refuse_to_attach(struct world *w, struct lcx_error **err)
{
	int32_t status;

	(void)w;
	MUST(lcx_container_kill(container, SIGKILL, err));
	MUST(lcx_container_wait(container, 10000, &status, err));
	REFUSED(lcx_container_attach(container, stdio, &attach, err));
	return 0;
}

static int free_stdio(struct world *w, struct lcx_error **err)
{
	(void)w;
	stdio = lcx_stdio_free(stdio);
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
	MUST(lcx_container_remove(container, 1, err));
	container = lcx_container_free(container);
	return 0;
}

const struct row rows_container_stdio[] = {
	ROW(make_stdio, HELD),         ROW(start_attached, HELD),
	ROW(use_attach, HELD),         ROW(attach_again, HELD),
	ROW(exec_on_a_terminal, HELD), ROW(use_process, HELD),
	ROW(write_to_nobody, HELD),    ROW(refuse_to_attach, HELD),
	ROW(free_stdio, RELEASED),     {0},
};
