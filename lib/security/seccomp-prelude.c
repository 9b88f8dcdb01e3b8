/* SPDX-License-Identifier: MIT */
#include "security/seccomp-prelude.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "security/seccomp.h"
#include "util/json.h"

/* x86-64 and x32 share the kernel's architecture; this bit of the number tells them apart. */
#define X32_BIT 0x40000000u

struct program {
	LCX__LIST(struct sock_filter) code;
	bool failed;
};

int lcx__prelude_add_arch(struct lcx__prelude *prelude, const struct lcx__arch *arch)
{
	for (size_t i = 0; i < prelude->n_archs; i++)
		if (prelude->archs[i].arch == arch)
			return 0;
	if (prelude->n_archs == LCX__PRELUDE_MAX_ARCHS)
		return -ENOMEM;
	prelude->archs[prelude->n_archs++] = (struct lcx__prelude_arch){.arch = arch};
	return 0;
}

void lcx__prelude_note(struct lcx__prelude_arch *arch, uint32_t number)
{
	if (number > arch->highest)
		arch->highest = number;
}

static int add_call(struct lcx__prelude_arch *arch, uint32_t number, const uint32_t *action)
{
	struct lcx__prelude_call *call;

	lcx__prelude_note(arch, number);
	if (!action)
		return 0;
	for (size_t i = 0; i < arch->calls.n; i++)
		if (arch->calls.items[i].number == number)
			return 0;
	call = lcx__list_grow(&arch->calls, sizeof(*call));
	if (!call)
		return -ENOMEM;
	*call = (struct lcx__prelude_call){.number = number, .action = *action};
	return 0;
}

int lcx__prelude_add_syscall(struct lcx__prelude *prelude, const char *name, const uint32_t *action)
{
	int n = 0;

	for (size_t i = 0; i < prelude->n_archs; i++) {
		struct lcx__prelude_arch *arch = &prelude->archs[i];
		int64_t number = lcx__arch_modern_syscall(arch->arch, name);

		if (number < 0)
			continue;
		if (add_call(arch, (uint32_t)number, action) < 0)
			return -ENOMEM;
		n++;
	}
	return n;
}

void lcx__prelude_release(struct lcx__prelude *prelude)
{
	for (size_t i = 0; i < prelude->n_archs; i++)
		free(prelude->archs[i].calls.items);
	*prelude = (struct lcx__prelude){0};
}

/* Append one instruction; the place of a jump is needed again, when its length is known. */
static size_t emit(struct program *program, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	struct sock_filter *instruction =
		program->failed ? NULL : lcx__list_grow(&program->code, sizeof(*instruction));

	if (!instruction) {
		program->failed = true;
		return 0;
	}
	*instruction = (struct sock_filter){.code = code, .jt = jt, .jf = jf, .k = k};
	return program->code.n - 1;
}

static void load(struct program *program, size_t offset)
{
	(void)emit(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Jump by BPF_JA, for conditional jumps reach no further than 255 instructions. */
static size_t emit_jump(struct program *program)
{
	return emit(program, BPF_JMP | BPF_JA, 0, 0, 0);
}

static void land(struct program *program, size_t jump)
{
	if (!program->failed)
		program->code.items[jump].k = (uint32_t)(program->code.n - jump - 1);
}

/* If the loaded number fulfils the comparison: return @action. */
static void emit_verdict(struct program *program, uint16_t comparison, uint32_t k, uint32_t action)
{
	(void)emit(program, (uint16_t)(BPF_JMP | comparison | BPF_K), k, 0, 1);
	(void)emit(program, BPF_RET | BPF_K, action, 0, 0);
}

static bool is_x32(const struct lcx__arch *arch)
{
	return arch->base == X32_BIT;
}

static void emit_arch(struct program *program, const struct lcx__prelude *prelude,
		      const struct lcx__prelude_arch *arch)
{
	size_t other_arch, other_range = 0, done;
	bool shares_audit = arch->arch->audit == AUDIT_ARCH_X86_64;

	load(program, offsetof(struct seccomp_data, arch));
	(void)emit(program, BPF_JMP | BPF_JEQ | BPF_K, arch->arch->audit, 1, 0);
	other_arch = emit_jump(program);

	load(program, offsetof(struct seccomp_data, nr));
	if (shares_audit) {
		bool x32 = is_x32(arch->arch);

		(void)emit(program, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, x32 ? 1 : 0, x32 ? 0 : 1);
		other_range = emit_jump(program);
	}
	if (prelude->unknown_is_enosys && arch->highest > 0)
		emit_verdict(program, BPF_JGT, arch->highest, LCX__ACT_ERRNO | ENOSYS);
	for (size_t i = 0; i < arch->calls.n; i++)
		emit_verdict(program, BPF_JEQ, arch->calls.items[i].number,
			     arch->calls.items[i].action);
	done = emit_jump(program);

	land(program, other_arch);
	if (shares_audit)
		land(program, other_range);
	land(program, done);
}

/*
 * -1 (as an unsigned number, the highest) is what a tracer writes to skip a call, and the
 * kernel gives ENOSYS for it anyway; so "beyond the highest" needs no upper bound.
 */
int lcx__prelude_join(const struct lcx__prelude *prelude, const void *filter, size_t size,
		      void **ret, size_t *ret_size, struct lcx_error **err)
{
	struct program program = {0};
	size_t prelude_size, total;
	char *joined;

	for (size_t i = 0; i < prelude->n_archs; i++)
		emit_arch(&program, prelude, &prelude->archs[i]);
	prelude_size = program.code.n * sizeof(*program.code.items);
	total = prelude_size + size;
	joined = program.failed ? NULL : malloc(total);
	if (joined && prelude_size > 0)
		memcpy(joined, program.code.items, prelude_size);
	if (joined)
		memcpy(joined + prelude_size, filter, size);
	free(program.code.items);
	if (!joined)
		return lcx__fail_nomem(err);
	if (total > LCX__MAX_BPF_SIZE) {
		free(joined);
		return lcx__fail(
			err, E2BIG,
			"seccomp profile: the filter has %zu instructions; the kernel takes "
			"4096: use fewer rules or architectures",
			total / sizeof(struct sock_filter));
	}
	*ret = joined;
	*ret_size = total;
	return 0;
}
