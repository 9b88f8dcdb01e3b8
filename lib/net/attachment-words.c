/* SPDX-License-Identifier: MIT */

/* What an attachment shall be like, as Docker writes it: KEY=VALUE. */
#include <string.h>

#include "net/net-internal.h"

static int set_address_of(struct lcx_attachment *attachment, int family, const char *value,
			  struct lcx_error **err)
{
	struct lcx__inet inet;

	if (lcx__inet_parse_address(value, &inet) < 0 || inet.family != family)
		return lcx__fail(err, EINVAL, "'%s' is not an %s address", value,
				 family == AF_INET ? "IPv4" : "IPv6");
	return lcx_attachment_set_address(attachment, value, err);
}

static int set_ip(struct lcx_attachment *attachment, const char *value, struct lcx_error **err)
{
	return set_address_of(attachment, AF_INET, value, err);
}

static int set_ip6(struct lcx_attachment *attachment, const char *value, struct lcx_error **err)
{
	return set_address_of(attachment, AF_INET6, value, err);
}

static int set_priority(struct lcx_attachment *attachment, const char *value,
			struct lcx_error **err)
{
	bool below = value[0] == '-';
	uint64_t number;

	if (lcx__parse_u64(value + below, NET_PRIORITY_LIMIT, &number) < 0)
		return lcx__fail(err, EINVAL, "'%s' is no priority of -%d to %d", value,
				 NET_PRIORITY_LIMIT, NET_PRIORITY_LIMIT);
	return lcx_attachment_set_gateway_priority(attachment,
						   below ? -(int32_t)number : (int32_t)number, err);
}

/* "10m": decimal units, as networks count. */
static int parse_rate(const char *value, uint64_t *ret, struct lcx_error **err)
{
	static const struct {
		char letter;
		uint64_t factor;
	} units[] = {{'k', 1000}, {'m', 1000000}, {'g', 1000000000}};
	size_t length = strlen(value);
	uint64_t factor = 1, number = 0;
	char digits[24];

	for (size_t i = 0; length > 1 && i < ARRAY_SIZE(units); i++)
		if ((value[length - 1] | 0x20) == units[i].letter)
			factor = units[i].factor;
	length -= factor > 1;
	if (length >= sizeof(digits))
		return lcx__fail(err, EINVAL, "'%s' is no rate", value);
	memcpy(digits, value, length);
	digits[length] = '\0';
	if (lcx__parse_u64(digits, NET_MOST_RATE / factor, &number) < 0)
		return lcx__fail(err, EINVAL,
				 "'%s' is no rate in bits per second, such as 500k, 10m or 1g",
				 value);
	*ret = number * factor;
	return 0;
}

static int set_egress(struct lcx_attachment *attachment, const char *value, struct lcx_error **err)
{
	uint64_t bits = 0;
	int r = parse_rate(value, &bits, err);

	return r < 0 ? r
		     : lcx_attachment_set_rates(attachment, bits, attachment->ingress_bits, err);
}

static int set_ingress(struct lcx_attachment *attachment, const char *value, struct lcx_error **err)
{
	uint64_t bits = 0;
	int r = parse_rate(value, &bits, err);

	return r < 0 ? r : lcx_attachment_set_rates(attachment, attachment->egress_bits, bits, err);
}

#define SYSCTLS "com.docker.network.endpoint.sysctls="

/* Docker's way to say them: a list, behind a key of a driver that has no other. */
static int add_sysctls(struct lcx_attachment *attachment, const char *value, struct lcx_error **err)
{
	CLEANUP(freep) char *copy = NULL;
	char *rest, *word;
	int r = 0;

	if (strncmp(value, SYSCTLS, strlen(SYSCTLS)) != 0)
		return lcx__fail(err, EINVAL, "'%.64s' is no option of a driver; there is " SYSCTLS,
				 value);
	copy = strdup(value + strlen(SYSCTLS));
	if (!copy)
		return lcx__fail_nomem(err);
	rest = copy;
	while (r == 0 && (word = strsep(&rest, ","))) {
		char *equals = strchr(word, '=');

		if (!equals)
			return lcx__fail(err, EINVAL, "'%s' sets nothing: NAME=VALUE", word);
		*equals = '\0';
		r = lcx_attachment_add_sysctl(attachment, word, equals + 1, err);
	}
	return r;
}

static int set_hairpin(struct lcx_attachment *attachment, const char *value, struct lcx_error **err)
{
	return lcx__net_parse_switch(value, &attachment->hairpin, err);
}

static int set_promiscuous(struct lcx_attachment *attachment, const char *value,
			   struct lcx_error **err)
{
	return lcx__net_parse_switch(value, &attachment->promiscuous, err);
}

static const struct {
	const char *key;
	int (*set)(struct lcx_attachment *attachment, const char *value, struct lcx_error **err);
} words[] = {
	{"ip", set_ip},
	{"ip6", set_ip6},
	{"mac-address", lcx_attachment_set_mac},
	{"alias", lcx_attachment_add_alias},
	{"interface-name", lcx_attachment_set_interface},
	{"gw-priority", set_priority},
	{"egress-rate", set_egress},
	{"ingress-rate", set_ingress},
	{"hairpin", set_hairpin},
	{"promiscuous", set_promiscuous},
	{"driver-opt", add_sysctls},
};

LCX_PUBLIC int lcx_attachment_set_option(struct lcx_attachment *attachment, const char *key,
					 const char *value, struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].key, key) == 0)
			return words[i].set(attachment, value, err);
	return lcx__fail(
		err, EINVAL,
		"an attachment has no option '%s'; there are ip, ip6, mac-address, alias, "
		"interface-name, gw-priority, egress-rate, ingress-rate, hairpin, promiscuous "
		"and driver-opt",
		key);
}
