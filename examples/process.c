/* SPDX-License-Identifier: MIT */
/*
 * usage: process ROOTFS COMMAND...
 *
 * Run each COMMAND (a shell's words) in one container, all at the same time, from one
 * event loop on one thread, and say how each ended. The container itself only waits.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lcx/lcx.h>

enum { MAX_COMMANDS = 32 };

static int report(struct lcx_error *err)
{
	fprintf(stderr, "process: %s\n", lcx_error_message(err));
	lcx_error_free(err);
	return 1;
}

static int start_holder(struct lcx_ctx *ctx, const char *rootfs, struct lcx_container **ret,
			struct lcx_error **err)
{
	static const char *const argv[] = {"sleep", "3600", NULL};
	struct lcx_container *c = NULL;
	int r = lcx_container_new(ctx, NULL, &c, err);

	if (r == 0)
		r = lcx_container_set_rootfs(c, rootfs, err);
	if (r == 0)
		r = lcx_container_set_network(c, "none", err);
	if (r == 0)
		r = lcx_container_set_command(c, argv, err);
	if (r == 0)
		r = lcx_container_start(c, NULL, err);
	if (r < 0)
		lcx_container_free(c);
	else
		*ret = c;
	return r;
}

static int execute(struct lcx_container *c, const char *command, struct lcx_process **ret,
		   struct lcx_error **err)
{
	const char *argv[] = {"sh", "-c", command, NULL};
	struct lcx_stdio *stdio = NULL;
	struct lcx_spec *spec = NULL;
	int r = lcx_container_exec_spec(c, &spec, err);

	if (r == 0)
		r = lcx_spec_set_args(spec, argv, err);
	if (r == 0)
		r = lcx_stdio_new(&stdio, err);
	if (r == 0) {
		lcx_stdio_set_attach(stdio, -1, STDOUT_FILENO, STDERR_FILENO);
		r = lcx_container_exec(c, spec, stdio, ret, err);
	}
	lcx_stdio_free(stdio);
	lcx_spec_free(spec);
	return r;
}

/* The whole of an event loop: whatever descriptor has news, its process is dispatched. */
static int loop(struct lcx_process **processes, char **commands, int n, struct lcx_error **err)
{
	struct pollfd fds[MAX_COMMANDS];
	int left = n, r;

	for (int i = 0; i < n; i++)
		fds[i] = (struct pollfd){.fd = lcx_process_fd(processes[i]), .events = POLLIN};
	while (left > 0) {
		if (poll(fds, (nfds_t)n, -1) < 0)
			continue;
		for (int i = 0; i < n; i++) {
			int32_t status = LCX_EXIT_UNKNOWN;

			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			r = lcx_process_dispatch(processes[i], err);
			if (r > 0)
				continue;
			if (r == 0)
				r = lcx_process_wait(processes[i], 0, &status, err);
			if (r < 0)
				return r;
			printf("'%s' ended with %d\n", commands[i], status);
			fds[i].fd = -1;
			left--;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct lcx_process *processes[MAX_COMMANDS] = {NULL};
	struct lcx_container *c = NULL;
	struct lcx_error *err = NULL;
	struct lcx_ctx *ctx = NULL;
	int n = argc - 2, r;

	if (n < 1 || n > MAX_COMMANDS) {
		fprintf(stderr, "usage: process ROOTFS COMMAND...\n");
		return 2;
	}
	r = lcx_ctx_open(getenv("LCX_ROOT"), NULL, &ctx, &err);
	if (r == 0)
		r = start_holder(ctx, argv[1], &c, &err);
	for (int i = 0; r == 0 && i < n; i++)
		r = execute(c, argv[2 + i], &processes[i], &err);
	if (r == 0)
		r = loop(processes, argv + 2, n, &err);
	for (int i = 0; i < n; i++)
		lcx_process_free(processes[i]);
	if (c && lcx_container_remove(c, 1, r < 0 ? NULL : &err) < 0)
		r = -1;
	lcx_container_free(c);
	lcx_ctx_free(ctx);
	return r < 0 ? report(err) : 0;
}
