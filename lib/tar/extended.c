/* SPDX-License-Identifier: MIT */
/*
 * Extended headers: records "LENGTH KEY=VALUE\n" that outdo the plain header. A header of
 * type 'x' is for the next entry, one of type 'g' for all to come. What can't be taken is
 * kept in words: only the entry's name, which may be a later record, tells whose it is.
 * Unknown keys are for others, as the format wants it.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "tar/read-internal.h"

enum { XATTRS_MAX = 1024 };

static void clear_xattr(struct lcx__tar_xattr *xattr)
{
	free(xattr->name);
	free(xattr->value);
}

void lcx__tar_extended_clear(struct lcx__tar_extended *x)
{
	free(x->path);
	free(x->link);
	free(x->sparse_path);
	for (size_t i = 0; i < x->n_xattrs; i++)
		clear_xattr(&x->xattrs[i]);
	free(x->xattrs);
	lcx__tar_map_clear(&x->map);
	*x = (struct lcx__tar_extended){0};
}

/* ---- values ---- */

struct record {
	const char *key, *value; /* with a NUL behind */
	size_t size;
	bool global;
};

static int trouble(struct lcx__tar_extended *x, const struct record *record, const char *why)
{
	if (!x->trouble[0])
		(void)snprintf(x->trouble, sizeof(x->trouble), "%.60s: %s", record->key, why);
	return 0;
}

/* An empty value takes away what would otherwise count. */
static int set_text(struct lcx__tar_extended *x, const struct record *record, char **place)
{
	char *copy = NULL;

	if (record->size >= PATH_MAX)
		(void)trouble(x, record, "a name of so many bytes is too long");
	if (strlen(record->value) < record->size)
		(void)trouble(x, record, "a NUL in a name");
	if (record->size > 0) {
		/* Of one that is too long there is enough for the words. */
		copy = strndup(record->value, PATH_MAX - 1);
		if (!copy)
			return -ENOMEM;
	}
	free(*place);
	*place = copy;
	return 0;
}

static int set_number(struct lcx__tar_extended *x, const struct record *record,
		      struct lcx__tar_value *place)
{
	*place = (struct lcx__tar_value){record->size ? VALUE_SET : VALUE_DELETED, 0};
	if (record->size > 0 && lcx__parse_u64(record->value, INT64_MAX, &place->number) < 0)
		return trouble(x, record, "a number that is none or out of range");
	return 0;
}

/* "[-]SECONDS[.FRACTION]"; below zero the fraction counts away from it. */
static int parse_time(const char *text, struct timespec *ret)
{
	bool negative = *text == '-';
	int64_t seconds = 0;
	long ns = 0, unit = 100000000;

	text += negative;
	if (*text < '0' || *text > '9')
		return -EBADMSG;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(seconds, 10, &seconds) ||
		    __builtin_add_overflow(seconds, *text - '0', &seconds))
			return -EBADMSG;
	}
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
			ns += (*text - '0') * unit;
	if (*text)
		return -EBADMSG;
	ret->tv_sec = negative ? -seconds - (ns > 0) : seconds;
	ret->tv_nsec = negative && ns > 0 ? 1000000000 - ns : ns;
	return 0;
}

static int set_mtime(struct lcx__tar_extended *x, const struct record *record)
{
	x->has_mtime = record->size > 0;
	x->deleted_mtime = record->size == 0;
	if (x->has_mtime && parse_time(record->value, &x->mtime) < 0)
		return trouble(x, record, "a time that is none or out of range");
	return 0;
}

/* ---- attributes ---- */

static struct lcx__tar_xattr *find_xattr(const struct lcx__tar_extended *x, const char *name)
{
	for (size_t i = 0; i < x->n_xattrs; i++)
		if (strcmp(x->xattrs[i].name, name) == 0)
			return &x->xattrs[i];
	return NULL;
}

/* @value: taken over, whatever comes of it. The last one of a name counts. */
static int put_xattr(struct lcx__tar_extended *x, const char *name, char *value, size_t size)
{
	struct lcx__tar_xattr *place = find_xattr(x, name), *bigger;

	if (!value)
		return -ENOMEM;
	if (place) {
		free(place->value);
		place->value = value;
		place->size = size;
		return 0;
	}
	bigger = reallocarray(x->xattrs, x->n_xattrs + 1, sizeof(*bigger));
	if (!bigger) {
		free(value);
		return -ENOMEM;
	}
	x->xattrs = bigger;
	bigger[x->n_xattrs] = (struct lcx__tar_xattr){strdup(name), value, size};
	return bigger[x->n_xattrs++].name ? 0 : -ENOMEM;
}

static char *copy_value(const char *value, size_t size)
{
	char *copy = malloc(size + 1);

	if (copy) {
		memcpy(copy, value, size);
		copy[size] = '\0';
	}
	return copy;
}

/* GNU tar hides the two characters that a key can't have, or that would be taken for this. */
static void decode_name(char *name)
{
	char *to = name;

	for (const char *from = name; *from; to++) {
		bool equals = strncasecmp(from, "%3d", 3) == 0;

		if (equals || strncmp(from, "%25", 3) == 0) {
			*to = equals ? '=' : '%';
			from += 3;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static int set_xattr(struct lcx__tar_extended *x, const struct record *record)
{
	CLEANUP(freep) char *name = strdup(record->key + strlen("SCHILY.xattr."));

	if (!name)
		return -ENOMEM;
	decode_name(name);
	if (!name[0])
		return 0;
	if (x->n_xattrs == XATTRS_MAX)
		return trouble(x, record, "too many attributes");
	return put_xattr(x, name, copy_value(record->value, record->size), record->size);
}

static int set_acl(struct lcx__tar_extended *x, const struct record *record)
{
	const char *kind = record->key + strlen("SCHILY.acl."), *why = NULL;
	CLEANUP(freep) char *name = lcx__format("system.posix_acl_%s", kind);
	char *value = NULL;
	size_t size = 0;
	int r;

	if (!name)
		return -ENOMEM;
	if (!lcx__acl_is(name))
		return trouble(x, record, "an access control list of a kind that Linux hasn't");
	if (record->size == 0)
		return 0;
	r = lcx__acl_parse(record->value, record->size, &value, &size, &why);
	if (r == -EBADMSG)
		return trouble(x, record, why);
	return r < 0 ? r : put_xattr(x, name, value, size);
}

int lcx__tar_extended_inherit(struct lcx__tar_extended *x, const struct lcx__tar_extended *global)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < global->n_xattrs; i++) {
		const struct lcx__tar_xattr *from = &global->xattrs[i];

		if (!find_xattr(x, from->name))
			r = put_xattr(x, from->name, copy_value(from->value, from->size),
				      from->size);
	}
	return r;
}

/* ---- sparse files ---- */

static int map_result(struct lcx__tar_extended *x, const struct record *record, int r)
{
	x->has_map = true;
	return r == 0 || r == -ENOMEM ? r : trouble(x, record, "a map that is none, or too long");
}

static int set_map(struct lcx__tar_extended *x, const struct record *record)
{
	lcx__tar_map_clear(&x->map);
	return map_result(x, record, lcx__tar_map_parse(&x->map, record->value));
}

/* The oldest form: each piece is two records. */
static int set_map_offset(struct lcx__tar_extended *x, const struct record *record)
{
	if (x->has_map_offset || lcx__parse_u64(record->value, INT64_MAX, &x->map_offset) < 0)
		return map_result(x, record, -EBADMSG);
	x->has_map_offset = true;
	return 0;
}

static int set_map_size(struct lcx__tar_extended *x, const struct record *record)
{
	uint64_t size;

	if (!x->has_map_offset || lcx__parse_u64(record->value, INT64_MAX, &size) < 0)
		return map_result(x, record, -EBADMSG);
	x->has_map_offset = false;
	return map_result(x, record, lcx__tar_map_add(&x->map, x->map_offset, size));
}

/* ---- records ---- */

#define TEXT(member)   set_text, NULL, offsetof(struct lcx__tar_extended, member)
#define NUMBER(member) NULL, set_number, offsetof(struct lcx__tar_extended, member)

static const struct {
	const char *key;
	bool one; /* of a single entry: what it would mean for all is nothing, or an attack */
	int (*set)(struct lcx__tar_extended *, const struct record *);
	int (*text)(struct lcx__tar_extended *, const struct record *, char **);
	int (*number)(struct lcx__tar_extended *, const struct record *, struct lcx__tar_value *);
	size_t offset;
} rules[] = {
	{"path", true, NULL, TEXT(path)},
	{"linkpath", true, NULL, TEXT(link)},
	{"size", true, NULL, NUMBER(size)},
	{"uid", false, NULL, NUMBER(uid)},
	{"gid", false, NULL, NUMBER(gid)},
	{"mtime", false, set_mtime, NULL, NULL, 0},
	{"SCHILY.devmajor", true, NULL, NUMBER(dev_major)},
	{"SCHILY.devminor", true, NULL, NUMBER(dev_minor)},
	{"SCHILY.realsize", true, NULL, NUMBER(real_size)},
	{"GNU.sparse.major", true, NULL, NUMBER(sparse_major)},
	{"GNU.sparse.minor", true, NULL, NUMBER(sparse_minor)},
	{"GNU.sparse.name", true, NULL, TEXT(sparse_path)},
	{"GNU.sparse.realsize", true, NULL, NUMBER(real_size)},
	{"GNU.sparse.size", true, NULL, NUMBER(real_size)},
	{"GNU.sparse.map", true, set_map, NULL, NULL, 0},
	{"GNU.sparse.offset", true, set_map_offset, NULL, NULL, 0},
	{"GNU.sparse.numbytes", true, set_map_size, NULL, NULL, 0},
};

static int set_record(struct lcx__tar_extended *x, const struct record *record)
{
	size_t i = 0;
	void *place;

	if (strncmp(record->key, "SCHILY.xattr.", 13) == 0)
		return set_xattr(x, record);
	if (strncmp(record->key, "SCHILY.acl.", 11) == 0)
		return set_acl(x, record);
	while (i < ARRAY_SIZE(rules) && strcmp(record->key, rules[i].key) != 0)
		i++;
	if (i == ARRAY_SIZE(rules))
		return 0;
	if (record->global && rules[i].one)
		return trouble(x, record, "that can't be said of all entries at once");
	if (rules[i].set)
		return rules[i].set(x, record);
	place = (char *)x + rules[i].offset;
	return rules[i].text ? rules[i].text(x, record, place) : rules[i].number(x, record, place);
}

int lcx__tar_extended_parse(struct lcx__tar_extended *x, char *at, size_t size, bool global)
{
	char *end = at + size;

	while (at < end) {
		char *digits = at, *record_end, *key, *value;
		struct record record;
		uint64_t length = 0;
		int r;

		for (; at < end && *at >= '0' && *at <= '9' && length < size; at++)
			length = length * 10 + (uint64_t)(*at - '0');
		if (at == digits || at == end || *at != ' ' || length > (uint64_t)(end - digits))
			return -EBADMSG;
		record_end = digits + length - 1;
		key = at + 1;
		if (record_end < key || *record_end != '\n')
			return -EBADMSG;
		value = memchr(key, '=', (size_t)(record_end - key));
		if (!value)
			return -EBADMSG;
		*value++ = '\0';
		*record_end = '\0';
		record = (struct record){key, value, (size_t)(record_end - value), global};
		r = set_record(x, &record);
		if (r < 0)
			return r;
		at = record_end + 1;
	}
	return 0;
}

int lcx__tar_extended_path(struct lcx__tar_extended *x, const char *text, size_t size)
{
	return set_text(x, &(const struct record){"path", text, strnlen(text, size), false},
			&x->path);
}

int lcx__tar_extended_link(struct lcx__tar_extended *x, const char *text, size_t size)
{
	return set_text(x, &(const struct record){"linkpath", text, strnlen(text, size), false},
			&x->link);
}
