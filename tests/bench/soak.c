/* SPDX-License-Identifier: MIT */
/*
 * usage: bench-soak ROOT RUN ROOTFS CYCLES [THREADS]
 *
 * Starts and ends of mixed containers in one program with several threads, and what that leaves:
 * resident memory, descriptors, cgroups, and of the kernel's slab the objects for network
 * namespaces and dentries. Prints each figure's slope per 1,000 cycles over the second half, when
 * all that is made once has been made; a slope that is no slope wavers about 0.
 */
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <lcx/lcx.h>

#include "../system/host-figures.h"

enum { SAMPLES = 40, MAX_THREADS = 64 };

static const char *root_dir, *run_dir, *rootfs;
static atomic_int begun, done, bad;
static int cycles;

/* ---- one cycle: what kind of container, and how it is run ------------------------ */

struct kind {
	const char *script, *network, *volume;
	int32_t status;
	bool detached, exec, removes_itself;
};

static const struct kind kinds[] = {
	{"true", "none", NULL, 0, false, false, false},
	{"exit 7", "none", NULL, 7, true, false, false},
	{"echo out; echo err >&2; exit 3", "bridge", NULL, 3, false, false, false},
	{"echo x; sleep 0.02", "bridge", NULL, 0, true, false, true},
	{"echo x >/v/file", "none", "/v", 0, false, false, true},
	{"sleep 100", "none", NULL, 137, true, true, false},
	{"kill -9 $$", "host", NULL, 137, false, false, false},
};

static int describe(struct lcx_ctx *ctx, const struct kind *kind, struct lcx_container **ret,
		    struct lcx_error **err)
{
	const char *const argv[] = {"sh", "-c", kind->script, NULL};
	int r = lcx_container_new(ctx, NULL, ret, err);

	if (r == 0)
		r = lcx_container_set_rootfs(*ret, rootfs, err);
	if (r == 0)
		r = lcx_container_set_network(*ret, kind->network, err);
	if (r == 0 && kind->volume)
		r = lcx_container_add_volume(*ret, kind->volume, err);
	if (r == 0 && !strcmp(kind->script, "kill -9 $$"))
		lcx_container_set_init(*ret, 1);
	return r == 0 ? lcx_container_set_command(*ret, argv, err) : r;
}

static int exec_one(struct lcx_container *c, struct lcx_error **err)
{
	const char *const argv[] = {"true", NULL};
	struct lcx_process *process = NULL;
	struct lcx_spec *spec = NULL;
	int32_t status = -1;
	int r = lcx_container_exec_spec(c, &spec, err);

	if (r == 0)
		r = lcx_spec_set_args(spec, argv, err);
	if (r == 0)
		r = lcx_container_exec(c, spec, NULL, &process, err);
	if (r == 0)
		r = lcx_process_wait(process, 30000, &status, err);
	lcx_process_free(process);
	lcx_spec_free(spec);
	return r == 0 && status != 0 ? -1 : r;
}

static int run_one(struct lcx_ctx *ctx, const struct kind *kind, struct lcx_error **err)
{
	struct lcx_container *c = NULL;
	int32_t status = -1;
	int r = describe(ctx, kind, &c, err);

	if (r == 0)
		lcx_container_set_auto_remove(c, kind->removes_itself);
	if (r == 0)
		r = kind->detached ? lcx_container_start_detached(c, NULL, err)
				   : lcx_container_start(c, NULL, err);
	if (r == 0 && kind->exec)
		r = exec_one(c, err);
	if (r == 0 && kind->exec)
		r = lcx_container_kill(c, 9, err);
	if (r == 0)
		r = lcx_container_wait(c, 60000, &status, err);
	/* Of one that removes itself as it ends another may have been faster. */
	if (r == 0 && status != kind->status && !(kind->removes_itself && kind->detached))
		r = -1;
	if (c)
		(void)lcx_container_remove_with_volumes(c, 1, r == 0 ? err : NULL);
	if (r == -1)
		fprintf(stderr, "'%s': status %d\n", kind->script, status);
	lcx_container_free(c);
	return r;
}

static void *work(void *data)
{
	struct lcx_error *err = NULL;
	struct lcx_ctx *ctx = NULL;
	int i;

	(void)data;
	if (lcx_ctx_open(root_dir, run_dir, &ctx, &err) < 0)
		bad++;
	while (ctx && (i = atomic_fetch_add(&begun, 1)) < cycles) {
		if (run_one(ctx, &kinds[(size_t)i % (sizeof(kinds) / sizeof(*kinds))], &err) < 0) {
			bad++;
			fprintf(stderr, "%s\n", lcx_error_message(err));
		}
		err = lcx_error_free(err);
		done++;
	}
	lcx_error_free(err);
	lcx_ctx_free(ctx);
	return NULL;
}

/* ---- what is measured ------------------------------------------------------------ */

static long n_directories;

static int count_directory(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)path, (void)st, (void)at;
	n_directories += type == FTW_D;
	return 0;
}

static double cgroups(void)
{
	n_directories = 0;
	(void)nftw("/sys/fs/cgroup", count_directory, 32, FTW_PHYS);
	return (double)n_directories;
}

/* Active objects; a machine may merge caches under another name, or hide them: then 0. */
static double slab(const char *name)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	char line[512], found[64];
	long active, result = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %ld", found, &active) == 2 && strcmp(found, name) == 0)
			result = active;
	if (file)
		fclose(file);
	return (double)result;
}

static double resident(void)
{
	return (double)resident_kib();
}

static double descriptors(void)
{
	return count_descriptors();
}

static double net_namespaces(void)
{
	return slab("net_namespace");
}

static double dentries(void)
{
	return slab("dentry");
}

static const struct {
	const char *name;
	double (*read)(void);
} figures[] = {
	{"resident KiB", resident},        {"descriptors", descriptors}, {"cgroups", cgroups},
	{"net_namespace", net_namespaces}, {"dentry", dentries},
};

enum { N_FIGURES = sizeof(figures) / sizeof(*figures) };

/* Least squares, per 1,000 cycles. */
static double slope(const double *x, const double *y, int n)
{
	double mx = 0, my = 0, xy = 0, xx = 0;

	for (int i = 0; i < n; i++)
		mx += x[i] / n, my += y[i] / n;
	for (int i = 0; i < n; i++)
		xy += (x[i] - mx) * (y[i] - my), xx += (x[i] - mx) * (x[i] - mx);
	return xx > 0 ? 1000 * xy / xx : 0;
}

static int sample(double at[SAMPLES], double seen[N_FIGURES][SAMPLES])
{
	int n = 0;

	while (n < SAMPLES && done < cycles) {
		if (done < (double)cycles * (n + 1) / (SAMPLES + 1)) {
			usleep(20000);
			continue;
		}
		at[n] = done;
		for (int f = 0; f < N_FIGURES; f++)
			seen[f][n] = figures[f].read();
		n++;
	}
	return n;
}

int main(int argc, char **argv)
{
	int n_threads = argc > 5 ? atoi(argv[5]) : 8, n;
	double at[SAMPLES], seen[N_FIGURES][SAMPLES];
	pthread_t threads[MAX_THREADS];

	if (argc < 5 || n_threads < 1 || n_threads > MAX_THREADS)
		return 2;
	root_dir = argv[1], run_dir = argv[2], rootfs = argv[3];
	cycles = atoi(argv[4]);
	for (int i = 0; i < n_threads; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			return 2;
	n = sample(at, seen);
	for (int i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
	printf("%d cycles, %d threads, %d failed\n", cycles, n_threads, bad);
	for (int f = 0; f < N_FIGURES; f++)
		printf("%-14s %10.0f at half, %10.0f at the end, %+8.2f per 1,000 cycles\n",
		       figures[f].name, n > 1 ? seen[f][n / 2] : 0, n > 0 ? seen[f][n - 1] : 0,
		       n > 2 ? slope(at + n / 2, seen[f] + n / 2, n - n / 2) : 0);
	return bad != 0;
}
