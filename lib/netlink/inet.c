/* SPDX-License-Identifier: MIT */
#include "netlink/inet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/str.h"

int lcx__inet_parse_address(const char *text, struct lcx__inet *ret)
{
	struct lcx__inet inet = {.family = AF_INET, .prefix = 32};

	if (inet_pton(AF_INET, text, inet.bytes) != 1) {
		inet = (struct lcx__inet){.family = AF_INET6, .prefix = 128};
		if (inet_pton(AF_INET6, text, inet.bytes) != 1)
			return -EINVAL;
	}
	*ret = inet;
	return 0;
}

int lcx__inet_parse(const char *text, struct lcx__inet *ret)
{
	const char *slash = strchr(text, '/');
	char address[LCX__INET_SIZE];
	struct lcx__inet inet;
	uint64_t prefix;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';

	if (lcx__inet_parse_address(address, &inet) < 0)
		return -EINVAL;
	if (lcx__parse_u64(slash + 1, inet.prefix, &prefix) < 0)
		return -EINVAL;
	inet.prefix = (uint8_t)prefix;
	*ret = inet;
	return 0;
}

void lcx__inet_format_address(const struct lcx__inet *inet, char text[static LCX__INET_SIZE])
{
	if (!inet_ntop(inet->family, inet->bytes, text, LCX__INET_SIZE))
		(void)snprintf(text, LCX__INET_SIZE, "?");
}

void lcx__inet_format(const struct lcx__inet *inet, char text[static LCX__INET_SIZE])
{
	size_t length;

	lcx__inet_format_address(inet, text);
	length = strlen(text);
	(void)snprintf(text + length, LCX__INET_SIZE - length, "/%u", inet->prefix);
}

struct lcx__inet lcx__inet_network(const struct lcx__inet *inet)
{
	struct lcx__inet network = *inet;
	unsigned int bits = inet->prefix;

	for (size_t i = 0; i < sizeof(network.bytes); i++) {
		if (bits >= 8) {
			bits -= 8;
			continue;
		}
		network.bytes[i] &= (uint8_t)(0xff00u >> bits);
		bits = 0;
	}
	return network;
}

bool lcx__inet_same(const struct lcx__inet *a, const struct lcx__inet *b, unsigned int bits)
{
	unsigned int whole = bits / 8, rest = bits % 8;

	if (a->family != b->family || memcmp(a->bytes, b->bytes, whole) != 0)
		return false;
	return rest == 0 || ((a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest)) == 0;
}

bool lcx__inet_overlap(const struct lcx__inet *a, const struct lcx__inet *b)
{
	return lcx__inet_same(a, b, a->prefix < b->prefix ? a->prefix : b->prefix);
}
