/* SPDX-License-Identifier: MIT */
#include "init/init.h"

/* The compiler may call the first four by itself; meson.build keeps it from doing so in here. */

/* Of any alignment, and of any type. */
struct word {
	uint64_t bytes;
} __attribute__((packed, may_alias));

/* The lines of a log pass through this one. */
void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	char *t = to;
	const char *f = from;

	for (; n >= sizeof(struct word); n -= sizeof(struct word)) {
		*(struct word *)t = *(const struct word *)f;
		t += sizeof(struct word);
		f += sizeof(struct word);
	}
	while (n--)
		*t++ = *f++;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	char *t = to;
	const char *f = from;

	if (t < f)
		return memcpy(to, from, n);
	while (n--)
		t[n] = f[n];
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	char *t = to;

	while (n--)
		*t++ = (char)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n--; x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (unsigned char)*a - (unsigned char)*b;
}

char *strchr(const char *s, int c)
{
	for (; *s; s++)
		if (*s == c)
			return (char *)(uintptr_t)s;
	return c ? NULL : (char *)(uintptr_t)s;
}

bool text_append(char *to, size_t size, const char *from)
{
	size_t used = strlen(to), n = strlen(from);

	if (used + n >= size)
		return false;
	memcpy(to + used, from, n + 1);
	return true;
}

bool text_append_number(char *to, size_t size, uint64_t number)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return text_append(to, size, digits + at);
}
