/* SPDX-License-Identifier: MIT */
#ifndef LCX_TEST_HOST_FIGURES_H
#define LCX_TEST_HOST_FIGURES_H

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

/* What a host program counts of itself, before and after. */

/* With ".", ".." and the descriptor of the directory itself. */
static inline int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static inline long resident_kib(void)
{
	long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file) {
		if (fscanf(file, "%ld %ld", &size, &resident) != 2)
			resident = 0;
		fclose(file);
	}
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

#endif /* LCX_TEST_HOST_FIGURES_H */
