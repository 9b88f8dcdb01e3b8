/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/utsname.h>

#include "security/caps.h"
#include "security/seccomp-arch.h"
#include "security/seccomp.h"

/* A profile as an object: its JSON table, its life, its changes. */

enum {
	MAX_PROFILE_SIZE = 1 << 20,
	MAX_ERRNO_RET = 4095, /* the kernel's MAX_ERRNO: more is cut down to it */
};

/* The first name of a value is written; SCMP_ACT_KILL is the old name of KILL_THREAD. */
static const struct lcx__json_name actions[] = {
	{"SCMP_ACT_KILL", LCX__ACT_KILL_THREAD},
	{"SCMP_ACT_KILL_THREAD", LCX__ACT_KILL_THREAD},
	{"SCMP_ACT_KILL_PROCESS", LCX__ACT_KILL_PROCESS},
	{"SCMP_ACT_TRAP", LCX__ACT_TRAP},
	{"SCMP_ACT_ERRNO", LCX__ACT_ERRNO},
	{"SCMP_ACT_TRACE", LCX__ACT_TRACE},
	{"SCMP_ACT_ALLOW", LCX__ACT_ALLOW},
	{"SCMP_ACT_LOG", LCX__ACT_LOG},
	{"SCMP_ACT_NOTIFY", LCX__ACT_NOTIFY},
	{0},
};

static const struct lcx__json_name comparisons[] = {
	{"SCMP_CMP_NE", LCX__CMP_NE},
	{"SCMP_CMP_LT", LCX__CMP_LT},
	{"SCMP_CMP_LE", LCX__CMP_LE},
	{"SCMP_CMP_EQ", LCX__CMP_EQ},
	{"SCMP_CMP_GE", LCX__CMP_GE},
	{"SCMP_CMP_GT", LCX__CMP_GT},
	{"SCMP_CMP_MASKED_EQ", LCX__CMP_MASKED_EQ},
	{0},
};

static const struct lcx__json_name flags[] = {
	{"SECCOMP_FILTER_FLAG_TSYNC", 1 << 0},
	{"SECCOMP_FILTER_FLAG_LOG", 1 << 1},
	{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", 1 << 2},
	{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 1 << 5},
	{0},
};

static const struct lcx__json_field arg_fields[] = {
	{"index", AS_U32(struct lcx__seccomp_arg, index), .required = true, .max = 5},
	{"value", AS_U64(struct lcx__seccomp_arg, value), .required = true},
	{"valueTwo", AS_U64(struct lcx__seccomp_arg, value_two)},
	{"op", AS_ENUM_U32(struct lcx__seccomp_arg, op), .required = true, .names = comparisons},
	{0},
};

static int check_kernel(const char *text, struct lcx_error **err)
{
	unsigned int major, minor;
	int used = 0;

	if (sscanf(text, "%3u.%3u%n", &major, &minor, &used) == 2 && text[used] == '\0' &&
	    text[0] >= '0' && text[0] <= '9')
		return 0;
	return lcx__fail(err, EINVAL, "'%.32s' is no version of the kernel, such as 4.8", text);
}

static int check_architecture(const char *text, struct lcx_error **err)
{
	if (lcx__arch_by_oci_name(text))
		return 0;
	return lcx__fail(err, EINVAL, "'%.64s' is no architecture, such as SCMP_ARCH_X86_64", text);
}

static int check_syscall(const char *text, struct lcx_error **err)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");

	if (length > 0 && length < 64 && text[length] == '\0')
		return 0;
	return lcx__fail(err, EINVAL, "'%.64s' cannot be the name of a system call", text);
}

static const struct lcx__json_field condition_fields[] = {
	{"caps", AS_CUSTOM(struct lcx__seccomp_condition, capabilities),
	 .codec = &lcx__capability_condition_codec},
	{"arches", AS_STRINGS(struct lcx__seccomp_condition, architectures)},
	{"minKernel", AS_STRING(struct lcx__seccomp_condition, min_kernel), .check = check_kernel},
	{0},
};

static bool action_takes_errno(uint32_t action)
{
	return action == LCX__ACT_ERRNO || action == LCX__ACT_TRACE;
}

static int finish_args(const struct lcx__seccomp_rule *rule, struct lcx_error **err)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < rule->args.n; i++) {
		const struct lcx__seccomp_arg *arg = &rule->args.items[i];

		if (seen & (1u << arg->index.value))
			return lcx__fail(
				err, EINVAL,
				"argument %u is compared twice in one rule; write two rules",
				arg->index.value);
		seen |= 1u << arg->index.value;
	}
	return 0;
}

/* By it the listener is handed over: nobody could answer. */
static int check_notify(const struct lcx__seccomp_rule *rule, struct lcx_error **err)
{
	for (char **name = rule->names; name && *name; name++)
		if (rule->action.value == LCX__ACT_NOTIFY && strcmp(*name, "sendmsg") == 0)
			return lcx__fail(err, EINVAL,
					 "sendmsg can't be SCMP_ACT_NOTIFY: by it the listener is "
					 "handed over");
	return 0;
}

static int finish_rule(void *object, struct lcx_error **err)
{
	struct lcx__seccomp_rule *rule = object;

	if (rule->name && rule->names)
		return lcx__fail(err, EINVAL, "has both 'name' and 'names'; keep 'names'");
	if (rule->name && lcx__strv_append(&rule->names, rule->name) < 0)
		return lcx__fail_nomem(err);
	free(TAKE_PTR(rule->name));
	if (lcx__strv_length(rule->names) == 0)
		return lcx__fail(err, EINVAL, "names: must name at least one system call");
	if (rule->errno_ret.set && !action_takes_errno(rule->action.value))
		return lcx__fail(err, EINVAL,
				 "errnoRet: goes only with SCMP_ACT_ERRNO and SCMP_ACT_TRACE");
	if (check_notify(rule, err) < 0)
		return -EINVAL;
	return finish_args(rule, err);
}

static const struct lcx__json_field rule_fields[] = {
	{"names", AS_STRINGS(struct lcx__seccomp_rule, names), .check = check_syscall},
	{"name", AS_STRING(struct lcx__seccomp_rule, name), .check = check_syscall},
	{"action", AS_ENUM_U32(struct lcx__seccomp_rule, action), .required = true,
	 .names = actions},
	{"errnoRet", AS_U32(struct lcx__seccomp_rule, errno_ret), .max = MAX_ERRNO_RET},
	{"args", AS_LIST(struct lcx__seccomp_rule, args), .fields = arg_fields},
	{"comment", AS_STRING(struct lcx__seccomp_rule, comment)},
	{"includes", AS_OBJECT(struct lcx__seccomp_rule, includes), .fields = condition_fields},
	{"excludes", AS_OBJECT(struct lcx__seccomp_rule, excludes), .fields = condition_fields},
	{0},
};

static const struct lcx__json_field arch_map_fields[] = {
	{"architecture", AS_STRING(struct lcx__seccomp_arch_map, architecture), .required = true,
	 .check = check_architecture},
	{"subArchitectures", AS_STRINGS(struct lcx__seccomp_arch_map, sub_architectures),
	 .check = check_architecture},
	{0},
};

const struct lcx__json_field lcx__seccomp_fields[] = {
	{"defaultAction", AS_ENUM_U32(struct lcx_seccomp, default_action), .required = true,
	 .names = actions},
	{"defaultErrnoRet", AS_U32(struct lcx_seccomp, default_errno_ret), .max = MAX_ERRNO_RET},
	{"architectures", AS_STRINGS(struct lcx_seccomp, architectures),
	 .check = check_architecture},
	{"archMap", AS_LIST(struct lcx_seccomp, arch_map), .fields = arch_map_fields},
	{"flags", AS_FLAGS(struct lcx_seccomp, flags), .names = flags},
	{"listenerPath", AS_STRING(struct lcx_seccomp, listener_path)},
	{"listenerMetadata", AS_STRING(struct lcx_seccomp, listener_metadata)},
	{"syscalls", AS_LIST(struct lcx_seccomp, rules), .fields = rule_fields,
	 .finish = finish_rule},
	{0},
};

bool lcx__seccomp_notifies(const struct lcx_seccomp *profile)
{
	for (size_t i = 0; i < profile->rules.n; i++)
		if (profile->rules.items[i].action.value == LCX__ACT_NOTIFY)
			return true;
	return false;
}

/* No filter that the kernel takes (BPF_MAXINSNS) has room for more, and libseccomp's time grows
 * with the square of them. */
enum { MAX_NAMES = 4096 };

static int check_size(const struct lcx_seccomp *profile, struct lcx_error **err)
{
	size_t n = 0;

	for (size_t i = 0; i < profile->rules.n; i++)
		n += lcx__strv_length(profile->rules.items[i].names);
	return n <= MAX_NAMES
		       ? 0
		       : lcx__fail(err, EINVAL, "syscalls: has %zu names; a filter has room for %d",
				   n, MAX_NAMES);
}

int lcx__seccomp_finish(struct lcx_seccomp *profile, struct lcx_error **err)
{
	uint32_t action = profile->default_action.value;

	if (profile->default_errno_ret.set && !action_takes_errno(action))
		return lcx__fail(
			err, EINVAL,
			"defaultErrnoRet: goes only with SCMP_ACT_ERRNO and SCMP_ACT_TRACE");
	if (action == LCX__ACT_NOTIFY)
		return lcx__fail(err, EINVAL,
				 "defaultAction: SCMP_ACT_NOTIFY would stop the container's own "
				 "start; name the system calls");
	if (profile->architectures && profile->arch_map.n > 0)
		return lcx__fail(err, EINVAL, "has both architectures and archMap; keep one");
	if (profile->listener_metadata && !profile->listener_path)
		return lcx__fail(err, EINVAL, "listenerMetadata: needs listenerPath");
	return check_size(profile, err);
}

LCX_PUBLIC struct lcx_seccomp *lcx_seccomp_free(struct lcx_seccomp *profile)
{
	if (profile)
		lcx__json_release(lcx__seccomp_fields, profile);
	free(profile);
	return NULL;
}

static int from_json(struct json_object *json, struct lcx_seccomp **ret, struct lcx_error **err)
{
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *profile = calloc(1, sizeof(*profile));
	int r;

	if (!profile)
		return lcx__fail_nomem(err);
	r = lcx__json_read(lcx__seccomp_fields, json, profile, NULL, err);
	if (r == 0)
		r = lcx__seccomp_finish(profile, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "seccomp profile");
	*ret = TAKE_PTR(profile);
	return 0;
}

LCX_PUBLIC int lcx_seccomp_from_json(const char *text, size_t length, struct lcx_seccomp **ret,
				     struct lcx_error **err)
{
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	int r;

	r = lcx__json_parse(text, length, MAX_PROFILE_SIZE, &json, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "seccomp profile");
	return from_json(json, ret, err);
}

static int copy_condition(const struct lcx__seccomp_condition *from,
			  struct lcx__seccomp_condition *to)
{
	to->set = from->set;
	to->capabilities = from->capabilities;
	if (from->architectures)
		to->architectures = lcx__strv_copy((const char *const *)from->architectures);
	if (from->min_kernel)
		to->min_kernel = strdup(from->min_kernel);
	return (from->architectures && !to->architectures) || (from->min_kernel && !to->min_kernel)
		       ? -ENOMEM
		       : 0;
}

static int copy_rule(const struct lcx__seccomp_rule *from, struct lcx__seccomp_rule *to)
{
	to->action = from->action;
	to->errno_ret = from->errno_ret;
	to->names = lcx__strv_copy((const char *const *)from->names);
	if (!to->names)
		return -ENOMEM;
	for (size_t i = 0; i < from->args.n; i++) {
		struct lcx__seccomp_arg *arg = lcx__list_grow(&to->args, sizeof(*arg));

		if (!arg)
			return -ENOMEM;
		*arg = from->args.items[i];
	}
	if (from->comment && !(to->comment = strdup(from->comment)))
		return -ENOMEM;
	if (copy_condition(&from->includes, &to->includes) < 0)
		return -ENOMEM;
	return copy_condition(&from->excludes, &to->excludes);
}

static int copy_strings(const struct lcx_seccomp *from, struct lcx_seccomp *to)
{
	if (from->listener_path && !(to->listener_path = strdup(from->listener_path)))
		return -ENOMEM;
	if (from->listener_metadata && !(to->listener_metadata = strdup(from->listener_metadata)))
		return -ENOMEM;
	if (from->architectures &&
	    !(to->architectures = lcx__strv_copy((const char *const *)from->architectures)))
		return -ENOMEM;
	return 0;
}

static int copy_lists(const struct lcx_seccomp *from, struct lcx_seccomp *to)
{
	for (size_t i = 0; i < from->arch_map.n; i++) {
		const struct lcx__seccomp_arch_map *old = &from->arch_map.items[i];
		struct lcx__seccomp_arch_map *map = lcx__list_grow(&to->arch_map, sizeof(*map));

		if (!map || !(map->architecture = strdup(old->architecture)))
			return -ENOMEM;
		map->sub_architectures =
			lcx__strv_copy((const char *const *)old->sub_architectures);
		if (!map->sub_architectures)
			return -ENOMEM;
	}
	for (size_t i = 0; i < from->rules.n; i++) {
		struct lcx__seccomp_rule *rule = lcx__list_grow(&to->rules, sizeof(*rule));

		if (!rule || copy_rule(&from->rules.items[i], rule) < 0)
			return -ENOMEM;
	}
	return 0;
}

LCX_PUBLIC int lcx_seccomp_dup(const struct lcx_seccomp *from, struct lcx_seccomp **ret,
			       struct lcx_error **err)
{
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return lcx__fail_nomem(err);
	copy->default_action = from->default_action;
	copy->default_errno_ret = from->default_errno_ret;
	copy->flags = from->flags;
	if (copy_strings(from, copy) < 0 || copy_lists(from, copy) < 0)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(copy);
	return 0;
}

int lcx__seccomp_add_rule(struct lcx_seccomp *profile, const char *name, uint32_t action,
			  uint32_t errno_ret, struct lcx_error **err)
{
	struct lcx__seccomp_rule *rule;
	int r = check_syscall(name, err);

	if (r < 0)
		return lcx__fail_prefix(err, r, "seccomp profile");
	rule = lcx__list_grow(&profile->rules, sizeof(*rule));
	if (!rule)
		return lcx__fail_nomem(err);
	if (lcx__strv_append(&rule->names, name) < 0) {
		lcx__strv_freep(&rule->names);
		profile->rules.n--;
		return lcx__fail_nomem(err);
	}
	rule->action = (struct lcx__opt_u32)LCX__OPT(action);
	if (action_takes_errno(action))
		rule->errno_ret = (struct lcx__opt_u32)LCX__OPT(errno_ret);
	return 0;
}

/* Take @name out of every rule; a rule without a name stays as one that nothing meets. */
static void forget(struct lcx_seccomp *profile, const char *name)
{
	for (size_t i = 0; i < profile->rules.n; i++) {
		char **to = profile->rules.items[i].names;

		for (char **from = to; *from; from++) {
			if (strcmp(*from, name) == 0)
				free(*from);
			else
				*to++ = *from;
		}
		*to = NULL;
	}
}

LCX_PUBLIC int lcx_seccomp_allow(struct lcx_seccomp *profile, const char *syscall,
				 struct lcx_error **err)
{
	int r = check_syscall(syscall, err);

	if (r < 0)
		return r;
	forget(profile, syscall);
	return lcx__seccomp_add_rule(profile, syscall, LCX__ACT_ALLOW, 0, err);
}

LCX_PUBLIC int lcx_seccomp_deny(struct lcx_seccomp *profile, const char *syscall,
				int32_t error_number, struct lcx_error **err)
{
	int r = check_syscall(syscall, err);

	if (r < 0)
		return r;
	if (error_number < 1 || error_number > MAX_ERRNO_RET)
		return lcx__fail(err, EINVAL, "deny '%s': %d is no error number", syscall,
				 error_number);
	forget(profile, syscall);
	return lcx__seccomp_add_rule(profile, syscall, LCX__ACT_ERRNO, (uint32_t)error_number, err);
}

LCX_PUBLIC int lcx_seccomp_notify(struct lcx_seccomp *profile, const char *syscall,
				  struct lcx_error **err)
{
	int r = check_syscall(syscall, err);

	if (r < 0)
		return r;
	if (strcmp(syscall, "sendmsg") == 0)
		return lcx__fail(err, EINVAL,
				 "notify 'sendmsg': by it the listener is handed over");
	forget(profile, syscall);
	return lcx__seccomp_add_rule(profile, syscall, LCX__ACT_NOTIFY, 0, err);
}

LCX_PUBLIC int lcx_seccomp_add_flag(struct lcx_seccomp *profile, const char *flag,
				    struct lcx_error **err)
{
	uint64_t value;

	if (!lcx__json_value_of(flags, flag, &value))
		return lcx__fail(err, EINVAL,
				 "'%.64s' is no flag of a filter, such as SECCOMP_FILTER_FLAG_LOG",
				 flag);
	profile->flags = (struct lcx__opt_u64)LCX__OPT(profile->flags.value | value);
	return 0;
}

LCX_PUBLIC int lcx_seccomp_set_listener(struct lcx_seccomp *profile, const char *path,
					const char *metadata, struct lcx_error **err)
{
	CLEANUP(freep) char *new_path = NULL;
	CLEANUP(freep) char *new_metadata = NULL;

	if (path && path[0] != '/')
		return lcx__fail(err, EINVAL, "listener: '%.64s' is no absolute path", path);
	if (metadata && !path)
		return lcx__fail(err, EINVAL, "listener: metadata without a path");
	if ((path && !(new_path = strdup(path))) ||
	    (metadata && !(new_metadata = strdup(metadata))))
		return lcx__fail_nomem(err);
	free(profile->listener_path);
	free(profile->listener_metadata);
	profile->listener_path = TAKE_PTR(new_path);
	profile->listener_metadata = TAKE_PTR(new_metadata);
	return 0;
}
