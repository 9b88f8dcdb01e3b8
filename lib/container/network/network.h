/* SPDX-License-Identifier: MIT */
#pragma once

/* What a container's description says of its networks, and of the files that names are looked up
 * in. */

#include "container/container-internal.h"
#include "container/pod.h"

/* ---- wish.c ---- */

bool lcx__network_is_pasta(const char *network);
/* "none", "host" and whatever else is no network of ours. */
bool lcx__network_is_mode(const char *network);
/* A mode by which it has somebody else's network. */
bool lcx__network_is_shared(const char *network);
/* The networks it is attached to by a start; 0 if it has an interface in none. */
size_t lcx__container_network_count(const struct lcx_container *c);
const char *lcx__container_network_at(const struct lcx_container *c, size_t i);
int lcx__container_attachment(const struct lcx_container *c, size_t i, struct lcx_attachment **ret,
			      struct lcx_error **err);
/* Under which the others of a network find it. */
int lcx__container_add_names(const struct lcx_container *c, struct lcx_attachment *attachment,
			     struct lcx_error **err);

/* ---- resolving.c ---- */

int lcx__container_check_resolving(const struct lcx_container *c, struct lcx_error **err);
int lcx__container_resolv_conf(const struct lcx_container *c, const char *server, char **ret,
			       struct lcx_error **err);
int lcx__container_add_hosts(const struct lcx_container *c, const char *gateway, bool is_final,
			     struct lcx__strbuf *text, struct lcx_error **err);

/* ---- mode.c ---- */

/* What the mode means for the description, at creation; nothing for a network of ours. */
int lcx__container_settle_mode(struct lcx_container *c, struct lcx_error **err);
/* Whoever creates or starts it can have it. */
int lcx__container_check_pasta(const struct lcx_container *c, struct lcx_error **err);
/* The id of the container whose network it shares; NULL: none. */
const char *lcx__container_network_of(const struct lcx_container *c);
/* The namespaces of that one, or of its pod, which must run; none if it shares none. */
int lcx__container_open_shared(struct lcx_container *c,
			       struct lcx__joined_ns ret[static LCX__SHARED_MAX], size_t *ret_n,
			       struct lcx_error **err);

/* It has an interface in a network of ours. */
bool lcx__container_has_network(const struct lcx_container *c);
