/* SPDX-License-Identifier: MIT */
#pragma once

/* Which users and groups of the host those of a container are, as podman says it. */

#include "app.h"
#include "memory.h"
#include "options.h"

struct user_options {
	const char *userns;
	struct list uid_map, gid_map;
};

/* Rows for a command's own table, whose structure holds a struct user_options named @member. */
#define USER_ROWS(type, member)                                                                    \
	LONG_ROW("userns", type, OPTION_STRING, member.userns, "USERS",                            \
		 "host, auto, auto:size=COUNT, private, ns:PATH"),                                 \
		LONG_ROW("uidmap", type, OPTION_LIST, member.uid_map, "CONTAINER:HOST[:COUNT]",    \
			 "which users of the host its users are"),                                 \
		LONG_ROW("gidmap", type, OPTION_LIST, member.gid_map, "CONTAINER:HOST[:COUNT]",    \
			 "likewise its groups; as the users if not given")

int describe_users(struct lcx_container *c, const struct user_options *o, struct lcx_error **err);
void user_options_free(struct user_options *o);
