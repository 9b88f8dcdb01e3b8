/* SPDX-License-Identifier: MIT */
#include "container/start/start.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "container/hooks.h"
#include "init/program.h"
#include "util/fs.h"

/* A start's hooks. The container's own process runs some of them, and reads the state from files in
 * memory, which are written when its number is known. */

enum { STATUS_LIMIT = 64 << 10 };

static int prepare_state(const struct start *s, enum lcx__hook_kind kind, int *ret_fd,
			 struct lcx_error **err)
{
	if (!lcx__container_has_hooks(s->c, kind))
		return 0;
	*ret_fd = memfd_create("lcx-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return *ret_fd < 0 ? lcx__fail_sys(err, errno, "make room for the hooks' state") : 0;
}

/* From here on the poststop hooks are due, whatever happens. */
int lcx__start_prepare_hooks(struct start *s, struct lcx_error **err)
{
	int r = 0;

	if (lcx__container_has_hooks(s->c, LCX__HOOK_POSTSTOP))
		r = lcx__journal_add(s->c->run_fd, "hooks", "poststop", err);
	if (r == 0)
		r = prepare_state(s, LCX__HOOK_CREATE_CONTAINER, &s->creating_fd, err);
	if (r == 0)
		r = prepare_state(s, LCX__HOOK_START_CONTAINER, &s->created_fd, err);
	return r;
}

/* Its number in its own pid namespace, the innermost. */
static int find_pid_inside(pid_t pid, pid_t *ret, struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	char path[40];
	char *line, *last;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	r = lcx__read_file(AT_FDCWD, path, STATUS_LIMIT, &text, NULL);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read '%s'", path);
	line = strstr(text, "\nNSpid:");
	if (!line++)
		return lcx__fail(err, EBADMSG, "'%s' has no NSpid", path);
	line[strcspn(line, "\n")] = '\0';
	last = strrchr(line, '\t');
	*ret = last ? atoi(last + 1) : 0;
	return *ret > 0 ? 0 : lcx__fail(err, EBADMSG, "'%s' has no NSpid", path);
}

/* Whoever reads it is in the container: runtime.md, "State". */
static int write_state(const struct start *s, int fd, const char *status, struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	pid_t pid = 0;
	int r;

	if (fd < 0)
		return 0;
	r = find_pid_inside(s->pid, &pid, err);
	if (r < 0)
		return r;
	text = lcx__container_oci_state(s->c, status, pid);
	if (!text)
		return lcx__fail_nomem(err);
	r = lcx__write_all(fd, text, strlen(text));
	/* The container reads it: nobody shall change it. */
	if (r == 0)
		r = lcx__seal(fd);
	return r < 0 ? lcx__fail_sys(err, -r, "write the state for the hooks") : 0;
}

int lcx__start_run_create_hooks(struct start *s, struct lcx_error **err)
{
	int r = lcx__container_run_hooks(s->c, LCX__HOOK_PRESTART, s->pid, err);

	if (r == 0)
		r = lcx__container_run_hooks(s->c, LCX__HOOK_CREATE_RUNTIME, s->pid, err);
	if (r == 0)
		r = write_state(s, s->creating_fd, "creating", err);
	return r == 0 ? write_state(s, s->created_fd, "created", err) : r;
}

int lcx__start_run_poststart_hooks(struct start *s, struct lcx_error **err)
{
	/* Of one that is only prepared they are due when it proceeds. */
	return s->external ? 0 : lcx__container_run_hooks(s->c, LCX__HOOK_POSTSTART, s->pid, err);
}
