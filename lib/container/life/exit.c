/* SPDX-License-Identifier: MIT */
#include "container/life/life.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "container/event.h"
#include "util/fs.h"

/*
 * How a run ended stands in two places. The container's "exit" is that of its last run, until it is
 * started again or removed, which may come at once. Whoever waits for a run holds open what its
 * owner has locked, the run's alone, which has the same line and can be read when nothing else of
 * the container is left. It is written first.
 */

static void write_for_waiters(const struct lcx_container *c, const char *text)
{
	CLEANUP(closep) int fd = -1;
	struct stat st;

	if (c->run_fd >= 0)
		fd = openat(c->run_fd, "owner", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	/* Without it they hear that nobody knows. */
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size == 0)
		(void)!write(fd, text, strlen(text));
}

int lcx__container_record_exit(struct lcx_container *c, int32_t status, struct lcx_error **err)
{
	char text[64];
	int r;

	if (faccessat(c->dir_fd, "exit", F_OK, 0) == 0)
		return 0;
	(void)snprintf(text, sizeof(text), "%d %lld\n", status, (long long)lcx__now_ns());
	write_for_waiters(c, text);
	r = lcx__replace_file(c->dir_fd, "exit", text, strlen(text), 0600, false);
	if (r < 0)
		return lcx__fail_sys(err, -r, "record the exit status");
	lcx__event_emit_exit(c, status);
	return 0;
}

int lcx__waited_note(struct lcx_container *c, struct lcx_error **err)
{
	struct run_identity run = lcx__run_identify(c);
	int fd;

	if (!lcx__container_is_running(c) || (c->waited.fd >= 0 && lcx__run_is(c, c->waited.run)))
		return 0;
	fd = openat(c->run_fd, "owner", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno != ENOENT)
		return lcx__fail_sys(err, errno, "look for the owner of '%s'",
				     lcx__container_display(c));
	closep(&c->waited.fd);
	c->waited.fd = fd;
	c->waited.run = run;
	return 0;
}

bool lcx__waited_read(const struct lcx_container *c, int32_t *ret_status)
{
	char text[64];
	ssize_t n = c->waited.fd < 0 ? 0 : pread(c->waited.fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return strchr(text, '\n') && sscanf(text, "%" SCNd32, ret_status) == 1;
}
