/* SPDX-License-Identifier: MIT */
#include "container/start/start.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container/users/users.h"
#include "util/fs.h"

/*
 * What is mounted needs a place. Where an image has none, it would be made in the container's
 * read-write layer, for which the kernel copies the directory, /etc mostly, from the image: eight
 * files and directories made and removed, for each container. So all share a layer of places, below
 * those of their image, which hide it where they have such files. It is on their file system: with
 * two of them, an overlay shows other device numbers.
 */

#define DIR_NAME "mountpoints"

/* The last of them is there, with its rights, when all are. */
static const struct {
	const char *path;
	mode_t mode;
} places[] = {
	{".", S_IFDIR | 0755},
	{"proc", S_IFDIR | 0555},
	{"sys", S_IFDIR | 0555},
	{"dev", S_IFDIR | 0755},
	{"etc", S_IFDIR | 0755},
	{"etc/hosts", S_IFREG | 0644},
	{"etc/hostname", S_IFREG | 0644},
	{"etc/resolv.conf", S_IFREG | 0644},
};

/* Kernels before 6.7 take the names of all layers together in a page. */
enum { LAYERS_MAX = 100 };

/* Others may be making the same. */
static int make(int dir_fd, const char *path, mode_t mode)
{
	int r = S_ISDIR(mode) ? mkdirat(dir_fd, path, 0700)
			      : mknodat(dir_fd, path, S_IFREG | 0600, 0);

	if (r < 0 && errno != EEXIST)
		return -errno;
	return fchmodat(dir_fd, path, mode & 07777, 0) < 0 ? -errno : 0;
}

static int make_places(const struct lcx_ctx *ctx)
{
	CLEANUP(closep) int dir_fd = -1;
	struct stat st;
	int r = 0;

	if (fstatat(ctx->root_fd, DIR_NAME "/etc/resolv.conf", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_mode == (S_IFREG | 0644))
		return 0;
	dir_fd = lcx__make_dirs(ctx->root_fd, DIR_NAME, 0755);
	if (dir_fd < 0)
		return dir_fd;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(places); i++)
		r = make(dir_fd, places[i].path, places[i].mode);
	return r;
}

int lcx__start_layers(struct start *s, struct lcx_error **err)
{
	const struct lcx_container *c = s->c;
	CLEANUP(freep) char *path = lcx__format("%s/" DIR_NAME, c->ctx->root_dir);
	int r = 0;

	s->layers = lcx__strv_copy((const char *const *)c->d.layers);
	if (!path || !s->layers)
		return lcx__fail_nomem(err);
	/* Whose users are others would be shown files of nobody's. */
	if (lcx__container_has_users(c) || lcx__strv_length(s->layers) > LAYERS_MAX)
		return 0;
	r = make_places(c->ctx);
	if (r < 0)
		return lcx__fail_sys(err, -r, "make '%s'", path);
	return lcx__strv_append(&s->layers, path) < 0 ? lcx__fail_nomem(err) : 0;
}
