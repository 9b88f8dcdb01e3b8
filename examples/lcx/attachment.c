/* SPDX-License-Identifier: MIT */
#include "attachment.h"

#include <string.h>

void network_options_free(struct network_options *o)
{
	list_free(&o->networks);
	list_free(&o->aliases);
}

int attachment_add_options(struct lcx_attachment *attachment, const char *key,
			   const struct list *values, struct lcx_error **err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < values->count; i++)
		r = lcx_attachment_set_option(attachment, key, values->items[i], err);
	return r;
}

/* --ip and the like, as Docker has it: of the first network. */
static int add_first(struct lcx_attachment *attachment, const struct network_options *o,
		     struct lcx_error **err)
{
	const struct {
		const char *key, *value;
	} options[] = {{"ip", o->ip}, {"ip6", o->ip6}, {"mac-address", o->mac_address}};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(options) / sizeof(*options); i++)
		if (options[i].value)
			r = lcx_attachment_set_option(attachment, options[i].key, options[i].value,
						      err);
	return r == 0 ? attachment_add_options(attachment, "alias", &o->aliases, err) : r;
}

/*
 * The next word of a list. One in double quotes may have commas in it, as Docker's words for a list
 * of switches have: "driver-opt=...sysctls=a=1,b=2".
 */
static char *next_word(char **rest)
{
	char *word = *rest;

	if (!word || *word != '"')
		return strsep(rest, ",");
	word++;
	*rest = strchr(word, '"');
	if (!*rest)
		return word;
	*(*rest)++ = '\0';
	if (**rest == ',')
		(*rest)++;
	else
		*rest = NULL;
	return word;
}

/* "name=front,ip=10.1.0.7,alias=db"; without "=" it is the name alone. */
static int parse(struct lcx_attachment *attachment, char *text, const char **ret_name,
		 struct lcx_error **err)
{
	char *rest = text, *word;
	int r = 0;

	*ret_name = text;
	if (!strchr(text, '='))
		return 0;
	*ret_name = "";
	while (r == 0 && (word = next_word(&rest))) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		if (strcmp(word, "name") == 0 && value)
			*ret_name = value;
		else
			r = lcx_attachment_set_option(attachment, word, value ? value : "", err);
	}
	return r;
}

#define INTERFACE "interface:"

static bool is_interface(const char *text)
{
	return strncmp(text, INTERFACE, strlen(INTERFACE)) == 0;
}

/* "interface:eth1", or "interface:eth1:lan" with another name in the container. */
static int lend(struct lcx_container *c, const char *text, struct lcx_error **err)
{
	CLEANUP(freep) char *host_name = xprintf("%s", text + strlen(INTERFACE));
	char *name = strchr(host_name, ':');

	if (name)
		*name++ = '\0';
	return lcx_spec_add_net_device(lcx_container_spec(c), host_name, name, err);
}

static bool is_mode(const char *text)
{
	return strcmp(text, "none") == 0 || strcmp(text, "host") == 0 ||
	       strcmp(text, "pasta") == 0 || (strchr(text, ':') && !strchr(text, '='));
}

static int add(struct lcx_container *c, const char *text, const struct network_options *o,
	       bool is_first, struct lcx_error **err)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *attachment = NULL;
	CLEANUP(freep) char *copy = xprintf("%s", text);
	const char *name;
	int r = lcx_attachment_new(lcx_container_id(c), &attachment, err);

	if (r == 0)
		r = parse(attachment, copy, &name, err);
	if (r == 0 && is_first)
		r = add_first(attachment, o, err);
	return r == 0 ? lcx_container_add_network(c, name, attachment, err) : r;
}

int describe_networks(struct lcx_container *c, const struct network_options *o,
		      struct lcx_error **err)
{
	const struct list *networks = &o->networks;
	size_t lent = 0, added = 0;
	bool has_first = o->ip || o->ip6 || o->mac_address || o->aliases.count > 0;
	int r = 0;

	/* One that stands alone; with any other option it is refused by its name. */
	if (networks->count == 1 && !is_interface(networks->items[0]) &&
	    is_mode(networks->items[0]) && !has_first)
		return lcx_container_set_network(c, networks->items[0], err);
	if (networks->count == 0 && has_first)
		return add(c, "bridge", o, true, err);
	for (size_t i = 0; r == 0 && i < networks->count; i++) {
		if (is_interface(networks->items[i]) && ++lent)
			r = lend(c, networks->items[i], err);
		else
			r = add(c, networks->items[i], o, added++ == 0, err);
	}
	/* Its own interfaces are all that it has, unless a network is asked for, too. */
	if (r == 0 && lent > 0 && added == 0)
		r = has_first ? add(c, "bridge", o, true, err)
			      : lcx_container_set_network(c, "none", err);
	return r;
}
