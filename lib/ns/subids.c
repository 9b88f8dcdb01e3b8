/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "ns/ns-internal.h"
#include "util/fs.h"
#include "util/str.h"

/* /etc/subuid and /etc/subgid: lines "NAME-OR-NUMBER:FIRST:COUNT", subuid(5). */

enum { FILE_LIMIT = 4 * 1024 * 1024 };

static const struct {
	enum lcx_id_kind kind;
	const char *file;
} files[] = {
	{LCX_ID_USER, "subuid"},
	{LCX_ID_GROUP, "subgid"},
};

static bool is_of_user(const char *field, const char *user, uint32_t uid)
{
	uint64_t number;

	if (user && strcmp(field, user) == 0)
		return true;
	return lcx__parse_u64(field, UINT32_MAX, &number) == 0 && number == uid;
}

/* Behind the highest container id of the map. */
static uint64_t next_container_id(const struct lcx_idmap *map, enum lcx_id_kind kind)
{
	uint64_t next = 0;
	size_t n;
	const struct lcx__id_range *ranges = lcx__idmap_ranges(map, kind, &n);

	for (size_t i = 0; i < n; i++) {
		uint64_t end = (uint64_t)ranges[i].container_id + ranges[i].count;

		next = end > next ? end : next;
	}
	return next;
}

/* @line is cut up. Return: 1 if it was the user's, 0 if it is another's. */
static int add_line(struct lcx_idmap *map, enum lcx_id_kind kind, const char *file, char *line,
		    const char *user, uint32_t uid, struct lcx_error **err)
{
	char *first_text = strchr(line, ':'), *count_text;
	uint64_t first, count, next = next_container_id(map, kind);
	int r;

	if (!first_text)
		return 0;
	*first_text++ = '\0';
	if (!is_of_user(line, user, uid))
		return 0;
	count_text = strchr(first_text, ':');
	if (count_text)
		*count_text++ = '\0';
	if (!count_text || lcx__parse_u64(first_text, UINT32_MAX, &first) < 0 ||
	    lcx__parse_u64(count_text, UINT32_MAX, &count) < 0)
		return lcx__fail(err, EINVAL, "/etc/%s: the line of '%s' is not NAME:FIRST:COUNT",
				 file, line);
	if (next > UINT32_MAX)
		return lcx__fail(err, ERANGE, "/etc/%s: there are more ids than a map can have",
				 file);
	r = lcx_idmap_add(map, kind, (uint32_t)next, (uint32_t)first, (uint32_t)count, err);
	return r < 0 ? lcx__fail_prefix(err, r, "/etc/%s", file) : 1;
}

int lcx__idmap_add_subids_text(struct lcx_idmap *map, enum lcx_id_kind kind, const char *file,
			       char *text, const char *user, uint32_t uid, struct lcx_error **err)
{
	char *line, *rest = text;
	int found = 0, r;

	while ((line = strsep(&rest, "\n")) != NULL) {
		r = add_line(map, kind, file, line, user, uid, err);
		if (r < 0)
			return r;
		found += r;
	}
	return found;
}

static int add_file(struct lcx_idmap *map, int etc_fd, enum lcx_id_kind kind, const char *file,
		    const char *user, uint32_t uid, struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	int r = lcx__read_file(etc_fd, file, FILE_LIMIT, &text, NULL);

	if (r < 0 && r != -ENOENT)
		return lcx__fail_sys(err, -r, "read /etc/%s", file);
	r = lcx__idmap_add_subids_text(map, kind, file, text, user, uid, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return lcx__fail(
		err, ENOENT,
		"user '%s' (%u) has no subordinate ids in /etc/%s: the administrator adds them "
		"with usermod(8)",
		user ? user : "", uid, file);
}

int lcx__idmap_add_subids(struct lcx_idmap *map, int etc_fd, const char *user, uint32_t uid,
			  struct lcx_error **err)
{
	size_t before[ARRAY_SIZE(files)];
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		before[i] = lcx_idmap_count(map, files[i].kind);
	for (size_t i = 0; i < ARRAY_SIZE(files) && r == 0; i++)
		r = add_file(map, etc_fd, files[i].kind, files[i].file, user, uid, err);
	for (size_t i = 0; i < ARRAY_SIZE(files) && r < 0; i++)
		lcx__idmap_truncate(map, files[i].kind, before[i]);
	return r;
}

LCX_PUBLIC int lcx_idmap_add_subids(struct lcx_idmap *map, const char *user, uint32_t uid,
				    struct lcx_error **err)
{
	CLEANUP(closep) int etc_fd = open("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (etc_fd < 0)
		return lcx__fail_sys(err, errno, "open '/etc'");
	return lcx__idmap_add_subids(map, etc_fd, user, uid, err);
}
