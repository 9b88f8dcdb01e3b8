/* SPDX-License-Identifier: MIT */
#ifndef LCX_LOGIN_H
#define LCX_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include <lcx/ctx.h>
#include <lcx/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Logging in to a registry, and out again: credentials on their way into a file like Docker's
 * config.json, or to the credential helper that it names. Pulls and pushes find them there:
 * lcx_pull_set_auth_file().
 *
 * A library built without the `image` feature has all of these functions; the fallible ones then
 * return -EOPNOTSUPP.
 */

/**
 * struct lcx_login - one login or logout
 *
 * Set it up, then either lcx_login_run() it, or poll lcx_login_fd() and call lcx_login_dispatch()
 * whenever it is readable. Its copies of secrets are wiped when it is freed.
 */
struct lcx_login;

/**
 * lcx_login_new() - prepare; nothing is contacted yet
 * @ctx:      must outlive the login
 * @registry: "host:port", also as Docker writes it in its file ("https://host/v1/"); NULL for the
 *            registry that a name without one means
 * @ret:      the login, owned by the caller
 *
 * Return: 0, -EINVAL for what can't be a registry, or another negative errno.
 */
int lcx_login_new(struct lcx_ctx *ctx, const char *registry, struct lcx_login **ret,
		  struct lcx_error **err);

/** lcx_login_set_plain_http() - as lcx_pull_set_plain_http() */
int lcx_login_set_plain_http(struct lcx_login *login, bool plain_http, struct lcx_error **err);

/** lcx_login_set_ca_file() - as lcx_pull_set_ca_file() */
int lcx_login_set_ca_file(struct lcx_login *login, const char *path, struct lcx_error **err);

/** lcx_login_set_client_cert() - as lcx_pull_set_client_cert() */
int lcx_login_set_client_cert(struct lcx_login *login, const char *cert_file, const char *key_file,
			      struct lcx_error **err);

/**
 * lcx_login_set_credentials() - log in with these
 * @user:     NULL, the default: ask the registry about those that are stored, and store nothing
 * @password: or token
 *
 * Return: 0, or -EINVAL for a user's name that is empty or has a colon.
 */
int lcx_login_set_credentials(struct lcx_login *login, const char *user, const char *password,
			      struct lcx_error **err);

/**
 * lcx_login_set_auth_file() - where credentials are kept
 * @path: lcx_image_default_auth_file(), or another; NULL, the default: the registry is asked, and
 *        nothing is kept
 *
 * A file that is not there is made, for its owner alone, and so is its directory, but not what is
 * above it. It is replaced by a new one with mode 0600; what else it holds stays. If it names a
 * credential helper for the registry (credHelpers, credsStore), the helper gets the credentials
 * by its standard input, and the file only says so: see lcx_pull_set_auth_file().
 */
int lcx_login_set_auth_file(struct lcx_login *login, const char *path, struct lcx_error **err);

/** lcx_login_set_stall_timeout_ms() - as lcx_pull_set_stall_timeout_ms() */
int lcx_login_set_stall_timeout_ms(struct lcx_login *login, int32_t timeout_ms,
				   struct lcx_error **err);

/**
 * lcx_login_set_erase() - log out instead: forget what is stored, without asking the registry
 *
 * lcx_login_was_stored() then tells whether there was anything.
 */
int lcx_login_set_erase(struct lcx_login *login, bool erase, struct lcx_error **err);

/**
 * lcx_login_run() - do it, and wait for the end
 * @timeout_ms: for all of it; -1 waits as long as there is progress
 *
 * The registry is asked first: what it doesn't accept is not stored. One that asks nobody for
 * credentials accepts them all.
 *
 * Return: 0, or a negative errno: -EACCES for wrong credentials, -ENOENT if there are none, given
 * or stored, -EBADMSG for a file that isn't understood, others as lcx_pull_run().
 */
int lcx_login_run(struct lcx_login *login, int32_t timeout_ms, struct lcx_error **err);

/** lcx_login_fd() - borrow the one descriptor to poll for reading */
int lcx_login_fd(const struct lcx_login *login);

/**
 * lcx_login_dispatch() - do what can be done without waiting
 *
 * Return: 1 if there is more to come, 0 when it is done, or the negative errno with which it
 * failed; it then has ended.
 */
int lcx_login_dispatch(struct lcx_login *login, struct lcx_error **err);

/** lcx_login_cancel() - from any thread, as lcx_pull_cancel() */
void lcx_login_cancel(struct lcx_login *login);

/** lcx_login_registry() - as it is stored: "https://index.docker.io/v1/" for Docker's own */
const char *lcx_login_registry(const struct lcx_login *login);

/**
 * lcx_login_was_stored() - whether credentials for the registry were in the file before
 *
 * Or with its helper, as far as that tells. False before the end.
 */
bool lcx_login_was_stored(const struct lcx_login *login);

/** lcx_login_free() - cancel if need be, and release; NULL is accepted, NULL is returned */
struct lcx_login *lcx_login_free(struct lcx_login *login);

#ifdef __cplusplus
}
#endif

#endif /* LCX_LOGIN_H */
