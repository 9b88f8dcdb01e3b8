/* SPDX-License-Identifier: MIT */

/*
 * Any bytes as a config.json, as a process and as resources. Of the first, what is taken must be
 * written, read again and written the same, and its copy too; the check of what can be put into
 * effect must come to an end.
 *
 * Engines hand on what their users wrote, so this one gets a minute in each whole run:
 * seconds: 60
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spec/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print(const struct lcx_spec *spec)
{
	char *text = NULL;

	if (lcx_spec_to_json(spec, &text, NULL) < 0)
		abort();
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL, *again = NULL, *copy = NULL;
	CLEANUP(lcx_spec_freep) struct lcx_spec *process = NULL, *changed = NULL;
	CLEANUP(freep) char *first = NULL, *second = NULL, *third = NULL;

	/* The other two documents that engines hand on: of a second process, and of an update. */
	(void)lcx_spec_process_from_json((const char *)data, size, &process, NULL);
	if (lcx_spec_new(&changed, NULL) < 0)
		abort();
	(void)lcx_spec_merge_resources(changed, (const char *)data, size, NULL);
	if (lcx_spec_from_json((const char *)data, size, &spec, &err) < 0)
		return lcx_error_message(err)[0] == '\0' ? (abort(), 0) : 0;
	(void)lcx_spec_check(spec, NULL);
	first = print(spec);
	if (lcx_spec_from_json(first, strlen(first), &again, NULL) < 0 ||
	    lcx_spec_dup(spec, &copy, NULL) < 0)
		abort();
	second = print(again);
	third = print(copy);
	if (strcmp(first, second) != 0 || strcmp(first, third) != 0)
		abort();
	return 0;
}
