/* SPDX-License-Identifier: MIT */
#include "criu/criu.h"

#include <ctype.h>
#include <string.h>

/*
 * Protocol buffers: a message is a sequence of a key and a value; the key is the number of
 * the member and the kind of its value. Numbers and keys are written in groups of seven bits, the
 * lowest first, with the eighth bit set in all but the last. Texts and messages have their length
 * before them. Members come in any order; those that are not known are passed over.
 */

enum kind { NUMBER = 0, EIGHT_BYTES = 1, BYTES = 2, FOUR_BYTES = 5 };

/* ---- writing ---- */

static void put_number(struct lcx__strbuf *buf, uint64_t value)
{
	unsigned char byte;

	do {
		byte = value & 0x7f;
		value >>= 7;
		if (value)
			byte |= 0x80;
		lcx__strbuf_add(buf, &byte, 1);
	} while (value);
}

static void put_key(struct lcx__strbuf *buf, uint32_t field, enum kind kind)
{
	put_number(buf, (uint64_t)field << 3 | kind);
}

static void put_member(struct lcx__strbuf *buf, uint32_t field, int64_t value)
{
	put_key(buf, field, NUMBER);
	put_number(buf, (uint64_t)value);
}

static void put_bytes(struct lcx__strbuf *buf, uint32_t field, const void *data, size_t length)
{
	put_key(buf, field, BYTES);
	put_number(buf, length);
	lcx__strbuf_add(buf, data, length);
}

/* What can't be put together makes the whole fail. */
static void put_message(struct lcx__strbuf *buf, uint32_t field, const struct lcx__strbuf *message)
{
	put_bytes(buf, field, message->text ? message->text : "", message->length);
	buf->failed |= message->failed;
}

void lcx__criu_put_number(struct lcx__strbuf *options, enum lcx__criu_option option, int64_t value)
{
	put_member(options, option, value);
}

void lcx__criu_put_text(struct lcx__strbuf *options, enum lcx__criu_option option, const char *text)
{
	put_bytes(options, option, text, strlen(text));
}

void lcx__criu_put_inherited(struct lcx__strbuf *options, int fd, const char *key)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf one = STRBUF_EMPTY;

	put_bytes(&one, 1, key, strlen(key));
	put_member(&one, 2, fd);
	put_message(options, LCX__CRIU_INHERIT_FD, &one);
}

/* criu_page_server_info */
void lcx__criu_put_page_server(struct lcx__strbuf *options, const char *address, uint16_t port)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf one = STRBUF_EMPTY;

	if (address)
		put_bytes(&one, 1, address, strlen(address));
	put_member(&one, 2, port);
	put_message(options, LCX__CRIU_PAGE_SERVER, &one);
}

/* criu_req */
enum { REQUEST_TYPE = 1, REQUEST_OPTIONS = 2, REQUEST_NOTIFIED = 3 };

void lcx__criu_put_request(struct lcx__strbuf *message, enum lcx__criu_type type,
			   const struct lcx__strbuf *options)
{
	put_member(message, REQUEST_TYPE, type);
	if (options)
		put_message(message, REQUEST_OPTIONS, options);
}

void lcx__criu_put_notified(struct lcx__strbuf *message, bool success)
{
	put_member(message, REQUEST_TYPE, LCX__CRIU_NOTIFY);
	put_member(message, REQUEST_NOTIFIED, success);
}

/* ---- reading ---- */

enum place { RESPONSE, RESTORE, NOTIFICATION, VERSION };

static const struct rule {
	enum place in;
	uint32_t field;
	enum kind kind;
	size_t offset, size; /* of a text */
	enum place inner;    /* of a message: its size is 0 */
} rules[] = {
#define NUMBER_AT(in, field, member)                                                               \
	{                                                                                          \
		in, field, NUMBER, offsetof(struct lcx__criu_answer, member), sizeof(int64_t), 0   \
	}
#define TEXT_AT(in, field, member)                                                                 \
	{                                                                                          \
		in, field, BYTES, offsetof(struct lcx__criu_answer, member),                       \
			sizeof(((struct lcx__criu_answer *)0)->member), 0                          \
	}
	NUMBER_AT(RESPONSE, 1, type),
	NUMBER_AT(RESPONSE, 2, success),
	{RESPONSE, 4, BYTES, 0, 0, RESTORE},
	NUMBER_AT(RESTORE, 1, pid),
	{RESPONSE, 5, BYTES, 0, 0, NOTIFICATION},
	TEXT_AT(NOTIFICATION, 1, script),
	NUMBER_AT(NOTIFICATION, 2, notify_pid),
	NUMBER_AT(RESPONSE, 7, error),
	TEXT_AT(RESPONSE, 9, words),
	{RESPONSE, 10, BYTES, 0, 0, VERSION},
	NUMBER_AT(VERSION, 1, major),
	NUMBER_AT(VERSION, 2, minor),
};

struct reader {
	const unsigned char *at, *end;
};

static int get_number(struct reader *reader, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
		unsigned char byte = *reader->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return 0;
		}
	}
	return -EBADMSG;
}

static int get_bytes(struct reader *reader, struct reader *ret)
{
	uint64_t length;

	if (get_number(reader, &length) < 0 || length > (uint64_t)(reader->end - reader->at))
		return -EBADMSG;
	*ret = (struct reader){reader->at, reader->at + length};
	reader->at += length;
	return 0;
}

static int skip(struct reader *reader, uint32_t kind)
{
	size_t length = kind == EIGHT_BYTES ? 8 : 4;
	struct reader bytes;
	uint64_t number;

	switch (kind) {
	case NUMBER:
		return get_number(reader, &number);
	case BYTES:
		return get_bytes(reader, &bytes);
	case EIGHT_BYTES:
	case FOUR_BYTES:
		if ((size_t)(reader->end - reader->at) < length)
			return -EBADMSG;
		reader->at += length;
		return 0;
	default:
		return -EBADMSG;
	}
}

/* It ends up in a message for people. */
static void copy_text(const struct reader *from, char *to, size_t size)
{
	size_t n = (size_t)(from->end - from->at) < size - 1 ? (size_t)(from->end - from->at)
							     : size - 1;

	for (size_t i = 0; i < n; i++)
		to[i] = isprint(from->at[i]) ? (char)from->at[i] : ' ';
	while (n > 0 && to[n - 1] == ' ')
		n--;
	to[n] = '\0';
}

static const struct rule *find(enum place in, uint32_t field, uint32_t kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].in == in && rules[i].field == field && rules[i].kind == kind)
			return &rules[i];
	return NULL;
}

static int read_message(struct reader reader, enum place in, struct lcx__criu_answer *ret);

static int read_member(struct reader *reader, const struct rule *rule, struct lcx__criu_answer *ret)
{
	char *place = (char *)ret + rule->offset;
	struct reader bytes;
	uint64_t number;

	if (rule->kind == NUMBER) {
		if (get_number(reader, &number) < 0)
			return -EBADMSG;
		memcpy(place, &number, sizeof(number));
		return 0;
	}
	if (get_bytes(reader, &bytes) < 0)
		return -EBADMSG;
	if (rule->size == 0)
		return read_message(bytes, rule->inner, ret);
	copy_text(&bytes, place, rule->size);
	return 0;
}

/* Messages within messages: the rules are a tree, two levels high. */
static int read_message(struct reader reader, enum place in, struct lcx__criu_answer *ret)
{
	while (reader.at < reader.end) {
		const struct rule *rule;
		uint64_t key;
		int r = get_number(&reader, &key);

		if (r < 0 || key >> 3 == 0 || key >> 3 > UINT32_MAX)
			return -EBADMSG;
		rule = find(in, (uint32_t)(key >> 3), key & 7);
		r = rule ? read_member(&reader, rule, ret) : skip(&reader, key & 7);
		if (r < 0)
			return r;
	}
	return 0;
}

int lcx__criu_decode(const void *data, size_t length, struct lcx__criu_answer *ret)
{
	struct lcx__criu_answer answer = {0};
	const unsigned char *at = data;
	int r = read_message((struct reader){at, at + length}, RESPONSE, &answer);

	/* "type" is required, and no answer's is 0. */
	if (r < 0 || answer.type == 0)
		return -EBADMSG;
	*ret = answer;
	return 0;
}
