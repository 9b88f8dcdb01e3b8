/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "security/caps.h"
#include "spec/check.h"
#include "spec/edit.h"

/* Setters of the process. */

LCX_PUBLIC int lcx_spec_set_args(struct lcx_spec *spec, const char *const *args,
				 struct lcx_error **err)
{
	spec->process.set = true;
	return lcx__set_strings(&spec->process.args, args, err);
}

LCX_PUBLIC int lcx_spec_add_arg(struct lcx_spec *spec, const char *arg, struct lcx_error **err)
{
	spec->process.set = true;
	return lcx__add_string(&spec->process.args, arg, false, err);
}

/* Where "NAME=..." stands in the environment; NULL if it doesn't. */
static char **find_env(const struct lcx_spec *spec, const char *name, size_t length)
{
	for (char **at = spec->process.env; at && *at; at++)
		if (strncmp(*at, name, length) == 0 && (*at)[length] == '=')
			return at;
	return NULL;
}

LCX_PUBLIC int lcx_spec_add_env(struct lcx_spec *spec, const char *assignment,
				struct lcx_error **err)
{
	char **old;
	int r = lcx__check_env(assignment, err);

	if (r < 0)
		return lcx__fail_prefix(err, r, "environment");
	spec->process.set = true;
	old = find_env(spec, assignment, strcspn(assignment, "="));
	if (old)
		return lcx__set_string(old, assignment, err);
	return lcx__add_string(&spec->process.env, assignment, false, err);
}

LCX_PUBLIC int lcx_spec_set_env(struct lcx_spec *spec, const char *name, const char *value,
				struct lcx_error **err)
{
	CLEANUP(freep) char *assignment = NULL;
	int r = lcx__check_env_name(name, err);

	if (r < 0)
		return r;
	assignment = lcx__format("%s=%s", name, value);
	return assignment ? lcx_spec_add_env(spec, assignment, err) : lcx__fail_nomem(err);
}

LCX_PUBLIC int lcx_spec_unset_env(struct lcx_spec *spec, const char *name, struct lcx_error **err)
{
	char **at;
	int r = lcx__check_env_name(name, err);

	if (r < 0)
		return r;
	while ((at = find_env(spec, name, strlen(name)))) {
		free(*at);
		for (; *at; at++)
			at[0] = at[1];
	}
	return 0;
}

LCX_PUBLIC int lcx_spec_clear_env(struct lcx_spec *spec, struct lcx_error **err)
{
	(void)err;
	spec->process.env = lcx__strv_free(spec->process.env);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_cwd(struct lcx_spec *spec, const char *path, struct lcx_error **err)
{
	int r = lcx__check_absolute(path, err);

	if (r < 0)
		return lcx__fail_prefix(err, r, "working directory");
	spec->process.set = true;
	return lcx__set_string(&spec->process.cwd, path, err);
}

static int check_id(uint32_t id, const char *what, struct lcx_error **err)
{
	/* setresuid(2) and its kind take -1 for "leave it": that would be the caller's. */
	if (id != UINT32_MAX)
		return 0;
	return lcx__fail(err, EINVAL, "%s: %u is no id", what, id);
}

LCX_PUBLIC int lcx_spec_set_user(struct lcx_spec *spec, uint32_t uid, uint32_t gid,
				 struct lcx_error **err)
{
	struct lcx__spec_user *user = &spec->process.user;
	int r = check_id(uid, "user", err);

	if (r == 0)
		r = check_id(gid, "group", err);
	if (r < 0)
		return r;
	spec->process.set = user->set = true;
	user->uid = (struct lcx__opt_u32)LCX__OPT(uid);
	user->gid = (struct lcx__opt_u32)LCX__OPT(gid);
	return 0;
}

LCX_PUBLIC int lcx_spec_add_group(struct lcx_spec *spec, uint32_t gid, struct lcx_error **err)
{
	struct lcx__spec_user *user = &spec->process.user;
	uint32_t *item;
	int r = check_id(gid, "supplementary group", err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < user->additional_gids.n; i++)
		if (user->additional_gids.items[i] == gid)
			return 0;
	item = lcx__add_item(&user->additional_gids, sizeof(*item), err);
	if (!item)
		return -ENOMEM;
	*item = gid;
	spec->process.set = user->set = true;
	return 0;
}

LCX_PUBLIC int lcx_spec_clear_groups(struct lcx_spec *spec, struct lcx_error **err)
{
	(void)err;
	spec->process.user.additional_gids.n = 0;
	return 0;
}

LCX_PUBLIC int lcx_spec_set_umask(struct lcx_spec *spec, uint32_t mask, struct lcx_error **err)
{
	if (mask > 0777)
		return lcx__fail(err, EINVAL, "umask: must be at most 0777, not 0%o", mask);
	spec->process.set = spec->process.user.set = true;
	spec->process.user.umask = (struct lcx__opt_u32)LCX__OPT(mask);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_terminal(struct lcx_spec *spec, int32_t on, struct lcx_error **err)
{
	int r = lcx__check_switch(on, "terminal", err);

	if (r < 0)
		return r;
	spec->process.set = true;
	spec->process.terminal = (struct lcx__opt_bool)LCX__OPT(on);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_terminal_size(struct lcx_spec *spec, uint32_t rows, uint32_t columns,
					  struct lcx_error **err)
{
	struct lcx__spec_console_size *size = &spec->process.console_size;

	if (rows > UINT16_MAX || columns > UINT16_MAX)
		return lcx__fail(err, EINVAL, "terminal: %u x %u is too large", rows, columns);
	spec->process.set = size->set = true;
	size->height = (struct lcx__opt_u32)LCX__OPT(rows);
	size->width = (struct lcx__opt_u32)LCX__OPT(columns);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_no_new_privileges(struct lcx_spec *spec, int32_t on,
					      struct lcx_error **err)
{
	int r = lcx__check_switch(on, "no new privileges", err);

	if (r < 0)
		return r;
	spec->process.set = true;
	spec->process.no_new_privileges = (struct lcx__opt_bool)LCX__OPT(on);
	return 0;
}

LCX_PUBLIC int lcx_spec_set_oom_score_adj(struct lcx_spec *spec, int32_t score,
					  struct lcx_error **err)
{
	if (score < -1000 || score > 1000)
		return lcx__fail(err, EINVAL, "oom_score_adj: must be from -1000 to 1000, not %d",
				 score);
	spec->process.set = true;
	spec->process.oom_score_adj = (struct lcx__opt_int)LCX__OPT(score);
	return 0;
}

static struct lcx__spec_rlimit *find_rlimit(struct lcx_spec *spec, int32_t resource)
{
	for (size_t i = 0; i < spec->process.rlimits.n; i++)
		if (spec->process.rlimits.items[i].resource.value == resource)
			return &spec->process.rlimits.items[i];
	return NULL;
}

LCX_PUBLIC int lcx_spec_add_rlimit(struct lcx_spec *spec, const char *name, uint64_t soft,
				   uint64_t hard, struct lcx_error **err)
{
	struct lcx__spec_rlimit limit = {
		.resource = LCX__OPT(lcx_rlimit_number(name)),
		.soft = LCX__OPT(soft),
		.hard = LCX__OPT(hard),
	};
	struct lcx__spec_rlimit *place;
	int r;

	if (limit.resource.value < 0)
		return lcx__fail(err, EINVAL,
				 "'%.64s' is no resource limit; getrlimit(2) lists them", name);
	r = lcx__finish_rlimit(&limit, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "limit '%s'", name);
	place = find_rlimit(spec, limit.resource.value);
	if (!place)
		place = lcx__add_item(&spec->process.rlimits, sizeof(*place), err);
	if (!place)
		return -ENOMEM;
	*place = limit;
	spec->process.set = true;
	return 0;
}

LCX_PUBLIC int lcx_spec_set_apparmor_profile(struct lcx_spec *spec, const char *profile,
					     struct lcx_error **err)
{
	int r = profile ? lcx__check_schema_line(profile, err) : 0;

	if (r < 0)
		return lcx__fail_prefix(err, r, "AppArmor profile");
	spec->process.set = true;
	return lcx__set_string(&spec->process.apparmor_profile, profile, err);
}

LCX_PUBLIC int lcx_spec_set_selinux_label(struct lcx_spec *spec, const char *label,
					  struct lcx_error **err)
{
	int r = label ? lcx__check_schema_line(label, err) : 0;

	if (r < 0)
		return lcx__fail_prefix(err, r, "SELinux label");
	spec->process.set = true;
	return lcx__set_string(&spec->process.selinux_label, label, err);
}

LCX_PUBLIC int lcx_spec_set_mount_label(struct lcx_spec *spec, const char *label,
					struct lcx_error **err)
{
	int r = label ? lcx__check_schema_line(label, err) : 0;

	if (r < 0)
		return lcx__fail_prefix(err, r, "SELinux label of mounts");
	spec->linux_.set = true;
	return lcx__set_string(&spec->linux_.mount_label, label, err);
}

/* One name, or ALL; lcx_capability_mask() would take a list. */
static int parse_capability(const char *name, uint64_t *ret, struct lcx_error **err)
{
	if (strpbrk(name, ", \t\n") || *name == '\0')
		return lcx__fail(err, EINVAL, "'%.64s' is not the name of one capability", name);
	return lcx_capability_mask(name, ret, err);
}

/* The sets, to be changed: one that was not there starts out empty. */
static struct lcx__spec_capabilities *capabilities(struct lcx_spec *spec)
{
	struct lcx__spec_capabilities *sets = &spec->process.capabilities;

	spec->process.set = sets->set = true;
	sets->bounding.set = sets->effective.set = sets->permitted.set = true;
	return sets;
}

LCX_PUBLIC int lcx_spec_add_capability(struct lcx_spec *spec, const char *name,
				       struct lcx_error **err)
{
	struct lcx__spec_capabilities *sets;
	uint64_t mask;
	int r = parse_capability(name, &mask, err);

	if (r < 0)
		return r;
	sets = capabilities(spec);
	sets->bounding.value |= mask;
	sets->effective.value |= mask;
	sets->permitted.value |= mask;
	return 0;
}

LCX_PUBLIC int lcx_spec_add_ambient_capability(struct lcx_spec *spec, const char *name,
					       struct lcx_error **err)
{
	struct lcx__spec_capabilities *sets;
	uint64_t mask;
	int r = lcx_spec_add_capability(spec, name, err);

	if (r == 0)
		r = parse_capability(name, &mask, err);
	if (r < 0)
		return r;
	/* An ambient capability has to be inheritable as well: capabilities(7). */
	sets = capabilities(spec);
	sets->ambient.set = sets->inheritable.set = true;
	sets->ambient.value |= mask;
	sets->inheritable.value |= mask;
	return 0;
}

LCX_PUBLIC int lcx_spec_drop_capability(struct lcx_spec *spec, const char *name,
					struct lcx_error **err)
{
	struct lcx__spec_capabilities *sets = &spec->process.capabilities;
	uint64_t mask;
	int r = parse_capability(name, &mask, err);

	if (r < 0)
		return r;
	/* A description that was written for a newer kernel may have more than this one's all. */
	if (strcasecmp(name, "ALL") == 0)
		mask = UINT64_MAX;
	/* Without sets the process would keep what the caller has: all but this one, then. */
	if (!sets->set) {
		uint64_t all = lcx__capability_all();

		sets = capabilities(spec);
		sets->bounding.value = sets->effective.value = sets->permitted.value = all;
	}
	sets->bounding.value &= ~mask;
	sets->effective.value &= ~mask;
	sets->permitted.value &= ~mask;
	sets->inheritable.value &= ~mask;
	sets->ambient.value &= ~mask;
	return 0;
}

LCX_PUBLIC int lcx_spec_clear_capabilities(struct lcx_spec *spec, struct lcx_error **err)
{
	(void)err;
	spec->process.capabilities = (struct lcx__spec_capabilities){0};
	(void)capabilities(spec);
	return 0;
}

LCX_PUBLIC int lcx_spec_add_landlock(struct lcx_spec *spec, const char *rule,
				     struct lcx_error **err)
{
	int r = lcx__check_landlock(rule, err);

	if (r < 0)
		return r;
	spec->own.set = true;
	return lcx__add_string(&spec->own.landlock, rule, true, err);
}

LCX_PUBLIC int lcx_spec_set_landlock_best_effort(struct lcx_spec *spec, int32_t on,
						 struct lcx_error **err)
{
	int r = lcx__check_switch(on, "Landlock, best effort", err);

	if (r < 0)
		return r;
	spec->own.set = true;
	spec->own.landlock_best_effort = (struct lcx__opt_bool)LCX__OPT(on);
	return 0;
}

LCX_PUBLIC int lcx_spec_clear_landlock(struct lcx_spec *spec, struct lcx_error **err)
{
	(void)err;
	spec->own.landlock = lcx__strv_free(spec->own.landlock);
	return 0;
}
