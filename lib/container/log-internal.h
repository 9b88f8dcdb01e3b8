/* SPDX-License-Identifier: MIT */
#pragma once

#include "container/log.h"
#include "lcx/log.h"

/* The options that a driver has, and by which it is known. */
enum {
	LOG_OF_FILES = 1 << 0,
	LOG_OF_JSON = 1 << 1,
	LOG_OF_JOURNALD = 1 << 2,
	LOG_OF_SYSLOG = 1 << 3,
};

struct log_driver {
	const char *name, *file;
	enum lcx__log_driver driver;
	enum lcx_log_format format;
	unsigned int kinds; /* of the options that it has */
};

/* The container's option @key; NULL: it has none. */
const char *lcx__log_option(const struct lcx_container *c, const char *key);

/* log-context.c: what Docker's template makes of it. NULL with *@err. */
char *lcx__log_expand_tag(const struct lcx_container *c, const char *tag, struct lcx_error **err);

/* What is said with each line, in the driver's form; *@ret is the caller's. */
int lcx__log_context(const struct lcx_container *c, const struct log_driver *driver, char **ret,
		     size_t *ret_length, struct lcx_error **err);
