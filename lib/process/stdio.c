/* SPDX-License-Identifier: MIT */
#include "process/stdio.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "util/weaken.h"

LCX_PUBLIC int lcx_stdio_new(struct lcx_stdio **ret, struct lcx_error **err)
{
	struct lcx_stdio *stdio = calloc(1, sizeof(*stdio));

	if (!stdio)
		return lcx__fail_nomem(err);
	for (int i = 0; i < 3; i++)
		stdio->fds[i] = -1;
	*ret = stdio;
	return 0;
}

static void set_fds(struct lcx_stdio *stdio, enum lcx__stdio_mode mode, int in_fd, int out_fd,
		    int err_fd)
{
	stdio->mode = mode;
	stdio->fds[0] = in_fd;
	stdio->fds[1] = out_fd;
	stdio->fds[2] = err_fd;
}

LCX_PUBLIC void lcx_stdio_set_passthrough(struct lcx_stdio *stdio, int in_fd, int out_fd,
					  int err_fd)
{
	set_fds(stdio, LCX__STDIO_PASSTHROUGH, in_fd, out_fd, err_fd);
}

LCX_PUBLIC void lcx_stdio_set_attach(struct lcx_stdio *stdio, int in_fd, int out_fd, int err_fd)
{
	set_fds(stdio, LCX__STDIO_CAPTURE, in_fd, out_fd, err_fd);
}

LCX_PUBLIC void lcx_stdio_set_terminal(struct lcx_stdio *stdio, uint16_t rows, uint16_t columns)
{
	stdio->terminal = true;
	stdio->rows = rows;
	stdio->columns = columns;
}

LCX_PUBLIC void lcx_stdio_set_console_socket(struct lcx_stdio *stdio, int socket_fd)
{
	stdio->has_console = true;
	stdio->console_fd = socket_fd;
}

LCX_PUBLIC int lcx_stdio_set_preserved(struct lcx_stdio *stdio, int32_t count,
				       struct lcx_error **err)
{
	if (count < 0 || count > LCX__PRESERVED_MAX)
		return lcx__fail(err, EINVAL, "%d descriptors to hand on: must be 0 to %d", count,
				 LCX__PRESERVED_MAX);
	for (int fd = 3; fd < 3 + count; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags < 0)
			return lcx__fail_sys(err, errno, "hand descriptor %d on", fd);
		/* What an exec would not hand on, such as each of the library's own: one of a
		 * directory would lead out of the container. */
		if (flags & FD_CLOEXEC && !lcx__is_off(PRESERVED))
			return lcx__fail(err, EBADF, "hand descriptor %d on: it is close-on-exec",
					 fd);
	}
	stdio->n_preserved = count;
	return 0;
}

/* One key, without the comma behind it: a character, or "ctrl-" and one that has a control code. */
static int parse_key(const char *text, size_t length, unsigned char *ret)
{
	static const char control[] = "ctrl-";
	unsigned char key = (unsigned char)text[length - 1];

	if (length == 1) {
		*ret = key;
		return 0;
	}
	if (length != sizeof(control) || strncasecmp(text, control, length - 1) != 0)
		return -EINVAL;
	if (key >= 'a' && key <= 'z')
		key = (unsigned char)(key - 'a' + 'A');
	if (key < '@' || key > '_')
		return -EINVAL;
	*ret = key & 0x1f;
	return 0;
}

LCX_PUBLIC int lcx_stdio_set_detach_keys(struct lcx_stdio *stdio, const char *keys,
					 struct lcx_error **err)
{
	unsigned char parsed[LCX__DETACH_KEYS_MAX];
	uint32_t n = 0;

	for (const char *at = keys; *at;) {
		size_t length = strcspn(at, ",");

		if (length == 0)
			length = 1; /* the comma itself */
		if (n == LCX__DETACH_KEYS_MAX || parse_key(at, length, &parsed[n++]) < 0)
			return lcx__fail(
				err, EINVAL,
				"detach keys '%s': must be at most %d of single characters "
				"and ctrl- with a letter or one of @[\\]^_, with commas "
				"between them",
				keys, LCX__DETACH_KEYS_MAX);
		at += length;
		at += *at == ',';
	}
	memcpy(stdio->detach_keys, parsed, n);
	stdio->n_detach_keys = n;
	return 0;
}

LCX_PUBLIC struct lcx_stdio *lcx_stdio_free(struct lcx_stdio *stdio)
{
	free(stdio);
	return NULL;
}

/* Only our end is made non-blocking: the flag belongs to an end of a pipe, not to the pipe. */
static int open_pipe(int *child, int *host, bool to_child, struct lcx_error **err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return lcx__fail_sys(err, errno, "make a pipe");
	*child = ends[to_child ? 0 : 1];
	*host = ends[to_child ? 1 : 0];
	if (fcntl(*host, F_SETFL, O_NONBLOCK) < 0)
		return lcx__fail_sys(err, errno, "make a pipe");
	return 0;
}

/*
 * A directory is no input or output: it is one that somebody opened where a standard descriptor was
 * closed, and a way out of the container.
 */
static int check_passed(int fd, struct lcx_error **err)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fstat(fd, &st) < 0)
		return lcx__fail_sys(err, errno, "pass descriptor %d on", fd);
	if (S_ISDIR(st.st_mode) || flags & O_PATH)
		return lcx__fail(err, EBADF,
				 "descriptor %d can't be passed on: it is %s, and nothing to read "
				 "or write",
				 fd, S_ISDIR(st.st_mode) ? "a directory" : "a mere path");
	return 0;
}

static int copy_fds(const struct lcx_stdio *stdio, struct lcx__streams *streams,
		    struct lcx_error **err)
{
	for (int i = 0; i < 3; i++) {
		int r;

		if (stdio->fds[i] < 0)
			continue;
		r = check_passed(stdio->fds[i], err);
		if (r < 0)
			return r;
		streams->child[i] = fcntl(stdio->fds[i], F_DUPFD_CLOEXEC, 3);
		if (streams->child[i] < 0)
			return lcx__fail_sys(err, errno, "pass descriptor %d on", stdio->fds[i]);
	}
	return 0;
}

static int open_pipes(bool input, struct lcx__streams *streams, struct lcx_error **err)
{
	for (int i = input ? 0 : 1; i < 3; i++) {
		int r = open_pipe(&streams->child[i], &streams->host[i], i == 0, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int lcx__streams_open(const struct lcx_stdio *stdio, struct lcx__streams *ret,
		      struct lcx_error **err)
{
	int r = 0;

	*ret = LCX__STREAMS_NONE;
	if (stdio && stdio->has_console)
		return 0;
	if (stdio && stdio->terminal && stdio->mode == LCX__STDIO_PASSTHROUGH)
		return lcx__fail(err, EINVAL,
				 "a terminal and passed-through descriptors exclude each other");
	if (stdio && stdio->mode == LCX__STDIO_PASSTHROUGH)
		r = copy_fds(stdio, ret, err);
	else if (!stdio || !stdio->terminal)
		r = open_pipes(stdio && stdio->fds[0] >= 0, ret, err);
	if (r < 0)
		lcx__streams_close(ret);
	return r;
}

int lcx__streams_open_detached(bool terminal, bool input, struct lcx__streams *ret,
			       struct lcx_error **err)
{
	int r;

	*ret = LCX__STREAMS_NONE;
	r = terminal ? 0 : open_pipes(input, ret, err);
	if (r < 0)
		lcx__streams_close(ret);
	return r;
}

void lcx__streams_give(const struct lcx__streams *streams, uint32_t uid)
{
	for (int i = 0; i < 3; i++)
		if (streams->host[i] >= 0)
			(void)!fchown(streams->child[i], uid, (gid_t)-1);
}

void lcx__streams_close_child(struct lcx__streams *streams)
{
	for (int i = 0; i < 3; i++)
		closep(&streams->child[i]);
}

void lcx__streams_close(struct lcx__streams *streams)
{
	lcx__streams_close_child(streams);
	for (int i = 0; i < 3; i++)
		closep(&streams->host[i]);
}
