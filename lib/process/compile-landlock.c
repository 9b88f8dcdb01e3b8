/* SPDX-License-Identifier: MIT */
#include "process/compile-internal.h"

#include "lcx/security.h"
#include "security/landlock.h"

/* Of a file that is no directory. */
#define OF_FILES                                                                                   \
	(LCX__LANDLOCK_EXECUTE | LCX__LANDLOCK_WRITE_FILE | LCX__LANDLOCK_READ_FILE |              \
	 LCX__LANDLOCK_TRUNCATE | LCX__LANDLOCK_IOCTL_DEV)

static void add_rule(struct compiler *c, const struct lcx__landlock_rule *rule,
		     const struct lcx__landlock_rights *handled)
{
	struct plan_op *op;

	if (rule->kind == LCX__LANDLOCK_PATH && handled->fs) {
		op = lcx__plan_add(c->plan, PLAN_LANDLOCK_PATH);
		op->str[0] = lcx__plan_string(c->plan, rule->path);
		op->num[0] = rule->access & handled->fs;
		op->num[1] = rule->access & handled->fs & OF_FILES;
	}
	if (rule->kind == LCX__LANDLOCK_PORT && rule->port >= 0 && (rule->access & handled->net)) {
		op = lcx__plan_add(c->plan, PLAN_LANDLOCK_PORT);
		op->num[0] = (uint64_t)rule->port;
		op->num[1] = rule->access;
	}
}

/* As large as the newest part of it that is used: a kernel refuses what it does not know. */
static uint32_t attribute_size(const struct lcx__landlock_rights *handled)
{
	return (uint32_t)(sizeof(uint64_t) * (handled->scope ? 3 : handled->net ? 2 : 1));
}

/*
 * Strictly, all that the rules forbid is forbidden or nothing is started; with best effort, what
 * this kernel can forbid. Devices' ioctl(2) is forbidden wherever it can be.
 */
int lcx__compile_landlock(struct compiler *c, struct lcx_error **err)
{
	const struct lcx_spec *container = c->in->container ? c->in->container : c->spec;
	const struct lcx__spec_own *own = &container->own;
	struct lcx__landlock_rights handled, known = lcx__landlock_rights(lcx_landlock_abi());
	struct lcx__landlock_rule rule;
	struct plan_op *op;
	int r = lcx__landlock_handled(own->landlock, &handled, err);

	if (r == 0 && !own->landlock_best_effort.value)
		r = lcx__landlock_check(&handled, err);
	if (r < 0)
		return r;
	handled.fs = handled.fs ? known.fs : 0;
	handled.net &= known.net;
	handled.scope &= known.scope;
	if (!handled.fs && !handled.net && !handled.scope)
		return 0;
	op = lcx__plan_add(c->plan, PLAN_LANDLOCK_NEW);
	op->num[0] = handled.fs;
	op->num[1] = handled.net;
	op->num[2] = handled.scope;
	op->length = attribute_size(&handled);
	for (char **text = own->landlock; text && *text; text++)
		if (lcx__landlock_parse(*text, &rule, NULL) == 0)
			add_rule(c, &rule, &handled);
	(void)lcx__plan_add(c->plan, PLAN_LANDLOCK_ENTER);
	return 0;
}
