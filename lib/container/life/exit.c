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
 * the container was made, and is written over and renamed. One that its owner removes in the same
 * breath has no such file: it would be made to be removed.
 *
 * Each start draws a number, its run's, and all that is told of a run carries it. "started", which
 * a start writes when all is well, says which run was the last; of any other nothing counts,
 * whoever writes it, and when. So who is killed or fails before that has started nothing, and the
 * last run ended as it did: its end is kept aside for that, as "exit.last".
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

	/* Over what is there, which a start that was cut short may have left empty. */
	(void)snprintf(line, sizeof(line), "%*s\n", PLAN_EXIT_SIZE - 2, "");
	return write_line(dir_fd, ".exit", O_CREAT, line);
}

static bool parse(const char *text, int64_t run, int32_t *ret_status, int64_t *ret_ns)
{
	int64_t ns, whose = 0;
	int32_t status;

	if (sscanf(text, "%" SCNd32 " %" SCNd64 " %" SCNd64, &status, &ns, &whose) < 2 ||
	    whose != run)
		return false;
	*ret_status = status;
	*ret_ns = ns;
	return true;
}

static bool read_exit(int dir_fd, const char *name, int64_t run, int32_t *ret_status,
		      int64_t *ret_ns)
{
	CLEANUP(freep) char *text = NULL;

	return lcx__read_file(dir_fd, name, 256, &text, NULL) == 0 &&
	       parse(text, run, ret_status, ret_ns);
}

bool lcx__exit_read(int dir_fd, int64_t run, int32_t *ret_status, int64_t *ret_ns)
{
	return read_exit(dir_fd, "exit", run, ret_status, ret_ns) ||
	       read_exit(dir_fd, "exit.last", run, ret_status, ret_ns);
}

int lcx__exit_put_aside(int dir_fd, int64_t last_run)
{
	int64_t ns;
	int32_t status;
	bool is_last = read_exit(dir_fd, "exit", last_run, &status, &ns);

	if (renameat(dir_fd, "exit", dir_fd, is_last ? "exit.last" : ".exit") < 0 &&
	    errno != ENOENT)
		return -errno;
	return lcx__exit_reserve(dir_fd);
}

void lcx__oom_note(int dir_fd, int64_t run)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%lld\n", (long long)run);
	(void)lcx__replace_file(dir_fd, "oom", text, strlen(text), 0600, false);
}

bool lcx__oom_was_noted(int dir_fd, int64_t run)
{
	CLEANUP(freep) char *text = NULL;
	int64_t whose;

	return lcx__read_file(dir_fd, "oom", 32, &text, NULL) == 0 &&
	       sscanf(text, "%" SCNd64, &whose) == 1 && whose == run;
}

/* Return: whether the owner has told. */
static bool read_line(int fd, char text[static PLAN_EXIT_SIZE])
{
	ssize_t n = fd < 0 ? 0 : pread(fd, text, PLAN_EXIT_SIZE - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return strchr(text, '\n') != NULL;
}

/* What the owner has told, who could not write the other any more, is so. */
static int32_t told_or(const struct lcx_container *c, int32_t status)
{
	CLEANUP(closep)
	int fd = c->run_fd < 0 ? -1 : openat(c->run_fd, "owner", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[PLAN_EXIT_SIZE];
	int64_t ns;

	if (read_line(fd, text))
		(void)parse(text, c->last_run, &status, &ns);
	return status;
}

static bool is_removed_at_once(const struct lcx_container *c)
{
	return c->d.auto_remove.value && c->process;
}

static int put_exit(int dir_fd, const char *line)
{
	int r = write_line(dir_fd, ".exit", O_CREAT, line);

	return r == 0 && renameat(dir_fd, ".exit", dir_fd, "exit") < 0 ? -errno : r;
}

int lcx__container_record_exit(struct lcx_container *c, int32_t status, struct lcx_error **err)
{
	char text[PLAN_EXIT_SIZE - 1], line[PLAN_EXIT_SIZE];
	int64_t ns;
	int32_t known;
	int r;

	if (lcx__exit_read(c->dir_fd, c->last_run, &known, &ns))
		return 0;
	status = told_or(c, status);
	(void)snprintf(text, sizeof(text), "%d %lld %lld", status, (long long)lcx__now_ns(),
		       (long long)c->last_run);
	(void)snprintf(line, sizeof(line), "%-*s\n", PLAN_EXIT_SIZE - 2, text);
	if (c->run_fd >= 0) /* without it those who wait hear that nobody knows */
		(void)write_line(c->run_fd, "owner", 0, line);
	r = is_removed_at_once(c) ? 0 : put_exit(c->dir_fd, line);
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
	char text[PLAN_EXIT_SIZE];

	return read_line(c->waited.fd, text) && sscanf(text, "%" SCNd32, ret_status) == 1;
}
