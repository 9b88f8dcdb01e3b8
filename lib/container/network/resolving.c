/* SPDX-License-Identifier: MIT */

/* What a container's resolv.conf and hosts shall say beside what the library knows by itself. */
#include "container/network/network.h"

#include <arpa/inet.h>
#include <string.h>

#include "container/pod.h"
#include "lcx/net.h"

#define HOST_GATEWAY "host-gateway"

/* One that lcx_net_resolv_conf() would refuse at the start, is refused here. */
static int try_out(const char *const *servers, const char *const *search,
		   const char *const *options, struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;

	return lcx_net_resolv_conf("", servers, search, options, false, &text, err);
}

static int append(char ***list, const char *text, struct lcx_error **err)
{
	return lcx__strv_append(list, text) < 0 ? lcx__fail_nomem(err) : 0;
}

LCX_PUBLIC int lcx_container_add_dns(struct lcx_container *c, const char *server,
				     struct lcx_error **err)
{
	const char *const list[] = {server, NULL};
	int r = try_out(list, NULL, NULL, err);

	return r < 0 ? r : append(&c->d.dns, server, err);
}

LCX_PUBLIC int lcx_container_add_dns_search(struct lcx_container *c, const char *domain,
					    struct lcx_error **err)
{
	const char *const list[] = {domain, NULL};
	int r = try_out(NULL, list, NULL, err);

	return r < 0 ? r : append(&c->d.dns_search, domain, err);
}

LCX_PUBLIC int lcx_container_add_dns_option(struct lcx_container *c, const char *option,
					    struct lcx_error **err)
{
	const char *const list[] = {option, NULL};
	int r = try_out(NULL, NULL, list, err);

	return r < 0 ? r : append(&c->d.dns_options, option, err);
}

static bool is_address(const char *text)
{
	uint8_t bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* "db:10.0.0.1", "db=10.0.0.1", "db:[fd00::1]"; kept as "db=ADDRESS". */
LCX_PUBLIC int lcx_container_add_host(struct lcx_container *c, const char *entry,
				      struct lcx_error **err)
{
	CLEANUP(freep) char *name = strdup(entry), *kept = NULL;
	CLEANUP(freep) char *text = NULL;
	char *address = name ? name + strcspn(name, ":=") : NULL;
	size_t length;
	int r;

	if (!name)
		return lcx__fail_nomem(err);
	if (*address)
		*address++ = '\0';
	length = strlen(address);
	if (address[0] == '[' && address[length - 1] == ']') {
		address[length - 1] = '\0';
		address++;
	}
	if (strcmp(address, HOST_GATEWAY) != 0 && !is_address(address))
		return lcx__fail(err, EINVAL,
				 "host '%s': must be NAME:ADDRESS, or NAME:" HOST_GATEWAY, entry);
	r = lcx_net_hostname_file(name, &text, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "host '%s'", entry);
	kept = lcx__format("%s=%s", name, address);
	return kept ? append(&c->d.hosts, kept, err) : lcx__fail_nomem(err);
}

/* ---- at creation and at each start ---- */

static bool is_empty(char *const *list)
{
	return !list || !list[0];
}

int lcx__container_check_resolving(const struct lcx_container *c, struct lcx_error **err)
{
	if (is_empty(c->d.dns) && is_empty(c->d.dns_search) && is_empty(c->d.dns_options) &&
	    is_empty(c->d.hosts))
		return 0;
	if (!lcx__container_has_files(c))
		return lcx__fail(
			err, EINVAL,
			"name servers and hosts: a root file system of one's own keeps its "
			"/etc/resolv.conf and /etc/hosts; write them there");
	if (lcx__container_network_of(c))
		return lcx__fail(err, EINVAL,
				 "name servers and hosts: network 'container:%s' comes with that "
				 "container's /etc/resolv.conf and /etc/hosts; say them there",
				 lcx__container_network_of(c));
	return 0;
}

static bool has_ndots(char *const *options)
{
	for (; options && *options; options++)
		if (strncmp(*options, "ndots:", 6) == 0)
			return true;
	return false;
}

/*
 * @server: the resolver of its network, or pasta's, or NULL. In a network, a name without a dot is
 * asked of that as it is first: it is one of a neighbour, as a rule.
 */
int lcx__container_resolv_conf(const struct lcx_container *c, const char *server, char **ret,
			       struct lcx_error **err)
{
	const char *const resolver[] = {server, NULL};
	bool has_own = !is_empty(c->d.dns), has_neighbours = lcx__container_has_network(c);
	CLEANUP(freep) char *text = NULL;
	char *all;
	int r = lcx_net_resolv_conf(NULL, has_own ? (const char *const *)c->d.dns : resolver,
				    (const char *const *)c->d.dns_search,
				    (const char *const *)c->d.dns_options,
				    strcmp(c->d.network, "host") == 0, &text, err);

	if (r < 0)
		return r;
	all = lcx__format("%s%s", text,
			  server && !has_own && has_neighbours && !has_ndots(c->d.dns_options)
				  ? "options ndots:0\n"
				  : "");
	if (!all)
		return lcx__fail_nomem(err);
	*ret = all;
	return 0;
}

/* @gateway: where the host is for it; NULL: not yet known, or nowhere. */
int lcx__container_add_hosts(const struct lcx_container *c, const char *gateway, bool is_final,
			     struct lcx__strbuf *text, struct lcx_error **err)
{
	for (char *const *host = c->d.hosts; host && *host; host++) {
		size_t length = strcspn(*host, "=");
		const char *address = *host + length + 1;

		if (strcmp(address, HOST_GATEWAY) == 0)
			address = gateway;
		if (!address && is_final)
			return lcx__fail(
				err, EINVAL,
				"host '%.*s': on network '%s' there is no way to this host "
				"that " HOST_GATEWAY " could mean",
				(int)length, *host, c->d.network);
		if (address)
			lcx__strbuf_addf(text, "%s\t%.*s\n", address, (int)length, *host);
	}
	return 0;
}
