/* SPDX-License-Identifier: MIT */
/*
 * usage: host-threads ROOT ROOTFS CONTAINERS
 *
 * A busy host: 60 threads allocate, open files and resolve names all the while;
 * four others start and stop containers. Nothing may hang, leak or race.
 */
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lcx/lcx.h>

#include "host-figures.h"

enum { BUSY_THREADS = 60, STARTERS = 4 };

static atomic_bool stop;
static atomic_int left, failed;
static const char *rootfs;
static char root_dir[4096];

static void *keep_busy(void *data)
{
	unsigned int seed = (unsigned int)(size_t)data;

	while (!stop) {
		struct addrinfo *info = NULL;
		void *block = malloc(1 + rand_r(&seed) % 100000);
		int fd = open("/dev/null", O_RDONLY); /* not O_CLOEXEC, as careless code has it */

		if (block)
			memset(block, 1, 1);
		if (getaddrinfo("localhost", NULL, NULL, &info) == 0)
			freeaddrinfo(info);
		free(block);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

static int run_one(struct lcx_ctx *ctx, struct lcx_error **err)
{
	static const char *const argv[] = {"/bin/true", NULL};
	struct lcx_container *c = NULL;
	int32_t status = -2;
	int r;

	r = lcx_container_new(ctx, NULL, &c, err);
	if (r == 0)
		r = lcx_container_set_rootfs(c, rootfs, err);
	if (r == 0)
		r = lcx_container_set_network(c, "none", err);
	if (r == 0)
		r = lcx_container_set_command(c, argv, err);
	if (r == 0)
		r = lcx_container_start(c, NULL, err);
	if (r == 0)
		r = lcx_container_wait(c, 60000, &status, err);
	if (c && lcx_container_state(c) != LCX_CONTAINER_NEW) {
		int removed = lcx_container_remove(c, 1, r == 0 ? err : NULL);

		r = r < 0 ? r : removed;
	}
	lcx_container_free(c);
	return r == 0 && status != 0 ? 1 : r;
}

static void *keep_starting(void *data)
{
	struct lcx_ctx *ctx = NULL;
	struct lcx_error *err = NULL;

	(void)data;
	if (lcx_ctx_open(root_dir, NULL, &ctx, &err) < 0) {
		fprintf(stderr, "open: %s\n", lcx_error_message(err));
		failed++;
	}
	while (ctx && atomic_fetch_sub(&left, 1) > 0) {
		int r = run_one(ctx, &err);

		if (r != 0) {
			fprintf(stderr, "container: %d %s: %s\n", r, lcx_error_stage(err),
				lcx_error_message(err));
			err = lcx_error_free(err);
			failed++;
		}
	}
	lcx_error_free(err);
	lcx_ctx_free(ctx);
	return NULL;
}

static void run_starters(int containers)
{
	pthread_t starters[STARTERS];

	left = containers;
	for (size_t i = 0; i < STARTERS; i++)
		pthread_create(&starters[i], NULL, keep_starting, NULL);
	for (size_t i = 0; i < STARTERS; i++)
		pthread_join(starters[i], NULL);
}

int main(int argc, char **argv)
{
	pthread_t busy[BUSY_THREADS];
	long before_kib, after_kib;
	int before, after;

	if (argc != 4)
		return 2;
	snprintf(root_dir, sizeof(root_dir), "%s", argv[1]);
	rootfs = argv[2];

	run_starters(8); /* caches are filled and threads have made their arenas */
	before = count_descriptors();
	for (size_t i = 0; i < BUSY_THREADS; i++)
		pthread_create(&busy[i], NULL, keep_busy, (void *)i);
	run_starters(atoi(argv[3]) / 2);
	before_kib = resident_kib();
	run_starters(atoi(argv[3]) / 2);
	after_kib = resident_kib();
	stop = true;
	for (size_t i = 0; i < BUSY_THREADS; i++)
		pthread_join(busy[i], NULL);
	after = count_descriptors();

	printf("failed %d, descriptors %d -> %d, resident in the second half %ld -> %ld KiB\n",
	       failed, before, after, before_kib, after_kib);
	return failed || after != before;
}
