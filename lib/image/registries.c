/* SPDX-License-Identifier: MIT */
#include "image/registries.h"

#include <errno.h>
#include <string.h>

#include "image/image.h"
#include "util/fs.h"
#include "util/json.h"

enum { FILE_MAX = 64 << 10 };

struct host {
	char *name;
	struct lcx__opt_bool plain_http;
	char *ca_file, *client_certificate, *client_key;
	char **mirrors;
};

struct lcx__registries {
	char *default_registry;
	LCX__LIST(struct host) hosts;
};

static int check_name(const char *name, struct lcx_error **err)
{
	return lcx__registry_name_is_valid(name)
		       ? 0
		       : lcx__fail(err, EINVAL, "'%.200s' is not a host[:port]", name);
}

/* A relative path would mean something else in every program. */
static int check_path(const char *path, struct lcx_error **err)
{
	return path[0] == '/' ? 0 : lcx__fail(err, EINVAL, "'%.200s' is not absolute", path);
}

static int finish_host(void *object, struct lcx_error **err)
{
	const struct host *host = object;

	if (!host->client_certificate != !host->client_key)
		return lcx__fail(err, EINVAL, "client-certificate and client-key go together");
	return 0;
}

static const struct lcx__json_field host_fields[] = {
	{"plain-http", AS_BOOL(struct host, plain_http)},
	{"ca-file", AS_STRING(struct host, ca_file), .check = check_path},
	{"client-certificate", AS_STRING(struct host, client_certificate), .check = check_path},
	{"client-key", AS_STRING(struct host, client_key), .check = check_path},
	{"mirrors", AS_STRINGS(struct host, mirrors), .check = check_name},
	{0},
};

static const struct lcx__json_field fields[] = {
	{"default-registry", AS_STRING(struct lcx__registries, default_registry),
	 .check = check_name},
	{"registries", AS_MAP(struct lcx__registries, hosts), .fields = host_fields,
	 .check = check_name, .finish = finish_host},
	{0},
};

struct lcx__registries *lcx__registries_free(struct lcx__registries *conf)
{
	if (conf) {
		lcx__json_release(fields, conf);
		free(conf);
	}
	return NULL;
}

int lcx__registries_parse(const char *text, size_t length, struct lcx__registries **ret,
			  struct lcx_error **err)
{
	CLEANUP(lcx__registries_freep) struct lcx__registries *conf = calloc(1, sizeof(*conf));
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	CLEANUP(lcx__strv_freep) char **warnings = NULL;
	int r;

	if (!conf)
		return lcx__fail_nomem(err);
	r = lcx__json_parse(text, length, FILE_MAX, &json, err);
	if (r == 0)
		r = lcx__json_read(fields, json, conf, &warnings, err);
	/* What isn't known here may be what keeps somebody's credentials from the wrong host. */
	if (r == 0 && warnings && warnings[0])
		r = lcx__fail(err, EINVAL, "%s", warnings[0]);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(conf);
	return 0;
}

int lcx__registries_load(const struct lcx_ctx *ctx, struct lcx__registries **ret,
			 struct lcx_error **err)
{
	const char *path = ctx->registries_file ? ctx->registries_file : LCX__REGISTRIES_FILE;
	CLEANUP(freep) char *text = NULL;
	size_t length;
	int r;

	r = lcx__read_file(AT_FDCWD, path, FILE_MAX, &text, &length);
	if (r == -ENOENT && !ctx->registries_file) {
		*ret = calloc(1, sizeof(**ret));
		return *ret ? 0 : lcx__fail_nomem(err);
	}
	if (r < 0)
		return lcx__fail_sys(err, -r, "registries '%s'", path);
	r = lcx__registries_parse(text, length, ret, err);
	return r < 0 ? lcx__fail_prefix(err, r, "registries '%s'", path) : 0;
}

int lcx__registries_read_name(const struct lcx__registries *conf, const char *text,
			      struct lcx__reference **ret, struct lcx_error **err)
{
	return lcx__reference_parse_in(text, conf->default_registry, ret, err);
}

const char *lcx__registries_default(const struct lcx__registries *conf)
{
	return conf->default_registry ? conf->default_registry : "docker.io";
}

int lcx__reference_read(const struct lcx_ctx *ctx, const char *text, struct lcx__reference **ret,
			struct lcx_error **err)
{
	CLEANUP(lcx__registries_freep) struct lcx__registries *conf = NULL;
	int r = lcx__registries_load(ctx, &conf, err);

	return r < 0 ? r : lcx__registries_read_name(conf, text, ret, err);
}

static const struct host *find(const struct lcx__registries *conf, const char *registry)
{
	for (size_t i = 0; i < conf->hosts.n; i++)
		if (strcmp(conf->hosts.items[i].name, registry) == 0)
			return &conf->hosts.items[i];
	return NULL;
}

char *const *lcx__registries_mirrors(const struct lcx__registries *conf, const char *registry)
{
	const struct host *host = find(conf, registry);

	return host ? host->mirrors : NULL;
}

static int fill(char **field, const char *value)
{
	if (*field || !value)
		return 0;
	*field = strdup(value);
	return *field ? 0 : -ENOMEM;
}

int lcx__registries_apply(const struct lcx__registries *conf, const char *registry,
			  struct lcx__settings *settings)
{
	const struct host *host = find(conf, registry);

	if (!host)
		return 0;
	settings->plain_http |= host->plain_http.set && host->plain_http.value;
	/* A certificate of one and a key of another would be no pair. */
	if (!settings->client_cert_file &&
	    (fill(&settings->client_cert_file, host->client_certificate) < 0 ||
	     fill(&settings->client_key_file, host->client_key) < 0))
		return -ENOMEM;
	return fill(&settings->ca_file, host->ca_file);
}

LCX_PUBLIC int lcx_image_set_registries_file(struct lcx_ctx *ctx, const char *path,
					     struct lcx_error **err)
{
	CLEANUP(lcx__registries_freep) struct lcx__registries *conf = NULL;
	CLEANUP(freep) char *copy = path ? strdup(path) : NULL;
	char *old = ctx->registries_file;
	int r;

	if (path && !copy)
		return lcx__fail_nomem(err);
	if (path && path[0] != '/')
		return lcx__fail(err, EINVAL, "registries file '%s': not absolute", path);
	ctx->registries_file = copy;
	r = lcx__registries_load(ctx, &conf, err);
	if (r < 0) {
		ctx->registries_file = old;
		return r;
	}
	copy = old;
	return 0;
}
