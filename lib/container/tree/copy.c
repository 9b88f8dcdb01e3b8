/* SPDX-License-Identifier: MIT */
/*
 * Files into a container and out of it, by the rules of `docker cp`. The container may be
 * running and do to its tree what it likes meanwhile (CVE-2018-15664 and its likes). So
 * its paths are resolved by the kernel as for a process chrooted there, at one moment and
 * into a descriptor; what is below that is walked, or written, without following any
 * link: see lib/tar/pack.c and place.c. Nothing of the container is executed or loaded.
 */
#include "container/tree/tree.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "ns/users.h"
#include "util/sys.h"

enum { LINKS_MAX = 40 };

/* One of the two trees. */
struct side {
	const char *called; /* in errors: "" or "container:" */
	int root_fd;        /* -1: the host's, as this process sees it */
};

static int open_path(const struct side *side, const char *path, uint64_t flags)
{
	int fd;

	if (side->root_fd >= 0)
		return sys_openat2(side->root_fd, path[0] ? path : "/", flags | O_CLOEXEC, 0,
				   SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS);
	fd = open(path, (int)flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* ---- paths -------------------------------------------------------------- */

struct path {
	char *dir, *name; /* without slashes at the end; the name is "" for a root or a dot */
	bool slash;       /* must be a directory */
	bool contents;    /* "/." at the end: what is in it */
};

static void path_clear(struct path *p)
{
	free(p->dir);
	free(p->name);
}

static int split(const char *text, struct path *p)
{
	CLEANUP(freep) char *copy = strdup(text);
	size_t length = strlen(text);
	char *slash;

	*p = (struct path){0};
	if (!copy)
		return -ENOMEM;
	if (strcmp(copy, ".") == 0 || (length >= 2 && strcmp(copy + length - 2, "/.") == 0))
		p->contents = true;
	if (p->contents)
		copy[--length] = '\0';
	p->slash = p->contents || (length > 0 && copy[length - 1] == '/');
	copy[lcx__path_length(copy)] = '\0';
	slash = strrchr(copy, '/');
	/* "" is the root if there was a slash, and the working directory if not. */
	p->name = strdup(slash ? slash + 1 : copy);
	if (slash)
		*slash = '\0';
	p->dir = strdup(slash ? (copy[0] ? copy : "/") : text[0] == '/' ? "/" : ".");
	if (!p->dir || !p->name)
		return -ENOMEM;
	/* No name that a copy could have. */
	if (strcmp(p->name, "..") == 0 || strcmp(p->name, ".") == 0)
		p->contents = p->slash = true;
	return 0;
}

/* ---- the source --------------------------------------------------------- */

struct source {
	int fd; /* O_PATH */
	struct path path;
	bool is_dir;
};

static void source_clear(struct source *source)
{
	closep(&source->fd);
	path_clear(&source->path);
}

static int open_source(const struct side *side, const char *text, bool follow, struct source *ret,
		       struct lcx_error **err)
{
	struct stat st;

	ret->fd = -1;
	if (split(text, &ret->path) < 0)
		return lcx__fail_nomem(err);
	ret->fd = open_path(side, text,
			    O_PATH | (follow || ret->path.slash ? 0 : O_NOFOLLOW) |
				    (ret->path.slash ? O_DIRECTORY : 0));
	if (ret->fd < 0)
		return lcx__fail_sys(err, -ret->fd, "'%s%s'", side->called, text);
	if (fstat(ret->fd, &st) < 0)
		return lcx__fail_sys(err, errno, "'%s%s'", side->called, text);
	ret->is_dir = S_ISDIR(st.st_mode);
	/* The root has no name but what is in it. */
	if (!ret->path.name[0])
		ret->path.contents = true;
	return 0;
}

/* ---- the target --------------------------------------------------------- */

struct target {
	int dir_fd;
	char *name; /* in it; "": the directory itself */
};

static void target_clear(struct target *target)
{
	closep(&target->dir_fd);
	free(target->name);
}

static bool is_root(const struct side *side, int fd)
{
	struct stat a, b;

	return side->root_fd >= 0 && fstat(side->root_fd, &a) == 0 && fstat(fd, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Where a path that is a symbolic link leads, seen from its directory. */
static int read_link(int dir_fd, const char *name, const struct path *p, char **ret)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(dir_fd, name, text, sizeof(text) - 1);

	if (n < 0)
		return errno == EINVAL || errno == ENOENT ? 0 : -errno;
	text[n] = '\0';
	*ret = text[0] == '/' ? strdup(text) : lcx__format("%s/%s", p->dir, text);
	return *ret ? 1 : -ENOMEM;
}

/* The directory and the name of a file that is, or will be, at the end of all links. */
static int find_name(const struct side *side, const char *text, struct target *ret,
		     struct lcx_error **err)
{
	CLEANUP(freep) char *at = strdup(text);

	for (int links = 0; at && links < LINKS_MAX; links++) {
		CLEANUP(path_clear) struct path p = {0};
		CLEANUP(closep) int fd = -1;
		char *next = NULL;
		int r;

		if (split(at, &p) < 0)
			return lcx__fail_nomem(err);
		fd = open_path(side, p.dir, O_PATH | O_DIRECTORY);
		if (fd < 0)
			return lcx__fail_sys(err, -fd, "the directory of '%s%s'", side->called,
					     text);
		r = read_link(fd, p.name, &p, &next);
		if (r < 0)
			return lcx__fail_sys(err, -r, "'%s%s'", side->called, text);
		if (r == 0) {
			ret->dir_fd = TAKE_FD(fd);
			ret->name = TAKE_PTR(p.name);
			return 0;
		}
		free(at);
		at = next;
	}
	return at ? lcx__fail_sys(err, ELOOP, "'%s%s'", side->called, text) : lcx__fail_nomem(err);
}

static int set_target(struct target *ret, int dir_fd, const char *name, struct lcx_error **err)
{
	ret->dir_fd = dir_fd;
	ret->name = strdup(name);
	return ret->name ? 0 : lcx__fail_nomem(err);
}

/* Docker's table: what is there decides, and how the paths end. */
static int open_target(const struct side *side, const char *text, const struct source *source,
		       struct target *ret, struct lcx_error **err)
{
	CLEANUP(closep) int fd = open_path(side, text, O_PATH);
	bool must_be_dir = text[0] && text[strlen(text) - 1] == '/';
	struct stat st;

	ret->dir_fd = -1;
	ret->name = NULL;
	if (fd < 0 && fd != -ENOENT)
		return lcx__fail_sys(err, -fd, "'%s%s'", side->called, text);
	if (fd >= 0 && fstat(fd, &st) < 0)
		return lcx__fail_sys(err, errno, "'%s%s'", side->called, text);
	if (fd >= 0 && S_ISDIR(st.st_mode))
		return set_target(ret, TAKE_FD(fd),
				  source->is_dir && source->path.contents ? "" : source->path.name,
				  err);
	if (fd >= 0 && source->is_dir)
		return lcx__fail(err, ENOTDIR,
				 "'%s%s' is a file: a directory can't be copied to it",
				 side->called, text);
	if (must_be_dir && !source->is_dir)
		return lcx__fail_sys(err, fd >= 0 ? ENOTDIR : ENOENT, "'%s%s'", side->called, text);
	return find_name(side, text, ret, err);
}

/* ---- the copy ----------------------------------------------------------- */

struct copy {
	struct side from, to;
	struct lcx__pack_options pack;
	struct lcx__place_options place;
	bool follow;
};

/* A tree that is copied into itself would have no end. */
static bool is_inside(int dir_fd, const struct source *source)
{
	CLEANUP(closep) int at = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	struct stat top, st, before = {0};

	if (at < 0 || fstat(source->fd, &top) < 0)
		return true;
	while (fstat(at, &st) == 0) {
		int up;

		if (st.st_dev == top.st_dev && st.st_ino == top.st_ino)
			return true;
		if (st.st_dev == before.st_dev && st.st_ino == before.st_ino)
			return false;
		before = st;
		up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (up < 0)
			return true;
		closep(&at);
		at = up;
	}
	return true;
}

static int pack_source(const struct copy *copy, const struct source *source, const char *as,
		       const struct lcx__entry_sink *sink, struct lcx_error **err)
{
	struct lcx__pack_options options = copy->pack;

	/* Of a whole container its device files are not meant. */
	if (is_root(&copy->from, source->fd))
		options.empty_dir = "dev";
	if (source->is_dir)
		return lcx__pack(source->fd, "", as, &options, sink, err);
	return lcx__pack_file(source->fd, as, options.map, NULL, sink, err);
}

static int copy_tree(const struct copy *copy, const char *source_text, const char *target_text,
		     struct lcx_error **err)
{
	CLEANUP(source_clear) struct source source = {.fd = -1};
	CLEANUP(target_clear) struct target target = {.dir_fd = -1};
	CLEANUP(lcx__place_freep) struct lcx__place *place = NULL;
	struct lcx__entry_sink sink;
	int r;

	r = open_source(&copy->from, source_text, copy->follow, &source, err);
	if (r == 0)
		r = open_target(&copy->to, target_text, &source, &target, err);
	if (r == 0 && source.is_dir && is_inside(target.dir_fd, &source))
		r = lcx__fail(err, EINVAL, "'%s%s' can't be copied into itself", copy->from.called,
			      source_text);
	if (r == 0)
		r = lcx__place_new(target.dir_fd, &copy->place, &place, err);
	if (r < 0)
		return r;
	sink = lcx__place_sink(place);
	r = pack_source(copy, &source, target.name, &sink, err);
	return r < 0 ? r : lcx__place_finish(place, err);
}

static int check_flags(uint32_t flags, struct lcx_error **err)
{
	return flags & ~(uint32_t)(LCX_COPY_FOLLOW | LCX_COPY_ARCHIVE)
		       ? lcx__fail(err, EINVAL, "flags %#x are not known", flags)
		       : 0;
}

struct opened {
	struct lcx__container_root root;
	struct lcx__container_ids ids;
};

static void opened_clear(struct opened *opened)
{
	lcx__container_root_clear(&opened->root);
	lcx__container_ids_clear(&opened->ids);
}

static int begin(struct lcx_container *c, uint32_t flags, struct opened *ret,
		 struct lcx_error **err)
{
	int r = check_flags(flags, err);

	if (r == 0)
		r = lcx__container_ids(c, LCX__IDS_PROCESS, &ret->ids, err);
	return r < 0 ? r : lcx__container_open_root(c, &ret->root, err);
}

static int fail(const struct lcx_container *c, int r, struct lcx_error **err)
{
	return lcx__fail_prefix(err, r, "copy, container '%s'", lcx__container_display(c));
}

/* One copy, of which a side is a path of the host's, or a stream. */
struct job {
	const struct opened *opened;
	const char *source, *target;
	int fd;
	uint32_t flags;
};

/* As who may touch the container's files; the host's are touched with the caller's rights all the
 * same. */
static int run(struct lcx_container *c, int (*act)(void *data, struct lcx_error **err),
	       struct job *job, struct lcx_error **err)
{
	CLEANUP(opened_clear) struct opened opened = {.root = LCX__CONTAINER_ROOT_NONE};
	int r = begin(c, job->flags, &opened, err);

	job->opened = &opened;
	if (r == 0)
		r = lcx__users_within(c->ctx, false, act, job, err);
	return fail(c, r, err);
}

static int copy_in(void *data, struct lcx_error **err)
{
	const struct job *job = data;
	const struct copy copy = {
		.from = {"", -1},
		.to = {"container:", job->opened->root.fd},
		.follow = job->flags & LCX_COPY_FOLLOW,
		.pack.cross = true,
		/* Ids are the container's own on the way; the host's for those that were kept. */
		.place =
			{
				.map = &job->opened->ids.map,
				.set_owner = !(job->flags & LCX_COPY_ARCHIVE),
				.devices = true,
			},
	};

	return copy_tree(&copy, job->source, job->target, err);
}

LCX_PUBLIC int lcx_container_copy_in(struct lcx_container *c, const char *source, const char *path,
				     uint32_t flags, struct lcx_error **err)
{
	struct job job = {.source = source, .target = path, .flags = flags};

	return run(c, copy_in, &job, err);
}

static int copy_out(void *data, struct lcx_error **err)
{
	const struct job *job = data;
	const struct copy copy = {
		.from = {"container:", job->opened->root.fd},
		.to = {"", -1},
		.follow = job->flags & LCX_COPY_FOLLOW,
		.pack = {.map = &job->opened->ids.map, .cross = true},
		/* A set-id program of a container's is no program of this host's. */
		.place =
			{
				.set_owner = !(job->flags & LCX_COPY_ARCHIVE),
				.uid = geteuid(),
				.gid = getegid(),
				.drop_privileges = true,
			},
	};

	return copy_tree(&copy, job->source, job->target, err);
}

LCX_PUBLIC int lcx_container_copy_out(struct lcx_container *c, const char *path, const char *target,
				      uint32_t flags, struct lcx_error **err)
{
	struct job job = {.source = path, .target = target, .flags = flags};

	return run(c, copy_out, &job, err);
}

/* ---- streams ------------------------------------------------------------ */

static int copy_out_tar(void *data, struct lcx_error **err)
{
	const struct job *job = data;
	CLEANUP(source_clear) struct source source = {.fd = -1};
	int fd = job->fd, r;
	const struct lcx__byte_sink bytes = lcx__byte_sink_fd(&fd);
	const struct lcx__entry_sink entries = lcx__tar_entry_sink(&bytes);
	const struct copy copy = {
		.from = {"container:", job->opened->root.fd},
		.pack = {.map = &job->opened->ids.map, .cross = true},
	};

	r = open_source(&copy.from, job->source, job->flags & LCX_COPY_FOLLOW, &source, err);
	if (r == 0)
		r = pack_source(&copy, &source, source.path.contents ? "" : source.path.name,
				&entries, err);
	return r == 0 ? lcx__tar_write_end(&bytes, err) : r;
}

LCX_PUBLIC int lcx_container_copy_out_tar(struct lcx_container *c, const char *path, int fd,
					  uint32_t flags, struct lcx_error **err)
{
	struct job job = {.source = path, .fd = fd, .flags = flags};

	return run(c, copy_out_tar, &job, err);
}

static int place_stream(struct lcx__tar_reader *reader, const struct lcx__entry_sink *sink,
			struct lcx_error **err)
{
	const struct lcx__source content = lcx__tar_content(reader);
	int r;

	while ((r = lcx__tar_next(reader, err)) > 0) {
		const struct lcx__tar_entry *e = lcx__tar_entry(reader);

		r = sink->add(sink->data, e, S_ISREG(e->mode) && !e->hard ? &content : NULL, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int copy_in_tar(void *data, struct lcx_error **err)
{
	const struct job *job = data;
	const struct lcx__place_options options = {.map = &job->opened->ids.map, .devices = true};
	const struct side to = {"container:", job->opened->root.fd};
	CLEANUP(lcx__tar_reader_freep) struct lcx__tar_reader *reader = NULL;
	CLEANUP(lcx__place_freep) struct lcx__place *place = NULL;
	CLEANUP(closep) int dir_fd = open_path(&to, job->target, O_PATH | O_DIRECTORY);
	int fd = job->fd, r;
	const struct lcx__source bytes = lcx__source_fd(&fd);
	struct lcx__entry_sink sink;

	if (dir_fd < 0)
		return lcx__fail_sys(err, -dir_fd, "'container:%s'", job->target);
	r = lcx__place_new(dir_fd, &options, &place, err);
	if (r == 0)
		r = lcx__tar_reader_new(&bytes, &reader, err);
	if (r < 0)
		return r;
	sink = lcx__place_sink(place);
	r = place_stream(reader, &sink, err);
	return r == 0 ? lcx__place_finish(place, err) : r;
}

LCX_PUBLIC int lcx_container_copy_in_tar(struct lcx_container *c, int fd, const char *path,
					 uint32_t flags, struct lcx_error **err)
{
	struct job job = {.target = path, .fd = fd, .flags = flags};

	return run(c, copy_in_tar, &job, err);
}
