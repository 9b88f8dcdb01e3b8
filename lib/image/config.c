/* SPDX-License-Identifier: MIT */
#include "image/manifest.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "image/document.h"
#include "util/str.h"

/*
 * The only members that ever reach a container. One row each: a label, or a
 * member nobody knows, can't become one of these by its name.
 */
static const struct member {
	const char *key;
	int (*dup_strv)(struct json_object *, const char *, char ***, struct lcx_error **);
	size_t offset;
} members[] = {
	{"Entrypoint", lcx__doc_dup_strv, offsetof(struct lcx__config, entrypoint)},
	{"Cmd", lcx__doc_dup_strv, offsetof(struct lcx__config, cmd)},
	{"Env", lcx__doc_dup_strv, offsetof(struct lcx__config, env)},
	{"ExposedPorts", lcx__doc_dup_keys, offsetof(struct lcx__config, exposed_ports)},
	{"Volumes", lcx__doc_dup_keys, offsetof(struct lcx__config, volumes)},
	{"WorkingDir", NULL, offsetof(struct lcx__config, working_dir)},
	{"User", NULL, offsetof(struct lcx__config, user)},
	{"StopSignal", NULL, offsetof(struct lcx__config, stop_signal)},
};

static int parse_member(struct json_object *section, const struct member *m,
			struct lcx__config *config, struct lcx_error **err)
{
	void *field = (char *)config + m->offset;

	return m->dup_strv ? m->dup_strv(section, m->key, field, err)
			   : lcx__doc_dup_string(section, m->key, field, err);
}

static int parse_health(struct json_object *section, struct lcx__config *config,
			struct lcx_error **err)
{
	static const char *const keys[] = {
		[LCX_HEALTH_INTERVAL_NS] = "Interval",
		[LCX_HEALTH_TIMEOUT_NS] = "Timeout",
		[LCX_HEALTH_START_PERIOD_NS] = "StartPeriod",
		[LCX_HEALTH_START_INTERVAL_NS] = "StartInterval",
		[LCX_HEALTH_RETRIES] = "Retries",
	};
	struct json_object *health = NULL;
	int r = lcx__doc_object(section, "Healthcheck", &health, err);

	if (r < 0 || !health)
		return r;
	r = lcx__doc_dup_strv(health, "Test", &config->health_test, err);
	for (size_t i = LCX_HEALTH_INTERVAL_NS; r == 0 && i < ARRAY_SIZE(keys); i++)
		r = lcx__doc_size(health, keys[i], &config->health[i], err);
	return r;
}

static int parse_labels(struct json_object *section, struct lcx__config *config,
			struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **names = NULL;
	struct json_object *map = NULL;
	int r;

	r = lcx__doc_dup_keys(section, "Labels", &names, err);
	if (r == 0)
		r = lcx__doc_object(section, "Labels", &map, err);
	if (r < 0)
		return r;
	config->labels = calloc(lcx__strv_length(names) + 1, sizeof(*config->labels));
	if (!config->labels)
		return lcx__fail_nomem(err);
	for (size_t i = 0; names[i]; i++) {
		struct lcx__label *label = &config->labels[config->n_labels++];

		r = lcx__doc_dup_string(map, names[i], &label->value, err);
		if (r < 0)
			return r;
		label->name = strdup(names[i]);
		if (!label->name)
			return lcx__fail_nomem(err);
	}
	return 0;
}

static int parse_diff_ids(struct json_object *object, struct lcx__config *config,
			  struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **ids = NULL;
	struct json_object *rootfs = NULL;
	const char *type = NULL;
	int r;

	r = lcx__doc_object(object, "rootfs", &rootfs, err);
	if (r == 0 && !rootfs)
		return lcx__fail(err, EBADMSG, "\"rootfs\" is missing");
	if (r == 0)
		r = lcx__doc_string(rootfs, "type", &type, err);
	if (r == 0 && (!type || strcmp(type, "layers") != 0))
		return lcx__fail(err, EBADMSG, "\"rootfs\" is not made of layers");
	if (r == 0)
		r = lcx__doc_dup_strv(rootfs, "diff_ids", &ids, err);
	if (r < 0)
		return r;

	config->n_diff_ids = lcx__strv_length(ids);
	if (config->n_diff_ids > LCX__LAYERS_MAX)
		return lcx__fail(err, EBADMSG, "%zu layers are more than %d", config->n_diff_ids,
				 LCX__LAYERS_MAX);
	config->diff_ids = calloc(config->n_diff_ids + 1, sizeof(*config->diff_ids));
	if (!config->diff_ids)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < config->n_diff_ids; i++)
		if (lcx__digest_parse(ids[i], &config->diff_ids[i]) < 0)
			return lcx__fail(err, EBADMSG, "diff_id '%.150s' is not a digest", ids[i]);
	return 0;
}

/*
 * The OCI's ChainID: the hash of the chain below, a blank and the diff id. An unpacked
 * layer is known by it, and not by its diff id, since it depends on what lies below
 * (see implied.c).
 */
static int compute_chain_ids(struct lcx__config *config, struct lcx_error **err)
{
	config->chain_ids = calloc(config->n_diff_ids + 1, sizeof(*config->chain_ids));
	if (!config->chain_ids)
		return lcx__fail_nomem(err);
	for (size_t i = 0; i < config->n_diff_ids; i++) {
		char text[2 * LCX__DIGEST_SIZE + 2];
		int r;

		if (i == 0) {
			config->chain_ids[i] = config->diff_ids[i];
			continue;
		}
		(void)snprintf(text, sizeof(text), "%s %s", config->chain_ids[i - 1].text,
			       config->diff_ids[i].text);
		r = lcx__digest_of(NULL, text, strlen(text), &config->chain_ids[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_time(struct json_object *object, int64_t *ret_ns, struct lcx_error **err)
{
	const char *created = NULL;
	int r = lcx__doc_string(object, "created", &created, err);

	/* A time that can't be read is one that the image doesn't say. */
	if (r == 0 && (!created || lcx__parse_time(created, ret_ns) < 0))
		*ret_ns = 0;
	return r;
}

static int parse_step(struct json_object *object, struct lcx__history *step, struct lcx_error **err)
{
	int r;

	if (!json_object_is_type(object, json_type_object))
		return lcx__fail(err, EBADMSG, "\"history\" is not an array of objects");
	r = parse_time(object, &step->created_ns, err);
	if (r == 0)
		r = lcx__doc_dup_string(object, "created_by", &step->created_by, err);
	if (r == 0)
		r = lcx__doc_dup_string(object, "author", &step->author, err);
	if (r == 0)
		r = lcx__doc_dup_string(object, "comment", &step->comment, err);
	return r < 0 ? r : lcx__doc_bool(object, "empty_layer", &step->empty_layer, err);
}

static int parse_history(struct json_object *object, struct lcx__config *config,
			 struct lcx_error **err)
{
	struct json_object *array = NULL;
	int r = lcx__doc_array(object, "history", &array, err);
	size_t n = array ? json_object_array_length(array) : 0;

	if (r < 0 || n == 0)
		return r;
	config->history = calloc(n, sizeof(*config->history));
	if (!config->history)
		return lcx__fail_nomem(err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = parse_step(json_object_array_get_idx(array, i),
			       &config->history[config->n_history++], err);
	return r;
}

static int parse_top(struct json_object *object, struct lcx__config *config, struct lcx_error **err)
{
	int r;

	r = lcx__doc_dup_string(object, "os", &config->os, err);
	if (r == 0)
		r = lcx__doc_dup_string(object, "architecture", &config->architecture, err);
	if (r == 0)
		r = lcx__doc_dup_string(object, "variant", &config->variant, err);
	if (r == 0)
		r = lcx__doc_dup_string(object, "author", &config->author, err);
	if (r == 0)
		r = parse_time(object, &config->created_ns, err);
	if (r == 0)
		r = parse_history(object, config, err);
	if (r < 0)
		return r;
	r = parse_diff_ids(object, config, err);
	return r < 0 ? r : compute_chain_ids(config, err);
}

int lcx__config_parse(const char *data, size_t length, struct lcx__config **ret,
		      struct lcx_error **err)
{
	CLEANUP(lcx__config_freep) struct lcx__config *config = calloc(1, sizeof(*config));
	CLEANUP(lcx__doc_putp) struct json_object *object = NULL;
	CLEANUP(lcx__doc_putp) struct json_object *none = json_object_new_object();
	struct json_object *section = NULL;
	int r;

	if (!config || !none)
		return lcx__fail_nomem(err);
	r = lcx__doc_parse(data, length, "image configuration", &object, err);
	if (r < 0)
		return r;
	r = parse_top(object, config, err);
	if (r == 0)
		r = lcx__doc_object(object, "config", &section, err);
	if (!section)
		section = none;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(members); i++)
		r = parse_member(section, &members[i], config, err);
	if (r == 0)
		r = parse_labels(section, config, err);
	if (r == 0)
		r = parse_health(section, config, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "image configuration");
	*ret = TAKE_PTR(config);
	return 0;
}

struct lcx__config *lcx__config_free(struct lcx__config *config)
{
	if (!config)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		void *field = (char *)config + members[i].offset;

		if (members[i].dup_strv)
			(void)lcx__strv_free(*(char ***)field);
		else
			free(*(char **)field);
	}
	for (size_t i = 0; i < config->n_labels; i++) {
		free(config->labels[i].name);
		free(config->labels[i].value);
	}
	free(config->labels);
	(void)lcx__strv_free(config->health_test);
	for (size_t i = 0; i < config->n_history; i++) {
		free(config->history[i].created_by);
		free(config->history[i].author);
		free(config->history[i].comment);
	}
	free(config->history);
	free(config->author);
	free(config->diff_ids);
	free(config->chain_ids);
	free(config->os);
	free(config->architecture);
	free(config->variant);
	free(config);
	return NULL;
}
