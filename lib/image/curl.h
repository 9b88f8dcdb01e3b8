/* SPDX-License-Identifier: MIT */
#pragma once

#include <curl/curl.h>

struct lcx_error;

/* Load libcurl, before the first call of any of its functions. -EOPNOTSUPP: it is not there. */
int lcx__curl_load(struct lcx_error **err);

/* Its type has become another one with a version of libcurl: under its own name it could not stand here. */
#define curl_url_get lcx__curl_url_get
CURLUcode lcx__curl_url_get(CURLU *url, CURLUPart part, char **ret, unsigned int flags);
