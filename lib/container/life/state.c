/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "container/start/start.h"
#include "util/fs.h"
#include "util/process.h"

int lcx__container_check_created(const struct lcx_container *c, struct lcx_error **err)
{
	return c->state != LCX_CONTAINER_NEW
		       ? 0
		       : lcx__fail(err, ESRCH, "container '%s' was never created",
				   lcx__container_display(c));
}

int lcx__container_lock_dir(int dir_fd, int how)
{
	CLEANUP(closep) int fd = lcx__open_dir(dir_fd, ".");
	struct stat st;
	int r = fd < 0 ? fd : lcx__lock(fd, how);

	if (r < 0)
		return r;
	/* Whoever held it before may have removed the container. */
	return fstat(fd, &st) == 0 && st.st_nlink > 0 ? TAKE_FD(fd) : -ENOENT;
}

int lcx__container_lock(struct lcx_container *c, int *ret_fd, struct lcx_error **err)
{
	int fd = lcx__container_lock_dir(c->dir_fd, LOCK_EX);

	if (fd == -ENOENT)
		return lcx__fail(err, ENOENT, "container '%s' was removed",
				 lcx__container_display(c));
	if (fd < 0)
		return lcx__fail_sys(err, -fd, "lock container '%s'", lcx__container_display(c));
	*ret_fd = fd;
	return 0;
}

int lcx__container_is_owned(struct lcx_container *c, int *ret_owner_fd, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;

	if (c->run_fd < 0)
		return 0;
	fd = openat(c->run_fd, "owner", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0
				       : lcx__fail_sys(err, errno, "look for the owner of '%s'",
						       lcx__container_display(c));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*ret_owner_fd = TAKE_FD(fd);
		return 0;
	}
	return errno == EWOULDBLOCK ? 1
				    : lcx__fail_sys(err, errno, "look for the owner of '%s'",
						    lcx__container_display(c));
}

void lcx__container_load_last(struct lcx_container *c)
{
	CLEANUP(freep) char *started = NULL;
	int64_t end;
	long long ns, run = 0;
	int32_t status;

	c->last_run = c->started_ns = c->finished_ns = 0;
	c->exit_status = LCX_EXIT_UNKNOWN;
	if (lcx__read_file(c->dir_fd, "started", 256, &started, NULL) == 0 &&
	    sscanf(started, "%lld %*s %lld", &ns, &run) >= 1) {
		c->started_ns = ns;
		c->last_run = run;
	}
	if (lcx__exit_read(c->dir_fd, c->last_run, &status, &end)) {
		c->exit_status = status;
		c->finished_ns = end;
	}
	c->oom_killed = lcx__oom_was_noted(c->dir_fd, c->last_run);
}

int lcx__container_is_of_other_boot(const struct lcx_container *c)
{
	CLEANUP(freep) char *started = NULL;
	char boot_id[LCX__BOOT_ID_SIZE];
	int r = lcx__boot_id(boot_id);

	if (r == 0)
		r = lcx__read_file(c->dir_fd, "started", 256, &started, NULL);
	return r < 0 ? r : strstr(started, boot_id) == NULL;
}

/*
 * "Not running" would be a licence to take it down, so that only what was really found out counts:
 * no record, or one that makes no sense; and no such process. All else, as a shortage of the
 * machine's or a disk that failed to answer, says nothing about the container.
 */
static bool is_no_record(int r)
{
	return r == -ENOENT || r == -EINVAL || r == -EBADMSG || r == -EUCLEAN;
}

/* Return: 0, also if it is not there. */
static int open_run_directory(struct lcx_container *c)
{
	CLEANUP(closep) int runs_fd = lcx__open_dir(c->ctx->run_fd, "containers");
	int fd = runs_fd < 0 ? runs_fd : lcx__open_dir(runs_fd, c->d.id);

	closep(&c->run_fd);
	c->run_fd = fd < 0 ? -1 : fd;
	return fd < 0 && fd != -ENOENT ? fd : 0;
}

/* Running is: a process that still is the one that was started, and no word that it ended. */
int lcx__container_load_state(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(closep) int pidfd = -ESRCH;
	int64_t pid = c->run.pid.value;
	int r;

	lcx__container_load_last(c);
	lcx__run_state_clear(&c->run);
	r = open_run_directory(c);
	if (r == 0 && c->run_fd >= 0) {
		r = lcx__run_state_load(c->run_fd, &c->run, NULL);
		if (r < 0)
			lcx__run_state_clear(&c->run);
		r = is_no_record(r) ? 0 : r;
	}
	if (r == 0)
		pidfd = lcx__open_process(c->run.pid.value, c->run.start_time.value);
	if (r < 0 || (pidfd < 0 && pidfd != -ESRCH))
		return lcx__fail_sys(err, r < 0 ? -r : -pidfd, "read the state of container '%s'",
				     lcx__container_display(c));
	if (c->run.pid.value != pid) /* another run, perhaps by another process: another cgroup */
		c->cgroup = lcx_cgroup_free(c->cgroup);
	if (pidfd >= 0 && c->finished_ns == 0)
		c->state = c->run.paused.value            ? LCX_CONTAINER_PAUSED
			   : lcx__container_is_at_gate(c) ? LCX_CONTAINER_PREPARED
							  : LCX_CONTAINER_RUNNING;
	else
		c->state = c->started_ns ? LCX_CONTAINER_STOPPED : LCX_CONTAINER_CREATED;
	return 0;
}

int lcx__container_reload(struct lcx_container *c, struct lcx_error **err)
{
	struct description d;
	int r = lcx__description_load(c->dir_fd, &d, err);

	if (r == 0 && (!d.id || strcmp(d.id, c->d.id) != 0))
		r = lcx__fail(err, EUCLEAN, "container '%.12s' is described as another one",
			      c->d.id);
	if (r < 0) {
		lcx__description_clear(&d);
		return r;
	}
	lcx__description_clear(&c->d);
	c->d = d;
	free(TAKE_PTR(c->command_text));
	return lcx__container_load_state(c, err);
}

LCX_PUBLIC int lcx_container_refresh(struct lcx_container *c, struct lcx_error **err)
{
	if (c->state == LCX_CONTAINER_NEW)
		return 0;
	return lcx__container_reload(c, err);
}

int lcx__container_open_running(struct lcx_container *c, struct lcx_error **err)
{
	int pidfd, r = c->state == LCX_CONTAINER_NEW ? 0 : lcx__container_load_state(c, err);

	if (r < 0)
		return r;
	pidfd = lcx__open_process(c->run.pid.value, c->run.start_time.value);
	if (pidfd < 0 && pidfd != -ESRCH)
		return lcx__fail_sys(err, -pidfd, "look for the process of container '%s'",
				     lcx__container_display(c));
	if (pidfd < 0 || c->finished_ns) {
		closep(&pidfd);
		return lcx__fail(err, ESRCH, "container '%s' is not running",
				 lcx__container_display(c));
	}
	return pidfd;
}
