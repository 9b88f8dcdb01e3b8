/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <asm/errno.h>
#include <linux/fcntl.h>

#include "log/writer.h"

/*
 * A monitor's words in the stream of events: lib/container/event.h tells the format. Whoever
 * rotates the stream holds the lock for an instant; one who was stopped just then must not stop
 * the container, so that the event is given up after a while.
 */

enum { SHARED = 1, NONBLOCK = 4, TRIES = 100 };

static int lock(int dir_fd)
{
	struct sys_timespec pause = {0, 10000000};
	int fd = sys_openat(dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	for (int i = 0; fd >= 0 && i < TRIES; i++) {
		if (sys_call2(__NR_flock, fd, SHARED | NONBLOCK) == 0)
			return fd;
		sys_call2(__NR_nanosleep, &pause, 0);
	}
	if (fd >= 0)
		sys_close(fd);
	return -1;
}

static size_t spell(char *line, const char *text)
{
	struct sys_timespec now = {0, 0};
	struct lcx__log_clock clock;

	(void)sys_clock_gettime(0 /* CLOCK_REALTIME */, &now);
	lcx__log_clock_init(&clock);
	lcx__log_clock_set(&clock, now.tv_sec, (uint32_t)now.tv_nsec);
	return lcx__log_format_cri(line, (const uint8_t *)text, strlen(text), true,
				   LCX_LOG_STREAM_STDOUT, clock.text);
}

void init_event(int dir_fd, const char *text)
{
	char line[PLAN_EVENT_SIZE + 32 + LCX__LOG_LINE_OVERHEAD];
	int lock_fd, fd;

	if (dir_fd < 0 || text[0] == '\0')
		return;
	lock_fd = lock(dir_fd);
	if (lock_fd < 0)
		return;
	fd = sys_openat(dir_fd, "log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			0600);
	if (fd >= 0) {
		(void)sys_write(fd, line, spell(line, text));
		sys_close(fd);
	}
	sys_close(lock_fd);
}
