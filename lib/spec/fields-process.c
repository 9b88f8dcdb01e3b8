/* SPDX-License-Identifier: MIT */
#include "security/caps.h"
#include "security/rlimit.h"
#include "spec/check.h"
#include "spec/fields.h"
#include "spec/names.h"

/* process: one row for each property of config.md, "Process" and what follows it. */

static const struct lcx__json_field console_size_fields[] = {
	{"height", AS_U32(struct lcx__spec_console_size, height), .required = true,
	 .max = UINT16_MAX},
	{"width", AS_U32(struct lcx__spec_console_size, width), .required = true,
	 .max = UINT16_MAX},
	{0},
};

static const struct lcx__json_field user_fields[] = {
	{"uid", AS_U32(struct lcx__spec_user, uid), .max = UINT32_MAX - 1},
	{"gid", AS_U32(struct lcx__spec_user, gid), .max = UINT32_MAX - 1},
	{"umask", AS_U32(struct lcx__spec_user, umask), .max = 0777},
	{"additionalGids", AS_U32S(struct lcx__spec_user, additional_gids), .max = UINT32_MAX - 1},
	{0},
};

static const struct lcx__json_field capabilities_fields[] = {
	{"bounding", AS_CUSTOM(struct lcx__spec_capabilities, bounding),
	 .codec = &lcx__capabilities_codec},
	{"effective", AS_CUSTOM(struct lcx__spec_capabilities, effective),
	 .codec = &lcx__capabilities_codec},
	{"inheritable", AS_CUSTOM(struct lcx__spec_capabilities, inheritable),
	 .codec = &lcx__capabilities_codec},
	{"permitted", AS_CUSTOM(struct lcx__spec_capabilities, permitted),
	 .codec = &lcx__capabilities_codec},
	{"ambient", AS_CUSTOM(struct lcx__spec_capabilities, ambient),
	 .codec = &lcx__capabilities_codec},
	{0},
};

static const struct lcx__json_field rlimit_fields[] = {
	{"type", AS_ENUM(struct lcx__spec_rlimit, resource), .required = true,
	 .names = lcx__rlimit_names},
	{"soft", AS_U64(struct lcx__spec_rlimit, soft), .required = true},
	{"hard", AS_U64(struct lcx__spec_rlimit, hard), .required = true},
	{0},
};

static const struct lcx__json_field scheduler_fields[] = {
	{"policy", AS_ENUM(struct lcx__spec_scheduler, policy), .required = true,
	 .names = lcx__scheduler_policies},
	{"nice", AS_INT(struct lcx__spec_scheduler, nice), .min = -20, .max = 19},
	{"priority", AS_INT(struct lcx__spec_scheduler, priority), .max = 99},
	{"flags", AS_FLAGS(struct lcx__spec_scheduler, flags), .names = lcx__scheduler_flags},
	{"runtime", AS_U64(struct lcx__spec_scheduler, runtime_ns)},
	{"deadline", AS_U64(struct lcx__spec_scheduler, deadline_ns)},
	{"period", AS_U64(struct lcx__spec_scheduler, period_ns)},
	{0},
};

static const struct lcx__json_field io_priority_fields[] = {
	{"class", AS_ENUM(struct lcx__spec_io_priority, class), .required = true,
	 .names = lcx__io_classes},
	{"priority", AS_INT(struct lcx__spec_io_priority, priority), .max = 7},
	{0},
};

static const struct lcx__json_field cpu_affinity_fields[] = {
	{"initial", AS_STRING(struct lcx__spec_cpu_affinity, initial), .check = lcx__check_id_list},
	{"final", AS_STRING(struct lcx__spec_cpu_affinity, final), .check = lcx__check_id_list},
	{0},
};

const struct lcx__json_field lcx__process_fields[] = {
	{"terminal", AS_BOOL(struct lcx__spec_process, terminal)},
	{"consoleSize", AS_OBJECT(struct lcx__spec_process, console_size),
	 .fields = console_size_fields},
	{"user", AS_OBJECT(struct lcx__spec_process, user), .fields = user_fields},
	{"args", AS_STRINGS(struct lcx__spec_process, args)},
	{"env", AS_STRINGS(struct lcx__spec_process, env), .check = lcx__check_env},
	{"cwd", AS_STRING(struct lcx__spec_process, cwd), .required = true,
	 .check = lcx__check_absolute},
	{"capabilities", AS_OBJECT(struct lcx__spec_process, capabilities),
	 .fields = capabilities_fields},
	{"rlimits", AS_LIST(struct lcx__spec_process, rlimits), .fields = rlimit_fields,
	 .finish = lcx__finish_rlimit, .finish_list = lcx__finish_rlimits},
	{"noNewPrivileges", AS_BOOL(struct lcx__spec_process, no_new_privileges)},
	{"oomScoreAdj", AS_INT(struct lcx__spec_process, oom_score_adj), .min = -1000, .max = 1000},
	{"scheduler", AS_OBJECT(struct lcx__spec_process, scheduler), .fields = scheduler_fields,
	 .finish = lcx__finish_scheduler},
	{"ioPriority", AS_OBJECT(struct lcx__spec_process, io_priority),
	 .fields = io_priority_fields},
	{"execCPUAffinity", AS_OBJECT(struct lcx__spec_process, exec_cpu_affinity),
	 .fields = cpu_affinity_fields},
	{"apparmorProfile", AS_STRING(struct lcx__spec_process, apparmor_profile),
	 .check = lcx__check_schema_line},
	{"selinuxLabel", AS_STRING(struct lcx__spec_process, selinux_label),
	 .check = lcx__check_schema_line},
	{0},
};
