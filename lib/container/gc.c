/* SPDX-License-Identifier: MIT */
#include "container/checkpoint/checkpoint.h"
#include "container/volume/volume.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "container/cgroups/cgroups.h"
#include "container/users/users.h"
#include "image/image.h"
#include "net/net.h"
#include "util/fs.h"
#include "util/troubles.h"

/*
 * Theory of operation. A living owner holds the lock of its container, and the
 * kernel drops it when the owner dies, by whatever instruction. So everything
 * that can be locked here, while its process was set up, is abandoned.
 *
 * By journal: each run directory without an owner is taken down; what was to be removed at its end
 * has none after the machine's, and is told by its own directory. By mark: cgroups,
 * interfaces, nf_tables elements and leases carry this root directory's tag and
 * their container's identifier; what names a container without a run directory
 * has no owner either. The second way finds what the first one lost.
 */

struct sweep {
	struct lcx_ctx *ctx;
	int held_fd; /* the lock of the container that was called dead last */
	uint32_t count;
	struct lcx__troubles troubles;
};

/* ---- by journal --------------------------------------------------------- */

/*
 * Its directory below the root is gone, or was never readable: only what the journal
 * names can be taken down.
 */
static int take_down_orphan(struct sweep *s, const char *id, struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = lcx__container_alloc(s->ctx);
	CLEANUP(closep) int runs_fd = lcx__open_dir(s->ctx->run_fd, "containers"), owner_fd = -1;
	int r;

	if (!c)
		return lcx__fail_nomem(err);
	c->d.id = strdup(id);
	if (!c->d.id)
		return lcx__fail_nomem(err);
	c->run_fd = runs_fd < 0 ? -1 : lcx__open_dir(runs_fd, id);
	/* It lives: perhaps that of another root directory with the same run directory. */
	r = lcx__container_is_owned(c, &owner_fd, err);
	if (r != 0)
		return r < 0 ? r : 0;
	s->count++;
	return lcx__container_teardown(c, err);
}

/*
 * Somebody is at it, or it lives: not ours. One that belongs to an engine never is, also when it
 * has ended: until it is asked for, nobody else has its state. A monitor without a record
 * was left by its starter.
 */
static int recover(struct sweep *s, const char *id, struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(closep) int lock_fd = -1, owner_fd = -1;
	int r = lcx__container_open_id(s->ctx, id, &c, NULL);

	if (r == -ENOENT)
		return take_down_orphan(s, id, err);
	if (r < 0)
		return lcx__container_open_id(s->ctx, id, &c, err);
	lock_fd = lcx__container_lock_dir(c->dir_fd, LOCK_EX | LOCK_NB);
	/* Somebody is at it, or it is gone. */
	if (lock_fd < 0)
		return 0;
	r = lcx__container_load_state(c, err);
	if (r < 0 || c->run_fd < 0)
		return r;
	r = lcx__container_is_owned(c, &owner_fd, err);
	if (r < 0 || (r == 1 && c->run.pid.set) || c->run.external.value)
		return r < 0 ? r : 0;
	s->count++;
	return lcx__container_finish(c, LCX_EXIT_UNKNOWN, err);
}

/* Its directory, locked, and nothing read of what is in there; what a killed checkpoint has left is
 * taken away. Return: the lock, to be closed, or a negative errno. */
static int hold_swept(struct lcx_ctx *ctx, const char *id, struct lcx_container **ret)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = lcx__container_alloc(ctx);
	CLEANUP(closep) int lock_fd = -1;
	int r;

	if (!c)
		return -ENOMEM;
	c->d.id = strdup(id);
	r = c->d.id ? lcx__container_open_dirs(c, NULL) : -ENOMEM;
	if (r == 0)
		r = lock_fd = lcx__container_lock_dir(c->dir_fd, LOCK_EX | LOCK_NB);
	if (r < 0)
		return r;
	lcx__checkpoint_sweep(c);
	*ret = TAKE_PTR(c);
	return TAKE_FD(lock_fd);
}

/* Of those, too, that have no run directory. */
static int sweep_checkpoint(struct sweep *s, const char *id, struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(closep) int lock_fd = lcx__is_temporary_name(id) ? -1 : hold_swept(s->ctx, id, &c);

	return lock_fd == -ENOMEM ? lcx__fail_nomem(err) : 0;
}

/* To be removed at its end, and of an earlier boot: no journal leads to it. */
static int end_passing(struct sweep *s, const char *id, struct lcx_error **err)
{
	CLEANUP(closep) int containers_fd = lcx__open_dir(s->ctx->root_fd, "containers");
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(closep) int lock_fd = -1;
	int r;

	if (containers_fd < 0 || lcx__is_temporary_name(id) ||
	    !lcx__passing_is_marked(containers_fd, id) ||
	    lcx__may_exist(s->ctx->run_fd, "containers", id))
		return 0;
	r = lcx__container_open_id(s->ctx, id, &c, NULL);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return lcx__container_open_id(s->ctx, id, &c, err);
	lock_fd = lcx__container_lock_dir(c->dir_fd, LOCK_EX | LOCK_NB);
	/* Somebody is at it, or it is gone. */
	if (lock_fd < 0)
		return 0;
	r = lcx__container_load_state(c, err);
	if (r == 0)
		r = lcx__passing_end(c, err);
	s->count += r == 1;
	return r < 0 ? r : 0;
}

static int for_each(int parent_fd, const char *name, struct sweep *s,
		    int (*visit)(struct sweep *s, const char *entry, struct lcx_error **err))
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = lcx__read_dir(parent_fd, name, &dir);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	while ((entry = lcx__next_entry(dir))) {
		struct lcx_error *err = NULL;

		r = visit(s, entry->d_name, &err);
		lcx__troubles_add(&s->troubles, r, &err);
	}
	return 0;
}

/* ---- by mark ------------------------------------------------------------ */

/*
 * While its objects are removed, a stopped container must not be started: what is made meanwhile
 * would be removed, too. Return: 0, with its lock held until the next question; -EBUSY for one that
 * somebody is at. One that is no more will not be started.
 */
static int hold(struct sweep *s, const char *owner)
{
	CLEANUP(closep) int containers_fd = lcx__open_dir(s->ctx->root_fd, "containers");
	CLEANUP(closep) int dir_fd = -1;

	closep(&s->held_fd);
	if (containers_fd < 0)
		return containers_fd == -ENOENT ? 0 : -EBUSY;
	dir_fd = lcx__open_dir(containers_fd, owner);
	if (dir_fd < 0)
		return dir_fd == -ENOENT ? 0 : -EBUSY;
	s->held_fd = lcx__container_lock_dir(dir_fd, LOCK_EX | LOCK_NB);
	return s->held_fd < 0 && s->held_fd != -ENOENT ? -EBUSY : 0;
}

/*
 * A container that is set up, by a living owner, or being set up: everybody else's objects are
 * orphans, and stay so until the next question.
 */
static bool is_alive(const char *owner, void *data)
{
	struct sweep *s = data;

	return lcx__may_exist(s->ctx->run_fd, "containers", owner) || hold(s, owner) < 0 ||
	       lcx__may_exist(s->ctx->run_fd, "containers", owner);
}

static int sweep_cgroups(struct sweep *s, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **names = NULL;
	char tag[LCX__CTX_TAG_SIZE];
	int r = lcx__cgroup_list(CGROUP_PARENT, &names, err);

	if (r < 0)
		return r == -ENODEV ? 0 : r;
	lcx__ctx_tag(s->ctx, tag);
	for (size_t i = 0; names && names[i]; i++) {
		CLEANUP(lcx_cgroup_freep) struct lcx_cgroup *cg = NULL;
		struct lcx_error *one = NULL;
		CLEANUP(freep) char *path = lcx__format(CGROUP_PARENT "/%s", names[i]);

		if (strncmp(names[i], tag, strlen(tag)) != 0 || names[i][strlen(tag)] != '.' ||
		    is_alive(names[i] + strlen(tag) + 1, s) || !path)
			continue;
		r = lcx_cgroup_open(path, &cg, &one);
		if (r == 0)
			r = lcx_cgroup_kill(cg, 10000, &one);
		if (r == 0)
			r = lcx_cgroup_destroy(cg, 10000, &one);
		s->count += r == 0;
		lcx__troubles_add(&s->troubles, r, &one);
	}
	return 0;
}

static int sweep_networks(struct sweep *s, struct lcx_error **err)
{
	uint32_t count = 0;
	int r = lcx__network_sweep(s->ctx, is_alive, s, &count, err);

	s->count += count;
	return r;
}

/* A name of a container that is gone, or has another one: somebody died between two steps. */
static int sweep_name(struct sweep *s, const char *name, struct lcx_error **err)
{
	CLEANUP(closep) int names_fd = lcx__open_dir(s->ctx->root_fd, "names");
	char id[LCX__ID_SIZE + 1] = "";

	(void)err;
	if (names_fd < 0 || readlinkat(names_fd, name, id, sizeof(id) - 1) < 0 ||
	    lcx__name_is_held(s->ctx, id, name))
		return 0;
	s->count += unlinkat(names_fd, name, 0) == 0;
	return 0;
}

/* What was being made, or removed, when somebody died: everything that is half has such a name. */
static int sweep_half_made(struct sweep *s, const char *name, struct lcx_error **err)
{
	CLEANUP(closep) int containers_fd = lcx__open_dir(s->ctx->root_fd, "containers");
	int r;

	if (containers_fd < 0 ||
	    (!lcx__is_temporary_name(name) && !lcx__passing_is_torn(s->ctx, containers_fd, name)))
		return 0;
	r = lcx__container_remove_dir(s->ctx, containers_fd, name);
	if (r < 0)
		return lcx__fail_sys(err, -r, "remove 'containers/%s'", name);
	s->count++;
	return 0;
}

static int sweep_holds(struct sweep *s, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **holders = NULL;
	int r = lcx__image_holders(s->ctx, &holders, err);

	if (r < 0)
		return r == -EOPNOTSUPP ? 0 : r;
	for (size_t i = 0; holders && holders[i]; i++) {
		if (lcx__may_exist(s->ctx->root_fd, "containers", holders[i]))
			continue;
		r = lcx__image_release(s->ctx, holders[i], err);
		if (r < 0)
			return r;
		s->count++;
	}
	return 0;
}

/* Creation holds the directory locked, shared; whoever is at it now is left alone. */
static int sweep_files(struct sweep *s, struct lcx_error **err)
{
	CLEANUP(closep) int containers_fd = lcx__open_dir(s->ctx->root_fd, "containers");
	int r;

	if (containers_fd < 0)
		return containers_fd == -ENOENT ? 0 : containers_fd;
	if (flock(containers_fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	r = for_each(s->ctx->root_fd, "containers", s, sweep_half_made);
	if (r == 0)
		r = for_each(s->ctx->root_fd, "names", s, sweep_name);
	if (r == 0)
		r = sweep_holds(s, err);
	if (r == 0)
		r = lcx__id_ranges_sweep(s->ctx, &s->count, err);
	if (r == 0)
		r = lcx__volumes_sweep(s->ctx, &s->count, err);
	return r;
}

/* ---- both --------------------------------------------------------------- */

/*
 * A look at the owner's lock instead of all that is written down of a container: whoever opens a
 * context does this for each that runs. Nobody starts it meanwhile, to whom the owner's lock would
 * seem to be taken. What is owned and recorded needs no recovery: recover().
 */
static bool is_well(struct lcx_ctx *ctx, const char *id)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(closep) int runs_fd = lcx__open_dir(ctx->run_fd, "containers");
	CLEANUP(closep) int lock_fd = runs_fd < 0 ? runs_fd : hold_swept(ctx, id, &c);
	CLEANUP(closep) int owner_fd = -1;

	if (lock_fd < 0)
		return lock_fd == -EWOULDBLOCK; /* somebody is at it */
	c->run_fd = lcx__open_dir(runs_fd, id);
	return c->run_fd >= 0 && faccessat(c->run_fd, "state.json", F_OK, 0) == 0 &&
	       lcx__container_is_owned(c, &owner_fd, NULL) == 1;
}

static int recover_unless_well(struct sweep *s, const char *id, struct lcx_error **err)
{
	return is_well(s->ctx, id) ? 0 : recover(s, id, err);
}

static int recover_all(struct sweep *s, struct lcx_error **err)
{
	int r = for_each(s->ctx->run_fd, "containers", s, recover);

	return r < 0 ? lcx__fail_sys(err, -r, "list the run directory") : 0;
}

static int end_all_passing(struct sweep *s, struct lcx_error **err)
{
	int r = for_each(s->ctx->root_fd, "containers", s, end_passing);

	return r < 0 ? lcx__fail_sys(err, -r, "list the directory of containers") : 0;
}

static int sweep_checkpoints(struct sweep *s, struct lcx_error **err)
{
	int r = for_each(s->ctx->root_fd, "containers", s, sweep_checkpoint);

	return r < 0 ? lcx__fail_sys(err, -r, "list the directory of containers") : 0;
}

/* Nothing has been started here in this boot, if the run directory does not outlive one. */
static bool is_first(const struct lcx_ctx *ctx)
{
	return faccessat(ctx->run_fd, "containers", F_OK, 0) < 0 && errno == ENOENT;
}

LCX_PUBLIC int lcx_gc(struct lcx_ctx *ctx, uint32_t *ret_count, struct lcx_error **err)
{
	static int (*const steps[])(struct sweep * s, struct lcx_error * *err) = {
		recover_all, end_all_passing, sweep_checkpoints,
		sweep_files, sweep_cgroups,   sweep_networks,
	};
	struct sweep s = {.ctx = ctx, .held_fd = -1};
	struct lcx_error *one = NULL;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		r = steps[i](&s, &one);
		lcx__troubles_add(&s.troubles, r, &one);
	}
	closep(&s.held_fd);
	if (lcx_has_feature("image")) {
		r = lcx_image_gc(ctx, NULL, &one);
		lcx__troubles_add(&s.troubles, r, &one);
	}
	if (ret_count)
		*ret_count = s.count;
	return lcx__troubles_end(&s.troubles, err);
}

/*
 * What cannot be taken down now is no reason not to open: the journal stays, and
 * lcx_gc() says why.
 */
LCX_PUBLIC int lcx_ctx_open(const char *root_dir, const char *run_dir, struct lcx_ctx **ret,
			    struct lcx_error **err)
{
	CLEANUP(lcx_ctx_freep) struct lcx_ctx *ctx = NULL;
	struct sweep s = {.held_fd = -1};
	int r = lcx__ctx_new(root_dir, run_dir, &ctx, err);

	if (r < 0)
		return r;
	s.ctx = ctx;
	(void)for_each(ctx->run_fd, "containers", &s, recover_unless_well);
	if (is_first(ctx)) {
		(void)end_all_passing(&s, NULL);
		(void)sweep_checkpoints(&s, NULL);
	}
	(void)lcx__troubles_end(&s.troubles, NULL);
	*ret = TAKE_PTR(ctx);
	return 0;
}
