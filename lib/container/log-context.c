/* SPDX-License-Identifier: MIT */
#include "container/log-internal.h"

#include <string.h>
#include <unistd.h>

#include "util/json.h"

/* What is said with each line: who has written it, in the words of the driver. */

enum {
	SHORT_ID = 12,
	JSON_CONTEXT_MAX = 8 * 1024,
	CONTEXT_MAX = 1024 * 1024,
	TAG_MAX = 48,  /* RFC 5424, 6.2.5 */
	HOST_MAX = 64, /* Linux has no longer names */
};

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* Docker's templates for tags. */
static int add_tag_field(const struct lcx_container *c, struct lcx__strbuf *out, const char *name,
			 size_t length)
{
	const char *image_id = or_empty(c->d.image_id);
	const char *digits = strchr(image_id, ':');
	const struct {
		const char *name, *text;
		int length;
	} fields[] = {
		{".ID", c->d.id, SHORT_ID},     {".FullID", c->d.id, -1},
		{".Name", c->d.name, -1},       {".ImageID", digits ? digits + 1 : "", SHORT_ID},
		{".ImageFullID", image_id, -1}, {".ImageName", c->d.image, -1},
		{".DaemonName", "lcx", -1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strlen(fields[i].name) == length && memcmp(fields[i].name, name, length) == 0) {
			lcx__strbuf_addf(out, "%.*s", fields[i].length, or_empty(fields[i].text));
			return 0;
		}
	return -EINVAL;
}

char *lcx__log_expand_tag(const struct lcx_container *c, const char *tag, struct lcx_error **err)
{
	struct lcx__strbuf out = STRBUF_EMPTY;
	char *text;

	while (*tag) {
		size_t plain = strstr(tag, "{{") ? (size_t)(strstr(tag, "{{") - tag) : strlen(tag);
		const char *name = tag + plain + 2, *end;

		lcx__strbuf_addf(&out, "%.*s", (int)plain, tag);
		tag += plain;
		if (!*tag)
			break;
		name += strspn(name, " ");
		end = strstr(name, "}}");
		if (!end || add_tag_field(c, &out, name, strcspn(name, " }")) < 0) {
			free(lcx__strbuf_take(&out));
			lcx__fail(
				err, EINVAL,
				"log option tag: '%s'; there are {{.ID}}, {{.FullID}}, {{.Name}}, "
				"{{.ImageID}}, {{.ImageFullID}}, {{.ImageName}} and "
				"{{.DaemonName}}",
				tag);
			return NULL;
		}
		tag = end + 2;
	}
	text = lcx__strbuf_take(&out);
	if (!text)
		(void)lcx__fail_nomem(err);
	return text;
}

/* Those of the labels and variables that are asked for, in this order. */
typedef void pair_fn(void *data, const char *key, const char *value);

static const char *find_value(const struct lcx_container *c, const char *option, const char *key)
{
	if (strcmp(option, "labels") == 0)
		return lcx_container_label(c, key);
	return lcx_spec_getenv(c->spec, key);
}

static int each_pair(const struct lcx_container *c, pair_fn *fn, void *data)
{
	static const char *const lists[] = {"labels", "env"};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const char *at = or_empty(lcx__log_option(c, lists[i]));

		while (*at) {
			size_t length = strcspn(at, ",");
			CLEANUP(freep) char *key = strndup(at, length);
			const char *value = key ? find_value(c, lists[i], key) : NULL;

			if (!key)
				return -ENOMEM;
			if (value)
				fn(data, key, value);
			at += length + (at[length] == ',');
		}
	}
	return 0;
}

static void add_attribute(void *data, const char *key, const char *value)
{
	(void)json_object_object_add(data, key, json_object_new_string(value));
}

/* "\"attrs\":{...}," as Docker has it; nothing if nothing is asked for. */
static int json_context(const struct lcx_container *c, const char *tag, struct lcx__strbuf *out)
{
	CLEANUP(lcx__json_putp) struct json_object *attributes = json_object_new_object();
	int r;

	if (!attributes)
		return -ENOMEM;
	if (lcx__log_option(c, "tag"))
		add_attribute(attributes, "tag", tag);
	r = each_pair(c, add_attribute, attributes);
	if (r == 0 && json_object_object_length(attributes) > 0)
		lcx__strbuf_addf(
			out, "\"attrs\":%s,",
			json_object_to_json_string_ext(attributes, JSON_C_TO_STRING_PLAIN));
	return r;
}

/* A value with a newline in it has its length in front, in eight bytes, the lowest first. */
static void add_field(struct lcx__strbuf *out, const char *name, const char *value)
{
	uint64_t length = strlen(value);
	char digits[8];

	if (!strchr(value, '\n')) {
		lcx__strbuf_addf(out, "%s=%s\n", name, value);
		return;
	}
	for (size_t i = 0; i < sizeof(digits); i++)
		digits[i] = (char)((length >> (8 * i)) & 0xff);
	lcx__strbuf_addf(out, "%s\n", name);
	lcx__strbuf_add(out, digits, sizeof(digits));
	lcx__strbuf_addf(out, "%s\n", value);
}

/* journald takes capitals, digits and underscores; what begins with one of these is its own. */
static void add_named_field(void *data, const char *key, const char *value)
{
	CLEANUP(freep) char *name = strdup(key);
	char *start = name;

	for (char *at = name; at && *at; at++) {
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
		else if (!(*at >= 'A' && *at <= 'Z') && !(*at >= '0' && *at <= '9'))
			*at = '_';
	}
	while (start && (*start == '_' || (*start >= '0' && *start <= '9')))
		start++;
	if (start && *start)
		add_field(data, start, value);
}

static int journald_context(const struct lcx_container *c, const char *tag, struct lcx__strbuf *out)
{
	CLEANUP(freep) char *short_id = strndup(c->d.id, SHORT_ID);

	if (!short_id)
		return -ENOMEM;
	add_field(out, "CONTAINER_ID", short_id);
	add_field(out, "CONTAINER_ID_FULL", c->d.id);
	add_field(out, "CONTAINER_NAME", or_empty(c->d.name));
	add_field(out, "CONTAINER_TAG", tag);
	add_field(out, "SYSLOG_IDENTIFIER", tag);
	if (c->d.image)
		add_field(out, "IMAGE_NAME", c->d.image);
	return each_pair(c, add_named_field, out);
}

/* RFC 5424: printable ASCII without blanks, of a bounded length; "-" for nothing. */
static void add_syslog_word(struct lcx__strbuf *out, const char *word, size_t max)
{
	if (!*word)
		lcx__strbuf_addf(out, "-");
	for (; *word && max > 0; word++, max--)
		lcx__strbuf_addf(out, "%c", *word > ' ' && *word <= '~' ? *word : '_');
	lcx__strbuf_addf(out, " ");
}

static int syslog_context(const struct lcx_container *c, const char *tag, struct lcx__strbuf *out)
{
	char host[HOST_MAX + 1] = "";

	(void)gethostname(host, HOST_MAX);
	add_syslog_word(out, host, HOST_MAX);
	add_syslog_word(out, tag, TAG_MAX);
	add_syslog_word(out, c->d.id, SHORT_ID);
	return 0;
}

int lcx__log_context(const struct lcx_container *c, const struct log_driver *driver, char **ret,
		     size_t *ret_length, struct lcx_error **err)
{
	const char *wanted = lcx__log_option(c, "tag");
	CLEANUP(freep) char *tag = lcx__log_expand_tag(c, wanted ? wanted : "{{.ID}}", err);
	struct lcx__strbuf out = STRBUF_EMPTY;
	size_t max = driver->driver == LCX__LOG_TO_FILE ? JSON_CONTEXT_MAX : CONTEXT_MAX;
	int r = tag ? 0 : -EINVAL;

	if (r < 0)
		return r;
	if (driver->kinds & LOG_OF_JSON)
		r = json_context(c, tag, &out);
	else if (driver->kinds & LOG_OF_JOURNALD)
		r = journald_context(c, tag, &out);
	else if (driver->kinds & LOG_OF_SYSLOG)
		r = syslog_context(c, tag, &out);
	*ret_length = out.length;
	*ret = lcx__strbuf_take(&out);
	if (r < 0 || !*ret)
		return lcx__fail_nomem(err);
	if (*ret_length > max)
		return lcx__fail(err, E2BIG,
				 "log options labels and env: %zu bytes with each line, and log "
				 "driver '%s' takes at most %zu",
				 *ret_length, driver->name, max);
	return 0;
}
