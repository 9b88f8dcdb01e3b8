/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "container/users/ordinary.h"
#include "container/users/users.h"
#include "util/walk.h"

/*
 * Devices of the host, as Docker has them: "HOST[:CONTAINER[:ACCESS]]". What stands at the path is
 * looked at once, when the container is made: the number of the device counts from then on. Where
 * the container has users of its own nobody can make a node, and the host's is bound instead.
 */

struct wish {
	char *text, *host, *inside;
	const char *access;
};

static void wish_clear(struct wish *wish)
{
	free(wish->text);
	free(wish->inside);
}

static bool is_access(const char *text)
{
	return text[0] && strlen(text) <= 3 && strspn(text, "rwm") == strlen(text);
}

static int parse(const char *text, struct wish *ret, struct lcx_error **err)
{
	char *rest, *second, *third;

	ret->text = rest = strdup(text);
	if (!rest)
		return lcx__fail_nomem(err);
	ret->host = strsep(&rest, ":");
	second = strsep(&rest, ":");
	third = strsep(&rest, ":");
	if (second && !third && second[0] != '/')
		third = TAKE_PTR(second);
	ret->access = third ? third : "rwm";
	if (ret->host[0] != '/' || rest || (second && second[0] != '/') || !is_access(ret->access))
		return lcx__fail(
			err, EINVAL,
			"device '%s': must be /HOST[:/CONTAINER[:ACCESS]], and ACCESS some of "
			"r, w and m",
			text);
	ret->inside = strdup(second ? second : ret->host);
	return ret->inside ? 0 : lcx__fail_nomem(err);
}

LCX_PUBLIC int lcx_container_add_device(struct lcx_container *c, const char *device,
					struct lcx_error **err)
{
	CLEANUP(wish_clear) struct wish wish = {0};
	int r = parse(device, &wish, err);

	return r < 0 ? r : lcx__strv_append(&c->devices, device) < 0 ? lcx__fail_nomem(err) : 0;
}

static int bind_node(struct lcx_container *c, const struct stat *st, const char *host,
		     const char *inside, const char *access, struct lcx_error **err)
{
	static const char *const options[] = {"bind", "rprivate", "nosuid", "noexec", NULL};
	int r = lcx_spec_add_mount(c->spec, host, inside, "bind", options, err);

	return r < 0 ? r
		     : lcx_spec_add_device_rule(c->spec, 1, S_ISBLK(st->st_mode) ? "b" : "c",
						major(st->st_rdev), minor(st->st_rdev), access,
						err);
}

static int add_node(struct lcx_container *c, const struct stat *st, const char *host,
		    const char *inside, const char *access, struct lcx_error **err)
{
	if (lcx__container_has_users(c) || !lcx__is_root_of_the_machine())
		return bind_node(c, st, host, inside, access, err);
	return lcx_spec_add_device(c->spec, inside, S_ISBLK(st->st_mode) ? "b" : "c",
				   major(st->st_rdev), minor(st->st_rdev), st->st_mode & 0777,
				   st->st_uid, st->st_gid, access, err);
}

static bool is_device(mode_t mode)
{
	return S_ISCHR(mode) || S_ISBLK(mode);
}

/* All that are below, as "/dev/snd" has them. */
static int add_directory(struct lcx_container *c, int dir_fd, const struct wish *wish,
			 struct lcx_error **err)
{
	CLEANUP(lcx__walk_clear) struct lcx__walk walk = {0};
	bool any = false;
	int r = lcx__walk_enter(&walk, dir_fd, NULL);

	while (r >= 0 && (r = lcx__walk_next(&walk)) > 0) {
		CLEANUP(freep) char *host = lcx__format("%s/%s", wish->host, walk.path);
		CLEANUP(freep) char *inside = lcx__format("%s/%s", wish->inside, walk.path);

		if (!host || !inside)
			return lcx__fail_nomem(err);
		if (S_ISDIR(walk.st.st_mode)) {
			int fd = lcx__walk_open(&walk, O_RDONLY | O_DIRECTORY);

			r = fd == -EXDEV ? 0 : fd < 0 ? fd : lcx__walk_enter(&walk, fd, NULL);
		} else if (is_device(walk.st.st_mode)) {
			any = true;
			if (add_node(c, &walk.st, host, inside, wish->access, err) < 0)
				return -EINVAL;
		}
	}
	if (r < 0)
		return lcx__fail_sys(err, -r, "look at what is below");
	return any ? 0 : lcx__fail(err, EINVAL, "there is no device below");
}

static int add(struct lcx_container *c, const struct wish *wish, struct lcx_error **err)
{
	CLEANUP(closep) int fd = open(wish->host, O_PATH | O_CLOEXEC), dir_fd = -1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return lcx__fail_sys(err, errno, "look at it");
	if (is_device(st.st_mode))
		return add_node(c, &st, wish->host, wish->inside, wish->access, err);
	if (!S_ISDIR(st.st_mode))
		return lcx__fail(err, EINVAL, "it is no device");
	dir_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return lcx__fail_sys(err, errno, "open it");
	return add_directory(c, TAKE_FD(dir_fd), wish, err);
}

int lcx__container_add_devices(struct lcx_container *c, struct lcx_error **err)
{
	int r = 0;

	for (char **device = c->devices; r == 0 && device && *device; device++) {
		CLEANUP(wish_clear) struct wish wish = {0};

		r = parse(*device, &wish, err);
		if (r == 0)
			r = lcx__fail_prefix(err, add(c, &wish, err), "device '%s'", wish.host);
	}
	return r;
}
