/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "config.h"
#include "security/lsm.h"
#include "security/seccomp.h"
#include "spec/names.h"
#include "spec/spec.h"
#include "util/str.h"

/*
 * What can't be put into effect is refused by name, never left out. A property whose
 * effect is written later has a row in unsupported[]; to enable it is to delete its row.
 */

static bool has_text(const char *text)
{
	return text && *text;
}

static bool any_mount(const struct lcx_spec *spec, bool (*is)(const struct lcx__spec_mount *mount))
{
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (is(&spec->mounts.items[i]))
			return true;
	return false;
}

static bool maps_what_is_new(const struct lcx__spec_mount *mount)
{
	bool bind = mount->parsed.flags & MS_BIND || (mount->type && !strcmp(mount->type, "bind"));

	return mount->parsed.idmap != LCX__IDMAP_NONE && !bind;
}

static bool has_idmapped_new_mount(const struct lcx_spec *spec)
{
	return any_mount(spec, maps_what_is_new);
}

static bool has_net_devices(const struct lcx_spec *spec)
{
	return spec->linux_.net_devices.n > 0;
}

/* The specification reserves the place and defines none. */
static bool has_personality_flags(const struct lcx_spec *spec)
{
	return lcx__strv_length(spec->linux_.personality.flags) > 0;
}

/* The interface by which file systems are made here has no word for it. */
static bool counts_versions(const struct lcx__spec_mount *mount)
{
	return mount->parsed.flags & MS_I_VERSION;
}

static bool has_iversion(const struct lcx_spec *spec)
{
	return any_mount(spec, counts_versions);
}

static const struct {
	const char *path;
	bool (*is_used)(const struct lcx_spec *spec);
} unsupported[] = {
	{"mounts: uidMappings, gidMappings, idmap of what is not bound", has_idmapped_new_mount},
	{"mounts: iversion", has_iversion},
	{"linux.personality.flags", has_personality_flags},
};

/* Namespaces that this kernel was built without have no file here. */
static const struct {
	uint32_t flag;
	const char *file;
} kernel_namespaces[] = {
	{CLONE_NEWUSER, "/proc/self/ns/user"},
	{CLONE_NEWCGROUP, "/proc/self/ns/cgroup"},
	{LCX__CLONE_NEWTIME, "/proc/self/ns/time"},
};

static const char *apparmor_profile(const struct lcx_spec *spec)
{
	const char *profile = spec->process.apparmor_profile;

	/* Without the module everybody is unconfined. */
	return profile && strcmp(profile, "unconfined") != 0 ? profile : NULL;
}

static const char *selinux_label(const struct lcx_spec *spec)
{
	return spec->process.selinux_label;
}

static const char *mount_label(const struct lcx_spec *spec)
{
	return spec->linux_.mount_label;
}

/* Security modules are there when the kernel has them and its command line says so. */
static const struct {
	const char *path;
	const char *(*label)(const struct lcx_spec *spec);
	const char *(*missing)(void);
} labels[] = {
	{"process.apparmorProfile", apparmor_profile, lcx__apparmor_missing},
	{"process.selinuxLabel", selinux_label, lcx__selinux_missing},
	{"linux.mountLabel", mount_label, lcx__selinux_missing},
};

int lcx__spec_check_labels(const struct lcx_spec *spec, struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		const char *missing = has_text(labels[i].label(spec)) ? labels[i].missing() : NULL;

		if (missing)
			return lcx__fail(err, EOPNOTSUPP, "%s: %s", labels[i].path, missing);
	}
	return 0;
}

static int check_kernel(const struct lcx_spec *spec, struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel_namespaces); i++)
		if (lcx__spec_namespace(spec, kernel_namespaces[i].flag) &&
		    access(kernel_namespaces[i].file, F_OK) < 0)
			return lcx__fail(
				err, EOPNOTSUPP,
				"linux.namespaces: this kernel has no '%s' namespaces",
				lcx__json_name_of(lcx__namespace_names, kernel_namespaces[i].flag));
#if !HAVE_SECCOMP
	if (spec->linux_.seccomp)
		return lcx__fail(err, EOPNOTSUPP,
				 "linux.seccomp: this liblcx was built without seccomp; take the "
				 "profile out with lcx_spec_set_seccomp(NULL)");
#endif
	return lcx__spec_check_labels(spec, err);
}

static bool has_own(const struct lcx_spec *spec, uint32_t flag)
{
	return lcx__spec_namespace(spec, flag) != NULL;
}

/*
 * Parameters that belong to a namespace; all others are the whole machine's. Those that end in
 * a dot are whole trees. kernel.hostname is not here: hostname says it.
 */
static const struct {
	const char *name;
	uint32_t flag;
} sysctls[] = {
	{"net.", CLONE_NEWNET},
	{"fs.mqueue.", CLONE_NEWIPC},
	{"kernel.msgmax", CLONE_NEWIPC},
	{"kernel.msgmnb", CLONE_NEWIPC},
	{"kernel.msgmni", CLONE_NEWIPC},
	{"kernel.sem", CLONE_NEWIPC},
	{"kernel.shmall", CLONE_NEWIPC},
	{"kernel.shmmax", CLONE_NEWIPC},
	{"kernel.shmmni", CLONE_NEWIPC},
	{"kernel.shm_rmid_forced", CLONE_NEWIPC},
	{"kernel.domainname", CLONE_NEWUTS},
};

/* "net/core/x" and "net.core.x" are the same parameter. */
static bool sysctl_matches(const char *name, const char *row)
{
	for (; *row; row++, name++)
		if (*name != *row && !(*row == '.' && *name == '/'))
			return false;
	return row[-1] == '.' || *name == '\0';
}

static int check_sysctl(const struct lcx_spec *spec, const char *name, struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++) {
		if (!sysctl_matches(name, sysctls[i].name))
			continue;
		if (has_own(spec, sysctls[i].flag))
			return 0;
		return lcx__fail(err, EINVAL,
				 "linux.sysctl.%.64s: would change the host's; it needs a '%s' "
				 "namespace of the container's own",
				 name, lcx__json_name_of(lcx__namespace_names, sysctls[i].flag));
	}
	return lcx__fail(err, EINVAL,
			 "linux.sysctl.%.64s: belongs to no namespace and would change the host's; "
			 "set it on the host",
			 name);
}

static bool has_hostname(const struct lcx_spec *spec)
{
	return spec->hostname != NULL;
}

static bool has_domainname(const struct lcx_spec *spec)
{
	return spec->domainname != NULL;
}

static bool has_id_maps(const struct lcx_spec *spec)
{
	return spec->linux_.uid_mappings.n > 0 || spec->linux_.gid_mappings.n > 0;
}

static bool has_time_offsets(const struct lcx_spec *spec)
{
	return spec->linux_.time_offsets.set;
}

/* What needs a namespace that the container does not have would be done to the host's. */
static const struct {
	const char *path;
	uint32_t flag;
	bool (*is_used)(const struct lcx_spec *spec);
} needs[] = {
	{"hostname", CLONE_NEWUTS, has_hostname},
	{"domainname", CLONE_NEWUTS, has_domainname},
	{"linux.uidMappings and linux.gidMappings", CLONE_NEWUSER, has_id_maps},
	{"linux.netDevices", CLONE_NEWNET, has_net_devices},
	{"linux.timeOffsets", LCX__CLONE_NEWTIME, has_time_offsets},
};

static int refuse_peers(const char *path, const char *what, struct lcx_error **err)
{
	return lcx__fail(err, EOPNOTSUPP,
			 "%s: %s needs a 'mount' namespace of the container's own; in the host's "
			 "its mounts are attached nowhere and have no peers",
			 path, what);
}

int lcx__spec_check_shared_mounts(const struct lcx_spec *spec, struct lcx_error **err)
{
	const uint64_t peers = MS_SHARED | MS_SLAVE;

	if (spec->linux_.rootfs_propagation.value & peers)
		return refuse_peers("linux.rootfsPropagation", "one that is not private", err);
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct lcx__spec_mount *m = &spec->mounts.items[i];

		for (uint32_t k = 0; k < m->parsed.n_propagation; k++)
			if (m->parsed.propagation[k] & peers)
				return lcx__fail_prefix(
					err, refuse_peers("options", "'shared' or 'slave'", err),
					"mount on '%s'", m->destination);
	}
	return 0;
}

static int check_namespaces(const struct lcx_spec *spec, struct lcx_error **err)
{
	const struct lcx__spec_namespace *user = lcx__spec_namespace(spec, CLONE_NEWUSER);

	for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
		if (needs[i].is_used(spec) && !has_own(spec, needs[i].flag))
			return lcx__fail(err, EINVAL,
					 "%s: needs a '%s' namespace of the container's own",
					 needs[i].path,
					 lcx__json_name_of(lcx__namespace_names, needs[i].flag));
	if (user && !user->path &&
	    (spec->linux_.uid_mappings.n == 0 || spec->linux_.gid_mappings.n == 0))
		return lcx__fail(
			err, EINVAL,
			"linux.uidMappings and linux.gidMappings: a new user namespace needs "
			"both");
	for (size_t i = 0; i < spec->linux_.sysctl.n; i++) {
		int r = check_sysctl(spec, spec->linux_.sysctl.items[i].key, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int lcx__spec_check_supported(const struct lcx_spec *spec, struct lcx_error **err)
{
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++)
		if (unsupported[i].is_used(spec))
			return lcx__fail(err, EOPNOTSUPP,
					 "%s: liblcx " LCX_VERSION
					 " can't put it into effect; take it out",
					 unsupported[i].path);
	r = check_kernel(spec, err);
	if (r == 0)
		r = check_namespaces(spec, err);
	return r < 0 || has_own(spec, CLONE_NEWNS) ? r : lcx__spec_check_shared_mounts(spec, err);
}

LCX_PUBLIC int lcx_spec_check(const struct lcx_spec *spec, struct lcx_error **err)
{
	return lcx__spec_check_supported(spec, err);
}
