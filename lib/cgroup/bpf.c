/* SPDX-License-Identifier: MIT */

/*
 * Device rules of version 2: a program of type CGROUP_DEVICE, made out of raw
 * instructions.
 *
 * A request asks for some of read, write, mknod at once; a rule speaks of some of
 * them. The last rule that matches decides for each access apart, so the program
 * walks the rules backwards with the accesses that are still undecided:
 *
 *	undecided = requested
 *	for each rule from the last to the first, if type, major, minor match:
 *		deny:  if (undecided & access) return 0
 *		allow: undecided &= ~access; if (!undecided) return 1
 *	return 0
 *
 * All programs of a cgroup must agree to a request. Ours replaces the one that is
 * there in one step; of several, the old ones are detached after the new one stands.
 */

#include "cgroup/cgroup-internal.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/types.h>

#include "util/sys.h"

enum {
	PROGRAMS_MAX = 64, /* the kernel's limit of programs on one cgroup */
	INSNS_MAX = 4096,  /* what the kernel always takes */
};

enum register_use {
	REG_RESULT = BPF_REG_0,
	REG_CONTEXT = BPF_REG_1,
	REG_TYPE = BPF_REG_2,
	REG_UNDECIDED = BPF_REG_3,
	REG_MAJOR = BPF_REG_4,
	REG_MINOR = BPF_REG_5,
	REG_SCRATCH = BPF_REG_0,
};

struct program {
	struct bpf_insn *insns;
	size_t count, max;
};

static void emit(struct program *p, uint8_t code, uint8_t to, uint8_t from, int16_t offset,
		 int32_t immediate)
{
	if (p->count < p->max)
		p->insns[p->count] = (struct bpf_insn){.code = code,
						       .dst_reg = to & 0xf,
						       .src_reg = from & 0xf,
						       .off = offset,
						       .imm = immediate};
	p->count++;
}

static void emit_return(struct program *p, int32_t value)
{
	emit(p, BPF_ALU | BPF_MOV | BPF_K, REG_RESULT, 0, 0, value);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* What the rule does once it matches: as many instructions for both, so that jumps are known. */
static void emit_verdict(struct program *p, const struct device_rule *rule)
{
	if (rule->allow) {
		emit(p, BPF_ALU | BPF_AND | BPF_K, REG_UNDECIDED, 0, 0, ~(int32_t)rule->access);
		emit(p, BPF_JMP | BPF_JNE | BPF_K, REG_UNDECIDED, 0, 2, 0);
		emit_return(p, 1);
	} else {
		emit(p, BPF_ALU | BPF_MOV | BPF_X, REG_SCRATCH, REG_UNDECIDED, 0, 0);
		emit(p, BPF_ALU | BPF_AND | BPF_K, REG_SCRATCH, 0, 0, rule->access);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, REG_SCRATCH, 0, 2, 0);
		emit_return(p, 0);
	}
}

static void emit_rule(struct program *p, const struct device_rule *rule)
{
	const struct {
		bool compare;
		uint8_t reg;
		int64_t value;
	} tests[] = {
		{rule->type != 'a', REG_TYPE,
		 rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR},
		{rule->major >= 0, REG_MAJOR, rule->major},
		{rule->minor >= 0, REG_MINOR, rule->minor},
	};
	int16_t left = rule->allow ? 4 : 5;

	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		left += tests[i].compare;
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		if (!tests[i].compare)
			continue;
		left--;
		emit(p, BPF_JMP32 | BPF_JNE | BPF_K, tests[i].reg, 0, left,
		     (int32_t)(uint32_t)tests[i].value);
	}
	emit_verdict(p, rule);
}

static void emit_load(struct program *p, uint8_t reg, size_t offset)
{
	emit(p, BPF_LDX | BPF_MEM | BPF_W, reg, REG_CONTEXT, (int16_t)offset, 0);
}

static int compile(const struct device_rule *rules, size_t count, struct bpf_insn *insns,
		   size_t max)
{
	struct program p = {.insns = insns, .max = max};

	emit_load(&p, REG_TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit_load(&p, REG_MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_load(&p, REG_MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	emit(&p, BPF_ALU | BPF_MOV | BPF_X, REG_UNDECIDED, REG_TYPE, 0, 0);
	emit(&p, BPF_ALU | BPF_RSH | BPF_K, REG_UNDECIDED, 0, 0, 16);
	emit(&p, BPF_ALU | BPF_AND | BPF_K, REG_TYPE, 0, 0, 0xffff);
	while (count > 0)
		emit_rule(&p, &rules[--count]);
	emit_return(&p, 0);
	return p.count > max ? -E2BIG : (int)p.count;
}

int lcx__cgroup_bpf_compile(const struct device_rule *rules, size_t count, uint64_t *insns,
			    size_t max)
{
	_Static_assert(sizeof(struct bpf_insn) == sizeof(*insns), "an instruction has 8 bytes");
	return compile(rules, count, (struct bpf_insn *)insns, max);
}

/* --- bpf(2) --- */

static int sys_bpf(int command, union bpf_attr *attr)
{
	return (int)sys_call3(__NR_bpf, command, attr, sizeof(*attr));
}

static int load(const struct bpf_insn *insns, int count)
{
	static const char license[] = "MIT", name[] = "lcx_devices";
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = (uint32_t)count;
	attr.license = (uint64_t)(uintptr_t)license;
	memcpy(attr.prog_name, name, sizeof(name));
	return sys_bpf(BPF_PROG_LOAD, &attr);
}

static int query(int dir_fd, uint32_t ids[static PROGRAMS_MAX], uint32_t *ret_count)
{
	union bpf_attr attr;
	int r;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)dir_fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
	attr.query.prog_cnt = PROGRAMS_MAX;
	r = sys_bpf(BPF_PROG_QUERY, &attr);
	if (r == 0)
		*ret_count = attr.query.prog_cnt;
	return r;
}

static int program_fd(uint32_t id)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	return sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

static int attach(int dir_fd, int program, int replace)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)dir_fd;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (replace >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)replace;
	}
	return sys_bpf(BPF_PROG_ATTACH, &attr);
}

static int detach(int dir_fd, int program)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)dir_fd;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	return sys_bpf(BPF_PROG_DETACH, &attr);
}

static int attach_instead(int dir_fd, int program)
{
	uint32_t ids[PROGRAMS_MAX], count = 0;
	int r = query(dir_fd, ids, &count);

	if (r == 0 && count == 1) {
		CLEANUP(closep) int old = program_fd(ids[0]);

		/* Before 5.6 there is no replacement: the two overlap for a moment instead. */
		r = old < 0 ? old : attach(dir_fd, program, old);
		if (r != -EINVAL)
			return r;
		r = 0;
	}
	if (r == 0)
		r = attach(dir_fd, program, -1);
	for (uint32_t i = 0; r == 0 && i < count; i++) {
		CLEANUP(closep) int old = program_fd(ids[i]);

		r = old < 0 ? old : detach(dir_fd, old);
		if (r == -ENOENT)
			r = 0;
	}
	return r;
}

int lcx__cgroup_bpf_devices(int dir_fd, const struct device_rule *rules, size_t count)
{
	CLEANUP(closep) int program = -1;
	CLEANUP(freep) struct bpf_insn *insns = NULL;
	int r;

	insns = calloc(INSNS_MAX, sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	r = compile(rules, count, insns, INSNS_MAX);
	if (r < 0)
		return r;
	program = load(insns, r);
	if (program < 0)
		return TAKE_FD(program);
	return attach_instead(dir_fd, program);
}

int lcx__cgroup_bpf_count(int dir_fd)
{
	uint32_t ids[PROGRAMS_MAX], count = 0;
	int r = query(dir_fd, ids, &count);

	return r < 0 ? r : (int)count;
}
