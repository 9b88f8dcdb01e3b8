/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fs.h"
#include "util/json.h"

/*
 * What is removed at its end belongs to the boot of the machine that it was made in, whose end is
 * its own: nobody waits until the disk has it. After a loss of power it may be there as it was, in
 * parts or not at all; the mode of its directory, which comes with it, tells that none of that is
 * damage.
 *
 * Nothing of it can be half there in the boot that it was made in: it gets its name when it is
 * whole. Whoever starts it holds its lock until there is a run directory, so that under the lock,
 * and without one, it neither runs nor is about to.
 */

enum { CONFIG_LIMIT = 16 << 20 };

bool lcx__may_exist(int parent_fd, const char *dir, const char *name)
{
	CLEANUP(closep) int fd = lcx__open_dir(parent_fd, dir);

	if (fd < 0)
		return fd != -ENOENT;
	return faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

bool lcx__passing_is_marked(int containers_fd, const char *id)
{
	struct stat st;

	return fstatat(containers_fd, id, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
	       (st.st_mode & LCX__PASSING_MODE) != 0;
}

bool lcx__passing_is_torn(const struct lcx_ctx *ctx, int containers_fd, const char *id)
{
	CLEANUP(closep) int dir_fd = -1;
	struct description d = {0};
	bool torn;

	if (!lcx__passing_is_marked(containers_fd, id))
		return false;
	dir_fd = lcx__open_dir(containers_fd, id);
	torn = dir_fd >= 0 && lcx__description_load(dir_fd, &d, NULL) == -ENOENT &&
	       !lcx__may_exist(ctx->run_fd, "containers", id);
	lcx__description_clear(&d);
	return torn;
}

/* What can't be found out, for want of memory or by a failing disk, says nothing. */
static bool has_lost_config(const struct lcx_container *c)
{
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	int r = lcx__json_load(c->dir_fd, "config.json", CONFIG_LIMIT, &json, NULL);

	return r == -ENOENT || r == -EINVAL;
}

/* The boot that it was started in or, if it never was, made in. */
static bool is_of_other_boot(const struct lcx_container *c)
{
	char boot_id[LCX__BOOT_ID_SIZE];
	int r = lcx__container_is_of_other_boot(c);

	if (r != -ENOENT)
		return r == 1;
	return c->d.boot_id && lcx__boot_id(boot_id) == 0 && strcmp(c->d.boot_id, boot_id) != 0;
}

int lcx__passing_end(struct lcx_container *c, struct lcx_error **err)
{
	int r;

	if (!c->d.auto_remove.value || c->run_fd >= 0 ||
	    (!has_lost_config(c) && !is_of_other_boot(c)))
		return 0;
	r = lcx__container_delete(c, (struct removal){true, true}, err);
	return r < 0 ? r : 1;
}
