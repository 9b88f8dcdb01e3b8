/* SPDX-License-Identifier: MIT */
#include "container/life/life.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "container/event.h"
#include "init/plan.h"
#include "util/fs.h"

/*
 * How a run ended stands in two places. The container's "exit" is that of its last run, until it is
 * started again or removed, which may come at once. Whoever waits for a run holds open what its
 * owner has locked, the run's alone, which has the same line and can be read when nothing else of
 * the container is left. It is written first.
 *
 * The disk may be full by then, perhaps of what the container wrote: ".exit" has had its room since
 * the container was made, and is written over and renamed.
 *
 * A start puts "exit" aside, as "exit.last", until it is written down itself, in "started": who is
 * killed before has started nothing, and the last run ended as it did, whatever else a monitor
 * still writes. An end that is older than "started" is of a run before that one.
 */

static int write_line(int dir_fd, const char *name, int flags, const char *line)
{
	CLEANUP(closep)
	int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

	return fd < 0 ? -errno : lcx__write_all(fd, line, strlen(line));
}

int lcx__exit_reserve(int dir_fd)
{
	char line[PLAN_EXIT_SIZE];

	(void)snprintf(line, sizeof(line), "%*s\n", PLAN_EXIT_SIZE - 2, "");
	return write_line(dir_fd, ".exit", O_CREAT | O_EXCL, line);
}

static bool read_exit(int dir_fd, const char *name, int32_t *ret_status, int64_t *ret_ns)
{
	CLEANUP(freep) char *text = NULL;

	return lcx__read_file(dir_fd, name, 256, &text, NULL) == 0 &&
	       sscanf(text, "%" SCNd32 " %" SCNd64, ret_status, ret_ns) == 2;
}

static bool read_last(int dir_fd, int64_t started_ns, int32_t *ret_status, int64_t *ret_ns)
{
	int32_t status;
	int64_t ns;

	if (!read_exit(dir_fd, "exit.last", &status, &ns) || ns < started_ns)
		return false;
	*ret_status = status;
	*ret_ns = ns;
	return true;
}

int lcx__exit_put_aside(int dir_fd, int64_t started_ns)
{
	int64_t ns;
	int32_t status;
	/* After a start that nobody has written down, "exit" is that one's. */
	bool is_aside = read_last(dir_fd, started_ns, &status, &ns);
	int r;

	if (renameat(dir_fd, "exit", dir_fd, is_aside ? ".exit" : "exit.last") < 0 &&
	    errno != ENOENT)
		return -errno;
	r = lcx__exit_reserve(dir_fd);
	return r == -EEXIST ? 0 : r;
}

void lcx__exit_forget(int dir_fd)
{
	(void)unlinkat(dir_fd, "exit.last", 0);
}

bool lcx__exit_read(int dir_fd, int64_t started_ns, int32_t *ret_status, int64_t *ret_ns)
{
	return read_last(dir_fd, started_ns, ret_status, ret_ns) ||
	       read_exit(dir_fd, "exit", ret_status, ret_ns);
}

static bool read_line(int fd, int32_t *ret_status)
{
	char text[PLAN_EXIT_SIZE];
	ssize_t n = fd < 0 ? 0 : pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return strchr(text, '\n') && sscanf(text, "%" SCNd32, ret_status) == 1;
}

/* What the owner has told, who could not write the other any more, is so. */
static int32_t told_or(const struct lcx_container *c, int32_t status)
{
	CLEANUP(closep)
	int fd = c->run_fd < 0 ? -1 : openat(c->run_fd, "owner", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	(void)read_line(fd, &status);
	return status;
}

int lcx__container_record_exit(struct lcx_container *c, int32_t status, struct lcx_error **err)
{
	char line[PLAN_EXIT_SIZE];
	int64_t last_ns;
	int32_t last;
	int r;

	/* Of a start that nobody has written down, whatever its monitor has. */
	if (read_last(c->dir_fd, c->started_ns, &last, &last_ns))
		return 0;
	if (faccessat(c->dir_fd, "exit", F_OK, 0) == 0)
		return 0;
	status = told_or(c, status);
	(void)snprintf(line, sizeof(line), "%-11d %-*lld\n", status, PLAN_EXIT_SIZE - 14,
		       (long long)lcx__now_ns());
	if (c->run_fd >= 0) /* without it those who wait hear that nobody knows */
		(void)write_line(c->run_fd, "owner", 0, line);
	r = write_line(c->dir_fd, ".exit", O_CREAT, line);
	if (r == 0 && renameat(c->dir_fd, ".exit", c->dir_fd, "exit") < 0)
		r = -errno;
	if (r < 0)
		return lcx__fail_sys(err, -r, "record the exit status");
	lcx__event_emit_exit(c, status);
	return 0;
}

int lcx__waited_note(struct lcx_container *c, struct lcx_error **err)
{
	struct run_identity run = lcx__run_identify(c);
	int fd;

	/* Until its starter has written down which process it is, it is no run. */
	if (c->run_fd < 0 || run.pid == 0 || (c->waited.fd >= 0 && lcx__run_is(c, c->waited.run)))
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
	return read_line(c->waited.fd, ret_status);
}
