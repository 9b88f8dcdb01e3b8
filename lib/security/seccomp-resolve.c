/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/utsname.h>

#include "security/seccomp-arch.h"
#include "security/seccomp.h"

/* Which rules of a profile apply: for these capabilities, on this architecture and kernel. */

struct here {
	uint64_t capabilities;
	const struct lcx__arch *arch;
	unsigned int major, minor; /* of the kernel */
};

static bool is_named(char *const *names, const char *name)
{
	for (; name && names && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static bool arch_is_listed(const struct lcx__seccomp_condition *condition, const struct here *here)
{
	return is_named(condition->architectures, here->arch->short_name) ||
	       is_named(condition->architectures, here->arch->go_name);
}

static bool kernel_is_at_least(const char *version, const struct here *here)
{
	unsigned int major = 0, minor = 0;

	/* It has been checked when the profile was read. */
	(void)sscanf(version, "%3u.%3u", &major, &minor);
	return here->major > major || (here->major == major && here->minor >= minor);
}

/* All that is demanded is there. */
static bool is_included(const struct lcx__seccomp_condition *condition, const struct here *here)
{
	if (condition->capabilities.value & ~here->capabilities)
		return false;
	if (condition->architectures && *condition->architectures &&
	    !arch_is_listed(condition, here))
		return false;
	return !condition->min_kernel || kernel_is_at_least(condition->min_kernel, here);
}

/* One of these is enough. */
static bool is_excluded(const struct lcx__seccomp_condition *condition, const struct here *here)
{
	if (condition->capabilities.value & here->capabilities)
		return true;
	if (arch_is_listed(condition, here))
		return true;
	return condition->min_kernel && kernel_is_at_least(condition->min_kernel, here);
}

static int look_around(uint64_t capabilities, struct here *ret, struct lcx_error **err)
{
	struct utsname names;

	ret->capabilities = capabilities;
	ret->arch = lcx__arch_native();
	if (uname(&names) < 0)
		return lcx__fail_sys(err, errno, "seccomp profile: ask for the kernel's version");
	if (sscanf(names.release, "%u.%u", &ret->major, &ret->minor) != 2)
		return lcx__fail(err, EINVAL, "seccomp profile: the kernel's version is '%.64s'",
				 names.release);
	return 0;
}

/* The native architecture and its siblings, if the map has a row for it. */
static int resolve_architectures(const struct lcx_seccomp *profile, const struct here *here,
				 struct lcx_seccomp *ret)
{
	for (size_t i = 0; i < profile->arch_map.n; i++) {
		const struct lcx__seccomp_arch_map *map = &profile->arch_map.items[i];
		size_t n = lcx__strv_length(map->sub_architectures);

		if (strcmp(map->architecture, here->arch->oci_name) != 0)
			continue;
		ret->architectures = calloc(n + 2, sizeof(char *));
		if (!ret->architectures)
			return -ENOMEM;
		ret->architectures[0] = map->architecture;
		if (n > 0)
			memcpy(ret->architectures + 1, map->sub_architectures, n * sizeof(char *));
		return 0;
	}
	if (!profile->architectures)
		return 0;
	ret->architectures = calloc(lcx__strv_length(profile->architectures) + 1, sizeof(char *));
	if (!ret->architectures)
		return -ENOMEM;
	memcpy(ret->architectures, profile->architectures,
	       lcx__strv_length(profile->architectures) * sizeof(char *));
	return 0;
}

static int resolve_rules(const struct lcx_seccomp *profile, const struct here *here,
			 struct lcx_seccomp *ret)
{
	for (size_t i = 0; i < profile->rules.n; i++) {
		const struct lcx__seccomp_rule *from = &profile->rules.items[i];
		struct lcx__seccomp_rule *rule;

		if (!from->names || !*from->names || !is_included(&from->includes, here) ||
		    is_excluded(&from->excludes, here))
			continue;
		rule = lcx__list_grow(&ret->rules, sizeof(*rule));
		if (!rule)
			return -ENOMEM;
		rule->names = from->names;
		rule->action = from->action;
		rule->errno_ret = from->errno_ret;
		rule->args.set = from->args.n > 0;
		rule->args.n = from->args.n;
		rule->args.items = from->args.items;
	}
	return 0;
}

void lcx__seccomp_release_resolved(struct lcx_seccomp *resolved)
{
	free(resolved->architectures);
	free(resolved->rules.items);
	*resolved = (struct lcx_seccomp){0};
}

int lcx__seccomp_resolve(const struct lcx_seccomp *profile, uint64_t capabilities,
			 struct lcx_seccomp *ret, struct lcx_error **err)
{
	struct here here;
	int r = look_around(capabilities, &here, err);

	if (r < 0)
		return r;
	*ret = (struct lcx_seccomp){
		.default_action = profile->default_action,
		.default_errno_ret = profile->default_errno_ret,
		.flags = profile->flags,
		.listener_path = profile->listener_path,
		.listener_metadata = profile->listener_metadata,
	};
	if (resolve_architectures(profile, &here, ret) < 0 ||
	    resolve_rules(profile, &here, ret) < 0) {
		lcx__seccomp_release_resolved(ret);
		return lcx__fail_nomem(err);
	}
	return 0;
}
