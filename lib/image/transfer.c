/* SPDX-License-Identifier: MIT */
/* One attempt at a request, as curl is told of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "image/registry-internal.h"

enum { BUFFER_SIZE = 256 << 10 };

static bool has_origin(const struct lcx__request *request, const char *wanted)
{
	CLEANUP(freep) char *origin = lcx__url_origin(lcx__request_url(request));

	return origin && wanted && strcmp(origin, wanted) == 0;
}

/* Is the present address where the credentials belong? */
static bool is_at_home(const struct lcx__request *request)
{
	return has_origin(request, request->is_token ? request->authorized_origin
						     : request->registry->origin);
}

static bool is_link_local(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		uint32_t host =
			ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr);

		return host >> 16 == 0xa9fe; /* 169.254.0.0/16, where clouds keep their secrets */
	}
	if (address->sa_family == AF_INET6) {
		const struct in6_addr *ip6 =
			&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(ip6))
			return ip6->s6_addr[12] == 169 && ip6->s6_addr[13] == 254;
		return IN6_IS_ADDR_LINKLOCAL(ip6) != 0;
	}
	return false;
}

/* Our own sockets: close-on-exec from birth, and none to a link-local address on a stranger's word.
 */
static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct lcx__request *request = data;

	(void)purpose;
	if ((request->redirected_url || request->is_token || request->is_foreign) &&
	    is_link_local(&address->addr))
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* What is sent */

static size_t read_payload(char *buffer, size_t size, size_t n, void *data)
{
	struct lcx__request *request = data;
	const struct lcx__payload *p = &request->payload;
	uint64_t left = p->to - p->from - request->sent_bytes;
	size_t room = size * n;
	ssize_t got;

	room = left < room ? (size_t)left : room;
	request->progress_ns = lcx__monotonic_ns();
	if (p->fd < 0) {
		memcpy(buffer, (const char *)p->data + p->from + request->sent_bytes, room);
		request->sent_bytes += room;
		return room;
	}
	do
		got = pread(p->fd, buffer, room, (off_t)(p->from + request->sent_bytes));
	while (got < 0 && errno == EINTR);
	if (room > 0 && got <= 0) {
		request->local_failure = true;
		request->result = lcx__fail_sys(&request->err, got < 0 ? errno : EUCLEAN,
						"%s: read what is to be sent", request->what);
		return CURL_READFUNC_ABORT;
	}
	request->sent_bytes += (uint64_t)got;
	return (size_t)got;
}

/* A connection that was kept open may break before anything was sent: then curl begins again. */
static int seek_payload(void *data, curl_off_t offset, int origin)
{
	struct lcx__request *request = data;
	const struct lcx__payload *p = &request->payload;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > p->to - p->from)
		return CURL_SEEKFUNC_FAIL;
	request->sent_bytes = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static bool set_body(struct lcx__request *request, const char *method)
{
	const struct lcx__payload *p = &request->payload;
	CURL *easy = request->easy;

	return curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_SIZE) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_payload) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_READDATA, request) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek_payload) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SEEKDATA, request) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)(p->to - p->from)) ==
		       CURLE_OK;
}

static bool set_method(struct lcx__request *request)
{
	switch (request->method) {
	case LCX__GET:
		return curl_easy_setopt(request->easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	case LCX__HEAD:
		return curl_easy_setopt(request->easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
	case LCX__POST:
		return set_body(request, "POST");
	case LCX__PATCH:
		return set_body(request, "PATCH");
	case LCX__PUT:
		return set_body(request, "PUT");
	}
	return false;
}

/* Headers */

static bool add_header(struct lcx__request *request, const char *text)
{
	struct curl_slist *list = curl_slist_append(request->headers, text);

	if (!list)
		return false;
	request->headers = list;
	return true;
}

static bool add_payload_headers(struct lcx__request *request)
{
	const struct lcx__payload *p = &request->payload;
	CLEANUP(freep) char *type = lcx__format("Content-Type: %s", p->content_type);
	CLEANUP(freep) char *range = NULL;

	if (!type || !add_header(request, type))
		return false;
	if (!p->is_chunk)
		return true;
	range = lcx__format("Content-Range: %ju-%ju", (uintmax_t)p->from, (uintmax_t)p->to - 1);
	return range && add_header(request, range);
}

static bool add_range(struct lcx__request *request)
{
	CLEANUP(freep) char *range = NULL;

	request->offset = request->has_sink ? request->sink.offset(request->sink.data) : 0;
	if (request->offset == 0)
		return true;
	range = lcx__format("Range: bytes=%ju-", (uintmax_t)request->offset);
	return range && add_header(request, range);
}

static bool make_headers(struct lcx__request *request)
{
	const char *authorization =
		request->is_token ? request->authorization : request->registry->authorization;
	CLEANUP(freep) char *accept = NULL;

	if (request->accept) {
		accept = lcx__format("Accept: %s", request->accept);
		if (!accept || !add_header(request, accept))
			return false;
	}
	if (authorization && is_at_home(request) && !add_header(request, authorization))
		return false;
	if (request->payload.content_type && !add_payload_headers(request))
		return false;
	return add_range(request);
}

/* Options. Each has one type in curl's documentation; a failing one is an allocation's. */

static bool set_callbacks(struct lcx__request *request)
{
	CURL *easy = request->easy;

	return curl_easy_setopt(easy, CURLOPT_PRIVATE, request) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->curl_error) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, lcx__response_header) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERDATA, request) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, lcx__response_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, request) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, request) == CURLE_OK;
}

/* A client's certificate tells who we are, as a password does: to the registry and nobody else. */
static bool set_tls(struct lcx__request *request)
{
	const struct lcx__settings *s = request->registry->settings;
	CURL *easy = request->easy;

	/* Without the directory of the system's, which would count besides. */
	if (s->ca_file && (curl_easy_setopt(easy, CURLOPT_CAINFO, s->ca_file) != CURLE_OK ||
			   curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) != CURLE_OK))
		return false;
	if (!s->client_cert_file || !has_origin(request, request->registry->origin))
		return true;
	/* A pass phrase that is needed would be asked for on the host's terminal: there is none. */
	return curl_easy_setopt(easy, CURLOPT_SSLCERT, s->client_cert_file) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SSLKEY, s->client_key_file) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "") == CURLE_OK;
}

static bool set_options(struct lcx__request *request)
{
	const struct lcx__settings *s = request->registry->settings;
	const char *protocols = s->plain_http ? "http,https" : "https";
	CURL *easy = request->easy;

	return curl_easy_setopt(easy, CURLOPT_URL, lcx__request_url(request)) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, protocols) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERAGENT, "liblcx/" LCX_VERSION) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)s->stall_timeout_ms) ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_SIZE) == CURLE_OK;
}

bool lcx__transfer_prepare(struct lcx__request *request)
{
	/* A used handle may keep its buffers, and then refuses to have others; connections are kept
	 * by the transport. */
	curl_easy_cleanup(request->easy);
	request->easy = lcx__transport_easy();
	request->sent_bytes = 0;
	return request->easy && make_headers(request) && set_options(request) &&
	       set_callbacks(request) && set_tls(request) && set_method(request);
}
