/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "memory.h"

/* This is a program, with one terminal; its signal handlers can be told in no other way. */
static struct {
	struct termios before;
	bool saved;
	volatile sig_atomic_t raw;
} terminal;

struct terminal_size terminal_size(void)
{
	struct winsize size;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
			return (struct terminal_size){size.ws_row, size.ws_col};
	}
	return (struct terminal_size){24, 80};
}

/* Safe in a signal handler: tcsetattr(3) is, and errno is put back. */
void terminal_restore(void)
{
	int saved_errno = errno;

	if (terminal.raw) {
		terminal.raw = 0;
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal.before);
	}
	errno = saved_errno;
}

static void on_crash(int signal)
{
	terminal_restore();
	/* SA_RESETHAND has put the default back: the second one ends the program. */
	(void)raise(signal);
}

static void restore_on_every_way_out(void)
{
	static const int crashes[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS};
	struct sigaction action = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};

	(void)atexit(terminal_restore);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
		(void)sigaction(crashes[i], &action, NULL);
}

bool terminal_set_raw(void)
{
	struct termios raw;

	if (!terminal.saved) {
		if (tcgetattr(STDIN_FILENO, &terminal.before) < 0)
			return false;
		terminal.saved = true;
		restore_on_every_way_out();
	}
	raw = terminal.before;
	cfmakeraw(&raw);
	terminal.raw = 1;
	return tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static char *ask(const char *prompt, bool shown)
{
	CLEANUP(closep) int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios before, silent;
	char line[1024], *answer;
	ssize_t n;

	if (fd < 0 || tcgetattr(fd, &before) < 0)
		return NULL;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(shown ? 0 : ECHO);
	/* What is typed once the prompt is there counts: only what was typed before is dropped. */
	(void)tcsetattr(fd, TCSAFLUSH, &silent);
	dprintf(fd, "%s", prompt);
	n = read(fd, line, sizeof(line) - 1);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	if (!shown)
		dprintf(fd, "\n");
	if (n < 0)
		return NULL;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	answer = xprintf("%s", line);
	explicit_bzero(line, sizeof(line));
	return answer;
}

char *terminal_ask(const char *prompt)
{
	return ask(prompt, true);
}

char *terminal_ask_secret(const char *prompt)
{
	return ask(prompt, false);
}
