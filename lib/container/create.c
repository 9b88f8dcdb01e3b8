/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <fcntl.h>
#include <string.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "container/cgroups/cgroups.h"
#include "container/checkpoint/checkpoint.h"
#include "container/event.h"
#include "container/log.h"
#include "container/network/network.h"
#include "container/pod.h"
#include "container/supervisor/health.h"
#include "container/users/ordinary.h"
#include "container/users/users.h"
#include "container/volume/volume.h"
#include "image/image.h"
#include "lcx/security.h"
#include "lcx/supervisor.h"
#include "net/net.h"
#include "overlay/overlay.h"
#include "util/fs.h"
#include "util/weaken.h"

DEFINE_CLEANUP(struct lcx_user *, lcx_user_free)

/*
 * Creation merges what the caller said with what the image says into one OCI
 * description, and puts it on disk under a temporary name; one rename makes it
 * a container. Whoever dies before leaves a directory that lcx_gc() removes: it
 * holds the directory of containers locked, which creation locks too, but shared.
 */

/* ---- image + caller -> description -------------------------------------- */

static int take_layers(struct lcx_container *c, const struct lcx_image *image,
		       struct lcx_error **err)
{
	size_t n = lcx_image_layer_count(image);

	if (n == 0)
		return lcx__fail(err, EINVAL, "image '%s' has no layer to run on", c->d.image);
	/* Of a creation that failed later on. */
	c->d.layers = lcx__strv_free(c->d.layers);
	free(TAKE_PTR(c->d.image_id));
	for (size_t i = 0; i < n; i++)
		if (lcx__strv_append(&c->d.layers, lcx_image_layer_dir(image, i)) < 0)
			return lcx__fail_nomem(err);
	c->d.image_id = strdup(lcx_image_id(image));
	return c->d.image_id ? 0 : lcx__fail_nomem(err);
}

/* The caller's words win over the image's; an entrypoint of the caller's also drops the image's
 * command. */
static int merge_arguments(struct lcx_container *c, const struct lcx_image *image,
			   struct lcx_error **err)
{
	const char *const *entrypoint = (const char *const *)c->d.entrypoint;
	const char *const *command = (const char *const *)c->d.command;
	CLEANUP(lcx__strv_freep) char **args = NULL;

	if (c->spec->process.args && c->spec->process.args[0])
		return 0;
	if (!entrypoint && image)
		entrypoint = lcx_image_entrypoint(image);
	if (!command && image && !c->d.entrypoint)
		command = lcx_image_cmd(image);
	args = lcx__strv_copy(entrypoint);
	for (size_t i = 0; args && command && command[i]; i++)
		if (lcx__strv_append(&args, command[i]) < 0)
			return lcx__fail_nomem(err);
	if (args && !args[0] && c->d.system.value && lcx__strv_append(&args, "/sbin/init") < 0)
		return lcx__fail_nomem(err);
	if (!args)
		return lcx__fail_nomem(err);
	if (!args[0])
		return lcx__fail(err, EINVAL, "no command given%s%s%s",
				 image ? ", and image '" : "", image ? c->d.image : "",
				 image ? "' has none" : "");
	return lcx_spec_set_args(c->spec, (const char *const *)args, err);
}

/* The description's own variables win over the image's, but for a PATH that is only its default. */
static bool is_own_variable(const struct lcx_container *c, const char *assignment)
{
	CLEANUP(freep) char *name = strndup(assignment, strcspn(assignment, "="));
	const char *value = name ? lcx_spec_getenv(c->spec, name) : NULL;

	return value && (strcmp(name, "PATH") != 0 || strcmp(value, LCX__DEFAULT_PATH) != 0);
}

static int merge_environment(struct lcx_container *c, const struct lcx_image *image,
			     struct lcx_error **err)
{
	const char *const *env = image ? lcx_image_env(image) : NULL;
	int r = 0;

	for (; r == 0 && env && *env; env++)
		if (strchr(*env, '=') && !is_own_variable(c, *env))
			r = lcx_spec_add_env(c->spec, *env, err);
	for (char **own = c->env; r == 0 && own && *own; own++)
		r = lcx_spec_add_env(c->spec, *own, err);
	return r;
}

static int add_if_missing(struct lcx_container *c, const char *name, const char *value,
			  struct lcx_error **err)
{
	if (lcx_spec_getenv(c->spec, name))
		return 0;
	return lcx_spec_set_env(c->spec, name, value, err);
}

/* A tree to look the user up in: the directory itself, or all layers together, mounted for nobody
 * to see. */
int lcx__container_open_lookup(const struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(lcx_overlay_freep) struct lcx_overlay *overlay = NULL;
	int r, fd;

	if (c->d.rootfs) {
		fd = open(c->d.rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? lcx__fail_sys(err, errno, "root file system '%s'", c->d.rootfs)
			      : fd;
	}
	if (!c->d.layers[1]) {
		fd = open(c->d.layers[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? lcx__fail_sys(err, errno, "layer '%s'", c->d.layers[0]) : fd;
	}
	r = lcx_overlay_new(&overlay, err);
	for (size_t i = 0; r == 0 && c->d.layers[i]; i++)
		r = lcx_overlay_add_lower(overlay, c->d.layers[i], err);
	return r < 0 ? r : lcx_overlay_mount_fd(overlay, err);
}

static int set_groups(struct lcx_container *c, const struct lcx_user *user, struct lcx_error **err)
{
	int r = lcx_spec_clear_groups(c->spec, err);

	for (size_t i = 0; r == 0 && i < lcx_user_group_count(user); i++)
		r = lcx_spec_add_group(c->spec, lcx_user_group(user, i), err);
	return r;
}

static int merge_user(struct lcx_container *c, const struct lcx_image *image,
		      struct lcx_error **err)
{
	CLEANUP(lcx_user_freep) struct lcx_user *user = NULL;
	CLEANUP(closep) int root_fd = -1;
	const char *wanted = c->d.user ? c->d.user : image ? lcx_image_user(image) : "";
	int r;

	/* Nobody says anything: the description's own numbers, and if they are root's, its groups
	 * and home. */
	if (!c->d.user && !wanted[0]) {
		if (lcx_spec_uid(c->spec) != 0)
			return 0;
		wanted = "0";
	}
	root_fd = lcx__container_open_lookup(c, err);
	if (root_fd < 0)
		return root_fd;
	r = lcx_user_lookup(root_fd, wanted, &user, err);
	if (r == 0)
		r = lcx_spec_set_user(c->spec, lcx_user_uid(user), lcx_user_gid(user), err);
	if (r == 0)
		r = set_groups(c, user, err);
	return r < 0 ? r : add_if_missing(c, "HOME", lcx_user_home(user), err);
}

static int merge_cwd(struct lcx_container *c, const struct lcx_image *image, struct lcx_error **err)
{
	const char *cwd = c->cwd;

	if (!cwd && image && lcx_image_working_dir(image)[0] == '/')
		cwd = lcx_image_working_dir(image);
	return cwd ? lcx_spec_set_cwd(c->spec, cwd, err) : 0;
}

/* The description's, by the name that the image specification gives it (conversion.md), or the
 * image's. */
static int merge_stop_signal(struct lcx_container *c, const struct lcx_image *image,
			     struct lcx_error **err)
{
	const char *wanted = lcx_spec_annotation(c->spec, "org.opencontainers.image.stopSignal");

	if (!wanted && image)
		wanted = lcx_image_stop_signal(image);
	if (!wanted || !wanted[0])
		return 0;
	free(c->d.stop_signal);
	c->d.stop_signal = strdup(wanted);
	return c->d.stop_signal ? 0 : lcx__fail_nomem(err);
}

/* ---- network ------------------------------------------------------------ */

bool lcx__container_has_network(const struct lcx_container *c)
{
	return !lcx__network_is_mode(c->d.network) &&
	       lcx__spec_namespace(c->spec, CLONE_NEWNET) != NULL;
}

static int check_network(struct lcx_container *c, struct lcx_error **err)
{
	int r = lcx__container_settle_mode(c, err);

	if (r == 0)
		r = lcx__container_check_resolving(c, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < lcx__container_network_count(c); i++) {
		CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
		r = lcx_network_open(c->ctx, lcx__container_network_at(c, i), &network, err);

		if (r < 0)
			return r;
	}
	if (!lcx__container_has_network(c) && !lcx__network_is_pasta(c->d.network) && c->d.ports &&
	    c->d.ports[0])
		return lcx__fail(err, EINVAL, "ports can't be published on network '%s'",
				 c->d.network);
	return 0;
}

/*
 * The three files of a container's own, whatever the image holds; they are filled
 * at each start. Not over a volume that the caller puts there.
 */
static int add_own_files(struct lcx_container *c, struct lcx_error **err)
{
	static const char *const files[] = {"hosts", "hostname", "resolv.conf"};
	static const char *const options[] = {"rbind", "rprivate", NULL};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(files); i++) {
		const char *shared = lcx__container_network_of(c);
		/* Whose network it shares, his names it has; its own host name is another thing. */
		bool is_shared = shared && (strcmp(files[i], "hostname") != 0 ||
					    lcx__pod_shares(c, CLONE_NEWUTS));
		CLEANUP(freep)
		char *source = lcx__format("%s/containers/%s/%s", c->ctx->root_dir,
					   is_shared ? shared : c->d.id, files[i]);
		CLEANUP(freep) char *destination = lcx__format("/etc/%s", files[i]);
		bool taken = false;

		if (!source || !destination)
			return lcx__fail_nomem(err);
		for (size_t m = 0; m < c->spec->mounts.n; m++)
			taken |= strcmp(c->spec->mounts.items[m].destination, destination) == 0;
		if (!taken)
			r = lcx_spec_add_mount(c->spec, source, destination, NULL, options, err);
	}
	return r;
}

/* A bundle says everything itself. */
static int check_description(const struct lcx_container *c, struct lcx_error **err)
{
	int r = lcx__spec_check_supported(c->spec, err);

	if (r == 0)
		r = lcx__container_check_resctrl(c, err);
	if (r == 0)
		r = lcx__container_check_cgroup(c, err);
	return r < 0 ? r : lcx__container_check_users(c, err);
}

static int merge(struct lcx_container *c, const struct lcx_image *image, struct lcx_error **err)
{
	static int (*const steps[])(struct lcx_container * c, const struct lcx_image *image,
				    struct lcx_error **err) = {
		merge_arguments, merge_environment, merge_cwd,
		merge_user,      merge_stop_signal, lcx__health_merge,
	};
	int r = lcx__pod_settle(c, err);

	if (r == 0)
		r = lcx__system_prepare(c, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(steps); i++)
		r = steps[i](c, image, err);
	if (r == 0)
		r = lcx__system_settle(c, err);
	if (r == 0 && !c->spec->hostname && !lcx__pod_shares(c, CLONE_NEWUTS) &&
	    lcx__spec_namespace(c->spec, CLONE_NEWUTS)) {
		char hostname[13];

		(void)snprintf(hostname, sizeof(hostname), "%s", c->d.id);
		r = lcx_spec_set_hostname(c->spec, hostname, err);
	}
	if (r == 0 && c->spec->hostname)
		r = add_if_missing(c, "HOSTNAME", c->spec->hostname, err);
	if (r == 0 && c->spec->process.terminal.value)
		r = add_if_missing(c, "TERM", "xterm", err);
	if (r == 0)
		r = check_network(c, err);
	if (r == 0)
		r = lcx__container_settle_ordinary(c, err);
	if (r == 0)
		r = lcx__container_add_volumes(c, image, err);
	if (r == 0)
		r = lcx__container_add_devices(c, err);
	/* A root file system of the caller's own is used as it is. */
	if (r == 0 && lcx__container_has_files(c))
		r = add_own_files(c, err);
	return r < 0 ? r : check_description(c, err);
}

/* ---- on disk ------------------------------------------------------------ */

/* What is removed at its end does not outlive this boot, and waits for no disk: passing.c. */
static bool is_kept(const struct lcx_container *c)
{
	return !c->d.auto_remove.value;
}

static int note_boot(struct lcx_container *c, struct lcx_error **err)
{
	char boot_id[LCX__BOOT_ID_SIZE];
	int r = lcx__boot_id(boot_id);

	if (r < 0)
		return lcx__fail_sys(err, -r, "read the boot id");
	free(c->d.boot_id);
	c->d.boot_id = strdup(boot_id);
	return c->d.boot_id ? 0 : lcx__fail_nomem(err);
}

static int write_spec(struct lcx_container *c, int dir_fd, struct lcx_error **err)
{
	CLEANUP(freep) char *json = NULL;
	int r = lcx__spec_to_short_json(c->spec, &json, err);

	if (r < 0)
		return r;
	r = lcx__new_file(dir_fd, "config.json", json, strlen(json), 0600, is_kept(c));
	return r < 0 ? lcx__fail_sys(err, -r, "write 'config.json'") : 0;
}

/* The read-write layer is the root directory that the container sees: it looks as the image's does.
 */
static int adopt_root(const struct lcx_container *c, int dir_fd, struct lcx_error **err)
{
	bool own = lcx__container_is_chowned(c);
	struct stat st, ours;

	if (!c->d.layers || !c->d.layers[0])
		return 0;
	if (fstatat(dir_fd, own ? LCX__CHOWNED_DIR : c->d.layers[0], &st, 0) < 0 ||
	    fstatat(dir_fd, "upper", &ours, 0) < 0)
		return lcx__fail_sys(err, errno, "layer '%s'", c->d.layers[0]);
	if ((st.st_uid != ours.st_uid || st.st_gid != ours.st_gid) &&
	    fchownat(dir_fd, "upper", st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return lcx__fail_sys(err, errno, "give the root directory to user %u", st.st_uid);
	if (fchmodat(dir_fd, "upper", st.st_mode & 07777, 0) < 0)
		return lcx__fail_sys(err, errno, "set the root directory's mode");
	return 0;
}

static int fill_directory(struct lcx_container *c, int dir_fd, struct lcx_error **err)
{
	static const struct {
		const char *name;
		mode_t mode;
	} dirs[] = {{"upper", 0755}, {"work", 0700}};
	int r;

	/* A root file system of one's own has no read-write layer. */
	for (size_t i = 0; c->d.layers && i < ARRAY_SIZE(dirs); i++)
		if (mkdirat(dir_fd, dirs[i].name, 0700) < 0 ||
		    fchmodat(dir_fd, dirs[i].name, dirs[i].mode, 0) < 0)
			return lcx__fail_sys(err, errno, "make '%s'", dirs[i].name);
	r = is_kept(c) ? lcx__exit_reserve(dir_fd) : 0;
	if (r < 0)
		return lcx__fail_sys(err, -r, "make '.exit'");
	r = lcx__container_chown_layers(c, dir_fd, err);
	if (r == 0)
		r = adopt_root(c, dir_fd, err);
	if (r == 0)
		r = lcx__container_limit_storage(c, dir_fd, err);
	if (r < 0)
		return r;
	c->d.created_ns = (struct lcx__opt_i64)LCX__OPT(lcx__now_ns());
	if (!is_kept(c)) {
		r = note_boot(c, err);
		if (r < 0)
			return r;
	}
	r = write_spec(c, dir_fd, err);
	return r < 0 ? r : lcx__description_save_first(&c->d, dir_fd, is_kept(c), err);
}

static int put_on_disk(struct lcx_container *c, int containers_fd, struct lcx_error **err)
{
	/* The name stays locked until it leads somewhere. */
	CLEANUP(closep) int dir_fd = -1, names_fd = -1;
	char temporary[64];
	int r;

	r = lcx__temporary_name(temporary);
	if (r < 0)
		return lcx__fail_sys(err, -r, "choose a name");
	if (mkdirat(containers_fd, temporary,
		    (lcx__is_off(PRIVATE) ? 0755 : 0700) |
			    (is_kept(c) ? 0 : LCX__PASSING_MODE)) < 0)
		return lcx__fail_sys(err, errno, "make the container's directory");
	dir_fd = lcx__open_dir(containers_fd, temporary);
	r = dir_fd < 0 ? lcx__fail_sys(err, -dir_fd, "open the container's directory")
		       : fill_directory(c, dir_fd, err);
	if (r == 0)
		r = lcx__name_claim(c, &names_fd, err);
	if (r == 0 && renameat(containers_fd, temporary, containers_fd, c->d.id) < 0) {
		r = lcx__fail_sys(err, errno, "commit the container");
		closep(&names_fd);
		lcx__name_release(c);
	}
	if (r < 0) {
		(void)lcx__container_remove_dir(c->ctx, containers_fd, temporary);
		return r;
	}
	/* From here on it exists, and nothing can fail any more. */
	closep(&c->dir_fd);
	c->dir_fd = TAKE_FD(dir_fd);
	c->state = LCX_CONTAINER_CREATED;
	lcx__event_emit(c, "created", NULL);
	return 0;
}

static int create_from_image(struct lcx_container *c, int containers_fd, struct lcx_error **err)
{
	CLEANUP(lcx_image_freep) struct lcx_image *image = NULL;
	int r;

	r = lcx_image_open(c->ctx, c->d.image, &image, err);
	if (r < 0)
		return lcx__fail_stage(err, r, "image");
	/* First the hold, then the use: from here on nobody removes the layers. */
	r = lcx__image_hold(c->ctx, image, c->d.id, err);
	if (r < 0)
		return lcx__fail_stage(err, r, "image");
	r = take_layers(c, image, err);
	if (r == 0)
		r = merge(c, image, err);
	if (r == 0)
		r = put_on_disk(c, containers_fd, err);
	if (r < 0)
		(void)lcx__image_release(c->ctx, c->d.id, NULL);
	return r;
}

static int create_with_ids(struct lcx_container *c, int containers_fd, struct lcx_error **err)
{
	CLEANUP(closep) int users_fd = -1;
	int r = lcx__container_take_users(c, &users_fd, err);

	if (r < 0)
		return r;
	if (c->d.image)
		r = create_from_image(c, containers_fd, err);
	else
		r = c->d.bundle ? check_description(c, err) : merge(c, NULL, err);
	if (r == 0 && !c->d.image)
		r = put_on_disk(c, containers_fd, err);
	if (r == 0 || users_fd < 0)
		return r;
	closep(&users_fd);
	(void)lcx__id_ranges_release(c->ctx, c->d.id, NULL);
	return r;
}

LCX_PUBLIC int lcx_container_create(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(closep) int containers_fd = -1;
	int r;

	if (c->state != LCX_CONTAINER_NEW)
		return lcx__fail(err, EEXIST, "container '%s' was created before",
				 lcx__container_display(c));
	if (!c->d.image && !c->d.rootfs)
		return lcx__fail(err, EINVAL, "a container needs an image or a root file system");
	if (c->d.image && c->d.rootfs)
		return lcx__fail(err, EINVAL,
				 "a container has either an image or a root file system");
	if (c->d.auto_remove.value && strcmp(lcx_container_restart_policy(c), "no") != 0)
		return lcx__fail(err, EINVAL,
				 "a container that is removed at its end cannot be started again: "
				 "restart policy '%s'",
				 c->d.restart);
	r = lcx__container_check_log(c, err);
	if (r < 0)
		return r;
	containers_fd = lcx__containers_dir(c->ctx);
	if (containers_fd < 0)
		return lcx__fail_sys(err, -containers_fd, "open the directory of containers");
	/* From the hold of the image on: its holder is not on disk yet, and lcx_gc() would release
	 * it. */
	r = lcx__lock(containers_fd, LOCK_SH);
	if (r < 0)
		return lcx__fail_sys(err, -r, "lock the directory of containers");
	r = create_with_ids(c, containers_fd, err);
	if (r < 0) {
		closep(&containers_fd);
		(void)lcx__container_drop_volumes(c, NULL);
	}
	return r;
}

/* Remove in the reverse order of creation: what a crash leaves is a container, or a name of none.
 */
int lcx__container_delete(struct lcx_container *c, struct removal how, struct lcx_error **err)
{
	CLEANUP(closep) int containers_fd = lcx__open_dir(c->ctx->root_fd, "containers");
	char temporary[64];
	int r;

	if (containers_fd < 0)
		return containers_fd == -ENOENT ? 0
						: lcx__fail_sys(err, -containers_fd,
								"open the directory of containers");
	/* Before anything is locked that others wait for. */
	lcx__claim_drop(c);
	r = how.force ? 0 : lcx__pod_lock_members(c, containers_fd, err);
	/* They stay: from now on they are nobody's in particular. */
	if (r == 0 && !how.volumes)
		r = lcx__container_keep_volumes(c, err);
	if (r < 0)
		return r;
	/* Under a name that is no identifier nobody finds it half removed. */
	r = lcx__temporary_name(temporary);
	if (r == 0 && renameat(containers_fd, c->d.id, containers_fd, temporary) < 0)
		r = errno == ENOENT ? 0 : -errno;
	else if (r == 0)
		lcx__event_emit(c, "removed", NULL);
	(void)flock(containers_fd, LOCK_UN);
	lcx__name_release(c);
	if (r == 0)
		r = lcx__container_remove_dir(c->ctx, containers_fd, temporary);
	if (r < 0)
		(void)lcx__fail_sys(err, -r, "remove the directory of container '%s'",
				    lcx__container_display(c));
	if (r == 0)
		r = lcx__id_ranges_release(c->ctx, c->d.id, err);
	if (c->d.image_id) {
		int released = lcx__image_release(c->ctx, c->d.id, err);

		r = r < 0 ? r : released;
	}
	if (how.volumes) {
		int dropped = lcx__container_drop_volumes(c, err);

		r = r < 0 ? r : dropped;
	}
	return r;
}
