/* SPDX-License-Identifier: MIT */
/*
 * A POSIX access control list, in three forms. In an archive it is words, as star has them and
 * GNU tar and libarchive after it: "user::rw-,user:1000:r--,mask::r--", where a named entry may
 * have a number behind its permissions. Names mean nothing where the archive is unpacked,
 * so that a number must be there. For the kernel it is an attribute: a version, and
 * entries of eight bytes in the order of their tags.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "tar/tar.h"

enum { VERSION = 2, ENTRIES_MAX = 1024, NO_ID = -1 };

enum tag {
	USER_OBJ = 0x01,
	USER = 0x02,
	GROUP_OBJ = 0x04,
	GROUP = 0x08,
	MASK = 0x10,
	OTHER = 0x20,
};

struct entry {
	uint16_t tag, perm;
	uint32_t id;
};

_Static_assert(sizeof(struct entry) == 8, "as the kernel has it");
enum { HEADER = 4 };

static const struct {
	const char *word, *letter;
	enum tag plain, named; /* without and with an id; 0: there is none */
} tags[] = {
	{"user", "u", USER_OBJ, USER},
	{"group", "g", GROUP_OBJ, GROUP},
	{"mask", "m", MASK, 0},
	{"other", "o", OTHER, 0},
};

bool lcx__acl_is(const char *name)
{
	return strcmp(name, "system.posix_acl_access") == 0 ||
	       strcmp(name, "system.posix_acl_default") == 0;
}

/* ---- from words ---- */

static int parse_perm(const char *text, uint16_t *ret)
{
	static const char letters[] = "rwx";
	size_t length = strlen(text);

	*ret = 0;
	if (length != 3)
		return -EBADMSG;
	for (size_t i = 0; i < 3; i++) {
		if (text[i] != letters[i] && text[i] != '-')
			return -EBADMSG;
		*ret = (uint16_t)(*ret << 1 | (text[i] != '-'));
	}
	return 0;
}

static int parse_id(const char *text, uint32_t *ret)
{
	uint64_t id;

	if (lcx__parse_u64(text, UINT32_MAX - 1, &id) < 0)
		return -EBADMSG;
	*ret = (uint32_t)id;
	return 0;
}

/* "TAG:[WHO]:PERM[:ID]", and of a mask or the others also "TAG:PERM" */
static const char *parse_entry(char *text, struct entry *e)
{
	char *rest = text, *tag = strsep(&rest, ":"), *who = strsep(&rest, ":"),
	     *perm = strsep(&rest, ":"), *id = strsep(&rest, ":");
	size_t i = 0;

	while (i < ARRAY_SIZE(tags) && strcmp(tag, tags[i].word) != 0 &&
	       strcmp(tag, tags[i].letter) != 0)
		i++;
	if (i == ARRAY_SIZE(tags) || !who || rest)
		return "an entry of no known kind";
	if (!perm && !tags[i].named) {
		perm = who;
		who = tag + strlen(tag);
	}
	if (!perm || parse_perm(perm, &e->perm) < 0)
		return "permissions that are none";
	e->tag = who[0] ? tags[i].named : tags[i].plain;
	e->id = (uint32_t)NO_ID;
	if (!e->tag)
		return "a mask or others with a name";
	if (who[0] && parse_id(id ? id : who, &e->id) < 0)
		return id ? "an id that is none"
			  : "a name without its number; archive it with numbers";
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* What the kernel would refuse, too, with words. The entries are sorted. */
static const char *check(const struct entry *entries, size_t n)
{
	unsigned int seen = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && compare(&entries[i - 1], &entries[i]) == 0)
			return "one entry twice";
		seen |= entries[i].tag;
	}
	if ((seen & (USER_OBJ | GROUP_OBJ | OTHER)) != (USER_OBJ | GROUP_OBJ | OTHER))
		return "nothing for the owner, the group or the others";
	if (seen & (USER | GROUP) && !(seen & MASK))
		return "no mask";
	return NULL;
}

static void store(char *to, const struct entry *e)
{
	const struct entry little = {htole16(e->tag), htole16(e->perm), htole32(e->id)};

	memcpy(to, &little, sizeof(little));
}

static void load(const char *from, struct entry *e)
{
	memcpy(e, from, sizeof(*e));
	*e = (struct entry){le16toh(e->tag), le16toh(e->perm), le32toh(e->id)};
}

static int encode(const struct entry *entries, size_t n, char **ret, size_t *ret_size)
{
	uint32_t version = htole32(VERSION);
	char *value = malloc(HEADER + n * sizeof(*entries));

	if (!value)
		return -ENOMEM;
	memcpy(value, &version, HEADER);
	for (size_t i = 0; i < n; i++)
		store(value + HEADER + i * sizeof(*entries), &entries[i]);
	*ret = value;
	*ret_size = HEADER + n * sizeof(*entries);
	return 0;
}

static const char *parse_words(char *words, struct entry *entries, size_t *ret_n)
{
	char *rest = words, *word;
	size_t n = 0;

	while ((word = strsep(&rest, ",\n"))) {
		const char *why;

		word += strspn(word, " \t");
		word[strcspn(word, " \t#")] = '\0'; /* star has remarks there */
		if (!word[0])
			continue;
		if (n == ENTRIES_MAX)
			return "too many entries";
		why = parse_entry(word, &entries[n++]);
		if (why)
			return why;
	}
	qsort(entries, n, sizeof(*entries), compare);
	*ret_n = n;
	return check(entries, n);
}

int lcx__acl_parse(const char *text, size_t size, char **ret, size_t *ret_size,
		   const char **ret_why)
{
	CLEANUP(freep) struct entry *entries = calloc(ENTRIES_MAX, sizeof(*entries));
	CLEANUP(freep) char *words = strndup(text, size);
	size_t n = 0;

	if (!entries || !words)
		return -ENOMEM;
	*ret_why = strlen(words) == size ? parse_words(words, entries, &n) : "a NUL";
	return *ret_why ? -EBADMSG : encode(entries, n, ret, ret_size);
}

/* ---- to words, and to other ids ---- */

static size_t count(const char *value, size_t size)
{
	uint32_t version;

	if (size < HEADER || (size - HEADER) % sizeof(struct entry) != 0)
		return 0;
	memcpy(&version, value, HEADER);
	return le32toh(version) == VERSION ? (size - HEADER) / sizeof(struct entry) : 0;
}

static void format_entry(const struct entry *e, struct lcx__strbuf *out)
{
	const char *before = out->length > 0 ? "," : "";
	size_t i = 0;

	while (e->tag != tags[i].plain && e->tag != tags[i].named)
		i++;
	if (e->tag == tags[i].named)
		lcx__strbuf_addf(out, "%s%s:%u:", before, tags[i].word, e->id);
	else
		lcx__strbuf_addf(out, "%s%s::", before, tags[i].word);
	lcx__strbuf_addf(out, "%c%c%c", e->perm & 4 ? 'r' : '-', e->perm & 2 ? 'w' : '-',
			 e->perm & 1 ? 'x' : '-');
}

static bool is_known(const struct entry *e)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(tags) && e->tag != tags[i].plain && e->tag != tags[i].named)
		i++;
	return i < ARRAY_SIZE(tags) && e->tag != 0 && e->perm <= 7;
}

bool lcx__acl_format(const char *value, size_t size, struct lcx__strbuf *out)
{
	size_t n = count(value, size);
	CLEANUP(freep) struct entry *entries = calloc(n + 1, sizeof(*entries));

	if (!entries) {
		out->failed = true;
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		load(value + HEADER + i * sizeof(*entries), &entries[i]);
		if (!is_known(&entries[i]))
			return false;
		if (!(entries[i].tag & (USER | GROUP)))
			entries[i].id = (uint32_t)NO_ID; /* the kernel doesn't look at it */
		else if (entries[i].id == (uint32_t)NO_ID)
			return false;
	}
	qsort(entries, n, sizeof(*entries), compare);
	if (n > ENTRIES_MAX || check(entries, n))
		return false;
	for (size_t i = 0; i < n; i++)
		format_entry(&entries[i], out);
	return true;
}

typedef uint32_t translate_fn(const struct lcx__id_map *map, uint32_t id);

static void translate(char *value, size_t *size, const struct lcx__id_map *map,
		      translate_fn *user_there, translate_fn *user_back, translate_fn *group_there,
		      translate_fn *group_back)
{
	size_t n = map ? count(value, *size) : 0, kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct entry e;

		load(value + HEADER + i * sizeof(e), &e);
		if (e.tag == USER || e.tag == GROUP) {
			bool user = e.tag == USER;
			uint32_t id = (user ? user_there : group_there)(map, e.id);

			/* What stands for "nobody" comes back as another. */
			if ((user ? user_back : group_back)(map, id) != e.id)
				continue;
			e.id = id;
		}
		store(value + HEADER + kept++ * sizeof(e), &e);
	}
	if (n > 0)
		*size = HEADER + kept * sizeof(struct entry);
}

void lcx__acl_inside(char *value, size_t *size, const struct lcx__id_map *map)
{
	translate(value, size, map, lcx__uid_inside, lcx__uid_outside, lcx__gid_inside,
		  lcx__gid_outside);
}

void lcx__acl_outside(char *value, size_t *size, const struct lcx__id_map *map)
{
	translate(value, size, map, lcx__uid_outside, lcx__uid_inside, lcx__gid_outside,
		  lcx__gid_inside);
}
