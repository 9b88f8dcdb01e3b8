/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lcx/security.h"
#include "spec/spec.h"
#include "util/fs.h"
#include "util/str.h"

/*
 * What Docker gives a container that asks for nothing. Facts from its
 * daemon/pkg/oci/defaults.go; but a cgroup namespace is made always, as Docker does on v2, since
 * without one the host's cgroup tree is in sight (CVE-2022-0492, CVE-2023-25809).
 */

static const char path_variable[] = "PATH=" LCX__DEFAULT_PATH;

static const char *const namespaces[] = {"mount", "network", "uts", "pid", "ipc", "cgroup"};

enum { MAX_OPTIONS = 8 };

static const struct {
	const char *source, *destination, *type;
	const char *options[MAX_OPTIONS];
} mounts[] = {
	{"proc", "/proc", "proc", {"nosuid", "noexec", "nodev"}},
	{"tmpfs", "/dev", "tmpfs", {"nosuid", "noexec", "strictatime", "mode=755", "size=65536k"}},
	{"devpts",
	 "/dev/pts",
	 "devpts",
	 {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
	{"sysfs", "/sys", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
	{"cgroup", "/sys/fs/cgroup", "cgroup", {"ro", "nosuid", "noexec", "nodev"}},
	{"mqueue", "/dev/mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
	{"shm", "/dev/shm", "tmpfs", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
};

/* Nothing is allowed but what a program can't do without, and ptys; mknod(2) of any, which opens
 * none. */
static const struct {
	int32_t allow;
	const char *type;
	int64_t major, minor;
	const char *access;
} device_rules[] = {
	{0, "a", -1, -1, "rwm"},  {1, "c", -1, -1, "m"},
	{1, "b", -1, -1, "m"},    {1, "c", 1, 3, "rwm"}, /* null */
	{1, "c", 1, 5, "rwm"},                           /* zero */
	{1, "c", 1, 7, "rwm"},                           /* full */
	{1, "c", 1, 8, "rwm"},                           /* random */
	{1, "c", 1, 9, "rwm"},                           /* urandom */
	{1, "c", 5, 0, "rwm"},                           /* tty */
	{1, "c", 5, 1, "rwm"},                           /* console */
	{1, "c", 5, 2, "rwm"},                           /* ptmx */
	{1, "c", 136, -1, "rwm"},                        /* pts */
};

static int set_process(struct lcx_spec *spec, struct lcx_error **err)
{
	struct lcx__spec_capabilities *capabilities = &spec->process.capabilities;
	struct lcx__opt_u64 mask = LCX__OPT(lcx_capability_default_mask());
	int r;

	capabilities->set = true;
	capabilities->bounding = capabilities->effective = capabilities->permitted = mask;
	r = lcx_spec_set_user(spec, 0, 0, err);
	if (r == 0)
		r = lcx_spec_set_cwd(spec, "/", err);
	if (r == 0)
		r = lcx_spec_add_env(spec, path_variable, err);
	if (r == 0)
		r = lcx_spec_set_no_new_privileges(spec, 0, err);
	return r;
}

static int add_mounts(struct lcx_spec *spec, struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		int r = lcx_spec_add_mount(spec, mounts[i].source, mounts[i].destination,
					   mounts[i].type, mounts[i].options, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* From rule @first on: the first one denies what the others don't allow. */
static int add_device_rules_from(size_t first, struct lcx_spec *spec, struct lcx_error **err)
{
	for (size_t i = first; i < ARRAY_SIZE(device_rules); i++) {
		int r = lcx_spec_add_device_rule(spec, device_rules[i].allow, device_rules[i].type,
						 device_rules[i].major, device_rules[i].minor,
						 device_rules[i].access, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_device_rules(struct lcx_spec *spec, struct lcx_error **err)
{
	return add_device_rules_from(0, spec, err);
}

int lcx__spec_allow_default_devices(struct lcx_spec *spec, struct lcx_error **err)
{
	return add_device_rules_from(spec->linux_.resources.devices.n > 0 ? 1 : 0, spec, err);
}

/*
 * Counters that tell a container about its neighbours' load (GHSA-6fw5-f8r9-fgfm). They are
 * there for all CPUs or for none, so one look is enough on most machines.
 */
static int mask_thermal_throttle(struct lcx_spec *spec, struct lcx_error **err)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);

	for (long i = 0; i < n; i++) {
		char path[80];
		int r;

		(void)snprintf(path, sizeof(path),
			       "/sys/devices/system/cpu/cpu%ld/thermal_throttle", i);
		if (access(path, F_OK) < 0)
			return 0;
		r = lcx_spec_add_masked_path(spec, path, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_paths(struct lcx_spec *spec, struct lcx_error **err)
{
	const char *path;
	int r;

	for (size_t i = 0; (path = lcx_default_masked_path(i)); i++) {
		r = lcx_spec_add_masked_path(spec, path, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; (path = lcx_default_readonly_path(i)); i++) {
		r = lcx_spec_add_readonly_path(spec, path, err);
		if (r < 0)
			return r;
	}
	return mask_thermal_throttle(spec, err);
}

static int add_namespaces(struct lcx_spec *spec, struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		int r = lcx_spec_add_namespace(spec, namespaces[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* A build without seccomp could not put it into effect, and would refuse its own defaults. */
static int set_seccomp(struct lcx_spec *spec, struct lcx_error **err)
{
#if HAVE_SECCOMP
	return lcx_seccomp_default(&spec->linux_.seccomp, err);
#else
	(void)spec, (void)err;
	return 0;
#endif
}

static int (*const steps[])(struct lcx_spec *spec, struct lcx_error **err) = {
	set_process, add_namespaces, add_mounts, add_device_rules, add_paths, set_seccomp,
};

LCX_PUBLIC int lcx_spec_new(struct lcx_spec **ret, struct lcx_error **err)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	int r = lcx_spec_new_empty(&spec, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(steps); i++)
		r = steps[i](spec, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(spec);
	return 0;
}

/* As Docker: what hides, forbids or makes read-only goes; the namespaces stay. */
LCX_PUBLIC int lcx_spec_set_privileged(struct lcx_spec *spec, struct lcx_error **err)
{
	static const char *const options[] = {"nosuid", "noexec", "nodev", "rw", NULL};
	CLEANUP(lcx_spec_freep) struct lcx_spec *copy = NULL;
	struct lcx_spec old;
	int r;

	/* On a copy, so that a failure half-way leaves no half-privileged description. */
	r = lcx_spec_dup(spec, &copy, err);
	if (r == 0)
		r = lcx_spec_add_capability(copy, "ALL", err);
	if (r == 0)
		r = lcx_spec_set_seccomp(copy, NULL, err);
	if (r == 0)
		r = lcx_spec_clear_masked_paths(copy, err);
	if (r == 0)
		r = lcx_spec_clear_readonly_paths(copy, err);
	if (r == 0)
		r = lcx_spec_add_device_rule(copy, 1, "a", -1, -1, "rwm", err);
	if (r == 0)
		r = lcx_spec_add_mount(copy, "sysfs", "/sys", "sysfs", options, err);
	if (r == 0)
		r = lcx_spec_add_mount(copy, "cgroup", "/sys/fs/cgroup", "cgroup", options, err);
	if (r < 0)
		return r;
	old = *spec;
	*spec = *copy;
	*copy = old;
	return 0;
}
