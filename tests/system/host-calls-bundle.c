/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-calls.h"

/* Containers described by a bundle, prepared here and started later. */

static struct lcx_container *container;
static char bundle[4200];

static int write_bundle(struct world *w, const char *terminal)
{
	char path[4300];
	FILE *file;

	(void)snprintf(bundle, sizeof(bundle), "%s/bundle", w->dir);
	(void)snprintf(path, sizeof(path), "%s/config.json", bundle);
	if (mkdir(bundle, 0700) < 0 && errno != EEXIST)
		return -errno;
	file = fopen(path, "we");
	if (!file)
		return -errno;
	fprintf(file,
		"{\"ociVersion\": \"1.3.0\", \"root\": {\"path\": \"%s\"}, \"process\": {\"cwd\": "
		"\"/\", \"terminal\": %s, \"args\": [\"/bin/sleep\", \"60\"]}, \"mounts\": "
		"[{\"destination\": \"/dev\", \"type\": \"tmpfs\"}, {\"destination\": "
		"\"/dev/pts\", \"type\": \"devpts\", \"options\": [\"newinstance\", "
		"\"ptmxmode=0666\"]}], \"linux\": {\"namespaces\": [{\"type\": \"pid\"}, "
		"{\"type\": \"mount\"}, {\"type\": \"ipc\"}, {\"type\": \"network\"}]}}",
		w->rootfs, terminal);
	return fclose(file) == 0 ? 0 : -errno;
}

static int load_bundle(struct world *w, struct lcx_error **err)
{
	struct lcx_container *none = NULL;

	MUST(write_bundle(w, "false"));
	MUST(lcx_bundle_load(w->ctx, "bundled", bundle, &container, err));
	lcx_container_set_move_root(container, 0);
	lcx_container_set_new_keyring(container, 1);
	MUST(lcx_container_set_cgroup_manager(container, "disabled", err));
	MUST(lcx_container_set_cgroup_manager(container, "cgroupfs", err));
	REFUSED(lcx_container_set_cgroup_manager(container, "nobody", err));
	if (access("/run/systemd/private", F_OK) < 0)
		REFUSED(lcx_container_set_cgroup_manager(container, "systemd", err));
	REFUSED(lcx_bundle_load(w->ctx, "bundled", "/proc", &none, err));
	REFUSED(lcx_bundle_load_config(w->ctx, "bundled", bundle, "/nowhere", &none, err));
	REFUSED(lcx_bundle_open(w->ctx, "bundled", &none, err));
	return strcmp(lcx_bundle_path(container), bundle) == 0 ? 0 : -EINVAL;
}

static int prepare_bundle(struct world *w, struct lcx_error **err)
{
	struct lcx_stdio *stdio = NULL;
	char *state = NULL;

	REFUSED(lcx_container_prepare(container, NULL, err));
	MUST(lcx_stdio_new(&stdio, err));
	lcx_stdio_set_passthrough(stdio, -1, -1, -1);
	MUST(lcx_stdio_set_preserved(stdio, 0, err));
	REFUSED(lcx_stdio_set_preserved(stdio, -1, err));
	MUST(lcx_container_prepare(container, stdio, err));
	lcx_stdio_free(stdio);
	MUST(lcx_bundle_state(container, &state, err));
	lcx_string_free(state);
	return lcx_container_state(container) == LCX_CONTAINER_PREPARED ? 0 : -EINVAL;
}

static int proceed_by_another_handle(struct world *w, struct lcx_error **err)
{
	struct lcx_container *other = NULL;

	MUST(lcx_bundle_open(w->ctx, "bundled", &other, err));
	MUST(lcx_container_proceed(other, err));
	REFUSED(lcx_container_proceed(other, err));
	lcx_container_free(other);
	return 0;
}

/* It may succeed, where criu gets on with the kernel; then it goes on. */
static int checkpoint_bundle(struct world *w, struct lcx_error **err)
{
	struct lcx_checkpoint *o = NULL;
	struct lcx_stdio *stdio = NULL;

	MUST(lcx_checkpoint_new(&o, err));
	MUST(lcx_checkpoint_set_option(o, "leave-running", "on", err));
	REFUSED(lcx_checkpoint_set_option(o, "manage-cgroups-mode", "full", err));
	MUST(lcx_checkpoint_set_option(o, "page-server", "127.0.0.1:1", err));
	MUST(lcx_checkpoint_set_option(o, "status-fd", "2", err));
	MUST(lcx_checkpoint_set_option(o, "page-server", NULL, err));
	(void)lcx_checkpoint_check(NULL);
	(void)lcx_container_checkpoint(container, o, NULL);
	(void)lcx_container_has_checkpoint(container);
	MUST(lcx_stdio_new(&stdio, err));
	lcx_stdio_set_passthrough(stdio, -1, -1, -1);
	REFUSED(lcx_container_restore(container, o, NULL, err));
	REFUSED(lcx_container_restore_detached(container, NULL, NULL, err));
	REFUSED(lcx_container_restore_unowned(container, o, stdio, err));
	lcx_stdio_free(stdio);
	lcx_checkpoint_free(o);
	return 0;
}

static int end_bundle(struct world *w, struct lcx_error **err)
{
	int32_t status;

	MUST(lcx_container_kill(container, SIGKILL, err));
	MUST(lcx_container_wait(container, 10000, &status, err));
	MUST(lcx_container_remove(container, 0, err));
	container = lcx_container_free(container);
	return 0;
}

static int prepare_with_console(struct world *w, struct lcx_error **err)
{
	struct lcx_stdio *stdio = NULL;
	int pair[2];

	MUST(write_bundle(w, "true"));
	MUST(lcx_bundle_load(w->ctx, "bundled", bundle, &container, err));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	MUST(lcx_stdio_new(&stdio, err));
	lcx_stdio_set_console_socket(stdio, pair[0]);
	MUST(lcx_container_prepare(container, stdio, err));
	lcx_stdio_free(stdio);
	close(pair[0]);
	close(pair[1]);
	return 0;
}

const struct row rows_bundle[] = {
	ROW(load_bundle, HELD),
	ROW(prepare_bundle, HELD),
	ROW(proceed_by_another_handle, HELD),
	ROW(checkpoint_bundle, HELD),
	ROW(end_bundle, RELEASED),
	ROW(prepare_with_console, HELD),
	ROW(end_bundle, RELEASED),
	{0},
};
