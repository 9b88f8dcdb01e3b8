/* SPDX-License-Identifier: MIT */
#include "host-calls.h"

static struct lcx_volume *volume;

static int create_volume(struct world *w, struct lcx_error **err)
{
	const char *const labels[] = {"a=b", NULL}, *const bad[] = {"=b", NULL};

	MUST(lcx_volume_create(w->ctx, "vol", labels, &volume, err));
	MUST(lcx_volume_create(w->ctx, NULL, NULL, NULL, err));
	REFUSED(lcx_volume_create(w->ctx, "vol", NULL, NULL, err));
	REFUSED(lcx_volume_create(w->ctx, "no/name", NULL, NULL, err));
	REFUSED(lcx_volume_create(w->ctx, "other", bad, NULL, err));
	return 0;
}

static int read_volume(struct world *w, struct lcx_error **err)
{
	(void)w, (void)err;
	(void)lcx_volume_name(volume), (void)lcx_volume_path(volume);
	(void)lcx_volume_labels(volume), (void)lcx_volume_created_ns(volume);
	(void)lcx_volume_is_anonymous(volume);
	volume = lcx_volume_free(volume);
	return 0;
}

static int open_volume(struct world *w, struct lcx_error **err)
{
	struct lcx_volume_list *list = NULL;

	MUST(lcx_volume_open(w->ctx, "vol", &volume, err));
	volume = lcx_volume_free(volume);
	REFUSED(lcx_volume_open(w->ctx, "none", &volume, err));
	MUST(lcx_volume_list_new(w->ctx, &list, err));
	(void)lcx_volume_list_get(list, lcx_volume_list_count(list));
	lcx_volume_list_free(list);
	return 0;
}

static int use_volumes(struct world *w, struct lcx_error **err)
{
	struct lcx_container *c = NULL;
	const char *const argv[] = {"true", NULL};

	MUST(lcx_container_new(w->ctx, "voluminous", &c, err));
	MUST(lcx_container_set_rootfs(c, w->rootfs, err));
	MUST(lcx_container_set_network(c, "none", err));
	MUST(lcx_container_set_command(c, argv, err));
	MUST(lcx_container_add_volume(c, "vol:/tmp", err));
	MUST(lcx_container_add_volume(c, "/root", err));
	MUST(lcx_container_create(c, err));
	REFUSED(lcx_volume_remove(w->ctx, "vol", err));
	MUST(lcx_container_remove_with_volumes(c, 0, err));
	lcx_container_free(c);
	return 0;
}

static int remove_volumes(struct world *w, struct lcx_error **err)
{
	struct lcx_volume_list *list = NULL;

	MUST(lcx_volume_prune(w->ctx, 0, &list, err));
	lcx_volume_list_free(list);
	MUST(lcx_volume_remove(w->ctx, "vol", err));
	REFUSED(lcx_volume_remove(w->ctx, "vol", err));
	MUST(lcx_volume_prune(w->ctx, 1, NULL, err));
	return 0;
}

static int make_pod(struct world *w, struct lcx_error **err)
{
	const char *const argv[] = {"true", NULL}, *const bad[] = {"mnt", NULL};
	struct lcx_container *holder = NULL, *c = NULL;

	REFUSED(lcx_pod_new(w->ctx, "pod", bad, &holder, err));
	MUST(lcx_pod_new(w->ctx, "pod", NULL, &holder, err));
	MUST(lcx_container_set_network(holder, "none", err));
	MUST(lcx_container_start_detached(holder, NULL, err));
	MUST(lcx_container_new(w->ctx, "member", &c, err));
	MUST(lcx_container_set_rootfs(c, w->rootfs, err));
	MUST(lcx_container_set_command(c, argv, err));
	REFUSED(lcx_container_set_pod(c, "no/name", err));
	MUST(lcx_container_set_pod(c, "pod", err));
	MUST(lcx_container_start(c, NULL, err));
	MUST(lcx_container_wait(c, 10000, NULL, err));
	(void)lcx_container_pod(c), (void)lcx_container_is_pod(holder);
	MUST(lcx_container_remove(c, 0, err));
	MUST(lcx_container_remove(holder, 1, err));
	lcx_container_free(c);
	lcx_container_free(holder);
	return 0;
}

const struct row rows_share[] = {
	ROW(create_volume, HELD),
	ROW(read_volume, RELEASED),
	ROW(open_volume, RELEASED),
	ROW(use_volumes, RELEASED),
	ROW(make_pod, RELEASED),
	ROW(remove_volumes, RELEASED),
	{0},
};
