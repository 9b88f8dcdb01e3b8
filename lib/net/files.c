/* SPDX-License-Identifier: MIT */

/* Texts of /etc/hosts, /etc/hostname and /etc/resolv.conf for a container. */
#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#include "net/net-internal.h"
#include "util/fs.h"

#define FALLBACK "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"

enum { RESOLV_CONF_LIMIT = 64 * 1024, HOSTNAME_LIMIT = 253, LABEL_LIMIT = 63 };

/* Labels of letters, digits and inner hyphens; underscores are common, and harmless. */
static bool hostname_is_valid(const char *name)
{
	size_t label = 0, length = strlen(name);

	if (length == 0 || length > HOSTNAME_LIMIT)
		return false;
	for (const char *c = name; *c; c++) {
		bool edge = label == 0 || c[1] == '.' || c[1] == '\0';

		if (*c == '.') {
			if (label == 0 || c[1] == '\0')
				return false;
			label = 0;
			continue;
		}
		if (!isascii((unsigned char)*c) ||
		    !(isalnum((unsigned char)*c) || *c == '_' || (*c == '-' && !edge)) ||
		    ++label > LABEL_LIMIT)
			return false;
	}
	return true;
}

static int check_hostname(const char *hostname, struct lcx_error **err)
{
	if (hostname_is_valid(hostname))
		return 0;
	return lcx__fail(
		err, EINVAL,
		"'%s' is not a host name: letters, digits and hyphens, up to 63 between dots",
		hostname);
}

static int hand_out(struct lcx__strbuf *text, char **ret, struct lcx_error **err)
{
	char *result = lcx__strbuf_take(text);

	if (!result)
		return lcx__fail_nomem(err);
	*ret = result;
	return 0;
}

LCX_PUBLIC int lcx_net_hosts_file(const char *hostname, const char *address, char **ret,
				  struct lcx_error **err)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf text = STRBUF_EMPTY;
	struct lcx__inet inet;
	int r = check_hostname(hostname, err);

	if (r < 0)
		return r;
	if (address && lcx__inet_parse_address(address, &inet) < 0)
		return lcx__fail(err, EINVAL, "'%s' is not an address", address);
	lcx__strbuf_adds(&text, "127.0.0.1\tlocalhost\n"
				"::1\tlocalhost ip6-localhost ip6-loopback\n"
				"ff02::1\tip6-allnodes\n"
				"ff02::2\tip6-allrouters\n");
	lcx__strbuf_addf(&text, "%s\t%s", address ? address : "127.0.1.1", hostname);
	if (strchr(hostname, '.'))
		lcx__strbuf_addf(&text, " %.*s", (int)strcspn(hostname, "."), hostname);
	lcx__strbuf_adds(&text, "\n");
	return hand_out(&text, ret, err);
}

LCX_PUBLIC int lcx_net_hostname_file(const char *hostname, char **ret, struct lcx_error **err)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf text = STRBUF_EMPTY;
	int r = check_hostname(hostname, err);

	if (r < 0)
		return r;
	lcx__strbuf_addf(&text, "%s\n", hostname);
	return hand_out(&text, ret, err);
}

/* What a resolv.conf says, as far as it is passed on. */
struct resolv {
	struct lcx__strbuf servers, search, options;
};

static void resolv_free(struct resolv *resolv)
{
	lcx__strbuf_free(&resolv->servers);
	lcx__strbuf_free(&resolv->search);
	lcx__strbuf_free(&resolv->options);
}

/* "fe80::1%eth0" names an interface of the host's; a container has no such one. */
static bool server_is_usable(const char *server, bool keep_loopback)
{
	static const uint8_t loopback6[16] = {[15] = 1};
	struct lcx__inet inet;

	if (keep_loopback)
		return server[0] != '\0';
	if (lcx__inet_parse_address(server, &inet) < 0)
		return false;
	return inet.family == AF_INET ? inet.bytes[0] != 127 && inet.bytes[0] != 0
				      : memcmp(inet.bytes, loopback6, 16) != 0;
}

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

static void read_line(struct resolv *resolv, char *line, bool keep_loopback)
{
	char *value = line + strcspn(line, " \t");

	if (line[0] == '#' || line[0] == ';' || *value == '\0')
		return;
	*value++ = '\0';
	value = trim(value);
	if (strcmp(line, "nameserver") == 0) {
		value[strcspn(value, " \t")] = '\0';
		if (server_is_usable(value, keep_loopback))
			lcx__strbuf_addf(&resolv->servers, "nameserver %s\n", value);
	} else if (strcmp(line, "search") == 0 || strcmp(line, "domain") == 0) {
		/* The last line of the kind counts, by resolv.conf(5). */
		lcx__strbuf_free(&resolv->search);
		resolv->search = STRBUF_EMPTY;
		lcx__strbuf_addf(&resolv->search, "search %s\n", value);
	} else if (strcmp(line, "options") == 0) {
		lcx__strbuf_addf(&resolv->options, "options %s\n", value);
	}
}

static int read_text(struct resolv *resolv, const char *text, bool keep_loopback)
{
	CLEANUP(freep) char *copy = strdup(text);
	char *rest = copy, *line;

	if (!copy)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n")))
		read_line(resolv, line, keep_loopback);
	return 0;
}

/* A missing or unreadable file says nothing. */
static int read_path(struct resolv *resolv, const char *path, bool keep_loopback)
{
	CLEANUP(freep) char *text = NULL;
	int r = lcx__read_file(AT_FDCWD, path, RESOLV_CONF_LIMIT, &text, NULL);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return read_text(resolv, text, keep_loopback);
}

/* What the caller wants instead of the host's; a line break in it would be a line of its own. */
static int override(struct lcx__strbuf *buf, const char *key, const char *const *values,
		    bool one_line, struct lcx_error **err)
{
	if (!values || !values[0])
		return 0;
	lcx__strbuf_free(buf);
	*buf = STRBUF_EMPTY;
	if (strcmp(values[0], ".") == 0 && !values[1])
		return 0;
	for (size_t i = 0; values[i]; i++) {
		if (values[i][0] == '\0' || values[i][strcspn(values[i], " \t\r\n#;")] != '\0')
			return lcx__fail(err, EINVAL, "'%s' cannot stand in resolv.conf as a %s",
					 values[i], key);
		if (i == 0 || !one_line)
			lcx__strbuf_adds(buf, key);
		lcx__strbuf_addf(buf, " %s%s", values[i], one_line && values[i + 1] ? "" : "\n");
	}
	return 0;
}

static int check_servers(const char *const *servers, struct lcx_error **err)
{
	struct lcx__inet inet;

	for (size_t i = 0; servers && servers[i]; i++)
		if (lcx__inet_parse_address(servers[i], &inet) < 0)
			return lcx__fail(err, EINVAL, "name server '%s' is not an address",
					 servers[i]);
	return 0;
}

LCX_PUBLIC int lcx_net_resolv_conf(const char *host_text, const char *const *servers,
				   const char *const *search, const char *const *options,
				   bool keep_loopback, char **ret, struct lcx_error **err)
{
	CLEANUP(resolv_free) struct resolv resolv = {0};
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf text = STRBUF_EMPTY;
	int r;

	r = check_servers(servers, err);
	if (r < 0)
		return r;
	r = host_text ? read_text(&resolv, host_text, keep_loopback)
		      : read_path(&resolv, "/etc/resolv.conf", keep_loopback);
	if (r == 0 && !host_text && resolv.servers.length == 0)
		r = read_path(&resolv, "/run/systemd/resolve/resolv.conf", keep_loopback);
	if (r < 0)
		return lcx__fail_nomem(err);

	r = override(&resolv.servers, "nameserver", servers, false, err);
	if (r == 0)
		r = override(&resolv.search, "search", search, true, err);
	if (r == 0)
		r = override(&resolv.options, "options", options, true, err);
	if (r < 0)
		return r;
	if (resolv.servers.length == 0)
		lcx__strbuf_adds(&resolv.servers, FALLBACK);
	lcx__strbuf_add(&text, resolv.servers.text, resolv.servers.length);
	lcx__strbuf_add(&text, resolv.search.text, resolv.search.length);
	lcx__strbuf_add(&text, resolv.options.text, resolv.options.length);
	text.failed = text.failed || resolv.servers.failed || resolv.search.failed ||
		      resolv.options.failed;
	return hand_out(&text, ret, err);
}
