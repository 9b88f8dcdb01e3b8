/* SPDX-License-Identifier: MIT */
/*
 * usage: container-resctrl ROOT RUN ROOTFS TREE
 *
 * linux.intelRdt of whole containers, on a directory in the place of the kernel's file system: who
 * joins what, and what is removed. TREE has a class "shared", whose files are there, as the kernel
 * would make them.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "container/container-internal.h"
#include "lcx/lcx.h"
#include "util/fs.h"

static const char *root_dir, *run_dir, *rootfs, *tree;

/* The last words of what failed. */
static char said[1000];
static bool started, executed; /* whether it joined */
static const char *new_lines;  /* for it while it runs; NULL: none */

static bool says(const char *path, const char *text)
{
	CLEANUP(freep) char *found = NULL;

	return lcx__read_file(AT_FDCWD, path, 4096, &found, NULL) == 0 && strcmp(found, text) == 0;
}

/* As a bundle's, by its config.json. */
static int describe(struct lcx_container *c, const char *intel_rdt, const char *mount,
		    struct lcx_error **err)
{
	char json[400];
	int r;

	(void)snprintf(
		json, sizeof(json),
		"{\"ociVersion\":\"1.3.0\",\"process\":{\"cwd\":\"/"
		"\",\"args\":[\"sleep\",\"1000\"],"
		"\"env\":[\"PATH=/bin\"]},\"root\":{\"path\":\"%s\"},\"linux\":{\"namespaces\":["
		"{\"type\":\"mount\"},{\"type\":\"pid\"}],\"intelRdt\":%s}}",
		rootfs, intel_rdt);
	c->spec = lcx_spec_free(c->spec);
	c->resctrl_mount = mount;
	r = lcx_spec_from_json(json, strlen(json), &c->spec, err);
	if (r == 0)
		r = lcx_container_set_rootfs(c, rootfs, err);
	return r == 0 ? lcx_container_set_network(c, "host", err) : r;
}

static int execute(struct lcx_container *c, struct lcx_error **err)
{
	static const char *const argv[] = {"true", NULL};
	struct lcx_process *process = NULL;
	struct lcx_spec *spec = NULL;
	int32_t status = -1;
	int r = lcx_container_exec_spec(c, &spec, err);

	if (r == 0)
		r = lcx_spec_set_args(spec, argv, err);
	if (r == 0)
		r = lcx_container_exec(c, spec, NULL, &process, err);
	if (r == 0)
		r = lcx_process_wait(process, 10000, &status, err);
	lcx_process_free(process);
	lcx_spec_free(spec);
	return r == 0 && status != 0 ? -EPROTO : r;
}

/* Other lines while it runs. */
static int update(struct lcx_container *c, const char *l3, struct lcx_error **err)
{
	int r = lcx_spec_set_rdt_schemas(lcx_container_spec(c), l3, NULL, err);

	return r == 0 ? lcx_container_update(c, err) : r;
}

/* Start one, and a further program in it; *@group is what it is in. The file is emptied in between.
 */
static int run(const char *intel_rdt, const char *mount, char *group)
{
	struct lcx_container *c = NULL;
	struct lcx_error *err = NULL;
	struct lcx_ctx *ctx = NULL;
	char tasks[300];
	int r = lcx_ctx_open(root_dir, run_dir, &ctx, &err);

	if (r == 0)
		r = lcx_container_new(ctx, NULL, &c, &err);
	if (r == 0)
		r = describe(c, intel_rdt, mount, &err);
	if (r == 0)
		r = lcx_container_start(c, NULL, &err);
	if (r == 0) {
		(void)snprintf(group, 200, "%s", c->run.resctrl[0]);
		(void)snprintf(tasks, sizeof(tasks), "%s/tasks", group);
		started = says(tasks, "0");
		if (truncate(tasks, 0) < 0)
			r = -errno;
	}
	if (r == 0)
		r = execute(c, &err);
	executed = says(tasks, "0");
	if (r == 0 && new_lines)
		r = update(c, new_lines, &err);
	(void)snprintf(said, sizeof(said), "%s", r < 0 && err ? lcx_error_message(err) : "");
	lcx_error_free(err);
	if (c)
		(void)lcx_container_remove(c, 1, NULL);
	lcx_container_free(c);
	lcx_ctx_free(ctx);
	return r;
}

static int failures;

static void check(const char *name, bool holds)
{
	printf("%sok - %s\n", holds ? "" : "not ", name);
	if (!holds)
		printf("# said: %s\n", said);
	failures += !holds;
}

int main(int argc, char **argv)
{
	char group[200] = "", shared[300], lines[320];
	int r;

	if (argc != 5)
		return 2;
	root_dir = argv[1], run_dir = argv[2], rootfs = argv[3], tree = argv[4];
	(void)snprintf(shared, sizeof(shared), "%s/shared", tree);
	r = run("{\"closID\":\"shared\"}", NULL, group);
	check("where there is none it is refused by name",
	      r == -EOPNOTSUPP &&
		      strstr(said, "linux.intelRdt: no resctrl file system is mounted"));
	r = run("{\"closID\":\"shared\"}", tree, group);
	check("a class with a name is joined", r == 0 && strcmp(group, shared) == 0 && started);
	check("and by a further program", executed);
	check("it stays", access(shared, F_OK) == 0);
	r = run("{\"closID\":\"/\"}", tree, group);
	check("the class of all others is joined",
	      r == 0 && strcmp(group, tree) == 0 && started && executed);
	new_lines = "L3:0=3f";
	r = run("{\"closID\":\"/\"}", tree, group);
	check("lines that a class can't have are an error",
	      r == -ENOENT && strstr(said, "/schemata"));
	r = run("{\"closID\":\"shared\"}", tree, group);
	(void)snprintf(lines, sizeof(lines), "%s/schemata", shared);
	check("its lines are changed while it runs", r == 0 && says(lines, "L3:0=3f\n=7f0\n"));
	new_lines = NULL;
	r = run("{\"closID\":\"shared\",\"l3CacheSchema\":\"L3:0=1\"}", tree, group);
	check("one with other lines is refused", r == -EEXIST && strstr(said, "other lines"));
	r = run("{\"l3CacheSchema\":\"L3:0=f\"}", tree, group);
	check("a class of its own whose lines are not taken is an error",
	      r == -ENOENT && strstr(said, "L3:0=f"));
	r = run("{}", tree, group);
	check("so is one that can't be joined", r == -ENOENT && strstr(said, "/tasks"));
	r = run("{\"closID\":\"shared\",\"enableMonitoring\":true}", tree, group);
	check("or a group to measure", r == -ENOENT && strstr(said, "/mon_groups/"));
	return failures > 0;
}
