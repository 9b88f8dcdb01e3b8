/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * libcurl's multi handle behind one pollable descriptor. No threads of ours; no
 * signals (CURLOPT_NOSIGNAL). curl_global_init() is left to curl_easy_init(), which
 * calls it once and, since 7.84, safely from any thread.
 */

#include "image/curl.h"
#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct lcx__transport;

int lcx__transport_new(struct lcx__transport **ret, struct lcx_error **err);
struct lcx__transport *lcx__transport_free(struct lcx__transport *t);

DEFINE_CLEANUP(struct lcx__transport *, lcx__transport_free)

/* An epoll descriptor, and one more descriptor that makes it readable when it is. */
int lcx__transport_fd(const struct lcx__transport *t);
int lcx__transport_watch(struct lcx__transport *t, int fd);

/* A new handle; curl does not touch SIGPIPE's handler for it, be it only to release it. */
CURL *lcx__transport_easy(void);

/* @easy must have been removed before it is cleaned up. */
int lcx__transport_add(struct lcx__transport *t, CURL *easy);
void lcx__transport_remove(struct lcx__transport *t, CURL *easy);

/* Let curl do what it can without waiting. */
int lcx__transport_dispatch(struct lcx__transport *t);

/* The next transfer that has ended, if any. */
bool lcx__transport_next(struct lcx__transport *t, CURL **ret_easy, CURLcode *ret_code);
