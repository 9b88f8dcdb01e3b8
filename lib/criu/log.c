/* SPDX-License-Identifier: MIT */
#include "criu/criu.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/*
 * What went wrong, by criu's log: the first of its errors, which is the cause of those that follow.
 * A line is "(00.042000) Error (file.c:17): words".
 */

enum { TAIL = 256 << 10 };

static const char *skip_place(const char *line)
{
	const char *words = strstr(line, "): ");

	return words ? words + 3 : line;
}

static void copy_line(const char *line, char *words, size_t size)
{
	size_t n = 0;

	for (; line[n] && line[n] != '\n' && n + 1 < size; n++)
		words[n] = isprint((unsigned char)line[n]) ? line[n] : ' ';
	words[n] = '\0';
}

void lcx__criu_read_log(int dir_fd, const char *file, char *words, size_t size)
{
	CLEANUP(closep)
	int fd = openat(dir_fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	CLEANUP(freep) char *text = fd < 0 ? NULL : malloc(TAIL + 1);
	struct stat st;
	const char *line;
	ssize_t n;

	words[0] = '\0';
	if (!text || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	n = pread(fd, text, TAIL, st.st_size > TAIL ? st.st_size - TAIL : 0);
	text[n < 0 ? 0 : n] = '\0';
	line = strstr(text, "Error (");
	if (line)
		copy_line(skip_place(line), words, size);
}
