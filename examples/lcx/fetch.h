/* SPDX-License-Identifier: MIT */
#pragma once

/* Pulling, for `pull` and for a `run` whose image is not here. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "app.h"
#include "options.h"

struct fetch_options {
	bool plain_http;
	const char *ca_file, *creds, *platform;
};

/* Rows for a command's own table, whose structure holds a struct fetch_options named @member. */
#define FETCH_ROWS(type, member)                                                                   \
	{'\0',        "plain-http",                                                                \
	 OPTION_FLAG, offsetof(type, member.plain_http),                                           \
	 NULL,        "speak HTTP with the registry, not HTTPS"},                                  \
		{'\0',          "ca-file",                                                         \
		 OPTION_STRING, offsetof(type, member.ca_file),                                    \
		 "FILE",        "trust the certificates in this PEM file"},                        \
		{'\0',                                                                             \
		 "creds",                                                                          \
		 OPTION_STRING,                                                                    \
		 offsetof(type, member.creds),                                                     \
		 "USER[:PASSWORD]",                                                                \
		 "for the registry; the password is asked for if it is not given"},                \
	{                                                                                          \
		'\0', "platform", OPTION_STRING, offsetof(type, member.platform), "OS/ARCH",       \
			"choose out of an image for several"                                       \
	}

/* Pull, showing progress on @out; what goes wrong is reported. @ret may be NULL. */
bool fetch_image(struct app *app, const char *reference, const struct fetch_options *options,
		 FILE *out, struct lcx_image **ret);
