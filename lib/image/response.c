/* SPDX-License-Identifier: MIT */
/* What curl's callbacks are told: headers that matter, and the body, bounded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "image/document.h"
#include "image/registry-internal.h"

enum { HEADER_VALUE_MAX = 8192 };

void lcx__response_clear(struct lcx__response *response)
{
	lcx__challenge_clear(&response->challenge);
	free(response->location);
	free(response->content_type);
	free(response->content_range);
	free(response->range);
	free(response->digest);
	lcx__strbuf_free(&response->error_body);
	*response = (struct lcx__response){.retry_after_s = -1};
}

static int keep(char **field, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int on_location(struct lcx__response *r, const char *value)
{
	return keep(&r->location, value);
}

static int on_content_type(struct lcx__response *r, const char *value)
{
	return keep(&r->content_type, value);
}

static int on_content_range(struct lcx__response *r, const char *value)
{
	return keep(&r->content_range, value);
}

static int on_range(struct lcx__response *r, const char *value)
{
	return keep(&r->range, value);
}

static int on_digest(struct lcx__response *r, const char *value)
{
	return keep(&r->digest, value);
}

static int on_chunk_min(struct lcx__response *r, const char *value)
{
	if (lcx__parse_u64(value, INT64_MAX, &r->chunk_min) < 0)
		r->chunk_min = 0;
	return 0;
}

static int on_www_authenticate(struct lcx__response *r, const char *value)
{
	return lcx__challenge_parse(value, &r->challenge);
}

/* Seconds, or a date. */
static int on_retry_after(struct lcx__response *r, const char *value)
{
	uint64_t seconds;
	time_t date;

	if (lcx__parse_u64(value, 1000000, &seconds) == 0) {
		r->retry_after_s = (int64_t)seconds;
		return 0;
	}
	date = curl_getdate(value, NULL);
	if (date > 0)
		r->retry_after_s = (int64_t)date - lcx__now_ns() / 1000000000;
	return 0;
}

static const struct {
	const char *name;
	int (*take)(struct lcx__response *response, const char *value);
} headers[] = {
	{"location:", on_location},
	{"content-type:", on_content_type},
	{"content-range:", on_content_range},
	{"www-authenticate:", on_www_authenticate},
	{"retry-after:", on_retry_after},
	{"range:", on_range},
	{"docker-content-digest:", on_digest},
	{"oci-chunk-min-length:", on_chunk_min},
};

static int take_header(struct lcx__response *response, const char *line, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		size_t name_length = strlen(headers[i].name);
		char value[HEADER_VALUE_MAX];

		if (length <= name_length || strncasecmp(line, headers[i].name, name_length) != 0)
			continue;
		line += name_length;
		length -= name_length;
		while (length > 0 && strchr(" \t", *line) && *line)
			line++, length--;
		while (length > 0 && line[length - 1] && strchr(" \t\r\n", line[length - 1]))
			length--;
		if (length >= sizeof(value) || memchr(line, '\0', length))
			return 0; /* nothing we could use is like that */
		memcpy(value, line, length);
		value[length] = '\0';
		return headers[i].take(response, value);
	}
	return 0;
}

size_t lcx__response_header(char *line, size_t size, size_t n, void *data)
{
	struct lcx__request *request = data;
	size_t length = size * n;

	request->progress_ns = lcx__monotonic_ns();
	request->header_bytes += length;
	if (request->header_bytes > LCX__HEADERS_MAX) {
		request->result =
			lcx__fail(&request->err, EBADMSG, "%s: more than %d bytes of headers",
				  request->what, LCX__HEADERS_MAX);
		return 0;
	}
	/* A proxy's answer, or "100 Continue", comes before the one that counts. */
	if (length > 5 && strncmp(line, "HTTP/", 5) == 0) {
		lcx__response_clear(&request->response);
		return length;
	}
	if (take_header(&request->response, line, length) < 0) {
		request->local_failure = true;
		request->result = lcx__fail_nomem(&request->err);
		return 0;
	}
	return length;
}

/* The number and what must follow it; NULL for anything else. */
static const char *take_number(const char *text, char end, uint64_t *ret)
{
	char *after;

	if (!text || *text < '0' || *text > '9')
		return NULL;
	errno = 0;
	*ret = strtoull(text, &after, 10);
	return errno == 0 && *after == end ? after + (end != '\0') : NULL;
}

/*
 * "bytes FIRST-LAST/TOTAL": a part from where we asked for it, of what we asked for, and of nothing
 * else. Who doesn't know the total says "*".
 */
static bool range_fits(const char *range, uint64_t offset, uint64_t size)
{
	uint64_t first, last, total = size;

	if (!range || strncmp(range, "bytes ", 6) != 0)
		return false;
	range = take_number(range + 6, '-', &first);
	range = take_number(range, '/', &last);
	if (!range || (strcmp(range, "*") != 0 && !take_number(range, '\0', &total)))
		return false;
	return first == offset && last >= first && last < total && total == size;
}

static int begin_body(struct lcx__request *request, long status)
{
	request->response.began = true;
	request->logins = 0; /* this login is good; a token that expires later is another matter */
	if (status == 206) {
		if (!request->has_sink || request->offset == 0 ||
		    !range_fits(request->response.content_range, request->offset,
				request->sink.size_bytes))
			return lcx__fail(&request->err, EPROTO,
					 "%s: a part was sent that was not asked for",
					 request->what);
		return 0;
	}
	/* All of it, although we asked for the rest. */
	if (request->has_sink && request->offset > 0)
		return request->sink.restart(request->sink.data, &request->err);
	return 0;
}

static int take_body(struct lcx__request *request, const char *data, size_t length)
{
	if (request->has_sink)
		return request->sink.write(request->sink.data, data, length, &request->err);
	if (length > request->limit - request->body.length)
		return lcx__fail(&request->err, EBADMSG, "%s: longer than %zu bytes", request->what,
				 request->limit);
	lcx__strbuf_add(&request->body, data, length);
	return request->body.failed ? lcx__fail_nomem(&request->err) : 0;
}

static size_t take_error_body(struct lcx__response *response, const char *data, size_t length)
{
	size_t room = LCX__ERROR_BODY_MAX - response->error_body.length;

	lcx__strbuf_add(&response->error_body, data, length < room ? length : room);
	response->error_bytes += length;
	return response->error_bytes > LCX__ERROR_BODY_READ ? 0 : length;
}

size_t lcx__response_body(char *data, size_t size, size_t n, void *user)
{
	struct lcx__request *request = user;
	size_t length = size * n;
	int r = 0;

	request->progress_ns = lcx__monotonic_ns();
	if (!request->response.began) {
		long status = 0;

		(void)curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
		if (status != 200 && status != 206)
			return take_error_body(&request->response, data, length);
		r = begin_body(request, status);
	}
	if (r == 0)
		r = take_body(request, data, length);
	request->result = r;
	request->local_failure = r < 0 && r != -EBADMSG && r != -EPROTO;
	return r < 0 ? 0 : length;
}

/* {"errors":[{"message":"..."}]}, if it is that. */
static const char *registry_message(struct json_object *object)
{
	struct json_object *errors = NULL, *first;
	const char *message = NULL;

	if (lcx__doc_array(object, "errors", &errors, NULL) < 0 || !errors)
		return NULL;
	first = json_object_array_get_idx(errors, 0);
	if (!json_object_is_type(first, json_type_object) ||
	    lcx__doc_string(first, "message", &message, NULL) < 0)
		return NULL;
	return message;
}

void lcx__response_words(const struct lcx__response *response, char *text, size_t size)
{
	CLEANUP(lcx__doc_putp) struct json_object *object = NULL;
	const char *message = NULL;
	size_t at = 0;

	text[0] = '\0';
	if (response->error_body.length == 0 || response->error_body.failed)
		return;
	if (lcx__doc_parse(response->error_body.text, response->error_body.length, "error", &object,
			   NULL) == 0)
		message = registry_message(object);
	for (; message && *message && at + 1 < size; message++)
		if (*message >= ' ' && *message < 0x7f)
			text[at++] = *message;
	text[at] = '\0';
}
