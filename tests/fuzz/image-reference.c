/* SPDX-License-Identifier: MIT */

/* Any text as the name of an image: what is accepted must be its own full name. */
#include <stdint.h>
#include <string.h>

#include "image/reference.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What becomes part of a URL or of a path holds nothing that has a meaning there. */
static void check_parts(const struct lcx__reference *ref)
{
	static const char special[] = " \t\r\n?#%\\\"'<>@&;$`|*";
	struct lcx__digest digest;

	if (ref->registry[strcspn(ref->registry, special)] ||
	    ref->path[strcspn(ref->path, special)] || strstr(ref->path, "..") ||
	    strstr(ref->path, "//") || ref->path[0] == '/' ||
	    (ref->tag && (ref->tag[strcspn(ref->tag, special)] || strchr(ref->tag, '/'))))
		__builtin_trap();
	if (ref->digest.text[0] && lcx__digest_parse(ref->digest.text, &digest) < 0)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(lcx__reference_freep) struct lcx__reference *ref = NULL, *again = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *text = fuzz_text(data, size);
	CLEANUP(freep) char *full = NULL, *full_again = NULL;

	if (!text || lcx__reference_parse(text, &ref, &err) < 0)
		return 0;
	check_parts(ref);
	full = lcx__reference_format(ref);
	if (lcx__reference_parse(full, &again, NULL) < 0)
		__builtin_trap();
	full_again = lcx__reference_format(again);
	if (strcmp(full, full_again) != 0)
		__builtin_trap();
	return 0;
}
