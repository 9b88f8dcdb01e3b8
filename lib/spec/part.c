/* SPDX-License-Identifier: MIT */
#include "spec/fields.h"

/* Parts of a config.json that come alone, as an OCI runtime's commands take them. */

/*
 * The kernel gives no ambient capability that is not inheritable and permitted, too:
 * capabilities(7). Engines name them all the same, and mean those that can be.
 */
void lcx__spec_trim_ambient(struct lcx_spec *spec)
{
	struct lcx__spec_capabilities *caps = &spec->process.capabilities;

	caps->ambient.value &= caps->inheritable.value & caps->permitted.value;
}

LCX_PUBLIC int lcx_spec_process_from_json(const char *text, size_t length, struct lcx_spec **ret,
					  struct lcx_error **err)
{
	int r = lcx__spec_from_process_json(text, length, ret, err);

	if (r == 0)
		lcx__spec_trim_ambient(*ret);
	return r;
}

/* What @from has replaces what @to has, one level after the other; lists as a whole. */
static int overlay(struct json_object *to, struct json_object *from)
{
	struct json_object_iterator at = json_object_iter_begin(from);
	struct json_object_iterator end = json_object_iter_end(from);

	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		const char *key = json_object_iter_peek_name(&at);
		struct json_object *value = json_object_iter_peek_value(&at), *old = NULL;
		int r;

		if (json_object_is_type(value, json_type_object) &&
		    json_object_object_get_ex(to, key, &old) &&
		    json_object_is_type(old, json_type_object)) {
			r = overlay(old, value);
		} else {
			r = json_object_object_add(to, key, json_object_get(value));
			if (r < 0)
				(void)json_object_put(value);
		}
		if (r < 0)
			return -ENOMEM;
	}
	return 0;
}

LCX_PUBLIC int lcx_spec_merge_resources(struct lcx_spec *spec, const char *text, size_t length,
					struct lcx_error **err)
{
	CLEANUP(lcx__json_putp) struct json_object *merged = NULL, *change = NULL;
	CLEANUP(lcx_spec_freep) struct lcx_spec *part = NULL, *whole = NULL;
	struct lcx__resources old;
	int r = lcx__spec_from_resources_json(text, length, &part, err);

	if (r == 0)
		r = lcx_spec_new_empty(&whole, err);
	if (r < 0)
		return r;
	merged = lcx__json_write(lcx__resources_fields, &spec->linux_.resources, NULL);
	change = lcx__json_write(lcx__resources_fields, &part->linux_.resources, NULL);
	if (!merged || !change || overlay(merged, change) < 0)
		return lcx__fail_nomem(err);
	whole->linux_.set = whole->linux_.resources.set = true;
	r = lcx__json_read(lcx__resources_fields, merged, &whole->linux_.resources, NULL, err);
	if (r < 0)
		return r;
	old = spec->linux_.resources;
	spec->linux_.set = true;
	spec->linux_.resources = whole->linux_.resources;
	whole->linux_.resources = old;
	return 0;
}
