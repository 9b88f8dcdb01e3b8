/* SPDX-License-Identifier: MIT */
#pragma once

/* What setters share. All leave the old value in place on failure. */

#include "spec/spec.h"
#include "util/str.h"

/* Replace a string; NULL removes it. */
int lcx__set_string(char **place, const char *value, struct lcx_error **err);

/* Replace an array of strings. */
int lcx__set_strings(char ***place, const char *const *values, struct lcx_error **err);

/* Append a string to an array, unless @once and it stands there. */
int lcx__add_string(char ***place, const char *value, bool once, struct lcx_error **err);

/* Set a pair of a LCX__LIST(struct lcx__key_value); a NULL @value removes it. */
int lcx__set_pair(void *list, const char *key, const char *value, struct lcx_error **err);

/* 0 or 1, and nothing else, for FFI has no bool. */
int lcx__check_switch(int32_t value, const char *what, struct lcx_error **err);

/* One more item of a list, zeroed; NULL with words if out of memory. */
void *lcx__add_item(void *list, size_t item_size, struct lcx_error **err);
