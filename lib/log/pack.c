/* SPDX-License-Identifier: MIT */
#include "log/writer-internal.h"

#include <asm/errno.h>
#include <asm/fcntl.h>
#include <linux/fcntl.h>

#include "util/sys.h"

/*
 * Rotated files are compressed by a program that is started for one file (gzip/main.c), beside the
 * writer, who goes on writing. The program has no more than descriptors, of the file and of a new
 * one, "NAME.gz.tmp"; all names are the writer's own affair. When the program has said that the
 * new file is whole, and on the disk, the writer gives it the name "NAME.3.gz", or whatever
 * the old one is called by then, and removes the old one. So a crash at any moment leaves the file
 * plain; or in both forms, of which readers and rotation pass over the compressed one.
 *
 * Nobody waits for the program: it is looked after with each flush. One at a time, for the youngest
 * file first, since that will stay the longest. A writer that closes ends it: what is plain then,
 * the next writer of the log will compress.
 */

enum {
	NEW_FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	OLD_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
	NEW_MODE = 0600,
};

static bool is_same(const struct lcx__log_writer *w, uint32_t index)
{
	struct lcx__log_file_name name = lcx__log_file_name(w, index, false);
	struct sys_statx st;

	return sys_statx(w->dir_fd, name.text, AT_SYMLINK_NOFOLLOW, &st) == 0 &&
	       st.ino == w->packing.ino && st.dev_major == w->packing.dev_major &&
	       st.dev_minor == w->packing.dev_minor;
}

/* 0: rotation has removed it meanwhile, or somebody else. */
static uint32_t index_of_packed(const struct lcx__log_writer *w)
{
	for (uint32_t i = 1; i < w->config.max_files; i++)
		if (is_same(w, i))
			return i;
	return 0;
}

static void remove_unfinished(const struct lcx__log_writer *w)
{
	struct lcx__log_file_name name = lcx__log_unfinished_name(w);

	(void)sys_unlinkat(w->dir_fd, name.text, 0);
}

/* In this order: there is no moment at which neither is there. */
static int replace(struct lcx__log_writer *w, uint32_t index)
{
	struct lcx__log_file_name from = lcx__log_unfinished_name(w);
	struct lcx__log_file_name to = lcx__log_file_name(w, index, true);
	int r = sys_renameat2(w->dir_fd, from.text, w->dir_fd, to.text, 0);

	return r < 0 ? r : lcx__log_remove(w, index, false);
}

/* It has said its word, or is ended. */
static void end(struct lcx__log_writer *w)
{
	(void)sys_close(w->packing.result_fd);
	w->packing.result_fd = -1;
	w->packing.packer->end(w->packing.packer->data);
}

static int finish(struct lcx__log_writer *w)
{
	uint32_t index = index_of_packed(w);
	int r = index > 0 ? replace(w, index) : 0;

	w->packing.packed += index > 0 && r == 0;
	return r;
}

/* Return: whether the program is still at it. */
static bool is_busy(struct lcx__log_writer *w)
{
	char word = 0;
	long n = sys_read(w->packing.result_fd, &word, 1);

	if (n == -EAGAIN || n == -EINTR)
		return true;
	end(w);
	/* It failed, on a full disk perhaps: the next rotation tries again. */
	if (n != 1 || word != LCX__LOG_PACKED || finish(w) < 0)
		w->packing.wanted = false;
	remove_unfinished(w);
	return false;
}

static uint32_t youngest_plain(const struct lcx__log_writer *w)
{
	for (uint32_t i = 1; i < w->config.max_files; i++)
		if (lcx__log_exists(w, i, false))
			return i;
	return 0;
}

static int start_with(struct lcx__log_writer *w, int old_fd)
{
	struct lcx__log_file_name name = lcx__log_unfinished_name(w);
	int pipe[2] = {-1, -1}, new_fd, r;

	remove_unfinished(w);
	new_fd = sys_openat(w->dir_fd, name.text, NEW_FLAGS, NEW_MODE);
	if (new_fd < 0)
		return new_fd;
	r = (int)sys_call2(__NR_pipe2, pipe, O_CLOEXEC | O_NONBLOCK);
	if (r == 0)
		r = w->packing.packer->start(w->packing.packer->data, old_fd, new_fd, pipe[1]);
	if (pipe[1] >= 0)
		(void)sys_close(pipe[1]);
	(void)sys_close(new_fd);
	if (r < 0) {
		if (pipe[0] >= 0)
			(void)sys_close(pipe[0]);
		remove_unfinished(w);
		return r;
	}
	w->packing.result_fd = pipe[0];
	return 0;
}

static int start(struct lcx__log_writer *w, uint32_t index)
{
	struct lcx__log_file_name name = lcx__log_file_name(w, index, false);
	struct sys_statx st;
	int fd = sys_openat(w->dir_fd, name.text, OLD_FLAGS, 0), r;

	if (fd < 0)
		return fd;
	r = sys_statx(fd, "", AT_EMPTY_PATH, &st);
	if (r == 0 && !lcx__log_is_regular(&st))
		r = -EINVAL;
	if (r == 0) {
		w->packing.ino = st.ino;
		w->packing.dev_major = st.dev_major;
		w->packing.dev_minor = st.dev_minor;
		r = start_with(w, fd);
	}
	(void)sys_close(fd);
	return r;
}

void lcx__log_pack(struct lcx__log_writer *w)
{
	uint32_t index;

	if (!w->packing.packer || !(w->config.flags & LCX__LOG_COMPRESS))
		return;
	if (w->packing.result_fd >= 0 && is_busy(w))
		return;
	if (!w->packing.wanted)
		return;
	index = youngest_plain(w);
	w->packing.wanted = index > 0 && start(w, index) == 0;
}

void lcx__log_pack_abandon(struct lcx__log_writer *w)
{
	if (w->packing.result_fd < 0 || !is_busy(w))
		return;
	end(w);
	remove_unfinished(w);
}
