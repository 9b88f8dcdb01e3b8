/* SPDX-License-Identifier: MIT */
#include "process/compile-internal.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "overlay/overlay.h"
#include "util/fs.h"
#include "util/privilege.h"
#include "util/str.h"
#include "util/sys.h"
#include "util/weaken.h"

static bool make_public(uint64_t propagation)
{
	return propagation & (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE);
}

/* The same options as the library's own mounts have, and no default of the kernel's. */
static int add_overlay_options(struct compiler *c, struct plan_op *op, struct lcx_error **err)
{
	CLEANUP(lcx_overlay_freep) struct lcx_overlay *overlay = NULL;
	struct lcx__overlay_option options[LCX__OVERLAY_MAX_OPTIONS];
	const char *pairs[2 * LCX__OVERLAY_MAX_OPTIONS + 7];
	uint32_t length;
	size_t n = 0, count;
	int r = lcx_overlay_new(&overlay, err);

	/* The marks are where whoever mounts it could write them. */
	if (r == 0 && (lcx__compile_is_private(c, CLONE_NEWUSER) || !lcx__is_in_first_users()))
		r = lcx_overlay_set_option(overlay, "userxattr", "on", err);
	if (r == 0 && c->in->volatile_changes)
		r = lcx_overlay_set_option(overlay, "volatile", "on", err);
	if (r < 0)
		return r;
	count = lcx__overlay_options(overlay, options);
	if (c->in->upper) {
		pairs[n++] = "upperdir";
		pairs[n++] = c->in->upper;
		pairs[n++] = "workdir";
		pairs[n++] = c->in->work;
	}
	if (c->spec->linux_.mount_label && c->spec->linux_.mount_label[0]) {
		pairs[n++] = "context";
		pairs[n++] = c->spec->linux_.mount_label;
	}
	for (size_t i = 0; i < count; i++) {
		pairs[n++] = options[i].key;
		pairs[n++] = options[i].value ? options[i].value : "";
	}
	pairs[n] = NULL;
	op->str[2] = lcx__plan_vector(c->plan, pairs, &length);
	op->num[0] = length;
	return 0;
}

/* What is mounted on its root must not come to be in others that its own root is shared with. */
static void compile_joined_root(struct compiler *c)
{
	struct plan_op *op = lcx__plan_add(c->plan, PLAN_SETNS);

	op->fd = lcx__plan_fd(c->plan, c->in->mntns_fd);
	op->str[0] = lcx__plan_string(c->plan, "mount");
	op->num[0] = CLONE_NEWNS;
	op = lcx__plan_add(c->plan, PLAN_PROPAGATION);
	op->flags = PLAN_F_TOP_ONLY;
	op->str[0] = lcx__plan_string(c->plan, "a slave");
	op->num[0] = MS_SLAVE;
	op = lcx__plan_add(c->plan, PLAN_ROOT_TREE);
	op->fd = lcx__plan_fd(c->plan, c->in->root_fd);
}

/*
 * The copy of the host's mounts becomes a slave: what the host unmounts later is
 * unmounted here too and not kept busy, and nothing goes the other way.
 */
int lcx__compile_root(struct compiler *c, struct lcx_error **err)
{
	const struct lcx__compile *in = c->in;
	uint64_t wanted = c->spec->linux_.rootfs_propagation.value;
	struct plan_op *op;

	if (in->joins_mount) {
		compile_joined_root(c);
		return 0;
	}
	if (lcx__compile_shares_mount(c))
		(void)lcx__plan_add(c->plan, PLAN_BUILD);
	op = lcx__plan_add(c->plan, PLAN_PROPAGATION);
	op->str[0] = lcx__plan_string(c->plan, wanted & MS_PRIVATE ? "private" : "slaves");
	op->num[0] = wanted & MS_PRIVATE ? MS_PRIVATE : MS_SLAVE;

	if (in->handed) {
		/* The builder's mount namespace is another one than that of the staging directory
		 * that could be opened, and needs no path to it: nothing is pivoted. */
		op = lcx__plan_add(c->plan, lcx__compile_shares_mount(c) ? PLAN_ROOT_TREE
									: PLAN_ROOT_HANDED);
		op->fd = lcx__plan_fd(c->plan, in->root_fd);
		op->str[0] = lcx__plan_string(c->plan, in->staging);
		return 0;
	}
	if (in->layers) {
		op = lcx__plan_add(c->plan, PLAN_ROOT_OVERLAY);
		op->str[0] = lcx__plan_string(c->plan, in->staging);
		op->str[1] = lcx__plan_vector(c->plan, in->layers, &op->length);
		op->flags = in->upper ? 0 : PLAN_F_READONLY;
		return add_overlay_options(c, op, err);
	} else {
		op = lcx__plan_add(c->plan, PLAN_ROOT_BIND);
		op->str[1] = lcx__plan_string(c->plan, in->rootfs);
		op->flags = PLAN_F_RECURSIVE;
	}
	op->str[0] = lcx__plan_string(c->plan, in->staging);
	return 0;
}

/* ---- mounts ------------------------------------------------------------- */

/* Flags of mount(2) that have no attribute are options of the file system itself. */
static const struct {
	uint64_t flag;
	const char *option;
} super_options[] = {
	{MS_SYNCHRONOUS, "sync"},
	{MS_DIRSYNC, "dirsync"},
	{MS_LAZYTIME, "lazytime"},
	{MS_MANDLOCK, "mand"},
};

static char *file_system_options(const struct lcx__mount_options *parsed)
{
	struct lcx__strbuf buf = STRBUF_EMPTY;

	lcx__strbuf_adds(&buf, parsed->data ? parsed->data : "");
	for (size_t i = 0; i < ARRAY_SIZE(super_options); i++)
		if (parsed->flags & super_options[i].flag)
			lcx__strbuf_addf(&buf, "%s%s", buf.length ? "," : "",
					 super_options[i].option);
	return lcx__strbuf_take(&buf);
}

/* As plan_propagation() reads it: the first change in the lowest bits. */
static uint64_t pack_propagation(const struct lcx__mount_options *parsed)
{
	uint64_t packed = 0;

	for (uint32_t i = parsed->n_propagation; i-- > 0;)
		packed = packed << PLAN_PROPAGATION_BITS |
			 parsed->propagation[i] >> PLAN_PROPAGATION_SHIFT;
	return packed;
}

/* File systems whose files the kernel labels by itself, whatever one asks for. */
static bool takes_label(const char *type)
{
	static const char *const not_these[] = {"proc", "sysfs", "cgroup", "cgroup2", "mqueue"};

	for (size_t i = 0; i < ARRAY_SIZE(not_these); i++)
		if (strcmp(type, not_these[i]) == 0)
			return false;
	return true;
}

int lcx__compile_new_mount(struct compiler *c, const struct lcx__spec_mount *m,
			   struct lcx_error **err)
{
	CLEANUP(freep) char *options = file_system_options(&m->parsed);
	struct plan_op *op;
	int r;

	if (!options)
		return lcx__fail_nomem(err);
	r = strcmp(m->type, "cgroup2") == 0 ? lcx__compile_cgroup2_options(c, &options, err) : 0;
	if (r < 0)
		return r;
	op = lcx__plan_add(c->plan, PLAN_MOUNT);
	op->flags = PLAN_F_MAKE_TARGET | (m->parsed.tmpcopyup ? PLAN_F_COPY_UP : 0);
	op->str[0] = lcx__plan_string(c->plan, m->type);
	op->str[1] = lcx__plan_string(c->plan, m->destination);
	op->str[2] = lcx__plan_string(c->plan, m->source ? m->source : m->type);
	op->str[3] = options[0] ? lcx__plan_string(c->plan, options) : 0;
	if (c->spec->linux_.mount_label && c->spec->linux_.mount_label[0] && takes_label(m->type))
		op->str[4] = lcx__plan_string(c->plan, c->spec->linux_.mount_label);
	/* There is no tree below it yet: what is recursive is the last word on this one. */
	op->num[0] = (m->parsed.attr_set & ~m->parsed.rattr_clr) | m->parsed.rattr_set;
	op->num[2] = pack_propagation(&m->parsed);
	return 0;
}

static void add_changes(struct plan_op *op, const struct lcx__mount_options *parsed)
{
	op->num[0] = parsed->attr_set;
	op->num[1] = parsed->attr_clr;
	op->num[2] = pack_propagation(parsed);
	op->num[3] = plan_deep(parsed->rattr_set, parsed->rattr_clr);
}

static int compile_bind(struct compiler *c, const struct lcx__spec_mount *m, struct lcx_error **err)
{
	bool by_us = c->in->handed || c->in->joins_mount || m->parsed.idmap != LCX__IDMAP_NONE ||
		     lcx__compile_is_both_ways(c, m);
	struct plan_op *op;
	int fd = -1;

	if (!m->source || m->source[0] != '/')
		return lcx__fail(err, EINVAL,
				 "mount on '%s': the source of a bind mount is an absolute path",
				 m->destination);
	if (by_us) {
		fd = lcx__compile_source(c, m, err);
		if (fd < 0)
			return fd;
	}
	op = lcx__plan_add(c->plan, PLAN_BIND);
	op->fd = fd < 0 ? -1 : lcx__compile_own_fd(c, fd);
	op->flags = PLAN_F_MAKE_TARGET | (m->parsed.flags & MS_REC ? PLAN_F_RECURSIVE : 0);
	op->str[0] = lcx__plan_string(c->plan, m->source);
	op->str[1] = lcx__plan_string(c->plan, m->destination);
	add_changes(op, &m->parsed);
	return 0;
}

/* What is mounted there already is changed: as mount(8) does with "remount,bind". */
static int compile_remount(struct compiler *c, const struct lcx__spec_mount *m,
			   struct lcx_error **err)
{
	struct plan_op *op;

	if (m->parsed.data)
		return lcx__fail(err, EOPNOTSUPP,
				 "mount on '%s': 'remount' changes a mount, not '%s' of its file "
				 "system",
				 m->destination, m->parsed.data);
	op = lcx__plan_add(c->plan, PLAN_REMOUNT);
	op->str[0] = lcx__plan_string(c->plan, m->destination);
	add_changes(op, &m->parsed);
	return 0;
}

int lcx__compile_mounts(struct compiler *c, struct lcx_error **err)
{
	for (size_t i = 0; i < c->spec->mounts.n; i++) {
		const struct lcx__spec_mount *m = &c->spec->mounts.items[i];
		int r;

		if (m->parsed.flags & MS_REMOUNT)
			r = compile_remount(c, m, err);
		else if (lcx__spec_is_bind(m))
			r = compile_bind(c, m, err);
		else if (!m->type)
			r = lcx__fail(err, EINVAL, "mount on '%s': neither a type nor 'bind'",
				      m->destination);
		else if (strcmp(m->type, "cgroup") == 0)
			r = lcx__compile_cgroup_mount(c, m, err);
		else
			r = lcx__compile_new_mount(c, m, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool may_be_missing(const struct lcx__spec_mount *m, const char *optional)
{
	size_t length = optional ? strlen(optional) : 0;

	return length > 0 && m->source && strncmp(m->source, optional, length) == 0 &&
	       m->source[length] == '/' && access(m->source, F_OK) < 0;
}

int lcx__compile_binds(struct compiler *c, const char *optional, struct lcx_error **err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->spec->mounts.n; i++) {
		const struct lcx__spec_mount *m = &c->spec->mounts.items[i];

		if (lcx__spec_is_bind(m) && !may_be_missing(m, optional))
			r = compile_bind(c, m, err);
	}
	return r;
}

/* ---- /dev --------------------------------------------------------------- */

/* What the runtime specification promises: config-linux.md, "Default Devices" and "Dev symbolic
 * links". */
static const struct {
	const char *name;
	unsigned int minor, major;
} default_devices[] = {
	{"null", 3, 1},   {"zero", 5, 1},    {"full", 7, 1},
	{"random", 8, 1}, {"urandom", 9, 1}, {"tty", 0, 5},
};

static const struct {
	const char *name, *target;
} dev_links[] = {
	{"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"}, {"core", "/proc/kcore"},      {"ptmx", "pts/ptmx"},
};

static void add_device(struct compiler *c, const char *dir, const char *name, uint64_t mode,
		       uint64_t device, uint32_t uid, uint32_t gid)
{
	struct plan_op *op = lcx__plan_add(c->plan, PLAN_MKNOD);

	op->str[0] = lcx__plan_string(c->plan, dir);
	op->str[1] = lcx__plan_string(c->plan, name);
	op->num[0] = mode;
	op->num[1] = device;
	op->num[2] = uid;
	op->num[3] = gid;
	op->str[2] = lcx__plan_format(c->plan, "%s/%s", dir, name);
}

/* The kernel's encoding, which is not the C library's: new_encode_dev() in linux/kdev_t.h. */
static uint64_t encode_device(uint64_t major, uint64_t minor)
{
	return (minor & 0xff) | (major << 8) | ((minor & ~(uint64_t)0xff) << 12);
}

static int add_described_device(struct compiler *c, const struct lcx__spec_device *d,
				struct lcx_error **err)
{
	CLEANUP(freep) char *dir = strdup(d->path);
	char *slash;
	uint64_t type = d->type.value == 'b' ? S_IFBLK : d->type.value == 'p' ? S_IFIFO : S_IFCHR;

	if (!dir)
		return lcx__fail_nomem(err);
	slash = strrchr(dir, '/');
	if (!slash || slash[1] == '\0')
		return lcx__fail(err, EINVAL, "device '%s' has no name", d->path);
	*slash = '\0';
	add_device(c, slash == dir ? "/" : dir, slash + 1,
		   type | (d->file_mode.set ? d->file_mode.value & 07777 : 0666),
		   encode_device((uint64_t)d->major.value, (uint64_t)d->minor.value), d->uid.value,
		   d->gid.value);
	return 0;
}

static bool dev_is_bound(const struct lcx_spec *spec)
{
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (strcmp(spec->mounts.items[i].destination, "/dev") == 0)
			return spec->mounts.items[i].parsed.flags & MS_BIND;
	return false;
}

static bool is_default_device(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++)
		if (strncmp(path, "/dev/", 5) == 0 &&
		    strcmp(path + 5, default_devices[i].name) == 0)
			return true;
	return false;
}

int lcx__compile_devices(struct compiler *c, struct lcx_error **err)
{
	if (dev_is_bound(c->spec))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++)
		add_device(c, "/dev", default_devices[i].name, S_IFCHR | 0666,
			   encode_device(default_devices[i].major, default_devices[i].minor), 0, 0);
	for (size_t i = 0; i < c->spec->linux_.devices.n; i++) {
		const struct lcx__spec_device *d = &c->spec->linux_.devices.items[i];
		int r = is_default_device(d->path) ? 0 : add_described_device(c, d, err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(dev_links); i++) {
		struct plan_op *op = lcx__plan_add(c->plan, PLAN_SYMLINK);

		op->str[0] = lcx__plan_string(c->plan, "/dev");
		op->str[1] = lcx__plan_string(c->plan, dev_links[i].name);
		op->str[2] = lcx__plan_string(c->plan, dev_links[i].target);
	}
	/* A place for the terminal; an ordinary file, so that without one it is harmless. */
	if (c->spec->process.terminal.value)
		add_device(c, "/dev", "console", S_IFREG | 0620, 0, 0, 0);
	return 0;
}

/* ---- what is hidden ----------------------------------------------------- */

int lcx__compile_masks(struct compiler *c, struct lcx_error **err)
{
	const struct lcx__spec_linux *linux_ = &c->spec->linux_;

	(void)err;
	for (char **path = linux_->masked_paths; path && *path; path++)
		lcx__plan_add(c->plan, PLAN_MASK)->str[0] = lcx__plan_string(c->plan, *path);
	/* The last: what may only be read is a copy on top, with the masks in it. A mask that came
	 * afterwards would be looked for in the mount below, which nobody sees any more. */
	for (char **path = linux_->readonly_paths; path && *path; path++)
		lcx__plan_add(c->plan, PLAN_READONLY)->str[0] = lcx__plan_string(c->plan, *path);
	return 0;
}

/* "net.ipv4.ip_forward" or "net/ipv4/conf/eth0.10/forwarding": sysctl.d(5). */
char *lcx__sysctl_path(const char *key)
{
	char *path = lcx__format("/proc/sys/%s", key);

	if (path && !strchr(key, '/'))
		for (char *at = path; *at; at++)
			if (*at == '.')
				*at = '/';
	return path;
}

int lcx__compile_sysctls(struct compiler *c, struct lcx_error **err)
{
	for (size_t i = 0; i < c->spec->linux_.sysctl.n; i++) {
		const struct lcx__key_value *item = &c->spec->linux_.sysctl.items[i];
		CLEANUP(freep) char *path = lcx__sysctl_path(item->key);
		struct plan_op *op;

		if (!path)
			return lcx__fail_nomem(err);
		op = lcx__plan_add(c->plan, PLAN_SYSCTL);
		op->str[0] = lcx__plan_string(c->plan, path);
		op->str[1] = lcx__plan_string(c->plan, item->value);
	}
	return 0;
}

int lcx__compile_restrict_root(struct compiler *c, struct lcx_error **err)
{
	uint64_t wanted = (c->spec->root.readonly.value ? SYS_MOUNT_ATTR_RDONLY : 0) |
			  (c->in->nodev_root ? SYS_MOUNT_ATTR_NODEV : 0);
	struct plan_op *op;

	(void)err;
	if (!wanted)
		return 0;
	op = lcx__plan_add(c->plan, PLAN_REMOUNT);
	op->str[0] = lcx__plan_string(c->plan, "/");
	op->num[0] = wanted;
	return 0;
}

/*
 * What the builder has made becomes the root of the container's process. Labels come when the
 * builder has ended, who would get them before, and while /proc is the host's.
 */
static void compile_built_root(struct compiler *c)
{
	struct plan_op *op;

	(void)lcx__plan_add(c->plan, PLAN_BUILT);
	lcx__compile_labels(c);
	if (c->in->mntns_fd >= 0) {
		op = lcx__plan_add(c->plan, PLAN_SETNS);
		op->fd = lcx__plan_fd(c->plan, c->in->mntns_fd);
		op->str[0] = lcx__plan_string(c->plan, "mount");
		op->num[0] = CLONE_NEWNS;
	}
	(void)lcx__plan_add(c->plan, PLAN_ENTER_ROOT);
	if (c->spec->process.terminal.value)
		(void)lcx__plan_add(c->plan, PLAN_CONTROL);
}

/* While it can still be made, if the root is going to be read-only. That it is not there is told
 * when it is gone to. */
static void make_cwd(struct compiler *c)
{
	struct plan_op *op;

	if (!c->in->make_cwd || !c->spec->root.readonly.value || !c->spec->process.cwd)
		return;
	op = lcx__plan_add(c->plan, PLAN_TARGET);
	op->flags = PLAN_F_IGNORE_ERRORS;
	op->str[0] = lcx__plan_string(c->plan, c->spec->process.cwd);
	op->num[0] = 1;
}

int lcx__compile_pivot(struct compiler *c, struct lcx_error **err)
{
	uint64_t propagation = c->spec->linux_.rootfs_propagation.value;
	struct plan_op *op;

	make_cwd(c);
	(void)lcx__compile_restrict_root(c, err);
	if (!c->in->joins_mount && lcx__compile_shares_mount(c)) {
		compile_built_root(c);
		return 0;
	}
	lcx__compile_labels(c);
	if (c->in->joins_mount) {
		(void)lcx__plan_add(c->plan, PLAN_ENTER_ROOT);
		return 0;
	}
	op = lcx__plan_add(c->plan, PLAN_PIVOT);
	op->flags = c->in->move_root ? PLAN_F_MOVE : 0;
	if (make_public(propagation))
		op->num[0] = propagation;
	return 0;
}
