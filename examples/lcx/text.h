/* SPDX-License-Identifier: MIT */
#pragma once

/* Sizes and times, as people write and read them; and JSON. All as Docker has them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TEXT_SIZE = 64 }; /* holds what any of the formatters writes */

/* "64m", "1.5g", "4096": binary units. Return: -EINVAL for anything else. */
int text_parse_bytes(const char *text, int64_t *ret);

/* A number with decimals, "1.5", as thousandths of thousandths. Return: -EINVAL. */
int text_parse_micro(const char *text, int64_t *ret);

/* A whole number of at least @min. Return: -EINVAL. */
int text_parse_int(const char *text, int64_t min, int64_t max, int64_t *ret);

/*
 * A moment: "2026-01-31T23:59:59.5Z", "2026-01-31", "1767225599.5" since the epoch, or "10m",
 * "1h30m" before now. Return: -EINVAL.
 */
int text_parse_time(const char *text, int64_t *ret_ns);

/* "1m30s", "500ms", in nanoseconds. Return: -EINVAL for anything else. */
int text_parse_duration(const char *text, int64_t *ret_ns);

void text_decimal_size(double size_bytes, char out[static TEXT_SIZE]); /* "118MB" */
void text_binary_size(double size_bytes, char out[static TEXT_SIZE]);  /* "1.5MiB" */
void text_duration(int64_t ns, char out[static TEXT_SIZE]);            /* "3 minutes" */
void text_ago(int64_t since_epoch_ns, char out[static TEXT_SIZE]);     /* "3 minutes ago" */
void text_rfc3339(int64_t since_epoch_ns, char out[static TEXT_SIZE]);

/* The first 12 digits of an identifier, without "sha256:". */
void text_short_id(const char *id, bool whole, char out[static 80]);

/* With '?' for control characters, which may have come from anywhere. */
void text_print_safe(FILE *out, const char *text);

/* A JSON string, with its quotes. Bytes that are no UTF-8 become U+FFFD. */
void text_print_json(FILE *out, const char *text);

int64_t text_now_ns(void);
