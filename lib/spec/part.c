/* SPDX-License-Identifier: MIT */
#include "spec/fields.h"

#include <sched.h>

#include "security/caps.h"
#include "util/str.h"

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

static int warn_of(struct lcx_spec *spec, uint64_t missing, struct lcx_error **err)
{
	for (int32_t cap = 0; cap < 64; cap++) {
		CLEANUP(freep) char *sentence = NULL;

		if (!(missing >> cap & 1))
			continue;
		sentence = lcx__format("process.capabilities: %s can't be granted here, left out",
				       lcx_capability_name(cap));
		if (!sentence || lcx__strv_append(&spec->warnings, sentence) < 0)
			return lcx__fail_nomem(err);
	}
	return 0;
}

int lcx__spec_withhold(struct lcx_spec *spec, uint64_t mask, struct lcx_error **err)
{
	struct lcx__spec_capabilities *caps = &spec->process.capabilities;
	struct lcx__opt_u64 *sets[] = {&caps->bounding, &caps->permitted, &caps->effective,
				       &caps->inheritable, &caps->ambient};
	uint64_t missing = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		missing |= sets[i]->value & mask;
		sets[i]->value &= ~mask;
	}
	return warn_of(spec, missing, err);
}

/*
 * The specification wants a warning of what cannot be granted, and no failure. A user namespace
 * gives them all, for what is in it.
 */
int lcx__spec_trim_capabilities(struct lcx_spec *spec, struct lcx_error **err)
{
	uint64_t all = lcx__spec_namespace(spec, CLONE_NEWUSER) ? UINT64_MAX
								 : lcx__capability_grantable();
	int r = lcx__spec_withhold(spec, ~all, err);

	lcx__spec_trim_ambient(spec);
	return r;
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
