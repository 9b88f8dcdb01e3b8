/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "netlink/link-internal.h"

LCX_PUBLIC int lcx_link_config_new(struct lcx_link_config **ret, struct lcx_error **err)
{
	struct lcx_link_config *config = calloc(1, sizeof(*config));

	if (!config)
		return lcx__fail_nomem(err);
	config->netns_fd = -1;
	*ret = config;
	return 0;
}

LCX_PUBLIC int lcx_link_config_set_mtu(struct lcx_link_config *config, uint32_t mtu_bytes,
				       struct lcx_error **err)
{
	if (mtu_bytes < 68 || mtu_bytes > 65535)
		return lcx__fail(err, EINVAL, "an MTU of %u bytes is not one of 68 to 65535",
				 mtu_bytes);
	config->mtu = mtu_bytes;
	return 0;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* Six bytes as "02:42:0a:58:00:02"; sscanf(3) would take blanks and signs, too. */
static bool parse_mac(const char *text, uint8_t mac[static LINK_MAC_SIZE])
{
	if (strlen(text) != LINK_MAC_SIZE * 3 - 1)
		return false;
	for (int i = 0; i < LINK_MAC_SIZE; i++) {
		const char *c = text + i * 3;
		int high = hex_digit(c[0]), low = hex_digit(c[1]);

		if (high < 0 || low < 0 || c[2] != (i == LINK_MAC_SIZE - 1 ? '\0' : ':'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

LCX_PUBLIC int lcx_link_config_set_mac(struct lcx_link_config *config, const char *mac,
				       struct lcx_error **err)
{
	uint8_t bytes[LINK_MAC_SIZE];

	/* The lowest bit of the first byte means: a group's address. */
	if (!parse_mac(mac, bytes) || (bytes[0] & 1))
		return lcx__fail(err, EINVAL,
				 "'%s' is not the address of an interface, as 02:42:0a:58:00:02 is",
				 mac);
	memcpy(config->mac, bytes, sizeof(bytes));
	config->has_mac = true;
	return 0;
}

LCX_PUBLIC int lcx_link_config_set_alias(struct lcx_link_config *config, const char *alias,
					 struct lcx_error **err)
{
	char *copy;

	if (strlen(alias) >= LINK_ALIAS_SIZE)
		return lcx__fail(err, EINVAL, "an alias has at most %d bytes", LINK_ALIAS_SIZE - 1);
	copy = strdup(alias);
	if (!copy)
		return lcx__fail_nomem(err);
	free(config->alias);
	config->alias = copy;
	return 0;
}

LCX_PUBLIC int lcx_link_config_set_master(struct lcx_link_config *config, uint32_t master,
					  struct lcx_error **err)
{
	(void)err;
	config->master = master;
	return 0;
}

LCX_PUBLIC int lcx_link_config_set_up(struct lcx_link_config *config, bool up,
				      struct lcx_error **err)
{
	(void)err;
	config->up = up;
	return 0;
}

LCX_PUBLIC int lcx_link_config_set_netns_fd(struct lcx_link_config *config, int netns_fd,
					    struct lcx_error **err)
{
	if (netns_fd < 0)
		return lcx__fail(err, EINVAL, "%d is not a descriptor of a network namespace",
				 netns_fd);
	config->netns_fd = netns_fd;
	return 0;
}

LCX_PUBLIC struct lcx_link_config *lcx_link_config_free(struct lcx_link_config *config)
{
	if (!config)
		return NULL;
	free(config->alias);
	free(config);
	return NULL;
}
