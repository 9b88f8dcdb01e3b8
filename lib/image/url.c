/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "image/registry-internal.h"

static void curl_freep(char **text)
{
	curl_free(*text);
}

static void url_cleanupp(CURLU **url)
{
	curl_url_cleanup(*url);
}

static int set_part(CURLU *url, CURLUPart part, const char *text, unsigned flags)
{
	CURLUcode code = curl_url_set(url, part, text, flags);

	return code == CURLUE_OK ? 0 : code == CURLUE_OUT_OF_MEMORY ? -ENOMEM : -EBADMSG;
}

static int get_whole(CURLU *url, char **ret)
{
	CLEANUP(curl_freep) char *text = NULL;
	char *copy;

	if (curl_url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK)
		return -EBADMSG;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

char *lcx__url_origin(const char *text)
{
	CLEANUP(url_cleanupp) CURLU *url = curl_url();
	CLEANUP(curl_freep) char *scheme = NULL, *host = NULL, *port = NULL;

	if (!url || set_part(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) < 0)
		return NULL;
	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return NULL;
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		return NULL;
	for (char *c = host; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return lcx__format("%s://%s:%s", scheme, host, port);
}

/* Credentials in a Location are the sender's idea, not ours. */
int lcx__url_resolve(const char *base, const char *location, char **ret)
{
	CLEANUP(url_cleanupp) CURLU *url = curl_url();
	int r;

	if (!url)
		return -ENOMEM;
	r = set_part(url, CURLUPART_URL, base, 0);
	if (r == 0)
		r = set_part(url, CURLUPART_URL, location,
			     CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME);
	if (r == 0)
		r = set_part(url, CURLUPART_USER, NULL, 0);
	if (r == 0)
		r = set_part(url, CURLUPART_PASSWORD, NULL, 0);
	return r < 0 ? r : get_whole(url, ret);
}

static int append_query(CURLU *url, const char *name, const char *value)
{
	CLEANUP(freep) char *pair = lcx__format("%s=%s", name, value);

	if (!pair)
		return -ENOMEM;
	return set_part(url, CURLUPART_QUERY, pair, CURLU_APPENDQUERY | CURLU_URLENCODE);
}

int lcx__url_token(const char *realm, const char *service, char *const *scopes, char **ret)
{
	CLEANUP(url_cleanupp) CURLU *url = curl_url();
	int r;

	if (!url)
		return -ENOMEM;
	r = set_part(url, CURLUPART_URL, realm, CURLU_DISALLOW_USER);
	if (r == 0 && service)
		r = append_query(url, "service", service);
	for (; r == 0 && *scopes; scopes++)
		r = append_query(url, "scope", *scopes);
	return r < 0 ? r : get_whole(url, ret);
}

int lcx__url_append(const char *text, const char *name, const char *value, char **ret)
{
	CLEANUP(url_cleanupp) CURLU *url = curl_url();
	int r;

	if (!url)
		return -ENOMEM;
	r = set_part(url, CURLUPART_URL, text, 0);
	if (r == 0)
		r = append_query(url, name, value);
	return r < 0 ? r : get_whole(url, ret);
}

/*
 * Sockets to such addresses are refused anyhow; but behind a proxy it is not us who opens them.
 */
static bool is_link_local(const char *origin)
{
	const char *host = strstr(origin, "://") + 3;

	return strncmp(host, "169.254.", 8) == 0 || strncmp(host, "[fe8", 4) == 0 ||
	       strncmp(host, "[fe9", 4) == 0 || strncmp(host, "[fea", 4) == 0 ||
	       strncmp(host, "[feb", 4) == 0 || strncmp(host, "[::ffff:a9fe:", 13) == 0 ||
	       strncmp(host, "[::ffff:169.254.", 16) == 0;
}

int lcx__url_follow(const char *base, const char *location, char **ret)
{
	CLEANUP(freep) char *url = NULL, *origin = NULL;
	int r = lcx__url_resolve(base, location, &url);

	if (r < 0)
		return r;
	origin = lcx__url_origin(url);
	if (!origin || is_link_local(origin) ||
	    (strncmp(origin, "http:", 5) == 0 && strncmp(base, "http:", 5) != 0))
		return -EPERM;
	*ret = TAKE_PTR(url);
	return 0;
}
