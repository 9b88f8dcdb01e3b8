/* SPDX-License-Identifier: MIT */
#include "log/writer-internal.h"

#include <asm/errno.h>
#include <linux/fcntl.h>

#include "util/sys.h"

/*
 * The names of a log's files. Rotation is a chain of renames, from the oldest file to the current
 * one. A reader holds its file open, so it may finish it under any name; the order of the
 * renames lets it find the next file at any moment (see chain.c).
 *
 * A rotated file stands there plain, "NAME.3", or compressed, "NAME.3.gz". For an instant, or after
 * a crash then, it stands there in both forms, and the plain one counts (pack.c).
 */

enum {
	FILE_TYPE_MASK = 0170000,
	FILE_TYPE_REGULAR = 0100000,
};

bool lcx__log_is_regular(const struct sys_statx *st)
{
	return (st->mode & FILE_TYPE_MASK) == FILE_TYPE_REGULAR;
}

static void append(struct lcx__log_file_name *name, const char *text)
{
	size_t length = 0;

	while (name->text[length] != '\0')
		length++;
	do
		name->text[length++] = *text;
	while (*text++ != '\0');
}

struct lcx__log_file_name lcx__log_file_name(const struct lcx__log_writer *w, uint32_t index,
					     bool packed)
{
	char digits[] = ".000", *at = digits + sizeof(digits) - 1;
	struct lcx__log_file_name name;

	name.text[0] = '\0';
	append(&name, w->config.name);
	for (uint32_t rest = index; rest > 0; rest /= 10)
		*--at = (char)('0' + rest % 10);
	if (index > 0) {
		*--at = '.';
		append(&name, at);
	}
	if (packed)
		append(&name, LCX__LOG_PACKED_SUFFIX);
	return name;
}

struct lcx__log_file_name lcx__log_unfinished_name(const struct lcx__log_writer *w)
{
	struct lcx__log_file_name name = lcx__log_file_name(w, 0, true);

	append(&name, ".tmp");
	return name;
}

int lcx__log_remove(const struct lcx__log_writer *w, uint32_t index, bool packed)
{
	struct lcx__log_file_name name = lcx__log_file_name(w, index, packed);

	return sys_unlinkat(w->dir_fd, name.text, 0);
}

bool lcx__log_exists(const struct lcx__log_writer *w, uint32_t index, bool packed)
{
	struct lcx__log_file_name name = lcx__log_file_name(w, index, packed);
	struct sys_statx st;

	return sys_statx(w->dir_fd, name.text, AT_SYMLINK_NOFOLLOW, &st) != -ENOENT;
}

static bool is_free(const struct lcx__log_writer *w, uint32_t index)
{
	return !lcx__log_exists(w, index, false) &&
	       (index == 0 || !lcx__log_exists(w, index, true));
}

/*
 * A file goes up by one in the form that counts. What stands there is the last one, and removed: a
 * reader must not take it, in its other form, for what has come.
 */
static int move_up(const struct lcx__log_writer *w, uint32_t index)
{
	bool packed = index > 0 && !lcx__log_exists(w, index, false);
	struct lcx__log_file_name from = lcx__log_file_name(w, index, packed);
	struct lcx__log_file_name to = lcx__log_file_name(w, index + 1, packed);

	if (!packed && index > 0)
		(void)lcx__log_remove(w, index, true);
	(void)lcx__log_remove(w, index + 1, !packed);
	return sys_renameat2(w->dir_fd, from.text, w->dir_fd, to.text, 0);
}

/*
 * Move the files up by one, as far as the next free index. If there is none, the last one is
 * overwritten, and so removed.
 */
int lcx__log_shift_files(struct lcx__log_writer *w)
{
	uint32_t free_index = 0;
	int r = 0;

	while (free_index < w->config.max_files && !is_free(w, free_index))
		free_index++;
	if (free_index == w->config.max_files)
		free_index--;
	for (uint32_t i = free_index; i > 0 && r == 0; i--)
		r = move_up(w, i - 1);
	if (w->config.max_files == 1)
		r = lcx__log_remove(w, 0, false);
	return r == -ENOENT ? 0 : r;
}

void lcx__log_remove_surplus(struct lcx__log_writer *w)
{
	for (uint32_t i = w->config.max_files; i < LCX__LOG_MAX_FILES; i++) {
		int plain = lcx__log_remove(w, i, false), packed = lcx__log_remove(w, i, true);

		if (plain < 0 && packed < 0)
			return;
	}
}
