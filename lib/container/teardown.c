/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "container/cgroups/cgroups.h"
#include "container/hooks.h"
#include "container/start/start.h"
#include "lcx/net.h"
#include "net/net.h"
#include "net/pasta.h"
#include "ns/users.h"
#include "util/fs.h"
#include "util/process.h"
#include "util/sys.h"
#include "util/troubles.h"

/*
 * Taking down is replaying the journal backwards. Each kind of object has one
 * function, which succeeds if the object is not there: the journal tells what was
 * intended, not what came to be.
 */

static int undo_network(struct lcx_container *c, const char *network, struct lcx_error **err)
{
	return lcx_network_detach(c->ctx, network, c->d.id, err);
}

/* "PID START_TIME": its whole pid namespace goes with it. */
static int undo_process(struct lcx_container *c, const char *object, struct lcx_error **err)
{
	CLEANUP(closep) int pidfd = -1;
	long long pid, start_time;
	int r;

	(void)c;
	if (sscanf(object, "%lld %lld", &pid, &start_time) != 2)
		return 0;
	pidfd = lcx__open_process(pid, start_time);
	if (pidfd < 0)
		return pidfd == -ESRCH ? 0
				       : lcx__fail_sys(err, -pidfd, "look for process %lld", pid);
	r = sys_pidfd_send_signal(pidfd, SIGKILL);
	return r < 0 && r != -ESRCH ? lcx__fail_sys(err, -r, "kill process %lld", pid) : 0;
}

/* "PID START_TIME": its keeper would end it, too, but nobody could tell when its ports are free. */
static int undo_pasta(struct lcx_container *c, const char *object, struct lcx_error **err)
{
	long long pid, start_time;

	(void)c;
	return sscanf(object, "%lld %lld", &pid, &start_time) == 2
		       ? lcx__pasta_end(pid, start_time, err)
		       : 0;
}

static const struct {
	const char *kind;
	int (*undo)(struct lcx_container *c, const char *object, struct lcx_error **err);
} kinds[] = {
	{"cgroup-intent", lcx__container_undo_cgroup_intent},
	{"cgroup", lcx__container_undo_cgroup},
	{"scope", lcx__container_undo_scope},
	{"slice", lcx__container_undo_slice},
	{"resctrl", lcx__container_undo_resctrl},
	{"root", lcx__container_undo_root},
	{"network", undo_network},
	{"pin", lcx__container_undo_pin},
	{"interface", lcx__container_undo_interface},
	{"process", undo_process},
	{"pasta", undo_pasta},
	{"hooks", lcx__container_undo_hooks},
};

static int undo(struct lcx_container *c, char *entry, struct lcx_error **err)
{
	char *object = entry, *kind = strsep(&object, " ");

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (object && strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].undo(c, object, err);
	return lcx__fail(err, EINVAL, "the journal names an unknown kind of object: '%s'", kind);
}

static bool is_kind(const char *entry, const char *kind)
{
	size_t length = strlen(kind);

	return strncmp(entry, kind, length) == 0 && entry[length] == ' ';
}

/*
 * An interface takes the kernel a while, which it spends beside us: so that is asked for first, and
 * the networks are taken down last. But before the hooks that find nothing of the container.
 */
static void begin_networks(struct lcx_container *c, char **entries)
{
	for (size_t i = lcx__strv_length(entries); i > 0; i--) {
		if (!is_kind(entries[i - 1], "network"))
			continue;
		lcx__network_begin_detach(c->ctx, entries[i - 1] + strlen("network "), c->d.id);
		for (char **at = &entries[i - 1];
		     at[1] && !is_kind(at[1], "network") && !is_kind(at[1], "hooks"); at++) {
			char *other = at[1];

			at[1] = at[0];
			at[0] = other;
		}
	}
}

static int remove_run_directory(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(closep) int runs_fd = lcx__open_dir(c->ctx->run_fd, "containers");
	int r;

	closep(&c->run_fd);
	lcx__run_state_clear(&c->run);
	if (runs_fd < 0)
		return runs_fd == -ENOENT ? 0
					  : lcx__fail_sys(err, -runs_fd, "open the run directory");
	r = lcx__users_remove_tree(c->ctx, runs_fd, c->d.id);
	return r < 0 ? lcx__fail_sys(err, -r, "remove the run directory") : 0;
}

int lcx__container_teardown(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **entries = NULL;
	struct lcx__troubles troubles = TROUBLES_NONE;
	struct lcx_error *one = NULL;
	int r;

	if (c->run_fd < 0) {
		c->cgroup = lcx_cgroup_free(c->cgroup);
		return 0;
	}
	r = lcx__journal_read(c->run_fd, &entries, err);
	if (r < 0)
		return r;
	begin_networks(c, entries);
	for (size_t i = 0; entries[i]; i++) {
		r = undo(c, entries[i], &one);
		lcx__troubles_add(&troubles, r, &one);
	}
	c->cgroup = lcx_cgroup_free(c->cgroup);
	/* As long as something is left, so is the journal that names it. */
	if (troubles.result == 0) {
		r = remove_run_directory(c, &one);
		lcx__troubles_add(&troubles, r, &one);
	}
	r = lcx__troubles_end(&troubles, err);
	return lcx__fail_prefix(err, r, "take down");
}

int lcx__container_finish(struct lcx_container *c, int32_t status, struct lcx_error **err)
{
	bool remove = c->d.auto_remove.value;
	int r = 0, torn_down;

	/* Never started to the end: there is no exit to speak of. */
	if (faccessat(c->dir_fd, "started", F_OK, 0) == 0)
		r = lcx__container_record_exit(c, status, err);
	torn_down = lcx__container_teardown(c, err);
	closep(&c->owner_fd);
	r = r < 0 ? r : torn_down;
	if (r == 0)
		r = lcx__container_load_state(c, err);
	if (r == 0 && remove)
		r = lcx__container_delete(c, (struct removal){true, true}, err);
	return r;
}
