/* SPDX-License-Identifier: MIT */
#define CURL_DISABLE_TYPECHECK
#include "image/curl.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "util/library.h"

/*
 * libcurl is loaded when something is asked of a registry, and not before: it brings thirty
 * libraries along, which would be most of the time in which a container whose image is here is
 * started. The functions of it that are used stand here under their own names, hidden, so that
 * callers and the types that they are checked for are those of curl.h; each asks the dynamic
 * linker, who alone remembers, under a lock that another thread may hold while it loads a library.
 * So the two that move a transfer on are looked up before. lcx__curl_load() comes first and says
 * what is missing; later the library stays, and a function of every version of it since 7.62 is
 * there.
 */

#define SONAME "libcurl.so.4"

int lcx__curl_load(struct lcx_error **err)
{
	return lcx__library_load(&(struct lcx__library){.soname = SONAME, .use = "registries need"},
				 NULL, err);
}

static void find(const char *name, void *ret)
{
	void *library = lcx__library_open(SONAME);

	if (!library)
		return;
	(void)lcx__library_find(library, name, ret);
	lcx__library_close(library);
}

/* A local "real" of the same type; the definition's own name is no macro of curl's here. */
#define REAL(name)                                                                                 \
	__typeof__(name) *real = NULL;                                                             \
	find(#name, (void *)&real)

CURL *curl_easy_init(void)
{
	REAL(curl_easy_init);

	return real ? real() : NULL;
}

void curl_easy_cleanup(CURL *easy)
{
	REAL(curl_easy_cleanup);

	if (easy && real)
		real(easy);
}

/* By the option's number one knows the type of its value: curl.h, CURLOPTTYPE_. */
CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	REAL(curl_easy_setopt);
	CURLcode code;
	va_list args;

	if (!real)
		return CURLE_FAILED_INIT;
	va_start(args, option);
	if (option < CURLOPTTYPE_OBJECTPOINT)
		code = real(easy, option, va_arg(args, long));
	else if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
		code = real(easy, option, va_arg(args, curl_off_t));
	else
		code = real(easy, option, va_arg(args, void *));
	va_end(args);
	return code;
}

/* Whatever is asked for, it is told where to. */
CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	REAL(curl_easy_getinfo);
	va_list args;
	void *place;

	va_start(args, info);
	place = va_arg(args, void *);
	va_end(args);
	return real ? real(easy, info, place) : CURLE_FAILED_INIT;
}

const char *curl_easy_strerror(CURLcode code)
{
	REAL(curl_easy_strerror);

	return real ? real(code) : "no " SONAME;
}

char *curl_easy_escape(CURL *easy, const char *text, int length)
{
	REAL(curl_easy_escape);

	return real ? real(easy, text, length) : NULL;
}

void curl_free(void *place)
{
	REAL(curl_free);

	if (place && real)
		real(place);
}

time_t curl_getdate(const char *text, const time_t *unused)
{
	REAL(curl_getdate);

	return real ? real(text, unused) : -1;
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text)
{
	REAL(curl_slist_append);

	return real ? real(list, text) : NULL;
}

void curl_slist_free_all(struct curl_slist *list)
{
	REAL(curl_slist_free_all);

	if (list && real)
		real(list);
}

/* ---- the multi handle ---------------------------------------------------- */

CURLM *curl_multi_init(void)
{
	REAL(curl_multi_init);

	return real ? real() : NULL;
}

CURLMcode curl_multi_cleanup(CURLM *multi)
{
	REAL(curl_multi_cleanup);

	return real ? real(multi) : CURLM_INTERNAL_ERROR;
}

CURLMcode curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
	REAL(curl_multi_setopt);
	CURLMcode code;
	va_list args;

	if (!real)
		return CURLM_INTERNAL_ERROR;
	va_start(args, option);
	if ((int)option < CURLOPTTYPE_OBJECTPOINT)
		code = real(multi, option, va_arg(args, long));
	else
		code = real(multi, option, va_arg(args, void *));
	va_end(args);
	return code;
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
	REAL(curl_multi_add_handle);

	return real ? real(multi, easy) : CURLM_INTERNAL_ERROR;
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
	REAL(curl_multi_remove_handle);

	return real ? real(multi, easy) : CURLM_INTERNAL_ERROR;
}

CURLMcode curl_multi_wakeup(CURLM *multi)
{
	REAL(curl_multi_wakeup);

	return real ? real(multi) : CURLM_INTERNAL_ERROR;
}

int lcx__curl_find_moves(struct lcx__curl_moves *ret, struct lcx_error **err)
{
	find("curl_multi_socket_action", (void *)&ret->socket_action);
	find("curl_multi_info_read", (void *)&ret->info_read);
	return ret->socket_action && ret->info_read
		       ? 0
		       : lcx__fail(err, EOPNOTSUPP, "registries need another " SONAME);
}

/* ---- addresses ----------------------------------------------------------- */

CURLU *curl_url(void)
{
	REAL(curl_url);

	return real ? real() : NULL;
}

void curl_url_cleanup(CURLU *url)
{
	REAL(curl_url_cleanup);

	if (url && real)
		real(url);
}

#undef curl_url_get

CURLUcode lcx__curl_url_get(CURLU *url, CURLUPart part, char **ret, unsigned int flags)
{
	REAL(curl_url_get);

	return real ? real(url, part, ret, flags) : CURLUE_OUT_OF_MEMORY;
}

CURLUcode curl_url_set(CURLU *url, CURLUPart part, const char *text, unsigned int flags)
{
	REAL(curl_url_set);

	return real ? real(url, part, text, flags) : CURLUE_OUT_OF_MEMORY;
}
