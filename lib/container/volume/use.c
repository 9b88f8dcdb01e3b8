/* SPDX-License-Identifier: MIT */
#include "container/volume/volume.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "container/tree/tree.h"
#include "container/users/ordinary.h"
#include "container/users/users.h"
#include "lcx/image.h"
#include "ns/users.h"
#include "util/fs.h"

/*
 * A container's volumes, while it is made. As Docker has it, a volume that is given to a container
 * for the first time, and is empty, gets what the image has at that place, with its owners: else a
 * program would miss the files that its image brought. The copy is made beside and renamed, so
 * that it is whole or not there; nobody has mounted the empty directory that it replaces.
 */

enum { MAX_VOLUMES = 256 };

/* ---- what is wanted -------------------------------------------------------- */

static int add_wish(struct lcx_container *c, const struct volume_wish *wish, struct lcx_error **err)
{
	struct volume_wish *place;

	/* The second one would cover the first, and get what is meant for it. */
	for (size_t i = 0; i < c->d.volumes.n; i++)
		if (strcmp(c->d.volumes.items[i].destination, wish->destination) == 0)
			return lcx__fail(err, EINVAL, "there is a volume on '%s' already",
					 wish->destination);
	if (c->d.volumes.n == MAX_VOLUMES)
		return lcx__fail(err, E2BIG, "a container has at most %d volumes", MAX_VOLUMES);
	place = lcx__list_grow(&c->d.volumes, sizeof(*place));
	if (!place)
		return lcx__fail_nomem(err);
	*place = *wish;
	return 0;
}

static void wish_clear(struct volume_wish *wish)
{
	free(wish->name);
	free(wish->destination);
	(void)lcx__strv_free(wish->options);
	*wish = (struct volume_wish){0};
}

/* "/data/", "//data" and "/./data" are one place. */
static char *one_name(const char *path)
{
	char *name = malloc(strlen(path) + 2), *to = name;

	while (name && *path) {
		size_t length = strcspn(path, "/");

		if (length > 0 && (length > 1 || path[0] != '.')) {
			*to++ = '/';
			memcpy(to, path, length);
			to += length;
		}
		path += length + (path[length] == '/');
	}
	if (name && to == name)
		*to++ = '/';
	if (name)
		*to = '\0';
	return name;
}

static int parse_options(struct volume_wish *wish, char *options, struct lcx_error **err)
{
	char *option;

	wish->options = lcx__strv_copy(NULL);
	if (!wish->options)
		return lcx__fail_nomem(err);
	while (options && (option = strsep(&options, ",")))
		if (strcmp(option, "nocopy") == 0)
			wish->nocopy = (struct lcx__opt_bool)LCX__OPT(true);
		else if (option[0] && lcx__strv_append(&wish->options, option) < 0)
			return lcx__fail_nomem(err);
	return 0;
}

int lcx__volume_wish(struct lcx_container *c, const char *name, const char *destination,
		     char *options, struct lcx_error **err)
{
	CLEANUP(wish_clear) struct volume_wish wish = {0};
	int r;

	wish.destination = one_name(destination);
	if (wish.destination && (destination[0] != '/' || !wish.destination[1]))
		return lcx__fail(err, EINVAL,
				 "a volume is mounted on an absolute path, not on '%s'",
				 destination);
	wish.name = name ? strdup(name) : NULL;
	wish.anonymous = (struct lcx__opt_bool)LCX__OPT(!name);
	if (!wish.destination || (name && !wish.name))
		return lcx__fail_nomem(err);
	r = parse_options(&wish, options, err);
	if (r == 0)
		r = add_wish(c, &wish, err);
	if (r == 0)
		wish = (struct volume_wish){0};
	return r;
}

/* Where the caller has put something, the image has no say; nor over the kernel's own. */
static bool is_taken(const struct lcx_container *c, const char *destination)
{
	for (size_t i = 0; i < c->spec->mounts.n; i++)
		if (strcmp(c->spec->mounts.items[i].destination, destination) == 0)
			return true;
	for (size_t i = 0; i < c->d.volumes.n; i++)
		if (strcmp(c->d.volumes.items[i].destination, destination) == 0)
			return true;
	return false;
}

static bool is_below(const char *path, const char *dir)
{
	size_t length = strlen(dir);

	return strncmp(path, dir, length) == 0 && path[length] == '/';
}

static int add_of_image(struct lcx_container *c, const struct lcx_image *image,
			struct lcx_error **err)
{
	static const char *const kernels[] = {"/proc", "/sys", "/dev"};
	const char *const *paths = image ? lcx_image_volumes(image) : NULL;
	int r = 0;

	for (; r == 0 && paths && *paths; paths++) {
		CLEANUP(freep) char *destination = one_name(*paths);

		if (!destination)
			return lcx__fail_nomem(err);
		if ((*paths)[0] != '/' || !destination[1])
			return lcx__fail(err, EINVAL,
					 "image '%s': a volume is mounted on an "
					 "absolute path, not on '%s'",
					 c->d.image, *paths);
		for (size_t i = 0; i < ARRAY_SIZE(kernels); i++)
			if (is_below(destination, kernels[i]) || strstr(destination, "/.."))
				return lcx__fail(err, EINVAL, "image '%s' wants a volume on '%s'",
						 c->d.image, destination);
		if (!is_taken(c, destination))
			r = lcx__fail_prefix(err, lcx__volume_wish(c, NULL, destination, NULL, err),
					     "image '%s'", c->d.image);
	}
	return r;
}

/* ---- its directory --------------------------------------------------------- */

static int make_anonymous(struct lcx_container *c, struct volume_wish *wish, struct lcx_error **err)
{
	char id[LCX__ID_SIZE];
	const struct volume_record record = {
		.name = id,
		.anonymous = LCX__OPT(true),
		.made_for = c->d.id,
		.created_ns = LCX__OPT(lcx__now_ns()),
	};
	int r = lcx__random_id(id);

	if (r < 0)
		return lcx__fail_sys(err, -r, "choose a name");
	free(wish->name); /* of a creation that failed */
	wish->name = strdup(id);
	return wish->name ? lcx__volume_make(c->ctx, &record, err) : lcx__fail_nomem(err);
}

static int make_named(struct lcx_container *c, const struct volume_wish *wish,
		      struct lcx_error **err)
{
	const struct volume_record record = {
		.name = wish->name,
		.created_ns = LCX__OPT(lcx__now_ns()),
	};
	int r = lcx__volume_make(c->ctx, &record, err);

	/* What was made for another container, and is asked for by name, outlives that one. */
	return r == -EEXIST ? lcx__volume_keep(c->ctx, wish->name, err) : r;
}

/* What the image has at the place: a directory, or -ENOENT for all else. */
static int open_source(const struct lcx_container *c, int empty_fd, const char *destination,
		       struct lcx_error **err)
{
	CLEANUP(closep) int root_fd = lcx__container_open_image(c, empty_fd, err), fd = -1;
	struct stat st;

	if (root_fd < 0)
		return root_fd;
	fd = lcx__open_in_root(root_fd, destination, O_PATH, 0);
	if (fd < 0 && (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP))
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return lcx__fail_sys(err, fd < 0 ? -fd : errno, "look at it in the image");
	if (!S_ISDIR(st.st_mode))
		return -ENOENT;
	closep(&root_fd);
	root_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root_fd < 0 ? lcx__fail_sys(err, errno, "open it in the image") : TAKE_FD(root_fd);
}

/* Return: 0, also if the volume turned out to have something in it. */
static int take_copy(struct lcx_container *c, int dir_fd, int from_fd, struct lcx_error **err)
{
	CLEANUP(closep) int to_fd = -1;
	int r;

	if (mkdirat(dir_fd, "filling", 0700) < 0)
		return lcx__fail_sys(err, errno, "make 'filling'");
	to_fd = lcx__open_dir(dir_fd, "filling");
	r = to_fd < 0 ? lcx__fail_sys(err, -to_fd, "open 'filling'")
		      : lcx__container_copy_tree(c, from_fd, to_fd, err);
	if (r < 0)
		return r;
	/* As for all that gets its name by a rename: first the bytes, then the name. */
	if (syncfs(to_fd) < 0)
		return lcx__fail_sys(err, errno, "wait for the disk");
	if (renameat(dir_fd, "filling", dir_fd, "data") < 0 && errno != ENOTEMPTY &&
	    errno != EEXIST)
		return lcx__fail_sys(err, errno, "put it into the volume");
	return 0;
}

struct filling {
	struct lcx_container *c;
	int dir_fd;
	const char *destination;
};

static int copy_up(void *data, struct lcx_error **err)
{
	const struct filling *filling = data;
	CLEANUP(closep) int empty_fd = -1, from_fd = -1;
	struct lcx_container *c = filling->c;
	int dir_fd = filling->dir_fd;
	int r = lcx__remove_tree(dir_fd, "filling");

	if (r == 0 && mkdirat(dir_fd, "filling", 0700) < 0)
		r = -errno;
	if (r == 0)
		r = empty_fd = lcx__open_dir(dir_fd, "filling");
	if (r < 0)
		return lcx__fail_sys(err, -r, "make an empty directory");
	from_fd = open_source(c, empty_fd, filling->destination, err);
	/* The overlay has it mounted, by its descriptor; the name is free. */
	(void)unlinkat(dir_fd, "filling", AT_REMOVEDIR);
	if (from_fd < 0)
		return from_fd == -ENOENT ? 0 : from_fd;
	r = take_copy(c, dir_fd, from_fd, err);
	(void)lcx__remove_tree(dir_fd, "filling");
	return r;
}

/* Not what the user has filled, nor what was, when the note of it was not made any more. */
static int give_to_root(struct lcx_container *c, int dir_fd, struct lcx_error **err)
{
	CLEANUP(closep) int data_fd = lcx__open_dir(dir_fd, "data");
	CLEANUP(closedirp) DIR *dir = NULL;
	int r = data_fd < 0 ? data_fd : lcx__read_dir(data_fd, ".", &dir);

	if (r == 0 && !lcx__next_entry(dir))
		r = lcx__container_own_file(c, data_fd);

	return r < 0 ? lcx__fail_sys(err, -r, "give it to the container's root") : 0;
}

/* Two containers that are made at once both wait until it is filled. */
static int first_use(struct lcx_container *c, const struct volume_wish *wish,
		     struct lcx_error **err)
{
	CLEANUP(freep) char *path = lcx__format("volumes/%s", wish->name);
	CLEANUP(closep) int dir_fd = path ? lcx__open_dir(c->ctx->root_fd, path) : -ENOMEM;
	struct filling filling = {c, dir_fd, wish->destination};
	int r;

	if (dir_fd < 0)
		return lcx__fail_sys(err, -dir_fd, "open it");
	r = lcx__lock(dir_fd, LOCK_EX);
	if (r < 0)
		return lcx__fail_sys(err, -r, "lock it");
	if (faccessat(dir_fd, "fresh", F_OK, 0) < 0)
		return 0;
	r = give_to_root(c, dir_fd, err);
	if (r == 0 && !wish->nocopy.value)
		r = lcx__fail_prefix(err, lcx__users_within(c->ctx, true, copy_up, &filling, err),
				     "copy what the image has there (without: option nocopy)");
	if (r == 0 && unlinkat(dir_fd, "fresh", 0) < 0 && errno != ENOENT)
		r = lcx__fail_sys(err, errno, "note its first use");
	return r;
}

/* ---- its mount ------------------------------------------------------------- */

static bool has_idmap(const struct volume_wish *wish)
{
	for (char **option = wish->options; option && *option; option++)
		if (strncmp(*option, "idmap", 5) == 0 || strncmp(*option, "ridmap", 6) == 0)
			return true;
	return false;
}

/* Its files have the ids that they have in the image, and each container sees them as its own. */
static bool wants_idmap(const struct lcx_container *c, const struct volume_wish *wish)
{
	return !has_idmap(wish) &&
	       (lcx__container_is_mapped(c) || (c->d.rootfs && lcx__container_is_handed(c)));
}

/* What is mounted further down comes later: it would be covered. */
static void move_before_deeper(struct lcx_spec *spec, const char *destination)
{
	struct lcx__spec_mount *items = spec->mounts.items, moved;
	size_t at = spec->mounts.n, first = 0;

	while (at > 0 && strcmp(items[at - 1].destination, destination) != 0)
		at--;
	if (at-- == 0)
		return;
	while (first < at && !is_below(items[first].destination, destination))
		first++;
	moved = items[at];
	memmove(items + first + 1, items + first, (at - first) * sizeof(*items));
	items[first] = moved;
}

static int describe(struct lcx_container *c, const struct volume_wish *wish, struct lcx_error **err)
{
	CLEANUP(freep)
	char *source = lcx__format("%s/volumes/%s/data", c->ctx->root_dir, wish->name);
	CLEANUP(lcx__strv_freep) char **options = lcx__strv_copy(NULL);
	CLEANUP(freep) char *text = NULL;
	struct lcx__strbuf joined = STRBUF_EMPTY;
	int r;

	if (!source || !options)
		return lcx__fail_nomem(err);
	for (char **option = wish->options; option && *option; option++)
		lcx__strbuf_addf(&joined, "%s%s", joined.length ? "," : "", *option);
	if (wants_idmap(c, wish))
		lcx__strbuf_addf(&joined, "%sidmap", joined.length ? "," : "");
	lcx__strbuf_adds(&joined, "");
	text = lcx__strbuf_take(&joined);
	if (!text)
		return lcx__fail_nomem(err);
	r = lcx__container_add_bind(c, source, wish->destination, text, err);
	if (r == 0)
		move_before_deeper(c->spec, wish->destination);
	return r;
}

static int add_volume(struct lcx_container *c, struct volume_wish *wish, struct lcx_error **err)
{
	int r = wish->anonymous.value ? make_anonymous(c, wish, err) : make_named(c, wish, err);

	if (r == 0)
		r = first_use(c, wish, err);
	if (r == 0)
		r = describe(c, wish, err);
	return lcx__fail_prefix(err, r, "volume on '%s'", wish->destination);
}

int lcx__container_add_volumes(struct lcx_container *c, const struct lcx_image *image,
			       struct lcx_error **err)
{
	int r = add_of_image(c, image, err);

	for (size_t i = 0; r == 0 && i < c->d.volumes.n; i++)
		r = add_volume(c, &c->d.volumes.items[i], err);
	return r;
}
