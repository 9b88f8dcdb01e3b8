/* SPDX-License-Identifier: MIT */

/*
 * Does a pool slow down as it fills? One pair of calls, allocate and release,
 * in a /16 without leases and in one that is 99 % full, by one process and by
 * eight; the figure that matters is the ratio.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lcx/lcx.h>

enum { PAIRS = 40000, EIGHT = 8 };

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void need(int r, struct lcx_error *err)
{
	if (r >= 0)
		return;
	fprintf(stderr, "%s\n", lcx_error_message(err));
	exit(1);
}

static void pairs(int dir_fd, const char *name, int count)
{
	char address[LCX_IPAM_ADDRESS_SIZE];
	struct lcx_ipam_pool *pool = NULL;
	struct lcx_error *err = NULL;

	need(lcx_ipam_pool_open(dir_fd, name, &pool, &err), err);
	for (int i = 0; i < count; i++) {
		need(lcx_ipam_allocate(pool, "bench", NULL, address, sizeof(address), &err), err);
		need(lcx_ipam_release(pool, address, "bench", &err), err);
	}
	lcx_ipam_pool_free(pool);
}

/* Pairs per second. */
static double measure(int dir_fd, const char *name, int processes)
{
	double began = now();

	for (int i = 0; i < processes; i++)
		if (fork() == 0) {
			pairs(dir_fd, name, PAIRS / processes);
			_exit(0);
		}
	for (int i = 0; i < processes; i++) {
		int status = 1;

		wait(&status);
		if (status != 0)
			exit(1);
	}
	return PAIRS / (now() - began);
}

static void make(int dir_fd, const char *name, uint64_t percent)
{
	char address[LCX_IPAM_ADDRESS_SIZE], owner[32];
	struct lcx_ipam_pool *pool = NULL;
	struct lcx_error *err = NULL;
	uint64_t count;

	need(lcx_ipam_pool_create(dir_fd, name, "10.88.0.0/16", NULL, &pool, &err), err);
	count = lcx_ipam_pool_capacity(pool) * percent / 100;
	for (uint64_t i = 0; i < count; i++) {
		snprintf(owner, sizeof(owner), "container-%ju", (uintmax_t)i);
		need(lcx_ipam_allocate(pool, owner, NULL, address, sizeof(address), &err), err);
	}
	lcx_ipam_pool_free(pool);
}

int main(void)
{
	static const int processes[] = {1, EIGHT};
	char path[] = "/tmp/lcx-bench-XXXXXX";
	int dir_fd;

	if (!mkdtemp(path) || (dir_fd = open(path, O_DIRECTORY | O_CLOEXEC)) < 0)
		return 1;
	make(dir_fd, "empty", 0);
	make(dir_fd, "full", 99);
	printf("%-12s %16s %16s %8s\n", "processes", "empty /16, 1/s", "99 % full, 1/s", "ratio");
	for (size_t i = 0; i < sizeof(processes) / sizeof(processes[0]); i++) {
		double empty, full;

		measure(dir_fd, "empty", processes[i]); /* warm up */
		empty = measure(dir_fd, "empty", processes[i]);
		full = measure(dir_fd, "full", processes[i]);
		printf("%-12d %16.0f %16.0f %8.2f\n", processes[i], empty, full, full / empty);
	}
	(void)lcx_ipam_pool_discard(dir_fd, "empty", NULL);
	(void)lcx_ipam_pool_discard(dir_fd, "full", NULL);
	rmdir(path);
	return 0;
}
