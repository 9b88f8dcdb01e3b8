/* SPDX-License-Identifier: MIT */
#include "container/log-internal.h"

#include <string.h>

/*
 * Log drivers by their names, and what can be said about each: two tables. What the writer needs
 * is worked out at each start, since a name, and the host's, may change.
 */

#define USUAL_BUFFER_BYTES    UINT64_C(1048576) /* Docker's */
#define SMALLEST_BUFFER_BYTES UINT64_C(65536)   /* a few of the longest lines */
#define JOURNALD_SOCKET       "/run/systemd/journal/socket"
#define SYSLOG_SOCKET         "/dev/log"

static const struct log_driver drivers[] = {
	{"json-file", "json.log", LCX__LOG_TO_FILE, LCX_LOG_FORMAT_JSON_FILE,
	 LOG_OF_FILES | LOG_OF_JSON},
	{"cri", "cri.log", LCX__LOG_TO_FILE, LCX_LOG_FORMAT_CRI, LOG_OF_FILES},
	{"journald", NULL, LCX__LOG_TO_JOURNALD, 0, LOG_OF_JOURNALD},
	{"syslog", NULL, LCX__LOG_TO_SYSLOG, 0, LOG_OF_SYSLOG},
	{"none", NULL, 0, 0, 0},
	{"passthrough", NULL, 0, 0, 0},
	{"callback", NULL, LCX__LOG_TO_CALLBACK, 0, 0},
};

static const struct log_driver *find_driver(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(drivers); i++)
		if (strcmp(drivers[i].name, name) == 0)
			return &drivers[i];
	return NULL;
}

const char *lcx__log_driver_file(const char *driver)
{
	const struct log_driver *found = find_driver(driver);

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
	{"max-size", LOG_OF_FILES, lcx__parse_size, "a number with k, m or g behind it"},
	{"max-file", LOG_OF_FILES, parse_files, "a number from 1 to 1000"},
	{"max-age", LOG_OF_FILES, parse_age, "a number with s, m, h or d behind it"},
	{"mode", LOG_OF_FILES | LOG_OF_JOURNALD | LOG_OF_SYSLOG, parse_mode,
	 "blocking or non-blocking"},
	{"max-buffer-size", LOG_OF_JOURNALD | LOG_OF_SYSLOG, parse_buffer,
	 "a number from 64k on with k or m behind it"},
	{"compress", LOG_OF_FILES, parse_truth, "true or false"},
	{"tag", LOG_OF_JSON | LOG_OF_JOURNALD | LOG_OF_SYSLOG, parse_any, "some text"},
	{"labels", LOG_OF_JSON | LOG_OF_JOURNALD, parse_any, "names with commas between them"},
	{"env", LOG_OF_JSON | LOG_OF_JOURNALD, parse_any, "names with commas between them"},
	{"syslog-address", LOG_OF_SYSLOG, parse_address, "unix:///PATH or unixgram:///PATH"},
	{"syslog-facility", LOG_OF_SYSLOG, parse_facility,
	 "a name, as daemon or local0, or a number"},
	{"syslog-format", LOG_OF_SYSLOG, parse_syslog_format, "rfc5424 or rfc5424micro"},
	{"syslog-framing", LOG_OF_SYSLOG, parse_framing, "octet-counting or newline"},
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

const char *lcx__log_option(const struct lcx_container *c, const char *key)
{
	for (size_t i = 0; i < c->d.log_options.n; i++)
		if (strcmp(c->d.log_options.items[i].key, key) == 0)
			return c->d.log_options.items[i].value;
	return NULL;
}

static uint64_t number_of(const struct lcx_container *c, const char *key, uint64_t usual)
{
	const char *text = lcx__log_option(c, key);
	uint64_t number;

	return text && find_option(key)->parse(text, &number) == 0 ? number : usual;
}

int lcx__container_check_log(const struct lcx_container *c, struct lcx_error **err)
{
	const struct log_driver *driver = find_driver(c->d.log_driver);
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
	if (!lcx__log_option(c, "tag"))
		return 0;
	tag = lcx__log_expand_tag(c, lcx__log_option(c, "tag"), err);
	return tag ? 0 : -EINVAL;
}

/* ---- for a start ---------------------------------------------------------------- */

static void fill_file(const struct lcx_container *c, const struct log_driver *driver,
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
	const char *address = lcx__log_option(c, "syslog-address");
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
	const struct log_driver *driver = find_driver(c->d.log_driver);
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
	r = lcx__log_context(c, driver, ret_context, &length, err);
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
