/* SPDX-License-Identifier: MIT */
#include "criu/criu.h"

#include <string.h>
#include <sys/socket.h>

#include "util/program.h"

/* It asks neither PATH nor any other variable. */
static const char *const places[] = {"/usr/sbin/criu", "/usr/local/sbin/criu", "/usr/bin/criu",
				     "/usr/local/bin/criu"};

/*
 * What it executes itself: ip, iptables-restore or nft, and tar. Nothing of the caller's
 * environment comes along: a variable could name a file of options.
 */
static const char *const environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};

/* External network namespaces and cgroup v2: older ones can't have them. */
enum { MAJOR_NEEDED = 3, MINOR_NEEDED = 15, CHECK_MS = 30000 };

const char *lcx__criu_find(const char *wanted, struct lcx_error **err)
{
	if (wanted && wanted[0] == '/') {
		if (lcx__is_administrators_program(wanted))
			return wanted;
		(void)lcx__fail(err, EOPNOTSUPP,
				"criu at '%s' is not executed: it is no program of root's, in "
				"directories that nobody else can change",
				wanted);
		return NULL;
	}
	if (wanted && strcmp(wanted, "criu") != 0) {
		(void)lcx__fail(err, EINVAL,
				"criu '%s': give an absolute path; nothing is looked up in PATH",
				wanted);
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (lcx__is_administrators_program(places[i]))
			return places[i];
	(void)lcx__fail(err, EOPNOTSUPP,
			"checkpoint and restore need the program criu, which is not installed: "
			"neither '%s' nor '%s' is a program of root's; install the package criu",
			places[0], places[1]);
	return NULL;
}

int lcx__criu_open_line(int *ret_ours, int *ret_theirs, struct lcx_error **err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return lcx__fail_sys(err, errno, "make a socket for criu");
	*ret_ours = pair[0];
	*ret_theirs = pair[1];
	return 0;
}

void lcx__criu_compile(struct lcx__plan *plan, const char *path, const int *fds, size_t n)
{
	const char *const args[] = {path, "swrk", "3", NULL};
	uint32_t n_args, n_env, argv, env, name;
	int first = lcx__plan_fd(plan, fds[0]);
	struct plan_op *op;

	for (size_t i = 1; i < n; i++)
		(void)lcx__plan_fd(plan, fds[i]);
	argv = lcx__plan_vector(plan, args, &n_args);
	env = lcx__plan_vector(plan, environment, &n_env);
	name = lcx__plan_string(plan, path);
	op = lcx__plan_add(plan, PLAN_CLOSE);
	op->num[0] = n;
	op->num[1] = (uint64_t)first;
	op->num[2] = op->num[3] = (uint64_t)-1;
	op = lcx__plan_add(plan, PLAN_EXEC);
	op->str[0] = name;
	op->str[1] = argv;
	op->str[2] = env;
	op->length = n_args;
	op->num[0] = n_env;
}

int lcx__criu_start(const char *wanted, struct lcx__plan *plan, int held_fd, struct lcx__child *ret,
		    int *ret_line, struct lcx_error **err)
{
	int fds[] = {-1, held_fd};
	CLEANUP(closep) int ours = -1, theirs = -1;
	CLEANUP(lcx__child_abandonp) struct lcx__child child = LCX__CHILD_NONE;
	struct lcx__launch launch = {.plan = plan, .cgroup_fd = -1, .stdio = {-1, -1, -1}};
	const char *path = lcx__criu_find(wanted, err);
	int r;

	if (!path)
		return -EOPNOTSUPP;
	r = lcx__criu_open_line(&ours, &theirs, err);
	if (r < 0)
		return r;
	fds[0] = theirs;
	lcx__criu_compile(plan, path, fds, held_fd < 0 ? 1 : 2);
	r = lcx__launch(&launch, &child, err);
	if (r == 0)
		r = lcx__child_receive(&child, NULL, err);
	if (r < 0)
		return r;
	*ret = child;
	child = LCX__CHILD_NONE;
	*ret_line = TAKE_FD(ours);
	return 0;
}

static int check_version(const struct lcx__criu_answer *answer, struct lcx_error **err)
{
	if (answer->major > MAJOR_NEEDED ||
	    (answer->major == MAJOR_NEEDED && answer->minor >= MINOR_NEEDED))
		return 0;
	return lcx__fail(err, EOPNOTSUPP,
			 "checkpoint and restore need criu %d.%d or newer, and this is %d.%d",
			 MAJOR_NEEDED, MINOR_NEEDED, (int)answer->major, (int)answer->minor);
}

static int ask(const char *wanted, enum lcx__criu_type type, struct lcx__criu_answer *answer,
	       struct lcx_error **err)
{
	CLEANUP(lcx__child_abandonp) struct lcx__child child = LCX__CHILD_NONE;
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf request = STRBUF_EMPTY;
	CLEANUP(lcx__plan_freep) struct lcx__plan *plan = NULL;
	CLEANUP(closep) int line = -1;
	int r = lcx__plan_new(&plan, err);

	lcx__criu_put_request(&request, type, NULL);
	if (r == 0)
		r = lcx__criu_start(wanted, plan, -1, &child, &line, err);
	return r == 0 ? lcx__criu_ask(line, child.pidfd, &request, NULL, answer, err) : r;
}

int lcx__criu_check_version(const char *wanted, struct lcx_error **err)
{
	struct lcx__criu_answer answer;
	int r = ask(wanted, LCX__CRIU_VERSION, &answer, err);

	return r == 0 ? check_version(&answer, err) : r;
}

/* As the administrator runs it: the same question over the line has another answer. */
static int run_check(const char *path, struct lcx_error **err)
{
	const char *const args[] = {path, "check", NULL};

	return lcx__run(
		&(struct lcx__run){
			.name = "criu check",
			.path = path,
			.args = args,
			.env = environment,
			.input_fd = -1,
			.timeout_ms = CHECK_MS,
		},
		err);
}

int lcx__criu_check(struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	const char *path = lcx__criu_find(NULL, err);
	int r = path ? lcx__criu_check_version(NULL, err) : -EOPNOTSUPP;

	if (r < 0 || run_check(path, &why) == 0)
		return r;
	return lcx__fail(err, EOPNOTSUPP, "criu does not get on with this kernel: %s",
			 lcx_error_message(why));
}
