/* SPDX-License-Identifier: MIT */
#include "crash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lcx/lcx.h>

#include "container/container-internal.h"
#include "image/image.h"
#include "net/net.h"
#include "util/fs.h"

/*
 * What a host program does, each a function that ends at the first failure, as a
 * careful program would. They run in processes of their own, which may die anywhere.
 */

enum { WAIT_MS = 20000 };

struct place place;

/* By address, for the call that fills *@err may be evaluated after the other arguments. */
static int say(const char *what, int r, struct lcx_error **err)
{
	if (r < 0)
		printf("#   %s: %s\n", what, err && *err ? lcx_error_message(*err) : strerror(-r));
	if (err)
		*err = lcx_error_free(*err);
	return r;
}

static struct lcx_ctx *open_ctx(void)
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

static const char *const to_sleep[] = {"sleep", "1000", NULL}, *const to_end[] = {"true", NULL};

static int make(const char *name, const char *network, const char *const *argv, bool started)
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
	return make("target", "none", to_sleep, true);
}

static int running_on_network(void)
{
	return make("target", "bridge", to_sleep, true);
}

static int created(void)
{
	return make("target", "none", to_sleep, false);
}

static int wait_for_end(struct lcx_container *c)
{
	return lcx_container_wait(c, WAIT_MS, NULL, NULL);
}

static int ended(void)
{
	int r = make("target", "none", to_end, true);

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
static int run_life_with_users(void)
{
	return whole_life("none", "auto");
}

static int run_life_on_network(void)
{
	return whole_life("bridge", "host");
}

static int run_create(void)
{
	return make("new", "none", to_sleep, false);
}

static int do_start(struct lcx_container *c)
{
	return lcx_container_start_detached(c, NULL, NULL);
}

static int run_start_on_network(void)
{
	return make("new", "bridge", to_sleep, true);
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

static int run_unpack(void)
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

static int run_make_network(void)
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
	{"pause", running, .act = do_pause, .keeps = true},
	{"life with users of its own", NULL, .run = run_life_with_users},
	{"life on a network", NULL, .run = run_life_on_network},
	{"start on a network", NULL, .run = run_start_on_network},
	{"stop on a network", running_on_network, .act = do_stop},
	{"connect", running, .act = do_connect, .keeps = true},
	{"disconnect", running_on_network, .act = do_disconnect, .keeps = true},
	{"make a network", NULL, .run = run_make_network},
	{"remove a network", run_make_network, .run = run_remove_network},
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

/* ---- around it ----------------------------------------------------------- */

int make_bystander(void)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;
	struct lcx_error *err = NULL;
	int r = 0;

	if (!ctx)
		return -ENOMEM;
	lcx__ctx_tag(ctx, place.tag);
	if (place.layout)
		r = say("import", lcx_image_import(ctx, place.layout, "base", "base", &image, &err),
			&err);
	/* Files that stay for good are there from then on. */
	if (r == 0)
		r = run_life_with_users();
	return r < 0 ? r : make("bystander", "bridge", to_sleep, true);
}

/* It runs, it is whole, and somebody who waits for it waits. */
static int check_running(struct lcx_ctx *ctx, const char *name)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	int r = lcx_container_open(ctx, name, &c, NULL);

	if (r < 0)
		return r;
	r = lcx_container_wait(c, 0, NULL, NULL);
	if (r == -ETIMEDOUT && lcx_container_state(c) == LCX_CONTAINER_PAUSED)
		r = lcx_container_unpause(c, NULL) < 0 ? -EBUSY : r;
	if (r == -ETIMEDOUT && lcx_container_kill(c, 0, NULL) == 0)
		return 0;
	printf("#   %s does not run any more: %d\n", name, r);
	return -ESRCH;
}

static int remove_other(struct lcx_ctx *ctx, const char *id)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	struct lcx_error *err = NULL;
	char *text = NULL;
	int r = say(id, lcx_container_open(ctx, id, &c, &err), &err);

	if (r < 0 || strcmp(lcx_container_name(c), "bystander") == 0)
		return r;
	err = NULL;
	r = say("inspect", lcx_container_inspect(c, &text, &err), &err);
	lcx_string_free(text);
	err = NULL;
	return r < 0 ? r : say("remove", lcx_container_remove(c, 1, &err), &err);
}

/* Whether it was there or not, it can be made, and removed. */
static int clear_network(struct lcx_ctx *ctx)
{
	struct lcx_error *err = NULL;
	int r = run_make_network();

	if (r < 0 && r != -EEXIST)
		return say("make the network again", r, NULL);
	return say("remove the network", lcx_network_remove(ctx, "second", &err), &err);
}

/* The beginning of the layout's archive of that name, and not nothing. */
static bool is_beginning(int partial_fd, const char *name)
{
	CLEANUP(freep) char *path = lcx__format("%s/blobs/sha256/%s", place.layout, name);
	CLEANUP(freep) char *have = NULL, *whole = NULL;
	size_t n, length;

	return path && lcx__read_file(partial_fd, name, 64 << 20, &have, &n) == 0 &&
	       lcx__read_file(AT_FDCWD, path, 64 << 20, &whole, &length) == 0 && n > 0 &&
	       n <= length && memcmp(have, whole, n) == 0;
}

/* Of an archive that was cut off the store keeps what it has, to go on from there: only that. */
static int check_partial(void)
{
	CLEANUP(freep) char *path = lcx__format("%s/images/partial", place.root);
	CLEANUP(closedirp) DIR *dir = path ? opendir(path) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && !is_beginning(dirfd(dir), entry->d_name))
			return say("check what is kept of a download", -EBADMSG, NULL);
	return 0;
}

/*
 * What is there is whole or can be made so: by the same import once more, which uses up what
 * was kept of the one that was cut off.
 */
static int clear_images(struct lcx_ctx *ctx)
{
	struct lcx_error *err = NULL;
	int r;

	(void)lcx_image_verify(ctx, NULL, NULL);
	r = check_partial();
	if (r < 0)
		return r;
	if (run_unpack() < 0)
		return say("unpack again", -EIO, NULL);
	r = say("verify", lcx_image_verify(ctx, NULL, &err), &err);
	if (r == 0)
		r = lcx_image_remove(ctx, "unpacked", NULL);
	err = NULL;
	return r < 0 && r != -ENOENT ? r : say("gc", lcx_gc(ctx, NULL, &err), &err);
}

int clear_up(bool keeps)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	struct lcx_container_list *list = NULL;
	struct lcx_error *err = NULL;
	int r = ctx ? say("gc", lcx_gc(ctx, NULL, &err), &err) : -ENOMEM;

	if (r == 0)
		r = check_running(ctx, "bystander");
	if (r == 0 && keeps && check_running(ctx, "target") < 0)
		r = check_running(ctx, "other");
	err = NULL;
	if (r == 0)
		r = say("list", lcx_container_list_new(ctx, &list, &err), &err);
	for (uint32_t i = 0; r == 0 && i < lcx_container_list_count(list); i++)
		r = remove_other(ctx, lcx_container_list_id(list, i));
	lcx_container_list_free(list);
	if (r == 0)
		r = clear_network(ctx);
	if (r == 0 && place.layout)
		r = clear_images(ctx);
	return r;
}

int remove_bystander(bool keeps)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	struct lcx_error *err = NULL;
	int r = ctx ? lcx_container_open(ctx, "bystander", &c, NULL) : -ENOMEM;

	(void)keeps;
	if (r == 0)
		r = say("remove", lcx_container_remove(c, 1, &err), &err);
	err = NULL;
	return r < 0 ? r : say("remove the network", lcx_network_remove(ctx, "bridge", &err), &err);
}
