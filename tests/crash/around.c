/* SPDX-License-Identifier: MIT */
#include "scenarios.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <lcx/lcx.h>

#include "container/container-internal.h"
#include "image/image.h"
#include "net/net.h"
#include "util/fs.h"

/* What is there beside a scenario, and what is made of the world after it. */

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
	return r < 0 ? r : make_container("bystander", "bridge", to_sleep, true);
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

/* Whether it was there or not, it can be made; and all can be removed. */
static int clear_volumes(struct lcx_ctx *ctx)
{
	struct lcx_volume_list *list = NULL;
	struct lcx_error *err = NULL;
	int r = run_make_volume();

	if (r < 0 && r != -EEXIST)
		return say("make the volume again", r, NULL);
	r = say("remove volumes", lcx_volume_prune(ctx, 1, &list, &err), &err);
	if (r == 0)
		lcx_volume_list_free(list);
	return r;
}

/* Likewise. */
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

static int clear(const struct scenario *scenario, bool all)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	struct lcx_container_list *list = NULL;
	struct lcx_error *err = NULL;
	int r = ctx ? say("gc", lcx_gc(ctx, NULL, &err), &err) : -ENOMEM;

	if (r == 0)
		r = check_running(ctx, "bystander");
	if (r == 0 && scenario->keeps && check_running(ctx, "target") < 0)
		r = check_running(ctx, "other");
	err = NULL;
	if (r == 0)
		r = say("list", lcx_container_list_new(ctx, &list, &err), &err);
	for (uint32_t i = 0; r == 0 && i < lcx_container_list_count(list); i++)
		r = remove_other(ctx, lcx_container_list_id(list, i));
	lcx_container_list_free(list);
	if (r == 0 && (all || scenario->volumes))
		r = clear_volumes(ctx);
	if (r == 0 && (all || scenario->networks))
		r = clear_network(ctx);
	if (r == 0 && place.layout && (all || scenario->image))
		r = clear_images(ctx);
	return r;
}

int clear_up(const struct scenario *scenario)
{
	return clear(scenario, false);
}

int clear_all(const struct scenario *scenario)
{
	return clear(scenario, true);
}

int remove_bystander(const struct scenario *scenario)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = open_ctx();
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	struct lcx_error *err = NULL;
	int r = ctx ? lcx_container_open(ctx, "bystander", &c, NULL) : -ENOMEM;

	(void)scenario;
	if (r == 0)
		r = say("remove", lcx_container_remove(c, 1, &err), &err);
	err = NULL;
	return r < 0 ? r : say("remove the network", lcx_network_remove(ctx, "bridge", &err), &err);
}
