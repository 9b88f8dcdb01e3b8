/* SPDX-License-Identifier: MIT */

/*
 * Many processes on one pool, and a parent that kills them:
 *
 *     ipam-storm DIR PROCESSES SECONDS
 *
 * A table in shared memory has the owner of each address. Whoever is given an
 * address must find its row empty. Children die by SIGKILL at any instruction;
 * the parent takes their leases back by owner, as an engine would, and starts others.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ipam/ipam-internal.h"

enum { HELD = 6, MAX_PROCESSES = 1000, AT_ONCE = 20 };

struct shared {
	_Atomic uint32_t owner[1024]; /* of 10.9.0.0/22 */
	_Atomic uint64_t allocations, wrong;
};

static uint32_t row(const char *address)
{
	return ntohl(inet_addr(address)) & 1023;
}

static void wrong(struct shared *shared, const char *what, const char *address,
		  struct lcx_error *err)
{
	fprintf(stderr, "%s %s: %s\n", what, address, lcx_error_message(err));
	shared->wrong++;
}

static void take(struct lcx_ipam_pool *pool, struct shared *shared, uint32_t self,
		 const char *owner, char *address)
{
	struct lcx_error *err = NULL;
	uint32_t nobody = 0;
	int r;

	r = lcx_ipam_allocate(pool, owner, NULL, address, LCX_IPAM_ADDRESS_SIZE, &err);
	if (r == -ENOSPC) {
		address[0] = '\0'; /* full is an answer, too */
	} else if (r < 0) {
		wrong(shared, "allocate", owner, err);
	} else {
		if (!atomic_compare_exchange_strong(&shared->owner[row(address)], &nobody, self))
			wrong(shared, "two owners of", address, NULL);
		shared->allocations++;
	}
	lcx_error_free(err);
}

static void give_back(struct lcx_ipam_pool *pool, struct shared *shared, const char *owner,
		      char *address)
{
	struct lcx_error *err = NULL;

	/* The row first: the address may be somebody else's before release returns. */
	shared->owner[row(address)] = 0;
	if (lcx_ipam_release(pool, address, owner, &err) < 0)
		wrong(shared, "release", address, err);
	address[0] = '\0';
	lcx_error_free(err);
}

static void child(int dir_fd, struct shared *shared, uint32_t self)
{
	char held[HELD][LCX_IPAM_ADDRESS_SIZE] = {""}, owner[32];
	struct lcx_ipam_pool *pool = NULL;
	struct lcx_error *err = NULL;
	unsigned int seed = self;

	snprintf(owner, sizeof(owner), "p%u", self);
	if (lcx_ipam_pool_open(dir_fd, "storm", &pool, &err) < 0) {
		wrong(shared, "open", owner, err);
		_exit(1);
	}
	for (;;) {
		char *address = held[(unsigned int)rand_r(&seed) % HELD];

		if (address[0])
			give_back(pool, shared, owner, address);
		else
			take(pool, shared, self, owner, address);
	}
}

static pid_t start(int dir_fd, struct shared *shared, uint32_t self)
{
	pid_t pid = fork();

	if (pid == 0)
		child(dir_fd, shared, self);
	return pid;
}

/* Take back what a dead child held. */
static void clean_up(struct lcx_ipam_pool *pool, struct shared *shared, uint32_t self)
{
	struct lcx_error *err = NULL;
	char owner[32];

	for (size_t i = 0; i < 1024; i++)
		if (shared->owner[i] == self)
			shared->owner[i] = 0;
	snprintf(owner, sizeof(owner), "p%u", self);
	if (lcx_ipam_release_owner(pool, owner, NULL, &err) < 0)
		wrong(shared, "release all of", owner, err);
	lcx_error_free(err);
}

struct running {
	pid_t pid;
	uint32_t self;
};

/* Kill them wherever they are, all at once: their deaths fall into each other's changes. */
static void kill_some(struct lcx_ipam_pool *pool, struct shared *shared, struct running *some,
		      int count)
{
	for (int i = 0; i < count; i++)
		kill(some[i].pid, SIGKILL);
	for (int i = 0; i < count; i++) {
		waitpid(some[i].pid, NULL, 0);
		clean_up(pool, shared, some[i].self);
	}
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
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct running running[MAX_PROCESSES];
	int dir_fd, processes = argc == 4 ? atoi(argv[2]) : 0, kills = 0;
	time_t until = time(NULL) + (argc == 4 ? atoi(argv[3]) : 0);
	struct lcx_ipam_pool *pool = NULL;
	struct lcx_error *err = NULL;
	uint32_t next = 1;
	uint64_t left = 1;
	int some, bad;

	dir_fd = open(argc == 4 ? argv[1] : ".", O_DIRECTORY | O_CLOEXEC);
	if (processes < 1 || processes > MAX_PROCESSES || dir_fd < 0 || shared == MAP_FAILED)
		return 2;
	if (lcx_ipam_pool_create(dir_fd, "storm", "10.9.0.0/22", NULL, &pool, &err) < 0) {
		fprintf(stderr, "%s\n", lcx_error_message(err));
		return 1;
	}
	some = processes < AT_ONCE ? processes : AT_ONCE;
	for (int i = 0; i < processes; i++) {
		running[i].self = next;
		running[i].pid = start(dir_fd, shared, next++);
	}
	for (; time(NULL) < until; kills += some) {
		int first = rand() % (processes - some + 1);

		usleep((useconds_t)rand() % 20000);
		kill_some(pool, shared, running + first, some);
		for (int i = first; i < first + some; i++) {
			running[i].self = next;
			running[i].pid = start(dir_fd, shared, next++);
		}
	}
	kill_some(pool, shared, running, processes);

	(void)lcx_ipam_pool_used(pool, &left, &err);
	printf("%ju allocations, %d kills, %ju wrong, %ju left, %s\n",
	       (uintmax_t)shared->allocations, kills, (uintmax_t)shared->wrong, (uintmax_t)left,
	       is_sound(pool) ? "sound" : "UNSOUND");
	bad = shared->wrong || left || !is_sound(pool) || shared->allocations == 0 ||
	      lcx_ipam_pool_destroy(dir_fd, "storm", &err) < 0;
	lcx_ipam_pool_free(pool);
	lcx_error_free(err);
	return bad;
}
