/* SPDX-License-Identifier: MIT */
#include "image/change.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "image/document.h"
#include "util/str.h"

/* ---- JSON --------------------------------------------------------------- */

/* @value is taken. */
static int set(struct json_object *object, const char *key, struct json_object *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_object_add(object, key, value) == 0)
		return 0;
	(void)json_object_put(value);
	return -ENOMEM;
}

static int append(struct json_object *array, const char *text)
{
	struct json_object *value = json_object_new_string(text);

	if (!value)
		return -ENOMEM;
	if (json_object_array_add(array, value) == 0)
		return 0;
	(void)json_object_put(value);
	return -ENOMEM;
}

int lcx__change_set_text(struct json_object *object, const char *key, const char *text)
{
	return set(object, key, json_object_new_string(text));
}

int lcx__change_set_strings(struct json_object *object, const char *key, char *const *strings)
{
	CLEANUP(lcx__doc_putp) struct json_object *array = json_object_new_array();

	if (!array)
		return -ENOMEM;
	for (; strings && *strings; strings++)
		if (append(array, *strings) < 0)
			return -ENOMEM;
	return set(object, key, TAKE_PTR(array));
}

struct json_object *lcx__change_member(struct json_object *object, const char *key)
{
	struct json_object *member = NULL;

	if (json_object_object_get_ex(object, key, &member) &&
	    json_object_is_type(member, json_type_object))
		return member;
	member = json_object_new_object();
	return set(object, key, member) == 0 ? member : NULL;
}

static struct json_object *array_member(struct json_object *object, const char *key)
{
	struct json_object *member = NULL;

	if (json_object_object_get_ex(object, key, &member) &&
	    json_object_is_type(member, json_type_array))
		return member;
	member = json_object_new_array();
	return set(object, key, member) == 0 ? member : NULL;
}

int lcx__change_set_env(struct json_object *config, const char *assignment)
{
	struct json_object *env = array_member(config, "Env"), *value;
	size_t length = strcspn(assignment, "=") + 1;

	if (!env)
		return -ENOMEM;
	for (size_t i = 0; i < json_object_array_length(env); i++) {
		const char *old = json_object_get_string(json_object_array_get_idx(env, i));

		if (!old || strncmp(old, assignment, length) != 0)
			continue;
		value = json_object_new_string(assignment);
		if (!value)
			return -ENOMEM;
		return json_object_array_put_idx(env, i, value) == 0 ? 0 : -ENOMEM;
	}
	return append(env, assignment);
}

/* ---- words -------------------------------------------------------------- */

static int bad(struct lcx_error **err, const char *reason)
{
	return lcx__fail(err, EINVAL, "%s", reason);
}

/* One word, with its quotes and backslashes taken off; *@at is behind it. */
static int read_word(const char **at, char **ret, struct lcx_error **err)
{
	CLEANUP(freep) char *word = calloc(1, strlen(*at) + 1);
	const char *in = *at;
	char *out = word, quote = '\0';

	if (!word)
		return lcx__fail_nomem(err);
	for (; *in && (quote || !strchr(" \t", *in)); in++) {
		if (quote && *in == quote)
			quote = '\0';
		else if (!quote && (*in == '"' || *in == '\''))
			quote = *in;
		else if (*in == '\\' && quote != '\'' && in[1])
			*out++ = *++in;
		else if (*in == '$' && quote != '\'')
			return bad(err, "variables are not expanded; a dollar sign is written \\$");
		else
			*out++ = *in;
	}
	if (quote)
		return bad(err, "a quote is not closed");
	*at = in + strspn(in, " \t");
	*ret = TAKE_PTR(word);
	return 0;
}

static int read_words(const char *text, char ***ret, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **words = lcx__strv_copy(NULL);

	if (!words)
		return lcx__fail_nomem(err);
	while (*text) {
		CLEANUP(freep) char *word = NULL;
		int r = read_word(&text, &word, err);

		if (r < 0)
			return r;
		if (lcx__strv_append(&words, word) < 0)
			return lcx__fail_nomem(err);
	}
	if (!words[0])
		return bad(err, "needs a value");
	*ret = TAKE_PTR(words);
	return 0;
}

/* ["a", "b"] */
static int read_array(const char *text, char ***ret, struct lcx_error **err)
{
	CLEANUP(freep) char *object_text = lcx__format("{\"words\":%s}", text);
	CLEANUP(lcx__doc_putp) struct json_object *object = NULL;
	int r;

	if (!object_text)
		return lcx__fail_nomem(err);
	r = lcx__doc_parse(object_text, strlen(object_text), "array", &object, NULL);
	if (r == 0)
		r = lcx__doc_dup_strv(object, "words", ret, NULL);
	return r < 0 ? lcx__fail(err, EINVAL, "must be a JSON array of strings, or words") : 0;
}

/* Docker's two forms: an array, or a line for the shell. */
static int read_command(const char *text, char ***ret, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **words = NULL;

	if (text[0] == '[')
		return read_array(text, ret, err);
	words = lcx__strv_copy((const char *const[]){"/bin/sh", "-c", text, NULL});
	if (!words)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(words);
	return 0;
}

/* ---- instructions ------------------------------------------------------- */

static int do_cmd(struct lcx__change *c, const char *text, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **words = NULL;
	int r = read_command(text, &words, err);

	if (r < 0)
		return r;
	c->has_cmd = true;
	return lcx__change_set_strings(c->config, "Cmd", words) < 0 ? lcx__fail_nomem(err) : 0;
}

/* What the base ran makes no sense as arguments of another program. */
static int do_entrypoint(struct lcx__change *c, const char *text, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **words = NULL;
	int r = read_command(text, &words, err);

	if (r < 0)
		return r;
	if (!c->has_cmd)
		json_object_object_del(c->config, "Cmd");
	return lcx__change_set_strings(c->config, "Entrypoint", words) < 0 ? lcx__fail_nomem(err)
									   : 0;
}

/* "NAME=value ..." or, the older form, "NAME the rest of the line". */
static int read_pairs(const char *text, char ***ret, struct lcx_error **err)
{
	size_t name = strcspn(text, " \t=");

	if (text[name] == '=' || text[name] == '\0') {
		int r = read_words(text, ret, err);

		for (char **word = r == 0 ? *ret : NULL; word && *word; word++)
			if (!strchr(*word, '=') || **word == '=') {
				*ret = lcx__strv_free(*ret);
				return bad(err, "must be NAME=value");
			}
		return r;
	}
	CLEANUP(freep)
	char *pair =
		lcx__format("%.*s=%s", (int)name, text, text + name + strspn(text + name, " \t"));

	*ret = pair ? lcx__strv_copy((const char *const[]){pair, NULL}) : NULL;
	return *ret ? 0 : lcx__fail_nomem(err);
}

static int do_env(struct lcx__change *c, const char *text, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **pairs = NULL;
	int r = read_pairs(text, &pairs, err);

	for (char **pair = pairs; r == 0 && *pair; pair++)
		if (lcx__change_set_env(c->config, *pair) < 0)
			r = lcx__fail_nomem(err);
	return r;
}

static int do_label(struct lcx__change *c, const char *text, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **pairs = NULL;
	struct json_object *labels;
	int r = read_pairs(text, &pairs, err);

	if (r < 0)
		return r;
	labels = lcx__change_member(c->config, "Labels");
	for (char **pair = pairs; labels && *pair; pair++) {
		char *value = strchr(*pair, '=');

		*value++ = '\0';
		if (lcx__change_set_text(labels, *pair, value) < 0)
			return lcx__fail_nomem(err);
	}
	return labels ? 0 : lcx__fail_nomem(err);
}

/* Sets are objects whose members are empty. */
static int add_to_set(struct json_object *config, const char *key, const char *name,
		      struct lcx_error **err)
{
	struct json_object *members = lcx__change_member(config, key);

	return members && set(members, name, json_object_new_object()) == 0 ? 0
									    : lcx__fail_nomem(err);
}

static int do_expose(struct lcx__change *c, const char *text, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **words = NULL;
	int r = read_words(text, &words, err);

	for (char **word = words; r == 0 && *word; word++) {
		size_t digits = strspn(*word, "0123456789");
		const char *protocol = (*word)[digits] ? *word + digits : "/tcp";
		CLEANUP(freep) char *port = lcx__format("%.*s%s", (int)digits, *word, protocol);

		if (!port)
			return lcx__fail_nomem(err);
		if (digits == 0 || digits > 5 || atoi(*word) < 1 || atoi(*word) > 65535 ||
		    (strcmp(protocol, "/tcp") != 0 && strcmp(protocol, "/udp") != 0 &&
		     strcmp(protocol, "/sctp") != 0))
			return bad(err, "must be PORT[/tcp|/udp|/sctp]");
		r = add_to_set(c->config, "ExposedPorts", port, err);
	}
	return r;
}

static int do_volume(struct lcx__change *c, const char *text, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **words = NULL;
	int r = text[0] == '[' ? read_array(text, &words, err) : read_words(text, &words, err);

	for (char **word = words; r == 0 && *word; word++)
		r = (*word)[0] == '/' ? add_to_set(c->config, "Volumes", *word, err)
				      : bad(err, "must be an absolute path");
	return r;
}

static int do_workdir(struct lcx__change *c, const char *text, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **words = NULL;
	CLEANUP(freep) char *path = NULL;
	struct json_object *old = NULL;
	int r = read_words(text, &words, err);

	if (r < 0)
		return r;
	if (words[1])
		return bad(err, "must be one path; write quotes around blanks");
	if (words[0][0] != '/')
		(void)json_object_object_get_ex(c->config, "WorkingDir", &old);
	path = words[0][0] == '/'
		       ? strdup(words[0])
		       : lcx__format("%s/%s", old ? json_object_get_string(old) : "", words[0]);
	return path && lcx__change_set_text(c->config, "WorkingDir", path) == 0
		       ? 0
		       : lcx__fail_nomem(err);
}

static int set_word(struct lcx__change *c, const char *key, const char *text,
		    struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **words = NULL;
	int r = read_words(text, &words, err);

	if (r == 0 && words[1])
		r = bad(err, "must be one word");
	if (r == 0 && lcx__change_set_text(c->config, key, words[0]) < 0)
		r = lcx__fail_nomem(err);
	return r;
}

static int do_user(struct lcx__change *c, const char *text, struct lcx_error **err)
{
	return set_word(c, "User", text, err);
}

static int do_stopsignal(struct lcx__change *c, const char *text, struct lcx_error **err)
{
	return set_word(c, "StopSignal", text, err);
}

static int do_onbuild(struct lcx__change *c, const char *text, struct lcx_error **err)
{
	struct json_object *list = array_member(c->config, "OnBuild");

	return list && append(list, text) == 0 ? 0 : lcx__fail_nomem(err);
}

static const struct {
	const char *name;
	int (*apply)(struct lcx__change *c, const char *text, struct lcx_error **err);
} instructions[] = {
	{"CMD", do_cmd},
	{"ENTRYPOINT", do_entrypoint},
	{"ENV", do_env},
	{"EXPOSE", do_expose},
	{"LABEL", do_label},
	{"ONBUILD", do_onbuild},
	{"STOPSIGNAL", do_stopsignal},
	{"USER", do_user},
	{"VOLUME", do_volume},
	{"WORKDIR", do_workdir},
};

int lcx__change_apply(struct lcx__change *change, const char *instruction, struct lcx_error **err)
{
	const char *at = instruction + strspn(instruction, " \t");
	size_t length = strcspn(at, " \t");
	const char *text = at + length + strspn(at + length, " \t");

	for (size_t i = 0; i < ARRAY_SIZE(instructions); i++) {
		const char *name = instructions[i].name;

		if (strlen(name) != length || strncasecmp(name, at, length) != 0)
			continue;
		if (!text[0])
			return lcx__fail(err, EINVAL, "change '%s': needs a value", instruction);
		return lcx__fail_prefix(err, instructions[i].apply(change, text, err),
					"change '%s'", instruction);
	}
	return lcx__fail(err, EINVAL,
			 "change '%s': there are CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, "
			 "STOPSIGNAL, USER, VOLUME and WORKDIR",
			 instruction);
}
