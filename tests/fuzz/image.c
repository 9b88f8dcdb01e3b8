/* SPDX-License-Identifier: MIT */

/*
 * The texts that an image's name and a registry's answers are made of. The first byte
 * chooses which; whatever is accepted as a name must be its own full name.
 */
#include <stdint.h>
#include <string.h>

#include "image/challenge.h"
#include "image/manifest.h"
#include "image/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void reference(const char *text, size_t length)
{
	CLEANUP(lcx__reference_freep) struct lcx__reference *ref = NULL, *again = NULL;
	CLEANUP(freep) char *full = NULL, *full_again = NULL;

	(void)length;
	if (lcx__reference_parse(text, &ref, NULL) < 0)
		return;
	full = lcx__reference_format(ref);
	if (lcx__reference_parse(full, &again, NULL) < 0)
		__builtin_trap();
	full_again = lcx__reference_format(again);
	if (strcmp(full, full_again) != 0)
		__builtin_trap();
}

static void manifest(const char *text, size_t length)
{
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *m = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	const struct lcx__descriptor *chosen;
	struct lcx__platform host;

	lcx__platform_host(&host);
	if (lcx__manifest_parse(text, length, NULL, &m, &err) == 0 && m->is_index)
		(void)lcx__index_choose(m, &host, NULL, &chosen, &err);
}

static void config(const char *text, size_t length)
{
	CLEANUP(lcx__config_freep) struct lcx__config *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	(void)lcx__config_parse(text, length, &c, &err);
}

static void challenge(const char *text, size_t length)
{
	struct lcx__challenge c = {0};

	(void)length;
	(void)lcx__challenge_parse(text, &c);
	if (c.scheme == LCX__CHALLENGE_BEARER && !c.realm)
		__builtin_trap();
	lcx__challenge_clear(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[])(const char *, size_t) = {reference, manifest, config,
								challenge};
	CLEANUP(freep) char *text = NULL;

	if (size == 0)
		return 0;
	text = strndup((const char *)data + 1, size - 1);
	if (text)
		targets[data[0] % ARRAY_SIZE(targets)](text, strlen(text));
	return 0;
}
