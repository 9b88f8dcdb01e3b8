/* SPDX-License-Identifier: MIT */
#include "dns/wire.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Bits of the header's second word. */
enum {
	FLAG_ANSWER = 0x8000,
	FLAGS_OPCODE = 0x7800,
	FLAG_AUTHORITATIVE = 0x0400,
	FLAG_TRUNCATED = 0x0200,
	FLAG_RECURSE = 0x0100,
	FLAG_CAN_RECURSE = 0x0080,
	FLAG_AUTHENTIC = 0x0020,
	FLAG_UNCHECKED = 0x0010,
	FLAGS_RCODE = 0x000f,
	EDNS_DNSSEC_OK = 0x8000,
};

enum {
	AT_ID = 0,
	AT_FLAGS = 2,
	AT_QUESTIONS = 4,
	AT_ANSWERS = 6,
	AT_AUTHORITIES = 8,
	AT_ADDITIONAL = 10,
	EDNS_SIZE = 11, /* without options */
	LABEL_LIMIT = 63,
	NAME_LIMIT = 255, /* as bytes */
	POINTER_TO_QUESTION = 0xc000 | DNS_HEADER_SIZE,
};

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* Of a host's name; a dot inside of a label would look like two labels. */
static bool byte_is_plain(uint8_t byte)
{
	return byte < 128 && (isalnum(byte) || byte == '-' || byte == '_');
}

/* The question's name, which cannot point to an earlier one. Return: its length, or 0. */
static size_t read_name(const uint8_t *bytes, size_t length, struct lcx__dns_query *query)
{
	size_t at = 0, n = 0;

	query->is_plain = true;
	while (at < length && bytes[at] != 0) {
		size_t label = bytes[at++];

		if (label > LABEL_LIMIT || label > length - at || at + label >= NAME_LIMIT)
			return 0;
		if (n > 0)
			query->name[n++] = '.';
		for (size_t i = 0; i < label; i++) {
			query->is_plain = query->is_plain && byte_is_plain(bytes[at + i]);
			query->name[n++] = (char)tolower(bytes[at + i]);
		}
		at += label;
	}
	query->name[n] = '\0';
	return at < length ? at + 1 : 0;
}

/* The one additional record that a query may have. Return: 0 or an rcode. */
static int read_edns(const uint8_t *bytes, size_t length, struct lcx__dns_query *query)
{
	uint16_t size;

	if (length < EDNS_SIZE || bytes[0] != 0 || get16(bytes + 1) != DNS_TYPE_OPT ||
	    get16(bytes + 9) > length - EDNS_SIZE)
		return DNS_FORMERR;
	query->has_edns = true;
	query->dnssec_ok = (get16(bytes + 7) & EDNS_DNSSEC_OK) != 0;
	size = get16(bytes + 3);
	query->udp_size = size < DNS_UDP_LEAST  ? DNS_UDP_LEAST
			  : size > DNS_UDP_MOST ? DNS_UDP_MOST
						: size;
	return bytes[6] == 0 ? 0 : DNS_BADVERS;
}

int lcx__dns_read_query(const uint8_t *bytes, size_t length, struct lcx__dns_query *ret)
{
	size_t at;

	*ret = (struct lcx__dns_query){.udp_size = DNS_UDP_LEAST};
	if (length < DNS_HEADER_SIZE || get16(bytes + AT_FLAGS) & FLAG_ANSWER)
		return -EBADMSG;
	ret->id = get16(bytes + AT_ID);
	ret->flags = get16(bytes + AT_FLAGS);
	if (ret->flags & FLAGS_OPCODE)
		return DNS_NOTIMP;
	if (get16(bytes + AT_QUESTIONS) != 1 || get16(bytes + AT_ANSWERS) != 0 ||
	    get16(bytes + AT_AUTHORITIES) != 0 || get16(bytes + AT_ADDITIONAL) > 1)
		return DNS_FORMERR;
	at = read_name(bytes + DNS_HEADER_SIZE, length - DNS_HEADER_SIZE, ret);
	if (at == 0 || length - DNS_HEADER_SIZE - at < 4)
		return DNS_FORMERR;
	ret->question_length = at + 4;
	memcpy(ret->question, bytes + DNS_HEADER_SIZE, ret->question_length);
	ret->type = get16(ret->question + at);
	ret->class = get16(ret->question + at + 2);
	at = DNS_HEADER_SIZE + ret->question_length;
	return get16(bytes + AT_ADDITIONAL) == 0 ? 0 : read_edns(bytes + at, length - at, ret);
}

/* Return: its length. */
static size_t write_edns(uint8_t *bytes, unsigned int extended_rcode, bool dnssec_ok)
{
	memset(bytes, 0, EDNS_SIZE);
	put16(bytes + 1, DNS_TYPE_OPT);
	put16(bytes + 3, DNS_UDP_MOST);
	bytes[5] = (uint8_t)extended_rcode;
	put16(bytes + 7, dnssec_ok ? EDNS_DNSSEC_OK : 0);
	return EDNS_SIZE;
}

/* Options of EDNS are between neighbours: those of the asker are not passed on. */
size_t lcx__dns_write_query(const struct lcx__dns_query *query, uint16_t id,
			    uint8_t bytes[static DNS_QUERY_SIZE])
{
	size_t length = DNS_HEADER_SIZE + query->question_length;

	memset(bytes, 0, DNS_HEADER_SIZE);
	put16(bytes + AT_ID, id);
	put16(bytes + AT_FLAGS, (query->flags & (FLAG_AUTHENTIC | FLAG_UNCHECKED)) | FLAG_RECURSE);
	put16(bytes + AT_QUESTIONS, 1);
	memcpy(bytes + DNS_HEADER_SIZE, query->question, query->question_length);
	if (query->has_edns) {
		put16(bytes + AT_ADDITIONAL, 1);
		length += write_edns(bytes + length, 0, query->dnssec_ok);
		put16(bytes + length - EDNS_SIZE + 3, query->udp_size);
	}
	return length;
}

static bool same_question(const struct lcx__dns_query *query, const uint8_t *bytes)
{
	size_t name = query->question_length - 4;

	for (size_t i = 0; i < name; i++)
		if (tolower(bytes[i]) != tolower(query->question[i]))
			return false;
	return memcmp(bytes + name, query->question + name, 4) == 0;
}

int lcx__dns_check_answer(const struct lcx__dns_query *query, uint16_t id, const uint8_t *bytes,
			  size_t length)
{
	uint16_t flags;

	if (length < DNS_HEADER_SIZE || get16(bytes + AT_ID) != id)
		return -EBADMSG;
	flags = get16(bytes + AT_FLAGS);
	if (!(flags & FLAG_ANSWER) || flags & FLAGS_OPCODE)
		return -EBADMSG;
	/* Who does not understand the question need not repeat it. */
	if (length == DNS_HEADER_SIZE && (flags & FLAGS_RCODE) == DNS_FORMERR)
		return DNS_FORMERR;
	if (get16(bytes + AT_QUESTIONS) != 1 || length - DNS_HEADER_SIZE < query->question_length ||
	    !same_question(query, bytes + DNS_HEADER_SIZE))
		return -EBADMSG;
	return flags & FLAGS_RCODE;
}

void lcx__dns_adopt_answer(const struct lcx__dns_query *query, uint8_t *bytes)
{
	put16(bytes + AT_ID, query->id);
	if (get16(bytes + AT_QUESTIONS) == 1)
		memcpy(bytes + DNS_HEADER_SIZE, query->question, query->question_length);
}

void lcx__dns_reply_begin(struct lcx__dns_reply *reply, const struct lcx__dns_query *query,
			  uint8_t *bytes, size_t size)
{
	*reply = (struct lcx__dns_reply){
		.query = query,
		.bytes = bytes,
		.size = size,
		.length = DNS_HEADER_SIZE + query->question_length,
	};
	memcpy(bytes + DNS_HEADER_SIZE, query->question, query->question_length);
}

/* A record of the question's name; there must be room for EDNS afterwards. NULL: there is none. */
static uint8_t *add_record(struct lcx__dns_reply *reply, unsigned int type, uint32_t ttl_s,
			   size_t length)
{
	enum { RECORD_SIZE = 12 };
	uint8_t *at = reply->bytes + reply->length;

	if (reply->is_truncated || reply->length + RECORD_SIZE + length + EDNS_SIZE > reply->size) {
		reply->is_truncated = true;
		return NULL;
	}
	put16(at, POINTER_TO_QUESTION);
	put16(at + 2, type);
	put16(at + 4, DNS_CLASS_IN);
	put16(at + 6, ttl_s >> 16);
	put16(at + 8, ttl_s);
	put16(at + 10, (unsigned int)length);
	reply->length += RECORD_SIZE + length;
	reply->count++;
	return at + RECORD_SIZE;
}

void lcx__dns_reply_add_address(struct lcx__dns_reply *reply, const struct lcx__inet *address,
				uint32_t ttl_s)
{
	unsigned int type = address->family == AF_INET ? DNS_TYPE_A : DNS_TYPE_AAAA;
	uint8_t *at = add_record(reply, type, ttl_s, lcx__inet_length(address));

	if (at)
		memcpy(at, address->bytes, lcx__inet_length(address));
}

/* A dot becomes the length of the label behind it. */
void lcx__dns_reply_add_name(struct lcx__dns_reply *reply, const char *name, uint32_t ttl_s)
{
	size_t length = strlen(name) + 2;
	uint8_t *at;

	if (!lcx__dns_name_is_valid(name))
		return;
	at = add_record(reply, DNS_TYPE_PTR, ttl_s, length);
	while (at && *name) {
		size_t label = strcspn(name, ".");

		*at++ = (uint8_t)label;
		memcpy(at, name, label);
		at += label;
		name += label + (name[label] == '.');
	}
	if (at)
		*at = 0;
}

size_t lcx__dns_reply_end(struct lcx__dns_reply *reply)
{
	const struct lcx__dns_query *query = reply->query;
	unsigned int flags = FLAG_ANSWER | (query->flags & (FLAGS_OPCODE | FLAG_RECURSE)) |
			     (reply->is_authoritative ? FLAG_AUTHORITATIVE : 0) |
			     (reply->is_truncated ? FLAG_TRUNCATED : 0) |
			     (reply->can_recurse ? FLAG_CAN_RECURSE : 0) |
			     (reply->rcode & FLAGS_RCODE);

	memset(reply->bytes, 0, DNS_HEADER_SIZE);
	put16(reply->bytes + AT_ID, query->id);
	put16(reply->bytes + AT_FLAGS, flags);
	put16(reply->bytes + AT_QUESTIONS, query->question_length > 0);
	put16(reply->bytes + AT_ANSWERS, reply->count);
	if (query->has_edns) {
		put16(reply->bytes + AT_ADDITIONAL, 1);
		reply->length += write_edns(reply->bytes + reply->length, reply->rcode >> 4,
					    query->dnssec_ok);
	}
	return reply->length;
}

bool lcx__dns_name_is_valid(const char *name)
{
	if (strlen(name) > NAME_LIMIT - 2)
		return false;
	for (;;) {
		size_t label = strcspn(name, ".");

		if (label == 0 || label > LABEL_LIMIT)
			return false;
		if (name[label] == '\0')
			return true;
		name += label + 1;
	}
}

/* Cut @suffix off; false if it does not end so. */
static bool cut_suffix(const char *name, const char *suffix, char *ret, size_t size)
{
	size_t length = strlen(name), n = strlen(suffix);

	if (length <= n || length - n >= size || strcmp(name + length - n, suffix) != 0)
		return false;
	memcpy(ret, name, length - n);
	ret[length - n] = '\0';
	return true;
}

static bool parse_reverse4(const char *text, struct lcx__inet *ret)
{
	unsigned char reversed[4];

	if (inet_pton(AF_INET, text, reversed) != 1)
		return false;
	*ret = (struct lcx__inet){.family = AF_INET, .prefix = 32};
	for (size_t i = 0; i < sizeof(reversed); i++)
		ret->bytes[i] = reversed[3 - i];
	return true;
}

static bool parse_reverse6(const char *text, struct lcx__inet *ret)
{
	enum { NIBBLES = 32 };
	static const char digits[] = "0123456789abcdef";

	*ret = (struct lcx__inet){.family = AF_INET6, .prefix = 128};
	if (strlen(text) != 2 * NIBBLES - 1)
		return false;
	for (size_t i = 0; i < NIBBLES; i++) {
		const char *digit = strchr(digits, text[2 * i]);
		size_t at = NIBBLES - 1 - i;

		if (!digit || (i < NIBBLES - 1 && text[2 * i + 1] != '.'))
			return false;
		ret->bytes[at / 2] |= (uint8_t)((digit - digits) << (at % 2 ? 0 : 4));
	}
	return true;
}

bool lcx__dns_parse_reverse(const char *name, struct lcx__inet *ret)
{
	char rest[DNS_NAME_SIZE];

	if (cut_suffix(name, ".in-addr.arpa", rest, sizeof(rest)))
		return parse_reverse4(rest, ret);
	return cut_suffix(name, ".ip6.arpa", rest, sizeof(rest)) && parse_reverse6(rest, ret);
}
