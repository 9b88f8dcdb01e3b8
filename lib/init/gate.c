/* SPDX-License-Identifier: MIT */
#include "init/gate.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "init/plan-internal.h"
#include "util/sys.h"

static const char *const names[] = {"gate", "failure"};

int lcx__gate_make(int dir_fd, int ret_fds[2], struct lcx_error **err)
{
	CLEANUP(closep) int gate_fd = -1;
	int fds[2];

	for (int i = 0; i < 2; i++) {
		if (mkfifoat(dir_fd, names[i], 0600) < 0)
			return lcx__fail_sys(err, errno, "make the gate");
		/* Both directions: neither the opening nor the reading then depends on others. */
		fds[i] = openat(dir_fd, names[i], O_RDWR | O_NOFOLLOW | O_CLOEXEC);
		if (fds[i] < 0)
			return lcx__fail_sys(err, errno, "open the gate");
		if (i == 0)
			gate_fd = fds[i];
	}
	ret_fds[0] = TAKE_FD(gate_fd);
	ret_fds[1] = fds[1];
	return 0;
}

/* ENXIO: nobody reads, so nobody waits. */
static int open_gate(int dir_fd)
{
	int fd = openat(dir_fd, names[0], O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

bool lcx__gate_is_closed(int dir_fd)
{
	CLEANUP(closep) int fd = open_gate(dir_fd);

	return fd >= 0;
}

/* Open for reading, too: if it ends just now, the write fails nobody. */
static int push(int dir_fd)
{
	CLEANUP(closep) int fd = openat(dir_fd, names[0], O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, "", 1) == 1 ? 0 : -errno;
}

static const char *step_name(uint32_t code)
{
	switch (code) {
	case PLAN_EXEC:
		return "execute";
	case PLAN_HOOK:
		return "run the startContainer hooks of";
	default:
		return "prepare the start of";
	}
}

/* Until its last writer is gone: the exec closes lcx-init's. */
static int listen_for_failure(int fd, int pidfd, const char *program, struct lcx_error **err)
{
	struct plan_message message;
	ssize_t n;
	int r = lcx__wait_for_word(fd, pidfd, -1, err);

	/* Who lets it go on later must not start what was told to have failed. */
	if (r == -ECANCELED)
		(void)sys_pidfd_send_signal(pidfd, SIGKILL);
	if (r < 0)
		return r;
	do
		n = read(fd, &message, sizeof(message));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	if (n != sizeof(message) || message.type != PLAN_MESSAGE_ERROR || message.error <= 0)
		return lcx__fail_sys(err, n < 0 ? errno : EPROTO, "start '%s'", program);
	message.text[sizeof(message.text) - 1] = '\0';
	lcx__fail_sys(err, message.error, "%s '%s'%s%s", step_name(message.code), program,
		      message.text[0] ? ": " : "", message.text);
	return lcx__fail_stage(err, -message.error, lcx__plan_code_stage(message.code));
}

int lcx__gate_open(int dir_fd, int pidfd, const char *program, struct lcx_error **err)
{
	CLEANUP(closep) int failure_fd = -1;
	int r;

	/* Before the push, and without waiting for lcx-init, which may be gone. */
	failure_fd = openat(dir_fd, names[1], O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (failure_fd < 0 || !lcx__gate_is_closed(dir_fd))
		return lcx__fail(err, ESRCH, "nobody waits to be started");
	if (fcntl(failure_fd, F_SETFL, 0) < 0)
		return lcx__fail_sys(err, errno, "listen at the gate");
	r = push(dir_fd);
	return r < 0 ? lcx__fail_sys(err, -r, "open the gate")
		     : listen_for_failure(failure_fd, pidfd, program, err);
}
