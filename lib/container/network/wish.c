/* SPDX-License-Identifier: MIT */

/*
 * The networks that a container is to be attached to, as it is described: kept with the
 * description, and made attachments of at each start.
 */
#include "container/network/network.h"

#include <string.h>

#include "net/net.h"

/* The texts of a wish; an address of either kind is set alike. */
static const struct {
	size_t offset;
	const char *(*get)(const struct lcx_attachment *attachment);
	int (*set)(struct lcx_attachment *attachment, const char *text, struct lcx_error **err);
} texts[] = {
	{offsetof(struct network_wish, address), lcx_attachment_address,
	 lcx_attachment_set_address},
	{offsetof(struct network_wish, address6), lcx_attachment_address6,
	 lcx_attachment_set_address},
	{offsetof(struct network_wish, mac), lcx_attachment_mac, lcx_attachment_set_mac},
	{offsetof(struct network_wish, interface), lcx__attachment_asked_interface,
	 lcx_attachment_set_interface},
};

static int fill(struct network_wish *wish, const struct lcx_attachment *attachment)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text = texts[i].get(attachment);
		char **place = (char **)((char *)wish + texts[i].offset);

		if (text[0] != '\0' && !(*place = strdup(text)))
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < lcx_attachment_alias_count(attachment); i++)
		if (lcx__strv_append(&wish->aliases, lcx_attachment_alias(attachment, i)) < 0)
			return -ENOMEM;
	for (uint32_t i = 0; i < lcx_attachment_sysctl_count(attachment); i++)
		if (lcx__strv_append(&wish->sysctls, lcx_attachment_sysctl(attachment, i)) < 0)
			return -ENOMEM;
	wish->priority = (struct lcx__opt_int)LCX__OPT(lcx_attachment_gateway_priority(attachment));
	wish->egress_bits = (struct lcx__opt_u64)LCX__OPT(lcx_attachment_egress_bits(attachment));
	wish->ingress_bits = (struct lcx__opt_u64)LCX__OPT(lcx_attachment_ingress_bits(attachment));
	wish->hairpin = (struct lcx__opt_bool)LCX__OPT(lcx_attachment_hairpin(attachment));
	wish->promiscuous = (struct lcx__opt_bool)LCX__OPT(lcx_attachment_promiscuous(attachment));
	return 0;
}

static int check(const struct lcx_container *c, const char *network,
		 const struct lcx_attachment *attachment, struct lcx_error **err)
{
	if (c->state != LCX_CONTAINER_NEW)
		return lcx__fail(err, EINVAL,
				 "container '%s' is described already; connect it while it runs",
				 lcx__container_display(c));
	if (!lcx__name_is_valid(network) || lcx__network_is_mode(network))
		return lcx__fail(err, EINVAL, "'%s' cannot be one of a container's networks",
				 network);
	for (size_t i = 0; i < c->d.networks.n; i++)
		if (strcmp(c->d.networks.items[i].name, network) == 0)
			return lcx__fail(err, EEXIST,
					 "the container has network '%s' twice; say it once",
					 network);
	if (attachment && strcmp(lcx_attachment_owner(attachment), c->d.id) != 0)
		return lcx__fail(err, EINVAL, "the attachment is of '%s', not of this container",
				 lcx_attachment_owner(attachment));
	if (attachment && lcx_attachment_port_count(attachment) > 0)
		return lcx__fail(err, EINVAL,
				 "ports are published by lcx_container_publish(), not by the "
				 "attachment to '%s'",
				 network);
	return 0;
}

LCX_PUBLIC int lcx_container_add_network(struct lcx_container *c, const char *network,
					 const struct lcx_attachment *attachment,
					 struct lcx_error **err)
{
	CLEANUP(freep) char *first = NULL;
	struct network_wish *wish;
	int r = check(c, network, attachment, err);

	if (r < 0)
		return r;
	first = c->d.networks.n == 0 ? strdup(network) : NULL;
	wish = lcx__list_grow(&c->d.networks, sizeof(*wish));
	if (!wish || !(wish->name = strdup(network)) || (c->d.networks.n == 1 && !first) ||
	    (attachment && fill(wish, attachment) < 0))
		return lcx__fail_nomem(err);
	if (first) {
		free(c->d.network);
		c->d.network = TAKE_PTR(first);
	}
	return 0;
}

size_t lcx__container_network_count(const struct lcx_container *c)
{
	if (!lcx__container_has_network(c))
		return 0;
	return c->d.networks.n > 0 ? c->d.networks.n : 1;
}

const char *lcx__container_network_at(const struct lcx_container *c, size_t i)
{
	return c->d.networks.n > 0 ? c->d.networks.items[i].name : c->d.network;
}

/* "NAME=VALUE" */
static int add_sysctl(struct lcx_attachment *attachment, const char *assignment,
		      struct lcx_error **err)
{
	CLEANUP(freep) char *name = strdup(assignment);
	char *value = name ? strchr(name, '=') : NULL;

	if (!value)
		return name ? lcx__fail(err, EINVAL, "'%s' sets nothing", name)
			    : lcx__fail_nomem(err);
	*value++ = '\0';
	return lcx_attachment_add_sysctl(attachment, name, value, err);
}

/* Under which the others of a network find it: the first one is its own. */
int lcx__container_add_names(const struct lcx_container *c, struct lcx_attachment *attachment,
			     struct lcx_error **err)
{
	const char *const names[] = {c->d.name, c->spec ? c->spec->hostname : NULL};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++)
		if (names[i] && lcx__name_is_valid(names[i]))
			r = lcx__attachment_add_name(attachment, names[i], err);
	return r;
}

int lcx__container_attachment(const struct lcx_container *c, size_t i, struct lcx_attachment **ret,
			      struct lcx_error **err)
{
	const struct network_wish *wish = c->d.networks.n > 0 ? &c->d.networks.items[i] : NULL;
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *attachment = NULL;
	int r = lcx_attachment_new(c->d.id, &attachment, err);

	for (size_t k = 0; wish && r == 0 && k < ARRAY_SIZE(texts); k++) {
		const char *text = *(char *const *)((const char *)wish + texts[k].offset);

		if (text)
			r = texts[k].set(attachment, text, err);
	}
	for (char **alias = wish ? wish->aliases : NULL; r == 0 && alias && *alias; alias++)
		r = lcx_attachment_add_alias(attachment, *alias, err);
	for (char **sysctl = wish ? wish->sysctls : NULL; r == 0 && sysctl && *sysctl; sysctl++)
		r = add_sysctl(attachment, *sysctl, err);
	if (r == 0 && wish)
		r = lcx_attachment_set_gateway_priority(attachment, wish->priority.value, err);
	if (r == 0 && wish)
		r = lcx_attachment_set_rates(attachment, wish->egress_bits.value,
					     wish->ingress_bits.value, err);
	if (r == 0 && wish)
		r = lcx_attachment_set_hairpin(attachment, wish->hairpin.value, err);
	if (r == 0 && wish)
		r = lcx_attachment_set_promiscuous(attachment, wish->promiscuous.value, err);
	if (r == 0)
		r = lcx__container_add_names(c, attachment, err);
	if (r == 0)
		*ret = TAKE_PTR(attachment);
	return lcx__fail_prefix(err, r, "network '%s'", lcx__container_network_at(c, i));
}
