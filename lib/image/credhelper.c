/* SPDX-License-Identifier: MIT */
/*
 * Docker's protocol for credential helpers: `docker-credential-NAME get` reads the server's name
 * from its standard input and writes {"Username": ..., "Secret": ...} to its standard output, or
 * some words and an exit status other than 0. Whether it is one or the other shows in the words,
 * so the status, which a host that reaps everything takes away for ever before Linux 6.15, isn't
 * needed. `store` reads the same with "ServerURL" and `erase` the name; both write only words, and
 * if no status is to be had, words are a failure.
 *
 * This is the one program of the user's that the library runs on the host. It does so only when the
 * host has asked for the file that names it and the registry asks for credentials, or they are to
 * be kept there. The program is
 * looked up in the host's PATH, by a name that can't be a path, and gets the host's environment,
 * for it finds its keyring there; of descriptors it gets the three that every program has.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "image/credentials.h"
#include "image/document.h"
#include "init/launch.h"
#include "util/process.h"
#include "util/str.h"

enum {
	ANSWER_MAX = 64 << 10,
	HELPER_TIMEOUT_MS = 60000,
};

struct lcx__credhelper {
	char *name, *input;
	const char *verb; /* a literal */
	struct lcx__plan *plan;
	struct lcx__child child;
	int answer_fd;
	int64_t deadline_ns;
	struct lcx__strbuf answer;
};

extern char **environ;

struct lcx__credhelper *lcx__credhelper_free(struct lcx__credhelper *helper)
{
	if (!helper)
		return NULL;
	lcx__child_abandon(&helper->child);
	(void)lcx__plan_free(helper->plan);
	closep(&helper->answer_fd);
	if (helper->answer.text)
		explicit_bzero(helper->answer.text, helper->answer.length);
	lcx__strbuf_free(&helper->answer);
	(void)lcx__secret_free(helper->input);
	free(helper->name);
	free(helper);
	return NULL;
}

static int make_plan(struct lcx__credhelper *helper, struct lcx_error **err)
{
	CLEANUP(freep) char *program = lcx__format("docker-credential-%s", helper->name);
	const char *const args[] = {program, helper->verb, NULL};
	uint32_t n_args, n_env, argv, env, name;
	struct plan_op *op;
	int r = lcx__plan_new(&helper->plan, err);

	if (r < 0)
		return r;
	if (!program)
		return lcx__fail_nomem(err);
	argv = lcx__plan_vector(helper->plan, args, &n_args);
	env = lcx__plan_vector(helper->plan, (const char *const *)environ, &n_env);
	name = lcx__plan_string(helper->plan, program);
	op = lcx__plan_add(helper->plan, PLAN_EXEC);
	op->str[0] = name;
	op->str[1] = argv;
	op->str[2] = env;
	op->length = n_args;
	op->num[0] = n_env;
	return 0;
}

/* The question is far smaller than a socket's buffer: it is there before the program is. */
static int launch(struct lcx__credhelper *helper, struct lcx_error **err)
{
	CLEANUP(closep) int question_fd = -1, theirs_fd = -1, out_fd = -1;
	struct lcx__launch launch = {.plan = helper->plan, .cgroup_fd = -1};
	size_t length = strlen(helper->input);
	int pair[2], pipe_fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return lcx__fail_sys(err, errno, "make a socket");
	question_fd = pair[0];
	theirs_fd = pair[1];
	if (send(question_fd, helper->input, length, MSG_NOSIGNAL | MSG_DONTWAIT) !=
	    (ssize_t)length)
		return lcx__fail_sys(err, EIO, "ask");
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return lcx__fail_sys(err, errno, "make a pipe");
	helper->answer_fd = pipe_fds[0];
	out_fd = pipe_fds[1];
	if (fcntl(helper->answer_fd, F_SETFL, O_NONBLOCK) < 0)
		return lcx__fail_sys(err, errno, "make a pipe");
	launch.stdio[0] = theirs_fd;
	launch.stdio[1] = out_fd;
	launch.stdio[2] = -1;
	return lcx__launch(&launch, &helper->child, err);
}

/* @input is taken. */
static int start(const char *name, const char *verb, char *input, struct lcx__credhelper **ret,
		 struct lcx_error **err)
{
	CLEANUP(lcx__credhelper_freep) struct lcx__credhelper *helper = calloc(1, sizeof(*helper));
	int r;

	if (!helper || !input) {
		(void)lcx__secret_free(input);
		return lcx__fail_nomem(err);
	}
	helper->child = LCX__CHILD_NONE;
	helper->answer_fd = -1;
	helper->deadline_ns = lcx__monotonic_ns() + HELPER_TIMEOUT_MS * INT64_C(1000000);
	helper->verb = verb;
	helper->input = input;
	helper->name = strdup(name);
	if (!helper->name)
		return lcx__fail_nomem(err);
	r = make_plan(helper, err);
	if (r == 0)
		r = launch(helper, err);
	if (r == 0)
		r = lcx__child_receive(&helper->child, NULL, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "credential helper '%s'", name);
	*ret = TAKE_PTR(helper);
	return 0;
}

static int check(const char *name, struct lcx_error **err)
{
	if (!lcx__name_is_valid(name))
		return lcx__fail(err, EINVAL, "'%.100s' can't name a credential helper", name);
	if (getauxval(AT_SECURE))
		return lcx__fail(
			err, EPERM,
			"credential helper '%s': not in a program that has more rights than "
			"who wrote its environment",
			name);
	return 0;
}

int lcx__credhelper_start(const char *name, const char *server, struct lcx__credhelper **ret,
			  struct lcx_error **err)
{
	int r = check(name, err);

	return r < 0 ? r : start(name, "get", strdup(server), ret, err);
}

static char *describe(const char *server, const struct lcx__credentials *c)
{
	const char *const pairs[][2] = {
		{"ServerURL", server}, {"Username", c->user}, {"Secret", c->password}};
	CLEANUP(lcx__doc_putp) struct json_object *object = json_object_new_object();
	const char *text;

	for (size_t i = 0; object && i < ARRAY_SIZE(pairs); i++) {
		struct json_object *value = json_object_new_string(pairs[i][1]);

		if (!value || json_object_object_add(object, pairs[i][0], value) < 0) {
			json_object_put(value);
			return NULL;
		}
	}
	text = object ? json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN) : NULL;
	return text ? strdup(text) : NULL;
}

int lcx__credhelper_start_store(const char *name, const char *server,
				const struct lcx__credentials *c, struct lcx__credhelper **ret,
				struct lcx_error **err)
{
	int r = check(name, err);

	if (r < 0)
		return r;
	return c ? start(name, "store", describe(server, c), ret, err)
		 : start(name, "erase", strdup(server), ret, err);
}

int lcx__credhelper_fd(const struct lcx__credhelper *helper)
{
	return helper->answer_fd >= 0 ? helper->answer_fd : helper->child.pidfd;
}

int64_t lcx__credhelper_deadline_ns(const struct lcx__credhelper *helper)
{
	return helper->deadline_ns;
}

/* 1: there may be more; 0: that was all. */
static int read_answer(struct lcx__credhelper *helper, struct lcx_error **err)
{
	char buffer[4096];
	ssize_t n = read(helper->answer_fd, buffer, sizeof(buffer));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (n < 0)
		return lcx__fail_sys(err, errno, "read its answer");
	if ((size_t)n > ANSWER_MAX - helper->answer.length)
		return lcx__fail(err, EBADMSG, "its answer is longer than %d bytes", ANSWER_MAX);
	lcx__strbuf_add(&helper->answer, buffer, (size_t)n);
	explicit_bzero(buffer, (size_t)n);
	if (helper->answer.failed)
		return lcx__fail_nomem(err);
	if (n == 0)
		closep(&helper->answer_fd);
	return n > 0;
}

/* The user "<token>" is Docker's way to say that the secret stands for both. */
static int read_credentials(const struct lcx__credhelper *helper, struct lcx__credentials *ret,
			    struct lcx_error **err)
{
	CLEANUP(lcx__doc_putp) struct json_object *object = NULL;
	const char *user = NULL, *secret = NULL;
	int r = lcx__doc_parse(helper->answer.text, helper->answer.length, "its answer", &object,
			       err);

	if (r == 0)
		r = lcx__doc_string(object, "Username", &user, err);
	if (r == 0)
		r = lcx__doc_string(object, "Secret", &secret, err);
	if (r < 0)
		return r;
	if (!secret || !user || !user[0] || (strchr(user, ':') && strcmp(user, "<token>") != 0))
		return lcx__fail(err, EBADMSG, "its answer has no usable Username and Secret");
	if (strcmp(user, "<token>") == 0) {
		ret->identity_token = strdup(secret);
		return ret->identity_token ? 0 : lcx__fail_nomem(err);
	}
	ret->user = strdup(user);
	ret->password = strdup(secret);
	return ret->user && ret->password ? 0 : lcx__fail_nomem(err);
}

static const char not_found[] = "credentials not found";

static int fail_in_its_words(const struct lcx__credhelper *helper, struct lcx_error **err)
{
	const char *text = helper->answer.text ? helper->answer.text : "";
	char words[200];
	size_t n = 0;

	for (; *text && n + 1 < sizeof(words); text++)
		if (*text >= ' ' && *text < 0x7f)
			words[n++] = *text;
	words[n] = '\0';
	return lcx__fail(err, EACCES, "%s", n > 0 ? words : "it gave no answer");
}

static int judge(const struct lcx__credhelper *helper, struct lcx__credentials *ret,
		 struct lcx_error **err)
{
	const char *text = helper->answer.text ? helper->answer.text : "";

	if (text[strspn(text, " \t\r\n")] == '{')
		return read_credentials(helper, ret, err);
	return strstr(text, not_found) ? 0 : fail_in_its_words(helper, err);
}

/*
 * Of a store or an erase. What it says when it refuses a secret may have the secret in it, so
 * those words stay here.
 */
static int judge_status(const struct lcx__credhelper *helper, int status, struct lcx_error **err)
{
	const char *text = helper->answer.text ? helper->answer.text : "";
	bool failed = status < 0 ? text[0] != '\0' : status > 0;

	if (!failed)
		return 0;
	if (strcmp(helper->verb, "erase") != 0)
		return lcx__fail(err, EACCES, "it didn't store the credentials");
	if (strstr(text, not_found))
		return lcx__fail(err, ENOENT, "%s", not_found);
	return fail_in_its_words(helper, err);
}

/* Its exit status, 128 for a signal; -1 if nobody can tell; -EAGAIN while it runs. */
static int reap(struct lcx__credhelper *helper)
{
	int status, r = lcx__pidfd_wait(helper->child.pidfd, WNOHANG, &status);

	if (r == 0)
		return -EAGAIN;
	closep(&helper->child.pidfd);
	if (r < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* All its words are there. A question is answered by them alone. */
static int conclude(struct lcx__credhelper *helper, struct lcx__credentials *ret,
		    struct lcx_error **err)
{
	int status;

	if (strcmp(helper->verb, "get") == 0)
		return judge(helper, ret, err);
	status = reap(helper);
	return status == -EAGAIN ? 1 : judge_status(helper, status, err);
}

int lcx__credhelper_step(struct lcx__credhelper *helper, struct lcx__credentials *ret,
			 struct lcx_error **err)
{
	int r = helper->answer_fd >= 0 ? read_answer(helper, err) : 0;

	if (r == 0)
		r = conclude(helper, ret, err);
	if (r > 0 && lcx__monotonic_ns() >= helper->deadline_ns)
		r = lcx__fail(err, ETIMEDOUT, "no answer within %d seconds",
			      HELPER_TIMEOUT_MS / 1000);
	if (r > 0)
		return 1;
	if (r < 0 && ret)
		lcx__credentials_clear(ret);
	return r < 0 ? lcx__fail_prefix(err, r, "credential helper '%s'", helper->name) : 0;
}
