/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app.h"
#include "memory.h"
#include "options.h"

DEFINE_CLEANUP(struct lcx_net_watch *, lcx_net_watch_free)

struct supervise_options {
	bool while_needed;
};

static const struct option_row rows[] = {
	{'\0', "while-needed", OPTION_FLAG, offsetof(struct supervise_options, while_needed), NULL,
	 "end when no container has a restart policy or a health check, or is a whole system"},
	{0},
};

static const struct grammar grammar = {
	.about = "Start containers again as their restart policies say, and check their health,\n"
		 "until it is ended.\n"
		 "Have it started with the machine; 'lcx run --restart' starts one if there is "
		 "none.",
	.rows = rows,
};

static int open_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	return sigprocmask(SIG_BLOCK, &set, NULL) < 0
		       ? -1
		       : signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Who has no right to look at the firewall has nothing in it either. */
static struct lcx_net_watch *open_watch(struct app *app)
{
	struct lcx_net_watch *watch = NULL;

	return lcx_net_watch_open(app->ctx, &watch, NULL) < 0 ? NULL : watch;
}

/* Return: 0 when it was told to end, 1 when nobody needs it. */
static int serve(struct app *app, struct lcx_supervisor *supervisor, int signal_fd,
		 bool while_needed)
{
	CLEANUP(lcx_net_watch_freep) struct lcx_net_watch *watch = open_watch(app);
	struct pollfd fds[] = {
		{.fd = lcx_supervisor_fd(supervisor), .events = POLLIN},
		{.fd = signal_fd, .events = POLLIN},
		{.fd = watch ? lcx_net_watch_fd(watch) : -1, .events = POLLIN},
	};

	while (!while_needed || lcx_supervisor_count(supervisor) > 0) {
		struct lcx_error *err = NULL;

		(void)poll(fds, 3, -1);
		if (fds[1].revents)
			return 0;
		if (fds[2].revents && lcx_net_watch_dispatch(watch, &err) < 0)
			app_report(app, &err);
		if (lcx_supervisor_dispatch(supervisor, &err) < 0)
			app_report(app, &err);
	}
	return 1;
}

int cmd_supervise(struct app *app, int argc, char **argv)
{
	CLEANUP(closep) int signal_fd = open_signals();
	struct supervise_options o = {0};
	enum options_result result = options_parse(app, &grammar, &o, &argc, argv);
	int again = 1;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	/* Once more after the lock was given up: whoever found it taken meanwhile relies on us. */
	for (int rounds = 0; again; rounds++) {
		CLEANUP(lcx_supervisor_freep) struct lcx_supervisor *supervisor = NULL;
		struct lcx_error *err = NULL;

		if (lcx_supervisor_new(app->ctx, &supervisor, &err) < 0) {
			if (rounds == 0 && !o.while_needed)
				app_report(app, &err);
			lcx_error_free(err);
			return rounds == 0 && !o.while_needed ? EXIT_COMMAND_FAILED : EXIT_SUCCESS;
		}
		again = lcx_supervisor_count(supervisor) > 0 || rounds == 0 || !o.while_needed;
		if (again)
			again = serve(app, supervisor, signal_fd, o.while_needed);
	}
	return EXIT_SUCCESS;
}

/* ---- started by others ---------------------------------------------------- */

static void become_supervisor(const struct app *app)
{
	const char *argv[] = {"lcx",
			      "--root",
			      lcx_ctx_root_dir(app->ctx),
			      "--run-dir",
			      lcx_ctx_run_dir(app->ctx),
			      "supervise",
			      "--while-needed",
			      NULL};
	sigset_t none;
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (setsid() < 0 || fork() != 0 || chdir("/") < 0)
		_exit(0);
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null_fd, fd);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execv("/proc/self/exe", (char **)(uintptr_t)argv);
	_exit(127);
}

/* One that runs already makes the new one end at once. */
void app_supervise(struct app *app, const struct lcx_container *container)
{
	pid_t child;

	if (strcmp(lcx_container_restart_policy(container), "no") == 0 &&
	    !lcx_container_is_system(container) && !lcx_container_has_health_check(container))
		return;
	child = fork();
	if (child == 0)
		become_supervisor(app);
	if (child > 0)
		(void)waitpid(child, NULL, 0);
}
