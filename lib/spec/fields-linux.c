/* SPDX-License-Identifier: MIT */
#include "security/seccomp.h"
#include "spec/check.h"
#include "spec/fields.h"
#include "spec/names.h"

/* The top of the document, and linux: one row for each property of config.md and config-linux.md.
 */

static const struct lcx__json_field id_map_fields[] = {
	{"containerID", AS_U32(struct lcx__spec_id_map, container_id), .required = true},
	{"hostID", AS_U32(struct lcx__spec_id_map, host_id), .required = true},
	{"size", AS_U32(struct lcx__spec_id_map, size), .required = true},
	{0},
};

static const struct lcx__json_field namespace_fields[] = {
	{"type", AS_ENUM_U32(struct lcx__spec_namespace, type), .required = true,
	 .names = lcx__namespace_names},
	{"path", AS_STRING(struct lcx__spec_namespace, path), .check = lcx__check_absolute},
	{0},
};

static const struct lcx__json_field time_offset_fields[] = {
	{"secs", AS_I64(struct lcx__spec_time_offset, secs)},
	{"nanosecs", AS_U32(struct lcx__spec_time_offset, nanosecs), .max = 999999999},
	{0},
};

static const struct lcx__json_field time_offsets_fields[] = {
	{"boottime", AS_OBJECT(struct lcx__spec_time_offsets, boottime),
	 .fields = time_offset_fields},
	{"monotonic", AS_OBJECT(struct lcx__spec_time_offsets, monotonic),
	 .fields = time_offset_fields},
	{0},
};

static const struct lcx__json_field device_fields[] = {
	{"path", AS_STRING(struct lcx__spec_device, path), .required = true,
	 .check = lcx__check_absolute},
	{"type", AS_ENUM(struct lcx__spec_device, type), .required = true,
	 .names = lcx__device_types},
	{"major", AS_I64(struct lcx__spec_device, major), .max = 4095},
	{"minor", AS_I64(struct lcx__spec_device, minor), .max = 1048575},
	{"fileMode", AS_U32(struct lcx__spec_device, file_mode), .max = 0177777},
	{"uid", AS_U32(struct lcx__spec_device, uid), .max = UINT32_MAX - 1},
	{"gid", AS_U32(struct lcx__spec_device, gid), .max = UINT32_MAX - 1},
	{0},
};

static const struct lcx__json_field net_device_fields[] = {
	{"name", AS_STRING(struct lcx__spec_net_device, name), .check = lcx__check_interface},
	{0},
};

static const struct lcx__json_field intel_rdt_fields[] = {
	{"closID", AS_STRING(struct lcx__spec_intel_rdt, clos_id), .check = lcx__check_class_name},
	{"schemata", AS_STRINGS(struct lcx__spec_intel_rdt, schemata),
	 .check = lcx__check_schema_line},
	{"l3CacheSchema", AS_STRING(struct lcx__spec_intel_rdt, l3_cache_schema)},
	{"memBwSchema", AS_STRING(struct lcx__spec_intel_rdt, mem_bw_schema),
	 .check = lcx__check_mem_bw_schema},
	{"enableMonitoring", AS_BOOL(struct lcx__spec_intel_rdt, enable_monitoring)},
	{0},
};

static const struct lcx__json_field memory_policy_fields[] = {
	{"mode", AS_ENUM(struct lcx__spec_memory_policy, mode), .required = true,
	 .names = lcx__memory_policy_modes},
	{"nodes", AS_STRING(struct lcx__spec_memory_policy, nodes), .check = lcx__check_id_list},
	{"flags", AS_FLAGS(struct lcx__spec_memory_policy, flags),
	 .names = lcx__memory_policy_flags},
	{0},
};

static const struct lcx__json_field personality_fields[] = {
	{"domain", AS_ENUM_U32(struct lcx__spec_personality, domain), .required = true,
	 .names = lcx__personality_domains},
	{"flags", AS_STRINGS(struct lcx__spec_personality, flags)},
	{0},
};

static int read_seccomp(struct lcx__json_reader *reader, struct json_object *json, void *place)
{
	struct lcx_seccomp *profile = calloc(1, sizeof(*profile));
	int r;

	if (!profile)
		return lcx__json_fail_nomem(reader);
	*(struct lcx_seccomp **)place = profile;
	r = lcx__json_read_object(reader, lcx__seccomp_fields, json, profile);
	if (r < 0)
		return r;
	return lcx__json_prefix(reader, lcx__seccomp_finish(profile, lcx__json_err(reader)));
}

/* The specification's form has no conditions: they are decided for this description, here. */
static int write_seccomp(const void *place, const void *context, struct json_object **ret)
{
	CLEANUP(lcx__seccomp_release_resolved) struct lcx_seccomp resolved = {0};
	const struct lcx_seccomp *profile = *(struct lcx_seccomp *const *)place;

	if (!profile)
		return 0;
	if (lcx__seccomp_resolve(profile, lcx__spec_bounding(context), &resolved, NULL) < 0)
		return -ENOMEM;
	*ret = lcx__json_write(lcx__seccomp_fields, &resolved, NULL);
	return *ret ? 0 : -ENOMEM;
}

static void release_seccomp(void *place)
{
	struct lcx_seccomp **profile = place;

	*profile = lcx_seccomp_free(*profile);
}

static const struct lcx__json_codec seccomp_codec = {
	.read = read_seccomp,
	.write = write_seccomp,
	.release = release_seccomp,
};

static const struct lcx__json_field linux_fields[] = {
	{"namespaces", AS_LIST(struct lcx__spec_linux, namespaces), .fields = namespace_fields,
	 .finish_list = lcx__finish_namespaces},
	{"uidMappings", AS_LIST(struct lcx__spec_linux, uid_mappings), .fields = id_map_fields,
	 .finish = lcx__finish_id_map, .finish_list = lcx__finish_id_maps},
	{"gidMappings", AS_LIST(struct lcx__spec_linux, gid_mappings), .fields = id_map_fields,
	 .finish = lcx__finish_id_map, .finish_list = lcx__finish_id_maps},
	{"timeOffsets", AS_OBJECT(struct lcx__spec_linux, time_offsets),
	 .fields = time_offsets_fields},
	{"devices", AS_LIST(struct lcx__spec_linux, devices), .fields = device_fields,
	 .finish = lcx__finish_device},
	{"netDevices", AS_MAP(struct lcx__spec_linux, net_devices), .fields = net_device_fields,
	 .check = lcx__check_interface},
	{"cgroupsPath", AS_STRING(struct lcx__spec_linux, cgroups_path),
	 .check = lcx__check_cgroups_path},
	{"resources", AS_OBJECT(struct lcx__spec_linux, resources),
	 .fields = lcx__resources_fields},
	{"rootfsPropagation", AS_ENUM_U64(struct lcx__spec_linux, rootfs_propagation),
	 .names = lcx__propagation_names},
	{"seccomp", AS_CUSTOM(struct lcx__spec_linux, seccomp), .codec = &seccomp_codec},
	{"sysctl", AS_STRING_MAP(struct lcx__spec_linux, sysctl), .check = lcx__check_sysctl_name,
	 .finish = lcx__finish_unified},
	{"maskedPaths", AS_STRINGS(struct lcx__spec_linux, masked_paths),
	 .check = lcx__check_absolute},
	{"readonlyPaths", AS_STRINGS(struct lcx__spec_linux, readonly_paths),
	 .check = lcx__check_absolute},
	{"mountLabel", AS_STRING(struct lcx__spec_linux, mount_label),
	 .check = lcx__check_schema_line},
	{"intelRdt", AS_OBJECT(struct lcx__spec_linux, intel_rdt), .fields = intel_rdt_fields},
	{"memoryPolicy", AS_OBJECT(struct lcx__spec_linux, memory_policy),
	 .fields = memory_policy_fields},
	{"personality", AS_OBJECT(struct lcx__spec_linux, personality),
	 .fields = personality_fields},
	{0},
};

static const struct lcx__json_field root_fields[] = {
	{"path", AS_STRING(struct lcx__spec_root, path), .required = true,
	 .check = lcx__check_not_empty},
	{"readonly", AS_BOOL(struct lcx__spec_root, readonly)},
	{0},
};

/* lcx__finish_mount() makes the last one out of the options. */
static const struct lcx__json_field mount_fields[] = {
	{"destination", AS_STRING(struct lcx__spec_mount, destination), .required = true,
	 .check = lcx__check_not_empty},
	{"type", AS_STRING(struct lcx__spec_mount, type)},
	{"source", AS_STRING(struct lcx__spec_mount, source)},
	{"options", AS_STRINGS(struct lcx__spec_mount, options)},
	{"uidMappings", AS_LIST(struct lcx__spec_mount, uid_mappings), .fields = id_map_fields,
	 .finish = lcx__finish_id_map, .finish_list = lcx__finish_id_maps},
	{"gidMappings", AS_LIST(struct lcx__spec_mount, gid_mappings), .fields = id_map_fields,
	 .finish = lcx__finish_id_map, .finish_list = lcx__finish_id_maps},
	{"(data)", AS_HIDDEN(struct lcx__spec_mount, parsed.data)},
	{0},
};

static const struct lcx__json_field hook_fields[] = {
	{"path", AS_STRING(struct lcx__spec_hook, path), .required = true,
	 .check = lcx__check_absolute},
	{"args", AS_STRINGS(struct lcx__spec_hook, args)},
	{"env", AS_STRINGS(struct lcx__spec_hook, env), .check = lcx__check_env},
	{"timeout", AS_U32(struct lcx__spec_hook, timeout_s), .min = 1, .max = INT32_MAX},
	{0},
};

static const struct lcx__json_field hooks_fields[] = {
	{"prestart", AS_LIST(struct lcx__spec_hooks, kind[LCX__HOOK_PRESTART].hooks),
	 .fields = hook_fields},
	{"createRuntime", AS_LIST(struct lcx__spec_hooks, kind[LCX__HOOK_CREATE_RUNTIME].hooks),
	 .fields = hook_fields},
	{"createContainer", AS_LIST(struct lcx__spec_hooks, kind[LCX__HOOK_CREATE_CONTAINER].hooks),
	 .fields = hook_fields},
	{"startContainer", AS_LIST(struct lcx__spec_hooks, kind[LCX__HOOK_START_CONTAINER].hooks),
	 .fields = hook_fields},
	{"poststart", AS_LIST(struct lcx__spec_hooks, kind[LCX__HOOK_POSTSTART].hooks),
	 .fields = hook_fields},
	{"poststop", AS_LIST(struct lcx__spec_hooks, kind[LCX__HOOK_POSTSTOP].hooks),
	 .fields = hook_fields},
	{0},
};

static const struct lcx__json_field own_fields[] = {
	{"timerSlack", AS_U64(struct lcx__spec_own, timer_slack_ns), .max = INT64_MAX},
	{"landlock", AS_STRINGS(struct lcx__spec_own, landlock), .check = lcx__check_landlock},
	{"landlockBestEffort", AS_BOOL(struct lcx__spec_own, landlock_best_effort)},
	{"coredumpFilter", AS_U32(struct lcx__spec_own, coredump_filter), .max = 0x1ff},
	{0},
};

const struct lcx__json_field lcx__spec_fields[] = {
	{"ociVersion", AS_STRING(struct lcx_spec, oci_version), .required = true,
	 .check = lcx__check_oci_version},
	{"process", AS_OBJECT(struct lcx_spec, process), .fields = lcx__process_fields},
	{"root", AS_OBJECT(struct lcx_spec, root), .fields = root_fields},
	{"hostname", AS_STRING(struct lcx_spec, hostname), .check = lcx__check_host_name},
	{"domainname", AS_STRING(struct lcx_spec, domainname), .check = lcx__check_host_name},
	{"mounts", AS_LIST(struct lcx_spec, mounts), .fields = mount_fields,
	 .finish = lcx__finish_mount},
	{"hooks", AS_OBJECT(struct lcx_spec, hooks), .fields = hooks_fields},
	{"annotations", AS_STRING_MAP(struct lcx_spec, annotations), .check = lcx__check_not_empty},
	{"linux", AS_OBJECT(struct lcx_spec, linux_), .fields = linux_fields},
	{"lcx", AS_OBJECT(struct lcx_spec, own), .fields = own_fields},
	{0},
};
