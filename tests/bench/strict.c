/* SPDX-License-Identifier: MIT */
/*
 * usage: bench-strict DIR LAYER [RUNS]
 *
 * DIR is a scratch directory, LAYER an OCI layout with a static /bin/true.
 *
 * What strictness costs: starts and ends of /bin/true as the defaults have it, and in turn with one
 * kind of defence left out, and with all of them. Prints medians and tenths (which a tenth of the
 * starts is faster than: with others at work on the machine they tell more) in microseconds, and
 * the part of a start that each takes. The last line is the whole: with all over with none.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

static int64_t run(int row)
{
	static const char *const argv[] = {"/bin/true", NULL};
	struct lcx_container *c = NULL;
	struct lcx_stdio *stdio = NULL;
	struct lcx_error *err = NULL;
	int32_t status = -1;
	int64_t began, took;

	must(lcx_container_new(ctx, NULL, &c, &err), err);
	must(lcx_container_set_image(c, "bench", &err), err);
	must(lcx_container_set_network(c, "none", &err), err);
	must(lcx_container_set_command(c, argv, &err), err);
	must(rows[row].leave_out(lcx_container_spec(c), &err), err);
	must(lcx_container_create(c, &err), err);
	must(lcx_stdio_new(&stdio, &err), err);
	lcx_stdio_set_passthrough(stdio, -1, -1, -1);
	began = now_us();
	must(lcx_container_start(c, stdio, &err), err);
	must(lcx_process_wait(lcx_container_process(c), -1, &status, &err), err);
	took = now_us() - began;
	must(lcx_container_wait(c, -1, &status, &err), err);
	must(lcx_container_remove(c, 1, &err), err);
	lcx_container_free(c);
	lcx_stdio_free(stdio);
	return took;
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
	static int64_t took[N_ROWS][MAX_RUNS];
	struct lcx_image *image = NULL;
	struct lcx_error *err = NULL;
	int runs = argc > 3 ? atoi(argv[3]) : 100;
	int64_t medians[N_ROWS], tenths[N_ROWS];
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
			took[row][i] = run(row);
	for (int row = 0; row < N_ROWS; row++) {
		qsort(took[row], (size_t)runs, sizeof(int64_t), compare);
		medians[row] = took[row][runs / 2];
		tenths[row] = took[row][runs / 10];
	}
	for (int row = 0; row < N_ROWS; row++)
		printf("%-28s %6lld us, less by %5.1f %%; a tenth %6lld us, less by %5.1f %%\n",
		       rows[row].name, (long long)medians[row], less(medians, row),
		       (long long)tenths[row], less(tenths, row));
	printf("strictness: %.3f, in a tenth %.3f\n",
	       (double)medians[0] / (double)medians[N_ROWS - 1],
	       (double)tenths[0] / (double)tenths[N_ROWS - 1]);
	lcx_ctx_free(ctx);
	return 0;
}
