/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>
#include <sys/mman.h>

#include "security/seccomp-arch.h"
#include "security/seccomp-prelude.h"
#include "security/seccomp-tree.h"
#include "security/seccomp.h"
#include "util/fs.h"
#include "util/sigpipe.h"

/*
 * libseccomp compiles the rules. In front of its filter stands a prelude of our own
 * (seccomp-prelude.c), for what libseccomp can't say: system calls that it
 * does not know yet, and ENOSYS for numbers beyond all that the profile knows.
 *
 * Its search stays a list. As a tree (SCMP_FLTATR_CTL_OPTIMIZE 2) 2.5.4 decides wrongly about a
 * call with several rules that compare arguments; so there is one of our own made of it all
 * (seccomp-tree.c).
 */

static uint32_t action_with_data(uint32_t action, const struct lcx__opt_u32 *errno_ret)
{
	if (action == LCX__ACT_ERRNO || action == LCX__ACT_TRACE)
		return action | (errno_ret->set ? errno_ret->value : EPERM);
	return action;
}

#if HAVE_SECCOMP

#include <seccomp.h>

static const enum scmp_compare comparisons[] = {
	[LCX__CMP_NE] = SCMP_CMP_NE,
	[LCX__CMP_LT] = SCMP_CMP_LT,
	[LCX__CMP_LE] = SCMP_CMP_LE,
	[LCX__CMP_EQ] = SCMP_CMP_EQ,
	[LCX__CMP_GE] = SCMP_CMP_GE,
	[LCX__CMP_GT] = SCMP_CMP_GT,
	[LCX__CMP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

static void releasep(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

static int fail(struct lcx_error **err, int code, const char *step, const char *name)
{
	return lcx__fail_sys(err, code, "seccomp profile: %s '%s'", step, name);
}

static int add_architectures(scmp_filter_ctx ctx, const struct lcx_seccomp *resolved,
			     struct lcx__prelude *prelude, struct lcx_error **err)
{
	/* seccomp_init() has the native one already; it can't be left out. */
	int r = lcx__prelude_add_arch(prelude, lcx__arch_native());

	for (char **name = resolved->architectures; r == 0 && name && *name; name++) {
		const struct lcx__arch *arch = lcx__arch_by_oci_name(*name);
		uint32_t token = arch ? seccomp_arch_resolve_name(arch->short_name) : 0;

		if (token == 0)
			return lcx__fail(err, EOPNOTSUPP,
					 "seccomp profile: libseccomp does not know '%s'", *name);
		r = seccomp_arch_add(ctx, token);
		if (r == -EEXIST)
			r = 0;
		if (r < 0)
			return fail(err, -r, "add architecture", *name);
		r = lcx__prelude_add_arch(prelude, arch);
	}
	return r < 0 ? lcx__fail_nomem(err) : 0;
}

/* The highest number that the profile names on each architecture: what is beyond is unknown. */
static void note_numbers(struct lcx__prelude *prelude, const char *name)
{
	for (size_t i = 0; i < prelude->n_archs; i++) {
		struct lcx__prelude_arch *arch = &prelude->archs[i];
		uint32_t token = seccomp_arch_resolve_name(arch->arch->short_name);
		int number = seccomp_syscall_resolve_name_arch(token, name);

		/* Negative ones are libseccomp's own, for calls that this architecture lacks. */
		if (number >= 0)
			lcx__prelude_note(arch, (uint32_t)number);
	}
}

static int add_modern(struct lcx__prelude *prelude, const struct lcx_seccomp *resolved,
		      const struct lcx__seccomp_rule *rule, const char *name, uint32_t action,
		      struct lcx_error **err)
{
	bool default_allows = resolved->default_action.value == LCX__ACT_ALLOW ||
			      resolved->default_action.value == LCX__ACT_LOG;
	int r = lcx__prelude_add_syscall(prelude, name, rule->args.n ? NULL : &action);

	if (r < 0)
		return lcx__fail_nomem(err);
	/* What could not be said falls to the default, which is strict: no harm is done. */
	if (!default_allows)
		return 0;
	if (r == 0)
		return lcx__fail(
			err, EOPNOTSUPP,
			"seccomp profile: system call '%s' is unknown here, so it can't be "
			"kept from the container; take it out, or deny by default",
			name);
	if (rule->args.n > 0)
		return lcx__fail(
			err, EOPNOTSUPP,
			"seccomp profile: libseccomp is too old to look at the arguments of "
			"'%s'",
			name);
	return 0;
}

static int add_name(scmp_filter_ctx ctx, struct lcx__prelude *prelude,
		    const struct lcx_seccomp *resolved, const struct lcx__seccomp_rule *rule,
		    const char *name, struct lcx_error **err)
{
	struct scmp_arg_cmp args[6];
	uint32_t action = action_with_data(rule->action.value, &rule->errno_ret);
	uint32_t default_action =
		action_with_data(resolved->default_action.value, &resolved->default_errno_ret);
	unsigned int n = 0;
	int number = seccomp_syscall_resolve_name(name);
	int r;

	if (number == __NR_SCMP_ERROR)
		return add_modern(prelude, resolved, rule, name, action, err);
	note_numbers(prelude, name);
	/* libseccomp refuses a rule that changes nothing. */
	if (action == default_action)
		return 0;
	for (; n < rule->args.n && n < ARRAY_SIZE(args); n++) {
		const struct lcx__seccomp_arg *arg = &rule->args.items[n];

		args[n] = (struct scmp_arg_cmp){
			.arg = arg->index.value,
			.op = comparisons[arg->op.value],
			.datum_a = arg->value.value,
			.datum_b = arg->value_two.value,
		};
	}
	r = seccomp_rule_add_array(ctx, action, number, n, args);
	return r < 0 && r != -EEXIST ? fail(err, -r, "add a rule for", name) : 0;
}

static int add_rules(scmp_filter_ctx ctx, const struct lcx_seccomp *resolved,
		     struct lcx__prelude *prelude, struct lcx_error **err)
{
	for (size_t i = 0; i < resolved->rules.n; i++) {
		const struct lcx__seccomp_rule *rule = &resolved->rules.items[i];

		for (char **name = rule->names; *name; name++) {
			int r = add_name(ctx, prelude, resolved, rule, *name, err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* 2.5 writes to descriptors only. */
static int export_filter(scmp_filter_ctx ctx, char **ret, size_t *ret_size, struct lcx_error **err)
{
	CLEANUP(closep) int fd = -1;
	int r;

	fd = memfd_create("lcx-seccomp", MFD_CLOEXEC);
	if (fd < 0)
		return lcx__fail_sys(err, errno, "seccomp profile: memfd_create");
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return lcx__fail_sys(err, -r, "seccomp profile: compile");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return lcx__fail_sys(err, errno, "seccomp profile: rewind");
	r = lcx__read_fd(fd, LCX__MAX_BPF_SIZE, ret, ret_size);
	return r < 0 ? lcx__fail_sys(err, -r, "seccomp profile: read the filter") : 0;
}

int lcx__seccomp_compile_list(const struct lcx_seccomp *resolved, struct lcx__seccomp_filter *ret,
			      struct lcx_error **err)
{
	CLEANUP(releasep) scmp_filter_ctx ctx = NULL;
	CLEANUP(freep) char *filter = NULL;
	CLEANUP(lcx__prelude_release) struct lcx__prelude prelude = {0};
	uint32_t action =
		action_with_data(resolved->default_action.value, &resolved->default_errno_ret);
	size_t size;
	int r;

	ctx = seccomp_init(action);
	if (!ctx)
		return lcx__fail(err, ENOMEM, "seccomp profile: libseccomp does not start");
	r = add_architectures(ctx, resolved, &prelude, err);
	if (r == 0)
		r = add_rules(ctx, resolved, &prelude, err);
	if (r == 0)
		r = export_filter(ctx, &filter, &size, err);
	if (r < 0)
		return r;

	/* A container that expects to be killed, or asked about, is not told "no such call"
	 * instead. */
	prelude.unknown_is_enosys = (action & 0xffff0000) == LCX__ACT_ERRNO;
	r = lcx__prelude_join(&prelude, filter, size, &ret->bpf, &ret->size, err);
	if (r == 0)
		ret->flags = (uint32_t)resolved->flags.value;
	return r;
}

#else /* HAVE_SECCOMP */

int lcx__seccomp_compile_list(const struct lcx_seccomp *resolved, struct lcx__seccomp_filter *ret,
			      struct lcx_error **err)
{
	(void)resolved, (void)ret, (void)action_with_data;
	return lcx__fail(err, EOPNOTSUPP,
			 "this liblcx was built without seccomp (meson option 'seccomp'); "
			 "set no profile, or use a build that has it");
}

#endif

int lcx__seccomp_compile_resolved(const struct lcx_seccomp *resolved,
				  struct lcx__seccomp_filter *ret, struct lcx_error **err)
{
	struct lcx__seccomp_filter list = {0};
	CLEANUP(freep) void *bpf = NULL;
	int r = lcx__seccomp_compile_list(resolved, &list, err);

	if (r < 0)
		return r;
	bpf = list.bpf;
	r = lcx__seccomp_shorten(list.bpf, list.size, &ret->bpf, &ret->size, err);
	if (r == 0)
		ret->flags = list.flags;
	return r;
}

int lcx__seccomp_compile(const struct lcx_seccomp *profile, uint64_t capabilities,
			 struct lcx__seccomp_filter *ret, struct lcx_error **err)
{
	CLEANUP(lcx__seccomp_release_resolved) struct lcx_seccomp resolved = {0};
	int r = lcx__seccomp_resolve(profile, capabilities, &resolved, err);

	return r < 0 ? r : lcx__seccomp_compile_resolved(&resolved, ret, err);
}

LCX_PUBLIC int lcx_seccomp_export(const struct lcx_seccomp *profile, uint64_t capabilities,
				  int32_t fd, struct lcx_error **err)
{
	CLEANUP(freep) void *bpf = NULL;
	struct lcx__seccomp_filter filter = {0};
	int r;

	r = lcx__seccomp_compile(profile, capabilities, &filter, err);
	if (r < 0)
		return r;
	bpf = filter.bpf;
	r = lcx__write_to_host(fd, bpf, filter.size);
	return r < 0 ? lcx__fail_sys(err, -r, "write the seccomp filter") : 0;
}
