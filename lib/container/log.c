/* SPDX-License-Identifier: MIT */
#include "container/log.h"

#include <string.h>
#include <unistd.h>

#include "container/event.h"
#include "util/fs.h"
#include "util/json.h"

/*
 * Log drivers by their names, and what can be said about each: two tables. What the writer needs
 * is worked out at each start, since a name, and the host's, may change.
 */

enum {
	FILES = 1 << 0,
	JSON = 1 << 1,
	JOURNALD = 1 << 2,
	SYSLOG = 1 << 3,

	SHORT_ID = 12,
	JSON_CONTEXT_MAX = 8 * 1024,
	CONTEXT_MAX = 1024 * 1024,
	TAG_MAX = 48,  /* RFC 5424, 6.2.5 */
	HOST_MAX = 64, /* Linux has no longer names */
};

#define USUAL_BUFFER_BYTES    UINT64_C(1048576) /* Docker's */
#define SMALLEST_BUFFER_BYTES UINT64_C(65536)   /* a few of the longest lines */
#define JOURNALD_SOCKET       "/run/systemd/journal/socket"
#define SYSLOG_SOCKET         "/dev/log"

static const struct driver {
	const char *name, *file;
	enum lcx__log_driver driver;
	enum lcx_log_format format;
	unsigned int kinds; /* of the options that it has */
} drivers[] = {
	{"json-file", "json.log", LCX__LOG_TO_FILE, LCX_LOG_FORMAT_JSON_FILE, FILES | JSON},
	{"cri", "cri.log", LCX__LOG_TO_FILE, LCX_LOG_FORMAT_CRI, FILES},
	{"journald", NULL, LCX__LOG_TO_JOURNALD, 0, JOURNALD},
	{"syslog", NULL, LCX__LOG_TO_SYSLOG, 0, SYSLOG},
	{"none", NULL, 0, 0, 0},
	{"passthrough", NULL, 0, 0, 0},
	{"callback", NULL, LCX__LOG_TO_CALLBACK, 0, 0},
};

static const struct driver *find_driver(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(drivers); i++)
		if (strcmp(drivers[i].name, name) == 0)
			return &drivers[i];
	return NULL;
}

const char *lcx__log_driver_file(const char *driver)
{
	const struct driver *found = find_driver(driver);

	return found ? found->file : NULL;
}

/* ---- values ----------------------------------------------------------------- */

static const char *const facilities[] = {
	"kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
	"uucp",   "cron",   "authpriv", "ftp",    NULL,     NULL,     NULL,     NULL,
	"local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7",
};

static int parse_facility(const char *text, uint64_t *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(facilities); i++)
		if (facilities[i] && strcmp(facilities[i], text) == 0) {
			*ret = i;
			return 0;
		}
	return lcx__parse_u64(text, ARRAY_SIZE(facilities) - 1, ret);
}

static int parse_files(const char *text, uint64_t *ret)
{
	uint32_t count;
	int r = lcx__parse_count(text, &count);

	if (r == 0)
		*ret = count;
	return r;
}

/* "90s", "30m", "24h", "7d": in nanoseconds. */
static int parse_age(const char *text, uint64_t *ret)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	size_t length = strlen(text);
	CLEANUP(freep) char *number = length ? strndup(text, length - 1) : NULL;
	uint64_t value;

	for (size_t i = 0; number && i < ARRAY_SIZE(units); i++) {
		if (text[length - 1] != units[i].unit)
			continue;
		if (lcx__parse_u64(number, 1000000, &value) < 0 || value == 0)
			return -EINVAL;
		*ret = value * units[i].seconds * 1000000000;
		return 0;
	}
	return -EINVAL;
}

static int parse_mode(const char *text, uint64_t *ret)
{
	*ret = strcmp(text, "non-blocking") == 0;
	return *ret || strcmp(text, "blocking") == 0 ? 0 : -EINVAL;
}

static int parse_truth(const char *text, uint64_t *ret)
{
	*ret = strcmp(text, "true") == 0;
	return *ret || strcmp(text, "false") == 0 ? 0 : -EINVAL;
}

static int parse_buffer(const char *text, uint64_t *ret)
{
	int r = lcx__parse_size(text, ret);

	return r == 0 && (*ret < SMALLEST_BUFFER_BYTES || *ret > UINT32_MAX) ? -EINVAL : r;
}

static int parse_framing(const char *text, uint64_t *ret)
{
	*ret = strcmp(text, "newline") == 0;
	return *ret || strcmp(text, "octet-counting") == 0 ? 0 : -EINVAL;
}

static int parse_syslog_format(const char *text, uint64_t *ret)
{
	*ret = 0;
	return strcmp(text, "rfc5424micro") == 0 || strcmp(text, "rfc5424") == 0 ? 0 : -EINVAL;
}

/* "unix:///dev/log", "unixgram:///dev/log". *@ret: datagrams only. */
static const char *path_of_address(const char *text, uint64_t *ret)
{
	static const char *const schemes[] = {"unix://", "unixgram://"};

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t n = strlen(schemes[i]);

		*ret = i;
		if (strncmp(text, schemes[i], n) == 0 && text[n] == '/' &&
		    strlen(text + n) < LCX__LOG_ADDRESS_SIZE)
			return text + n;
	}
	return NULL;
}

static int parse_address(const char *text, uint64_t *ret)
{
	return path_of_address(text, ret) ? 0 : -EINVAL;
}

static char *expand_tag(const struct lcx_container *c, const char *tag, struct lcx_error **err);

static int parse_any(const char *text, uint64_t *ret)
{
	*ret = 0;
	return text[0] ? 0 : -EINVAL;
}

static const struct option {
	const char *key;
	unsigned int kinds;
	int (*parse)(const char *text, uint64_t *ret);
	const char *must_be;
} options[] = {
	{"max-size", FILES, lcx__parse_size, "a number with k, m or g behind it"},
	{"max-file", FILES, parse_files, "a number from 1 to 1000"},
	{"max-age", FILES, parse_age, "a number with s, m, h or d behind it"},
	{"mode", FILES | JOURNALD | SYSLOG, parse_mode, "blocking or non-blocking"},
	{"max-buffer-size", JOURNALD | SYSLOG, parse_buffer,
	 "a number from 64k on with k or m behind it"},
	{"compress", FILES, parse_truth, "true or false"},
	{"tag", JSON | JOURNALD | SYSLOG, parse_any, "some text"},
	{"labels", JSON | JOURNALD, parse_any, "names with commas between them"},
	{"env", JSON | JOURNALD, parse_any, "names with commas between them"},
	{"syslog-address", SYSLOG, parse_address, "unix:///PATH or unixgram:///PATH"},
	{"syslog-facility", SYSLOG, parse_facility, "a name, as daemon or local0, or a number"},
	{"syslog-format", SYSLOG, parse_syslog_format, "rfc5424 or rfc5424micro"},
	{"syslog-framing", SYSLOG, parse_framing, "octet-counting or newline"},
};

static const struct option *find_option(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strcmp(options[i].key, key) == 0)
			return &options[i];
	return NULL;
}

/* ---- setters ---------------------------------------------------------------- */

static void add_word(struct lcx__strbuf *words, const char *word)
{
	lcx__strbuf_addf(words, "%s'%s'", words->length ? ", " : "", word);
}

int lcx__log_check_driver(const char *driver, struct lcx_error **err)
{
	struct lcx__strbuf words = STRBUF_EMPTY;
	CLEANUP(freep) char *there = NULL;

	if (find_driver(driver))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		add_word(&words, drivers[i].name);
	there = lcx__strbuf_take(&words);
	return lcx__fail(err, EINVAL, "no log driver '%s'; there are %s", driver,
			 there ? there : "");
}

int lcx__log_check_option(const char *key, const char *value, struct lcx_error **err)
{
	const struct option *option = find_option(key);
	struct lcx__strbuf words = STRBUF_EMPTY;
	CLEANUP(freep) char *there = NULL;
	uint64_t number;

	if (option && option->parse(value, &number) == 0)
		return 0;
	if (option)
		return lcx__fail(err, EINVAL, "log option %s='%s': must be %s", key, value,
				 option->must_be);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		add_word(&words, options[i].key);
	there = lcx__strbuf_take(&words);
	return lcx__fail(err, EINVAL, "no log option '%s'; there are %s", key, there ? there : "");
}

static const char *option_of(const struct lcx_container *c, const char *key)
{
	for (size_t i = 0; i < c->d.log_options.n; i++)
		if (strcmp(c->d.log_options.items[i].key, key) == 0)
			return c->d.log_options.items[i].value;
	return NULL;
}

static uint64_t number_of(const struct lcx_container *c, const char *key, uint64_t usual)
{
	const char *text = option_of(c, key);
	uint64_t number;

	return text && find_option(key)->parse(text, &number) == 0 ? number : usual;
}

int lcx__container_check_log(const struct lcx_container *c, struct lcx_error **err)
{
	const struct driver *driver = find_driver(c->d.log_driver);
	CLEANUP(freep) char *tag = NULL;
	int r = 0;

	if (!driver)
		return lcx__log_check_driver(c->d.log_driver, err);
	for (size_t i = 0; r == 0 && i < c->d.log_options.n; i++) {
		const char *key = c->d.log_options.items[i].key;
		const struct option *option = find_option(key);

		r = lcx__log_check_option(key, c->d.log_options.items[i].value, err);
		if (r == 0 && !(option->kinds & driver->kinds))
			r = lcx__fail(err, EINVAL, "log driver '%s' has no option '%s'",
				      driver->name, key);
	}
	if (r < 0)
		return r;
	if (driver->file && number_of(c, "mode", 0))
		return lcx__fail(err, EINVAL,
				 "log driver '%s' has no mode=non-blocking: a file never waits for "
				 "a reader; journald and syslog have it",
				 driver->name);
	if (number_of(c, "compress", 0) && !lcx__log_can_compress())
		return lcx__fail(err, EOPNOTSUPP,
				 "log option compress: this library was built without zlib");
	if (!option_of(c, "tag"))
		return 0;
	tag = expand_tag(c, option_of(c, "tag"), err);
	return tag ? 0 : -EINVAL;
}

/* ---- what is said with each line ---------------------------------------------- */

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

static char *expand_tag(const struct lcx_container *c, const char *tag, struct lcx_error **err)
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
		const char *at = or_empty(option_of(c, lists[i]));

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
	if (option_of(c, "tag"))
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

static int make_context(const struct lcx_container *c, const struct driver *driver, char **ret,
			size_t *ret_length, struct lcx_error **err)
{
	const char *wanted = option_of(c, "tag");
	CLEANUP(freep) char *tag = expand_tag(c, wanted ? wanted : "{{.ID}}", err);
	struct lcx__strbuf out = STRBUF_EMPTY;
	size_t max = driver->driver == LCX__LOG_TO_FILE ? JSON_CONTEXT_MAX : CONTEXT_MAX;
	int r = tag ? 0 : -EINVAL;

	if (r < 0)
		return r;
	if (driver->kinds & JSON)
		r = json_context(c, tag, &out);
	else if (driver->kinds & JOURNALD)
		r = journald_context(c, tag, &out);
	else if (driver->kinds & SYSLOG)
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

/* ---- for a start ---------------------------------------------------------------- */

static void fill_file(const struct lcx_container *c, const struct driver *driver,
		      struct lcx__log_config *config)
{
	config->max_size_bytes = number_of(c, "max-size", 0);
	config->max_files = (uint32_t)number_of(c, "max-file", 1);
	config->max_age_ns = number_of(c, "max-age", 0);
	config->flags |= number_of(c, "compress", 0) ? LCX__LOG_COMPRESS : 0;
	(void)snprintf(config->name, sizeof(config->name), "%s", driver->file);
}

static void fill_socket(const struct lcx_container *c, struct lcx__log_config *config)
{
	const char *address = option_of(c, "syslog-address");
	const char *path = config->driver == LCX__LOG_TO_JOURNALD ? JOURNALD_SOCKET : SYSLOG_SOCKET;
	uint64_t datagrams = 0;

	if (address)
		path = path_of_address(address, &datagrams);
	config->flags |= datagrams ? LCX__LOG_DATAGRAMS_ONLY : 0;
	config->flags |= number_of(c, "mode", 0) ? LCX__LOG_NON_BLOCKING : 0;
	config->flags |= number_of(c, "syslog-framing", 0) ? LCX__LOG_NEWLINES : 0;
	config->facility = (uint32_t)number_of(c, "syslog-facility", 3);
	config->buffer_bytes = number_of(c, "max-buffer-size", USUAL_BUFFER_BYTES);
	(void)snprintf(config->address, sizeof(config->address), "%s", path);
}

int lcx__container_log_config(const struct lcx_container *c, struct lcx__log_config *ret,
			      char **ret_context, struct lcx_error **err)
{
	const struct driver *driver = find_driver(c->d.log_driver);
	size_t length = 0;
	int r = lcx__container_check_log(c, err);

	if (r < 0)
		return r;
	*ret = (struct lcx__log_config){.driver = driver->driver, .format = driver->format};
	if (driver->file)
		fill_file(c, driver, ret);
	else if (driver->kinds)
		fill_socket(c, ret);
	else if (driver->driver != LCX__LOG_TO_CALLBACK)
		return 0;
	r = make_context(c, driver, ret_context, &length, err);
	ret->context_length = (uint32_t)length;
	return r < 0 ? r : 1;
}

int lcx__log_open_failed(const struct lcx_container *c, const struct lcx__log_config *config, int r,
			 struct lcx_error **err)
{
	if (config->address[0])
		return lcx__fail_sys(err, -r, "log driver '%s': nobody listens at '%s'",
				     c->d.log_driver, config->address);
	return lcx__fail_sys(err, -r, "open the log");
}
