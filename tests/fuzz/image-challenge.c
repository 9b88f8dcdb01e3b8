/* SPDX-License-Identifier: MIT */

/* Any text as a registry's WWW-Authenticate header. */
#include <stdint.h>
#include <string.h>

#include "image/challenge.h"
#include "util/cleanup.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *text = fuzz_text(data, size);
	struct lcx__challenge c = {0};

	if (!text)
		return 0;
	(void)lcx__challenge_parse(text, &c);
	if (c.scheme == LCX__CHALLENGE_BEARER && !c.realm)
		__builtin_trap();
	lcx__challenge_clear(&c);
	return 0;
}
