/* SPDX-License-Identifier: MIT */
#include "container/cgroups/cgroups.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fs.h"

/*
 * A container that is a whole system. Its init makes cgroups, and may write to all files of the one
 * that it sees as the root; so this is not the one that has the container's limits, but one below
 * it, which is as far as it gets. In version 1 there is no such thing that all programs would
 * understand: controllers there are shown and not given.
 */

LCX_PUBLIC void lcx_container_set_system(struct lcx_container *c, int32_t system)
{
	c->d.system = (struct lcx__opt_bool)LCX__OPT(system != 0);
}

LCX_PUBLIC int32_t lcx_container_is_system(const struct lcx_container *c)
{
	return c->d.system.value;
}

/* ---- cgroups --------------------------------------------------------------- */

int lcx__system_enter(const struct lcx_container *c, struct lcx__entrance *entrance,
		      struct lcx_error **err)
{
	if (!c->d.system.value || entrance->into_fd < 0)
		return 0;
	lcx__cgroup_pass_on(entrance->into_fd);
	if (mkdirat(entrance->into_fd, "system", 0755) < 0 && errno != EEXIST)
		return lcx__fail_sys(err, errno, "make 'system' in cgroup '%s'", entrance->name);
	entrance->below_fd = lcx__open_dir(entrance->into_fd, "system");
	if (entrance->below_fd < 0)
		return lcx__fail_sys(err, -entrance->below_fd, "open 'system' in cgroup '%s'",
				     entrance->name);
	entrance->into_fd = entrance->below_fd;
	return 0;
}

/* ---- what it finds --------------------------------------------------------- */

static bool is_taken(const struct lcx_container *c, const char *destination)
{
	for (size_t i = 0; i < c->spec->mounts.n; i++)
		if (strcmp(c->spec->mounts.items[i].destination, destination) == 0)
			return true;
	return false;
}

static int add_memory(struct lcx_container *c, struct lcx_error **err)
{
	static const struct {
		const char *destination, *mode;
	} dirs[] = {{"/run", "mode=755"}, {"/run/lock", "mode=1777"}, {"/tmp", "mode=1777"}};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(dirs); i++) {
		const char *const options[] = {"nosuid", "nodev", dirs[i].mode, NULL};

		if (!is_taken(c, dirs[i].destination))
			r = lcx_spec_add_mount(c->spec, "tmpfs", dirs[i].destination, "tmpfs",
					       options, err);
	}
	return r;
}

int lcx__system_prepare(struct lcx_container *c, struct lcx_error **err)
{
	const struct lcx__spec_namespace *pids = lcx__spec_namespace(c->spec, CLONE_NEWPID);
	int r;

	if (!c->d.system.value)
		return 0;
	if (c->d.init.value)
		return lcx__fail(err, EINVAL,
				 "a whole system has an init of its own, which must be process 1");
	/* There it is not, and its right to end a machine would be one over others'. */
	if (!pids || pids->path)
		return lcx__fail(err, EINVAL,
				 "a whole system needs process numbers of its own: its init must "
				 "be process 1");
	r = lcx_spec_set_terminal(c->spec, 1, err);
	if (r == 0)
		r = lcx_spec_add_capability(c->spec, "CAP_SYS_BOOT", err);
	if (r == 0 && !lcx_spec_getenv(c->spec, "container"))
		r = lcx_spec_set_env(c->spec, "container", "lcx", err);
	return r < 0 ? r : add_memory(c, err);
}

/* ---- how it ends ----------------------------------------------------------- */

static const struct {
	const char *program, *signal;
} inits[] = {
	{"systemd", "SIGRTMIN+3"}, /* systemd(1), "Signals": halt.target */
	{"busybox", "SIGUSR2"},    /* its init/init.c: poweroff */
};

/* The file that a path in its root leads to, by its last component. */
static int name_of_program(const struct lcx_container *c, char *path, size_t size,
			   struct lcx_error **err)
{
	CLEANUP(closep) int root_fd = lcx__container_open_lookup(c, err), fd = -1;
	char link[64];
	ssize_t n;

	if (root_fd < 0)
		return root_fd;
	fd = lcx__open_in_root(root_fd, c->spec->process.args[0], O_PATH, 0);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = fd < 0 ? -1 : readlink(link, path, size - 1);
	path[n < 0 ? 0 : n] = '\0';
	return 0;
}

/* The kernel ends process 1 by a signal, and nobody else can with these: pid_namespaces(7). */
enum { STATUS_OFF = 128 + SIGINT, STATUS_REBOOT = 128 + SIGHUP };

int32_t lcx__system_status(const struct lcx_container *c, int32_t status)
{
	return c->d.system.value && status == STATUS_OFF ? 0 : status;
}

bool lcx__system_wants_restart(const struct lcx_container *c)
{
	return c->d.system.value && c->exit_status == STATUS_REBOOT;
}

int lcx__system_settle(struct lcx_container *c, struct lcx_error **err)
{
	const char *signal = "SIGPWR", *name;
	char path[4096] = "";
	int r;

	if (!c->d.system.value || c->d.stop_signal)
		return 0;
	r = name_of_program(c, path, sizeof(path), err);
	if (r < 0)
		return r;
	name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	for (size_t i = 0; i < ARRAY_SIZE(inits); i++)
		if (strcmp(inits[i].program, name) == 0)
			signal = inits[i].signal;
	c->d.stop_signal = strdup(signal);
	return c->d.stop_signal ? 0 : lcx__fail_nomem(err);
}
