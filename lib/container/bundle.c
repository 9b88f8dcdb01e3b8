/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <fcntl.h>
#include <string.h>

#include "container/hooks.h"
#include "lcx/bundle.h"
#include "util/fs.h"

enum { CONFIG_LIMIT = 4 << 20 };

static int read_config(const char *dir, const char *config, struct lcx_spec **ret,
		       struct lcx_error **err)
{
	CLEANUP(closep) int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(freep) char *text = NULL;
	size_t length;
	int r;

	if (dir_fd < 0)
		return lcx__fail_sys(err, errno, "bundle '%s'", dir);
	r = lcx__read_file(config ? AT_FDCWD : dir_fd, config ? config : "config.json",
			   CONFIG_LIMIT, &text, &length);
	if (r < 0 && config)
		return lcx__fail_sys(err, -r, "read '%s'", config);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read '%s/config.json'", dir);
	/* Engines read on what of it is in the state. */
	r = lcx__spec_from_utf8(text, length, ret, err);
	return lcx__fail_prefix(err, r, "%s", config ? config : "config.json");
}

/* root.path is relative to the bundle: config.md, "Root". */
static int set_root(struct lcx_container *c, struct lcx_error **err)
{
	const char *wanted = c->spec->root.path;
	CLEANUP(freep) char *path = NULL;

	if (!wanted || !wanted[0])
		return lcx__fail(err, EINVAL, "root.path: must be there");
	path = wanted[0] == '/' ? strdup(wanted) : lcx__format("%s/%s", c->d.bundle, wanted);
	return path ? lcx_container_set_rootfs(c, path, err) : lcx__fail_nomem(err);
}

/* config.md, "Mounts": a destination is relative to the root, the source of a bind mount to the
 * bundle. */
static int place_mount(const struct lcx_container *c, struct lcx__spec_mount *m)
{
	char *path;

	if (m->destination[0] != '/') {
		path = lcx__format("/%s", m->destination);
		if (!path)
			return -ENOMEM;
		free(m->destination);
		m->destination = path;
	}
	if (!lcx__spec_is_bind(m) || !m->source || !m->source[0] || m->source[0] == '/')
		return 0;
	path = lcx__format("%s/%s", c->d.bundle, m->source);
	if (!path)
		return -ENOMEM;
	free(m->source);
	m->source = path;
	return 0;
}

static int place_mounts(struct lcx_container *c, struct lcx_error **err)
{
	for (size_t i = 0; i < c->spec->mounts.n; i++)
		if (place_mount(c, &c->spec->mounts.items[i]) < 0)
			return lcx__fail_nomem(err);
	return 0;
}

/* No process at all is one that is prepared and never started. */
static int check_process(const struct lcx_container *c, struct lcx_error **err)
{
	const struct lcx__spec_process *process = &c->spec->process;

	if (!process->set || (process->args && process->args[0]))
		return 0;
	return lcx__fail(err, EINVAL, "process.args: must name a program");
}

LCX_PUBLIC int lcx_bundle_load(struct lcx_ctx *ctx, const char *id, const char *path,
			       struct lcx_container **ret, struct lcx_error **err)
{
	return lcx_bundle_load_config(ctx, id, path, NULL, ret, err);
}

LCX_PUBLIC int lcx_bundle_load_config(struct lcx_ctx *ctx, const char *id, const char *path,
				      const char *config, struct lcx_container **ret,
				      struct lcx_error **err)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	CLEANUP(freep) char *dir = realpath(path, NULL);
	int r;

	if (!dir)
		return lcx__fail_sys(err, errno, "bundle '%s'", path);
	r = read_config(dir, config, &spec, err);
	if (r == 0)
		r = lcx__container_new(ctx, id, &spec, &c, err);
	if (r < 0)
		return r;
	c->d.bundle = TAKE_PTR(dir);
	r = check_process(c, err);
	if (r == 0)
		r = lcx__spec_trim_capabilities(c->spec, err);
	if (r == 0)
		r = set_root(c, err);
	if (r == 0)
		r = place_mounts(c, err);
	/* Only root may have rules for devices, or make any. */
	if (r == 0 && geteuid() == 0)
		r = lcx__spec_allow_default_devices(c->spec, err);
	if (r == 0)
		r = lcx_container_set_network(c, "none", err);
	if (r == 0)
		r = lcx_container_set_log_driver(c, "none", err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}

LCX_PUBLIC const char *lcx_bundle_path(const struct lcx_container *c)
{
	return c->d.bundle ? c->d.bundle : "";
}

/* The specification's words for our states. */
LCX_PUBLIC int lcx_bundle_state(struct lcx_container *c, char **ret, struct lcx_error **err)
{
	static const char *const names[] = {
		[LCX_CONTAINER_NEW] = "creating",     [LCX_CONTAINER_CREATED] = "creating",
		[LCX_CONTAINER_PREPARED] = "created", [LCX_CONTAINER_RUNNING] = "running",
		[LCX_CONTAINER_PAUSED] = "paused",    [LCX_CONTAINER_STOPPED] = "stopped",
	};
	bool has_process = lcx__container_is_running(c);
	int r = c->state == LCX_CONTAINER_NEW ? 0 : lcx__container_load_spec(c, err);
	char *text;

	if (r < 0)
		return r;
	text = lcx__container_oci_state(c, names[c->state],
					has_process ? (pid_t)c->run.pid.value : 0);
	if (!text)
		return lcx__fail_nomem(err);
	*ret = text;
	return 0;
}
