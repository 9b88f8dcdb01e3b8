/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define NS_PER_S      INT64_C(1000000000)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))

/* ---- reading ------------------------------------------------------------ */

/*
 * A decimal number scaled by @scale, without the rounding, the hexadecimal and the "inf" of
 * strtod(3). Return: what follows the number, or NULL if there is none or it is too large.
 */
static const char *parse_decimal(const char *text, int64_t scale, int64_t *ret)
{
	int64_t value = 0;

	if (!isdigit((unsigned char)*text))
		return NULL;
	for (; isdigit((unsigned char)*text); text++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *text - '0', &value))
			return NULL;
	}
	if (__builtin_mul_overflow(value, scale, &value))
		return NULL;
	if (*text == '.') {
		if (!isdigit((unsigned char)text[1]))
			return NULL;
		for (text++; isdigit((unsigned char)*text); text++) {
			scale /= 10;
			if (__builtin_add_overflow(value, (*text - '0') * scale, &value))
				return NULL;
		}
	}
	*ret = value;
	return text;
}

int text_parse_bytes(const char *text, int64_t *ret)
{
	static const char letters[] = "bkmgt";
	const char *unit, *letter = letters;
	int64_t value;

	/* The unit is looked at first, since it scales the decimals: 1.5g. */
	unit = text + strspn(text, "0123456789.");
	if (*unit) {
		letter = strchr(letters, tolower((unsigned char)*unit));
		if (!letter)
			return -EINVAL;
		if (strcasecmp(unit + 1, "") != 0 && strcasecmp(unit + 1, "b") != 0 &&
		    strcasecmp(unit + 1, "ib") != 0)
			return -EINVAL;
	}
	/* Six decimals are kept until the unit is applied. */
	if (parse_decimal(text, 1000000, &value) != unit)
		return -EINVAL;
	for (; letter > letters; letter--) {
		if (__builtin_mul_overflow(value, INT64_C(1024), &value))
			return -EINVAL;
	}
	*ret = value / 1000000;
	return 0;
}

int text_parse_micro(const char *text, int64_t *ret)
{
	const char *end = parse_decimal(text, 1000000, ret);

	return end && *end == '\0' ? 0 : -EINVAL;
}

int text_parse_int(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	char *end;
	long long value;

	if (!isdigit((unsigned char)text[text[0] == '-']))
		return -EINVAL;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || *end || value < min || value > max)
		return -EINVAL;
	*ret = value;
	return 0;
}

/* "1h30m": Go's durations, as far as they make sense here. */
int text_parse_duration(const char *text, int64_t *ret_ns)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {{"ms", 1000000},
		     {"s", NS_PER_S},
		     {"m", 60 * NS_PER_S},
		     {"h", 3600 * NS_PER_S},
		     {"d", 86400 * NS_PER_S}};
	int64_t total = 0, value;

	while (*text) {
		const char *unit = text + strspn(text, "0123456789.");
		size_t length = strspn(unit, "abcdefghijklmnopqrstuvwxyz"), i = 0;

		while (i < ARRAY_SIZE(units) && (strlen(units[i].name) != length ||
						 memcmp(units[i].name, unit, length) != 0))
			i++;
		if (i == ARRAY_SIZE(units) || parse_decimal(text, units[i].ns, &value) != unit ||
		    __builtin_add_overflow(total, value, &total))
			return -EINVAL;
		text = unit + length;
	}
	*ret_ns = total;
	return 0;
}

/* The zone of a date: "Z", "+01:00", or nothing, which means here. */
static int apply_zone(const char *zone, struct tm *tm, int64_t *ret_s)
{
	int hours, minutes, length = 0;

	if (*zone == '\0') {
		tm->tm_isdst = -1;
		*ret_s = mktime(tm);
		return 0;
	}
	*ret_s = timegm(tm);
	if (strcmp(zone, "Z") == 0)
		return 0;
	if ((*zone != '+' && *zone != '-') ||
	    sscanf(zone + 1, "%2d:%2d%n", &hours, &minutes, &length) != 2 || zone[1 + length] ||
	    hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return -EINVAL;
	*ret_s += (*zone == '+' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return 0;
}

static int parse_date(const char *text, int64_t *ret_ns)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
					    "%Y-%m-%dT%H:%M", "%Y-%m-%d"};
	int64_t fraction = 0, seconds;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = {0};
		const char *rest = strptime(text, forms[i], &tm);
		char decimals[32] = "0";

		if (!rest)
			continue;
		if (*rest == '.') {
			size_t n = strspn(rest + 1, "0123456789");

			if (n == 0 || n > 9)
				return -EINVAL;
			(void)snprintf(decimals, sizeof(decimals), "0.%.*s", (int)n, rest + 1);
			rest += 1 + n;
		}
		if (apply_zone(rest, &tm, &seconds) < 0)
			continue;
		(void)parse_decimal(decimals, NS_PER_S, &fraction);
		if (__builtin_mul_overflow(seconds, NS_PER_S, ret_ns))
			return -EINVAL;
		*ret_ns += fraction;
		return 0;
	}
	return -EINVAL;
}

int text_parse_time(const char *text, int64_t *ret_ns)
{
	const char *end;
	int64_t ago;

	end = parse_decimal(text, NS_PER_S, ret_ns);
	if (end && *end == '\0')
		return 0;
	if (text[0] && text_parse_duration(text, &ago) == 0) {
		*ret_ns = text_now_ns() - ago;
		return 0;
	}
	return parse_date(text, ret_ns);
}

/* ---- writing ------------------------------------------------------------ */

static void scaled(double value, double step, const char *const *units, size_t n, int digits,
		   char out[static TEXT_SIZE])
{
	size_t i = 0;

	/* What would be rounded up to the next unit belongs to it. */
	while (value + 0.5 >= step && i + 1 < n) {
		value /= step;
		i++;
	}
	(void)snprintf(out, TEXT_SIZE, "%.*g%s", digits, value, units[i]);
}

void text_decimal_size(double size_bytes, char out[static TEXT_SIZE])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};

	scaled(size_bytes, 1000, units, ARRAY_SIZE(units), 3, out);
}

void text_binary_size(double size_bytes, char out[static TEXT_SIZE])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};

	scaled(size_bytes, 1024, units, ARRAY_SIZE(units), 4, out);
}

void text_duration(int64_t ns, char out[static TEXT_SIZE])
{
	static const struct {
		int64_t below_s, unit_s;
		const char *name;
	} steps[] = {
		{60, 1, "seconds"},
		{60 * 60, 60, "minutes"},
		{48 * 3600, 3600, "hours"},
		{14 * 86400, 86400, "days"},
		{60 * 86400, 7 * 86400, "weeks"},
		{2 * 365 * 86400, 30 * 86400, "months"},
		{INT64_MAX, 365 * 86400, "years"},
	};
	int64_t seconds = ns > 0 ? ns / NS_PER_S : 0;
	size_t i = 0;

	if (seconds < 1) {
		(void)snprintf(out, TEXT_SIZE, "Less than a second");
		return;
	}
	while (seconds >= steps[i].below_s)
		i++;
	if (seconds / steps[i].unit_s == 1)
		(void)snprintf(out, TEXT_SIZE, "%s",
			       i == 0   ? "1 second"
			       : i == 1 ? "About a minute"
					: "About an hour");
	else
		(void)snprintf(out, TEXT_SIZE, "%" PRId64 " %s", seconds / steps[i].unit_s,
			       steps[i].name);
}

void text_ago(int64_t since_epoch_ns, char out[static TEXT_SIZE])
{
	char duration[TEXT_SIZE];

	if (since_epoch_ns == 0) {
		(void)snprintf(out, TEXT_SIZE, "N/A");
		return;
	}
	text_duration(text_now_ns() - since_epoch_ns, duration);
	(void)snprintf(out, TEXT_SIZE, "%.50s ago", duration);
}

void text_rfc3339(int64_t since_epoch_ns, char out[static TEXT_SIZE])
{
	time_t seconds = since_epoch_ns / NS_PER_S;
	struct tm tm;
	size_t n;

	if (!gmtime_r(&seconds, &tm)) {
		out[0] = '\0';
		return;
	}
	n = strftime(out, TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(out + n, TEXT_SIZE - n, ".%09" PRId64 "Z", since_epoch_ns % NS_PER_S);
}

void text_short_id(const char *id, bool whole, char out[static 80])
{
	const char *colon = strchr(id, ':');

	if (whole)
		(void)snprintf(out, 80, "%s", id);
	else
		(void)snprintf(out, 80, "%.12s", colon ? colon + 1 : id);
}

/* How many bytes a UTF-8 character has here, 0 if it is none; RFC 3629. */
static size_t utf8_length(const unsigned char *s)
{
	static const struct {
		unsigned char first, last, second_min, second_max;
		size_t length;
	} rows[] = {
		{0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (s[0] < rows[i].first || s[0] > rows[i].last)
			continue;
		if (rows[i].length == 1)
			return 1;
		if (s[1] < rows[i].second_min || s[1] > rows[i].second_max)
			return 0;
		for (size_t n = 2; n < rows[i].length; n++) {
			if ((s[n] & 0xc0) != 0x80)
				return 0;
		}
		return rows[i].length;
	}
	return 0;
}

/* The C0 and C1 controls: ESC, and what terminals take for ESC [ in UTF-8, among them. */
static bool is_control(const unsigned char *s)
{
	return (s[0] < 0x20 && s[0] != '\n') || s[0] == 0x7f ||
	       (s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f);
}

void text_print_safe(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		size_t length = utf8_length(s);

		if (length == 0 || is_control(s))
			fputc('?', out);
		else
			fwrite(s, 1, length, out);
		s += length ? length : 1;
	}
}

void text_print_json(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	fputc('"', out);
	while (*s) {
		size_t length = utf8_length(s);

		if (length == 0)
			fputs("\\ufffd", out);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(out, "\\u%04x", *s);
		else if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else
			fwrite(s, 1, length, out);
		s += length ? length : 1;
	}
	fputc('"', out);
}

int64_t text_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}
