/* SPDX-License-Identifier: MIT */
#include "container/start/start.h"

/* What a start was made of, and how long each part took: for whoever looks for lost time. */

void lcx__add_step(struct lcx_container *c, const char *indent, const char *name, int64_t ns)
{
	struct step *bigger = realloc(c->steps, (c->n_steps + 1) * sizeof(*bigger));
	char *text = lcx__format("%s%s", indent, name);

	if (bigger)
		c->steps = bigger;
	if (!bigger || !text) {
		free(text);
		return; /* a diagnosis that is short of memory is short */
	}
	c->steps[c->n_steps++] = (struct step){.name = text, .ns = ns};
}

void lcx__forget_steps(struct lcx_container *c)
{
	while (c->n_steps > 0)
		free(c->steps[--c->n_steps].name);
}

LCX_PUBLIC uint32_t lcx_container_step_count(const struct lcx_container *c)
{
	return c->n_steps;
}

LCX_PUBLIC const char *lcx_container_step_name(const struct lcx_container *c, uint32_t index)
{
	return index < c->n_steps ? c->steps[index].name : NULL;
}

LCX_PUBLIC int64_t lcx_container_step_ns(const struct lcx_container *c, uint32_t index)
{
	return index < c->n_steps ? c->steps[index].ns : 0;
}
