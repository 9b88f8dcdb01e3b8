/* SPDX-License-Identifier: MIT */

/* Any text as the configuration of an image: what is accepted has all its members, and chain ids.
 */
#include <stdint.h>
#include <string.h>

#include "image/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct lcx__config *c)
{
	struct lcx__digest digest;

	if (!c->os || !c->architecture || !c->variant || !c->author || !c->entrypoint || !c->cmd ||
	    !c->env || !c->exposed_ports || !c->volumes || !c->working_dir || !c->user ||
	    !c->stop_signal || c->n_diff_ids > LCX__LAYERS_MAX)
		__builtin_trap();
	for (size_t i = 0; i < c->n_diff_ids; i++)
		if (lcx__digest_parse(c->diff_ids[i].text, &digest) < 0 ||
		    lcx__digest_parse(c->chain_ids[i].text, &digest) < 0)
			__builtin_trap();
	for (size_t i = 0; i < c->n_labels; i++)
		if (!c->labels[i].name || !c->labels[i].value)
			__builtin_trap();
	for (size_t i = 0; i < c->n_history; i++)
		if (!c->history[i].created_by || !c->history[i].author || !c->history[i].comment)
			__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(lcx__config_freep) struct lcx__config *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	if (lcx__config_parse((const char *)data, size, &c, &err) == 0)
		check(c);
	return 0;
}
