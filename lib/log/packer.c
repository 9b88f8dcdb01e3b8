/* SPDX-License-Identifier: MIT */
#include "log/packer.h"

#include <errno.h>
#include <signal.h>

#include <config.h>
#include "init/launch.h"
#include "init/program.h"
#include "log/gzip/embed.h"
#include "util/cleanup.h"
#include "util/sys.h"

#define PROGRAM_NAME "lcx-gzip"

#if HAVE_IMAGE

bool lcx__log_can_compress(void)
{
	return true;
}

static int start(void *data, int old_fd, int new_fd, int result_fd)
{
	const struct lcx__program program = {PROGRAM_NAME, lcx__gzip_program,
					     lcx__gzip_program_size};
	const int sources[] = {old_fd, new_fd, result_fd};
	const struct lcx__program_start how = {.sources = sources,
					       .n_sources = ARRAY_SIZE(sources),
					       .cgroup_fd = -1,
					       .users_fd = -1};
	struct lcx__log_starter *starter = data;
	int pid = lcx__program_start(&program, &how, &starter->pidfd, NULL);

	return pid < 0 ? pid : 0;
}

int lcx__log_packer_memfd(void)
{
	return lcx__sealed_memfd(PROGRAM_NAME, lcx__gzip_program, lcx__gzip_program_size, true);
}

#else

bool lcx__log_can_compress(void)
{
	return false;
}

static int start(void *data, int old_fd, int new_fd, int result_fd)
{
	(void)data, (void)old_fd, (void)new_fd, (void)result_fd;
	return -EOPNOTSUPP;
}

int lcx__log_packer_memfd(void)
{
	return -EOPNOTSUPP;
}

#endif

static void end(void *data)
{
	struct lcx__log_starter *starter = data;

	if (starter->pidfd < 0)
		return;
	(void)sys_pidfd_send_signal(starter->pidfd, SIGKILL);
	lcx__pidfd_reap(starter->pidfd);
	closep(&starter->pidfd);
}

void lcx__log_starter_init(struct lcx__log_starter *starter)
{
	*starter = (struct lcx__log_starter){.pidfd = -1, .packer = {start, end, starter}};
}
