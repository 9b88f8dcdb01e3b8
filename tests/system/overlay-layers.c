/* SPDX-License-Identifier: MIT */

/*
 * Mount many layers in a way that can be chosen, so that what old kernels need is tested on new
 * ones:
 *
 *     overlay-layers auto|string|mount COUNT BASE TARGET|-
 *
 * BASE has the directories 0 (the top-most) to COUNT-1, upper and work; "-" makes the mount
 * attached nowhere and writes "hello" into it. With OVERLAY_IDMAP=0:100000:65536 it shows files
 * of 0 as 100000's. With OVERLAY_FLAG=nosuid the mount has that flag; then the flags of one that is
 * attached nowhere are printed, in hexadecimal.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "ns/ns.h"
#include "overlay/overlay-internal.h"

static int describe(struct lcx_overlay *overlay, int count, const char *base,
		    struct lcx_error **err)
{
	char upper[256], work[256], lower[256];
	int r;

	snprintf(upper, sizeof(upper), "%s/upper", base);
	snprintf(work, sizeof(work), "%s/work", base);
	r = lcx_overlay_set_upper(overlay, upper, work, err);
	for (int i = 0; r == 0 && i < count; i++) {
		snprintf(lower, sizeof(lower), "%s/%d", base, i);
		r = lcx_overlay_add_lower(overlay, lower, err);
	}
	return r;
}

static int set_map(struct lcx_overlay *overlay, const char *ranges, struct lcx_error **err)
{
	CLEANUP(lcx_idmap_freep) struct lcx_idmap *map = NULL;
	int r = lcx_idmap_new(&map, err);

	if (r == 0)
		r = lcx_idmap_parse(map, LCX_ID_USER, ranges, err);
	if (r == 0)
		r = lcx_idmap_parse(map, LCX_ID_GROUP, ranges, err);
	return r < 0 ? r : lcx_overlay_set_idmap(overlay, map, err);
}

static void print_flags(int mount_fd)
{
	struct statvfs fs;

	if (fstatvfs(mount_fd, &fs) == 0)
		printf("%lx\n", fs.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC));
}

static int write_hello(int mount_fd)
{
	int fd = openat(mount_fd, "hello", O_WRONLY | O_CREAT | O_CLOEXEC, 0644), r = -1;

	if (fd >= 0)
		r = write(fd, "hello\n", 6) == 6 ? 0 : -1;
	close(fd);
	close(mount_fd);
	return r;
}

int main(int argc, char **argv)
{
	static const char *const hows[] = {"auto", "string", "mount"};
	struct lcx_overlay *overlay = NULL;
	const char *flag = getenv("OVERLAY_FLAG");
	struct lcx_error *err = NULL;
	int r;

	if (argc != 5 || lcx_overlay_new(&overlay, &err) < 0)
		return 2;
	for (size_t i = 0; i < ARRAY_SIZE(hows); i++)
		if (strcmp(argv[1], hows[i]) == 0)
			overlay->how = (enum lcx__overlay_how)i;
	r = describe(overlay, atoi(argv[2]), argv[3], &err);
	if (r == 0 && getenv("OVERLAY_IDMAP"))
		r = set_map(overlay, getenv("OVERLAY_IDMAP"), &err);
	if (r == 0 && flag)
		r = lcx_overlay_set_flag(overlay, flag, 1, &err);
	if (r == 0 && strcmp(argv[4], "-") != 0)
		r = lcx_overlay_mount(overlay, argv[4], &err);
	else if (r == 0 && (r = lcx_overlay_mount_fd(overlay, &err)) >= 0) {
		if (flag)
			print_flags(r);
		r = write_hello(r);
	}
	if (r < 0)
		fprintf(stderr, "%s\n", lcx_error_message(err));
	lcx_error_free(err);
	lcx_overlay_free(overlay);
	return r < 0;
}
