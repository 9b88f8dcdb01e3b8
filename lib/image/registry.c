/* SPDX-License-Identifier: MIT */
/* The session with one registry: its address, and the requests that are under way. */
#include <errno.h>
#include <string.h>

#include "image/registry-internal.h"

/* The host to talk to: docker.io's registry lives under another name. */
static const char *host_of(const char *name)
{
	return strcmp(name, "docker.io") == 0 ? "registry-1.docker.io" : name;
}

static int set_origin(struct lcx__registry *registry, struct lcx_error **err)
{
	CLEANUP(freep)
	char *url = lcx__format("%s://%s", registry->settings->plain_http ? "http" : "https",
				host_of(registry->name));

	registry->origin = url ? lcx__url_origin(url) : NULL;
	if (registry->origin)
		return 0;
	return url ? lcx__fail(err, EINVAL, "'%s' can't be the address of a registry", url)
		   : lcx__fail_nomem(err);
}

static int add_scope(struct lcx__registry *registry, const char *path, const char *actions)
{
	CLEANUP(freep) char *scope = lcx__format("repository:%s:%s", path, actions);

	return scope ? lcx__strv_append(&registry->scopes, scope) : -ENOMEM;
}

int lcx__registry_also_pull(struct lcx__registry *registry, const char *path)
{
	return add_scope(registry, path, "pull");
}

int lcx__registry_new(struct lcx__transport *transport, const char *name, const char *path,
		      const char *actions, const struct lcx__settings *settings,
		      struct lcx__registry **ret, struct lcx_error **err)
{
	CLEANUP(lcx__registry_freep) struct lcx__registry *registry = calloc(1, sizeof(*registry));
	int r;

	if (!registry)
		return lcx__fail_nomem(err);
	registry->transport = transport;
	registry->settings = settings;
	registry->name = strdup(name);
	registry->path = path ? strdup(path) : NULL;
	registry->scopes = lcx__strv_copy(NULL);
	if (!registry->name || !registry->path != !path || !registry->scopes ||
	    (path && add_scope(registry, path, actions) < 0))
		return lcx__fail_nomem(err);
	r = set_origin(registry, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(registry);
	return 0;
}

struct lcx__registry *lcx__registry_free(struct lcx__registry *registry)
{
	if (!registry)
		return NULL;
	while (registry->requests)
		(void)lcx__request_free(registry->requests);
	lcx__login_clear(registry);
	free(registry->origin);
	free(registry->name);
	free(registry->path);
	free(registry);
	return NULL;
}

void lcx__registry_move_on(struct lcx__request *request, int64_t now_ns)
{
	if (request->state == LCX__REQUEST_WAIT_RETRY && request->retry_at_ns <= now_ns)
		request->state = LCX__REQUEST_READY;
	if (request->state == LCX__REQUEST_READY)
		(void)lcx__request_begin(request);
	else
		lcx__request_check_stall(request, now_ns);
}

int lcx__registry_dispatch(struct lcx__registry *registry, struct lcx_error **err)
{
	int64_t now_ns = lcx__monotonic_ns();
	CURLcode code;
	CURL *easy;

	/* The transport may be shared: what has ended may belong to another session. */
	while (lcx__transport_next(registry->transport, &easy, &code)) {
		struct lcx__request *request = NULL;

		if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &request) != CURLE_OK || !request)
			return lcx__fail(err, EIO, "curl lost a transfer");
		lcx__request_ended(request, code);
	}
	lcx__login_dispatch(registry, now_ns);
	for (struct lcx__request *r = registry->requests; r; r = r->next)
		lcx__registry_move_on(r, now_ns);
	if (registry->token && registry->token->state == LCX__REQUEST_READY)
		lcx__registry_move_on(registry->token, now_ns);
	return 0;
}

static int64_t deadline_of(const struct lcx__request *request)
{
	switch (request->state) {
	case LCX__REQUEST_READY:
		return 0;
	case LCX__REQUEST_RUNNING:
		return request->progress_ns +
		       (int64_t)request->registry->settings->stall_timeout_ms * 1000000;
	case LCX__REQUEST_WAIT_RETRY:
		return request->retry_at_ns;
	case LCX__REQUEST_WAIT_LOGIN:
	case LCX__REQUEST_DONE:
	case LCX__REQUEST_FAILED:
		break;
	}
	return INT64_MAX;
}

int64_t lcx__registry_deadline_ns(const struct lcx__registry *registry)
{
	int64_t first = registry->token ? deadline_of(registry->token) : INT64_MAX;
	int64_t helper =
		registry->helper ? lcx__credhelper_deadline_ns(registry->helper) : INT64_MAX;

	first = helper < first ? helper : first;
	for (const struct lcx__request *r = registry->requests; r; r = r->next)
		first = deadline_of(r) < first ? deadline_of(r) : first;
	return first;
}
