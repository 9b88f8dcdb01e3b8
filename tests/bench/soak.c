/* SPDX-License-Identifier: MIT */
/*
 * usage: soak ROOT ROOTFS CYCLES CONNECTIONS
 *
 * A host program of months, in short: eight threads take CYCLES containers of six kinds from
 * nothing to nothing; then as many threads execute a process and attach CONNECTIONS times in
 * containers that go on running. After each twentieth what the host and the machine hold is
 * printed, and at the end how much it grew for each cycle in the second half of them: what grows
 * there grows for ever.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lcx/lcx.h>

#include "../system/host-figures.h"

enum { THREADS = 8, SAMPLES = 20, PATIENCE_MS = 120000 };

static const char *root_dir, *rootfs;
static atomic_int next, failed;
static int total;

static const char *const true_argv[] = {"/bin/true", NULL};
static const char *const words_argv[] = {"/bin/sh", "-c", "seq 200; exec sleep 1000", NULL};
static const char *const write_argv[] = {"/bin/sh", "-c", "echo words >/v/file", NULL};
static const char *const sleep_argv[] = {"/bin/sleep", "1000", NULL};

/* ---- what is held ------------------------------------------------------------------------------
 */

static long slab_objects(const char *cache)
{
	char line[512], name[64];
	long active, found = -1;
	FILE *file = fopen("/proc/slabinfo", "re");

	while (file && found < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %ld", name, &active) == 2 && strcmp(name, cache) == 0)
			found = active;
	if (file)
		fclose(file);
	return found;
}

/* Directories below DIR, itself not counted. */
static long directories(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	long n = 0;

	while (dir && (entry = readdir(dir))) {
		char below[4096];

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		n += 1 + directories(below);
	}
	if (dir)
		closedir(dir);
	return n;
}

static long resident(void)
{
	return resident_kib();
}
static long descriptors(void)
{
	return count_descriptors();
}
static long cgroups(void)
{
	return directories("/sys/fs/cgroup");
}
static long states(void)
{
	return directories(root_dir);
}
/* Those that somebody holds. The rest, for the most part names that turned out not to be there, is
 * a cache, which the kernel gives up when it needs the memory: proc_sys_fs(5), dentry-state. */
static long dentries(void)
{
	long all = 0, unused = 0;
	FILE *file = fopen("/proc/sys/fs/dentry-state", "re");

	if (file) {
		if (fscanf(file, "%ld %ld", &all, &unused) != 2)
			all = unused = 0;
		fclose(file);
	}
	return all - unused;
}

static long namespaces(void)
{
	return slab_objects("net_namespace");
}

static const struct figure {
	const char *name;
	long (*read)(void);
} figures[] = {
	{"resident KiB", resident}, {"descriptors", descriptors}, {"cgroups", cgroups},
	{"directories", states},    {"dentries", dentries},       {"net namespaces", namespaces},
};
enum { FIGURES = sizeof(figures) / sizeof(*figures) };

/* ---- kinds of container
 * -------------------------------------------------------------------------- */

static int make(struct lcx_ctx *ctx, const char *network, const char *const *argv,
		struct lcx_container **ret, struct lcx_error **err)
{
	int r = lcx_container_new(ctx, NULL, ret, err);

	if (r == 0)
		r = lcx_container_set_rootfs(*ret, rootfs, err);
	if (r == 0)
		r = lcx_container_set_network(*ret, network, err);
	if (r == 0)
		r = lcx_container_set_command(*ret, argv, err);
	return r;
}

static int wait_for_end(struct lcx_container *c, int32_t wanted, struct lcx_error **err)
{
	int32_t status = -2;
	int r = lcx_container_wait(c, PATIENCE_MS, &status, err);

	return r == 0 && status != wanted ? 1 : r;
}

static int plain(struct lcx_ctx *ctx, struct lcx_container **c, struct lcx_error **err)
{
	int r = make(ctx, "none", true_argv, c, err);

	if (r == 0)
		r = lcx_container_start(*c, NULL, err);
	return r == 0 ? wait_for_end(*c, 0, err) : r;
}

static int networked(struct lcx_ctx *ctx, struct lcx_container **c, struct lcx_error **err)
{
	int r = make(ctx, "bridge", true_argv, c, err);

	if (r == 0)
		r = lcx_container_publish(*c, "127.0.0.1::80", err);
	if (r == 0)
		r = lcx_container_start(*c, NULL, err);
	return r == 0 ? wait_for_end(*c, 0, err) : r;
}

static int with_volume(struct lcx_ctx *ctx, struct lcx_container **c, struct lcx_error **err)
{
	int r = make(ctx, "host", write_argv, c, err);

	if (r == 0)
		r = lcx_container_add_volume(*c, "/v", err);
	if (r == 0)
		r = lcx_container_start(*c, NULL, err);
	return r == 0 ? wait_for_end(*c, 0, err) : r;
}

static int run_inside(struct lcx_container *c, struct lcx_error **err)
{
	struct lcx_process *process = NULL;
	struct lcx_spec *spec = NULL;
	int32_t status = -2;
	int r = lcx_container_exec_spec(c, &spec, err);

	if (r == 0)
		r = lcx_spec_set_args(spec, true_argv, err);
	if (r == 0)
		r = lcx_container_exec(c, spec, NULL, &process, err);
	if (r == 0)
		r = lcx_process_wait(process, PATIENCE_MS, &status, err);
	lcx_process_free(process);
	lcx_spec_free(spec);
	return r == 0 && status != 0 ? 1 : r;
}

static int logged(struct lcx_ctx *ctx, struct lcx_container **c, struct lcx_error **err)
{
	int r = make(ctx, "none", words_argv, c, err);

	if (r == 0)
		r = lcx_container_set_log_driver(*c, "json-file", err);
	if (r == 0)
		r = lcx_container_start(*c, NULL, err);
	if (r == 0)
		r = run_inside(*c, err);
	if (r == 0)
		r = lcx_container_kill(*c, SIGKILL, err);
	return r == 0 ? wait_for_end(*c, 128 + SIGKILL, err) : r;
}

static int limited(struct lcx_ctx *ctx, struct lcx_container **c, struct lcx_error **err)
{
	int r = make(ctx, "none", sleep_argv, c, err);

	if (r == 0)
		r = lcx_spec_set_memory_limit(lcx_container_spec(*c), 64 << 20, err);
	if (r == 0)
		r = lcx_spec_set_pids_limit(lcx_container_spec(*c), 20, err);
	if (r == 0)
		lcx_container_set_init(*c, 1);
	if (r == 0)
		r = lcx_container_start(*c, NULL, err);
	if (r == 0)
		r = lcx_container_pause(*c, err);
	if (r == 0)
		r = lcx_container_unpause(*c, err);
	if (r == 0)
		r = lcx_container_stop(*c, 10000, err);
	return r == 0 ? wait_for_end(*c, 128 + SIGTERM, err) : r;
}

/* Its monitor ends by itself; the container is opened again as by another program. */
static int detached(struct lcx_ctx *ctx, struct lcx_container **c, struct lcx_error **err)
{
	char name[80];
	int r = make(ctx, "none", true_argv, c, err);

	if (r == 0)
		r = lcx_container_start_detached(*c, NULL, err);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "%s", lcx_container_id(*c));
	*c = lcx_container_free(*c);
	r = lcx_container_open(ctx, name, c, err);
	return r == 0 ? wait_for_end(*c, 0, err) : r;
}

static int (*const kinds[])(struct lcx_ctx *, struct lcx_container **, struct lcx_error **) = {
	plain, networked, with_volume, logged, limited, detached,
};

/* ---- the threads
 * ---------------------------------------------------------------------------------- */

static void complain(const char *what, int r, struct lcx_error **err)
{
	fprintf(stderr, "%s: %d %s: %s\n", what, r, lcx_error_stage(*err), lcx_error_message(*err));
	*err = lcx_error_free(*err);
	failed++;
}

static void cycle(struct lcx_ctx *ctx, int number)
{
	struct lcx_container *c = NULL;
	struct lcx_error *err = NULL;
	int r = kinds[number % (int)(sizeof(kinds) / sizeof(*kinds))](ctx, &c, &err);

	if (r != 0)
		complain("cycle", r, &err);
	if (c && (r = lcx_container_remove_with_volumes(c, 1, &err)) < 0)
		complain("remove", r, &err);
	lcx_container_free(c);
}

static int connect_once(struct lcx_container *c, struct lcx_error **err)
{
	struct lcx_attach *attach = NULL;
	struct lcx_stdio *stdio = NULL;
	int r = lcx_stdio_new(&stdio, err);

	if (r == 0) {
		lcx_stdio_set_attach(stdio, -1, -1, -1);
		r = lcx_container_attach(c, stdio, &attach, err);
	}
	lcx_stdio_free(stdio);
	if (r == 0)
		r = run_inside(c, err);
	lcx_attach_free(attach);
	return r;
}

static void *keep_cycling(void *data)
{
	struct lcx_error *err = NULL;
	struct lcx_ctx *ctx = NULL;
	int number;

	(void)data;
	if (lcx_ctx_open(root_dir, NULL, &ctx, &err) < 0)
		complain("open", -1, &err);
	while (ctx && (number = atomic_fetch_add(&next, 1)) < total)
		cycle(ctx, number);
	lcx_ctx_free(ctx);
	return NULL;
}

static void *keep_connecting(void *data)
{
	struct lcx_container *c = NULL;
	struct lcx_error *err = NULL;
	struct lcx_ctx *ctx = NULL;
	int r = lcx_ctx_open(root_dir, NULL, &ctx, &err);

	if (r == 0)
		r = lcx_container_open(ctx, data, &c, &err);
	if (r < 0)
		complain("open", r, &err);
	while (r == 0 && atomic_fetch_add(&next, 1) < total)
		if ((r = connect_once(c, &err)) != 0)
			complain("connection", r, &err);
	lcx_container_free(c);
	lcx_ctx_free(ctx);
	return NULL;
}

static void run_threads(void *(*work)(void *), char names[][80])
{
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, names ? names[i] : NULL);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* ---- samples
 * --------------------------------------------------------------------------------------- */

static void sample(int done, long row[FIGURES])
{
	printf("%8d", done);
	for (size_t i = 0; i < FIGURES; i++)
		printf(" %14ld", row[i] = figures[i].read());
	printf("\n");
	fflush(stdout);
}

/* By least squares over the second half of the samples: growth for each cycle. */
static double slope(long rows[][FIGURES], size_t figure, double step)
{
	double n = 0, x = 0, y = 0, xx = 0, xy = 0;

	for (int i = SAMPLES / 2; i < SAMPLES; i++) {
		double at = i * step, value = (double)rows[i][figure];

		n += 1, x += at, y += value, xx += at * at, xy += at * value;
	}
	return (n * xy - x * y) / (n * xx - x * x);
}

static void soak(const char *what, int count, void *(*work)(void *), char names[][80])
{
	static long rows[SAMPLES][FIGURES];

	printf("%8s", what);
	for (size_t i = 0; i < FIGURES; i++)
		printf(" %14s", figures[i].name);
	printf("\n");
	for (int i = 0; i < SAMPLES; i++) {
		next = 0;
		total = count / SAMPLES;
		run_threads(work, names);
		sample((i + 1) * total, rows[i]);
	}
	printf("%8s", "slope");
	for (size_t i = 0; i < FIGURES; i++)
		printf(" %14.5f", slope(rows, i, (double)count / SAMPLES));
	printf("\n");
}

/* One for each thread, which outlive the handles that start them. */
static void soak_connections(int count)
{
	static char names[THREADS][80];
	struct lcx_error *err = NULL;
	struct lcx_ctx *ctx = NULL;
	int r = lcx_ctx_open(root_dir, NULL, &ctx, &err);

	for (size_t i = 0; r == 0 && i < THREADS; i++) {
		struct lcx_container *c = NULL;

		r = make(ctx, "none", sleep_argv, &c, &err);
		if (r == 0)
			r = lcx_container_start_detached(c, NULL, &err);
		if (r == 0)
			snprintf(names[i], sizeof(names[i]), "%s", lcx_container_id(c));
		lcx_container_free(c);
	}
	if (r == 0)
		soak("connects", count, keep_connecting, names);
	else
		complain("start", r, &err);
	for (size_t i = 0; i < THREADS && names[i][0]; i++) {
		struct lcx_container *c = NULL;

		if ((r = lcx_container_open(ctx, names[i], &c, &err)) < 0 ||
		    (r = lcx_container_remove(c, 1, &err)) < 0)
			complain("remove", r, &err);
		lcx_container_free(c);
	}
	lcx_ctx_free(ctx);
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	root_dir = argv[1];
	rootfs = argv[2];
	soak("cycles", atoi(argv[3]), keep_cycling, NULL);
	soak_connections(atoi(argv[4]));
	printf("failed %d\n", failed);
	return failed != 0;
}
