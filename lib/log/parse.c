/* SPDX-License-Identifier: MIT */
#include "log/log-internal.h"

#include <errno.h>
#include <string.h>

/*
 * A scanner for the two formats and nothing else: a line of a log is parsed a
 * million times for one that a general JSON parser is made for. What it
 * reads was perhaps written by a container that escaped, or cut by a crash; so
 * every byte is looked at before it is believed, and a cursor never passes its end.
 */
struct cursor {
	char *at;
	const char *end;
};

static size_t left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

static bool skip(struct cursor *c, const char *literal)
{
	size_t length = strlen(literal);

	if (left(c) < length || memcmp(c->at, literal, length) != 0)
		return false;
	c->at += length;
	return true;
}

/* Exactly @digits decimal digits; -1 if they are not there. */
static int64_t take_digits(struct cursor *c, size_t digits)
{
	int64_t number = 0;

	if (left(c) < digits)
		return -1;
	for (size_t i = 0; i < digits; i++, c->at++) {
		if (*c->at < '0' || *c->at > '9')
			return -1;
		number = number * 10 + (*c->at - '0');
	}
	return number;
}

/* Digits up to @max, then @separator (0 for none). */
static bool take_field(struct cursor *c, size_t digits, int64_t min, int64_t max, char separator,
		       int64_t *ret)
{
	*ret = take_digits(c, digits);
	if (*ret < min || *ret > max)
		return false;
	if (separator == '\0')
		return true;
	return left(c) > 0 && *c->at++ == separator;
}

/* Days from 1970-01-01; the year is taken to begin in March, as in line.c. */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
	int64_t from_march = (month + 9) % 12;

	year -= month <= 2;
	return year * 365 + year / 4 - year / 100 + year / 400 + (153 * from_march + 2) / 5 + day -
	       1 - 719468;
}

/* None, or a point and up to nine digits. */
static bool take_fraction(struct cursor *c, int64_t *ret_ns)
{
	int64_t scale = 100000000;

	*ret_ns = 0;
	if (left(c) == 0 || *c->at != '.')
		return true;
	for (c->at++; left(c) > 0 && *c->at >= '0' && *c->at <= '9'; c->at++, scale /= 10) {
		if (scale == 0)
			return false;
		*ret_ns += (*c->at - '0') * scale;
	}
	return scale < 100000000;
}

/* "Z", or the distance from UTC as "+01:00". */
static bool take_zone(struct cursor *c, int64_t *ret_seconds)
{
	int64_t hours, minutes;
	char sign;

	*ret_seconds = 0;
	if (skip(c, "Z"))
		return true;
	if (left(c) == 0)
		return false;
	sign = *c->at++;
	if ((sign != '+' && sign != '-') || !take_field(c, 2, 0, 23, ':', &hours) ||
	    !take_field(c, 2, 0, 59, '\0', &minutes))
		return false;
	*ret_seconds = (sign == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
	return true;
}

/* RFC 3339; the years are those that 64 bits of nanoseconds hold. */
static bool take_time(struct cursor *c, int64_t *ret_ns)
{
	int64_t year, month, day, hour, minute, second, fraction, zone;

	if (!take_field(c, 4, 1678, 2261, '-', &year) || !take_field(c, 2, 1, 12, '-', &month) ||
	    !take_field(c, 2, 1, 31, 'T', &day) || !take_field(c, 2, 0, 23, ':', &hour) ||
	    !take_field(c, 2, 0, 59, ':', &minute) || !take_field(c, 2, 0, 60, '\0', &second) ||
	    !take_fraction(c, &fraction) || !take_zone(c, &zone))
		return false;
	second += days_of_date(year, month, day) * 86400 + hour * 3600 + minute * 60 - zone;
	*ret_ns = second * 1000000000 + fraction;
	return true;
}

static bool take_stream(struct cursor *c, enum lcx_log_stream *ret)
{
	if (skip(c, "stdout"))
		*ret = LCX_LOG_STREAM_STDOUT;
	else if (skip(c, "stderr"))
		*ret = LCX_LOG_STREAM_STDERR;
	else
		return false;
	return true;
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

static bool take_hex4(struct cursor *c, uint32_t *ret)
{
	*ret = 0;
	if (left(c) < 4)
		return false;
	for (int i = 0; i < 4; i++, c->at++) {
		int value = hex_value(*c->at);

		if (value < 0)
			return false;
		*ret = *ret << 4 | (uint32_t)value;
	}
	return true;
}

static char *put_utf8(char *out, uint32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
		return out;
	}
	if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
	} else {
		if (code < 0x10000) {
			*out++ = (char)(0xe0 | code >> 12);
		} else {
			*out++ = (char)(0xf0 | code >> 18);
			*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		}
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (code & 0x3f));
	return out;
}

/* "\uXXXX", the backslash and the u already read; two of them for a character above U+FFFF. */
static bool take_unicode(struct cursor *c, uint32_t *ret)
{
	struct cursor second;
	uint32_t low;

	if (!take_hex4(c, ret))
		return false;
	second = *c;
	if (*ret >= 0xd800 && *ret < 0xdc00 && skip(&second, "\\u") && take_hex4(&second, &low) &&
	    low >= 0xdc00 && low < 0xe000) {
		*ret = 0x10000 + ((*ret - 0xd800) << 10) + (low - 0xdc00);
		*c = second;
	} else if (*ret >= 0xd800 && *ret < 0xe000) {
		*ret = 0xfffd; /* half a pair */
	}
	return true;
}

static bool take_escape(struct cursor *c, char **out)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *found;
	uint32_t code;
	char letter;

	if (left(c) == 0)
		return false;
	letter = *c->at++;
	if (letter == 'u') {
		if (!take_unicode(c, &code))
			return false;
		*out = put_utf8(*out, code);
		return true;
	}
	found = letter != '\0' ? strchr(letters, letter) : NULL;
	if (!found)
		return false;
	*(*out)++ = meanings[found - letters];
	return true;
}

/* A string after its opening quote; decoded over itself, since no escape is shorter than what it
 * means. */
static bool take_string(struct cursor *c, char **ret, size_t *ret_length)
{
	char *start = c->at, *out = c->at;

	for (;;) {
		char *plain = c->at;

		while (c->at < c->end && *c->at != '"' && *c->at != '\\' &&
		       (unsigned char)*c->at >= 0x20)
			c->at++;
		if (out != plain)
			memmove(out, plain, (size_t)(c->at - plain));
		out += c->at - plain;
		if (skip(c, "\"")) {
			*ret = start;
			*ret_length = (size_t)(out - start);
			return true;
		}
		if (!skip(c, "\\") || !take_escape(c, &out))
			return false;
	}
}

/* Docker adds {"name":"value",...} when a container has log labels. */
static bool skip_attributes(struct cursor *c)
{
	char *text;
	size_t length;

	if (!skip(c, "{"))
		return false;
	if (skip(c, "}"))
		return true;
	do
		if (!skip(c, "\"") || !take_string(c, &text, &length) || !skip(c, ":\"") ||
		    !take_string(c, &text, &length))
			return false;
	while (skip(c, ","));
	return skip(c, "}");
}

enum { SEEN_LOG = 1, SEEN_STREAM = 2, SEEN_TIME = 4, SEEN_ATTRIBUTES = 8 };

/* One "name":value; *@ret_seen tells which. */
static bool take_member(struct cursor *c, struct lcx__log_record *record, unsigned int *ret_seen)
{
	if (skip(c, "\"log\":\"")) {
		*ret_seen = SEEN_LOG;
		return take_string(c, &record->text, &record->length);
	}
	if (skip(c, "\"stream\":\"")) {
		*ret_seen = SEEN_STREAM;
		return take_stream(c, &record->stream) && skip(c, "\"");
	}
	if (skip(c, "\"time\":\"")) {
		*ret_seen = SEEN_TIME;
		return take_time(c, &record->time_ns) && skip(c, "\"");
	}
	if (skip(c, "\"attrs\":")) {
		*ret_seen = SEEN_ATTRIBUTES;
		return skip_attributes(c);
	}
	return false;
}

static bool parse_json(struct cursor c, struct lcx__log_record *record)
{
	const unsigned int needed = SEEN_STREAM | SEEN_TIME; /* "log" is left out if empty */
	unsigned int all = 0, seen;

	if (!skip(&c, "{"))
		return false;
	do {
		if (!take_member(&c, record, &seen) || (all & seen) != 0)
			return false;
		all |= seen;
	} while (skip(&c, ","));
	if (!skip(&c, "}\n") || left(&c) != 0 || (all & needed) != needed)
		return false;
	record->partial = record->length == 0 || record->text[record->length - 1] != '\n';
	return true;
}

/* The newline of the file is the newline of the text, unless the line goes on. */
static bool parse_cri(struct cursor c, struct lcx__log_record *record)
{
	if (!take_time(&c, &record->time_ns) || !skip(&c, " ") || !take_stream(&c, &record->stream))
		return false;
	if (skip(&c, " P "))
		record->partial = true;
	else if (!skip(&c, " F "))
		return false;
	record->text = c.at;
	record->length = left(&c) - record->partial;
	return true;
}

int lcx__log_parse(char *line, size_t length, struct lcx__log_record *ret)
{
	struct cursor c = {.at = line, .end = line + length};
	struct lcx__log_record record = {.text = line};

	if (length == 0 || line[length - 1] != '\n')
		return -EBADMSG;
	if (!(line[0] == '{' ? parse_json(c, &record) : parse_cri(c, &record)))
		return -EBADMSG;
	*ret = record;
	return 0;
}
