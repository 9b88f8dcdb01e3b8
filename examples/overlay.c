/* SPDX-License-Identifier: MIT */

/*
 * lib/overlay on its own: a writable view of read-only directories.
 *
 *     overlay mount TARGET UPPER WORK LOWER...    the first LOWER is the top-most
 *     overlay unmount TARGET
 *     overlay diff UPPER LOWER...                 A added, C changed, D deleted
 *     overlay size UPPER                          bytes and inodes
 *
 * Mounting needs root (or a user and mount namespace of one's own: unshare -Urm,
 * and OVERLAY_USERXATTR=1). OVERLAY_IDMAP=0:100000:65536 shows files of 0 as 100000's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lcx/overlay.h>

static int set_map(struct lcx_overlay *overlay, const char *ranges, struct lcx_error **err)
{
	struct lcx_idmap *map = NULL;
	int r = lcx_idmap_new(&map, err);

	if (r == 0)
		r = lcx_idmap_parse(map, LCX_ID_USER, ranges, err);
	if (r == 0)
		r = lcx_idmap_parse(map, LCX_ID_GROUP, ranges, err);
	if (r == 0)
		r = lcx_overlay_set_idmap(overlay, map, err);
	lcx_idmap_free(map);
	return r;
}

static int describe(char **lowers, const char *upper, const char *work, struct lcx_overlay **ret,
		    struct lcx_error **err)
{
	const char *userxattr = getenv("OVERLAY_USERXATTR") ? "on" : NULL;
	struct lcx_overlay *overlay = NULL;
	int r = lcx_overlay_new(&overlay, err);

	if (r == 0)
		r = lcx_overlay_set_upper(overlay, upper, work, err);
	if (r == 0)
		r = lcx_overlay_set_option(overlay, "userxattr", userxattr, err);
	if (r == 0 && getenv("OVERLAY_IDMAP"))
		r = set_map(overlay, getenv("OVERLAY_IDMAP"), err);
	for (; r == 0 && *lowers; lowers++)
		r = lcx_overlay_add_lower(overlay, *lowers, err);
	if (r < 0) {
		lcx_overlay_free(overlay);
		return r;
	}
	*ret = overlay;
	return 0;
}

static int mount_it(char **args, struct lcx_error **err)
{
	struct lcx_overlay *overlay = NULL;
	int r = describe(args + 3, args[1], args[2], &overlay, err);

	if (r == 0)
		r = lcx_overlay_mount(overlay, args[0], err);
	lcx_overlay_free(overlay);
	return r;
}

static int unmount_it(char **args, struct lcx_error **err)
{
	return lcx_overlay_unmount(args[0], err);
}

static int diff(char **args, struct lcx_error **err)
{
	struct lcx_overlay_diff *changes = NULL;
	struct lcx_overlay *overlay = NULL;
	/* No work directory is needed to look. */
	int r = describe(args + 1, args[0], args[0], &overlay, err);

	if (r == 0)
		r = lcx_overlay_diff_new(overlay, &changes, err);
	while (r >= 0 && (r = lcx_overlay_diff_next(changes, err)) == 1)
		printf("%c /%s\n", " ACD"[lcx_overlay_diff_kind(changes)],
		       lcx_overlay_diff_path(changes));
	lcx_overlay_diff_free(changes);
	lcx_overlay_free(overlay);
	return r;
}

static int size(char **args, struct lcx_error **err)
{
	struct lcx_overlay *overlay = NULL;
	int r = describe(args + 1, args[0], args[0], &overlay, err);
	uint64_t bytes, inodes;

	if (r == 0)
		r = lcx_overlay_size(overlay, &bytes, &inodes, err);
	if (r == 0)
		printf("%llu bytes, %llu inodes\n", (unsigned long long)bytes,
		       (unsigned long long)inodes);
	lcx_overlay_free(overlay);
	return r;
}

static const struct {
	const char *name;
	int least, most; /* arguments */
	int (*run)(char **args, struct lcx_error **err);
} commands[] = {
	{"mount", 4, 1000, mount_it},
	{"unmount", 1, 1, unmount_it},
	{"diff", 2, 1000, diff},
	{"size", 1, 1, size},
};

int main(int argc, char **argv)
{
	struct lcx_error *err = NULL;

	for (size_t i = 0; argc >= 2 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		int r;

		if (strcmp(argv[1], commands[i].name) != 0 || argc - 2 < commands[i].least ||
		    argc - 2 > commands[i].most)
			continue;
		r = commands[i].run(argv + 2, &err);
		if (r < 0)
			fprintf(stderr, "overlay: %s\n", lcx_error_message(err));
		lcx_error_free(err);
		return r < 0;
	}
	fprintf(stderr, "usage: overlay mount TARGET UPPER WORK LOWER...\n"
			"       overlay unmount TARGET\n"
			"       overlay diff UPPER LOWER...\n"
			"       overlay size UPPER\n");
	return 2;
}
