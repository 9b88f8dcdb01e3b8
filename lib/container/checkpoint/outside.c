/* SPDX-License-Identifier: MIT */
#include "container/checkpoint/checkpoint.h"

#include <fcntl.h>
#include <string.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "spec/spec.h"
#include "util/fs.h"
#include "util/mountinfo.h"
#include "util/sys.h"

/*
 * Mounts of the host's files. criu writes down what a container has mounted by itself, and needs to
 * be told what comes from outside: each such mount gets a name, of its destination in the
 * description, with a path behind it for what is mounted below its source; "lcx-null" is the device
 * that masks files. At a restore the names lead to where the description says that the sources are:
 * no path is taken from the images.
 */

enum { MOUNTS_LIMIT = 16 << 20 };

struct table {
	char *text;
	struct lcx__mount_line *lines;
	size_t n;
};

static void table_clear(struct table *table)
{
	free(table->text);
	free(table->lines);
}

static int read_table(int64_t pid, struct table *ret, struct lcx_error **err)
{
	struct lcx__mount_line line, *bigger;
	char path[64], *rest;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%lld/mountinfo", (long long)pid);
	r = lcx__read_file(AT_FDCWD, path, MOUNTS_LIMIT, &ret->text, NULL);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read '%s'", path);
	rest = ret->text;
	while (lcx__mountinfo_next(&rest, &line)) {
		bigger = reallocarray(ret->lines, ret->n + 1, sizeof(line));
		if (!bigger)
			return lcx__fail_nomem(err);
		ret->lines = bigger;
		ret->lines[ret->n++] = line;
	}
	return 0;
}

static void put(struct lcx__strbuf *options, const char *format, ...) LCX_PRINTF(2, 3);

static void put(struct lcx__strbuf *options, const char *format, ...)
{
	CLEANUP(freep) char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		lcx__criu_put_text(options, LCX__CRIU_EXTERNAL, text);
	else
		options->failed = true;
}

/*
 * What mount @i is called: by its destination, as engines that describe a container anew give its
 * mounts in another order; by how many came before it there; and by the length, for what follows.
 */
static char *name_mount(const struct lcx_container *c, size_t i)
{
	const char *destination = c->spec->mounts.items[i].destination;
	size_t before = 0;

	for (size_t j = 0; j < i; j++)
		before += strcmp(c->spec->mounts.items[j].destination, destination) == 0;
	return lcx__format("lcx-%zu.%zu%s", before, strlen(destination), destination);
}

/* What stands behind the directory @dir, with its slash; NULL: it is not below it. */
static const char *below(const char *path, const char *dir)
{
	size_t length = strlen(dir);

	if (strncmp(path, dir, length) != 0)
		return NULL;
	path += length;
	return path[0] == '/' ? path : NULL;
}

/* ---- dump ---- */

/*
 * The mount of the container's where @m is now. The container may have moved the place, by a link:
 * what is found there must be the source, or other files would be bound to that place at a restore.
 */
static const struct lcx__mount_line *find_mount(const struct table *inside, int root_fd,
						const struct lcx__spec_mount *m)
{
	CLEANUP(closep) int fd = lcx__open_in_root(root_fd, m->destination, O_PATH, 0);
	struct sys_statx here = {0}, there = {0};

	if (fd < 0 || sys_statx(fd, "", AT_EMPTY_PATH, &here) < 0 ||
	    sys_statx(AT_FDCWD, m->source, 0, &there) < 0 || here.ino != there.ino ||
	    here.dev_major != there.dev_major || here.dev_minor != there.dev_minor)
		return NULL;
	for (size_t i = 0; i < inside->n; i++)
		if (inside->lines[i].id == here.mnt_id)
			return &inside->lines[i];
	return NULL;
}

/* The mount of the host's that is seen as @line. */
static bool comes_from(const struct table *host, const struct lcx__mount_line *line,
		       const char *source, const char *rest)
{
	for (size_t i = 0; i < host->n; i++) {
		const struct lcx__mount_line *one = &host->lines[i];
		const char *behind = below(one->point, source);

		if (behind && strcmp(behind, rest) == 0 && one->major == line->major &&
		    one->minor == line->minor && strcmp(one->root, line->root) == 0)
			return true;
	}
	return false;
}

static void put_mounts_below(const struct table *inside, const struct table *host, const char *name,
			     const char *point, const char *source, struct lcx__strbuf *options)
{
	CLEANUP(freep) char *real = realpath(source, NULL);

	for (size_t i = 0; real && i < inside->n; i++) {
		const char *rest = below(inside->lines[i].point, point);

		if (rest && comes_from(host, &inside->lines[i], real, rest))
			put(options, "mnt[%s]:%s%s", inside->lines[i].point, name, rest);
	}
}

static void put_masks(const struct table *inside, struct lcx__strbuf *options)
{
	struct stat st;

	if (stat("/dev/null", &st) < 0)
		return;
	for (size_t i = 0; i < inside->n; i++) {
		const struct lcx__mount_line *line = &inside->lines[i];

		if (line->major == major(st.st_dev) && line->minor == minor(st.st_dev) &&
		    strcmp(line->root, "/null") == 0)
			put(options, "mnt[%s]:lcx-null", line->point);
	}
}

static int put_mounts(struct lcx_container *c, struct lcx__strbuf *options, struct lcx_error **err)
{
	CLEANUP(table_clear) struct table inside = {0}, host = {0};
	CLEANUP(closep) int root_fd = -1;
	char path[64];
	int r = read_table(c->run.pid.value, &inside, err);

	if (r == 0)
		r = read_table(getpid(), &host, err);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%lld/root", (long long)c->run.pid.value);
	root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return lcx__fail_sys(err, errno, "open the container's root");
	for (size_t i = 0; i < c->spec->mounts.n; i++) {
		const struct lcx__spec_mount *m = &c->spec->mounts.items[i];
		const struct lcx__mount_line *line =
			lcx__spec_is_bind(m) ? find_mount(&inside, root_fd, m) : NULL;

		CLEANUP(freep) char *name = line ? name_mount(c, i) : NULL;

		if (!line)
			continue;
		if (!name)
			return lcx__fail_nomem(err);
		put(options, "mnt[%s]:%s", line->point, name);
		if (m->parsed.flags & MS_REC)
			put_mounts_below(&inside, &host, name, line->point, m->source, options);
	}
	put_masks(&inside, options);
	return 0;
}

static int put_network(const struct lcx_container *c, struct lcx__strbuf *options,
		       struct lcx_error **err)
{
	char path[64];
	struct stat st;

	if (!lcx__spec_namespace(c->spec, CLONE_NEWNET))
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/%lld/ns/net", (long long)c->run.pid.value);
	if (stat(path, &st) < 0)
		return lcx__fail_sys(err, errno, "open the network namespace");
	put(options, "net[%llu]:" LCX__CHECKPOINT_NETWORK, (unsigned long long)st.st_ino);
	return 0;
}

int lcx__checkpoint_put_outside(struct lcx_container *c, struct lcx__strbuf *options,
				struct lcx_error **err)
{
	int r = put_mounts(c, options, err);

	return r == 0 ? put_network(c, options, err) : r;
}

/* ---- restore ---- */

int lcx__restore_put_outside(const struct lcx_container *c, struct lcx__strbuf *options,
			     struct lcx_error **err)
{
	CLEANUP(table_clear) struct table host = {0};
	int r = read_table(getpid(), &host, err);

	for (size_t i = 0; r == 0 && i < c->spec->mounts.n; i++) {
		const struct lcx__spec_mount *m = &c->spec->mounts.items[i];
		CLEANUP(freep) char *real = NULL, *name = NULL;

		if (!lcx__spec_is_bind(m))
			continue;
		name = name_mount(c, i);
		if (!name)
			return lcx__fail_nomem(err);
		real = realpath(m->source, NULL);
		if (!real)
			return lcx__fail_sys(err, errno, "mount on '%s': '%s'", m->destination,
					     m->source);
		put(options, "mnt[%s]:%s", name, real);
		for (size_t j = 0; m->parsed.flags & MS_REC && j < host.n; j++) {
			const char *rest = below(host.lines[j].point, real);

			if (rest)
				put(options, "mnt[%s%s]:%s", name, rest, host.lines[j].point);
		}
	}
	put(options, "mnt[lcx-null]:/dev/null");
	return r;
}
