/* SPDX-License-Identifier: MIT */
/*
 * Logging in, as a row of stages: ask the registry whether the credentials are right, then keep
 * them, in the file or with the helper that it names. Logging out is the last stage alone.
 */
#include "lcx/login.h"

#include <errno.h>
#include <string.h>

#include "image/loop.h"
#include "image/registries.h"
#include "image/registry-internal.h"

enum stage { STAGE_NEW, STAGE_ASK, STAGE_KEEP, STAGE_DONE, STAGE_FAILED };

struct lcx_login {
	struct lcx_ctx *ctx;
	struct lcx__registries *conf;
	char *name; /* as references have it */
	struct lcx__settings settings;
	char *auth_file;
	bool erase, was_stored;
	struct lcx__loop loop;

	enum stage stage;
	int result;
	struct lcx__registry *registry;
	struct lcx__request *request;
	struct lcx__credhelper *helper;
	int watched_fd; /* the helper's, that the loop knows */
};

DEFINE_CLEANUP(struct lcx_login *, lcx_login_free)

static void let_go(struct lcx_login *login)
{
	login->helper = lcx__credhelper_free(login->helper);
	login->request = lcx__request_free(login->request);
	login->registry = lcx__registry_free(login->registry);
}

LCX_PUBLIC struct lcx_login *lcx_login_free(struct lcx_login *login)
{
	if (!login)
		return NULL;
	let_go(login);
	lcx__loop_clear(&login->loop);
	lcx__settings_clear(&login->settings);
	(void)lcx__registries_free(login->conf);
	free(login->auth_file);
	free(login->name);
	free(login);
	return NULL;
}

/* "https://host/v1/" is "host" to us, and Docker's own has several names. */
static char *bare_name(const char *text)
{
	static const char *const aliases[] = {"index.docker.io", "registry-1.docker.io"};
	CLEANUP(freep) char *name = lcx__authfile_bare(text);

	for (size_t i = 0; name && i < ARRAY_SIZE(aliases); i++)
		if (strcmp(name, aliases[i]) == 0)
			return strdup("docker.io");
	return TAKE_PTR(name);
}

static int set_name(struct lcx_login *login, const char *registry, struct lcx_error **err)
{
	int r = lcx__registries_load(login->ctx, &login->conf, err);

	if (r < 0)
		return r;
	login->name = bare_name(registry ? registry : lcx__registries_default(login->conf));
	if (!login->name)
		return lcx__fail_nomem(err);
	return lcx__registry_name_is_valid(login->name)
		       ? 0
		       : lcx__fail(err, EINVAL, "'%.200s' can't name a registry", registry);
}

LCX_PUBLIC int lcx_login_new(struct lcx_ctx *ctx, const char *registry, struct lcx_login **ret,
			     struct lcx_error **err)
{
	CLEANUP(lcx_login_freep) struct lcx_login *login = calloc(1, sizeof(*login));
	int r;

	if (!login)
		return lcx__fail_nomem(err);
	login->ctx = ctx;
	login->watched_fd = -1;
	lcx__settings_init(&login->settings);
	r = lcx__loop_init(&login->loop, err);
	if (r == 0)
		r = set_name(login, registry, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "login");
	*ret = TAKE_PTR(login);
	return 0;
}

/* ---- setters ---- */

static int check_new(const struct lcx_login *login, struct lcx_error **err)
{
	return login->stage == STAGE_NEW
		       ? 0
		       : lcx__fail(err, EBUSY, "login '%s': already begun", login->name);
}

LCX_PUBLIC int lcx_login_set_plain_http(struct lcx_login *login, bool plain_http,
					struct lcx_error **err)
{
	int r = check_new(login, err);

	if (r == 0)
		login->settings.plain_http = plain_http;
	return r;
}

LCX_PUBLIC int lcx_login_set_ca_file(struct lcx_login *login, const char *path,
				     struct lcx_error **err)
{
	int r = check_new(login, err);

	return r < 0 ? r : lcx__settings_ca_file(&login->settings, path, err);
}

LCX_PUBLIC int lcx_login_set_client_cert(struct lcx_login *login, const char *cert_file,
					 const char *key_file, struct lcx_error **err)
{
	int r = check_new(login, err);

	return r < 0 ? r : lcx__settings_client_cert(&login->settings, cert_file, key_file, err);
}

LCX_PUBLIC int lcx_login_set_credentials(struct lcx_login *login, const char *user,
					 const char *password, struct lcx_error **err)
{
	int r = check_new(login, err);

	if (r == 0 && user && !user[0])
		r = lcx__fail(err, EINVAL, "credentials: a user has a name");
	return r < 0 ? r : lcx__settings_credentials(&login->settings, user, password, err);
}

LCX_PUBLIC int lcx_login_set_auth_file(struct lcx_login *login, const char *path,
				       struct lcx_error **err)
{
	CLEANUP(freep) char *copy = path ? strdup(path) : NULL;
	int r = check_new(login, err);

	if (r < 0)
		return r;
	if (path && !copy)
		return lcx__fail_nomem(err);
	if (path && path[0] != '/')
		return lcx__fail(err, EINVAL, "credentials '%s': not absolute", path);
	free(login->auth_file);
	login->auth_file = TAKE_PTR(copy);
	return 0;
}

LCX_PUBLIC int lcx_login_set_stall_timeout_ms(struct lcx_login *login, int32_t timeout_ms,
					      struct lcx_error **err)
{
	int r = check_new(login, err);

	return r < 0 ? r : lcx__settings_stall_timeout(&login->settings, timeout_ms, err);
}

LCX_PUBLIC int lcx_login_set_erase(struct lcx_login *login, bool erase, struct lcx_error **err)
{
	int r = check_new(login, err);

	if (r == 0)
		login->erase = erase;
	return r;
}

/* ---- stages ---- */

static const struct lcx__credentials *given(const struct lcx_login *login)
{
	return login->settings.credentials.user ? &login->settings.credentials : NULL;
}

/* The name of the helper that has the file's credentials of this registry, owned; or NULL. */
static int find_helper(const struct lcx_login *login, char **ret, struct lcx_error **err)
{
	CLEANUP(lcx__authfile_freep) struct lcx__authfile *file = NULL;
	const char *helper;
	int r;

	*ret = NULL;
	if (access(login->auth_file, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = lcx__authfile_load(login->auth_file, &file, err);
	helper = r == 0 ? lcx__authfile_helper(file, login->name) : NULL;
	if (r < 0 || !helper)
		return r;
	*ret = strdup(helper);
	return *ret ? 0 : lcx__fail_nomem(err);
}

static int edit_file(struct lcx_login *login, const struct lcx__credentials *c,
		     struct lcx_error **err)
{
	int r = login->erase ? lcx__authfile_erase(login->auth_file, login->name, err)
			     : lcx__authfile_store(login->auth_file, login->name, c, err);

	if (r < 0)
		return r;
	login->was_stored |= r > 0;
	login->stage = STAGE_DONE;
	return 0;
}

static int watch_helper(struct lcx_login *login, struct lcx_error **err)
{
	int fd = lcx__credhelper_fd(login->helper), r;

	if (fd == login->watched_fd)
		return 0;
	login->watched_fd = fd;
	r = lcx__transport_watch(login->loop.transport, fd);
	return r < 0 ? lcx__fail_sys(err, -r, "wait for the credential helper") : 0;
}

static int begin_keep(struct lcx_login *login, struct lcx_error **err)
{
	CLEANUP(freep) char *helper = NULL;
	int r = find_helper(login, &helper, err);

	if (r < 0)
		return r;
	if (!helper)
		return edit_file(login, given(login), err);
	login->stage = STAGE_KEEP;
	r = lcx__credhelper_start_store(helper, lcx__authfile_key(login->name),
					login->erase ? NULL : given(login), &login->helper, err);
	return r < 0 ? r : watch_helper(login, err);
}

/* The file goes on to say that there is a login, as with Docker; that is all it says. */
static int stage_keep(struct lcx_login *login, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	int r = lcx__credhelper_step(login->helper, NULL, &why);

	if (r > 0)
		return watch_helper(login, err);
	if (r < 0 && !(login->erase && r == -ENOENT))
		return lcx__fail(err, -r, "%s", lcx_error_message(why));
	login->helper = lcx__credhelper_free(login->helper);
	login->was_stored = login->erase && r == 0;
	return edit_file(login, NULL, err);
}

static int stage_new(struct lcx_login *login, struct lcx_error **err)
{
	int r;

	if (login->erase)
		return login->auth_file ? begin_keep(login, err)
					: lcx__fail(err, EINVAL, "there is no file to log out in");
	if (!given(login) && !login->auth_file)
		return lcx__fail(err, ENOENT, "there are no credentials");
	r = given(login) ? 0 : lcx__settings_auth_file(&login->settings, login->auth_file, err);
	if (r == 0)
		r = lcx__registry_new(login->loop.transport, login->name, NULL, NULL,
				      &login->settings, &login->registry, err);
	if (r == 0)
		r = lcx__request_send(login->registry, LCX__GET, "", NULL, &login->request, err);
	if (r < 0)
		return r;
	login->stage = STAGE_ASK;
	return lcx__registry_dispatch(login->registry, err);
}

static int stage_ask(struct lcx_login *login, struct lcx_error **err)
{
	int r = lcx__registry_dispatch(login->registry, err);

	if (r == 0)
		r = lcx__request_result(login->request, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (lcx__request_status(login->request) != 200)
		return lcx__request_refused(login->request, err);
	if (!given(login) && !lcx__credentials_any(&login->registry->credentials))
		return lcx__fail(err, ENOENT, "there are no credentials");
	if (given(login) && login->auth_file)
		return begin_keep(login, err);
	login->was_stored = !given(login);
	login->stage = STAGE_DONE;
	return 0;
}

static int (*const stages[])(struct lcx_login *login, struct lcx_error **err) = {
	[STAGE_NEW] = stage_new,
	[STAGE_ASK] = stage_ask,
	[STAGE_KEEP] = stage_keep,
};

/* ---- moving on ---- */

static int64_t deadline_ns(const struct lcx_login *login)
{
	return login->helper     ? lcx__credhelper_deadline_ns(login->helper)
	       : login->registry ? lcx__registry_deadline_ns(login->registry)
				 : INT64_MAX;
}

static int dispatch(struct lcx_login *login, struct lcx_error **err)
{
	int r = lcx__loop_begin(&login->loop, err);

	if (r == 0)
		r = stages[login->stage](login, err);
	if (r < 0 || login->stage == STAGE_DONE)
		return r;
	return lcx__loop_arm(&login->loop, false, deadline_ns(login), err);
}

static int end(struct lcx_login *login, int result, struct lcx_error **err)
{
	login->stage = result < 0 ? STAGE_FAILED : STAGE_DONE;
	login->result = result;
	let_go(login);
	lcx__credentials_clear(&login->settings.credentials);
	lcx__loop_wake(&login->loop);
	if (result == 0)
		return 0;
	result = lcx__fail_prefix(err, result, login->erase ? "logout '%s'" : "login '%s'",
				  login->name);
	return lcx__fail_stage(err, result, "image");
}

LCX_PUBLIC int lcx_login_dispatch(struct lcx_login *login, struct lcx_error **err)
{
	int r;

	if (login->stage == STAGE_DONE)
		return 0;
	if (login->stage == STAGE_FAILED)
		return lcx__fail(err, -login->result, "login '%s': it has failed before",
				 login->name);
	r = dispatch(login, err);
	return r < 0 || login->stage == STAGE_DONE ? end(login, r, err) : 1;
}

static int dispatch_any(void *login, struct lcx_error **err)
{
	return lcx_login_dispatch(login, err);
}

LCX_PUBLIC int lcx_login_run(struct lcx_login *login, int32_t timeout_ms, struct lcx_error **err)
{
	int r = lcx__loop_run(&login->loop, timeout_ms, dispatch_any, login, err);

	if (r == 0 || login->stage == STAGE_FAILED)
		return r;
	if (r == -ETIMEDOUT)
		(void)lcx__fail(err, ETIMEDOUT, "not done within %d ms", timeout_ms);
	return end(login, lcx__fail_sys(err, -r, "wait"), err);
}

LCX_PUBLIC int lcx_login_fd(const struct lcx_login *login)
{
	return lcx__loop_fd(&login->loop);
}

LCX_PUBLIC void lcx_login_cancel(struct lcx_login *login)
{
	lcx__loop_cancel(&login->loop);
}

LCX_PUBLIC const char *lcx_login_registry(const struct lcx_login *login)
{
	return lcx__authfile_key(login->name);
}

LCX_PUBLIC bool lcx_login_was_stored(const struct lcx_login *login)
{
	return login->stage == STAGE_DONE && login->was_stored;
}
