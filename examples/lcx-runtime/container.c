/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime.h"

enum { DOCUMENT_LIMIT = 4 << 20 };

/* Where containers are kept that no --root names: nothing of it survives a restart. */
static char *default_root(void)
{
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
	char *path = NULL;

	if (geteuid() != 0 && runtime_dir && runtime_dir[0] == '/')
		return asprintf(&path, "%s/lcx-runtime", runtime_dir) < 0 ? NULL : path;
	return strdup("/run/lcx-runtime");
}

int open_root(struct runtime *rt)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *root = NULL, *run = NULL;

	if (rt->ctx)
		return 0;
	root = rt->root ? strdup(rt->root) : default_root();
	if (!root || asprintf(&run, "%s/run", root) < 0)
		return report(rt, "out of memory");
	if (lcx_ctx_open(root, run, &rt->ctx, &err) < 0)
		return report_error(rt, err);
	rt->root_path = realpath(root, NULL);
	return rt->root_path ? 0 : report(rt, "'%s': %s", root, strerror(errno));
}

int open_container(struct runtime *rt, const char *id, struct lcx_container **ret)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	if (open_root(rt) != 0)
		return 1;
	if (lcx_bundle_open(rt->ctx, id, ret, &err) < 0)
		return report_error(rt, err);
	return 0;
}

int read_document(const struct runtime *rt, const char *path, char **ret, size_t *ret_length)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	CLEANUP(freep) char *text = malloc(DOCUMENT_LIMIT);
	size_t length;
	int code;

	if (!file || !text)
		return report(rt, "'%s': %s", path, strerror(errno));
	length = fread(text, 1, DOCUMENT_LIMIT, file);
	code = ferror(file) ? errno : length == DOCUMENT_LIMIT ? E2BIG : 0;
	if (file != stdin)
		(void)fclose(file);
	if (code != 0)
		return report(rt, "'%s': %s", path, strerror(code));
	*ret = text;
	*ret_length = length;
	text = NULL;
	return 0;
}
