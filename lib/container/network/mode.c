/* SPDX-License-Identifier: MIT */

/*
 * The other ways to a network: none, the host's, pasta, that of a container that runs, a given
 * namespace.
 * A container that has one of these is in no network of ours.
 */
#include "container/network/network.h"

#include <sched.h>
#include <string.h>

#include "container/pod.h"
#include "container/users/ordinary.h"
#include "lcx/ns.h"

#define CONTAINER_PREFIX "container:"
#define NS_PREFIX        "ns:"

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool lcx__network_is_pasta(const char *network)
{
	return strcmp(network, "pasta") == 0;
}

bool lcx__network_is_mode(const char *network)
{
	if (starts_with(network, CONTAINER_PREFIX))
		return lcx__name_is_valid(network + strlen(CONTAINER_PREFIX));
	if (starts_with(network, NS_PREFIX))
		return network[strlen(NS_PREFIX)] == '/';
	return strcmp(network, "none") == 0 || strcmp(network, "host") == 0 ||
	       lcx__network_is_pasta(network);
}

bool lcx__network_is_shared(const char *network)
{
	return lcx__network_is_mode(network) && strcmp(network, "none") != 0 &&
	       !lcx__network_is_pasta(network);
}

const char *lcx__container_network_of(const struct lcx_container *c)
{
	return starts_with(c->d.network, CONTAINER_PREFIX) ? c->d.network + strlen(CONTAINER_PREFIX)
							   : NULL;
}

/* What the other one shares itself is shared likewise. */
static int adopt(struct lcx_container *c, const struct lcx_container *other, struct lcx_error **err)
{
	/* By its id from now on: the name may come to stand for another. */
	char *network = lcx__network_is_shared(other->d.network)
				? strdup(other->d.network)
				: lcx__format(CONTAINER_PREFIX "%s", other->d.id);

	if (!network)
		return lcx__fail_nomem(err);
	free(c->d.network);
	c->d.network = network;
	return 0;
}

static int settle_container(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(freep) char *path = NULL;

	/* Never there: each start joins by a descriptor, and this tells whoever reads it. */
	path = lcx__format("%s/containers/%s/network-namespace", c->ctx->run_dir,
			   lcx__container_network_of(c));
	return path ? lcx_spec_join_namespace(c->spec, "network", path, err) : lcx__fail_nomem(err);
}

/* Root has better networks, and pasta's rights on this host are those of who starts it. */
int lcx__container_check_pasta(const struct lcx_container *c, struct lcx_error **err)
{
	const struct lcx__spec_namespace *ns = lcx__spec_namespace(c->spec, CLONE_NEWNET);

	if (!lcx__is_ordinary_user())
		return lcx__fail(
			err, EINVAL,
			"network 'pasta' is one for ordinary users; root has networks that "
			"do the same without a program between: choose \"bridge\"");
	if (!ns || ns->path)
		return lcx__fail(
			err, EINVAL,
			"network 'pasta' needs a network namespace of the container's own");
	return 0;
}

int lcx__container_settle_mode(struct lcx_container *c, struct lcx_error **err)
{
	if (lcx__container_network_of(c)) {
		CLEANUP(lcx_container_freep) struct lcx_container *other = NULL;
		int r = lcx_container_open(c->ctx, lcx__container_network_of(c), &other, err);

		if (r == 0)
			r = adopt(c, other, err);
		if (r < 0)
			return r;
	}
	if (lcx__network_is_pasta(c->d.network))
		return lcx__container_check_pasta(c, err);
	if (strcmp(c->d.network, "host") == 0)
		return lcx_spec_remove_namespace(c->spec, "network", err);
	if (starts_with(c->d.network, NS_PREFIX))
		return lcx_spec_join_namespace(c->spec, "network", c->d.network + strlen(NS_PREFIX),
					       err);
	return lcx__container_network_of(c) ? settle_container(c, err) : 0;
}

int lcx__container_open_shared(struct lcx_container *c,
			       struct lcx__joined_ns ret[static LCX__SHARED_MAX], size_t *ret_n,
			       struct lcx_error **err)
{
	const char *id = c->d.pod ? c->d.pod : lcx__container_network_of(c);
	CLEANUP(lcx_container_freep) struct lcx_container *other = NULL;
	CLEANUP(closep) int pidfd = -1;
	int r;

	if (!id)
		return 0;
	r = lcx__container_open_id(c->ctx, id, &other, err);
	if (r == 0)
		r = pidfd = lcx__container_open_running(other, err);
	if (r >= 0)
		r = lcx__pod_open_namespaces(c, pidfd, ret, ret_n, err);
	return lcx__fail_prefix(err, r, "%s",
				c->d.pod ? "its pod" : "the container whose network it shares");
}
