/* SPDX-License-Identifier: MIT */
#include "util/str.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "util/fs.h"

static bool strbuf_reserve(struct lcx__strbuf *buf, size_t more)
{
	size_t size = buf->size ? buf->size : 64;
	char *bigger;

	if (buf->failed)
		return false;
	while (size - buf->length <= more)
		size *= 2;
	if (size == buf->size)
		return true;
	bigger = realloc(buf->text, size);
	if (!bigger) {
		buf->failed = true;
		return false;
	}
	buf->text = bigger;
	buf->size = size;
	return true;
}

void lcx__strbuf_add(struct lcx__strbuf *buf, const void *data, size_t length)
{
	if (!strbuf_reserve(buf, length))
		return;
	if (length > 0)
		memcpy(buf->text + buf->length, data, length);
	buf->length += length;
	buf->text[buf->length] = '\0';
}

void lcx__strbuf_adds(struct lcx__strbuf *buf, const char *text)
{
	lcx__strbuf_add(buf, text, strlen(text));
}

void lcx__strbuf_addf(struct lcx__strbuf *buf, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0 || !strbuf_reserve(buf, (size_t)length))
		return;
	va_start(args, format);
	(void)vsnprintf(buf->text + buf->length, (size_t)length + 1, format, args);
	va_end(args);
	buf->length += (size_t)length;
}

char *lcx__strbuf_take(struct lcx__strbuf *buf)
{
	char *text;

	lcx__strbuf_add(buf, "", 0);
	text = buf->failed ? NULL : TAKE_PTR(buf->text);
	lcx__strbuf_free(buf);
	return text;
}

void lcx__strbuf_free(struct lcx__strbuf *buf)
{
	free(buf->text);
	*buf = STRBUF_EMPTY;
}

char *lcx__format(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	return length < 0 ? NULL : text;
}

size_t lcx__strv_length(char *const *strv)
{
	size_t n = 0;

	while (strv && strv[n])
		n++;
	return n;
}

char **lcx__strv_copy(const char *const *strv)
{
	CLEANUP(lcx__strv_freep) char **copy = calloc(1, sizeof(*copy));

	if (!copy)
		return NULL;
	for (size_t i = 0; strv && strv[i]; i++)
		if (lcx__strv_append(&copy, strv[i]) < 0)
			return NULL;
	return TAKE_PTR(copy);
}

int lcx__strv_append(char ***strv, const char *text)
{
	size_t n = lcx__strv_length(*strv);
	char **bigger = realloc(*strv, (n + 2) * sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	*strv = bigger;
	bigger[n + 1] = NULL;
	bigger[n] = strdup(text);
	return bigger[n] ? 0 : -ENOMEM;
}

char **lcx__strv_free(char **strv)
{
	for (size_t i = 0; strv && strv[i]; i++)
		free(strv[i]);
	free(strv);
	return NULL;
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool lcx__name_is_valid(const char *name)
{
	size_t i;

	if (!name || !is_alphanumeric(name[0]))
		return false;
	for (i = 1; name[i] != '\0'; i++)
		if (i >= 128 || !(is_alphanumeric(name[i]) || strchr("_.-", name[i])))
			return false;
	return true;
}

int lcx__parse_u64(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!text || text[0] == '\0')
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value) || value > max)
			return -ERANGE;
	}
	*ret = value;
	return 0;
}

static int random_hex(char *text, size_t n_bytes)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[32];

	/* Up to 256 bytes are never cut short nor interrupted: getrandom(2). */
	if (getrandom(bytes, n_bytes, 0) < 0)
		return -errno;
	for (size_t i = 0; i < n_bytes; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * n_bytes] = '\0';
	return 0;
}

int lcx__random_id(char id[static LCX__ID_SIZE])
{
	return random_hex(id, 32);
}

static const char temporary_prefix[] = ".tmp-";

int lcx__temporary_name(char name[static 64])
{
	memcpy(name, temporary_prefix, sizeof(temporary_prefix));
	return random_hex(name + sizeof(temporary_prefix) - 1, 8);
}

bool lcx__is_temporary_name(const char *name)
{
	return strncmp(name, temporary_prefix, sizeof(temporary_prefix) - 1) == 0;
}

int lcx__boot_id(char id[static LCX__BOOT_ID_SIZE])
{
	CLEANUP(freep) char *text = NULL;
	size_t length;
	int r;

	r = lcx__read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 4096, &text, &length);
	if (r < 0)
		return r;
	if (length < LCX__BOOT_ID_SIZE - 1)
		return -EIO;
	memcpy(id, text, LCX__BOOT_ID_SIZE - 1);
	id[LCX__BOOT_ID_SIZE - 1] = '\0';
	return 0;
}

/* The remainders change no value: they tell the compiler how many digits there can be. */
void lcx__format_time(int64_t ns_since_epoch, char text[static LCX__TIME_SIZE])
{
	time_t seconds = (time_t)(ns_since_epoch / 1000000000);
	struct tm tm = {0};

	(void)gmtime_r(&seconds, &tm);
	(void)snprintf(text, LCX__TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ",
		       (unsigned int)(tm.tm_year + 1900) % 10000,
		       (unsigned int)(tm.tm_mon + 1) % 100, (unsigned int)tm.tm_mday % 100,
		       (unsigned int)tm.tm_hour % 100, (unsigned int)tm.tm_min % 100,
		       (unsigned int)tm.tm_sec % 100,
		       (unsigned int)(ns_since_epoch % 1000000000) % 1000000000);
}

int lcx__parse_time(const char *text, int64_t *ret_ns)
{
	struct tm tm = {0};
	int64_t fraction = 0, scale = 100000000, offset = 0, ns;
	const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!at)
		return -EINVAL;
	if (*at == '.')
		for (at++; *at >= '0' && *at <= '9'; at++, scale /= 10)
			fraction += (*at - '0') * scale;
	if (*at == '+' || *at == '-') {
		int hours, minutes, used = 0;

		if (sscanf(at + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || used != 5)
			return -EINVAL;
		offset = (*at == '+' ? 1 : -1) * (int64_t)(hours * 3600 + minutes * 60);
		at += 6;
	} else if (*at == 'Z') {
		at++;
	} else {
		return -EINVAL;
	}
	if (*at != '\0')
		return -EINVAL;
	/* Go's zero time is of the year 1; an int64_t of nanoseconds begins in 1677. */
	if (__builtin_mul_overflow((int64_t)timegm(&tm) - offset, (int64_t)1000000000, &ns) ||
	    __builtin_add_overflow(ns, fraction, &ns))
		return -ERANGE;
	*ret_ns = ns;
	return 0;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts = {0};

	(void)clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t lcx__now_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

size_t lcx__path_length(const char *path)
{
	size_t length = strlen(path);

	while (length > 0 && path[length - 1] == '/')
		length--;
	return length;
}

int64_t lcx__monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}
