/* SPDX-License-Identifier: MIT */
#include "security/seccomp-tree.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "security/seccomp-decide.h"
#include "security/seccomp-prelude.h"
#include "util/cleanup.h"

/*
 * When a filter is installed the kernel tries it on each number of a system call, to know once and
 * for all which are always allowed; with a list of some hundred comparisons that takes a fifth
 * of a container's start, and each call that is not of those goes through the list again.
 * libseccomp has a tree, too, but 2.5.4 decides wrongly with it. So the filter is tried here, once
 * for each number, as the kernel does: where it never looks at an argument its verdict is known,
 * and stands in the tree. Whatever else there is falls through to the filter, of which is kept
 * what may be reached by such calls: the kernel translates each instruction, which takes time, too.
 */

enum { N_NUMBERS = 600, MAX_CODE = LCX__MAX_BPF_SIZE / sizeof(struct sock_filter) };

/* Those whose calls the kernel tries: its own and that of its 32-bit programs; and x32, whose list
 * would have to be kept for it alone. */
static const struct range {
	uint32_t arch, base;
} ranges[] = {
#if defined(__x86_64__)
	{AUDIT_ARCH_X86_64, 0},
	{AUDIT_ARCH_I386, 0},
	{AUDIT_ARCH_X86_64, 0x40000000},
#elif defined(__aarch64__)
	{AUDIT_ARCH_AARCH64, 0},
	{AUDIT_ARCH_ARM, 0},
#endif
};

/* Numbers in a row with the same verdict, or with none. */
struct run {
	uint32_t first, verdict;
	bool is_decided;
};

static size_t find_runs(const struct sock_filter *code, size_t n, const struct range *range,
			struct run *runs)
{
	size_t n_runs = 0;

	for (uint32_t i = 0; i <= N_NUMBERS; i++) {
		struct run run = {.first = range->base + i};
		const struct run *last = n_runs > 0 ? &runs[n_runs - 1] : NULL;

		/* All that are higher are left to the filter. */
		if (i < N_NUMBERS)
			run.is_decided =
				lcx__bpf_decide(code, n, range->arch, run.first, &run.verdict);
		if (!last || last->is_decided != run.is_decided || last->verdict != run.verdict)
			runs[n_runs++] = run;
	}
	return n_runs;
}

/* ---- the tree ------------------------------------------------------------------ */

struct program {
	struct sock_filter *code; /* MAX_CODE */
	size_t n;
};

/* A jump whose way is not known yet. */
#define OPEN UINT32_MAX

static size_t emit(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (p->n < MAX_CODE)
		p->code[p->n] = (struct sock_filter){.code = code, .jt = jt, .jf = jf, .k = k};
	return p->n++;
}

static void land(struct program *p, size_t jump)
{
	if (jump < MAX_CODE)
		p->code[jump].k = (uint32_t)(p->n - jump - 1);
}

/* @n runs, of which the loaded number is in one. The depth is the logarithm of their number. */
static void emit_search(struct program *p, const struct run *runs, size_t n)
{
	size_t left = n / 2, jump;

	if (n == 1) {
		if (runs->is_decided)
			(void)emit(p, BPF_RET | BPF_K, runs->verdict, 0, 0);
		else
			(void)emit(p, BPF_JMP | BPF_JA, OPEN, 0, 0);
		return;
	}
	/* A conditional jump goes no further than 255, and a long one is another instruction. */
	(void)emit(p, BPF_JMP | BPF_JGE | BPF_K, runs[left].first, 0, 1);
	jump = emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
	emit_search(p, runs, left);
	land(p, jump);
	emit_search(p, runs + left, n - left);
}

static void emit_range(struct program *p, const struct sock_filter *code, size_t n,
		       const struct range *range, struct run *runs)
{
	size_t n_runs = find_runs(code, n, range, runs), begin = p->n;

	(void)emit(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	(void)emit(p, BPF_JMP | BPF_JEQ | BPF_K, range->arch, 1, 0);
	(void)emit(p, BPF_JMP | BPF_JA, OPEN, 0, 0);
	(void)emit(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	if (range->base > 0) {
		(void)emit(p, BPF_JMP | BPF_JGE | BPF_K, range->base, 1, 0);
		(void)emit(p, BPF_JMP | BPF_JA, OPEN, 0, 0);
	}
	emit_search(p, runs, n_runs);
	for (size_t i = begin; i < p->n && i < MAX_CODE; i++)
		if (p->code[i].code == (BPF_JMP | BPF_JA) && p->code[i].k == OPEN)
			land(p, i);
}

/* ---- what is left of the filter --------------------------------------------- */

/* What the accumulator holds. */
enum held { HELD_ARCH, HELD_NUMBER, HELD_OTHER, N_HELD };

/* Calls that fall through: of one architecture one number, or all that the tree has not; or
 * others'. */
struct kind {
	bool is_other_arch, is_above;
	uint32_t arch, number;
};

struct pruning {
	const struct sock_filter *code;
	size_t n;
	bool *keep;             /* n */
	bool (*ways)[2];        /* n: of a comparison, where it may not hold, and where it may */
	bool *seen;             /* n * N_HELD, by one kind */
	uint32_t *todo, n_todo; /* likewise: instruction * N_HELD + held */
};

static void reach(struct pruning *p, size_t pc, enum held held)
{
	size_t state = pc * N_HELD + held;

	if (pc >= p->n || p->seen[state])
		return;
	p->seen[state] = p->keep[pc] = true;
	p->todo[p->n_todo++] = (uint32_t)state;
}

static bool has_arch(uint32_t arch)
{
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (ranges[i].arch == arch)
			return true;
	return false;
}

static bool has_number(uint32_t arch, uint32_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (ranges[i].arch == arch && number - ranges[i].base < N_NUMBERS)
			return true;
	return false;
}

/* Whether a comparison may hold, and whether it may not. In doubt it may both. */
static void compare(const struct kind *kind, enum held held, const struct sock_filter *i,
		    bool may[2])
{
	bool known = false, result = false;

	if (held == HELD_ARCH && !kind->is_other_arch) {
		known = true;
		result = lcx__bpf_holds(i, kind->arch);
	} else if (held == HELD_ARCH) {
		known = BPF_OP(i->code) == BPF_JEQ && has_arch(i->k);
	} else if (held == HELD_NUMBER && !kind->is_other_arch && !kind->is_above) {
		known = true;
		result = lcx__bpf_holds(i, kind->number);
	} else if (held == HELD_NUMBER && kind->is_above && BPF_OP(i->code) == BPF_JEQ) {
		known = has_number(kind->arch, i->k);
	} else if (held == HELD_NUMBER && kind->is_above && BPF_OP(i->code) != BPF_JSET) {
		known = result = i->k < N_NUMBERS;
	}
	may[0] = !known || !result;
	may[1] = !known || result;
}

static enum held held_after(const struct sock_filter *i, enum held held)
{
	switch (BPF_CLASS(i->code)) {
	case BPF_LD:
		if (i->code == (BPF_LD | BPF_W | BPF_ABS) &&
		    i->k == offsetof(struct seccomp_data, arch))
			return HELD_ARCH;
		return i->code == (BPF_LD | BPF_W | BPF_ABS) &&
				       i->k == offsetof(struct seccomp_data, nr)
			       ? HELD_NUMBER
			       : HELD_OTHER;
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		return held;
	default:
		return HELD_OTHER;
	}
}

static void follow(struct pruning *p, const struct kind *kind)
{
	memset(p->seen, 0, p->n * N_HELD * sizeof(*p->seen));
	p->n_todo = 0;
	reach(p, 0, HELD_OTHER);
	while (p->n_todo > 0) {
		uint32_t state = p->todo[--p->n_todo];
		size_t pc = state / N_HELD;
		enum held held = (enum held)(state % N_HELD);
		const struct sock_filter *i = &p->code[pc];
		bool may[2];

		if (BPF_CLASS(i->code) == BPF_RET)
			continue;
		if (i->code == (BPF_JMP | BPF_JA)) {
			reach(p, pc + 1 + i->k, held);
		} else if (BPF_CLASS(i->code) == BPF_JMP) {
			compare(kind, BPF_SRC(i->code) == BPF_K ? held : HELD_OTHER, i, may);
			p->ways[pc][0] |= may[0];
			p->ways[pc][1] |= may[1];
			if (may[0])
				reach(p, pc + 1 + i->jf, held);
			if (may[1])
				reach(p, pc + 1 + i->jt, held);
		} else {
			reach(p, pc + 1, held_after(i, held));
		}
	}
}

static void follow_range(struct pruning *p, const struct range *range)
{
	const struct kind above = {.is_above = true, .arch = range->arch};
	uint32_t verdict;

	for (uint32_t i = 0; i < N_NUMBERS; i++) {
		const struct kind one = {.arch = range->arch, .number = range->base + i};

		if (!lcx__bpf_decide(p->code, p->n, one.arch, one.number, &verdict))
			follow(p, &one);
	}
	follow(p, &above);
}

/* A comparison that only ever leads to what follows it is none. */
static void drop_idle(struct pruning *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct sock_filter *code = &p->code[i];
		const bool *ways = p->ways[i];

		if (!p->keep[i] || BPF_CLASS(code->code) != BPF_JMP || BPF_OP(code->code) == BPF_JA)
			continue;
		if ((!ways[1] || code->jt == 0) && (!ways[0] || code->jf == 0))
			p->keep[i] = false;
	}
}

/* A way that is never taken may have lost its end; the next one that is there serves as well. */
static uint32_t distance(const size_t *place, size_t n_kept, size_t from, size_t to)
{
	size_t end = place[to] < n_kept ? place[to] : n_kept - 1;

	return (uint32_t)(end - place[from] - 1);
}

/* Append what is kept. @place has where each instruction, or the next kept one, comes to stand. */
static void emit_kept(struct program *program, const struct pruning *p, size_t *place)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		place[i] = n;
		n += p->keep[i];
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct sock_filter *code = &p->code[i];
		bool jumps = BPF_CLASS(code->code) == BPF_JMP;
		bool always = code->code == (BPF_JMP | BPF_JA);

		if (!p->keep[i])
			continue;
		if (always)
			(void)emit(program, code->code, distance(place, n, i, i + 1 + code->k), 0,
				   0);
		else
			(void)emit(program, code->code, code->k,
				   jumps ? (uint8_t)distance(place, n, i, i + 1 + code->jt) : 0,
				   jumps ? (uint8_t)distance(place, n, i, i + 1 + code->jf) : 0);
	}
}

static int emit_rest(struct program *program, const struct sock_filter *code, size_t n)
{
	const struct kind others = {.is_other_arch = true};
	CLEANUP(freep) bool *keep = calloc(n, sizeof(*keep));
	CLEANUP(freep) bool(*ways)[2] = calloc(n, sizeof(*ways));
	CLEANUP(freep) bool *seen = calloc(n * N_HELD, sizeof(*seen));
	CLEANUP(freep) uint32_t *todo = calloc(n * N_HELD, sizeof(*todo));
	CLEANUP(freep) size_t *place = calloc(n, sizeof(*place));
	struct pruning p = {code, n, keep, ways, seen, todo, 0};

	if (!keep || !ways || !seen || !todo || !place)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		follow_range(&p, &ranges[i]);
	follow(&p, &others);
	drop_idle(&p);
	emit_kept(program, &p, place);
	return 0;
}

/* That no jump leads out of it, as the kernel demands. */
static bool is_sound(const struct sock_filter *code, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool jumps = BPF_CLASS(code[i].code) == BPF_JMP;
		bool always = code[i].code == (BPF_JMP | BPF_JA);

		if (always ? code[i].k >= n - i - 1
			   : jumps && (code[i].jt >= n - i - 1 || code[i].jf >= n - i - 1))
			return false;
	}
	return n > 0 && BPF_CLASS(code[n - 1].code) == BPF_RET;
}

int lcx__seccomp_add_tree(const void *filter, size_t size, void **ret, size_t *ret_size,
			  struct lcx_error **err)
{
	CLEANUP(freep) struct run *runs = calloc(N_NUMBERS + 1, sizeof(*runs));
	CLEANUP(freep) void *code = malloc(LCX__MAX_BPF_SIZE);
	size_t n = size / sizeof(struct sock_filter);
	struct program p = {.code = code};

	if (!runs || !code)
		return lcx__fail_nomem(err);
	for (size_t i = 0; is_sound(filter, n) && i < ARRAY_SIZE(ranges); i++)
		emit_range(&p, filter, n, &ranges[i], runs);
	if (p.n > 0 && p.n < MAX_CODE && emit_rest(&p, filter, n) < 0)
		return lcx__fail_nomem(err);
	/* It saves time, and is not worth a profile that does not fit any more. */
	if (p.n == 0 || p.n > MAX_CODE) {
		memcpy(p.code, filter, size);
		p.n = n;
	}
	*ret_size = p.n * sizeof(*p.code);
	*ret = TAKE_PTR(code);
	return 0;
}
