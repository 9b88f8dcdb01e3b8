/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * This room's small JSON files: read whole, every member checked. They are our
 * own, in a private directory; what does not fit is damage, and said so.
 */

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

static inline void net_json_putp(struct json_object **object)
{
	if (*object)
		(void)json_object_put(*object);
}

/* -ENOENT without words when there is no such file. */
int lcx__net_json_read(int dir_fd, const char *file, struct json_object **ret,
		       struct lcx_error **err);
int lcx__net_json_write(int dir_fd, const char *file, struct json_object *object, bool durable,
			struct lcx_error **err);

/* Copy a member; false when it is missing, of another type, or does not fit. */
bool lcx__net_json_text(struct json_object *object, const char *key, char *text, size_t size);
bool lcx__net_json_i64(struct json_object *object, const char *key, int64_t min, int64_t max,
		       int64_t *ret);
bool lcx__net_json_u32(struct json_object *object, const char *key, uint32_t max, uint32_t *ret);
/* Likewise; false where there is none, as in a file of a former build. */
bool lcx__net_json_switch(struct json_object *object, const char *key, bool *ret);
bool lcx__net_json_bool(struct json_object *object, const char *key, bool *ret);

/* Takes @item over; *array is nothing from the first time on that memory was short. */
void lcx__net_json_append(struct json_object **array, struct json_object *item);

/* Add a member; out of memory is remembered in *failed. */
void lcx__net_json_add(struct json_object *object, const char *key, struct json_object *value,
		       bool *failed);
void lcx__net_json_add_text(struct json_object *object, const char *key, const char *text,
			    bool *failed);
