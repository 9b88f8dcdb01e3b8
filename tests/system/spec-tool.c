/* SPDX-License-Identifier: MIT */

/*
 * usage: spec-tool run ROOT RUN CONFIG [PROGRAM [ARGUMENT...]]
 *
 * A container that is described by a config.json, in its whole life. With a PROGRAM: what the
 * description says is started, PROGRAM is executed in it, and its end is waited for; the first
 * process is then killed. Otherwise its own end counts. The exit code is the program's, or 125.
 * With SPEC_TOOL_IMAGE its files are that image's, with a read-write layer of its own.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "container/container-internal.h"
#include "lcx/lcx.h"
#include "util/fs.h"

static int describe(struct lcx_container *c, const char *path, struct lcx_error **err)
{
	const char *image = getenv("SPEC_TOOL_IMAGE");
	CLEANUP(freep) char *text = NULL;
	int r = lcx__read_file(AT_FDCWD, path, 4 << 20, &text, NULL);

	if (r < 0)
		return lcx__fail_sys(err, -r, "read '%s'", path);
	(void)lcx_spec_free(c->spec);
	c->spec = NULL;
	r = lcx_spec_from_json(text, strlen(text), &c->spec, err);
	if (r == 0)
		r = image ? lcx_container_set_image(c, image, err)
			  : lcx_container_set_rootfs(c, lcx_spec_root(c->spec), err);
	return r == 0 && lcx_spec_has_namespace(c->spec, "network")
		       ? lcx_container_set_network(c, "none", err)
		       : r;
}

static int execute(struct lcx_container *c, const char *const *argv, const struct lcx_stdio *stdio,
		   int32_t *status, struct lcx_error **err)
{
	CLEANUP(lcx_process_freep) struct lcx_process *process = NULL;
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	int r = lcx_container_exec_spec(c, &spec, err);

	if (r == 0)
		r = lcx_spec_set_args(spec, argv, err);
	if (r == 0)
		r = lcx_container_exec(c, spec, stdio, &process, err);
	if (r == 0)
		r = lcx_process_wait(process, -1, status, err);
	return r;
}

static int run(struct lcx_container *c, const char *const *argv, int32_t *status,
	       struct lcx_error **err)
{
	CLEANUP(lcx_stdio_freep) struct lcx_stdio *stdio = NULL;
	int32_t ignored;
	int r = lcx_stdio_new(&stdio, err);

	if (r < 0)
		return r;
	if (c->spec->process.terminal.value) {
		lcx_stdio_set_attach(stdio, 0, 1, 2);
		lcx_stdio_set_terminal(stdio, 24, 80);
	} else {
		lcx_stdio_set_passthrough(stdio, 0, 1, 2);
	}
	lcx_container_set_auto_remove(c, 1);
	r = lcx_container_start(c, stdio, err);
	if (r < 0) {
		(void)lcx_container_remove(c, 1, NULL);
		return r;
	}
	if (!argv[0])
		return lcx_container_wait(c, -1, status, err);
	r = execute(c, argv, stdio, status, err);
	(void)lcx_container_kill(c, SIGKILL, NULL);
	(void)lcx_container_wait(c, -1, &ignored, NULL);
	return r;
}

int main(int argc, char **argv)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct lcx_container *c = NULL;
	struct lcx_ctx *ctx = NULL;
	int32_t status = 125;
	int r;

	if (argc < 5 || strcmp(argv[1], "run") != 0) {
		fprintf(stderr, "usage: spec-tool run ROOT RUN CONFIG [PROGRAM [ARGUMENT...]]\n");
		return 125;
	}
	r = lcx_ctx_open(argv[2], argv[3], &ctx, &err);
	if (r == 0)
		r = lcx_container_new(ctx, NULL, &c, &err);
	if (r == 0)
		r = describe(c, argv[4], &err);
	if (r == 0)
		r = run(c, (const char *const *)argv + 5, &status, &err);
	if (r < 0) {
		fprintf(stderr, "spec-tool: %s\n", lcx_error_message(err));
		status = 125;
	}
	(void)lcx_container_free(c);
	(void)lcx_ctx_free(ctx);
	return status;
}
