/* SPDX-License-Identifier: MIT */
/*
 * usage: container-volumes ROOT ROOTFS ROUNDS
 *
 * Threads that make and remove containers with an anonymous volume, at the same time. Each asks who
 * has its volume while others are half removed; none may be left.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <lcx/lcx.h>

enum { THREADS = 4 };

static const char *root_dir, *rootfs;
static atomic_int left, failed;

static int make_and_remove(struct lcx_ctx *ctx, struct lcx_error **err)
{
	static const char *const argv[] = {"true", NULL};
	struct lcx_container *c = NULL;
	int r = lcx_container_new(ctx, NULL, &c, err);

	if (r == 0)
		r = lcx_container_set_rootfs(c, rootfs, err);
	if (r == 0)
		r = lcx_container_set_network(c, "none", err);
	if (r == 0)
		r = lcx_container_set_command(c, argv, err);
	if (r == 0)
		r = lcx_container_add_volume(c, "/v", err);
	if (r == 0)
		r = lcx_container_create(c, err);
	if (r == 0)
		r = lcx_container_remove_with_volumes(c, 0, err);
	lcx_container_free(c);
	return r;
}

static void *work(void *data)
{
	struct lcx_error *err = NULL;
	struct lcx_ctx *ctx = NULL;
	int r = lcx_ctx_open(root_dir, NULL, &ctx, &err);

	(void)data;
	while (r == 0 && atomic_fetch_sub(&left, 1) > 0)
		r = make_and_remove(ctx, &err);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", lcx_error_stage(err), lcx_error_message(err));
		failed++;
	}
	lcx_error_free(err);
	lcx_ctx_free(ctx);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	if (argc != 4)
		return 2;
	root_dir = argv[1];
	rootfs = argv[2];
	left = atoi(argv[3]);
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return failed != 0;
}
