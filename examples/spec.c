/* SPDX-License-Identifier: MIT */

/*
 * lib/spec on its own: the description of a container as a file.
 *
 *     spec new [OPTION=VALUE]... -- PROGRAM [ARGUMENT]...   write a config.json to standard output
 *     spec check FILE                                      read one, and say what is wrong with it
 *
 * OPTIONs: root, hostname, user (UID:GID), env (NAME=VALUE), cwd, memory (bytes), pids, cap-add,
 * cap-drop, bind (SOURCE:DESTINATION), tmpfs, readonly (0 or 1), privileged (0 or 1). What is
 * written runs with any runtime of the OCI: `spec new root=rootfs -- /bin/sh >config.json`.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lcx/spec.h>
#include <lcx/version.h>

enum { MAX_SIZE = 4 << 20 };

static int set_user(struct lcx_spec *spec, const char *value, struct lcx_error **err)
{
	unsigned int uid, gid;
	int used = 0;

	if (sscanf(value, "%u:%u%n", &uid, &gid, &used) != 2 || value[used] != '\0') {
		fprintf(stderr, "spec: user: must be UID:GID, not '%s'\n", value);
		return -EINVAL;
	}
	return lcx_spec_set_user(spec, uid, gid, err);
}

static int set_memory(struct lcx_spec *spec, const char *value, struct lcx_error **err)
{
	return lcx_spec_set_memory_limit(spec, atoll(value), err);
}

static int set_pids(struct lcx_spec *spec, const char *value, struct lcx_error **err)
{
	return lcx_spec_set_pids_limit(spec, atoll(value), err);
}

static int set_readonly(struct lcx_spec *spec, const char *value, struct lcx_error **err)
{
	return lcx_spec_set_root_readonly(spec, atoi(value), err);
}

static int set_privileged(struct lcx_spec *spec, const char *value, struct lcx_error **err)
{
	return atoi(value) ? lcx_spec_set_privileged(spec, err) : 0;
}

static int add_bind(struct lcx_spec *spec, const char *value, struct lcx_error **err)
{
	const char *colon = strchr(value, ':');
	char *source;
	int r;

	if (!colon) {
		fprintf(stderr, "spec: bind: must be SOURCE:DESTINATION, not '%s'\n", value);
		return -EINVAL;
	}
	source = strndup(value, (size_t)(colon - value));
	if (!source)
		return -ENOMEM;
	r = lcx_spec_add_bind(spec, source, colon + 1, 0, err);
	free(source);
	return r;
}

static int add_tmpfs(struct lcx_spec *spec, const char *value, struct lcx_error **err)
{
	return lcx_spec_add_tmpfs(spec, value, 0, err);
}

static const struct {
	const char *name;
	int (*set)(struct lcx_spec *spec, const char *value, struct lcx_error **err);
} options[] = {
	{"root", lcx_spec_set_root},
	{"hostname", lcx_spec_set_hostname},
	{"user", set_user},
	{"env", lcx_spec_add_env},
	{"cwd", lcx_spec_set_cwd},
	{"memory", set_memory},
	{"pids", set_pids},
	{"cap-add", lcx_spec_add_capability},
	{"cap-drop", lcx_spec_drop_capability},
	{"bind", add_bind},
	{"tmpfs", add_tmpfs},
	{"readonly", set_readonly},
	{"privileged", set_privileged},
};

static int set_option(struct lcx_spec *spec, const char *text, struct lcx_error **err)
{
	size_t length = strcspn(text, "=");

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (text[length] == '=' && strlen(options[i].name) == length &&
		    strncmp(options[i].name, text, length) == 0)
			return options[i].set(spec, text + length + 1, err);
	fprintf(stderr, "spec: unknown option '%s'\n", text);
	return -EINVAL;
}

static int write_new(char **argv, struct lcx_error **err)
{
	struct lcx_spec *spec = NULL;
	char *text = NULL;
	int r = lcx_spec_new(&spec, err);

	for (; r == 0 && *argv && strcmp(*argv, "--") != 0; argv++)
		r = set_option(spec, *argv, err);
	if (r == 0 && *argv)
		r = lcx_spec_set_args(spec, (const char *const *)argv + 1, err);
	if (r == 0)
		r = lcx_spec_to_json(spec, &text, err);
	if (r == 0)
		printf("%s\n", text);
	lcx_string_free(text);
	lcx_spec_free(spec);
	return r;
}

static int check_text(const char *text, size_t length, struct lcx_error **err)
{
	struct lcx_spec *spec = NULL;
	int r = lcx_spec_from_json(text, length, &spec, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < lcx_spec_n_warnings(spec); i++)
		printf("warning: %s\n", lcx_spec_warning(spec, i));
	r = lcx_spec_check(spec, err);
	if (r == 0)
		printf("good: runs '%s' in '%s'\n",
		       lcx_spec_arg(spec, 0) ? lcx_spec_arg(spec, 0) : "",
		       lcx_spec_root(spec) ? lcx_spec_root(spec) : "");
	lcx_spec_free(spec);
	return r;
}

static int check_file(const char *name, struct lcx_error **err)
{
	FILE *file = fopen(name, "re");
	char *text = malloc(MAX_SIZE + 1);
	size_t length;
	int r = -EIO;

	if (!file) {
		perror(name);
	} else if (text) {
		length = fread(text, 1, MAX_SIZE + 1, file);
		r = check_text(text, length, err);
	}
	if (file)
		fclose(file);
	free(text);
	return r;
}

int main(int argc, char **argv)
{
	struct lcx_error *err = NULL;
	int r = -EINVAL;

	if (argc >= 2 && strcmp(argv[1], "new") == 0)
		r = write_new(argv + 2, &err);
	else if (argc == 3 && strcmp(argv[1], "check") == 0)
		r = check_file(argv[2], &err);
	else
		fputs("usage: spec new [OPTION=VALUE]... -- PROGRAM [ARGUMENT]...\n"
		      "       spec check FILE\n",
		      stderr);
	if (err)
		fprintf(stderr, "spec: %s\n", lcx_error_message(err));
	lcx_error_free(err);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
