/* SPDX-License-Identifier: MIT */
/*
 * Docker's config.json, as far as it is about credentials:
 *
 *	{ "auths":       { SERVER: { "auth": base64("user:password"), "identitytoken": TOKEN } },
 *	  "credHelpers": { SERVER: NAME },
 *	  "credsStore":  NAME }
 *
 * The file belongs to other programs as well, so what is in it besides is none of our business.
 * What is about credentials must be right, though: to go on without them would end in a puzzle.
 *
 * A server is written as "host:port", as a URL (Docker's own is https://index.docker.io/v1/), or,
 *by podman, as "host:port/path" for the repositories below that path.
 */
#include <errno.h>
#include <string.h>

#include "image/credentials.h"
#include "image/crypto.h"
#include "image/document.h"
#include "image/image.h"
#include "util/fs.h"
#include "util/str.h"

struct lcx__authfile {
	char *path;
	struct json_object *auths, *helpers; /* borrowed from root; NULL if absent */
	const char *store;
	struct json_object *root;
};

LCX_PUBLIC char *lcx_image_default_auth_file(void)
{
	const char *dir = secure_getenv("DOCKER_CONFIG"), *home = secure_getenv("HOME");

	if (dir && dir[0])
		return lcx__format("%s/config.json", dir);
	return home && home[0] == '/' ? lcx__format("%s/.docker/config.json", home) : NULL;
}

struct lcx__authfile *lcx__authfile_free(struct lcx__authfile *file)
{
	if (file) {
		json_object_put(file->root);
		free(file->path);
		free(file);
	}
	return NULL;
}

int lcx__authfile_parse(const char *path, const char *text, size_t length,
			struct lcx__authfile **ret, struct lcx_error **err)
{
	CLEANUP(lcx__authfile_freep) struct lcx__authfile *file = calloc(1, sizeof(*file));
	int r;

	if (!file || !(file->path = strdup(path)))
		return lcx__fail_nomem(err);
	r = lcx__doc_parse(text, length, "credentials", &file->root, err);
	if (r == 0)
		r = lcx__doc_object(file->root, "auths", &file->auths, err);
	if (r == 0)
		r = lcx__doc_object(file->root, "credHelpers", &file->helpers, err);
	if (r == 0)
		r = lcx__doc_string(file->root, "credsStore", &file->store, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "'%s'", path);
	*ret = TAKE_PTR(file);
	return 0;
}

int lcx__authfile_load(const char *path, struct lcx__authfile **ret, struct lcx_error **err)
{
	CLEANUP(lcx__secret_freep) char *text = NULL;
	/* Some keep all such files elsewhere, and a link here. */
	CLEANUP(freep) char *real = realpath(path, NULL);
	size_t length;
	int r = real ? lcx__read_file(AT_FDCWD, real, LCX__AUTHFILE_MAX, &text, &length) : -errno;

	if (r < 0)
		return lcx__fail_sys(err, -r, "credentials '%s'", path);
	return lcx__authfile_parse(path, text, length, ret, err);
}

const char *lcx__authfile_key(const char *registry)
{
	return strcmp(registry, "docker.io") == 0 ? "https://index.docker.io/v1/" : registry;
}

/* "https://HOST/v1/" to "HOST": the length of what counts, from *@at on. */
static size_t bare(const char **at)
{
	static const char *const schemes[] = {"https://", "http://"};
	static const char *const endings[] = {"/", "/v1", "/v2"};
	size_t length;

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strncmp(*at, schemes[i], strlen(schemes[i])) == 0)
			*at += strlen(schemes[i]);
	length = strlen(*at);
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t n = strlen(endings[i]);

		if (length > n && strncmp(*at + length - n, endings[i], n) == 0)
			length -= n;
	}
	return length;
}

/* How much of "HOST/PATH" is named by @key, in characters; 0 if it is for something else. */
static size_t fit(const char *key, const char *registry, const char *path)
{
	bool docker_hub = strcmp(registry, "docker.io") == 0;
	size_t host = strlen(registry), length = bare(&key);

	if (docker_hub && length == strlen("index.docker.io") &&
	    strncmp(key, "index.docker.io", length) == 0)
		return host;
	if (length < host || strncmp(key, registry, host) != 0)
		return 0;
	if (length == host)
		return host;
	key += host;
	length -= host;
	if (!path || *key++ != '/' || strncmp(path, key, --length) != 0)
		return 0;
	return path[length] == '\0' || path[length] == '/' ? host + 1 + length : 0;
}

char *lcx__authfile_bare(const char *key)
{
	size_t length = bare(&key);

	return strndup(key, length);
}

bool lcx__authfile_names(const char *key, const char *registry)
{
	return fit(key, registry, NULL) > 0;
}

const char *lcx__authfile_helper(const struct lcx__authfile *file, const char *registry)
{
	if (file->helpers) {
		json_object_object_foreach (file->helpers, key, value)
			if (fit(key, registry, NULL) > 0 &&
			    json_object_is_type(value, json_type_string))
				return json_object_get_string(value);
	}
	return file->store && file->store[0] ? file->store : NULL;
}

/* *@ret is NULL if it isn't base64 of a text. */
static int decode(const char *encoded, char **ret, struct lcx_error **err)
{
	size_t length = strlen(encoded);
	struct lcx__crypto crypto;
	CLEANUP(lcx__secret_freep) char *text = calloc(1, length / 4 * 3 + 4);
	int n, r;

	if (!text)
		return lcx__fail_nomem(err);
	if (length % 4 != 0 || length > LCX__AUTHFILE_MAX)
		return 0;
	r = lcx__crypto_load(&crypto, err);
	if (r < 0)
		return r;
	n = crypto.EVP_DecodeBlock((unsigned char *)text, (const unsigned char *)encoded,
				   (int)length);
	/* It counts the bytes that padding stands for, which are zero. */
	if (n > 0 && strlen(text) + 2 >= (size_t)n)
		*ret = TAKE_PTR(text);
	return 0;
}

static int read_entry(struct json_object *entry, const char *key, struct lcx__credentials *ret,
		      struct lcx_error **err)
{
	const char *auth = NULL, *token = NULL;
	CLEANUP(lcx__secret_freep) char *pair = NULL;
	char *colon;
	int r = lcx__doc_string(entry, "auth", &auth, err);

	if (r == 0)
		r = lcx__doc_string(entry, "identitytoken", &token, err);
	if (r < 0)
		return r;
	if (token && token[0]) {
		ret->identity_token = strdup(token);
		return ret->identity_token ? 0 : lcx__fail_nomem(err);
	}
	if (!auth || !auth[0])
		return 0;
	r = decode(auth, &pair, err);
	if (r < 0)
		return r;
	colon = pair ? strchr(pair, ':') : NULL;
	if (!colon)
		return lcx__fail(err, EBADMSG,
				 "\"auth\" of \"%.200s\" is not base64 of \"user:password\"", key);
	*colon = '\0';
	ret->user = strdup(pair);
	ret->password = strdup(colon + 1);
	explicit_bzero(colon + 1, strlen(colon + 1));
	return ret->user && ret->password ? 0 : lcx__fail_nomem(err);
}

int lcx__authfile_find(const struct lcx__authfile *file, const char *registry, const char *path,
		       struct lcx__credentials *ret, struct lcx_error **err)
{
	struct json_object *best = NULL;
	const char *best_key = NULL;
	size_t best_fit = 0;
	int r;

	if (!file->auths)
		return 0;
	json_object_object_foreach (file->auths, key, value) {
		size_t n = fit(key, registry, path);

		if (n > best_fit) {
			best_fit = n;
			best = value;
			best_key = key;
		}
	}
	if (best_fit == 0)
		return 0;
	r = json_object_is_type(best, json_type_object)
		    ? read_entry(best, best_key, ret, err)
		    : lcx__fail(err, EBADMSG, "\"%.200s\" is not an object", best_key);
	return r < 0 ? lcx__fail_prefix(err, r, "'%s'", file->path) : 0;
}
