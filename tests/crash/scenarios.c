/* SPDX-License-Identifier: MIT */
#include "scenarios.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lcx/lcx.h>

#include "container/checkpoint/checkpoint.h"
#include "container/container-internal.h"
#include "image/image.h"
#include "net/net.h"
#include "util/fs.h"

/*
 * What a host program does, each a function that ends at the first failure, as a
 * careful program would. They run in processes of their own, which may die anywhere.
 */

enum { WAIT_MS = 20000, STOP_MS = 3000, UPDATED_PIDS = 77 };

struct place place;

/* By address, for the call that fills *@err may be evaluated after the other arguments. */
int say(const char *what, int r, struct lcx_error **err)
{
	if (r < 0)
		printf("#   %s: %s\n", what, err && *err ? lcx_error_message(*err) : strerror(-r));
	if (err)
		*err = lcx_error_free(*err);
	return r;
}

struct lcx_ctx *open_ctx(void)
{
	struct lcx_error *err = NULL;
	struct lcx_ctx *ctx = NULL;

	(void)say("open", lcx_ctx_open(place.root, place.run, &ctx, &err), &err);
	return ctx;
}

/* On the layers of the image if there is one. */
static int describe(struct lcx_ctx *ctx, const char *name, const char *network,
		    const char *const *argv, struct lcx_container **ret)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	int r = ctx ? lcx_container_new(ctx, name, &c, NULL) : -ENOMEM;

	if (r == 0 && place.layout)
		r = lcx_container_set_image(c, "base", NULL);
	else if (r == 0)
		r = lcx_container_set_rootfs(c, place.rootfs, NULL);
	if (r == 0)
		r = lcx_container_set_network(c, network, NULL);
	if (r == 0 && strcmp(network, "bridge") == 0)
		r = lcx_container_publish(c, "80", NULL);
	if (r == 0)
		r = lcx_container_set_command(c, argv, NULL);
	if (r == 0)
		lcx_container_set_init(c, 1);
	if (r == 0)
		*ret = TAKE_PTR(c);
	return r;
}

const char *const to_sleep[] = {"sleep", "1000000", NULL};
static const char *const to_end[] = {"true", NULL};

int make_container(const char *name, const char *network, const char *const *argv, bool started)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	struct lcx_error *err = NULL;
	int r = describe(ctx, name, network, argv, &c);

	if (r == 0)
		r = started ? lcx_container_start_detached(c, NULL, &err)
			    : lcx_container_create(c, &err);
	return say(name, r, &err);
}

static int on_target(int (*act)(struct lcx_container *c))
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	int r = ctx ? lcx_container_open(ctx, "target", &c, NULL) : -ENOMEM;

	return r < 0 ? r : act(c);
}

/* ---- before ------------------------------------------------------------- */

static int running(void)
{
	return make_container("target", "none", to_sleep, true);
}

static int running_on_network(void)
{
	return make_container("target", "bridge", to_sleep, true);
}

static int created(void)
{
	return make_container("target", "none", to_sleep, false);
}

static int wait_for_end(struct lcx_container *c)
{
	return lcx_container_wait(c, WAIT_MS, NULL, NULL);
}

static int ended(void)
{
	int r = make_container("target", "none", to_end, true);

	return r < 0 ? r : on_target(wait_for_end);
}

/* ---- what is done -------------------------------------------------------- */

static int whole_life(const char *network, const char *users)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	int32_t status = LCX_EXIT_UNKNOWN;
	int r = describe(ctx, "new", network, to_end, &c);

	if (r == 0)
		r = lcx_container_set_userns(c, users, NULL);
	if (r == 0)
		r = lcx_container_start(c, NULL, NULL);
	if (r == 0)
		r = lcx_container_wait(c, WAIT_MS, &status, NULL);
	if (r == 0)
		r = lcx_container_remove(c, 0, NULL);
	return r;
}

static int run_life(void)
{
	return whole_life("none", "host");
}

/* On mapped layers, or a directory; its ids are its own for so long. */
int run_life_with_users(void)
{
	return whole_life("none", "auto");
}

static int run_life_on_network(void)
{
	return whole_life("bridge", "host");
}

static int run_create(void)
{
	return make_container("new", "none", to_sleep, false);
}

static int do_start(struct lcx_container *c)
{
	return lcx_container_start_detached(c, NULL, NULL);
}

static int run_start_on_network(void)
{
	return make_container("new", "bridge", to_sleep, true);
}

static int do_exec(struct lcx_container *c)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	CLEANUP(lcx_process_freep) struct lcx_process *process = NULL;
	int32_t status;
	int r = lcx_container_exec_spec(c, &spec, NULL);

	if (r == 0)
		r = lcx_spec_set_args(spec, to_end, NULL);
	if (r == 0)
		r = lcx_container_exec(c, spec, NULL, &process, NULL);
	return r < 0 ? r : lcx_process_wait(process, WAIT_MS, &status, NULL);
}

static int do_stop(struct lcx_container *c)
{
	return lcx_container_stop(c, WAIT_MS, NULL);
}

static int do_restart(struct lcx_container *c)
{
	return lcx_container_restart(c, WAIT_MS, NULL);
}

static int do_remove(struct lcx_container *c)
{
	return lcx_container_remove(c, 1, NULL);
}

static int do_rename(struct lcx_container *c)
{
	return lcx_container_rename(c, "other", NULL);
}

/* What the next program finds on the disk. -1: that can't be told, as where the fault was in here. */
static int is_updated(void)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	const struct lcx_spec *spec;
	bool policy, limit;

	if (!ctx || lcx_container_open(ctx, "target", &c, NULL) < 0 ||
	    !(spec = lcx_container_spec(c)))
		return -1;
	policy = c->d.restart && strcmp(c->d.restart, "unless-stopped") == 0;
	limit = spec->linux_.resources.pids.limit.value == UPDATED_PIDS;
	return policy == limit ? policy : -EBADMSG;
}

/* Both or neither; and what failed has changed nothing. */
static int do_update(struct lcx_container *c)
{
	struct lcx_spec *spec = lcx_container_spec(c);
	int r = spec ? lcx_container_set_restart_policy(c, "unless-stopped", NULL) : -ENOMEM, after;

	if (r == 0)
		r = lcx_spec_set_pids_limit(spec, UPDATED_PIDS, NULL);
	if (r == 0)
		r = lcx_container_update(c, NULL);
	after = is_updated();
	if (after != -1 && after != (r == 0))
		abort();
	return r;
}

static int do_pause(struct lcx_container *c)
{
	int r = lcx_container_pause(c, NULL);

	return r < 0 ? r : lcx_container_unpause(c, NULL);
}

static int do_connect(struct lcx_container *c)
{
	return lcx_container_connect(c, "bridge", NULL, NULL);
}

static int do_disconnect(struct lcx_container *c)
{
	return lcx_container_disconnect(c, "bridge", NULL);
}

static int import(struct lcx_ctx *ctx, const char *name)
{
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;

	return ctx ? lcx_image_import(ctx, place.layout, "small", name, &image, NULL) : -ENOMEM;
}

int run_unpack(void)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();

	return import(ctx, "unpacked");
}

/* With ids of its own, for which nothing can be mapped: it gets a copy of the image. */
static int run_create_on_copy(void)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	int r = describe(ctx, "new", "none", to_sleep, &c);

	if (r == 0)
		r = lcx_container_set_image(c, "unpacked", NULL);
	if (r == 0)
		r = lcx_container_set_userns(c, "auto", NULL);
	if (r == 0)
		r = lcx_container_set_storage_option(c, "chown", "copy", NULL);
	return r < 0 ? r : lcx_container_create(c, NULL);
}

/* One file of its layer is not what it was. */
static int damaged(void)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;
	CLEANUP(freep) char *path = NULL;
	int fd, r = run_unpack();

	if (r == 0)
		r = lcx_image_open(ctx, "unpacked", &image, NULL);
	if (r < 0)
		return r;
	path = lcx__format("%s/one/damage", lcx_image_layer_dir(image, 0));
	fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (fd < 0)
		return -errno;
	(void)close(fd);
	return 0;
}

static int run_verify(void)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	int r = ctx ? lcx_image_verify(ctx, "unpacked", NULL) : -ENOMEM;

	return r < 0 && r != -ENOMEM ? run_unpack() : r;
}

static int run_remove_image(void)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();

	return ctx ? lcx_image_remove(ctx, "unpacked", NULL) : -ENOMEM;
}

int run_make_network(void)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	int r = ctx ? lcx_network_new("second", &network, NULL) : -ENOMEM;

	if (r == 0)
		r = lcx_network_set_subnet(network, "10.101.0.0/24", NULL);
	if (r == 0)
		r = lcx_network_add_subnet(network, "fd00:101::/64", NULL);
	if (r == 0)
		r = lcx_network_add_exclusion(network, "fd00:101::9", NULL);
	return r < 0 ? r : lcx_network_create(ctx, network, NULL);
}

static int run_remove_network(void)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();

	return ctx ? lcx_network_remove(ctx, "second", NULL) : -ENOMEM;
}

/* ---- volumes ---------------------------------------------------------------- */

int run_make_volume(void)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	const char *const labels[] = {"tier=front", NULL};
	struct lcx_volume *volume = NULL;
	int r = ctx ? lcx_volume_create(ctx, "volume", labels, &volume, NULL) : -ENOMEM;

	lcx_volume_free(volume);
	return r;
}

static int run_remove_volume(void)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();

	return ctx ? lcx_volume_remove(ctx, "volume", NULL) : -ENOMEM;
}

/* One with a name and one without, both filled from the image, if there is one. */
static int make_with_volumes(const char *name, bool started)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	struct lcx_error *err = NULL;
	int r = describe(ctx, name, "none", to_sleep, &c);

	if (r == 0)
		r = lcx_container_add_volume(c, "volume:/etc", NULL);
	if (r == 0)
		r = lcx_container_add_volume(c, "/var", NULL);
	if (r == 0)
		r = started ? lcx_container_start_detached(c, NULL, &err)
			    : lcx_container_create(c, &err);
	return say(name, r, &err);
}

static int run_create_with_volumes(void)
{
	return make_with_volumes("new", false);
}

static int running_with_volumes(void)
{
	return make_with_volumes("target", true);
}

static int do_remove_with_volumes(struct lcx_container *c)
{
	return lcx_container_remove_with_volumes(c, 1, NULL);
}

/* A directory of the host comes and goes while it runs. */
static int do_mount(struct lcx_container *c)
{
	int r = lcx_container_mount(c, "/usr", "/root", NULL, NULL);

	return r < 0 ? r : lcx_container_unmount(c, "/root", NULL);
}

/* ---- pods ------------------------------------------------------------------- */

static int make_pod(const char *name)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	CLEANUP(lcx_container_freep) struct lcx_container *pod = NULL;
	const char *const share[] = {"network", "ipc", "uts", "pid", NULL};
	struct lcx_error *err = NULL;
	int r = ctx ? lcx_pod_new(ctx, name, share, &pod, &err) : -ENOMEM;

	if (r == 0)
		r = lcx_container_set_network(pod, "bridge", &err);
	if (r == 0)
		r = lcx_container_publish(pod, "80", &err);
	if (r == 0)
		r = lcx_container_start_detached(pod, NULL, &err);
	return say(name, r, &err);
}

static int run_make_pod(void)
{
	return make_pod("pod");
}

static int run_start_in_pod(void)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	int r = ctx ? lcx_container_new(ctx, "member", &c, NULL) : -ENOMEM;

	if (r == 0 && place.layout)
		r = lcx_container_set_image(c, "base", NULL);
	else if (r == 0)
		r = lcx_container_set_rootfs(c, place.rootfs, NULL);
	if (r == 0)
		r = lcx_container_set_pod(c, "pod", NULL);
	if (r == 0)
		r = lcx_container_set_command(c, to_sleep, NULL);
	return r < 0 ? r : lcx_container_start_detached(c, NULL, NULL);
}

static int pod_with_member(void)
{
	int r = run_make_pod();

	return r < 0 ? r : run_start_in_pod();
}

/* The member first, then the holder: nothing is by force. */
static int run_remove_pod(void)
{
	static const char *const names[] = {"member", "pod"};
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	int r = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++) {
		CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;

		r = lcx_container_open(ctx, names[i], &c, NULL);
		if (r == 0)
			r = lcx_container_stop(c, WAIT_MS, NULL);
		if (r == 0)
			r = lcx_container_remove(c, 0, NULL);
	}
	return r;
}

/* ---- checkpoints -------------------------------------------------------------- */

/* By a criu of the test's own, which fails in the end if it is told of removed files. */
static int checkpoint(struct lcx_container *c, const char *name, const char *fails,
		      struct lcx_error **err)
{
	CLEANUP(lcx_checkpoint_freep) struct lcx_checkpoint *o = NULL;
	CLEANUP(freep) char *path = lcx__format("%s/%s", place.root, name);
	int r = path ? lcx_checkpoint_new(&o, NULL) : -ENOMEM;

	if (r == 0)
		r = lcx_checkpoint_set_option(o, "leave-running", "on", NULL);
	if (r == 0)
		r = lcx_checkpoint_set_option(o, "link-remap", fails, NULL);
	if (r == 0)
		r = lcx_checkpoint_set_option(o, "image-path", path, NULL);
	return r == 0 ? lcx_container_checkpoint(c, o, err) : r;
}

/* In the place of an older one, from the second time on. */
static int do_checkpoint(struct lcx_container *c)
{
	struct lcx_error *err = NULL;

	return say("checkpoint", checkpoint(c, "saved", "off", &err), &err);
}

static int do_failed_checkpoint(struct lcx_container *c)
{
	return checkpoint(c, "unsaved", "on", NULL) == -EIO ? 0 : -EPROTO;
}

/* lcx-init has no file, and can't be restored. */
static int running_without_init(void)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	struct lcx_error *err = NULL;
	int r = describe(ctx, "target", "none", to_sleep, &c);

	if (r < 0)
		return r;
	lcx_container_set_init(c, 0);
	return say("target", lcx_container_start_detached(c, NULL, &err), &err);
}

static int saved(void)
{
	int r = running_without_init();

	return r < 0 ? r : on_target(do_checkpoint);
}

/* ---- whole systems ------------------------------------------------------------ */

static int start_system(void)
{
	static const char *const init[] = {"init", NULL};
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	struct lcx_error *err = NULL;
	int r = describe(ctx, "target", "none", init, &c);

	if (r < 0)
		return r;
	lcx_container_set_init(c, 0);
	lcx_container_set_system(c, 1);
	return say("target", lcx_container_start_detached(c, NULL, &err), &err);
}

/* Its init may not listen yet, and is killed then. */
static int do_stop_system(struct lcx_container *c)
{
	return lcx_container_stop(c, STOP_MS, NULL);
}

const struct scenario scenarios[] = {
	{"life", NULL, .run = run_life},
	{"create", NULL, .run = run_create},
	{"start", created, .act = do_start},
	{"exec", running, .act = do_exec, .keeps = true},
	{"stop", running, .act = do_stop},
	{"restart", running, .act = do_restart},
	{"remove", ended, .act = do_remove},
	{"remove by force", running, .act = do_remove},
	{"rename", running, .act = do_rename, .keeps = true},
	{"update", running, .act = do_update, .keeps = true, .rare = true},
	{"pause", running, .act = do_pause, .keeps = true},
	{"life with users of its own", NULL, .run = run_life_with_users},
	{"life on a network", NULL, .run = run_life_on_network},
	{"start on a network", NULL, .run = run_start_on_network},
	{"stop on a network", running_on_network, .act = do_stop},
	{"connect", running, .act = do_connect, .keeps = true},
	{"disconnect", running_on_network, .act = do_disconnect, .keeps = true},
	{"make a volume", NULL, .run = run_make_volume, .rare = true, .volumes = true},
	{"remove a volume", run_make_volume, .run = run_remove_volume, .rare = true,
	 .volumes = true},
	{"create with volumes", NULL, .run = run_create_with_volumes, .volumes = true},
	{"remove with volumes", running_with_volumes, .act = do_remove_with_volumes,
	 .volumes = true},
	{"mount and unmount", running, .act = do_mount, .keeps = true, .rare = true},
	{"failed checkpoint", running_without_init, .act = do_failed_checkpoint, .keeps = true,
	 .rare = true},
	{"checkpoint", saved, .act = do_checkpoint, .keeps = true},
	{"make a pod", NULL, .run = run_make_pod, .rare = true},
	{"start in a pod", run_make_pod, .run = run_start_in_pod},
	{"remove a pod", pod_with_member, .run = run_remove_pod},
	{"start a system", NULL, .run = start_system, .rare = true},
	{"stop a system", start_system, .act = do_stop_system, .rare = true},
	{"make a network", NULL, .run = run_make_network, .networks = true},
	{"remove a network", run_make_network, .run = run_remove_network, .networks = true},
	{"unpack an image", NULL, .run = run_unpack, .image = true},
	{"create on a copy of an image", run_unpack, .run = run_create_on_copy, .image = true},
	{"mend an image", damaged, .run = run_verify, .image = true},
	{"remove an image", run_unpack, .run = run_remove_image, .image = true},
};
const size_t n_scenarios = ARRAY_SIZE(scenarios);

int scenario_run(const struct scenario *scenario)
{
	return scenario->act ? on_target(scenario->act) : scenario->run();
}
