/* SPDX-License-Identifier: MIT */
#include "log/writer.h"

/*
 * How a line is spelled: bytes in, one record out. Pure functions for lcx-init
 * too (see writer.h), hence no pointer in any table here: a program
 * without a C library has nobody to relocate it.
 *
 * A container can write gigabytes, so plain bytes are looked at sixteen at a time, and where there
 * is something among them eight at a time: the byte-wise tests of a word leave the top bit of each
 * byte that matches, and above the lowest match perhaps of others. The lowest one is all that is
 * used. What is left at the end is looked at together with what is before it, once more.
 */

#define EACH_BYTE(b) (0x0101010101010101ULL * (b))
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "the lowest match must be the first byte");

static const char hex_digits[] = "0123456789abcdef";

static inline uint64_t load_word(const uint8_t *data)
{
	uint64_t word;

	__builtin_memcpy(&word, data, sizeof(word));
	return word;
}

static inline uint64_t bytes_equal(uint64_t word, uint8_t byte)
{
	word ^= EACH_BYTE(byte);
	return (word - EACH_BYTE(0x01)) & ~word & EACH_BYTE(0x80);
}

static inline size_t first_match(uint64_t matches)
{
	return (size_t)__builtin_ctzll(matches) / 8;
}

/* Sixteen bytes: the compiler knows what the processor has for them, or makes do without. */
typedef int8_t lanes __attribute__((vector_size(16)));
typedef int64_t lane_halves __attribute__((vector_size(16)));

static inline lanes load_lanes(const uint8_t *data)
{
	lanes bytes;

	__builtin_memcpy(&bytes, data, sizeof(bytes));
	return bytes;
}

static inline bool is_any(lanes matches)
{
	lane_halves halves = (lane_halves)matches;

	return (halves[0] | halves[1]) != 0;
}

size_t lcx__log_find_newline(const uint8_t *data, size_t length)
{
	size_t i = 0;

	while (length - i >= sizeof(lanes) && !is_any(load_lanes(data + i) == '\n'))
		i += sizeof(lanes);
	for (; length - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t matches = bytes_equal(load_word(data + i), '\n');

		if (matches)
			return i + first_match(matches);
	}
	while (i < length && data[i] != '\n')
		i++;
	return i;
}

/* What JSON, or Docker's care for HTML, does not let stand as it is; and all that is not ASCII. */
static inline bool is_special(uint8_t byte)
{
	return byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\' || byte == '<' ||
	       byte == '>' || byte == '&';
}

static inline uint64_t special_bytes(uint64_t word)
{
	return (word & EACH_BYTE(0x80)) |
	       ((word - EACH_BYTE(0x20)) & ~word & EACH_BYTE(0x80)) | /* below 0x20 */
	       bytes_equal(word, '\\') |
	       bytes_equal(word | EACH_BYTE('"' ^ '&'), '"' | '&') | /* they differ in one bit, */
	       bytes_equal(word | EACH_BYTE('<' ^ '>'), '<' | '>');  /* and so do these */
}

/* The same; as a number with a sign, what is not ASCII is below 0x20, too. */
static inline bool is_any_special(lanes bytes)
{
	return is_any((bytes < 0x20) | (bytes == '\\') | ((bytes | ('"' ^ '&')) == ('"' | '&')) |
		      ((bytes | ('<' ^ '>')) == ('<' | '>')));
}

/* From @i on; @length is that of a word at least. */
static size_t copy_plain_words(char *out, const uint8_t *data, size_t i, size_t length)
{
	while (i < length) {
		uint64_t word, matches;

		if (length - i < sizeof(word))
			i = length - sizeof(word);
		word = load_word(data + i);
		matches = special_bytes(word);
		__builtin_memcpy(out + i, &word, sizeof(word));
		if (matches)
			return i + first_match(matches);
		i += sizeof(word);
	}
	return length;
}

/* Copy up to the first special byte; what is written beyond what is returned is never beyond
 * @length. */
static size_t copy_plain(char *out, const uint8_t *data, size_t length)
{
	size_t i = 0;

	while (length >= sizeof(lanes) && i < length) {
		lanes bytes;

		if (length - i < sizeof(lanes))
			i = length - sizeof(lanes);
		bytes = load_lanes(data + i);
		if (is_any_special(bytes))
			break;
		__builtin_memcpy(out + i, &bytes, sizeof(bytes));
		i += sizeof(bytes);
	}
	if (length >= sizeof(uint64_t))
		return copy_plain_words(out, data, i, length);
	for (; i < length && !is_special(data[i]); i++)
		out[i] = (char)data[i];
	return i;
}

/* What the first byte of a UTF-8 character promises; the second byte's range excludes what is
 * overlong. */
static size_t utf8_size(uint8_t first, uint8_t *ret_low, uint8_t *ret_high)
{
	*ret_low = 0x80;
	*ret_high = 0xbf;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef) {
		*ret_low = first == 0xe0 ? 0xa0 : 0x80;
		*ret_high = first == 0xed ? 0x9f : 0xbf; /* no surrogates */
		return 3;
	}
	if (first >= 0xf0 && first <= 0xf4) {
		*ret_low = first == 0xf0 ? 0x90 : 0x80;
		*ret_high = first == 0xf4 ? 0x8f : 0xbf;
		return 4;
	}
	return 0;
}

/* How many bytes of the character at @data are there and right, and in *@ret_size how many it has.
 */
static size_t utf8_match(const uint8_t *data, size_t length, size_t *ret_size)
{
	uint8_t low, high;
	size_t i = 1;

	*ret_size = utf8_size(data[0], &low, &high);
	if (*ret_size == 0)
		return 0;
	for (; i < length && i < *ret_size && data[i] >= low && data[i] <= high; i++) {
		low = 0x80;
		high = 0xbf;
	}
	return i;
}

size_t lcx__log_unfinished_utf8(const uint8_t *data, size_t length)
{
	for (size_t back = 1; back <= 3 && back <= length; back++) {
		const uint8_t *first = data + length - back;
		size_t size;

		if (*first >= 0x80 && *first <= 0xbf)
			continue;
		return *first >= 0x80 && utf8_match(first, back, &size) == back && back < size
			       ? back
			       : 0;
	}
	return 0;
}

static inline char *put(char *out, const char *text, size_t length)
{
	__builtin_memcpy(out, text, length);
	return out + length;
}

#define PUT_LITERAL(out, literal) put(out, literal, sizeof(literal) - 1)

static char *put_ascii_escape(char *out, uint8_t byte)
{
	char letter = byte == '\n' ? 'n' : byte == '\r' ? 'r' : (char)byte;

	if (byte == '"' || byte == '\\' || letter != (char)byte) {
		*out++ = '\\';
		*out++ = letter;
		return out;
	}
	out = PUT_LITERAL(out, "\\u00");
	*out++ = hex_digits[byte >> 4];
	*out++ = hex_digits[byte & 15];
	return out;
}

/*
 * Spell the special character at @data, as Docker does: U+2028 and U+2029 end a
 * line in JavaScript, and a byte that is in no character becomes U+FFFD.
 * Return: how many bytes of @data it was.
 */
static size_t put_special(char **out, const uint8_t *data, size_t length)
{
	size_t size;

	if (data[0] < 0x80) {
		*out = put_ascii_escape(*out, data[0]);
		return 1;
	}
	if (utf8_match(data, length, &size) != size || size == 0) {
		*out = PUT_LITERAL(*out, "\\ufffd");
		return 1;
	}
	if (data[0] == 0xe2 && data[1] == 0x80 && (data[2] == 0xa8 || data[2] == 0xa9)) {
		*out = PUT_LITERAL(*out, "\\u202");
		*(*out)++ = hex_digits[data[2] & 15];
		return size;
	}
	for (size_t i = 0; i < size; i++)
		*(*out)++ = (char)data[i];
	return size;
}

static char *put_json_text(char *out, const uint8_t *data, size_t length)
{
	size_t i = 0;

	while (i < length) {
		size_t plain = copy_plain(out, data + i, length - i);

		out += plain;
		i += plain;
		if (i < length)
			i += put_special(&out, data + i, length - i);
	}
	return out;
}

static char *put_stream(char *out, enum lcx_log_stream stream)
{
	return stream == LCX_LOG_STREAM_STDERR ? PUT_LITERAL(out, "stderr")
					       : PUT_LITERAL(out, "stdout");
}

size_t lcx__log_format_json(char *out, const uint8_t *data, size_t length, bool ended,
			    enum lcx_log_stream stream,
			    const char time[static LCX__LOG_TIME_LENGTH], const char *context,
			    size_t context_length)
{
	char *at = PUT_LITERAL(out, "{\"log\":\"");

	at = put_json_text(at, data, length);
	if (ended)
		at = PUT_LITERAL(at, "\\n");
	at = PUT_LITERAL(at, "\",\"stream\":\"");
	at = put_stream(at, stream);
	at = PUT_LITERAL(at, "\",");
	if (context_length > 0)
		at = put(at, context, context_length);
	at = PUT_LITERAL(at, "\"time\":\"");
	at = put(at, time, LCX__LOG_TIME_LENGTH);
	at = PUT_LITERAL(at, "\"}\n");
	return (size_t)(at - out);
}

size_t lcx__log_format_cri(char *out, const uint8_t *data, size_t length, bool ended,
			   enum lcx_log_stream stream, const char time[static LCX__LOG_TIME_LENGTH])
{
	char *at = put(out, time, LCX__LOG_TIME_LENGTH);

	*at++ = ' ';
	at = put_stream(at, stream);
	at = ended ? PUT_LITERAL(at, " F ") : PUT_LITERAL(at, " P ");
	at = put(at, (const char *)data, length);
	*at++ = '\n';
	return (size_t)(at - out);
}

static void put_digits(char *out, uint64_t number, size_t digits)
{
	while (digits-- > 0) {
		out[digits] = (char)('0' + number % 10);
		number /= 10;
	}
}

/*
 * The date of a day, counted from 1970-01-01. A year is taken to begin on the first of
 * March, so that the leap day is its last; 400 years are always 146,097 days.
 */
static void put_date(char *out, int64_t days)
{
	int64_t since = days + 719468; /* from 0000-03-01 */
	int64_t era = (since >= 0 ? since : since - 146096) / 146097;
	int64_t day = since - era * 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * day_of_year + 2) / 153; /* 0 is March */
	bool after_december = month >= 10;

	put_digits(out, (uint64_t)(era * 400 + year + after_december), 4);
	put_digits(out + 5, (uint64_t)(after_december ? month - 9 : month + 3), 2);
	put_digits(out + 8, (uint64_t)(day_of_year - (153 * month + 2) / 5 + 1), 2);
}

void lcx__log_clock_init(struct lcx__log_clock *clock)
{
	(void)put(clock->text, "0000-00-00T00:00:00.000000000Z", LCX__LOG_TIME_LENGTH + 1);
	clock->second = INT64_MIN;
}

void lcx__log_clock_set(struct lcx__log_clock *clock, int64_t second, uint32_t nanosecond)
{
	if (second != clock->second) {
		int64_t days = second / 86400, rest = second % 86400;

		if (rest < 0) {
			rest += 86400;
			days--;
		}
		put_date(clock->text, days);
		put_digits(clock->text + 11, (uint64_t)rest / 3600, 2);
		put_digits(clock->text + 14, (uint64_t)rest / 60 % 60, 2);
		put_digits(clock->text + 17, (uint64_t)rest % 60, 2);
		clock->second = second;
	}
	put_digits(clock->text + 20, nanosecond, 9);
}
