/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * What a process has that a library could change behind its back: everything in
 * one text, "name: value" a line, so that a difference names itself; and its
 * descriptors and children apart, as handles that are in use may hold some.
 */
struct snapshot {
	char *state;
	size_t state_size;
	char *holdings;
	size_t holdings_size;
};

/* Take a snapshot. Opens and closes files, but holds nothing afterwards but memory. */
void snapshot_take(struct snapshot *snapshot);
void snapshot_free(struct snapshot *snapshot);

/* Print the lines that differ as TAP comments, "-" for before and "+" for after. */
void snapshot_print_difference(const char *before, const char *after);

/* Print descriptors that exec would pass on and @before did not have. Return: are there any? */
bool snapshot_has_new_inheritable(const char *before, const char *after);
