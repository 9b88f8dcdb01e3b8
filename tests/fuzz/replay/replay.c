/* SPDX-License-Identifier: MIT */

/*
 * The corpus of one fuzz target, without a fuzzer: what was once found stays found. CORPUS is its
 * directory. Any crash or trap is the end, and a failure.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/cleanup.h"
#include "util/fs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(void)
{
	CLEANUP(closedirp) DIR *dir = opendir(CORPUS);
	struct dirent *entry;
	unsigned n = 0;

	while (dir && (entry = readdir(dir))) {
		CLEANUP(freep) char *data = NULL;
		CLEANUP(freep) uint8_t *exact = NULL;
		size_t length;

		if (entry->d_name[0] == '.')
			continue;
		if (lcx__read_file(dirfd(dir), entry->d_name, 64 << 20, &data, &length) < 0)
			return EXIT_FAILURE;
		/* Of its very size, so that the sanitizer sees who reads beyond. */
		exact = malloc(length ? length : 1);
		if (!exact)
			return EXIT_FAILURE;
		for (size_t i = 0; i < length; i++)
			exact[i] = (uint8_t)data[i];
		(void)fprintf(stderr, "%s\n", entry->d_name);
		(void)LLVMFuzzerTestOneInput(exact, length);
		n++;
	}
	return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
