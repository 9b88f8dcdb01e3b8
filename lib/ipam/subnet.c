/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "ipam/ipam-internal.h"
#include "util/str.h"

void lcx__address_store(lcx__address address, uint8_t bytes[static 16])
{
	for (int i = 15; i >= 0; i--, address >>= 8)
		bytes[i] = (uint8_t)address;
}

lcx__address lcx__address_load(const uint8_t bytes[static 16])
{
	lcx__address address = 0;

	for (int i = 0; i < 16; i++)
		address = address << 8 | bytes[i];
	return address;
}

int lcx__address_parse(const char *text, uint32_t *ret_bits, lcx__address *ret)
{
	uint8_t bytes[16] = {0};

	if (!text)
		return -EINVAL;
	if (inet_pton(AF_INET, text, bytes + 12) == 1)
		*ret_bits = 32;
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*ret_bits = 128;
	else
		return -EINVAL;
	*ret = lcx__address_load(bytes);
	return 0;
}

void lcx__address_format(uint32_t bits, lcx__address address,
			 char text[static LCX_IPAM_ADDRESS_SIZE])
{
	uint8_t bytes[16];

	lcx__address_store(address, bytes);
	if (bits == 32)
		(void)inet_ntop(AF_INET, bytes + 12, text, LCX_IPAM_ADDRESS_SIZE);
	else
		(void)inet_ntop(AF_INET6, bytes, text, LCX_IPAM_ADDRESS_SIZE);
}

static lcx__address host_mask(const struct lcx__subnet *subnet)
{
	uint32_t host_bits = subnet->bits - subnet->prefix;

	/* Shifting by the whole width is undefined. */
	return host_bits >= 128 ? ~(lcx__address)0 : ((lcx__address)1 << host_bits) - 1;
}

static int not_a_subnet(struct lcx_error **err, const char *text)
{
	return lcx__fail(err, EINVAL,
			 "'%s' is not a subnet; write it as 10.88.0.0/16 or fd00:1::/64",
			 text ? text : "(null)");
}

int lcx__subnet_parse(const char *text, struct lcx__subnet *ret, struct lcx_error **err)
{
	char copy[LCX_IPAM_ADDRESS_SIZE + 5], base[LCX_IPAM_ADDRESS_SIZE];
	struct lcx__subnet subnet = {0};
	uint64_t prefix;
	char *slash;

	if (!text || strlen(text) >= sizeof(copy))
		return not_a_subnet(err, text);
	strcpy(copy, text);
	slash = strchr(copy, '/');
	if (!slash)
		return not_a_subnet(err, text);
	*slash = '\0';
	if (lcx__address_parse(copy, &subnet.bits, &subnet.base) < 0 ||
	    lcx__parse_u64(slash + 1, subnet.bits, &prefix) < 0)
		return not_a_subnet(err, text);
	subnet.prefix = (uint32_t)prefix;

	if (subnet.base & host_mask(&subnet)) {
		lcx__address_format(subnet.bits, subnet.base & ~host_mask(&subnet), base);
		return lcx__fail(err, EINVAL,
				 "'%s' is an address inside a subnet; the subnet is %s/%u", text,
				 base, subnet.prefix);
	}
	*ret = subnet;
	return 0;
}

bool lcx__subnet_has(const struct lcx__subnet *subnet, lcx__address address)
{
	return (address & ~host_mask(subnet)) == subnet->base;
}

lcx__address lcx__subnet_last(const struct lcx__subnet *subnet)
{
	return subnet->base | host_mask(subnet);
}

LCX_PUBLIC int lcx_ipam_subnet_overlaps(const char *a, const char *b, struct lcx_error **err)
{
	struct lcx__subnet first, second;
	int r;

	r = lcx__subnet_parse(a, &first, err);
	if (r < 0)
		return r;
	r = lcx__subnet_parse(b, &second, err);
	if (r < 0)
		return r;
	/* Two prefixes overlap only if one holds the other. */
	return first.bits == second.bits &&
	       (lcx__subnet_has(&first, second.base) || lcx__subnet_has(&second, first.base));
}

LCX_PUBLIC int lcx_ipam_subnet_contains(const char *subnet, const char *address,
					struct lcx_error **err)
{
	struct lcx__subnet within;
	lcx__address number;
	uint32_t bits;
	int r;

	r = lcx__subnet_parse(subnet, &within, err);
	if (r < 0)
		return r;
	if (lcx__address_parse(address, &bits, &number) < 0)
		return lcx__fail(err, EINVAL, "'%s' is not an IP address",
				 address ? address : "(null)");
	return bits == within.bits && lcx__subnet_has(&within, number);
}
