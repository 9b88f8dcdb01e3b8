/* SPDX-License-Identifier: MIT */
#include "security/user.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fs.h"
#include "util/opt.h"
#include "util/str.h"
#include "util/weaken.h"

/*
 * Two rules settle the known ways to become root by accident. A string of
 * digits is a number, whatever stands in the files: a user *named* "1000" in a hostile
 * image changes nothing. And what is neither a clean number nor a clean name
 * is refused, never read as 0.
 */

enum {
	MAX_FILE_SIZE = 4 << 20,
	MAX_NAME = 256,
	MAX_GROUPS = 65536, /* NGROUPS_MAX of Linux: setgroups(2) takes no more */
};
#define MAX_ID (UINT32_MAX - 1) /* UINT32_MAX is "no change" for setresuid(2) */

struct lcx_user {
	uint32_t uid, gid;
	LCX__LIST(uint32_t) groups;
	char *name, *home;
};

/* One half of "user:group". */
struct who {
	char name[MAX_NAME];
	bool is_number;
	uint32_t id;
};

LCX_PUBLIC struct lcx_user *lcx_user_free(struct lcx_user *user)
{
	if (!user)
		return NULL;
	free(user->groups.items);
	free(user->name);
	free(user->home);
	free(user);
	return NULL;
}

static bool name_is_clean(const char *name)
{
	/* Starting with a digit or a sign, it is a number that went wrong. */
	if (strchr("0123456789+-", name[0]))
		return false;
	for (; *name; name++)
		if ((unsigned char)*name <= ' ' || *name == 0x7f || *name == ':' || *name == '/')
			return false;
	return true;
}

static int parse_who(const char *text, size_t length, const char *what, struct who *ret,
		     struct lcx_error **err)
{
	uint64_t id;
	int r;

	*ret = (struct who){0};
	if (length == 0)
		return lcx__fail(err, EINVAL, "the %s is empty; give a number or a name", what);
	if (length >= MAX_NAME)
		return lcx__fail(err, EINVAL, "the %s is longer than %d bytes", what, MAX_NAME - 1);
	memcpy(ret->name, text, length);
	ret->name[length] = '\0';

	r = lcx__parse_u64(ret->name, MAX_ID, &id);
	if (lcx__is_off(USERS)) {
		id = (uint32_t)strtoull(ret->name, NULL, 10);
		r = 0;
	}
	if (r == 0) {
		ret->is_number = true;
		ret->id = (uint32_t)id;
		return 0;
	}
	if (r == -ERANGE)
		return lcx__fail(err, EINVAL, "the %s '%s' is beyond %u", what, ret->name, MAX_ID);
	if (!name_is_clean(ret->name))
		return lcx__fail(err, EINVAL, "the %s '%s' is neither a number nor a name", what,
				 ret->name);
	ret->is_number = false;
	return 0;
}

/* A file of the root file system as text; *@ret stays NULL if there is none. */
static int read_in_root(int root_fd, const char *path, char **ret, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	struct stat st;
	size_t length;
	int r;

	/* O_NONBLOCK: a fifo must not hold us up before fstat() tells that it is one. */
	fd = lcx__open_in_root(root_fd, path,
			       O_RDONLY | (lcx__is_off(FIFO) ? 0 : O_NONBLOCK) | O_NOCTTY, 0);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open %s of the root file system", path);
	if (fstat(fd, &st) < 0)
		return lcx__fail_sys(err, errno, "look at %s of the root file system", path);
	if (!S_ISREG(st.st_mode))
		return lcx__fail(err, EBADMSG, "%s of the root file system is no regular file",
				 path);
	r = lcx__read_fd(fd, MAX_FILE_SIZE, ret, &length);
	if (r == -EFBIG)
		return lcx__fail(err, EBADMSG, "%s of the root file system is larger than 4 MiB",
				 path);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read %s of the root file system", path);
	if (strlen(*ret) != length)
		return lcx__fail(err, EBADMSG, "%s of the root file system contains a NUL", path);
	return 0;
}

/*
 * Cut the next line at its colons into exactly @n fields; lines that have another number are
 * skipped, as are comments. False at the end of @text.
 */
static bool next_entry(char **text, char **fields, size_t n)
{
	while (*text && **text) {
		char *line = strsep(text, "\n");
		size_t count = 0;

		if (line[0] == '#' || line[0] == '\0')
			continue;
		while (line) {
			char *field = strsep(&line, ":");

			if (count < n)
				fields[count] = field;
			count++;
		}
		if (count == n)
			return true;
	}
	return false;
}

static int parse_id(const char *file, const char *name, const char *text, uint32_t *ret,
		    struct lcx_error **err)
{
	uint64_t id;

	if (lcx__parse_u64(text, MAX_ID, &id) < 0)
		return lcx__fail(err, EBADMSG, "%s: '%.64s' has the id '%.64s', which is none",
				 file, name, text);
	*ret = (uint32_t)id;
	return 0;
}

static bool id_matches(const char *text, uint32_t id)
{
	uint64_t value;

	return lcx__parse_u64(text, MAX_ID, &value) == 0 && value == id;
}

/* The first entry that matches wins, as everywhere. */
static bool entry_matches(char *const *fields, const struct who *who)
{
	return who->is_number ? id_matches(fields[2], who->id) : strcmp(fields[0], who->name) == 0;
}

/* No path is longer, and an execve(2) with a variable beyond 128 KiB fails. */
static bool is_home(const char *text)
{
	return text[0] == '/' && strlen(text) < PATH_MAX;
}

/* passwd(5): name, password, uid, gid, comment, home, shell. */
static int find_user(char *passwd, const struct who *who, struct lcx_user *user,
		     struct lcx_error **err)
{
	static const char file[] = "/etc/passwd of the root file system";
	char *fields[7];
	int r;

	while (next_entry(&passwd, fields, ARRAY_SIZE(fields))) {
		if (!entry_matches(fields, who))
			continue;
		r = parse_id(file, fields[0], fields[2], &user->uid, err);
		if (r == 0)
			r = parse_id(file, fields[0], fields[3], &user->gid, err);
		if (r < 0)
			return r;
		user->name = strdup(fields[0]);
		user->home = strdup(is_home(fields[5]) ? fields[5] : "/");
		return user->name && user->home ? 0 : lcx__fail_nomem(err);
	}
	if (!who->is_number)
		return lcx__fail(err, ENOENT,
				 "there is no user '%s' in %s; add it, or give a number", who->name,
				 file);
	user->uid = who->id;
	user->name = strdup("");
	user->home = strdup("/");
	return user->name && user->home ? 0 : lcx__fail_nomem(err);
}

/* group(5): name, password, gid, members. */
static int find_group(char *text, const struct who *who, uint32_t *ret, struct lcx_error **err)
{
	static const char file[] = "/etc/group of the root file system";
	char *fields[4];

	if (who->is_number) {
		*ret = who->id;
		return 0;
	}
	while (next_entry(&text, fields, ARRAY_SIZE(fields)))
		if (entry_matches(fields, who))
			return parse_id(file, fields[0], fields[2], ret, err);
	return lcx__fail(err, ENOENT, "there is no group '%s' in %s; add it, or give a number",
			 who->name, file);
}

static bool is_member(char *members, const char *name)
{
	while (members)
		if (strcmp(strsep(&members, ","), name) == 0)
			return true;
	return false;
}

static int add_group(struct lcx_user *user, uint32_t gid, struct lcx_error **err)
{
	uint32_t *item;

	/* Twice the same does no harm, and looking would be quadratic on a hostile file. */
	if (user->groups.n == MAX_GROUPS)
		return lcx__fail(err, EBADMSG, "user '%s' is in more than %d groups", user->name,
				 MAX_GROUPS);
	item = lcx__list_grow(&user->groups, sizeof(*item));
	if (!item)
		return lcx__fail_nomem(err);
	*item = gid;
	return 0;
}

static int find_memberships(char *text, struct lcx_user *user, struct lcx_error **err)
{
	char *fields[4];
	uint32_t gid = 0;
	int r;

	if (user->name[0] == '\0')
		return 0;
	while (next_entry(&text, fields, ARRAY_SIZE(fields))) {
		if (!is_member(fields[3], user->name))
			continue;
		r = parse_id("/etc/group of the root file system", fields[0], fields[2], &gid, err);
		if (r == 0 && gid != user->gid)
			r = add_group(user, gid, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_user(const char *text, struct who *user, struct who *group, bool *has_group,
		      struct lcx_error **err)
{
	const char *colon = strchr(text, ':');
	int r;

	*has_group = colon != NULL;
	r = parse_who(text, colon ? (size_t)(colon - text) : strlen(text), "user", user, err);
	if (r == 0 && colon)
		r = parse_who(colon + 1, strlen(colon + 1), "group", group, err);
	return lcx__fail_prefix(err, r, "user '%.64s'", text);
}

LCX_PUBLIC int lcx_user_lookup(int32_t root_fd, const char *text, struct lcx_user **ret,
			       struct lcx_error **err)
{
	CLEANUP(lcx_user_freep) struct lcx_user *user = NULL;
	CLEANUP(freep) char *passwd = NULL, *groups = NULL;
	struct who who = {.is_number = true}, group = {0}; /* user 0, unless told otherwise */
	bool has_group = false;
	int r = 0;

	if (text)
		r = parse_user(text, &who, &group, &has_group, err);
	if (r == 0)
		r = read_in_root(root_fd, "/etc/passwd", &passwd, err);
	/* A number needs no file, and so none that is right. */
	if (r == 0 && !(has_group && group.is_number))
		r = read_in_root(root_fd, "/etc/group", &groups, err);
	if (r < 0)
		return r;

	user = calloc(1, sizeof(*user));
	if (!user)
		return lcx__fail_nomem(err);
	r = find_user(passwd, &who, user, err);
	/* With a group given, Docker takes that one and no other. */
	if (r == 0 && has_group)
		r = find_group(groups, &group, &user->gid, err);
	else if (r == 0)
		r = find_memberships(groups, user, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(user);
	return 0;
}

LCX_PUBLIC uint32_t lcx_user_uid(const struct lcx_user *user)
{
	return user->uid;
}

LCX_PUBLIC uint32_t lcx_user_gid(const struct lcx_user *user)
{
	return user->gid;
}

LCX_PUBLIC size_t lcx_user_group_count(const struct lcx_user *user)
{
	return user->groups.n;
}

LCX_PUBLIC uint32_t lcx_user_group(const struct lcx_user *user, size_t index)
{
	return index < user->groups.n ? user->groups.items[index] : UINT32_MAX;
}

LCX_PUBLIC const char *lcx_user_name(const struct lcx_user *user)
{
	return user->name;
}

LCX_PUBLIC const char *lcx_user_home(const struct lcx_user *user)
{
	return user->home;
}
