/* SPDX-License-Identifier: MIT */

/*
 * A pool on a file system that fills up: DIR is on one with a few hundred KiB.
 * Each refusal must be an error and no signal, and leave a sound pool behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipam/ipam-internal.h"

static int say(const char *what, int good, const struct lcx_error *err)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
	if (!good)
		printf("# %s\n", lcx_error_message(err));
	return !good;
}

static void fill(int dir_fd)
{
	int fd = openat(dir_fd, "ballast", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	static char block[512];

	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

static int is_sound(struct lcx_ipam_pool *pool)
{
	CLEANUP(lcx__ipam_end) struct lcx__ipam_change change;

	if (lcx__ipam_begin(pool, &change, NULL) < 0)
		return 0;
	lcx__ipam_verify(&change);
	return !change.damaged;
}

int main(int argc, char **argv)
{
	int dir_fd = argc == 2 ? open(argv[1], O_DIRECTORY | O_CLOEXEC) : -1, bad = 0, r;
	struct lcx_ipam_pool *pool = NULL;
	char address[LCX_IPAM_ADDRESS_SIZE];
	struct lcx_error *err = NULL;
	uint64_t used = 0, leased = 0;
	struct stat st;

	if (dir_fd < 0)
		return 2;
	r = lcx_ipam_pool_create(dir_fd, "big", "10.0.0.0/8", NULL, &pool, &err);
	bad += say("a pool that does not fit is refused", r == -ENOSPC, err);
	bad += say("and leaves no file", fstatat(dir_fd, "big.ipam", &st, 0) < 0, err);
	err = lcx_error_free(err);

	r = lcx_ipam_pool_create(dir_fd, "net", "10.0.0.0/20", NULL, &pool, &err);
	bad += say("a smaller one fits", r == 0, err);
	if (r < 0)
		return 1;
	leased += lcx_ipam_allocate(pool, "web", NULL, address, sizeof(address), &err) == 0;
	fill(dir_fd);
	while ((r = lcx_ipam_allocate(pool, "web", NULL, address, sizeof(address), &err)) == 0)
		leased++;
	bad += say("a lease that does not fit is refused",
		   r == -ENOSPC && strstr(lcx_error_message(err), "No space left"), err);
	err = lcx_error_free(err);
	r = lcx_ipam_pool_used(pool, &used, &err);
	bad += say("those before it are kept", r == 0 && used == leased && leased > 0, err);
	bad += say("the pool is sound", is_sound(pool), err);
	r = lcx_ipam_release(pool, address, "web", &err);
	bad += say("release works on a full disk", r == 0, err);
	r = lcx_ipam_allocate(pool, "db", NULL, address, sizeof(address), &err);
	bad += say("and makes room for another", r == 0, err);
	unlinkat(dir_fd, "ballast", 0);
	for (int i = 0; i < 100 && r == 0; i++)
		r = lcx_ipam_allocate(pool, "db", NULL, address, sizeof(address), &err);
	bad += say("with space again, it grows again", r == 0 && is_sound(pool), err);
	lcx_error_free(err);
	lcx_ipam_pool_free(pool);
	return bad != 0;
}
