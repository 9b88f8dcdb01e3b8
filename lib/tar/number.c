/* SPDX-License-Identifier: MIT */
/* Numbers in the fields of a header. */
#include <errno.h>

#include "tar/read-internal.h"

/* Base 256: two's complement without its top bit, which only says so. */
static int parse_binary(const unsigned char *at, size_t size, int64_t *ret)
{
	bool negative = at[0] & 0x40;
	uint64_t value = negative ? UINT64_MAX << 6 | (at[0] & 0x3f) : at[0] & 0x3f;

	for (size_t i = 1; i < size; i++) {
		/* The upper nine bits must be the sign's, or it is lost. */
		if (value >> 55 != (negative ? UINT64_MAX >> 55 : 0))
			return -EBADMSG;
		value = value << 8 | at[i];
	}
	*ret = (int64_t)value;
	return 0;
}

int lcx__tar_signed(const char *field, size_t size, int64_t *ret)
{
	const unsigned char *at = (const unsigned char *)field, *end = at + size;
	int64_t value = 0;

	if (*at & 0x80)
		return parse_binary(at, size, ret);
	while (at < end && *at == ' ')
		at++;
	for (; at < end && *at >= '0' && *at <= '7'; at++)
		value = value << 3 | (*at - '0'); /* 12 digits at most */
	if (at < end && *at != '\0' && *at != ' ')
		return -EBADMSG;
	*ret = value;
	return 0;
}

int lcx__tar_number(const char *field, size_t size, uint64_t *ret)
{
	int64_t value = 0;

	if (lcx__tar_signed(field, size, &value) < 0 || value < 0)
		return -EBADMSG;
	*ret = (uint64_t)value;
	return 0;
}
