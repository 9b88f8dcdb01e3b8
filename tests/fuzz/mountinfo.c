/* SPDX-License-Identifier: MIT */

/*
 * Any text as /proc/PID/mountinfo, as a container's mounts are looked at: what is read out of a
 * line lies in it.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "util/cleanup.h"
#include "util/mountinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct lcx__mount_line *line, const char *begin, const char *end)
{
	const char *const words[] = {line->root,   line->point,   line->type,
				     line->source, line->options, line->super_options};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i] < begin || words[i] + strlen(words[i]) > end)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *text = fuzz_text(data, size);
	struct lcx__mount_line line;
	char *rest = text;

	if (!text)
		return 0;
	while (lcx__mountinfo_next(&rest, &line))
		check(&line, text, text + size);
	return 0;
}
