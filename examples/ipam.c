/* SPDX-License-Identifier: MIT */

/*
 * lib/ipam on its own: the addresses of a subnet, on the command line.
 *
 *     ipam DIR create POOL SUBNET [GATEWAY|none]
 *     ipam DIR allocate POOL OWNER [ADDRESS]      prints ADDRESS/PREFIX GATEWAY
 *     ipam DIR reserve POOL OWNER ADDRESS
 *     ipam DIR release POOL OWNER                 all that OWNER has; prints how many
 *     ipam DIR list POOL                          ADDRESS OWNER lease|reserved SECONDS
 *     ipam DIR destroy POOL
 *
 * No daemon: run as many at once as you like.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lcx/ipam.h>

struct command {
	const char *name;
	int least, most; /* arguments behind POOL */
	int (*run)(int dir_fd, char **args, struct lcx_error **err);
};

static int create(int dir_fd, char **args, struct lcx_error **err)
{
	struct lcx_ipam_pool *pool = NULL;
	int r = lcx_ipam_pool_create(dir_fd, args[0], args[1], args[2], &pool, err);

	lcx_ipam_pool_free(pool);
	return r;
}

static int destroy(int dir_fd, char **args, struct lcx_error **err)
{
	return lcx_ipam_pool_destroy(dir_fd, args[0], err);
}

static int allocate(int dir_fd, char **args, struct lcx_error **err)
{
	char address[LCX_IPAM_ADDRESS_SIZE];
	struct lcx_ipam_pool *pool = NULL;
	int r = lcx_ipam_pool_open(dir_fd, args[0], &pool, err);

	if (r == 0)
		r = lcx_ipam_allocate(pool, args[1], args[2], address, sizeof(address), err);
	if (r == 0)
		printf("%s/%u %s\n", address, lcx_ipam_pool_prefix_length(pool),
		       lcx_ipam_pool_gateway(pool));
	lcx_ipam_pool_free(pool);
	return r;
}

static int reserve(int dir_fd, char **args, struct lcx_error **err)
{
	struct lcx_ipam_pool *pool = NULL;
	int r = lcx_ipam_pool_open(dir_fd, args[0], &pool, err);

	if (r == 0)
		r = lcx_ipam_reserve(pool, args[1], args[2], err);
	lcx_ipam_pool_free(pool);
	return r;
}

static int release(int dir_fd, char **args, struct lcx_error **err)
{
	struct lcx_ipam_pool *pool = NULL;
	int r = lcx_ipam_pool_open(dir_fd, args[0], &pool, err);
	uint32_t count;

	if (r == 0)
		r = lcx_ipam_release_owner(pool, args[1], &count, err);
	if (r == 0)
		printf("%u\n", count);
	lcx_ipam_pool_free(pool);
	return r;
}

static int list(int dir_fd, char **args, struct lcx_error **err)
{
	struct lcx_ipam_cursor *cursor = NULL;
	struct lcx_ipam_pool *pool = NULL;
	int r = lcx_ipam_pool_open(dir_fd, args[0], &pool, err);

	if (r == 0)
		r = lcx_ipam_cursor_new(pool, &cursor, err);
	while (r >= 0 && (r = lcx_ipam_cursor_next(cursor, err)) == 1)
		printf("%s %s %s %jd\n", lcx_ipam_cursor_address(cursor),
		       lcx_ipam_cursor_owner(cursor),
		       lcx_ipam_cursor_kind(cursor) == LCX_IPAM_LEASE ? "lease" : "reserved",
		       (intmax_t)(lcx_ipam_cursor_time_ns(cursor) / 1000000000));
	lcx_ipam_cursor_free(cursor);
	lcx_ipam_pool_free(pool);
	return r;
}

static const struct command commands[] = {
	{"create", 1, 2, create},   {"allocate", 1, 2, allocate}, {"reserve", 2, 2, reserve},
	{"release", 1, 1, release}, {"list", 0, 0, list},         {"destroy", 0, 0, destroy},
};

int main(int argc, char **argv)
{
	struct lcx_error *err = NULL;
	int dir_fd, r;

	for (size_t i = 0; argc >= 4 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *command = &commands[i];

		if (strcmp(argv[2], command->name) != 0 || argc - 4 < command->least ||
		    argc - 4 > command->most)
			continue;
		dir_fd = open(argv[1], O_DIRECTORY | O_CLOEXEC);
		if (dir_fd < 0) {
			perror(argv[1]);
			return 1;
		}
		r = command->run(dir_fd, argv + 3, &err);
		if (r < 0)
			fprintf(stderr, "ipam: %s\n", lcx_error_message(err));
		lcx_error_free(err);
		close(dir_fd);
		return r < 0;
	}
	fprintf(stderr, "usage: ipam DIR create|allocate|reserve|release|list|destroy POOL ...\n");
	return 2;
}
