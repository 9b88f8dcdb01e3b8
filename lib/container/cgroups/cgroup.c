/* SPDX-License-Identifier: MIT */
#include "container/cgroups/cgroups.h"

#include <string.h>

#include "container/event.h"
#include "container/users/ordinary.h"
#include "util/fs.h"

/*
 * A container's cgroup from its birth to its end. It is made by the start, and from
 * then on known by its absolute path: a relative one means another place to a caller
 * in another cgroup.
 *
 * The journal has two words for it. "cgroup-intent" is written before it is made: no
 * process is in it yet, and what cannot be removed without killing somebody is not
 * ours. "cgroup" is written once it is made: that one is ours, with all who are in it.
 * It comes with the length of the path that is not ours: what was there before.
 */

enum { END_TIMEOUT_MS = 10000 };

char *lcx__container_cgroup_path(const struct lcx_ctx *ctx, const char *id)
{
	char tag[LCX__CTX_TAG_SIZE];

	lcx__ctx_tag(ctx, tag);
	return lcx__format(CGROUP_PARENT "/%s.%s", tag, id);
}

/* ---- making it ---------------------------------------------------------- */

/*
 * Statistics are wanted even where no limit is; what the kernel cannot count, it does not count.
 * An engine reads those of its bundles itself: it looks in each hierarchy of version 1, and where
 * the container is in the root it would show what the whole machine used.
 */
static int count_usage(const struct lcx_container *c, struct lcx_cgroup *cg, struct lcx_error **err)
{
	static const char *const controllers[] = {"memory", "pids", "cpuacct", "blkio", "hugetlb"};
	size_t n = c->d.bundle ? ARRAY_SIZE(controllers) : 2;

	for (size_t i = 0; i < n; i++) {
		CLEANUP(lcx_error_freep) struct lcx_error *one = NULL;
		int r = lcx_cgroup_use(cg, controllers[i], &one);

		if (r < 0 && r != -ENODEV)
			return lcx__fail(err, -r, "%s", lcx_error_message(one));
	}
	return 0;
}

/* An engine may have made it for its bundle: it is made anew, as the container's, if nobody is in.
 */
static int remove_empty(const struct lcx_container *c, struct lcx_cgroup *cg)
{
	const char *path = lcx_cgroup_path(cg);

	if (!c->d.bundle)
		return -EEXIST;
	lcx__cgroup_set_keep(cg, (size_t)(strrchr(path, '/') - path));
	return lcx_cgroup_destroy(cg, 0, NULL);
}

/*
 * Whoever names a cgroup may name one that has other processes: pausing or removing
 * the container would hit them.
 */
static int check_is_new(const struct lcx_container *c, const char *path, struct lcx_error **err)
{
	CLEANUP(lcx_cgroup_freep) struct lcx_cgroup *cg = NULL;

	if (lcx_cgroup_open(path, &cg, NULL) < 0 || remove_empty(c, cg) == 0)
		return 0;
	return lcx__fail(err, EEXIST,
			 "cgroup '%s' is there already; choose another linux.cgroupsPath, for the "
			 "container gets a cgroup of its own",
			 lcx_cgroup_path(cg));
}

/*
 * Without any cgroup file system (-ENODEV), or any cgroup that an ordinary user may write to, a
 * container may run if nothing is asked of cgroups; but a limit, or the list of devices, must not
 * be dropped in silence.
 */
static bool does_without(int r)
{
	return r == -ENODEV ||
	       ((r == -EACCES || r == -EPERM || r == -EROFS) && !lcx__is_root_of_the_machine());
}

static const char *way_out(int r)
{
	if (does_without(r) && r != -ENODEV)
		return "; limits of an ordinary user's containers need a cgroup that was delegated "
		       "to him, as 'systemd-run --user --scope -p Delegate=yes' does with cgroup "
		       "v2";
	return r == -EROFS ? "; a container around this one has to be privileged, or to have "
			     "cgroups of its own, as one with --system"
			   : "";
}

static int create(struct lcx_container *c, const char *path, const struct lcx__resources *resources,
		  struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *one = NULL;
	int r = lcx_cgroup_create(path, &c->cgroup, &one);

	if (r == 0 || (does_without(r) && !lcx__resources_ask(resources)))
		return 0;
	return lcx__fail(err, -r, "%s%s", lcx_error_message(one), way_out(r));
}

static int record(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(freep)
	char *object =
		lcx__format("%zu %s", lcx__cgroup_keep(c->cgroup), lcx_cgroup_path(c->cgroup));

	free(c->run.cgroup);
	c->run.cgroup = strdup(lcx_cgroup_path(c->cgroup));
	if (!object || !c->run.cgroup)
		return lcx__fail_nomem(err);
	return lcx__journal_add(c->run_fd, "cgroup", object, err);
}

/* In the file system, by ourselves. */
static int make_directory(struct lcx_container *c, const struct lcx__resources *resources,
			  struct lcx_error **err)
{
	const char *wanted = c->spec->linux_.cgroups_path;
	CLEANUP(freep)
	char *path = wanted ? strdup(wanted) : lcx__container_cgroup_path(c->ctx, c->d.id);
	int r;

	if (!path)
		return lcx__fail_nomem(err);
	r = wanted ? check_is_new(c, wanted, err) : 0;
	if (r == 0)
		r = lcx__journal_add(c->run_fd, "cgroup-intent", path, err);
	return r == 0 ? create(c, path, resources, err) : r;
}

int lcx__container_make_cgroup(struct lcx_container *c, struct lcx__child *ret_holder,
			       struct lcx_error **err)
{
	const struct lcx__resources resources = lcx__container_resources(c->spec);
	size_t keep;
	int r;

	if (lcx__container_wants_no_cgroup(c))
		return 0;
	r = lcx__container_wants_scope(c)
		    ? lcx__container_make_scope(c, &resources, ret_holder, err)
		    : make_directory(c, &resources, err);
	if (r < 0 || !c->cgroup)
		return r;
	keep = lcx__cgroup_keep(c->cgroup);
	r = record(c, err);
	if (r == 0)
		r = lcx__cgroup_apply(c->cgroup, &resources, err);
	if (r == 0)
		r = count_usage(c, c->cgroup, err);
	/* In the hierarchies that came with the limits more of the path may have been there: the
	 * journal's last word counts. */
	return r == 0 && lcx__cgroup_keep(c->cgroup) != keep ? record(c, err) : r;
}

/* ---- using it ----------------------------------------------------------- */

int lcx__container_open_cgroup(struct lcx_container *c, struct lcx_error **err)
{
	if (c->cgroup)
		return 0;
	if (!c->run.cgroup)
		return lcx__fail(err, ENODEV, "container '%s' has no cgroup: %s",
				 lcx__container_display(c),
				 lcx__container_wants_no_cgroup(c)
					 ? "it was asked to have none (cgroup manager 'disabled')"
					 : "when it was started there was none that this user may "
					   "write to");
	return lcx_cgroup_open(c->run.cgroup, &c->cgroup, err);
}

int lcx__container_running_cgroup(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(closep) int pidfd = lcx__container_open_running(c, err);

	return pidfd < 0 ? pidfd : lcx__container_open_cgroup(c, err);
}

int lcx__container_enter_cgroup(struct lcx_container *c, struct lcx__entrance *ret,
				struct lcx_error **err)
{
	int r;

	*ret = (struct lcx__entrance){.into_fd = -1, .below_fd = -1};
	if (!c->cgroup && !c->run.cgroup)
		return 0;
	r = lcx__container_open_cgroup(c, err);
	if (r == 0)
		r = lcx__entrance_open(c->cgroup, ret, err);
	return r < 0 ? r : lcx__system_enter(c, ret, err);
}

int lcx__entrance_open(const struct lcx_cgroup *cg, struct lcx__entrance *ret,
		       struct lcx_error **err)
{
	int r = lcx__cgroup_join_fds(cg, ret->join_fds, ARRAY_SIZE(ret->join_fds));

	if (r < 0)
		return lcx__fail_sys(err, -r, "open cgroup '%s'", lcx_cgroup_path(cg));
	ret->n_join_fds = (size_t)r;
	ret->into_fd = lcx__cgroup_into_fd(cg);
	ret->name = lcx_cgroup_path(cg);
	return 0;
}

void lcx__entrance_clear(struct lcx__entrance *entrance)
{
	for (size_t i = 0; i < entrance->n_join_fds; i++)
		closep(&entrance->join_fds[i]);
	entrance->n_join_fds = 0;
	for (size_t i = 0; i < entrance->n_class_fds; i++)
		closep(&entrance->class_fds[i]);
	entrance->n_class_fds = 0;
	closep(&entrance->below_fd);
}

/* ---- its end ------------------------------------------------------------ */

/*
 * The journal has up to three lines for one cgroup, which stays in c->cgroup from the first of them
 * until the end; often it is there since the start. It is looked for in every hierarchy, for others
 * may have set limits in some that the start did not use. Return: 1 if it is there, 0 if there is
 * none.
 */
static int find(struct lcx_container *c, const char *path, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *one = NULL;
	int r;

	if (c->cgroup && lcx__cgroup_is_at(c->cgroup, path)) {
		if (lcx__cgroup_is_gone(c->cgroup))
			return 0;
		r = lcx__cgroup_look_around(c->cgroup, err);
		if (r != 0)
			return r;
	}
	c->cgroup = lcx_cgroup_free(c->cgroup);
	r = lcx_cgroup_open(path, &c->cgroup, &one);
	if (r == -ENOENT || r == -ENODEV)
		return 0;
	return r < 0 ? lcx__fail(err, -r, "%s", lcx_error_message(one)) : 1;
}

int lcx__container_undo_cgroup_intent(struct lcx_container *c, const char *path,
				      struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *one = NULL;
	int r = find(c, path, err);

	if (r <= 0)
		return r;
	r = lcx_cgroup_destroy(c->cgroup, 0, &one);
	return r < 0 && r != -EBUSY ? lcx__fail(err, -r, "%s", lcx_error_message(one)) : 0;
}

/* A start that is not written down is no run: the last one ended as it did. */
static void note_oom(struct lcx_container *c)
{
	if (c->dir_fd < 0 || !c->run.number.set || c->run.number.value != c->last_run)
		return;
	c->oom_killed = true;
	lcx__oom_note(c->dir_fd, c->last_run);
}

/* "KEEP PATH" */
int lcx__container_undo_cgroup(struct lcx_container *c, const char *object, struct lcx_error **err)
{
	const char *path = strchr(object, ' ');
	int r = path ? find(c, path + 1, err) : 0;

	if (r <= 0)
		return r;
	lcx__cgroup_set_keep(c->cgroup, strtoul(object, NULL, 10));
	r = lcx_cgroup_kill(c->cgroup, END_TIMEOUT_MS, err);
	if (r < 0)
		return r;
	/* What the cgroup counted is lost with it. */
	if (lcx_cgroup_oom_kills(c->cgroup) > 0) {
		note_oom(c);
		lcx__event_emit(c, "oom", NULL);
	}
	return lcx_cgroup_destroy(c->cgroup, END_TIMEOUT_MS, err);
}
