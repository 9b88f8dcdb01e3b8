/* SPDX-License-Identifier: MIT */

/*
 * What a criu may answer, which somebody may have put in criu's place: any bytes must be read
 * without a step beyond their end, and words that come out be printable. seconds: 1
 */

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "criu/criu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *words, size_t size)
{
	if (strnlen(words, size) == size)
		abort();
	for (; *words; words++)
		if (!isprint((unsigned char)*words))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lcx__criu_answer answer = {0};

	if (lcx__criu_decode(data, size, &answer) < 0)
		return 0;
	if (answer.type == 0)
		abort();
	check(answer.script, sizeof(answer.script));
	check(answer.words, sizeof(answer.words));
	return 0;
}
