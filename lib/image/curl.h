/* SPDX-License-Identifier: MIT */
#pragma once

#include <curl/curl.h>

struct lcx_error;

/* Load libcurl, before the first call of any of its functions. -EOPNOTSUPP: it is not there. */
int lcx__curl_load(struct lcx_error **err);

/* What is called for every piece of a transfer: its caller has it looked up once. */
struct lcx__curl_moves {
	__typeof__(curl_multi_socket_action) *socket_action;
	__typeof__(curl_multi_info_read) *info_read;
};

/* -EOPNOTSUPP as above. */
int lcx__curl_find_moves(struct lcx__curl_moves *ret, struct lcx_error **err);

/* Its type has become another one with a version of libcurl: under its own name it could not stand
 * here. */
#define curl_url_get lcx__curl_url_get
CURLUcode lcx__curl_url_get(CURLU *url, CURLUPart part, char **ret, unsigned int flags);
