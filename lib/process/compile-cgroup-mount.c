/* SPDX-License-Identifier: MIT */

/* What a container sees of control groups: the mount of the type "cgroup", and options of
 * "cgroup2". */
#include "process/compile-internal.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "util/fs.h"
#include "util/mountinfo.h"
#include "util/str.h"
#include "util/sys.h"
#include "util/weaken.h"

enum { MOUNTS_LIMIT = 16 << 20, CGROUPS_LIMIT = 1 << 20 };

/*
 * Version 2 has options, as nsdelegate, that are one for the whole machine, and whoever mounts it
 * in the machine's own cgroup namespace sets all of them (apply_cgroup_root_flags() in the kernel),
 * or, if he names none, takes them away. There the container's mount names those of the host's, and
 * no others.
 */
int lcx__compile_cgroup2_options(struct compiler *c, char **options, struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	struct lcx__mount_line line;
	char *rest;
	int r;

	if (lcx__compile_is_new(c, CLONE_NEWCGROUP))
		return 0;
	r = lcx__read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTS_LIMIT, &text, NULL);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read '/proc/self/mountinfo'");
	rest = text;
	while (lcx__mountinfo_next(&rest, &line)) {
		/* The first is "rw" or "ro". */
		const char *of_host = strchr(line.super_options, ',');

		if (strcmp(line.type, "cgroup2") != 0)
			continue;
		free(*options);
		*options = strdup(of_host ? of_host + 1 : "");
		return *options ? 0 : lcx__fail_nomem(err);
	}
	return 0;
}

/*
 * Whoever is root in a user namespace may mount a hierarchy in a cgroup namespace of his own only
 * (cgroup1_get_tree() and cgroup_get_tree() in the kernel): in the host's he sees the host's mount.
 */
static bool sees_host_cgroups(const struct compiler *c)
{
	return lcx__spec_namespace(c->spec, CLONE_NEWUSER) &&
	       !lcx__spec_namespace(c->spec, CLONE_NEWCGROUP);
}

static void bind_hierarchy(struct compiler *c, const struct lcx__spec_mount *m, const char *name)
{
	struct plan_op *op = lcx__plan_add(c->plan, PLAN_BIND);

	op->fd = -1;
	op->flags = PLAN_F_MAKE_TARGET;
	op->str[0] = lcx__plan_format(c->plan, "/sys/fs/cgroup%s%s", name[0] ? "/" : "", name);
	op->str[1] = lcx__plan_format(c->plan, "%s%s%s", m->destination, name[0] ? "/" : "", name);
	op->num[0] = m->parsed.attr_set;
}

/*
 * "cgroup" stands for whatever the host has: one cgroup2 file system, or a tmpfs
 * with a directory for each version 1 hierarchy, as on the host. A line of
 * /proc/self/cgroup is "ID:CONTROLLERS:PATH"; 0 is version 2.
 */
static int compile_hierarchy(struct compiler *c, const struct lcx__spec_mount *m, uint32_t id,
			     const char *controllers, struct lcx_error **err)
{
	const char *name = strncmp(controllers, "name=", 5) == 0 ? controllers + 5 : controllers;
	CLEANUP(freep) char *options = NULL;
	struct plan_op *op;
	int r;

	if (sees_host_cgroups(c)) {
		bind_hierarchy(c, m, id ? name : "unified");
		return 0;
	}
	options = id == 0               ? strdup("")
		  : name == controllers ? strdup(controllers)
					: lcx__format("none,%s", controllers);
	if (!options)
		return lcx__fail_nomem(err);
	r = id == 0 ? lcx__compile_cgroup2_options(c, &options, err) : 0;
	if (r < 0)
		return r;
	op = lcx__plan_add(c->plan, PLAN_MOUNT);
	op->flags = PLAN_F_MAKE_TARGET;
	op->str[0] = lcx__plan_string(c->plan, id ? "cgroup" : "cgroup2");
	op->str[1] = lcx__plan_format(c->plan, "%s/%s", m->destination, id ? name : "unified");
	op->str[2] = lcx__plan_string(c->plan, "cgroup");
	op->str[3] = options[0] ? lcx__plan_string(c->plan, options) : 0;
	op->num[0] = m->parsed.attr_set;
	return 0;
}

/* In a hierarchy where the container has no cgroup of its own it sees the root of all, and there is
 * the name of a program that the kernel runs on the host (CVE-2022-0492). */
static void cover_release_agent(struct compiler *c, const struct lcx__spec_mount *m,
				const char *controllers)
{
	const char *name = strncmp(controllers, "name=", 5) == 0 ? controllers + 5 : controllers;

	lcx__plan_add(c->plan, PLAN_MASK)->str[0] =
		lcx__plan_format(c->plan, "%s/%s/release_agent", m->destination, name);
}

static int compile_cgroup_v1(struct compiler *c, const struct lcx__spec_mount *m, char *lines,
			     struct lcx_error **err)
{
	struct lcx__spec_mount writable = *m;
	struct plan_op *op;
	uint32_t number;
	char *line;
	int r;

	writable.parsed.attr_set &= ~(uint64_t)SYS_MOUNT_ATTR_RDONLY;

	op = lcx__plan_add(c->plan, PLAN_MOUNT);
	op->flags = PLAN_F_MAKE_TARGET;
	op->str[0] = lcx__plan_string(c->plan, "tmpfs");
	op->str[1] = lcx__plan_string(c->plan, m->destination);
	op->str[2] = lcx__plan_string(c->plan, "cgroup");
	op->str[3] = lcx__plan_string(c->plan, "mode=755,size=64k");
	op->num[0] = m->parsed.attr_set & ~(uint64_t)SYS_MOUNT_ATTR_RDONLY;
	while ((line = strsep(&lines, "\n"))) {
		char *id = strsep(&line, ":"), *controllers = strsep(&line, ":");

		if (!controllers || !line)
			continue;
		number = (uint32_t)strtoul(id, NULL, 10);
		/* With a controller it could raise its own limits. */
		r = compile_hierarchy(c, c->in->delegated && number == 0 ? &writable : m, number,
				      controllers, err);
		if (r < 0)
			return r;
		if (controllers[0])
			cover_release_agent(c, m, controllers);
	}
	if (m->parsed.attr_set & SYS_MOUNT_ATTR_RDONLY) {
		op = lcx__plan_add(c->plan, PLAN_REMOUNT);
		op->str[0] = lcx__plan_string(c->plan, m->destination);
		op->num[0] = SYS_MOUNT_ATTR_RDONLY;
	}
	return 0;
}

int lcx__compile_cgroup_mount(struct compiler *c, const struct lcx__spec_mount *m,
			      struct lcx_error **err)
{
	CLEANUP(freep) char *lines = NULL;
	struct lcx__spec_mount mount = *m;
	int r;

	/* Without a cgroup of its own its cgroup namespace begins at the caller's. */
	if (!c->in->cgroup) {
		lcx__plan_add(c->plan, PLAN_MASK)->str[0] =
			lcx__plan_string(c->plan, m->destination);
		return 0;
	}
	if (lcx__is_off(CGROUP))
		mount.parsed.attr_set &= ~(uint64_t)SYS_MOUNT_ATTR_RDONLY;
	r = lcx__read_file(AT_FDCWD, "/proc/self/cgroup", CGROUPS_LIMIT, &lines, NULL);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read '/proc/self/cgroup'");
	if (strncmp(lines, "0::", 3) != 0 || strchr(lines, '\n')[1] != '\0')
		return compile_cgroup_v1(c, &mount, lines, err);
	if (sees_host_cgroups(c)) {
		bind_hierarchy(c, &mount, "");
		return 0;
	}
	mount.type = (char *)(uintptr_t) "cgroup2";
	if (c->in->delegated) {
		mount.parsed.attr_set &= ~(uint64_t)SYS_MOUNT_ATTR_RDONLY;
		mount.parsed.flags &= ~(uint64_t)MS_RDONLY;
	}
	return lcx__compile_new_mount(c, &mount, err);
}
