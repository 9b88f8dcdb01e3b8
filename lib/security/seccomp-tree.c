/* SPDX-License-Identifier: MIT */
#include "security/seccomp-tree.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "security/seccomp-decide.h"
#include "security/seccomp-prelude.h"
#include "util/cleanup.h"

/*
 * When a filter is installed the kernel translates each instruction, twice, and tries the whole on
 * each number of a system call, to know once and for all which are always allowed. With a list of
 * a thousand comparisons that takes a tenth of a container's start; and each call that is not
 * one of those goes through the list again. libseccomp has a tree, too, but 2.5.4 decides wrongly
 * with it. So the numbers are put in order here (seccomp-decide.c), and a tree is written anew:
 *
 *   - Numbers in a row with the same end are one, and a single number among others with the
 *     same end takes one comparison instead of two.
 *   - x32's numbers are mostly those of x86-64 with a bit set: what differs is named, and the rest
 *     goes through the tree of x86-64 without that bit.
 *   - Verdicts stand once, within reach of a jump, which is 255 instructions.
 *   - Calls whose arguments matter jump to the place in the old filter that looks at those;
 *     of it is kept what can be reached from there.
 *
 * It is written from its end to its beginning, for jumps lead forward only: the place of
 * everything is known before a jump to it is written.
 */

enum { MAX_CODE = LCX__MAX_BPF_SIZE / sizeof(struct sock_filter) };
#define X32_BIT UINT32_C(0x40000000)
#define X32_END UINT32_C(0x80000000)

/* How far a jump may go while another may have to be written before it. */
enum { REACH = 250 };

/* How many numbers at most are compared one by one in a row. */
enum { MAX_SINGLES = 4 };

/* A place is told by its distance from the end, which does not change. */
struct program {
	struct sock_filter code[MAX_CODE]; /* filled from behind */
	size_t n;
	bool is_full;
};

static const struct sock_filter *at(const struct program *p, size_t place)
{
	return &p->code[MAX_CODE - place];
}

static size_t emit(struct program *p, uint16_t code, uint32_t k, size_t jt, size_t jf)
{
	if (p->n == MAX_CODE) {
		p->is_full = true;
		return p->n;
	}
	p->n++;
	p->code[MAX_CODE - p->n] =
		(struct sock_filter){.code = code, .jt = (uint8_t)jt, .jf = (uint8_t)jf, .k = k};
	return p->n;
}

static size_t emit_verdict(struct program *p, uint32_t verdict)
{
	for (size_t place = p->n; place > 0 && p->n - place <= REACH; place--)
		if (at(p, place)->code == (BPF_RET | BPF_K) && at(p, place)->k == verdict)
			return place;
	return emit(p, BPF_RET | BPF_K, verdict, 0, 0);
}

/* The place itself, or a copy of it or a long jump to it that is nearer. */
static size_t within_reach(struct program *p, size_t place)
{
	if (p->n - place <= REACH)
		return place;
	if (at(p, place)->code == (BPF_RET | BPF_K))
		return emit_verdict(p, at(p, place)->k);
	return emit(p, BPF_JMP | BPF_JA, (uint32_t)(p->n - place), 0, 0);
}

/* One that stands there already serves as well. */
static size_t emit_comparison(struct program *p, uint16_t code, uint32_t k, size_t yes, size_t no)
{
	if (yes == no)
		return yes;
	for (size_t i = p->n; i > 0 && p->n - i <= REACH; i--)
		if (at(p, i)->code == code && at(p, i)->k == k && i - 1 - at(p, i)->jt == yes &&
		    i - 1 - at(p, i)->jf == no)
			return i;
	yes = within_reach(p, yes);
	no = within_reach(p, no);
	return emit(p, code, k, p->n - yes, p->n - no);
}

/* Any other instruction, which goes on to what follows it. */
static size_t emit_before(struct program *p, uint16_t code, uint32_t k, size_t next)
{
	for (size_t i = p->n; i > 0 && p->n - i <= REACH; i--)
		if (at(p, i)->code == code && at(p, i)->k == k && i - 1 == next)
			return i;
	if (next != p->n)
		(void)emit(p, BPF_JMP | BPF_JA, (uint32_t)(p->n - next), 0, 0);
	return emit(p, code, k, 0, 0);
}

/* ---- what is kept of the old filter ---------------------------------------- */

struct old {
	const struct sock_filter *code;
	size_t n;
	bool *keep;    /* n */
	size_t *place; /* n: in the new one */
};

static void keep_ends(struct old *old, const struct lcx__bpf_runs *runs)
{
	for (size_t i = 0; i < runs->n; i++)
		if (!runs->items[i].end.is_verdict)
			old->keep[runs->items[i].end.value] = true;
}

/* Jumps lead forward only, so that one pass finds all that follow. */
static void keep_reachable(struct old *old)
{
	for (size_t i = 0; i < old->n; i++) {
		const struct sock_filter *code = &old->code[i];
		bool jumps = BPF_CLASS(code->code) == BPF_JMP;

		if (!old->keep[i] || BPF_CLASS(code->code) == BPF_RET)
			continue;
		if (code->code == (BPF_JMP | BPF_JA)) {
			old->keep[i + 1 + code->k] = true;
			continue;
		}
		old->keep[i + 1 + (jumps ? code->jt : 0)] = true;
		old->keep[i + 1 + (jumps ? code->jf : 0)] = true;
	}
}

static void emit_old(struct program *p, struct old *old)
{
	for (size_t i = old->n; i-- > 0;) {
		const struct sock_filter *code = &old->code[i];
		const size_t *next = &old->place[i + 1];

		if (!old->keep[i])
			continue;
		if (code->code == (BPF_RET | BPF_K))
			old->place[i] = emit_verdict(p, code->k);
		else if (code->code == (BPF_JMP | BPF_JA))
			old->place[i] = next[code->k];
		else if (BPF_CLASS(code->code) == BPF_JMP)
			old->place[i] = emit_comparison(p, code->code, code->k, next[code->jt],
							next[code->jf]);
		else if (BPF_CLASS(code->code) == BPF_RET)
			old->place[i] = emit(p, code->code, code->k, 0, 0);
		else
			old->place[i] = emit_before(p, code->code, code->k, *next);
	}
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

/* ---- the tree ------------------------------------------------------------------ */

/* An end of its own: what x86-64 does with the number, without the bit. */
static const struct lcx__bpf_end folded = {false, UINT32_MAX};

struct tree {
	struct program *p;
	const struct old *old;
	size_t folded; /* the place where that goes on */
};

/* Runs of which the first has the end of the most, and others are single numbers among them. */
struct leaf {
	const struct lcx__bpf_run *runs;
	size_t n;
	struct lcx__bpf_end end;
};

static size_t emit_end(struct tree *t, struct lcx__bpf_end end)
{
	if (end.is_verdict)
		return emit_verdict(t->p, end.value);
	return lcx__bpf_same_end(end, folded) ? t->folded : t->old->place[end.value];
}

static size_t emit_leaf(struct tree *t, const struct leaf *leaf)
{
	size_t place = emit_end(t, leaf->end);

	for (size_t i = leaf->n; i-- > 0;)
		if (!lcx__bpf_same_end(leaf->runs[i].end, leaf->end))
			place = emit_comparison(t->p, BPF_JMP | BPF_JEQ | BPF_K,
						leaf->runs[i].first, emit_end(t, leaf->runs[i].end),
						place);
	return place;
}

static size_t emit_leaves(struct tree *t, const struct leaf *leaves, size_t n)
{
	size_t half = n / 2, high, low;

	if (n == 1)
		return emit_leaf(t, leaves);
	high = emit_leaves(t, leaves + half, n - half);
	low = emit_leaves(t, leaves, half);
	return emit_comparison(t->p, BPF_JMP | BPF_JGE | BPF_K, leaves[half].runs->first, high,
			       low);
}

/* How many of @runs fit into a leaf with @end. The last of all is followed by nothing. */
static size_t fit(const struct lcx__bpf_run *runs, size_t n, struct lcx__bpf_end end)
{
	size_t singles = 0, i;

	for (i = 0; i < n; i++) {
		if (lcx__bpf_same_end(runs[i].end, end))
			continue;
		if (i + 1 == n || runs[i + 1].first - runs[i].first > 1 || singles == MAX_SINGLES)
			break;
		singles++;
	}
	/* A single one at the end may as well be the next leaf's. */
	return i > 1 && !lcx__bpf_same_end(runs[i - 1].end, end) ? i - 1 : i;
}

static struct leaf take_leaf(const struct lcx__bpf_run *runs, size_t n)
{
	size_t by_first = fit(runs, n, runs[0].end);
	size_t by_second = n > 1 ? fit(runs, n, runs[1].end) : 0;

	if (by_second > by_first)
		return (struct leaf){runs, by_second, runs[1].end};
	return (struct leaf){runs, by_first, runs[0].end};
}

/* Where the search among @runs, of which the loaded number is in one, begins. */
static int emit_search(struct tree *t, const struct lcx__bpf_runs *runs, size_t *ret)
{
	CLEANUP(freep) struct leaf *leaves = calloc(runs->n, sizeof(*leaves));
	size_t n = 0;

	if (!leaves)
		return -ENOMEM;
	for (size_t i = 0; i < runs->n; i += leaves[n++].n)
		leaves[n] = take_leaf(runs->items + i, runs->n - i);
	*ret = emit_leaves(t, leaves, n);
	return 0;
}

/* ---- x32 --------------------------------------------------------------------------- */

static const struct lcx__bpf_run *run_of(const struct lcx__bpf_runs *runs, uint32_t number)
{
	size_t low = 0, high = runs->n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		*(runs->items[middle].first <= number ? &low : &high) = middle;
	}
	return &runs->items[low];
}

/* Numbers in a row, of which all have @end, or all are folded, or both. */
struct group {
	uint32_t first;
	struct lcx__bpf_end end;
	bool has_end, is_folded;
};

static void add_group(struct lcx__bpf_runs *to, const struct group *group)
{
	to->items[to->n++] =
		(struct lcx__bpf_run){group->first, group->has_end ? group->end : folded};
}

/* @firsts: each number where a run begins, on this side or on the other. */
static void fold(const struct lcx__bpf_runs *runs, const uint32_t *firsts, size_t n,
		 struct lcx__bpf_runs *to)
{
	struct group group = {0};

	for (size_t i = 0; i < n; i++) {
		struct group next = {firsts[i], run_of(runs, firsts[i])->end, true, false};
		bool has_end = group.has_end && lcx__bpf_same_end(group.end, next.end);

		next.is_folded =
			firsts[i] < X32_END &&
			lcx__bpf_same_end(run_of(runs, firsts[i] - X32_BIT)->end, next.end);
		if (i == 0 || (!has_end && !(group.is_folded && next.is_folded))) {
			if (i > 0)
				add_group(to, &group);
			group = next;
			continue;
		}
		group.has_end = has_end;
		group.is_folded &= next.is_folded;
	}
	add_group(to, &group);
}

/* What x32 has: the numbers from its bit on, and what is above. */
static int find_folded(const struct lcx__bpf_runs *runs, struct lcx__bpf_runs *to)
{
	CLEANUP(freep) uint32_t *firsts = calloc(2 * runs->n + 2, sizeof(*firsts));
	size_t n = 0;

	to->items = calloc(2 * runs->n + 2, sizeof(*to->items));
	if (!firsts || !to->items)
		return -ENOMEM;
	firsts[n++] = X32_BIT;
	firsts[n++] = X32_END;
	for (size_t i = 0; i < runs->n; i++)
		firsts[n++] = runs->items[i].first < X32_BIT ? runs->items[i].first + X32_BIT
							     : runs->items[i].first;
	n = lcx__bpf_sort(firsts, n);
	fold(runs, firsts, n, to);
	return 0;
}

static int emit_with_x32(struct tree *t, const struct lcx__bpf_runs *runs, size_t *ret)
{
	struct lcx__bpf_runs low = *runs, high = {0};
	CLEANUP(freep) struct lcx__bpf_run *items = NULL;
	size_t low_place, high_place;
	int r = find_folded(runs, &high);

	items = high.items;
	while (low.n > 1 && low.items[low.n - 1].first >= X32_BIT)
		low.n--;
	if (r == 0)
		r = emit_search(t, &low, &low_place);
	if (r < 0)
		return r;
	t->folded = emit_before(t->p, BPF_ALU | BPF_AND | BPF_K, ~X32_BIT, low_place);
	r = emit_search(t, &high, &high_place);
	if (r == 0)
		*ret = emit_comparison(t->p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, high_place,
				       low_place);
	return r;
}

/* ---- the whole ------------------------------------------------------------------- */

static int emit_arch(struct tree *t, uint32_t arch, const struct lcx__bpf_runs *runs, size_t *ret)
{
	size_t search;
	int r;

	if (runs->n == 1) {
		*ret = emit_end(t, runs->items[0].end);
		return 0;
	}
	r = arch == AUDIT_ARCH_X86_64 ? emit_with_x32(t, runs, &search)
				      : emit_search(t, runs, &search);
	if (r == 0)
		*ret = emit_before(t->p, BPF_LD | BPF_W | BPF_ABS,
				   offsetof(struct seccomp_data, nr), search);
	return r;
}

/* Architectures, each with its numbers; the first one stands for all others. */
struct sections {
	struct lcx__bpf_archs archs;
	struct lcx__bpf_runs *runs;
	size_t n;
};

static void release_sections(struct sections *s)
{
	for (size_t i = 0; s->runs && i < s->n; i++)
		free(s->runs[i].items);
	free(s->runs);
	free(s->archs.items);
}

/* Any that is not among them. */
static uint32_t other_arch(const struct lcx__bpf_archs *archs)
{
	uint32_t other = 0;

	for (size_t i = 0; i < archs->n; i++)
		other += archs->items[i] == other; /* they are in ascending order */
	return other;
}

static int find_sections(struct old *old, struct sections *s)
{
	int r = lcx__bpf_find_archs(old->code, old->n, &s->archs);

	if (r < 0)
		return r;
	s->n = s->archs.n + 1;
	s->runs = calloc(s->n, sizeof(*s->runs));
	if (!s->runs)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < s->n; i++) {
		uint32_t arch = i > 0 ? s->archs.items[i - 1] : other_arch(&s->archs);

		r = lcx__bpf_find_runs(old->code, old->n, arch, &s->runs[i]);
		if (r == 0)
			keep_ends(old, &s->runs[i]);
	}
	return r;
}

/* The last ones are looked for first, and 64-bit architectures have the higher numbers. */
static int emit_sections(struct tree *t, const struct sections *s)
{
	size_t next, place;
	int r = emit_arch(t, 0, &s->runs[0], &next);

	for (size_t i = 1; r == 0 && i < s->n; i++) {
		r = emit_arch(t, s->archs.items[i - 1], &s->runs[i], &place);
		if (r == 0)
			next = emit_comparison(t->p, BPF_JMP | BPF_JEQ | BPF_K,
					       s->archs.items[i - 1], place, next);
	}
	if (r == 0)
		(void)emit_before(t->p, BPF_LD | BPF_W | BPF_ABS,
				  offsetof(struct seccomp_data, arch), next);
	return r;
}

static int write_anew(struct program *p, const struct sock_filter *code, size_t n)
{
	CLEANUP(freep) bool *keep = calloc(n + 1, sizeof(*keep));
	CLEANUP(freep) size_t *place = calloc(n + 1, sizeof(*place));
	CLEANUP(release_sections) struct sections sections = {0};
	struct old old = {code, n, keep, place};
	struct tree tree = {.p = p, .old = &old};
	int r;

	if (!keep || !place)
		return -ENOMEM;
	if (!is_sound(code, n))
		return -EOPNOTSUPP;
	r = find_sections(&old, &sections);
	if (r < 0)
		return r;
	keep_reachable(&old);
	emit_old(p, &old);
	r = emit_sections(&tree, &sections);
	return r == 0 && p->is_full ? -E2BIG : r;
}

int lcx__seccomp_shorten(const void *filter, size_t size, void **ret, size_t *ret_size,
			  struct lcx_error **err)
{
	CLEANUP(freep) struct program *p = calloc(1, sizeof(*p));
	CLEANUP(freep) void *code = malloc(LCX__MAX_BPF_SIZE);
	size_t n = size / sizeof(struct sock_filter);
	int r;

	if (!p || !code)
		return lcx__fail_nomem(err);
	r = write_anew(p, filter, n);
	if (r == -ENOMEM)
		return lcx__fail_nomem(err);
	/* It saves time, and is not worth a profile that does not fit any more. */
	*ret_size = r < 0 ? size : p->n * sizeof(*p->code);
	memcpy(code, r < 0 ? filter : at(p, p->n), *ret_size);
	*ret = TAKE_PTR(code);
	return 0;
}
