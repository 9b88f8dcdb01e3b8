/* SPDX-License-Identifier: MIT */
#pragma once

/* How a registry is to be talked to: the options that pulling and pushing share. */

#include <stdbool.h>
#include <stddef.h>

#include <lcx/image.h>

#include "options.h"

struct registry_options {
	bool plain_http;
	const char *ca_file, *client_cert, *client_key, *creds, *auth_file;
};

/*
 * Rows for a command's own table, whose structure holds a struct registry_options named @member:
 * which host is talked to, and as whom.
 */
#define REGISTRY_HOST_ROWS(type, member)                                                           \
	{'\0',        "plain-http",                                                                \
	 OPTION_FLAG, offsetof(type, member.plain_http),                                           \
	 NULL,        "speak HTTP with the registry, not HTTPS"},                                  \
		{'\0',          "ca-file",                                                         \
		 OPTION_STRING, offsetof(type, member.ca_file),                                    \
		 "FILE",        "trust the certificates in this PEM file"},                        \
		{'\0',          "client-cert",                                                     \
		 OPTION_STRING, offsetof(type, member.client_cert),                                \
		 "FILE",        "show this certificate to the registry"},                          \
		{'\0',          "client-key",                                                      \
		 OPTION_STRING, offsetof(type, member.client_key),                                 \
		 "FILE",        "the key of that certificate"},                                    \
	{                                                                                          \
		'\0', "authfile", OPTION_STRING, offsetof(type, member.auth_file), "FILE",         \
			"where credentials are, instead of Docker's config.json"                   \
	}

#define REGISTRY_ROWS(type, member)                                                                \
	REGISTRY_HOST_ROWS(type, member),                                                          \
	{                                                                                          \
		'\0', "creds", OPTION_STRING, offsetof(type, member.creds), "USER[:PASSWORD]",     \
			"for the registry; the password is asked for if it is not given"           \
	}

/* Set all of it. Return: 0 or a negative errno. */
int registry_prepare_pull(struct lcx_pull *pull, const struct registry_options *options,
			  struct lcx_error **err);
int registry_prepare_push(struct lcx_push *push, const struct registry_options *options,
			  struct lcx_error **err);
