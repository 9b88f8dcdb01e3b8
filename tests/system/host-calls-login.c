/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "host-calls.h"

static struct lcx_login *login;
static char auth_file[256];

static int prepare_login(struct world *w, struct lcx_error **err)
{
	struct lcx_login *none = NULL;

	snprintf(auth_file, sizeof(auth_file), "%s/auth/config.json", w->dir);
	MUST(lcx_login_new(w->ctx, w->registry, &login, err));
	MUST(lcx_login_set_plain_http(login, true, err));
	MUST(lcx_login_set_credentials(login, NULL, NULL, err));
	MUST(lcx_login_set_credentials(login, "user", "secret", err));
	MUST(lcx_login_set_stall_timeout_ms(login, 5000, err));
	EITHER(lcx_login_set_ca_file(login, "/no/such/file", err));
	MUST(lcx_login_set_ca_file(login, NULL, err));
	EITHER(lcx_login_set_client_cert(login, "/no/such/cert", "/no/such/key", err));
	MUST(lcx_login_set_client_cert(login, NULL, NULL, err));
	MUST(lcx_login_set_auth_file(login, auth_file, err));
	MUST(lcx_login_set_erase(login, false, err));
	REFUSED(lcx_login_set_credentials(login, "a:b", "secret", err));
	REFUSED(lcx_login_set_auth_file(login, "relative", err));
	REFUSED(lcx_login_new(w->ctx, "NOT A NAME", &none, err));
	return 0;
}

static int run_login(struct world *w, struct lcx_error **err)
{
	(void)w;
	MUST(lcx_login_run(login, 30000, err));
	(void)lcx_login_registry(login), (void)lcx_login_was_stored(login);
	login = lcx_login_free(login);
	return 0;
}

static int cancel_login(struct world *w, struct lcx_error **err)
{
	MUST(lcx_login_new(w->ctx, w->registry, &login, err));
	MUST(lcx_login_set_plain_http(login, true, err));
	MUST(lcx_login_set_credentials(login, "user", "secret", err));
	MUST(lcx_login_dispatch(login, err));
	(void)lcx_login_fd(login);
	lcx_login_cancel(login);
	EITHER(lcx_login_run(login, 1000, err));
	login = lcx_login_free(login);
	return 0;
}

static int log_out(struct world *w, struct lcx_error **err)
{
	MUST(lcx_login_new(w->ctx, w->registry, &login, err));
	MUST(lcx_login_set_auth_file(login, auth_file, err));
	MUST(lcx_login_set_erase(login, true, err));
	MUST(lcx_login_run(login, 5000, err));
	login = lcx_login_free(login);
	return 0;
}

const struct row rows_login[] = {
	ROW(prepare_login, HELD),
	ROW(run_login, RELEASED),
	ROW(cancel_login, RELEASED),
	ROW(log_out, RELEASED),
	{0},
};
