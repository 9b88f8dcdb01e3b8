/* SPDX-License-Identifier: MIT */
#include <lcx/lcx.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) /* run IMAGE PROGRAM [ARGUMENT...] */
{
	struct lcx_container *container = NULL;
	struct lcx_error *err = NULL;
	struct lcx_stdio *stdio = NULL;
	struct lcx_ctx *ctx = NULL;
	int32_t status = 125;

	if (argc > 2 && lcx_ctx_open(getenv("LCX_ROOT"), NULL, &ctx, &err) == 0 &&
	    lcx_container_new(ctx, NULL, &container, &err) == 0 &&
	    lcx_container_set_image(container, argv[1], &err) == 0 &&
	    lcx_container_set_command(container, (const char *const *)&argv[2], &err) == 0 &&
	    lcx_stdio_new(&stdio, &err) == 0) {
		lcx_container_set_auto_remove(container, 1);
		lcx_stdio_set_attach(stdio, 0, 1, 2);
		if (lcx_container_start(container, stdio, &err) == 0)
			lcx_container_wait(container, -1, &status, &err);
	}
	fprintf(stderr, "%s%s", lcx_error_message(err), err ? "\n" : "");
	lcx_error_free(err);
	lcx_stdio_free(stdio);
	lcx_container_free(container);
	lcx_ctx_free(ctx);
	return status;
}
