/* SPDX-License-Identifier: MIT */
#pragma once

/* Instructions of a Dockerfile that change nothing but an image's configuration. */

#include <json-c/json.h>
#include <stdbool.h>

#include "util/error.h"

struct lcx__change {
	struct json_object *config; /* the "config" section, borrowed */
	bool has_cmd;               /* a CMD was among the changes: ENTRYPOINT leaves it */
};

/* "CMD [...]", "ENV A=b", ...; -EINVAL in words. */
int lcx__change_apply(struct lcx__change *change, const char *instruction, struct lcx_error **err);

/* Set or replace "NAME=value" in the array "Env" of a config section. -ENOMEM */
int lcx__change_set_env(struct json_object *config, const char *assignment);

/* Set a member to a string or to an array of strings. -ENOMEM */
int lcx__change_set_text(struct json_object *object, const char *key, const char *text);
int lcx__change_set_strings(struct json_object *object, const char *key, char *const *strings);

/* The object that is a member, made if need be; NULL: out of memory. */
struct json_object *lcx__change_member(struct json_object *object, const char *key);
