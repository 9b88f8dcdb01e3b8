/* SPDX-License-Identifier: MIT */
/*
 * usage: event ROOTFS COMMAND...
 *
 * One container for each command, all at once, and one loop that serves them: it prints what
 * happens until all have ended. LCX_ROOT may name the directory for state.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lcx/lcx.h>

enum { MAX_CONTAINERS = 64 };

static int report(struct lcx_error *err)
{
	fprintf(stderr, "event: %s\n", lcx_error_message(err));
	lcx_error_free(err);
	return 1;
}

static int start(struct lcx_ctx *ctx, const char *rootfs, const char *command,
		 struct lcx_container **ret, struct lcx_error **err)
{
	const char *const argv[] = {"sh", "-c", command, NULL};
	int r = lcx_container_new(ctx, NULL, ret, err);

	if (r == 0)
		r = lcx_container_set_rootfs(*ret, rootfs, err);
	if (r == 0)
		r = lcx_container_set_network(*ret, "none", err);
	if (r == 0)
		r = lcx_container_set_command(*ret, argv, err);
	if (r == 0)
		r = lcx_container_start(*ret, NULL, err);
	return r;
}

/* Which of the containers it is about; -1: somebody else's, for the stream is everybody's. */
static int find(struct lcx_container *const *containers, int n, const char *id)
{
	for (int i = 0; i < n; i++)
		if (strcmp(lcx_container_id(containers[i]), id) == 0)
			return i;
	return -1;
}

/* The whole of an event loop. A program with other descriptors adds this one to its own. */
static int loop(struct lcx_ctx *ctx, struct lcx_container *const *containers, int n,
		struct lcx_error **err)
{
	struct pollfd pollfd = {.fd = lcx_ctx_fd(ctx, err), .events = POLLIN};
	const struct lcx_event *event;
	int left = n, r = 0;

	while (left > 0 && r >= 0) {
		if (poll(&pollfd, 1, -1) < 0)
			continue;
		r = lcx_dispatch(ctx, err);
		while (r >= 0 && (r = lcx_event_next(ctx, &event, err)) > 0) {
			int i = find(containers, n, lcx_event_container_id(event));

			if (i < 0)
				continue;
			printf("container %d %s", i, lcx_event_type(event));
			if (strcmp(lcx_event_type(event), "exited") == 0) {
				printf(" with %d", lcx_event_exit_status(event));
				left--;
			}
			printf("\n");
		}
	}
	return r < 0 ? r : 0;
}

int main(int argc, char **argv)
{
	struct lcx_container *containers[MAX_CONTAINERS] = {NULL};
	struct lcx_error *err = NULL;
	struct lcx_ctx *ctx = NULL;
	int n = argc - 2, r;

	if (n < 1 || n > MAX_CONTAINERS) {
		fprintf(stderr, "usage: event ROOTFS COMMAND...\n");
		return 2;
	}
	r = lcx_ctx_open(getenv("LCX_ROOT"), NULL, &ctx, &err);
	/* First the descriptor: from then on events are told and containers are served. */
	if (r == 0)
		r = lcx_ctx_fd(ctx, &err);
	for (int i = 0; i < n && r >= 0; i++)
		r = start(ctx, argv[1], argv[i + 2], &containers[i], &err);
	if (r >= 0)
		r = loop(ctx, containers, n, &err);
	for (int i = 0; i < n; i++) {
		if (containers[i])
			(void)lcx_container_remove(containers[i], 1, NULL);
		lcx_container_free(containers[i]);
	}
	lcx_ctx_free(ctx);
	return r < 0 ? report(err) : 0;
}
