/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "security/caps.h"
#include "spec/spec.h"
#include "spec/names.h"
#include "util/str.h"

/* What stands in a description. */

static const char *nth(char *const *strv, size_t index)
{
	return index < lcx__strv_length(strv) ? strv[index] : NULL;
}

LCX_PUBLIC size_t lcx_spec_n_warnings(const struct lcx_spec *spec)
{
	return lcx__strv_length(spec->warnings);
}

LCX_PUBLIC const char *lcx_spec_warning(const struct lcx_spec *spec, size_t index)
{
	return nth(spec->warnings, index);
}

LCX_PUBLIC const char *lcx_spec_arg(const struct lcx_spec *spec, size_t index)
{
	return nth(spec->process.args, index);
}

LCX_PUBLIC const char *lcx_spec_env(const struct lcx_spec *spec, size_t index)
{
	return nth(spec->process.env, index);
}

LCX_PUBLIC const char *lcx_spec_getenv(const struct lcx_spec *spec, const char *name)
{
	size_t length = strlen(name);

	for (char *const *at = spec->process.env; at && *at; at++)
		if (strncmp(*at, name, length) == 0 && (*at)[length] == '=')
			return *at + length + 1;
	return NULL;
}

LCX_PUBLIC const char *lcx_spec_cwd(const struct lcx_spec *spec)
{
	return spec->process.cwd;
}

LCX_PUBLIC const char *lcx_spec_root(const struct lcx_spec *spec)
{
	return spec->root.path;
}

LCX_PUBLIC int32_t lcx_spec_root_readonly(const struct lcx_spec *spec)
{
	return spec->root.readonly.value;
}

LCX_PUBLIC int32_t lcx_spec_terminal(const struct lcx_spec *spec)
{
	return spec->process.terminal.value;
}

LCX_PUBLIC const char *lcx_spec_hostname(const struct lcx_spec *spec)
{
	return spec->hostname;
}

LCX_PUBLIC uint32_t lcx_spec_uid(const struct lcx_spec *spec)
{
	return spec->process.user.uid.value;
}

LCX_PUBLIC uint32_t lcx_spec_gid(const struct lcx_spec *spec)
{
	return spec->process.user.gid.value;
}

LCX_PUBLIC int32_t lcx_spec_has_capability(const struct lcx_spec *spec, const char *name)
{
	int32_t number = lcx_capability_number(name);

	return number < 0 ? number : (int32_t)(lcx__spec_bounding(spec) >> number & 1);
}

LCX_PUBLIC int32_t lcx_spec_has_namespace(const struct lcx_spec *spec, const char *type)
{
	const struct lcx__spec_namespace *entry;
	uint32_t flag;
	int r = lcx__namespace_flag(type, &flag, NULL);

	if (r < 0)
		return r;
	entry = lcx__spec_namespace(spec, flag);
	if (!entry)
		return 0;
	return entry->path ? 2 : 1;
}

LCX_PUBLIC const char *lcx_spec_namespace_path(const struct lcx_spec *spec, const char *type)
{
	const struct lcx__spec_namespace *entry;
	uint32_t flag;

	if (lcx__namespace_flag(type, &flag, NULL) < 0)
		return NULL;
	entry = lcx__spec_namespace(spec, flag);
	return entry ? entry->path : NULL;
}

LCX_PUBLIC const char *lcx_spec_annotation(const struct lcx_spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->annotations.n; i++)
		if (strcmp(spec->annotations.items[i].key, key) == 0)
			return spec->annotations.items[i].value;
	return NULL;
}

static int64_t limit_of(const struct lcx__opt_i64 *limit)
{
	return limit->set ? limit->value : LCX_SPEC_UNLIMITED;
}

LCX_PUBLIC int64_t lcx_spec_memory_limit(const struct lcx_spec *spec)
{
	return limit_of(&spec->linux_.resources.memory.limit);
}

LCX_PUBLIC int64_t lcx_spec_pids_limit(const struct lcx_spec *spec)
{
	return limit_of(&spec->linux_.resources.pids.limit);
}

LCX_PUBLIC const char *lcx_spec_mount_destination(const struct lcx_spec *spec, size_t index)
{
	return index < spec->mounts.n ? spec->mounts.items[index].destination : NULL;
}

LCX_PUBLIC const char *lcx_spec_mount_source(const struct lcx_spec *spec, size_t index)
{
	return index < spec->mounts.n ? spec->mounts.items[index].source : NULL;
}
