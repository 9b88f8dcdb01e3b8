/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Files relative to a directory descriptor. All descriptors are O_CLOEXEC. All
 * functions return 0, a descriptor or a count on success, else a negative errno;
 * words are added by the caller, who knows what the file is.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* flock(2), waiting through signals. With LOCK_NB: -EWOULDBLOCK if somebody else has it. */
int lcx__lock(int fd, int how);

/* Open a directory without following a final symbolic link. */
int lcx__open_dir(int dir_fd, const char *name);

/* mkdir -p for a relative or absolute path of our own making; the last directory is returned open.
 */
int lcx__make_dirs(int dir_fd, const char *path, mode_t mode);

/*
 * Read a whole file into *@ret, NUL-terminated, owned by the caller. A file
 * longer than @limit bytes is -EFBIG; one that is neither regular nor on a
 * kernel file system is the caller's risk: hostile trees go through
 * lcx__open_in_root() first. @ret_length may be NULL.
 */
int lcx__read_file(int dir_fd, const char *name, size_t limit, char **ret, size_t *ret_length);
int lcx__read_fd(int fd, size_t limit, char **ret, size_t *ret_length);

/* The entries of the directory @name in @dir_fd ("." for that itself), whatever offset @dir_fd has.
 */
int lcx__read_dir(int dir_fd, const char *name, DIR **ret);

/* The next one but "." and ".."; NULL at the end, or with errno set. */
struct dirent *lcx__next_entry(DIR *dir);

/* Write all bytes, or fail. */
int lcx__write_all(int fd, const void *data, size_t length);

/* One open(O_WRONLY) and one write(2), as control files of the kernel want it. */
int lcx__write_control(int dir_fd, const char *name, const char *text);

/* A file where nobody looks yet: in a directory that gets its own name later. Of @durable see below;
 * what a failure leaves goes with the directory. */
int lcx__new_file(int dir_fd, const char *name, const void *data, size_t length, mode_t mode,
		  bool durable);

/*
 * Replace @name by a file with these bytes, so that a reader, or a crash at any
 * instruction, meets either the old or the new file. @durable also waits for
 * the disk: once for the bytes and once for the directory.
 */
int lcx__replace_file(int dir_fd, const char *name, const void *data, size_t length, mode_t mode,
		      bool durable);

/*
 * Remove the files of this directory that have a temporary name: what writers left that were
 * killed. The caller holds the lock under which they write.
 */
int lcx__remove_temporaries(int dir_fd);

/*
 * rm -rf below @dir_fd: never follows a link, never leaves the file system; a missing name is fine.
 * Directories of the caller's own that lack rights for him get them.
 */
int lcx__remove_tree(int dir_fd, const char *name);

/*
 * Resolve @path as a process chrooted at @root_fd would, with every symbolic
 * link inside; magic links (of /proc) are refused. For trees that are not trusted.
 */
int lcx__open_in_root(int root_fd, const char *path, int flags, mode_t mode);

/*
 * Open the regular file @path to read, whoever has a lease on it, fcntl(2): the kernel has whoever
 * opens it wait up to 45 s until that is given back. Return: -ETIME after @patience_ms.
 */
int lcx__open_leased(const char *path, int patience_ms);

/* mkdir -p by the same rule; the last directory is returned open (O_PATH | O_DIRECTORY). */
int lcx__make_dirs_in_root(int root_fd, const char *path, mode_t mode);
