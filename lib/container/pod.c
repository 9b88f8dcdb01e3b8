/* SPDX-License-Identifier: MIT */
#include "container/pod.h"

#include <sched.h>
#include <string.h>
#include <sys/file.h>

#include "container/network/network.h"
#include "container/users/ordinary.h"
#include "lcx/ns.h"
#include "lcx/pod.h"
#include "process/compile.h"
#include "util/fs.h"

/*
 * Members join by the holder's process, whose number may be another one's at any time: each start
 * opens the namespaces by its pidfd, as with the network of another container. The paths in the
 * description lead nowhere; they tell whoever reads it what is joined.
 */

static const struct {
	const char *name;
	uint32_t flag;
	enum lcx_ns_kind kind;
} kinds[LCX__SHARED_MAX] = {
	{"network", CLONE_NEWNET, LCX_NS_NET},
	{"ipc", CLONE_NEWIPC, LCX_NS_IPC},
	{"uts", CLONE_NEWUTS, LCX_NS_UTS},
	{"pid", CLONE_NEWPID, LCX_NS_PID},
};

bool lcx__container_is_holder(const struct lcx_container *c)
{
	return c->d.pod_share != NULL;
}

bool lcx__container_has_files(const struct lcx_container *c)
{
	return !c->d.rootfs || lcx__container_is_holder(c);
}

LCX_PUBLIC const char *lcx_container_pod(const struct lcx_container *c)
{
	return c->d.pod ? c->d.pod : "";
}

LCX_PUBLIC int32_t lcx_container_is_pod(const struct lcx_container *c)
{
	return lcx__container_is_holder(c);
}

/* ---- the holder ------------------------------------------------------------ */

static int check_share(const char *const *share, struct lcx_error **err)
{
	for (; *share; share++) {
		size_t i = 0;

		while (i < ARRAY_SIZE(kinds) && strcmp(kinds[i].name, *share) != 0)
			i++;
		if (i == ARRAY_SIZE(kinds))
			return lcx__fail(
				err, EINVAL,
				"a pod can't share '%s'; there are network, ipc, uts and pid",
				*share);
	}
	return 0;
}

/* All holders may have the same one: what they mount on its directories is their own. */
static int give_root(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(closep) int fd = lcx__make_dirs(c->ctx->root_fd, "pod-root", 0755);

	if (fd < 0)
		return lcx__fail_sys(err, -fd, "make the root directory of pods");
	c->d.rootfs = lcx__format("%s/pod-root", c->ctx->root_dir);
	return c->d.rootfs ? 0 : lcx__fail_nomem(err);
}

LCX_PUBLIC int lcx_pod_new(struct lcx_ctx *ctx, const char *name, const char *const *share,
			   struct lcx_container **ret, struct lcx_error **err)
{
	static const char *const usual[] = {"network", "ipc", "uts", NULL};
	static const char *const args[] = {"(pod)", NULL};
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	int r = check_share(share ? share : usual, err);

	if (r == 0 && !name)
		r = lcx__fail(err, EINVAL, "a pod needs a name");
	if (r == 0 && !lcx__name_is_valid(name))
		r = lcx__fail(err, EINVAL,
			      "'%s' cannot name a pod; use letters, digits, '_', '.', '-'", name);
	if (r == 0)
		r = lcx_container_new(ctx, name, &c, err);
	if (r == 0)
		r = give_root(c, err);
	if (r == 0)
		r = lcx_spec_set_args(c->spec, args, err);
	if (r < 0)
		return r;
	c->d.pod_share = lcx__strv_copy(share ? share : usual);
	if (!c->d.pod_share)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(c);
	return 0;
}

static int check_holder(const struct lcx_container *c, struct lcx_error **err)
{
	if (lcx__is_ordinary_user())
		return lcx__fail(err, EPERM,
				 "a pod: only root's containers can join the namespaces of others");
	if (lcx__spec_namespace(c->spec, CLONE_NEWUSER))
		return lcx__fail(err, EINVAL, "a pod's holder has no users of its own");
	for (char **name = c->d.pod_share; *name; name++)
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			const struct lcx__spec_namespace *ns =
				lcx__spec_namespace(c->spec, kinds[i].flag);

			if (strcmp(kinds[i].name, *name) == 0 && !ns)
				return lcx__fail(
					err, EINVAL,
					"a pod's holder needs what it shares: a %s namespace",
					kinds[i].name);
		}
	return 0;
}

static int member_at(int containers_fd, const char *id, const char *holder, char **ret)
{
	CLEANUP(closep) int dir_fd = lcx__open_dir(containers_fd, id);
	struct description d = {0};
	int r = 0;

	if (dir_fd >= 0 && lcx__description_load(dir_fd, &d, NULL) == 0 && d.pod &&
	    strcmp(d.pod, holder) == 0) {
		*ret = strdup(d.name && d.name[0] ? d.name : id);
		r = *ret ? 0 : -ENOMEM;
	}
	lcx__description_clear(&d);
	return r;
}

/* *@ret: the name of any; NULL: there is none. */
static int find_member(int containers_fd, const char *holder, char **ret)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = lcx__read_dir(containers_fd, ".", &dir);

	while (r == 0 && !*ret && (entry = lcx__next_entry(dir)))
		if (!lcx__is_temporary_name(entry->d_name))
			r = member_at(containers_fd, entry->d_name, holder, ret);
	return r;
}

int lcx__pod_lock_members(const struct lcx_container *c, int containers_fd, struct lcx_error **err)
{
	CLEANUP(freep) char *member = NULL;
	int r;

	if (!lcx__container_is_holder(c))
		return 0;
	r = lcx__lock(containers_fd, LOCK_EX);
	if (r < 0)
		return lcx__fail_sys(err, -r, "lock the directory of containers");
	r = find_member(containers_fd, c->d.id, &member);
	if (r < 0)
		return lcx__fail_sys(err, -r, "look for the members of a pod");
	return member ? lcx__fail(err, EBUSY,
				  "container '%s' holds a pod that '%s' is in; remove its members "
				  "first, or force its removal",
				  lcx__container_display(c), member)
		      : 0;
}

/* ---- a member -------------------------------------------------------------- */

LCX_PUBLIC int lcx_container_set_pod(struct lcx_container *c, const char *pod,
				     struct lcx_error **err)
{
	char *copy;

	if (!lcx__name_is_valid(pod))
		return lcx__fail(err, EINVAL, "'%s' cannot name a pod", pod);
	copy = strdup(pod);
	if (!copy)
		return lcx__fail_nomem(err);
	free(c->d.pod);
	c->d.pod = copy;
	return 0;
}

/* What is said for all members is said to the holder. */
static int check_member(const struct lcx_container *c, const struct lcx_container *holder,
			struct lcx_error **err)
{
	if (!lcx__container_is_holder(holder))
		return lcx__fail(err, EINVAL, "container '%s' holds no pod",
				 lcx__container_display(holder));
	if (lcx__container_is_holder(c))
		return lcx__fail(err, EINVAL, "a pod is no member of another");
	if (lcx__spec_namespace(c->spec, CLONE_NEWUSER))
		return lcx__fail(
			err, EINVAL,
			"a member of a pod has no users of its own: they could not join what "
			"is root's");
	return 0;
}

static int join(struct lcx_container *c, size_t i, struct lcx_error **err)
{
	CLEANUP(freep)
	char *path = lcx__format("%s/containers/%s/%s-namespace", c->ctx->run_dir, c->d.pod,
				 kinds[i].name);
	const struct lcx__spec_namespace *ns = lcx__spec_namespace(c->spec, kinds[i].flag);

	if (!path)
		return lcx__fail_nomem(err);
	if (!ns || ns->path)
		return lcx__fail(err, EINVAL, "its %s namespace is the pod's to say",
				 kinds[i].name);
	return lcx_spec_join_namespace(c->spec, kinds[i].name, path, err);
}

/* That it is the holder's network is then settled as for any other container's. */
static int join_network(struct lcx_container *c, struct lcx_error **err)
{
	char *network = lcx__format("container:%s", c->d.pod);

	if (!network)
		return lcx__fail_nomem(err);
	if (c->d.networks.n > 0 || strcmp(c->d.network, "bridge") != 0) {
		free(network);
		return lcx__fail(err, EINVAL, "its network is the pod's to say");
	}
	free(c->d.network);
	c->d.network = network;
	return 0;
}

static int take_hostname(struct lcx_container *c, struct lcx_container *holder,
			 struct lcx_error **err)
{
	int r = lcx__container_load_spec(holder, err);

	if (r < 0 || !holder->spec->hostname || lcx_spec_getenv(c->spec, "HOSTNAME"))
		return r;
	return lcx_spec_set_env(c->spec, "HOSTNAME", holder->spec->hostname, err);
}

static int share(struct lcx_container *c, struct lcx_container *holder, const char *name,
		 struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int r;

		if (strcmp(kinds[i].name, name) != 0)
			continue;
		if (kinds[i].flag == CLONE_NEWNET)
			return join_network(c, err);
		if (kinds[i].flag == CLONE_NEWUTS && c->spec->hostname)
			return lcx__fail(err, EINVAL, "its hostname is the pod's to say");
		r = join(c, i, err);
		return r == 0 && kinds[i].flag == CLONE_NEWUTS ? take_hostname(c, holder, err) : r;
	}
	return lcx__fail(err, EUCLEAN, "it shares '%s'", name);
}

int lcx__pod_settle(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *holder = NULL;
	CLEANUP(freep) char *name = NULL;
	int r;

	if (lcx__container_is_holder(c))
		return check_holder(c, err);
	if (!c->d.pod)
		return 0;
	name = strdup(c->d.pod);
	r = name ? lcx_container_open(c->ctx, name, &holder, err) : lcx__fail_nomem(err);
	if (r == 0)
		r = check_member(c, holder, err);
	if (r == 0)
		r = lcx_container_set_pod(c, holder->d.id, err);
	for (char **kind = r == 0 ? holder->d.pod_share : NULL; r == 0 && *kind; kind++)
		r = share(c, holder, *kind, err);
	return lcx__fail_prefix(err, r, "pod '%s'", name ? name : "");
}

bool lcx__pod_shares(const struct lcx_container *c, uint32_t flag)
{
	const struct lcx__spec_namespace *ns = c->d.pod ? lcx__spec_namespace(c->spec, flag) : NULL;

	return ns && ns->path;
}

int lcx__pod_open_namespaces(const struct lcx_container *c, int pidfd,
			     struct lcx__joined_ns ret[static LCX__SHARED_MAX], size_t *ret_n,
			     struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int fd;

		if (c->d.pod ? !lcx__pod_shares(c, kinds[i].flag) : kinds[i].flag != CLONE_NEWNET)
			continue;
		fd = lcx_ns_open_pidfd(pidfd, kinds[i].kind, err);
		if (fd < 0)
			return fd;
		ret[(*ret_n)++] = (struct lcx__joined_ns){kinds[i].flag, fd};
	}
	return 0;
}
