/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "net/net-internal.h"

LCX_PUBLIC int lcx_attachment_new(const char *owner, struct lcx_attachment **ret,
				  struct lcx_error **err)
{
	struct lcx_attachment *attachment;

	if (!lcx__name_is_valid(owner))
		return lcx__fail(err, EINVAL, "'%s' cannot be the owner of an attachment", owner);
	if (strcmp(owner, NET_EXCLUDED) == 0)
		return lcx__fail(err, EINVAL, "'%s' owns the addresses that nobody may have",
				 owner);
	attachment = calloc(1, sizeof(*attachment));
	if (!attachment)
		return lcx__fail_nomem(err);
	strcpy(attachment->owner, owner);
	strcpy(attachment->interface, "eth0");
	attachment->interface_chosen = true;
	*ret = attachment;
	return 0;
}

LCX_PUBLIC int lcx_attachment_set_interface(struct lcx_attachment *attachment, const char *name,
					    struct lcx_error **err)
{
	if (!lcx__link_name_is_valid(name) || strcmp(name, "lo") == 0)
		return lcx__fail(err, EINVAL, "'%s' cannot name a container's interface", name);
	strcpy(attachment->interface, name);
	attachment->interface_chosen = false;
	return 0;
}

LCX_PUBLIC int lcx_attachment_set_gateway_priority(struct lcx_attachment *attachment,
						   int32_t priority, struct lcx_error **err)
{
	if (priority < -NET_PRIORITY_LIMIT || priority > NET_PRIORITY_LIMIT)
		return lcx__fail(err, EINVAL, "a gateway's priority is one of -%d to %d, not %d",
				 NET_PRIORITY_LIMIT, NET_PRIORITY_LIMIT, priority);
	attachment->gateway_priority = priority;
	return 0;
}

LCX_PUBLIC int lcx_attachment_add_alias(struct lcx_attachment *attachment, const char *alias,
					struct lcx_error **err)
{
	char *const *there = attachment->aliases;

	if (!lcx__name_is_valid(alias))
		return lcx__fail(err, EINVAL, "'%s' cannot be an alias", alias);
	for (; there && *there; there++)
		if (strcmp(*there, alias) == 0)
			return 0;
	if (there && there - attachment->aliases >= NET_ALIASES_LIMIT)
		return lcx__fail(err, E2BIG, "an attachment has at most %d aliases",
				 NET_ALIASES_LIMIT);
	return lcx__strv_append(&attachment->aliases, alias) < 0 ? lcx__fail_nomem(err) : 0;
}

int lcx__attachment_add_name(struct lcx_attachment *attachment, const char *name,
			     struct lcx_error **err)
{
	for (char *const *there = attachment->names; there && *there; there++)
		if (strcmp(*there, name) == 0)
			return 0;
	return lcx__strv_append(&attachment->names, name) < 0 ? lcx__fail_nomem(err) : 0;
}

LCX_PUBLIC int lcx_attachment_set_rates(struct lcx_attachment *attachment, uint64_t egress_bits,
					uint64_t ingress_bits, struct lcx_error **err)
{
	const uint64_t bits[] = {egress_bits, ingress_bits};

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (bits[i] != 0 && (bits[i] < NET_LEAST_RATE || bits[i] > NET_MOST_RATE))
			return lcx__fail(err, EINVAL,
					 "a rate of %ju bits per second is not one of %d to %ju",
					 (uintmax_t)bits[i], NET_LEAST_RATE,
					 (uintmax_t)NET_MOST_RATE);
	attachment->egress_bits = egress_bits;
	attachment->ingress_bits = ingress_bits;
	return 0;
}

LCX_PUBLIC int lcx_attachment_set_address(struct lcx_attachment *attachment, const char *address,
					  struct lcx_error **err)
{
	struct lcx__inet inet;

	if (lcx__inet_parse_address(address, &inet) < 0)
		return lcx__fail(err, EINVAL, "'%s' is not an address", address);
	lcx__inet_format_address(&inet, attachment->addresses[lcx__inet_net_family(&inet)].address);
	return 0;
}

LCX_PUBLIC int lcx_attachment_set_mac(struct lcx_attachment *attachment, const char *mac,
				      struct lcx_error **err)
{
	CLEANUP(lcx_link_config_freep) struct lcx_link_config *config = NULL;
	int r;

	/* Checked by the one who knows what an address is. */
	r = lcx_link_config_new(&config, err);
	if (r == 0)
		r = lcx_link_config_set_mac(config, mac, err);
	if (r == 0)
		strcpy(attachment->mac, mac);
	return r;
}

int lcx__attachment_copy_port(struct lcx_attachment *attachment, const struct lcx_port *port)
{
	struct lcx_port *ports =
		reallocarray(attachment->ports, attachment->port_count + 1, sizeof(*ports));

	if (!ports)
		return -ENOMEM;
	ports[attachment->port_count] = *port;
	attachment->ports = ports;
	attachment->port_count++;
	return 0;
}

LCX_PUBLIC int lcx_attachment_add_port(struct lcx_attachment *attachment,
				       const struct lcx_port *port, struct lcx_error **err)
{
	int r = lcx__port_check(port, err);
	size_t total = port->count;

	if (r < 0)
		return r;
	for (size_t i = 0; i < attachment->port_count; i++)
		total += attachment->ports[i].count;
	if (total > NET_PORTS_LIMIT)
		return lcx__fail(err, EINVAL, "more than %d published ports", NET_PORTS_LIMIT);
	return lcx__attachment_copy_port(attachment, port) < 0 ? lcx__fail_nomem(err) : 0;
}

/*
 * An address that is made out of the IP address moves with it to the next
 * container, so that what neighbours remember of the old one stays true.
 */
void lcx__attachment_derive_mac(const struct lcx__inet *address, char mac[static NET_MAC_SIZE])
{
	const uint8_t *b = address->bytes + lcx__inet_length(address) - 4;
	uint32_t rest = 0;
	uint8_t m[4];

	/* Of IPv6, the last bytes tell neighbours apart; the others tell networks apart. */
	for (const uint8_t *c = address->bytes; c < b; c++)
		rest = rest * 31 + *c;
	for (unsigned int i = 0; i < sizeof(m); i++)
		m[i] = (uint8_t)(b[i] ^ rest >> (24 - 8 * i));
	(void)snprintf(mac, NET_MAC_SIZE, "02:6c:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3]);
}

void lcx__attachment_usual_mac(const struct lcx_attachment *attachment,
			       char mac[static NET_MAC_SIZE])
{
	struct lcx__inet address;

	mac[0] = '\0';
	if (lcx__inet_parse_address(lcx_attachment_address(attachment), &address) == 0)
		lcx__attachment_derive_mac(&address, mac);
}

LCX_PUBLIC int lcx_attachment_open(struct lcx_ctx *ctx, const char *network, const char *owner,
				   struct lcx_attachment **ret, struct lcx_error **err)
{
	CLEANUP(closep) int dir_fd = -1;
	int r;

	if (!lcx__name_is_valid(network) || !lcx__name_is_valid(owner))
		return lcx__fail(err, EINVAL, "'%s' in '%s' cannot name an attachment", owner,
				 network);
	dir_fd = r = lcx__net_records_dir(ctx, network, err);
	if (dir_fd >= 0)
		r = lcx__record_read(dir_fd, owner, ret, err);
	if (r == -ENOENT)
		return lcx__fail(err, ENOENT, "'%s' is not attached to network '%s'", owner,
				 network);
	return r;
}

LCX_PUBLIC const char *lcx_attachment_owner(const struct lcx_attachment *attachment)
{
	return attachment->owner;
}

LCX_PUBLIC const char *lcx_attachment_network(const struct lcx_attachment *attachment)
{
	return attachment->network;
}

LCX_PUBLIC const char *lcx_attachment_interface(const struct lcx_attachment *attachment)
{
	return attachment->interface;
}

/* That of IPv4, if there is one. */
static const struct net_address *first_address(const struct lcx_attachment *attachment)
{
	bool has_v4 = attachment->addresses[NET_V4].address[0] != '\0';

	return &attachment->addresses[has_v4 ? NET_V4 : NET_V6];
}

LCX_PUBLIC const char *lcx_attachment_address(const struct lcx_attachment *attachment)
{
	return first_address(attachment)->address;
}

LCX_PUBLIC const char *lcx_attachment_address6(const struct lcx_attachment *attachment)
{
	return attachment->addresses[NET_V6].address;
}

LCX_PUBLIC uint32_t lcx_attachment_prefix6(const struct lcx_attachment *attachment)
{
	return attachment->addresses[NET_V6].prefix;
}

LCX_PUBLIC const char *lcx_attachment_gateway6(const struct lcx_attachment *attachment)
{
	return attachment->addresses[NET_V6].gateway;
}

LCX_PUBLIC uint32_t lcx_attachment_prefix(const struct lcx_attachment *attachment)
{
	return first_address(attachment)->prefix;
}

LCX_PUBLIC const char *lcx_attachment_gateway(const struct lcx_attachment *attachment)
{
	return first_address(attachment)->gateway;
}

LCX_PUBLIC const char *lcx_attachment_mac(const struct lcx_attachment *attachment)
{
	return attachment->mac;
}

LCX_PUBLIC uint32_t lcx_attachment_alias_count(const struct lcx_attachment *attachment)
{
	return (uint32_t)lcx__strv_length(attachment->aliases);
}

LCX_PUBLIC const char *lcx_attachment_alias(const struct lcx_attachment *attachment,
					    uint32_t position)
{
	return position < lcx_attachment_alias_count(attachment) ? attachment->aliases[position]
								 : NULL;
}

LCX_PUBLIC int32_t lcx_attachment_gateway_priority(const struct lcx_attachment *attachment)
{
	return attachment->gateway_priority;
}

LCX_PUBLIC uint64_t lcx_attachment_egress_bits(const struct lcx_attachment *attachment)
{
	return attachment->egress_bits;
}

LCX_PUBLIC uint64_t lcx_attachment_ingress_bits(const struct lcx_attachment *attachment)
{
	return attachment->ingress_bits;
}

const char *lcx__attachment_asked_interface(const struct lcx_attachment *attachment)
{
	return attachment->interface_chosen ? "" : attachment->interface;
}

LCX_PUBLIC const char *lcx_attachment_host_interface(const struct lcx_attachment *attachment)
{
	return attachment->host_interface;
}

LCX_PUBLIC const char *lcx_attachment_bridge(const struct lcx_attachment *attachment)
{
	return attachment->bridge;
}

LCX_PUBLIC uint32_t lcx_attachment_port_count(const struct lcx_attachment *attachment)
{
	return (uint32_t)attachment->port_count;
}

LCX_PUBLIC const struct lcx_port *lcx_attachment_port(const struct lcx_attachment *attachment,
						      uint32_t position)
{
	return position < attachment->port_count ? &attachment->ports[position] : NULL;
}

LCX_PUBLIC struct lcx_attachment *lcx_attachment_free(struct lcx_attachment *attachment)
{
	if (!attachment)
		return NULL;
	free(attachment->ports);
	(void)lcx__strv_free(attachment->aliases);
	(void)lcx__strv_free(attachment->sysctls);
	(void)lcx__strv_free(attachment->names);
	free(attachment);
	return NULL;
}
