/* SPDX-License-Identifier: MIT */
/*
 * Change what a credentials file says of one registry. The file belongs to other programs as
 * well: all else in it stays, and whoever reads it meanwhile sees it as it was or as it will be.
 * Ours take turns by a lock on its directory; others have none.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "image/credentials.h"
#include "image/crypto.h"
#include "image/document.h"
#include "util/fs.h"
#include "util/str.h"

struct edit {
	char *path, *name; /* at the end of all links; the name is a part of it */
	int dir_fd;        /* locked */
	struct json_object *root;
};

static void edit_clear(struct edit *edit)
{
	json_object_put(edit->root);
	closep(&edit->dir_fd);
	free(edit->path);
}

/* A file may be a link to where somebody keeps all such files: the link stays. */
static int resolve(const char *path, struct edit *edit, struct lcx_error **err)
{
	char *slash;

	edit->path = realpath(path, NULL);
	if (!edit->path && errno != ENOENT)
		return lcx__fail_sys(err, errno, "credentials '%s'", path);
	if (!edit->path)
		edit->path = strdup(path);
	slash = edit->path ? strrchr(edit->path, '/') : NULL;
	if (!edit->path)
		return lcx__fail_nomem(err);
	if (path[0] != '/' || !slash[1])
		return lcx__fail(err, EINVAL, "credentials '%s': not the absolute path of a file",
				 path);
	edit->name = slash + 1;
	return 0;
}

/* Only the directory itself is made: it is for this file alone, as ".docker" is. */
static int open_dir(struct edit *edit, struct lcx_error **err)
{
	char *slash = edit->name - 1;
	const char *dir;
	int r;

	*slash = '\0';
	dir = edit->path[0] ? edit->path : "/";
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return lcx__fail_sys(err, errno, "make the directory '%s'", dir);
	edit->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = edit->dir_fd < 0 ? -errno : lcx__lock(edit->dir_fd, LOCK_EX);
	if (r < 0)
		return lcx__fail_sys(err, -r, "open the directory '%s'", dir);
	*slash = '/';
	return 0;
}

static int begin(const char *path, struct edit *edit, struct lcx_error **err)
{
	CLEANUP(lcx__secret_freep) char *text = NULL;
	size_t length;
	int r = resolve(path, edit, err);

	if (r == 0)
		r = open_dir(edit, err);
	if (r < 0)
		return r;
	r = lcx__read_file(edit->dir_fd, edit->name, LCX__AUTHFILE_MAX, &text, &length);
	if (r == -ENOENT) {
		edit->root = json_object_new_object();
		return edit->root ? 0 : lcx__fail_nomem(err);
	}
	if (r < 0)
		return lcx__fail_sys(err, -r, "credentials '%s'", path);
	r = lcx__doc_parse(text, length, "credentials", &edit->root, err);
	return r < 0 ? lcx__fail_prefix(err, r, "'%s'", path) : 0;
}

static int commit(const struct edit *edit, struct lcx_error **err)
{
	const char *text = json_object_to_json_string_ext(
		edit->root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_PRETTY_TAB |
				    JSON_C_TO_STRING_NOSLASHESCAPE);
	int r;

	if (!text)
		return lcx__fail_nomem(err);
	r = lcx__replace_file(edit->dir_fd, edit->name, text, strlen(text), 0600, true);
	return r < 0 ? lcx__fail_sys(err, -r, "write the credentials '%s'", edit->path) : 0;
}

/* All names that are the registry's go: an old password must not be found before the new one. */
static bool remove_entries(struct json_object *auths, const char *registry)
{
	bool any = false;

	json_object_object_foreach (auths, key, value) {
		(void)value;
		if (!lcx__authfile_names(key, registry))
			continue;
		any = true;
		json_object_object_del(auths, key);
	}
	return any;
}

static struct json_object *make_entry(const struct lcx__credentials *c)
{
	CLEANUP(lcx__secret_freep) char *auth = c ? lcx__credentials_encode(c) : NULL;
	struct json_object *entry = json_object_new_object(), *text;

	if (!entry || !c)
		return entry;
	text = auth ? json_object_new_string(auth) : NULL;
	if (text && json_object_object_add(entry, "auth", text) == 0)
		return entry;
	json_object_put(text);
	json_object_put(entry);
	return NULL;
}

static int add(struct json_object *object, const char *key, struct json_object *value)
{
	if (value && json_object_object_add(object, key, value) == 0)
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

int lcx__authfile_store(const char *path, const char *registry, const struct lcx__credentials *c,
			struct lcx_error **err)
{
	CLEANUP(edit_clear) struct edit edit = {.dir_fd = -1};
	struct json_object *auths = NULL;
	struct lcx__crypto crypto;
	bool was_there;
	int r = lcx__crypto_load(&crypto, err);

	if (r == 0)
		r = begin(path, &edit, err);
	if (r == 0)
		r = lcx__doc_object(edit.root, "auths", &auths, err);
	if (r < 0)
		return r;
	if (!auths) {
		auths = json_object_new_object();
		if (add(edit.root, "auths", auths) < 0)
			return lcx__fail_nomem(err);
	}
	was_there = remove_entries(auths, registry);
	if (add(auths, lcx__authfile_key(registry), make_entry(c)) < 0)
		return lcx__fail_nomem(err);
	r = commit(&edit, err);
	return r < 0 ? r : was_there;
}

int lcx__authfile_erase(const char *path, const char *registry, struct lcx_error **err)
{
	CLEANUP(edit_clear) struct edit edit = {.dir_fd = -1};
	struct json_object *auths = NULL;
	int r = access(path, F_OK) < 0 && errno == ENOENT ? 1 : begin(path, &edit, err);

	if (r == 1)
		return 0;
	if (r == 0)
		r = lcx__doc_object(edit.root, "auths", &auths, err);
	if (r < 0 || !auths || !remove_entries(auths, registry))
		return r;
	r = commit(&edit, err);
	return r < 0 ? r : 1;
}
