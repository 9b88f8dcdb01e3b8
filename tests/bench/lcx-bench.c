/* SPDX-License-Identifier: MIT */
/*
 * usage: lcx-bench DIR LAYER [RUNS]
 *
 * DIR is a scratch directory, LAYER an unpacked image with a static /bin/true and /bin/cat.
 *
 * Three things, each by the floor (floor.c) and by the library in this process, in turn,
 * each in a small host and in one with 1 GiB of resident memory: start and end of
 * a container without a network; with bridge, address, cgroup and seccomp; a process executed in a
 * running container. Prints medians in microseconds and the ratios. What is
 * timed is from the call to the end of /bin/true; what follows, taking down, is not, since the
 * kernel does most of it in its own time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lcx/lcx.h>

#include "bench.h"
#include "floor.h"

static const char *const true_argv[] = {"/bin/true", NULL};
static const char *const cat_argv[] = {"/bin/cat", NULL};

static char scratch[2048], layer[2048];
static struct lcx_ctx *ctx;
static unsigned int number;

/* ---- the floor ---------------------------------------------------------- */

static char paths[8][2300];
static const char *cgroup_dirs[12];
static char cgroup_paths[12][300];
static void *filter;
static size_t filter_size;

/*
 * The hierarchies that limits need. The library also uses the unified one beside version 1, to
 * track processes, but clones right into it: to write to its cgroup.procs would cost a floor
 * without clone3() ten milliseconds.
 */
static void choose_cgroups(void)
{
	static const char *const v1[] = {"memory", "pids", "devices"};
	size_t n = 0;

	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0) {
		snprintf(cgroup_paths[0], sizeof(cgroup_paths[0]), "/sys/fs/cgroup/lcx-floor");
		cgroup_dirs[n++] = cgroup_paths[0];
	}
	for (size_t i = 0; n == 0 || i < sizeof(v1) / sizeof(*v1); i++) {
		char root[100];

		if (i >= sizeof(v1) / sizeof(*v1))
			break;
		snprintf(root, sizeof(root), "/sys/fs/cgroup/%s", v1[i]);
		if (access(root, F_OK) < 0)
			continue;
		snprintf(cgroup_paths[n], sizeof(cgroup_paths[n]), "%s/lcx-floor", root);
		cgroup_dirs[n] = cgroup_paths[n];
		n++;
	}
	cgroup_dirs[n] = NULL;
}

static void compile_filter(void)
{
	struct lcx_seccomp *profile = NULL;
	struct lcx_error *err = NULL;
	int fd = memfd_create("filter", MFD_CLOEXEC);
	struct stat st;

	must(lcx_seccomp_default(&profile, &err), err);
	must(lcx_seccomp_export(profile, lcx_capability_default_mask(), fd, &err), err);
	fstat(fd, &st);
	filter_size = (size_t)st.st_size;
	filter = malloc(filter_size);
	if (pread(fd, filter, filter_size, 0) != (ssize_t)filter_size)
		exit(1);
	close(fd);
	lcx_seccomp_free(profile);
}

static struct floor floor_config(int bridge)
{
	static const char *const names[] = {"upper", "work", "staging"};
	struct floor floor = {.lower = layer, .bridge_index = bridge, .network = bridge > 0};

	for (int i = 0; i < 3; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/floor-%u-%s", scratch, number, names[i]);
		mkdir(paths[i], 0755);
	}
	floor.upper = paths[0];
	floor.work = paths[1];
	floor.staging = paths[2];
	floor.host_number = number++;
	/* The library gives every container a cgroup. */
	floor.cgroups = cgroup_dirs;
	if (bridge > 0) {
		floor.seccomp = filter;
		floor.seccomp_size = filter_size;
	}
	return floor;
}

static int64_t floor_run(int bridge)
{
	struct floor floor = floor_config(bridge);
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int64_t began = now_us(), took;
	struct floor_process process = floor_start(&floor, true_argv, null_fd);
	int status = floor_wait(&process);

	took = now_us() - began;
	if (status != 0)
		fprintf(stderr, "lcx-bench: the floor's program ended with %d\n", status);
	close(null_fd);
	floor_clean(&floor);
	return took;
}

/* ---- the library -------------------------------------------------------- */

static struct lcx_container *new_container(int bridge, const char *const *argv,
					   struct lcx_error **err)
{
	struct lcx_container *c = NULL;

	must(lcx_container_new(ctx, NULL, &c, err), *err);
	must(lcx_container_set_image(c, "bench", err), *err);
	must(lcx_container_set_network(c, bridge ? "bridge" : "none", err), *err);
	must(lcx_container_set_command(c, argv, err), *err);
	if (bridge)
		must(lcx_spec_set_memory_limit(lcx_container_spec(c), 256 << 20, err), *err);
	else
		must(lcx_spec_set_seccomp(lcx_container_spec(c), NULL, err), *err);
	must(lcx_container_create(c, err), *err);
	return c;
}

static struct lcx_stdio *plain_stdio(int in_fd)
{
	struct lcx_stdio *stdio = NULL;

	must(lcx_stdio_new(&stdio, NULL), NULL);
	lcx_stdio_set_passthrough(stdio, in_fd, -1, -1);
	return stdio;
}

static int64_t library_run(int bridge)
{
	struct lcx_error *err = NULL;
	struct lcx_container *c = new_container(bridge, true_argv, &err);
	struct lcx_stdio *stdio = plain_stdio(-1);
	int32_t status = -1;
	int64_t began = now_us(), took;

	must(lcx_container_start(c, stdio, &err), err);
	must(lcx_process_wait(lcx_container_process(c), -1, &status, &err), err);
	took = now_us() - began;
	must(lcx_container_wait(c, -1, &status, &err), err);
	if (status != 0)
		fprintf(stderr, "lcx-bench: the container's program ended with %d\n", status);
	must(lcx_container_remove(c, 1, &err), err);
	lcx_container_free(c);
	lcx_stdio_free(stdio);
	return took;
}

/* ---- exec --------------------------------------------------------------- */

static int64_t library_exec(struct lcx_container *c)
{
	static struct lcx_spec *spec;
	struct lcx_process *process = NULL;
	struct lcx_stdio *stdio = plain_stdio(-1);
	struct lcx_error *err = NULL;
	int32_t status = -1;
	int64_t began, took;

	if (!spec) {
		must(lcx_container_exec_spec(c, &spec, &err), err);
		must(lcx_spec_set_args(spec, true_argv, &err), err);
	}
	began = now_us();
	must(lcx_container_exec(c, spec, stdio, &process, &err), err);
	must(lcx_process_wait(process, -1, &status, &err), err);
	took = now_us() - began;
	if (status != 0)
		fprintf(stderr, "lcx-bench: the executed program ended with %d\n", status);
	lcx_process_free(process);
	lcx_stdio_free(stdio);
	return took;
}

static int64_t floor_exec_run(const struct floor *floor, int container_pidfd)
{
	int64_t began = now_us();
	struct floor_process process = floor_exec(floor, container_pidfd, true_argv);

	if (floor_wait(&process) != 0)
		fprintf(stderr, "lcx-bench: the floor's executed program failed\n");
	return now_us() - began;
}

/* ---- the table ---------------------------------------------------------- */

enum { MAX_RUNS = 1000 };

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int64_t median(int64_t *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), compare);
	return values[n / 2];
}

struct result {
	int64_t floor_us, library_us;
};

static struct result measure_start(int bridge, int runs)
{
	static int64_t by_floor[MAX_RUNS], by_library[MAX_RUNS];

	(void)floor_run(bridge);
	(void)library_run(bridge);
	for (int i = 0; i < runs; i++) {
		by_floor[i] = floor_run(bridge);
		by_library[i] = library_run(bridge);
	}
	return (struct result){median(by_floor, runs), median(by_library, runs)};
}

/* A container that waits until its input ends. */
struct holder {
	struct lcx_container *c;
	int input[2];
};

static struct holder hold(void)
{
	struct lcx_error *err = NULL;
	struct holder holder = {.c = new_container(1, cat_argv, &err)};
	struct lcx_stdio *stdio;

	if (pipe2(holder.input, O_CLOEXEC) < 0)
		exit(1);
	stdio = plain_stdio(holder.input[0]);
	must(lcx_container_start(holder.c, stdio, &err), err);
	lcx_stdio_free(stdio);
	return holder;
}

static void let_go(struct holder *holder)
{
	struct lcx_error *err = NULL;

	close(holder->input[0]);
	close(holder->input[1]);
	must(lcx_container_wait(holder->c, -1, NULL, &err), err);
	must(lcx_container_remove(holder->c, 1, &err), err);
	lcx_container_free(holder->c);
}

static struct result measure_exec(int bridge, int runs)
{
	static int64_t by_floor[MAX_RUNS], by_library[MAX_RUNS];
	struct floor floor = {.seccomp = filter, .seccomp_size = filter_size};
	struct holder holder = hold();

	(void)bridge;
	for (int i = -1; i < runs; i++) {
		int64_t a =
			floor_exec_run(&floor, lcx_process_pidfd(lcx_container_process(holder.c)));
		int64_t b = library_exec(holder.c);

		if (i >= 0) {
			by_floor[i] = a;
			by_library[i] = b;
		}
	}
	let_go(&holder);
	return (struct result){median(by_floor, runs), median(by_library, runs)};
}

static const struct {
	const char *name;
	int needs_bridge;
	struct result (*measure)(int bridge, int runs);
} rows[] = {
	{"start, no network", 0, measure_start},
	{"start, bridge, address, cgroup, seccomp", 1, measure_start},
	{"exec in a running container", 0, measure_exec},
};
enum { N_ROWS = sizeof(rows) / sizeof(*rows) };

static void fill_memory(void)
{
	size_t size = (size_t)1 << 30;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		exit(1);
	/* Small pages: the worst case for whoever copies page tables. */
	(void)madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < size; at += 4096)
		memory[at] = 1;
}

int main(int argc, char **argv)
{
	struct result small[N_ROWS], large[N_ROWS];
	struct lcx_error *err = NULL;
	int runs = argc > 3 ? atoi(argv[3]) : 100, bridge;
	struct holder holder;

	if (argc < 3 || runs < 1 || runs > MAX_RUNS) {
		fprintf(stderr, "usage: lcx-bench DIR LAYOUT [RUNS]\n");
		return 2;
	}
	snprintf(scratch, sizeof(scratch), "%s", argv[1]);
	must(lcx_ctx_open(scratch, NULL, &ctx, &err), err);
	{
		struct lcx_image *image = NULL;

		must(lcx_image_import(ctx, argv[2], "latest", "bench", &image, &err), err);
		snprintf(layer, sizeof(layer), "%s", lcx_image_layer_dir(image, 0));
		lcx_image_free(image);
	}
	choose_cgroups();
	compile_filter();
	bridge = floor_make_bridge("lcxfloor0");
	/* The floor's bridge is there already, and so is the library's. */
	holder = hold();

	for (int i = 0; i < N_ROWS; i++)
		small[i] = rows[i].measure(rows[i].needs_bridge ? bridge : 0, runs);
	fill_memory();
	for (int i = 0; i < N_ROWS; i++)
		large[i] = rows[i].measure(rows[i].needs_bridge ? bridge : 0, runs);
	floor_remove_bridge(bridge);
	let_go(&holder);

	printf("microseconds, medians of %d runs, floor and library in turn\n\n", runs);
	printf("%-42s %8s %8s %6s | %8s %8s %6s | %s\n", "", "floor", "liblcx", "ratio", "floor",
	       "liblcx", "ratio", "liblcx, large/small");
	printf("%-42s %24s | %24s |\n", "", "small host", "host with 1 GiB resident");
	for (int i = 0; i < N_ROWS; i++)
		printf("%-42s %8lld %8lld %6.2f | %8lld %8lld %6.2f | %.2f\n", rows[i].name,
		       (long long)small[i].floor_us, (long long)small[i].library_us,
		       (double)small[i].library_us / (double)small[i].floor_us,
		       (long long)large[i].floor_us, (long long)large[i].library_us,
		       (double)large[i].library_us / (double)large[i].floor_us,
		       (double)large[i].library_us / (double)small[i].library_us);
	lcx_ctx_free(ctx);
	return 0;
}
