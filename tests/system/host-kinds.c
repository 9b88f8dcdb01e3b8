/* SPDX-License-Identifier: MIT */
/*
 * usage: host-kinds ROOT ROOTFS KIND LIBRARY
 *
 * Programs as there are many: one with 2,000 open descriptors, one that spawns by vfork(2) and
 * waits for any child while it owns containers, one that loads and unloads the library again and
 * again. They find every function by dlsym(3), so one program serves for all.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lcx/lcx.h>

#include "host-figures.h"

static struct {
	void *handle;
	__typeof__(&lcx_ctx_open) ctx_open;
	__typeof__(&lcx_ctx_free) ctx_free;
	__typeof__(&lcx_container_new) new;
	__typeof__(&lcx_container_free) free;
	__typeof__(&lcx_container_set_rootfs) set_rootfs;
	__typeof__(&lcx_container_set_network) set_network;
	__typeof__(&lcx_container_set_command) set_command;
	__typeof__(&lcx_container_start) start;
	__typeof__(&lcx_container_wait) wait;
	__typeof__(&lcx_container_remove) remove;
	__typeof__(&lcx_error_message) message;
	__typeof__(&lcx_error_free) error_free;
} lib;

static const struct {
	const char *name;
	void **place;
} functions[] = {
	{"lcx_ctx_open", (void **)&lib.ctx_open},
	{"lcx_ctx_free", (void **)&lib.ctx_free},
	{"lcx_container_new", (void **)&lib.new},
	{"lcx_container_free", (void **)&lib.free},
	{"lcx_container_set_rootfs", (void **)&lib.set_rootfs},
	{"lcx_container_set_network", (void **)&lib.set_network},
	{"lcx_container_set_command", (void **)&lib.set_command},
	{"lcx_container_start", (void **)&lib.start},
	{"lcx_container_wait", (void **)&lib.wait},
	{"lcx_container_remove", (void **)&lib.remove},
	{"lcx_error_message", (void **)&lib.message},
	{"lcx_error_free", (void **)&lib.error_free},
};

static const char *root_dir, *rootfs, *library;

static int load(void)
{
	lib.handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; lib.handle && i < sizeof(functions) / sizeof(functions[0]); i++)
		if (!(*functions[i].place = dlsym(lib.handle, functions[i].name)))
			return -1;
	if (!lib.handle)
		fprintf(stderr, "%s\n", dlerror());
	return lib.handle ? 0 : -1;
}

/* Run one command to its end; its status, or -1 after a report. */
static int32_t run(const char *command)
{
	const char *const argv[] = {"sh", "-c", command, NULL};
	struct lcx_container *c = NULL;
	struct lcx_ctx *ctx = NULL;
	struct lcx_error *err = NULL;
	int32_t status = -1;
	int r = lib.ctx_open(root_dir, NULL, &ctx, &err);

	if (r == 0)
		r = lib.new(ctx, NULL, &c, &err);
	if (r == 0)
		r = lib.set_rootfs(c, rootfs, &err);
	if (r == 0)
		r = lib.set_network(c, "none", &err);
	if (r == 0)
		r = lib.set_command(c, argv, &err);
	if (r == 0)
		r = lib.start(c, NULL, &err);
	if (r == 0)
		r = lib.wait(c, 60000, &status, &err);
	if (r == 0)
		r = lib.remove(c, 1, &err);
	if (r < 0)
		fprintf(stderr, "%s\n", lib.message(err));
	lib.error_free(err);
	lib.free(c);
	lib.ctx_free(ctx);
	return r < 0 ? -1 : status;
}

/* --- many descriptors, as careless code leaves them: not close-on-exec */

enum { DESCRIPTORS = 2000 };

static int with_descriptors(void)
{
	struct rlimit limit = {DESCRIPTORS + 200, DESCRIPTORS + 200};
	int before;

	if (load() < 0 || setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	for (int i = 0; i < DESCRIPTORS; i++)
		if (open("/etc/passwd", O_RDONLY) < 0) /* NOLINT(android-cloexec-open) */
			return 1;
	before = count_descriptors();
	/* The shell's own glob opens the directory: 0, 1, 2 and that. */
	if (run("set -- /proc/self/fd/*; [ $# -le 4 ] || { echo $# >&2; exit 9; }") != 0)
		return 1;
	printf("descriptors %d, afterwards %d\n", before, count_descriptors());
	return before != count_descriptors();
}

/* --- vfork(2), and waitpid(-1) */

enum { VFORK_CONTAINERS = 30 };

static atomic_bool stop;
static atomic_int spawned, strange, stolen;
static char inherited[16]; /* how many descriptors this program has, and so its children */

/*
 * Spawn what counts the descriptors that it inherits, and wait for any child, as some programs do:
 * that takes the statuses of containers away, which are known all the same.
 */
static void *keep_spawning(void *data)
{
	char name[] = "host-kinds";
	char *const argv[] = {name, inherited, NULL};

	(void)data;
	while (!stop) {
		int status;
		pid_t waited, pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */

		if (pid == 0) {
			execv("/proc/self/exe", argv);
			_exit(99);
		}
		do
			waited = waitpid(-1, &status, 0);
		while (waited != pid && waited > 0 && ++stolen > 0);
		if (waited != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
			strange++;
		spawned++;
	}
	return NULL;
}

static int with_vfork(void)
{
	pthread_t spawner;
	int bad = 0;

	snprintf(inherited, sizeof(inherited), "%d", count_descriptors());
	if (load() < 0 || pthread_create(&spawner, NULL, keep_spawning, NULL) != 0)
		return 1;
	for (int i = 0; i < VFORK_CONTAINERS; i++) {
		char command[32];

		snprintf(command, sizeof(command), "exit %d", i);
		bad += run(command) != i;
	}
	stop = true;
	pthread_join(spawner, NULL);
	printf("%d containers with a wrong end; %d children, %d of them strange; %d statuses stolen\n",
	       bad, spawned, strange, stolen);
	return bad > 0 || strange > 0 || spawned == 0 || stolen == 0;
}

/* --- dlopen(3) and dlclose(3) */

enum { LOADS = 100 };

static int with_loads(void)
{
	long before_kib = 0;
	int before = 0, bad = 0;

	for (int i = 0; i < LOADS; i++) {
		if (i == LOADS / 2) {
			before = count_descriptors();
			before_kib = resident_kib();
		}
		if (load() < 0)
			return 1;
		bad += run("exit 3") != 3;
		bad += dlclose(lib.handle) != 0;
		/* Not kept by anything that it registered. */
		bad += dlopen(library, RTLD_NOW | RTLD_NOLOAD) != NULL;
	}
	printf("%d bad, descriptors %d -> %d, resident %ld -> %ld KiB\n", bad, before,
	       count_descriptors(), before_kib, resident_kib());
	return bad > 0 || count_descriptors() != before || resident_kib() > before_kib + 256;
}

static const struct {
	const char *name;
	int (*run)(void);
} kinds[] = {
	{"descriptors", with_descriptors},
	{"vfork", with_vfork},
	{"loads", with_loads},
};

int main(int argc, char **argv)
{
	if (argc == 2)
		return count_descriptors() != atoi(argv[1]);
	if (argc != 5)
		return 2;
	root_dir = argv[1];
	rootfs = argv[2];
	library = argv[4];
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(argv[3], kinds[i].name) == 0)
			return kinds[i].run();
	return 2;
}
