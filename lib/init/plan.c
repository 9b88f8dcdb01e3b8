/* SPDX-License-Identifier: MIT */
#include "init/plan-internal.h"

#include <stdlib.h>
#include <string.h>

#include "util/weaken.h"

static const struct {
	const char *stage, *text;
} op_words[] = {
#define X(name, stage, text) [PLAN_##name] = {stage, text},
	PLAN_OPS(X)
#undef X
};
_Static_assert(ARRAY_SIZE(op_words) == PLAN_N_CODES, "each operation has words");

int lcx__plan_new(struct lcx__plan **ret, struct lcx_error **err)
{
	struct lcx__plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return lcx__fail_nomem(err);
	/* Offset 0 means "none". */
	lcx__strbuf_add(&plan->data, "\0\0\0\0\0\0\0", 8);
	*ret = plan;
	return 0;
}

struct lcx__plan *lcx__plan_free(struct lcx__plan *plan)
{
	if (!plan)
		return NULL;
	lcx__strbuf_free(&plan->data);
	free(plan->ops);
	free(plan);
	return NULL;
}

struct plan_op *lcx__plan_add(struct lcx__plan *plan, enum plan_code code)
{
	struct plan_op *op = &plan->spare;

	if (plan->n_ops == plan->ops_size) {
		uint32_t size = plan->ops_size ? plan->ops_size * 2 : 64;
		struct plan_op *bigger = realloc(plan->ops, size * sizeof(*bigger));

		if (bigger) {
			plan->ops = bigger;
			plan->ops_size = size;
		}
	}
	if (plan->n_ops < plan->ops_size)
		op = &plan->ops[plan->n_ops++];
	else
		plan->failed = true;
	*op = (struct plan_op){.code = (uint16_t)code, .fd = -1};
	return op;
}

/* Everything starts at a multiple of eight, as vectors and numbers need it. */
static uint32_t add_data(struct lcx__plan *plan, const void *data, size_t length)
{
	static const char zeros[8];
	uint32_t offset;

	lcx__strbuf_add(&plan->data, zeros, -plan->data.length & 7);
	offset = (uint32_t)plan->data.length;
	lcx__strbuf_add(&plan->data, data, length);
	if (plan->data.failed || plan->data.length > LCX__PLAN_MAX_SIZE)
		plan->failed = true;
	return offset;
}

uint32_t lcx__plan_data(struct lcx__plan *plan, const void *data, size_t length)
{
	return add_data(plan, data, length);
}

uint32_t lcx__plan_string(struct lcx__plan *plan, const char *text)
{
	return text ? add_data(plan, text, strlen(text) + 1) : 0;
}

uint32_t lcx__plan_format(struct lcx__plan *plan, const char *format, ...)
{
	CLEANUP(freep) char *text = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0) {
		text = NULL;
		plan->failed = true;
	}
	return lcx__plan_string(plan, text);
}

uint32_t lcx__plan_vector(struct lcx__plan *plan, const char *const *strings, uint32_t *ret_n)
{
	CLEANUP(freep) uint64_t *offsets = NULL;
	uint32_t n = 0;

	while (strings && strings[n])
		n++;
	*ret_n = n;
	offsets = calloc(n + 1, sizeof(*offsets));
	if (!offsets) {
		plan->failed = true;
		return 0;
	}
	/* Strings stand behind header and operations, whose size is known only at the end. */
	for (uint32_t i = 0; i < n; i++)
		offsets[i] = lcx__plan_string(plan, strings[i]);
	if (plan->n_vectors == ARRAY_SIZE(plan->vectors)) {
		plan->failed = true;
		return 0;
	}
	plan->vectors[plan->n_vectors].n = n;
	plan->vectors[plan->n_vectors].offset = add_data(plan, offsets, (n + 1) * sizeof(*offsets));
	return plan->vectors[plan->n_vectors++].offset;
}

int lcx__plan_fd(struct lcx__plan *plan, int fd)
{
	if (fd < 0)
		return -1;
	if (plan->n_fds == ARRAY_SIZE(plan->fds)) {
		plan->failed = true;
		return -1;
	}
	plan->fds[plan->n_fds] = fd;
	return PLAN_FD_FIRST + plan->n_fds++;
}

int lcx__plan_fd_failed(struct lcx__plan *plan)
{
	plan->failed = true;
	return -1;
}

void lcx__plan_set_trace(struct lcx__plan *plan, bool trace)
{
	plan->trace = trace;
}

const char *lcx__plan_stage(const struct lcx__plan *plan, uint32_t op)
{
	return op < plan->n_ops ? op_words[plan->ops[op].code].stage : "";
}

const char *lcx__plan_code_stage(uint32_t code)
{
	return code < PLAN_N_CODES ? op_words[code].stage : "";
}

static const char *op_string(const struct lcx__plan *plan, const struct plan_op *op, int index)
{
	return op->str[index] ? plan->data.text + op->str[index] : "";
}

void lcx__plan_describe(const struct lcx__plan *plan, uint32_t op_index, char *text, size_t size)
{
	const struct plan_op *op = op_index < plan->n_ops ? &plan->ops[op_index] : NULL;
	const char *from = op ? op_words[op->code].text : "unknown operation";
	size_t used = 0;

	while (*from && used + 1 < size) {
		if (op && from[0] == '{' && from[2] == '}') {
			int n = from[1] == 'n' ? snprintf(text + used, size - used, "%llu",
							  (unsigned long long)op->num[0])
					       : snprintf(text + used, size - used, "%s",
							  op_string(plan, op, from[1] - '0'));

			used += n < 0 ? 0 : (size_t)n < size - used ? (size_t)n : size - used - 1;
			from += 3;
		} else {
			text[used++] = *from++;
		}
	}
	text[used] = '\0';
}

/* Offsets were counted from the start of the data; the blob starts with header and operations. */
int lcx__plan_pack(const struct lcx__plan *plan, char **ret, size_t *ret_size,
		   struct lcx_error **err)
{
	size_t head = sizeof(struct plan_header) + plan->n_ops * sizeof(struct plan_op);
	size_t size = head + plan->data.length;
	struct plan_header *header;
	struct plan_op *ops;
	char *blob;

	if (plan->failed)
		return lcx__fail(err,
				 plan->data.length > LCX__PLAN_MAX_SIZE ||
						 plan->n_fds == LCX__PLAN_MAX_FDS
					 ? E2BIG
					 : ENOMEM,
				 "the launch plan does not fit; it has %zu bytes, %u operations "
				 "and %d descriptors",
				 plan->data.length, plan->n_ops, plan->n_fds);
	blob = malloc(size);
	if (!blob)
		return lcx__fail_nomem(err);

	header = (struct plan_header *)blob;
	*header = (struct plan_header){PLAN_MAGIC, (uint32_t)size, plan->n_ops, plan->trace};
#if LCX_WEAKEN
	header->weakened = lcx__weakened();
#endif
	ops = (struct plan_op *)(header + 1);
	if (plan->n_ops)
		memcpy(ops, plan->ops, plan->n_ops * sizeof(*ops));
	memcpy(blob + head, plan->data.text, plan->data.length);
	for (uint32_t i = 0; i < plan->n_ops; i++)
		for (size_t s = 0; s < ARRAY_SIZE(ops[i].str); s++)
			if (ops[i].str[s])
				ops[i].str[s] += (uint32_t)head;
	for (uint32_t v = 0; v < plan->n_vectors; v++) {
		uint64_t *vector = (uint64_t *)(blob + head + plan->vectors[v].offset);

		for (uint32_t i = 0; i < plan->vectors[v].n; i++)
			vector[i] += head;
	}
	*ret = blob;
	*ret_size = size;
	return 0;
}
