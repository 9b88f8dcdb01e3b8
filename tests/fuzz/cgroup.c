/* SPDX-License-Identifier: MIT */

/*
 * What the kernel prints of mounts and cgroups, and paths that callers give: text up to a
 * NUL is /proc/self/mountinfo, the next /proc/self/cgroup, the rest a path and a keyed file.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup/cgroup-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(lcx__cgroup_layout_freep) struct lcx__cgroup_layout *layout = NULL;
	CLEANUP(freep) char *text = malloc(size + 3), *path = NULL;
	/* A directory without any: nothing outside is opened but by "..", and that for reading. */
	CLEANUP(closep) int fs_fd = open("/proc/self/fdinfo", O_DIRECTORY | O_CLOEXEC);
	const char *own, *rest;
	int64_t value;

	if (!text || fs_fd < 0)
		return 0;
	if (size)
		memcpy(text, data, size);
	memset(text + size, 0, 3);
	own = text + strlen(text) + 1;
	if (own > text + size)
		own = text + size;
	rest = own + strlen(own) + 1;
	if (rest > text + size)
		rest = text + size;

	if (lcx__cgroup_layout_parse(fs_fd, text, own, &layout, NULL) == 0 && layout->tracker >= 0)
		(void)lcx__cgroup_path_join(layout->base, rest, &path);
	else
		(void)lcx__cgroup_path_join("/base", rest, &path);
	if (path && strstr(path, "/../"))
		abort();
	(void)lcx__keyed_value(rest, "populated", &value);
	(void)lcx__controller_mask(rest);
	return 0;
}
