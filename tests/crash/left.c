/* SPDX-License-Identifier: MIT */
#include "crash.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lcx/lcx.h"
#include "util/cleanup.h"
#include "util/str.h"

/*
 * Everything that a container could leave, by the kernel's and the disk's own
 * account and not by the library's: interfaces, mounts, control groups, processes,
 * files, nf_tables; and the leases, which are inside of a file.
 */

static char **lines;

static void add(const char *kind, const char *what)
{
	char *line = lcx__format("%s %s", kind, what);

	if (!line || lcx__strv_append(&lines, line) < 0)
		abort();
	free(line);
}

static void add_links(void)
{
	struct if_nameindex *links = if_nameindex();

	for (struct if_nameindex *i = links; i && i->if_index != 0; i++)
		add("interface", i->if_name);
	if_freenameindex(links);
}

/* "36 35 98:0 / /mnt rw shared:1 - ext4 ...": without what is only a number. */
static void add_mounts(void)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[8192], target[4096];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %*s %*s %*s %4095s", target) == 1)
			add("mount", target);
	if (file)
		(void)fclose(file);
}

static void add_processes(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char path[300], line[512], name[64], state = 'Z';
		FILE *file;
		int pid, parent;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		file = fopen(path, "re");
		if (file && fgets(line, sizeof(line), file) &&
		    sscanf(line, "%d (%63[^)]) %c %d", &pid, name, &state, &parent) == 4 &&
		    state != 'Z' && state != 'X') {
			(void)snprintf(path, sizeof(path), "%d %s", pid, name);
			add("process", path);
		}
		if (file)
			(void)fclose(file);
	}
	if (dir)
		(void)closedir(dir);
}

/* Each name below, without asking for more than the directory tells: it is done after every fault.
 */
static void walk(const char *path, void (*visit)(const char *path, const char *name, bool is_dir))
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		CLEANUP(freep) char *below = NULL;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		below = lcx__format("%s/%s", path, entry->d_name);
		if (!below)
			abort();
		visit(below, entry->d_name, entry->d_type == DT_DIR);
		if (entry->d_type == DT_DIR)
			walk(below, visit);
	}
	if (dir)
		(void)closedir(dir);
}

static void add_file(const char *path, const char *name, bool is_dir)
{
	(void)name;
	(void)is_dir;
	add("file", path);
}

static void add_cgroup(const char *path, const char *name, bool is_dir)
{
	if (is_dir && strncmp(name, place.tag, strlen(place.tag)) == 0)
		add("cgroup", path);
}

static void add_nftables(void)
{
	FILE *file = popen("nft -s list ruleset 2>/dev/null", "re");
	char line[4096];

	while (file && fgets(line, sizeof(line), file))
		add("nft", line + strspn(line, " \t"));
	if (file)
		(void)pclose(file);
}

static void add_leases(void)
{
	CLEANUP(closep) int root_fd = open(place.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closep)
	int fd = openat(root_fd, "ipam/bridge", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct lcx_ipam_pool *pool = NULL;
	uint64_t used = 0;
	char text[32];

	if (fd < 0 || lcx_ipam_pool_open(fd, "bridge", &pool, NULL) < 0)
		return;
	(void)lcx_ipam_pool_used(pool, &used, NULL);
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)used);
	add("leases", text);
	lcx_ipam_pool_free(pool);
}

/* Whose ids are which container's. */
static void add_ranges(void)
{
	CLEANUP(freep) char *path = lcx__format("%s/users/ranges", place.root);
	FILE *file = path ? fopen(path, "re") : NULL;
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		add("range", line);
	if (file)
		(void)fclose(file);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *world_take(void)
{
	char *text = NULL;
	size_t size, n;
	FILE *stream = open_memstream(&text, &size);

	add_links();
	add_mounts();
	add_processes();
	add_nftables();
	add_leases();
	add_ranges();
	walk(place.root, add_file);
	walk(place.run, add_file);
	walk("/sys/fs/cgroup", add_cgroup);
	n = lcx__strv_length(lines);
	qsort(lines, n, sizeof(*lines), by_text);
	for (size_t i = 0; i < n; i++)
		fprintf(stream, "%s%s", lines[i], strchr(lines[i], '\n') ? "" : "\n");
	(void)fclose(stream);
	lcx__strv_freep(&lines);
	lines = NULL;
	return text;
}

static void tell_line(char sign, const char *line)
{
	printf("#   %c %.*s\n", sign, (int)strcspn(line, "\n"), line);
}

static const char *next_line(const char *line)
{
	return line + strcspn(line, "\n") + 1;
}

static int compare_lines(const char *a, const char *b)
{
	size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");
	int r = strncmp(a, b, n < m ? n : m);

	return r != 0 ? r : n < m ? -1 : n > m;
}

bool world_compare(const char *before, const char *after, bool tell)
{
	bool same = true;

	while (*before || *after) {
		int order = !*before ? 1 : !*after ? -1 : compare_lines(before, after);

		if (order != 0) {
			same = false;
			if (tell)
				tell_line(order < 0 ? '-' : '+', order < 0 ? before : after);
		}
		if (order <= 0)
			before = next_line(before);
		if (order >= 0)
			after = next_line(after);
	}
	return same;
}
