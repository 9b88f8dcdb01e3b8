/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "lcx/process.h"
#include "util/cleanup.h"
#include "util/str.h"

/* All of signal(7). Two names of one number are both known. */
static const struct {
	const char *name;
	int number;
} signals[] = {
	{"HUP", SIGHUP},       {"INT", SIGINT},   {"QUIT", SIGQUIT},     {"ILL", SIGILL},
	{"TRAP", SIGTRAP},     {"ABRT", SIGABRT}, {"IOT", SIGABRT},      {"BUS", SIGBUS},
	{"FPE", SIGFPE},       {"KILL", SIGKILL}, {"USR1", SIGUSR1},     {"SEGV", SIGSEGV},
	{"USR2", SIGUSR2},     {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},     {"TERM", SIGTERM},
#ifdef SIGSTKFLT /* not on every architecture */
	{"STKFLT", SIGSTKFLT},
#endif
	{"CHLD", SIGCHLD},     {"CLD", SIGCHLD},  {"CONT", SIGCONT},     {"STOP", SIGSTOP},
	{"TSTP", SIGTSTP},     {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},     {"URG", SIGURG},
	{"XCPU", SIGXCPU},     {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF},
	{"WINCH", SIGWINCH},   {"IO", SIGIO},     {"POLL", SIGIO},       {"PWR", SIGPWR},
	{"SYS", SIGSYS},
};

/* "RTMIN", "RTMIN+3", "RTMAX-1": @text is what follows the name. */
static int parse_realtime(const char *text, char sign, int from)
{
	uint64_t distance = 0;

	if (text[0] && (text[0] != sign ||
			lcx__parse_u64(text + 1, (uint64_t)(SIGRTMAX - SIGRTMIN), &distance) < 0))
		return -EINVAL;
	return sign == '+' ? from + (int)distance : from - (int)distance;
}

LCX_PUBLIC int32_t lcx_signal_parse(const char *text)
{
	uint64_t number;

	if (lcx__parse_u64(text, (uint64_t)SIGRTMAX, &number) == 0)
		return (int32_t)number;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	if (strncasecmp(text, "RTMIN", 5) == 0)
		return parse_realtime(text + 5, '+', SIGRTMIN);
	if (strncasecmp(text, "RTMAX", 5) == 0)
		return parse_realtime(text + 5, '-', SIGRTMAX);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (strcasecmp(signals[i].name, text) == 0)
			return signals[i].number;
	return -EINVAL;
}
