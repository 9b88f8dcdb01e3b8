/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* A string under construction. Start with STRBUF_EMPTY; a failed append is remembered. */
struct lcx__strbuf {
	char *text;
	size_t length, size;
	bool failed; /* out of memory at some append; nothing was appended since */
};

#define STRBUF_EMPTY ((struct lcx__strbuf){0})

void lcx__strbuf_add(struct lcx__strbuf *buf, const void *data, size_t length);
void lcx__strbuf_adds(struct lcx__strbuf *buf, const char *text);
void lcx__strbuf_addf(struct lcx__strbuf *buf, const char *format, ...) LCX_PRINTF(2, 3);

/* Hand the text on: NULL if any append failed, else a string the caller frees. */
char *lcx__strbuf_take(struct lcx__strbuf *buf);
void lcx__strbuf_free(struct lcx__strbuf *buf);

/* asprintf() that returns NULL on failure. */
char *lcx__format(const char *format, ...) LCX_PRINTF(1, 2);

/* A NULL-terminated array of strings that owns its strings. */
size_t lcx__strv_length(char *const *strv);
char **lcx__strv_copy(const char *const *strv); /* NULL counts as empty; NULL when out of memory */
int lcx__strv_append(char ***strv, const char *text);
char **lcx__strv_free(char **strv);

static inline void lcx__strv_freep(char ***strv)
{
	(void)lcx__strv_free(*strv);
}

/*
 * The one validator for everything that names an object and may become part of
 * a path: [A-Za-z0-9][A-Za-z0-9_.-]{0,127}.
 */
bool lcx__name_is_valid(const char *name);

/* Decimal digits only, the whole string, no sign and no blanks, at most @max; else -EINVAL or
 * -ERANGE. */
int lcx__parse_u64(const char *text, uint64_t max, uint64_t *ret);

/* 64 lower-case hexadecimal digits out of getrandom(2): the identifier of a container. */
enum { LCX__ID_SIZE = 65 };
int lcx__random_id(char id[static LCX__ID_SIZE]);

/* A name that collides with nothing, starting with ".tmp-", which no validator lets in. */
int lcx__temporary_name(char name[static 64]);
bool lcx__is_temporary_name(const char *name);

/* /proc/sys/kernel/random/boot_id: tells this boot from every other. */
enum { LCX__BOOT_ID_SIZE = 37 };
int lcx__boot_id(char id[static LCX__BOOT_ID_SIZE]);

/* RFC 3339 in UTC with nine digits of fraction: "2026-01-31T23:59:59.000000001Z". */
enum { LCX__TIME_SIZE = 36 };
void lcx__format_time(int64_t ns_since_epoch, char text[static LCX__TIME_SIZE]);
int lcx__parse_time(const char *text, int64_t *ret_ns); /* -EINVAL, -ERANGE */
int64_t lcx__now_ns(void);                              /* CLOCK_REALTIME */
size_t lcx__path_length(const char *path); /* without the slashes at its end; 0: the root, or "" */
int64_t lcx__monotonic_ns(void);                        /* CLOCK_MONOTONIC */
