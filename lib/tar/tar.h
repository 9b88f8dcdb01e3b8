/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Trees of files as a stream, and back. An entry is what a tar archive says of one file;
 * entries come from a tree (pack.c) or from a stream (read.c) and go into a stream
 * (write.c) or into a tree (place.c). Nothing here knows of images or containers, and
 * both ends are hostile: a stranger's archive, or a tree whose owner changes it meanwhile.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "util/error.h"
#include "util/str.h"

struct lcx__tar_xattr {
	char *name, *value;
	size_t size;
};

struct lcx__tar_entry {
	char *path; /* "a/b/c"; "" is the root */
	char *link; /* a symbolic link's text, or a hard link's path as above; else NULL */
	bool hard;  /* @link is a hard link's */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	dev_t device;
	uint64_t size; /* of a regular file's content */
	bool sparse;   /* an archive has it in pieces */
	struct timespec mtime;
	struct lcx__tar_xattr *xattrs; /* in byte order of their names */
	size_t n_xattrs;
};

/* Release what it owns, and zero it. */
void lcx__tar_entry_clear(struct lcx__tar_entry *entry);

/* A stranger's name in words for a person: only what can be printed, and not all of it. */
enum { LCX__TAR_SHOWN = 208 };
void lcx__tar_show(const char *name, char shown[static LCX__TAR_SHOWN]);

/* -EBADMSG for "..", and then nothing changed, else the form "a/b/c" in place: no leading slash, no
 * "." and nothing empty. */
int lcx__tar_path(char *path, struct lcx_error **err);

/* May this extended attribute be given to another system? Labels of the host and overlayfs's may
 * not. */
bool lcx__tar_xattr_travels(const char *name);

/* ---- bytes ---- */

struct lcx__byte_sink {
	int (*write)(void *data, const void *bytes, size_t length, struct lcx_error **err);
	void *data;
};

/* Up to @size bytes, 0 at the end, <0 with words. */
struct lcx__source {
	ssize_t (*read)(void *data, void *buffer, size_t size, struct lcx_error **err);
	/* Instead of reading; NULL if it can't. */
	int (*skip)(void *data, uint64_t length, struct lcx_error **err);
	void *data;
	/*
	 * Skip the hole at the present position, and tell how long it is and how many bytes of data
	 * follow before the next one; both are 0 at the end. NULL: there are none.
	 */
	int (*extent)(void *data, uint64_t *ret_hole, uint64_t *ret_data, struct lcx_error **err);
};

/* @fd: borrowed, with the variable that holds it. */
struct lcx__byte_sink lcx__byte_sink_fd(int *fd);
struct lcx__source
lcx__source_fd(int *fd); /* skips, and knows of holes, where the file can be positioned */

/* ---- entries ---- */

/*
 * Takes entries. @content has exactly entry->size bytes, or fewer if the file became
 * shorter meanwhile; NULL for all but regular files.
 */
struct lcx__entry_sink {
	int (*add)(void *data, const struct lcx__tar_entry *entry,
		   const struct lcx__source *content, struct lcx_error **err);
	void *data;
};

/* ---- write.c: pax archives, the same bytes for the same entries ---- */

/* A whole entry. A file that became shorter is filled up with zeros, as its size was promised. */
int lcx__tar_write(const struct lcx__byte_sink *sink, const struct lcx__tar_entry *entry,
		   const struct lcx__source *content, struct lcx_error **err);

/* A file's header only: the content follows, and then lcx__tar_write_padding(). */
int lcx__tar_write_header(const struct lcx__byte_sink *sink, const struct lcx__tar_entry *entry,
			  struct lcx_error **err);
int lcx__tar_write_padding(const struct lcx__byte_sink *sink, uint64_t size,
			   struct lcx_error **err);
int lcx__tar_write_end(const struct lcx__byte_sink *sink, struct lcx_error **err);

/* An entry sink that writes to @sink, which is borrowed. */
struct lcx__entry_sink lcx__tar_entry_sink(const struct lcx__byte_sink *sink);

/* ---- acl.c: POSIX access control lists, as the kernel's attributes have them ---- */

/* Is that the attribute's name? Then its value is such a list. */
bool lcx__acl_is(const char *name);

/* From the words of an archive. -EBADMSG, and what is wrong with them in *@ret_why. */
int lcx__acl_parse(const char *text, size_t size, char **ret, size_t *ret_size,
		   const char **ret_why);

/* To words; false for what the kernel would not take. Out of memory is @out's to say. */
bool lcx__acl_format(const char *value, size_t size, struct lcx__strbuf *out);

/* Translate the ids in place. Who has none on the other side is left out. */
struct lcx__id_map;
void lcx__acl_inside(char *value, size_t *size, const struct lcx__id_map *map);
void lcx__acl_outside(char *value, size_t *size, const struct lcx__id_map *map);

/* ---- read.c: ustar, pax and GNU archives ---- */

struct lcx__tar_reader;

int lcx__tar_reader_new(const struct lcx__source *source, struct lcx__tar_reader **ret,
			struct lcx_error **err);
struct lcx__tar_reader *lcx__tar_reader_free(struct lcx__tar_reader *reader);

DEFINE_CLEANUP(struct lcx__tar_reader *, lcx__tar_reader_free)

/*
 * Step: what is left of the content is skipped. Return: 1, 0 at the end, or a negative errno, whose
 * words name the entry, if it was known by then.
 */
int lcx__tar_next(struct lcx__tar_reader *reader, struct lcx_error **err);

/* The present entry; paths are as lcx__tar_path() leaves them. */
const struct lcx__tar_entry *lcx__tar_entry(const struct lcx__tar_reader *reader);

/* Where its content begins, from the beginning of the archive; not of a sparse file. */
uint64_t lcx__tar_offset(const struct lcx__tar_reader *reader);

/* Its content, holes as zeros. -EBADMSG if the archive ends within it. */
struct lcx__source lcx__tar_content(struct lcx__tar_reader *reader);

/*
 * Instead: its content piece by piece. What lies between one that is read to *@ret_offset and
 * the next is a hole, and so may be the end. 0 when there is no more.
 */
ssize_t lcx__tar_read(struct lcx__tar_reader *reader, void *buffer, size_t size,
		      uint64_t *ret_offset, struct lcx_error **err);

/*
 * The same for who has the source's bytes at hand: how many of the next ones belong to
 * *@ret_offset, 0 when there is no more; and that so many were taken from it.
 */
uint64_t lcx__tar_room(struct lcx__tar_reader *reader, uint64_t *ret_offset);
void lcx__tar_took(struct lcx__tar_reader *reader, uint64_t length);

/* ---- pack.c: a tree's entries ---- */

struct lcx__tar_ids {
	uint32_t inside, outside, size;
};

/* Which ids a container's user namespace gives to those of this process; none: the same. */
struct lcx__id_map {
	const struct lcx__tar_ids *uids, *gids;
	size_t n_uids, n_gids;
};

uid_t lcx__uid_inside(const struct lcx__id_map *map, uid_t uid);
gid_t lcx__gid_inside(const struct lcx__id_map *map, gid_t gid);
uid_t lcx__uid_outside(const struct lcx__id_map *map, uid_t uid);
gid_t lcx__gid_outside(const struct lcx__id_map *map, gid_t gid);

/* Files with several names, as they were seen first. */
struct lcx__links {
	struct lcx__link *items;
	size_t n, size;
};

/* The path under which this file was seen, or NULL: then it is remembered as @path. -ENOMEM */
int lcx__links_see(struct lcx__links *links, dev_t dev, ino_t ino, const char *path,
		   const char **ret);
void lcx__links_clear(struct lcx__links *links);

struct lcx__pack_options {
	const struct lcx__id_map *map; /* NULL: ids as they are */
	bool cross;                    /* onto what is mounted in the tree, but for kernel's own */
	const char *empty_dir;         /* below the root: not entered; or NULL */
};

/*
 * Hand on @name below @dir_fd (one component; "" for @dir_fd itself) and all below
 * it, in byte order, as @as; with "" the top itself is left out. A file that goes away
 * meanwhile is left out, sockets too. No link is followed.
 */
int lcx__pack(int dir_fd, const char *name, const char *as, const struct lcx__pack_options *options,
	      const struct lcx__entry_sink *sink, struct lcx_error **err);

/*
 * Hand on one open file (O_PATH) as @path, which is not a directory's descent. With @links, a
 * file with several names that was seen before becomes a hard link.
 */
int lcx__pack_file(int path_fd, const char *path, const struct lcx__id_map *map,
		   struct lcx__links *links, const struct lcx__entry_sink *sink,
		   struct lcx_error **err);

/* ---- place.c: entries into a tree ---- */

struct lcx__place_options {
	const struct lcx__id_map *map; /* NULL: ids as they are */
	bool set_owner; /* all files become @uid and @gid (inside), else as entered */
	uid_t uid;
	gid_t gid;
	bool drop_privileges; /* no set-id bits, no file capabilities, no trusted attributes */
	bool devices;         /* device nodes may be made, else they are an error */
};

struct lcx__place;

/* @dir_fd: a directory, borrowed; entries stay below it whatever happens to it meanwhile. */
int lcx__place_new(int dir_fd, const struct lcx__place_options *options, struct lcx__place **ret,
		   struct lcx_error **err);
struct lcx__entry_sink lcx__place_sink(struct lcx__place *place);

/* Modes and times of directories, when all is there. */
int lcx__place_finish(struct lcx__place *place, struct lcx_error **err);
struct lcx__place *lcx__place_free(struct lcx__place *place);

DEFINE_CLEANUP(struct lcx__place *, lcx__place_free)
