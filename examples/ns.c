/* SPDX-License-Identifier: MIT */

/*
 * lib/ns on its own: namespaces that exist without a process.
 *
 *     ns list [PID]                         which namespaces a process is in
 *     ns pin DIRECTORY KIND[,KIND]... [MAP] make new ones and keep each as DIRECTORY/KIND
 *     ns pin-time DIRECTORY SECONDS         one whose clocks are SECONDS ahead
 *     ns unpin DIRECTORY                    let them go
 *     ns bind SOURCE TARGET MAP             show SOURCE on TARGET with other owners
 *
 * MAP is CONTAINER:HOST:COUNT, for users and groups alike. What is pinned can be entered with
 * nsenter(1), e.g. `ns pin /run/mine net,uts && nsenter --net=/run/mine/net ip link`.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lcx/ns.h>

/* linux/mount.h and sys/mount.h do not go together in every C library. */
enum { TREE_CLONE = 1, MOVE_FROM_EMPTY_PATH = 4 };

static int list(int32_t pid, struct lcx_error **err)
{
	for (int i = 0; i < 8; i++) {
		uint64_t device, inode;
		int fd = lcx_ns_open_pid(pid, 1 << i, err), r;

		if (fd < 0)
			return fd;
		r = lcx_ns_identity(fd, &device, &inode, err);
		close(fd);
		if (r < 0)
			return r;
		printf("%s %llu\n", lcx_ns_name(1 << i), (unsigned long long)inode);
	}
	return 0;
}

static int read_map(const char *text, struct lcx_idmap **ret, struct lcx_error **err)
{
	int r = lcx_idmap_new(ret, err);

	if (r == 0)
		r = lcx_idmap_parse(*ret, LCX_ID_USER, text, err);
	if (r == 0)
		r = lcx_idmap_parse(*ret, LCX_ID_GROUP, text, err);
	return r;
}

static int pin_one(const char *directory, enum lcx_ns_kind kind, int fd, struct lcx_error **err)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, lcx_ns_name(kind));
	return lcx_ns_pin(fd, path, err);
}

/* All or none. */
static int unpin(const char *directory, uint32_t kinds, struct lcx_error **err)
{
	char path[4096];
	int result = 0;

	for (int i = 0; i < 8; i++) {
		int r;

		if (!(kinds & 1u << i))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", directory, lcx_ns_name(1 << i));
		r = lcx_ns_unpin(path, err && *err ? NULL : err);
		if (r < 0)
			result = r;
	}
	return result;
}

static int pin(const char *directory, char *words, const char *map_text, struct lcx_error **err)
{
	struct lcx_idmap *map = NULL;
	struct lcx_ns_set *set = NULL;
	uint32_t kinds = 0;
	int r = 0;

	for (char *word = strtok(words, ","); word; word = strtok(NULL, ",")) {
		enum lcx_ns_kind kind;

		if (lcx_ns_parse(word, &kind) < 0) {
			fprintf(stderr, "ns: there is no kind '%s'\n", word);
			return 1;
		}
		kinds |= kind;
	}
	if (map_text)
		r = read_map(map_text, &map, err);
	if (r == 0)
		r = lcx_ns_create(kinds, map, &set, err);
	for (int i = 0; i < 8 && r == 0; i++)
		if (kinds & 1u << i) {
			r = pin_one(directory, 1 << i, lcx_ns_set_fd(set, 1 << i), err);
			if (r < 0)
				(void)unpin(directory, kinds & ((1u << i) - 1), NULL);
		}
	lcx_ns_set_free(set);
	lcx_idmap_free(map);
	return r;
}

static int pin_time(const char *directory, const char *seconds, struct lcx_error **err)
{
	int64_t ns = strtoll(seconds, NULL, 10) * 1000000000;
	int fd = lcx_ns_create_time(ns, ns, err), r;

	if (fd < 0)
		return fd;
	r = pin_one(directory, LCX_NS_TIME, fd, err);
	close(fd);
	return r;
}

static int unpin_all(const char *directory, struct lcx_error **err)
{
	uint32_t kinds = 0;
	char path[4096];

	for (int i = 0; i < 8; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", directory, lcx_ns_name(1 << i));
		if (access(path, F_OK) == 0)
			kinds |= 1u << i;
	}
	return unpin(directory, kinds, err);
}

static int bind(const char *source, const char *target, const char *map_text,
		struct lcx_error **err)
{
	struct lcx_idmap *map = NULL;
	struct lcx_ns_set *set = NULL;
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, source, TREE_CLONE | O_CLOEXEC);
	int r;

	if (tree < 0) {
		fprintf(stderr, "ns: open '%s': %s\n", source, strerror(errno));
		return 1;
	}
	r = read_map(map_text, &map, err);
	if (r == 0)
		r = lcx_ns_create(LCX_NS_USER, map, &set, err);
	if (r == 0)
		r = lcx_idmap_mount(tree, lcx_ns_set_fd(set, LCX_NS_USER), 0, err);
	if (r == 0 &&
	    syscall(SYS_move_mount, tree, "", AT_FDCWD, target, MOVE_FROM_EMPTY_PATH) < 0) {
		fprintf(stderr, "ns: mount on '%s': %s\n", target, strerror(errno));
		r = 1;
	}
	close(tree);
	lcx_ns_set_free(set);
	lcx_idmap_free(map);
	return r;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	struct lcx_error *err = NULL;
	int r;

	if (strcmp(verb, "list") == 0 && argc <= 3)
		r = list(argc == 3 ? atoi(argv[2]) : 0, &err);
	else if (strcmp(verb, "pin") == 0 && (argc == 4 || argc == 5))
		r = pin(argv[2], argv[3], argv[4], &err);
	else if (strcmp(verb, "pin-time") == 0 && argc == 4)
		r = pin_time(argv[2], argv[3], &err);
	else if (strcmp(verb, "unpin") == 0 && argc == 3)
		r = unpin_all(argv[2], &err);
	else if (strcmp(verb, "bind") == 0 && argc == 5)
		r = bind(argv[2], argv[3], argv[4], &err);
	else {
		fputs("usage: ns list [PID] | pin DIRECTORY KINDS [MAP] | pin-time DIRECTORY "
		      "SECONDS\n"
		      "          | unpin DIRECTORY | bind SOURCE TARGET MAP\n",
		      stderr);
		return 2;
	}
	if (r < 0)
		fprintf(stderr, "ns: %s\n", lcx_error_message(err));
	lcx_error_free(err);
	return r != 0;
}
