/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <fcntl.h>
#include <string.h>

#include "util/fs.h"

/*
 * One line an intent, written before the object is made: "CHECKSUM KIND OBJECT". It
 * is appended by one write(2), so that another process sees all of it or nothing, and a
 * line that a full file system cut is told by its checksum. No fsync(): what the
 * journal names are kernel objects, which do not survive the machine either.
 */

enum { JOURNAL_LIMIT = 1 << 20, CHECKSUM_LENGTH = 8 };

/* FNV-1a: against torn lines, not against attackers, who cannot reach the directory. */
static uint32_t checksum(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash;
}

int lcx__journal_add(int run_fd, const char *kind, const char *object, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	CLEANUP(freep) char *entry = lcx__format("%s %s", kind, object), *line = NULL;
	ssize_t n;

	if (entry)
		line = lcx__format("%08x %s\n", checksum(entry), entry);
	if (!line)
		return lcx__fail_nomem(err);
	fd = openat(run_fd, "journal", O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return lcx__fail_sys(err, errno, "open the journal");
	n = write(fd, line, strlen(line));
	if (n != (ssize_t)strlen(line))
		return lcx__fail_sys(err, n < 0 ? errno : ENOSPC, "write the journal");
	return 0;
}

static const char *check_line(const char *line)
{
	char *end;
	unsigned long sum = strtoul(line, &end, 16);

	if (end != line + CHECKSUM_LENGTH || *end != ' ' || sum != checksum(end + 1))
		return NULL;
	return end + 1;
}

int lcx__journal_read(int run_fd, char ***ret, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **oldest_first = NULL, **entries = NULL;
	CLEANUP(freep) char *text = NULL;
	char *rest, *line;
	int r = lcx__read_file(run_fd, "journal", JOURNAL_LIMIT, &text, NULL);

	if (r < 0 && r != -ENOENT)
		return lcx__fail_sys(err, -r, "read the journal");
	for (rest = text; rest && (line = strsep(&rest, "\n"));) {
		const char *entry = check_line(line);

		if (entry && lcx__strv_append(&oldest_first, entry) < 0)
			return lcx__fail_nomem(err);
	}
	entries = calloc(1, sizeof(*entries));
	for (size_t i = lcx__strv_length(oldest_first); entries && i > 0; i--)
		if (lcx__strv_append(&entries, oldest_first[i - 1]) < 0)
			return lcx__fail_nomem(err);
	if (!entries)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(entries);
	return 0;
}
