/* SPDX-License-Identifier: MIT */
#include "container/checkpoint/checkpoint.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "util/fs.h"
#include "util/json.h"
#include "util/mountinfo.h"

/* criu's names: inherit_fd of criu(8), "INHERIT FDs", and its "External files", "External TTYs". */

enum { N_STREAMS = 3, FILE_LIMIT = 4096, TEXT_LIMIT = 1 << 20 };
#define FILE_NAME "descriptors.json"
#define NULL_WORD "null:" /* before the name of a /dev/null of the host's: it is that again */

void lcx__stream_names_clear(struct lcx__stream_names *names)
{
	for (int i = 0; i < N_STREAMS; i++)
		free(TAKE_PTR(names->names[i]));
}

static int mount_of(int64_t pid, int fd, unsigned long long *ret)
{
	CLEANUP(freep) char *text = NULL;
	char path[64];
	const char *line;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%lld/fdinfo/%d", (long long)pid, fd);
	r = lcx__read_file(AT_FDCWD, path, TEXT_LIMIT, &text, NULL);
	line = r < 0 ? NULL : strstr(text, "mnt_id:");
	return line && sscanf(line, "mnt_id: %llu", ret) == 1 ? 0 : -ENOENT;
}

/* It is on a mount of the container's own. */
static bool is_inside(int64_t pid, unsigned long long mount)
{
	CLEANUP(freep) char *text = NULL;
	struct lcx__mount_line line;
	char path[64], *rest;

	(void)snprintf(path, sizeof(path), "/proc/%lld/mountinfo", (long long)pid);
	if (lcx__read_file(AT_FDCWD, path, 16 << 20, &text, NULL) < 0)
		return false;
	rest = text;
	while (lcx__mountinfo_next(&rest, &line))
		if (line.id == mount)
			return true;
	return false;
}

static char *name_of_file(int64_t pid, int fd, const char *path)
{
	unsigned long long mount;
	struct stat st;

	if (stat(path, &st) < 0 || mount_of(pid, fd, &mount) < 0 || is_inside(pid, mount))
		return strdup("");
	/* Slaves of pseudo terminals: linux/major.h. */
	if (S_ISCHR(st.st_mode) && (st.st_rdev >> 8 & 0xfff) >= 136 &&
	    (st.st_rdev >> 8 & 0xfff) <= 143)
		return lcx__format("tty[%llx:%llx]", (unsigned long long)st.st_rdev,
				   (unsigned long long)st.st_dev);
	return lcx__format("%sfile[%llx:%llx]",
			   S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3) ? NULL_WORD : "",
			   mount, (unsigned long long)st.st_ino);
}

bool lcx__stream_is_null(const char *name)
{
	return strncmp(name, NULL_WORD, strlen(NULL_WORD)) == 0;
}

const char *lcx__stream_name(const char *name)
{
	return lcx__stream_is_null(name) ? name + strlen(NULL_WORD) : name;
}

static char *name_of(int64_t pid, int fd)
{
	char path[64], target[256];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%lld/fd/%d", (long long)pid, fd);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	if (strncmp(target, "pipe:[", 6) == 0)
		return strdup(target);
	return target[0] == '/' ? name_of_file(pid, fd, path) : strdup("");
}

int lcx__checkpoint_find_streams(const struct lcx_container *c, struct lcx__stream_names *ret,
				 struct lcx_error **err)
{
	for (int i = 0; i < N_STREAMS; i++) {
		ret->names[i] = name_of(c->run.pid.value, i);
		if (!ret->names[i])
			return lcx__fail_nomem(err);
	}
	return 0;
}

int lcx__checkpoint_save_streams(const struct lcx__stream_names *names, int dir_fd,
				 struct lcx_error **err)
{
	CLEANUP(lcx__json_putp) struct json_object *array = json_object_new_array();
	const char *text;
	int r = array ? 0 : -ENOMEM;

	for (int i = 0; r == 0 && i < N_STREAMS; i++) {
		struct json_object *name = json_object_new_string(names->names[i]);

		if (!name || json_object_array_add(array, name) < 0) {
			json_object_put(name);
			r = -ENOMEM;
		}
	}
	text = r == 0 ? json_object_to_json_string_ext(array, JSON_C_TO_STRING_PLAIN) : NULL;
	if (!text)
		return lcx__fail_nomem(err);
	r = lcx__replace_file(dir_fd, FILE_NAME, text, strlen(text), 0600, false);
	return r < 0 ? lcx__fail_sys(err, -r, "write '" FILE_NAME "'") : 0;
}

/* Those of other runtimes name also what comes from inside. */
static bool is_outside(const char *name)
{
	name = lcx__stream_name(name);
	return strncmp(name, "pipe:[", 6) == 0 || strncmp(name, "file[", 5) == 0 ||
	       strncmp(name, "tty[", 4) == 0;
}

static int take_names(struct json_object *array, struct lcx__stream_names *ret)
{
	if (!json_object_is_type(array, json_type_array) ||
	    json_object_array_length(array) != N_STREAMS)
		return -EBADMSG;
	for (size_t i = 0; i < N_STREAMS; i++) {
		struct json_object *name = json_object_array_get_idx(array, i);

		if (!lcx__json_is_text(name))
			return -EBADMSG;
		ret->names[i] = strdup(is_outside(json_object_get_string(name))
					       ? json_object_get_string(name)
					       : "");
		if (!ret->names[i])
			return -ENOMEM;
	}
	return 0;
}

int lcx__checkpoint_load_streams(int dir_fd, struct lcx__stream_names *ret, struct lcx_error **err)
{
	CLEANUP(lcx__json_putp) struct json_object *array = NULL;
	int r = lcx__json_load(dir_fd, FILE_NAME, FILE_LIMIT, &array, err);

	if (r == -ENOENT)
		return lcx__fail(err, ENOENT,
				 "the image path has no '" FILE_NAME "': it is no checkpoint of a "
				 "container's, or not a whole one");
	if (r < 0)
		return r;
	r = take_names(array, ret);
	return r < 0 ? lcx__fail(err, -r, "'" FILE_NAME "' does not name three streams") : 0;
}
