/* SPDX-License-Identifier: MIT */
/*
 * reference = [ registry "/" ] path [ ":" tag ] [ "@" digest ]
 *
 * The first component is a registry if it has a dot, a colon, a bracket or an
 * upper-case letter, or is "localhost"; else the registry is docker.io, where a
 * path of one component lies below "library/".
 */
#include "image/reference.h"

#include <errno.h>
#include <string.h>

#include "util/str.h"

#define DIGITS "0123456789"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

enum { NAME_MAX_LENGTH = 255, TAG_MAX_LENGTH = 128 };

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static bool port_is_valid(const char *text)
{
	uint64_t port;

	return strlen(text) <= 5 && lcx__parse_u64(text, 65535, &port) == 0 && port > 0;
}

/* Labels of letters, digits and inner hyphens, with single dots between them. */
static bool host_is_valid(const char *host, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool edge = i == 0 || i + 1 == length || host[i - 1] == '.' || host[i + 1] == '.';

		if (is_one_of(host[i], LOWER UPPER DIGITS))
			continue;
		if (edge || !is_one_of(host[i], "-."))
			return false;
	}
	return length > 0;
}

bool lcx__registry_name_is_valid(const char *registry)
{
	const char *port;
	size_t length;

	if (registry[0] == '[') {
		length = strspn(registry + 1, DIGITS "abcdefABCDEF:.");
		port = registry + 1 + length;
		if (length < 2 || *port++ != ']')
			return false;
	} else {
		length = strcspn(registry, ":");
		port = registry + length;
		if (!host_is_valid(registry, length))
			return false;
	}
	return *port == '\0' || (*port == ':' && port_is_valid(port + 1));
}

/* Between runs of [a-z0-9]: one dot, one or two underscores, or any number of hyphens. */
static bool path_is_valid(const char *path)
{
	static const char alphanumeric[] = LOWER DIGITS;

	for (;;) {
		size_t n = strspn(path, alphanumeric);

		if (n == 0)
			return false;
		path += n;
		if (*path == '\0')
			return true;
		if (*path == '.' || *path == '/')
			path++;
		else if (*path == '_')
			path += path[1] == '_' ? 2 : 1;
		else if (*path == '-')
			path += strspn(path, "-");
		else
			return false;
	}
}

static bool tag_is_valid(const char *tag)
{
	size_t length = strspn(tag, LOWER UPPER DIGITS "_.-");

	return length > 0 && length <= TAG_MAX_LENGTH && tag[length] == '\0' &&
	       !is_one_of(tag[0], ".-");
}

static bool names_a_registry(const char *component)
{
	return strpbrk(component, ".:[" UPPER) != NULL || strcmp(component, "localhost") == 0;
}

/* Cut "registry/" off the front of @name, or fill in the default. */
static int split_registry(char *name, const char *preset, struct lcx__reference *ref)
{
	char *slash = strchr(name, '/');
	const char *path = name;

	if (slash) {
		*slash = '\0';
		if (names_a_registry(name)) {
			path = slash + 1;
			ref->registry =
				strdup(strcmp(name, "index.docker.io") == 0 ? "docker.io" : name);
		} else {
			*slash = '/';
		}
	}
	if (!ref->registry && path == name)
		ref->registry = strdup(preset ? preset : "docker.io");
	if (!ref->registry)
		return -ENOMEM;

	ref->path = strcmp(ref->registry, "docker.io") == 0 && !strchr(path, '/')
			    ? lcx__format("library/%s", path)
			    : strdup(path);
	return ref->path ? 0 : -ENOMEM;
}

/* Cut "@digest" and ":tag" off the end of @name. A colon before the last slash belongs to a port.
 */
static int split_target(char *name, const char *text, struct lcx__reference *ref,
			struct lcx_error **err)
{
	char *at = strchr(name, '@'), *slash, *colon;

	if (at) {
		*at = '\0';
		if (lcx__digest_parse(at + 1, &ref->digest) < 0)
			return lcx__fail(
				err, EINVAL,
				"reference '%.300s': '%.200s' is not a digest; it should be "
				"sha256: and 64 digits 0-9a-f",
				text, at + 1);
	}
	slash = strrchr(name, '/');
	colon = strrchr(name, ':');
	if (colon && (!slash || colon > slash)) {
		*colon = '\0';
		if (!tag_is_valid(colon + 1))
			return lcx__fail(err, EINVAL,
					 "reference '%.300s': '%.200s' is not a tag; it should be "
					 "1 to 128 of A-Za-z0-9_.-",
					 text, colon + 1);
		ref->tag = strdup(colon + 1);
	} else if (!at) {
		ref->tag = strdup("latest");
	}
	return !ref->tag && !at ? lcx__fail_nomem(err) : 0;
}

static bool looks_like_an_id(const char *text)
{
	return strlen(text) == 64 && strspn(text, DIGITS "abcdef") == 64;
}

int lcx__reference_parse(const char *text, struct lcx__reference **ret, struct lcx_error **err)
{
	return lcx__reference_parse_in(text, NULL, ret, err);
}

int lcx__reference_parse_in(const char *text, const char *registry, struct lcx__reference **ret,
			    struct lcx_error **err)
{
	CLEANUP(lcx__reference_freep) struct lcx__reference *ref = calloc(1, sizeof(*ref));
	CLEANUP(freep) char *name = NULL;
	int r;

	if (!text || text[0] == '\0')
		return lcx__fail(err, EINVAL, "the reference is empty; try 'debian:bookworm'");
	name = strdup(text);
	if (!ref || !name)
		return lcx__fail_nomem(err);

	r = split_target(name, text, ref, err);
	if (r < 0)
		return r;
	if (looks_like_an_id(name))
		return lcx__fail(err, EINVAL, "reference '%.300s': 64 hexadecimal digits are an id",
				 text);
	if (split_registry(name, registry, ref) < 0)
		return lcx__fail_nomem(err);

	if (!lcx__registry_name_is_valid(ref->registry))
		return lcx__fail(err, EINVAL, "reference '%.300s': '%.200s' is not a host[:port]",
				 text, ref->registry);
	if (!path_is_valid(ref->path))
		return lcx__fail(
			err, EINVAL,
			"reference '%.300s': the name must be lower-case letters and digits "
			"with single . _ - / between them",
			text);
	if (strlen(ref->registry) + 1 + strlen(ref->path) > NAME_MAX_LENGTH)
		return lcx__fail(err, EINVAL, "reference '%.300s': longer than %d characters", text,
				 NAME_MAX_LENGTH);
	*ret = TAKE_PTR(ref);
	return 0;
}

struct lcx__reference *lcx__reference_free(struct lcx__reference *ref)
{
	if (ref) {
		free(ref->registry);
		free(ref->path);
		free(ref->tag);
		free(ref);
	}
	return NULL;
}

char *lcx__reference_format(const struct lcx__reference *ref)
{
	if (ref->digest.text[0] != '\0')
		return lcx__format("%s/%s@%s", ref->registry, ref->path, ref->digest.text);
	return lcx__format("%s/%s:%s", ref->registry, ref->path, ref->tag);
}

const char *lcx__reference_target(const struct lcx__reference *ref)
{
	return ref->digest.text[0] != '\0' ? ref->digest.text : ref->tag;
}
