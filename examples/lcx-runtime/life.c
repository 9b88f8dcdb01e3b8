/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "runtime.h"

/* kill, delete, pause, resume. */

struct kill_options {
	bool all, regex;
	int signal;
};

const struct option kill_options[] = {
	{'a', "all", OPTION_FLAG, offsetof(struct kill_options, all), "every process of it"},
	{'r', "regex", OPTION_FLAG, offsetof(struct kill_options, regex),
	 "every container whose name fits the regular expression"},
	{0},
};

struct delete_options {
	bool force, regex;
};

const struct option delete_options[] = {
	{'f', "force", OPTION_FLAG, offsetof(struct delete_options, force),
	 "kill it first if it runs; no error if it is not there"},
	{'r', "regex", OPTION_FLAG, offsetof(struct delete_options, regex),
	 "every container whose name fits the regular expression"},
	{0},
};

/* Digits only, at most SIGRTMAX; -1 for what is none. */
static int parse_number(const char *text)
{
	int number = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9' && number <= SIGRTMAX; at++)
		number = number * 10 + (*at - '0');
	return at == text || *at || number > SIGRTMAX ? -1 : number;
}

/* The second names of some, which sigabbrev_np(3) does not know. */
static const struct {
	const char *name;
	int signal;
} more_signals[] = {{"IO", SIGIO}, {"IOT", SIGIOT}, {"CLD", SIGCHLD}};

static int parse_name(const char *text)
{
	for (int signal = 1; signal < 32; signal++)
		if (sigabbrev_np(signal) && strcasecmp(sigabbrev_np(signal), text) == 0)
			return signal;
	for (size_t i = 0; i < sizeof(more_signals) / sizeof(*more_signals); i++)
		if (strcasecmp(more_signals[i].name, text) == 0)
			return more_signals[i].signal;
	return -1;
}

/* "RTMIN", "RTMIN+3", "RTMAX-2": @text is what follows the name. */
static int parse_realtime(const char *text, char sign, int from)
{
	int number = *text == sign ? parse_number(text + 1) : *text ? -1 : 0;

	if (number < 0 || number > SIGRTMAX - SIGRTMIN)
		return -1;
	return sign == '+' ? from + number : from - number;
}

/* "9", "KILL", "SIGKILL", "rtmin+3"; 0 asks whether it is there. Return: -1 for what is none. */
static int parse_signal(const char *text)
{
	if (*text >= '0' && *text <= '9')
		return parse_number(text);
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	if (strncasecmp(text, "RTMIN", 5) == 0)
		return parse_realtime(text + 5, '+', SIGRTMIN);
	if (strncasecmp(text, "RTMAX", 5) == 0)
		return parse_realtime(text + 5, '-', SIGRTMAX);
	return parse_name(text);
}

static int kill_one(struct runtime *rt, const char *id, const void *data)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	const struct kill_options *o = data;
	int r;

	if (open_container(rt, id, &c) != 0)
		return 1;
	r = o->all ? lcx_container_kill_all(c, o->signal, &err)
		   : lcx_container_kill(c, o->signal, &err);
	if (r == -ESRCH)
		return report(rt, "container not running");
	return r < 0 ? report_error(rt, err) : 0;
}

int cmd_kill(struct runtime *rt, void *values, int argc, char **argv)
{
	struct kill_options *o = values;

	o->signal = argc > 1 ? parse_signal(argv[1]) : SIGTERM;
	if (o->signal < 0)
		return report(rt, "'%s' is not a signal", argv[1]);
	return o->regex ? for_each_matching(rt, argv[0], kill_one, o) : kill_one(rt, argv[0], o);
}

static int delete_one(struct runtime *rt, const char *id, const void *data)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	const struct delete_options *o = data;
	int r;

	if (open_root(rt) != 0)
		return 1;
	r = lcx_bundle_open(rt->ctx, id, &c, &err);
	if (r == -ENOENT && o->force)
		return 0;
	if (r < 0)
		return report_error(rt, err);
	if (lcx_container_remove(c, o->force, &err) < 0)
		return lcx_error_code(err) == EBUSY
			       ? report(rt, "cannot delete container %s that is not stopped: %s",
					id, lcx_error_message(err))
			       : report_error(rt, err);
	return 0;
}

int cmd_delete(struct runtime *rt, void *values, int argc, char **argv)
{
	const struct delete_options *o = values;

	(void)argc;
	return o->regex ? for_each_matching(rt, argv[0], delete_one, o)
			: delete_one(rt, argv[0], o);
}

static int freeze(struct runtime *rt, const char *id,
		  int (*change)(struct lcx_container *c, struct lcx_error **err))
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int r;

	if (open_container(rt, id, &c) != 0)
		return 1;
	r = change(c, &err);
	if (r == -ESRCH)
		return report(rt, "container not running");
	return r < 0 ? report_error(rt, err) : 0;
}

int cmd_pause(struct runtime *rt, void *values, int argc, char **argv)
{
	(void)values;
	(void)argc;
	return freeze(rt, argv[0], lcx_container_pause);
}

int cmd_resume(struct runtime *rt, void *values, int argc, char **argv)
{
	(void)values;
	(void)argc;
	return freeze(rt, argv[0], lcx_container_unpause);
}
