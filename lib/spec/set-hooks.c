/* SPDX-License-Identifier: MIT */
#include "spec/check.h"
#include "spec/edit.h"
#include "spec/names.h"

static int check(const char *path, const char *const *env, uint32_t timeout_s,
		 struct lcx_error **err)
{
	int r = lcx__check_absolute(path, err);

	if (r < 0)
		return lcx__fail_prefix(err, r, "the hook's path");
	for (; r == 0 && env && *env; env++)
		r = lcx__check_env(*env, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "environment of the hook '%s'", path);
	if (timeout_s > INT32_MAX)
		return lcx__fail(err, EINVAL, "hook '%s': a timeout of %u seconds is too long",
				 path, timeout_s);
	return 0;
}

static void release(struct lcx__spec_hook *hook)
{
	free(hook->path);
	(void)lcx__strv_free(hook->args);
	(void)lcx__strv_free(hook->env);
}

static int fill(struct lcx__spec_hook *hook, const char *path, const char *const *args,
		const char *const *env, struct lcx_error **err)
{
	int r = lcx__set_string(&hook->path, path, err);

	if (r == 0 && args)
		r = lcx__set_strings(&hook->args, args, err);
	if (r == 0 && env)
		r = lcx__set_strings(&hook->env, env, err);
	return r;
}

LCX_PUBLIC int lcx_spec_add_hook(struct lcx_spec *spec, const char *kind, const char *path,
				 const char *const *args, const char *const *env,
				 uint32_t timeout_s, struct lcx_error **err)
{
	struct lcx__spec_hook hook = {0}, *place = NULL;
	uint64_t index;
	int r;

	if (!lcx__json_value_of(lcx__hook_names, kind, &index))
		return lcx__fail(err, EINVAL, "'%.64s' is no kind of hook", kind);
	r = check(path, env, timeout_s, err);
	if (r == 0)
		r = fill(&hook, path, args, env, err);
	if (r == 0) {
		place = lcx__add_item(&spec->hooks.kind[index].hooks, sizeof(*place), err);
		r = place ? 0 : -ENOMEM;
	}
	if (r < 0) {
		release(&hook);
		return r;
	}
	if (timeout_s)
		hook.timeout_s = (struct lcx__opt_u32)LCX__OPT(timeout_s);
	*place = hook;
	spec->hooks.set = true;
	return 0;
}
