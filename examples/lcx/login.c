/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "memory.h"
#include "options.h"
#include "registry.h"
#include "terminal.h"

/* No option takes the password: every user of the machine can read command lines. */
struct login_options {
	struct registry_options registry;
	const char *user;
	bool password_stdin;
};

static const struct option_row login_rows[] = {
	{'u', "username", OPTION_STRING, offsetof(struct login_options, user), "USER",
	 "who logs in; asked for if it is not given"},
	{'\0', "password-stdin", OPTION_FLAG, offsetof(struct login_options, password_stdin), NULL,
	 "read the password from standard input, not from the terminal"},
	REGISTRY_HOST_ROWS(struct login_options, registry),
	{0},
};

static const struct grammar login_grammar = {
	.operands = "[REGISTRY]",
	.about = "Log in to a registry, Docker's if none is named: it is asked whether the "
		 "password is right,\n"
		 "which then is kept where 'docker login' keeps it.",
	.rows = login_rows,
	.max = 1,
};

static const struct option_row logout_rows[] = {
	{'\0', "authfile", OPTION_STRING, offsetof(struct login_options, registry.auth_file),
	 "FILE", "where credentials are, instead of Docker's config.json"},
	{0},
};

static const struct grammar logout_grammar = {
	.operands = "[REGISTRY]",
	.about = "Forget the credentials of a registry, Docker's if none is named.",
	.rows = logout_rows,
	.max = 1,
};

enum { SECRET_MAX = 64 << 10 };

static void secret_freep(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
}

/* All of standard input but the end of its last line. Return: NULL if it can't be a password. */
static char *read_secret(struct app *app)
{
	char *secret = xrealloc(NULL, SECRET_MAX + 1, 1);
	size_t length = 0;
	ssize_t n;

	do {
		n = read(STDIN_FILENO, secret + length, SECRET_MAX - length);
		length += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && length < SECRET_MAX) || (n < 0 && errno == EINTR));
	while (length > 0 && (secret[length - 1] == '\n' || secret[length - 1] == '\r'))
		length--;
	secret[length] = '\0';
	if (n == 0 && length > 0 && strlen(secret) == length)
		return secret;
	app_error(app, "standard input: %s", n < 0 ? strerror(errno) : "this is no password");
	explicit_bzero(secret, SECRET_MAX);
	free(secret);
	return NULL;
}

static bool ask_user(char **ret)
{
	*ret = terminal_ask("Username: ");
	return *ret && (*ret)[0];
}

/* What is not on the command line is asked for. */
static bool find_identity(struct app *app, const struct login_options *o, char **user,
			  char **secret)
{
	if (o->user)
		*user = xprintf("%s", o->user);
	else if (!ask_user(user)) {
		app_error(app, "there is no terminal to ask for a user on: give -u");
		return false;
	}
	if (o->password_stdin) {
		*secret = read_secret(app);
		return *secret != NULL;
	}
	*secret = terminal_ask_secret("Password: ");
	if (*secret && (*secret)[0])
		return true;
	app_error(app, *secret ? "a password is needed"
			       : "there is no terminal to ask for a password on: use "
				 "--password-stdin");
	return false;
}

static int prepare(struct app *app, const struct login_options *o, const char *registry,
		   struct lcx_login **ret, struct lcx_error **err)
{
	CLEANUP(lcx_string_freep) char *standard = lcx_image_default_auth_file();
	CLEANUP(freep) char *named = NULL;
	int r = lcx_login_new(app->ctx, registry, ret, err);

	if (r == 0)
		r = lcx_login_set_plain_http(*ret, o->registry.plain_http, err);
	if (r == 0)
		r = lcx_login_set_ca_file(*ret, o->registry.ca_file, err);
	if (r == 0)
		r = lcx_login_set_client_cert(*ret, o->registry.client_cert, o->registry.client_key,
					      err);
	if (r < 0)
		return r;
	/* A name alone is in the working directory. */
	if (o->registry.auth_file && o->registry.auth_file[0] != '/') {
		CLEANUP(freep) char *here = getcwd(NULL, 0);

		named = xprintf("%s/%s", here ? here : "", o->registry.auth_file);
	}
	return lcx_login_set_auth_file(*ret,
				       named                   ? named
				       : o->registry.auth_file ? o->registry.auth_file
							       : standard,
				       err);
}

/* Those that are stored already, without a question to anybody but the registry. */
static bool log_in_again(struct app *app, const struct login_options *o, const char *registry)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_login_freep) struct lcx_login *login = NULL;
	int r = prepare(app, o, registry, &login, &err);

	if (r == 0)
		r = lcx_login_run(login, -1, &err);
	if (r < 0 && r != -ENOENT)
		app_report(app, &err);
	return r == 0;
}

static int log_in(struct app *app, const struct login_options *o, const char *registry)
{
	CLEANUP(secret_freep) char *user = NULL, *secret = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_login_freep) struct lcx_login *login = NULL;
	int r = prepare(app, o, registry, &login, &err);

	if (r == 0 && !find_identity(app, o, &user, &secret))
		return EXIT_COMMAND_FAILED;
	if (r == 0)
		r = lcx_login_set_credentials(login, user, secret, &err);
	if (r == 0)
		r = lcx_login_run(login, -1, &err);
	if (r < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	if (!app->quiet)
		puts("Login Succeeded");
	return EXIT_SUCCESS;
}

int cmd_login(struct app *app, int argc, char **argv)
{
	struct login_options o = {0};
	enum options_result result = options_parse(app, &login_grammar, &o, &argc, argv);
	const char *registry = argc > 0 ? argv[0] : NULL;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (o.password_stdin && !o.user)
		return options_usage_error(app, "--password-stdin wants a user, with -u");
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	if (!o.user && log_in_again(app, &o, registry)) {
		if (!app->quiet)
			puts("Login Succeeded");
		return EXIT_SUCCESS;
	}
	return log_in(app, &o, registry);
}

int cmd_logout(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_login_freep) struct lcx_login *login = NULL;
	struct login_options o = {0};
	enum options_result result = options_parse(app, &logout_grammar, &o, &argc, argv);
	int r;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	r = prepare(app, &o, argc > 0 ? argv[0] : NULL, &login, &err);
	if (r == 0)
		r = lcx_login_set_erase(login, true, &err);
	if (r == 0)
		r = lcx_login_run(login, -1, &err);
	if (r < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	if (!app->quiet)
		printf(lcx_login_was_stored(login) ? "Removing login credentials for %s\n"
						   : "Not logged in to %s\n",
		       lcx_login_registry(login));
	return EXIT_SUCCESS;
}
