/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whom a registry takes us for, and where that is written: Docker's config.json, and the
 * credential helpers that it names. Our own copies of a secret are wiped when they are released;
 * those that json-c and curl make are theirs.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

/* A user with a password, or a token that stands for both (OAuth2's refresh token), or neither. */
struct lcx__credentials {
	char *user, *password, *identity_token;
};

bool lcx__credentials_any(const struct lcx__credentials *c);
int lcx__credentials_copy(const struct lcx__credentials *from, struct lcx__credentials *ret);
void lcx__credentials_clear(struct lcx__credentials *c);

/* The user and the password as HTTP and Docker write them: base64 of "user:password".
 * NULL without memory, or without libcrypto: lcx__crypto_load(). */
char *lcx__credentials_encode(const struct lcx__credentials *c);

/* free() for a string that was secret; NULL is fine. */
char *lcx__secret_free(char *secret);

static inline void lcx__secret_freep(char **secret)
{
	(void)lcx__secret_free(*secret);
}

/* authfile.c: a file in the form of Docker's config.json. */
struct lcx__authfile;

int lcx__authfile_parse(const char *path, const char *text, size_t length,
			struct lcx__authfile **ret, struct lcx_error **err);
int lcx__authfile_load(const char *path, struct lcx__authfile **ret, struct lcx_error **err);
struct lcx__authfile *lcx__authfile_free(struct lcx__authfile *file);

DEFINE_CLEANUP(struct lcx__authfile *, lcx__authfile_free)

/* The name of the helper that is to be asked for @registry, or NULL; borrowed. */
const char *lcx__authfile_helper(const struct lcx__authfile *file, const char *registry);

/*
 * What the file itself has for the repository @path of @registry: the entry with the longest name
 * that fits. Nothing found leaves @ret empty.
 */
int lcx__authfile_find(const struct lcx__authfile *file, const char *registry, const char *path,
		       struct lcx__credentials *ret, struct lcx_error **err);

/* How Docker calls a registry when it stores credentials. */
const char *lcx__authfile_key(const char *registry);

/* The other way: "host:port" out of "https://host:port/v1/"; owned by the caller. */
char *lcx__authfile_bare(const char *key);

/* Whether an entry of this name is for all of the registry. */
bool lcx__authfile_names(const char *key, const char *registry);

enum { LCX__AUTHFILE_MAX = 1 << 20 };

/*
 * authfile-edit.c: replace the entry of @registry in the file @path, which may be missing. NULL for
 * @c leaves a note that a helper has the credentials. Return: 1 if there was one before, or 0.
 */
int lcx__authfile_store(const char *path, const char *registry, const struct lcx__credentials *c,
			struct lcx_error **err);
int lcx__authfile_erase(const char *path, const char *registry, struct lcx_error **err);

/* credhelper.c: one order to the program docker-credential-NAME. Freeing it ends it. */
struct lcx__credhelper;

/* Ask it for what it has for @server: its key, as above. */
int lcx__credhelper_start(const char *name, const char *server, struct lcx__credhelper **ret,
			  struct lcx_error **err);

/* Have it keep a user and a password, or, with NULL, forget what it has. */
int lcx__credhelper_start_store(const char *name, const char *server,
				const struct lcx__credentials *c, struct lcx__credhelper **ret,
				struct lcx_error **err);
struct lcx__credhelper *lcx__credhelper_free(struct lcx__credhelper *helper);

DEFINE_CLEANUP(struct lcx__credhelper *, lcx__credhelper_free)

/* Readable: take a step, after which it may be another one; it is closed before that. */
int lcx__credhelper_fd(const struct lcx__credhelper *helper);
int64_t lcx__credhelper_deadline_ns(const struct lcx__credhelper *helper);

/*
 * 1: not done; 0: done, and @ret, which is NULL unless it was asked, is empty if it knows nothing;
 * <0: failed, with words. -ENOENT: it had nothing to forget.
 */
int lcx__credhelper_step(struct lcx__credhelper *helper, struct lcx__credentials *ret,
			 struct lcx_error **err);
