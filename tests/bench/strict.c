/* SPDX-License-Identifier: MIT */
/*
 * usage: bench-strict DIR LAYER [RUNS]
 *
 * DIR is a scratch directory, LAYER an OCI layout with a static /bin/true.
 *
 * What strictness costs: starts and ends of /bin/true as the defaults have it, and in turn with one
 * kind of defence left out, and with all of them. Prints medians and tenths (which a tenth of the
 * starts is faster than: with others at work on the machine they tell more) in microseconds, the
 * part of a start that each takes, and of the median of the processor's time, which others hardly
 * touch. The last line is the whole: with all over with none.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include <lcx/lcx.h>

#include "bench.h"

static struct lcx_ctx *ctx;

/* ---- what is left out ----------------------------------------------------- */

static int no_filter(struct lcx_spec *spec, struct lcx_error **err)
{
	return lcx_spec_set_seccomp(spec, NULL, err);
}

static int no_masks(struct lcx_spec *spec, struct lcx_error **err)
{
	int r = lcx_spec_clear_masked_paths(spec, err);

	return r == 0 ? lcx_spec_clear_readonly_paths(spec, err) : r;
}

static int all_capabilities(struct lcx_spec *spec, struct lcx_error **err)
{
	return lcx_spec_add_capability(spec, "ALL", err);
}

static int nothing(struct lcx_spec *spec, struct lcx_error **err)
{
	(void)spec;
	(void)err;
	return 0;
}

static int everything(struct lcx_spec *spec, struct lcx_error **err)
{
	int r = no_filter(spec, err);

	if (r == 0)
		r = no_masks(spec, err);
	return r == 0 ? all_capabilities(spec, err) : r;
}

static const struct {
	const char *name;
	int (*leave_out)(struct lcx_spec *spec, struct lcx_error **err);
} rows[] = {
	{"as it is", nothing},
	{"no filter", no_filter},
	{"nothing masked or read-only", no_masks},
	{"all capabilities", all_capabilities},
	{"none of it", everything},
};

enum { N_ROWS = sizeof(rows) / sizeof(*rows), MAX_RUNS = 2000 };

/* ---- runs ------------------------------------------------------------------ */

/* Of this process and of its children, which have ended. */
static int64_t processor_us(void)
{
	int64_t us = 0;

	for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
		struct rusage usage = {0};

		(void)getrusage(who, &usage);
		us += (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
		      usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
	}
	return us;
}

struct taken {
	int64_t us, processor_us;
};

static struct taken run(int row)
{
	static const char *const argv[] = {"/bin/true", NULL};
	struct lcx_container *c = NULL;
	struct lcx_stdio *stdio = NULL;
	struct lcx_error *err = NULL;
	int32_t status = -1;
	struct taken took;
	int64_t began, before;

	must(lcx_container_new(ctx, NULL, &c, &err), err);
	must(lcx_container_set_image(c, "bench", &err), err);
	must(lcx_container_set_network(c, "none", &err), err);
	must(lcx_container_set_command(c, argv, &err), err);
	must(rows[row].leave_out(lcx_container_spec(c), &err), err);
	must(lcx_container_create(c, &err), err);
	must(lcx_stdio_new(&stdio, &err), err);
	lcx_stdio_set_passthrough(stdio, -1, -1, -1);
	before = processor_us();
	began = now_us();
	must(lcx_container_start(c, stdio, &err), err);
	must(lcx_process_wait(lcx_container_process(c), -1, &status, &err), err);
	took.us = now_us() - began;
	must(lcx_container_wait(c, -1, &status, &err), err);
	took.processor_us = processor_us() - before;
	must(lcx_container_remove(c, 1, &err), err);
	lcx_container_free(c);
	lcx_stdio_free(stdio);
	return took;
}

static void keep(struct taken taken, int64_t *us, int64_t *worked_us)
{
	*us = taken.us;
	*worked_us = taken.processor_us;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static double less(const int64_t *values, int row)
{
	return 100.0 * (double)(values[0] - values[row]) / (double)values[0];
}

int main(int argc, char **argv)
{
	static int64_t took[N_ROWS][MAX_RUNS], worked[N_ROWS][MAX_RUNS];
	struct lcx_image *image = NULL;
	struct lcx_error *err = NULL;
	int runs = argc > 3 ? atoi(argv[3]) : 100;
	int64_t medians[N_ROWS], tenths[N_ROWS], works[N_ROWS];
	char root[1024], run_dir[1024];

	if (argc < 3 || runs < 1 || runs > MAX_RUNS)
		return 2;
	(void)snprintf(root, sizeof(root), "%s/root", argv[1]);
	(void)snprintf(run_dir, sizeof(run_dir), "%s/run", argv[1]);
	must(lcx_ctx_open(root, run_dir, &ctx, &err), err);
	must(lcx_image_import(ctx, argv[2], "latest", "bench", &image, &err), err);
	lcx_image_free(image);
	for (int row = 0; row < N_ROWS; row++)
		(void)run(row);
	for (int i = 0; i < runs; i++)
		for (int row = 0; row < N_ROWS; row++)
			keep(run(row), &took[row][i], &worked[row][i]);
	for (int row = 0; row < N_ROWS; row++) {
		qsort(took[row], (size_t)runs, sizeof(int64_t), compare);
		medians[row] = took[row][runs / 2];
		tenths[row] = took[row][runs / 10];
		qsort(worked[row], (size_t)runs, sizeof(int64_t), compare);
		works[row] = worked[row][runs / 2];
	}
	for (int row = 0; row < N_ROWS; row++)
		printf("%-28s %6lld us, less by %5.1f %%; a tenth %6lld us, less by %5.1f %%; "
		       "processor %6lld us, less by %5.1f %%\n",
		       rows[row].name, (long long)medians[row], less(medians, row),
		       (long long)tenths[row], less(tenths, row), (long long)works[row],
		       less(works, row));
	printf("strictness: %.3f, in a tenth %.3f, of the processor %.3f\n",
	       (double)medians[0] / (double)medians[N_ROWS - 1],
	       (double)tenths[0] / (double)tenths[N_ROWS - 1],
	       (double)works[0] / (double)works[N_ROWS - 1]);
	lcx_ctx_free(ctx);
	return 0;
}
