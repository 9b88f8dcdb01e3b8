/* SPDX-License-Identifier: MIT */
#pragma once

/* A container's places in networks, in Docker's words. */

#include <lcx/lcx.h>

#include "memory.h"

DEFINE_CLEANUP(struct lcx_attachment *, lcx_attachment_free)

/* The values of --network, and of the options that speak of its first one. */
struct network_options {
	struct list networks, aliases;
	const char *ip, *ip6, *mac_address;
};

void network_options_free(struct network_options *o);

/* Describe a container's networks. */
int describe_networks(struct lcx_container *c, const struct network_options *o,
		      struct lcx_error **err);

/* The option @key of an attachment for each of @values. */
int attachment_add_options(struct lcx_attachment *attachment, const char *key,
			   const struct list *values, struct lcx_error **err);
