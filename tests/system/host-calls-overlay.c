/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-calls.h"

static struct lcx_overlay *overlay;
static char upper[4200], work[4200], target[4200];

static int describe_overlay(struct world *w, struct lcx_error **err)
{
	int lower = open("/usr/share", O_PATH | O_DIRECTORY | O_CLOEXEC);

	snprintf(upper, sizeof(upper), "%s/upper", w->dir);
	snprintf(work, sizeof(work), "%s/work", w->dir);
	snprintf(target, sizeof(target), "%s/target", w->dir);
	mkdir(upper, 0700), mkdir(work, 0700), mkdir(target, 0700);
	MUST(lcx_overlay_new(&overlay, err));
	MUST(lcx_overlay_add_lower(overlay, w->rootfs, err));
	MUST(lcx_overlay_add_lower_fd(overlay, lower, err));
	close(lower);
	MUST(lcx_overlay_set_option(overlay, "volatile", "on", err));
	MUST(lcx_overlay_set_flag(overlay, "nodev", 1, err));
	MUST(lcx_overlay_set_idmap(overlay, NULL, err));
	REFUSED(lcx_overlay_set_option(overlay, "lowerdir", "/", err));
	REFUSED(lcx_overlay_set_flag(overlay, "x", 1, err));
	REFUSED(lcx_overlay_add_lower(overlay, "", err));
	REFUSED(lcx_overlay_add_lower_fd(overlay, -1, err));
	return 0;
}

static int mount_overlay_fd(struct world *w, struct lcx_error **err)
{
	int fd = lcx_overlay_mount_fd(overlay, err);

	(void)w;
	MUST(fd);
	close(fd);
	return 0;
}

/* The mount is what the call is for: it is there between the two. */
static int mount_and_unmount_overlay(struct world *w, struct lcx_error **err)
{
	(void)w;
	MUST(lcx_overlay_set_upper(overlay, upper, work, err));
	MUST(lcx_overlay_mount(overlay, target, err));
	return lcx_overlay_unmount(target, err);
}

/* With threads, namespaces and mounts that are made and gone meanwhile. */
static int mount_mapped_overlay(struct world *w, struct lcx_error **err)
{
	struct lcx_overlay *mapped = NULL;
	struct lcx_idmap *map = NULL;
	int fd;

	MUST(lcx_idmap_new(&map, err));
	MUST(lcx_idmap_parse(map, LCX_ID_USER, "0:100000:65536", err));
	MUST(lcx_idmap_parse(map, LCX_ID_GROUP, "0:100000:65536", err));
	MUST(lcx_overlay_new(&mapped, err));
	MUST(lcx_overlay_add_lower(mapped, w->rootfs, err));
	MUST(lcx_overlay_set_upper(mapped, upper, work, err));
	MUST(lcx_overlay_set_idmap(mapped, map, err));
	fd = lcx_overlay_mount_fd(mapped, err);
	MUST(fd);
	close(fd);
	MUST(lcx_overlay_set_upper(mapped, upper, upper, err));
	REFUSED(lcx_overlay_mount_fd(mapped, err));
	lcx_overlay_free(mapped);
	lcx_idmap_free(map);
	return 0;
}

static int refuse_mounts(struct world *w, struct lcx_error **err)
{
	struct lcx_overlay *broken = NULL;

	uint64_t bytes;

	REFUSED(lcx_overlay_mount(overlay, "/no/such/directory", err));
	REFUSED(lcx_overlay_unmount("/no/such/directory", err));
	REFUSED(lcx_overlay_set_upper_fd(overlay, -1, w->dir_fd, err));
	MUST(lcx_overlay_new(&broken, err));
	MUST(lcx_overlay_add_lower(broken, w->rootfs, err));
	MUST(lcx_overlay_add_lower(broken, "/no/such/directory", err));
	REFUSED(lcx_overlay_mount_fd(broken, err));
	REFUSED(lcx_overlay_mount(broken, target, err));
	lcx_overlay_free(broken);
	/* The file system may have no quotas. */
	EITHER(lcx_overlay_set_size_limit(overlay, 1 << 20, err));
	EITHER(lcx_overlay_get_size_limit(overlay, &bytes, err));
	EITHER(lcx_overlay_set_size_limit(overlay, 0, err));
	return 0;
}

static int list_changes(struct world *w, struct lcx_error **err)
{
	struct lcx_overlay_diff *diff = NULL;
	struct lcx_overlay *plain = NULL;
	int upper_fd = open(upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int work_fd = open(work, O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t bytes, inodes;
	char file[4300];
	int r;

	snprintf(file, sizeof(file), "%s/file", upper);
	mkdir(file, 0700);
	MUST(lcx_overlay_new(&plain, err));
	MUST(lcx_overlay_add_lower(plain, w->rootfs, err));
	MUST(lcx_overlay_set_upper_fd(plain, upper_fd, work_fd, err));
	close(upper_fd);
	close(work_fd);
	MUST(lcx_overlay_diff_new(plain, &diff, err));
	while ((r = lcx_overlay_diff_next(diff, err)) > 0) {
		(void)lcx_overlay_diff_path(diff), (void)lcx_overlay_diff_kind(diff);
		(void)lcx_overlay_diff_mode(diff), (void)lcx_overlay_diff_redirect(diff);
		(void)lcx_overlay_diff_is_opaque(diff), (void)lcx_overlay_diff_is_metacopy(diff);
	}
	lcx_overlay_diff_free(diff);
	MUST(r);
	MUST(lcx_overlay_size(plain, &bytes, &inodes, err));
	lcx_overlay_free(plain);
	return 0;
}

static int free_overlay(struct world *w, struct lcx_error **err)
{
	(void)w, (void)err;
	overlay = lcx_overlay_free(overlay);
	return 0;
}

const struct row rows_overlay[] = {
	ROW(describe_overlay, HELD),
	ROW(mount_mapped_overlay, HELD),
	ROW(mount_overlay_fd, HELD),
	ROW(mount_and_unmount_overlay, HELD),
	ROW(refuse_mounts, HELD),
	ROW(list_changes, HELD),
	ROW(free_overlay, RELEASED),
	{0},
};
