/* SPDX-License-Identifier: MIT */
#include "spec/spec.h"

#include <string.h>
#include <sys/mount.h>

#include "security/caps.h"
#include "security/seccomp.h"
#include "spec/fields.h"
#include "util/str.h"

/* The life of a description, and its two ways through JSON. */

enum { MAX_DOCUMENT_SIZE = 4 << 20 };

static const char oci_version[] = LCX__OCI_VERSION;

LCX_PUBLIC struct lcx_spec *lcx_spec_free(struct lcx_spec *spec)
{
	if (!spec)
		return NULL;
	lcx__json_release(lcx__spec_fields, spec);
	(void)lcx__strv_free(spec->warnings);
	free(spec);
	return NULL;
}

LCX_PUBLIC int lcx_spec_new_empty(struct lcx_spec **ret, struct lcx_error **err)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = calloc(1, sizeof(*spec));

	if (!spec)
		return lcx__fail_nomem(err);
	spec->oci_version = strdup(oci_version);
	if (!spec->oci_version)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(spec);
	return 0;
}

/* A bind mount takes no options of a file system. */
static int warn_of_options(struct lcx_spec *spec, struct lcx_error **err)
{
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct lcx__mount_options *o = &spec->mounts.items[i].parsed;
		CLEANUP(freep) char *sentence = NULL;

		if (!o->data || !(o->flags & MS_BIND))
			continue;
		sentence = lcx__format("mounts[%zu]: options: '%.64s' is for a new file system, and "
				       "of no effect on a bind mount",
				       i, o->data);
		if (!sentence || lcx__strv_append(&spec->warnings, sentence) < 0)
			return lcx__fail_nomem(err);
	}
	return 0;
}

static int from_document(struct json_object *json, struct lcx_spec **ret, struct lcx_error **err)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = calloc(1, sizeof(*spec));
	int r;

	if (!spec)
		return lcx__fail_nomem(err);
	r = lcx__json_read(lcx__spec_fields, json, spec, &spec->warnings, err);
	if (r == 0)
		r = warn_of_options(spec, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(spec);
	return 0;
}

LCX_PUBLIC int lcx_spec_from_json(const char *text, size_t length, struct lcx_spec **ret,
				  struct lcx_error **err)
{
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	int r = lcx__json_parse(text, length, MAX_DOCUMENT_SIZE, &json, err);

	return r < 0 ? r : from_document(json, ret, err);
}

int lcx__spec_from_utf8(const char *text, size_t length, struct lcx_spec **ret,
			struct lcx_error **err)
{
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	int r = lcx__json_parse_utf8(text, length, MAX_DOCUMENT_SIZE, &json, err);

	return r < 0 ? r : from_document(json, ret, err);
}

/* A part of a document, by its own table, into the place where the whole one has it. */
static int from_part(const char *text, size_t length, const struct lcx__json_field *fields,
		     size_t offset, struct lcx_spec **ret, struct lcx_error **err)
{
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	int r;

	r = lcx__json_parse(text, length, MAX_DOCUMENT_SIZE, &json, err);
	if (r == 0)
		r = lcx_spec_new_empty(&spec, err);
	if (r < 0)
		return r;
	*(bool *)((char *)spec + offset) = true;
	r = lcx__json_read(fields, json, (char *)spec + offset, &spec->warnings, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(spec);
	return 0;
}

int lcx__spec_from_process_json(const char *text, size_t length, struct lcx_spec **ret,
				struct lcx_error **err)
{
	return from_part(text, length, lcx__process_fields, offsetof(struct lcx_spec, process), ret,
			 err);
}

int lcx__spec_from_resources_json(const char *text, size_t length, struct lcx_spec **ret,
				  struct lcx_error **err)
{
	int r = from_part(text, length, lcx__resources_fields,
			  offsetof(struct lcx_spec, linux_.resources), ret, err);

	if (r == 0)
		(*ret)->linux_.set = true;
	return r;
}

static int print(const struct lcx_spec *spec, char *(*to_text)(struct json_object *json),
		 char **ret, struct lcx_error **err)
{
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	char *text;

	json = lcx__json_write(lcx__spec_fields, spec, spec);
	text = json ? to_text(json) : NULL;
	if (!text)
		return lcx__fail_nomem(err);
	*ret = text;
	return 0;
}

LCX_PUBLIC int lcx_spec_to_json(const struct lcx_spec *spec, char **ret, struct lcx_error **err)
{
	return print(spec, lcx__json_print, ret, err);
}

int lcx__spec_to_short_json(const struct lcx_spec *spec, char **ret, struct lcx_error **err)
{
	return print(spec, lcx__json_print_short, ret, err);
}

/*
 * By way of JSON values, which the tables know how to make; only a seccomp profile loses its
 * conditions so, and is copied apart.
 */
LCX_PUBLIC int lcx_spec_dup(const struct lcx_spec *spec, struct lcx_spec **ret,
			    struct lcx_error **err)
{
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	CLEANUP(lcx_spec_freep) struct lcx_spec *copy = NULL;
	struct lcx_seccomp *profile = NULL;
	int r;

	json = lcx__json_write(lcx__spec_fields, spec, spec);
	copy = calloc(1, sizeof(*copy));
	if (!json || !copy)
		return lcx__fail_nomem(err);
	r = lcx__json_read(lcx__spec_fields, json, copy, &copy->warnings, err);
	if (r == 0 && spec->linux_.seccomp)
		r = lcx_seccomp_dup(spec->linux_.seccomp, &profile, err);
	if (r < 0)
		return r;
	(void)lcx_seccomp_free(copy->linux_.seccomp);
	copy->linux_.seccomp = profile;
	(void)lcx__strv_free(copy->warnings);
	copy->warnings = lcx__strv_copy((const char *const *)spec->warnings);
	if (!copy->warnings)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(copy);
	return 0;
}

uint64_t lcx__spec_bounding(const struct lcx_spec *spec)
{
	const struct lcx__spec_capabilities *capabilities = &spec->process.capabilities;

	return capabilities->set ? capabilities->bounding.value : lcx__capability_all();
}

bool lcx__spec_is_bind(const struct lcx__spec_mount *mount)
{
	return !(mount->parsed.flags & MS_REMOUNT) &&
	       (mount->parsed.flags & MS_BIND ||
		(mount->type && strcmp(mount->type, "bind") == 0));
}

const struct lcx__spec_namespace *lcx__spec_namespace(const struct lcx_spec *spec,
						      uint32_t clone_flag)
{
	for (size_t i = 0; i < spec->linux_.namespaces.n; i++)
		if (spec->linux_.namespaces.items[i].type.value == clone_flag)
			return &spec->linux_.namespaces.items[i];
	return NULL;
}
