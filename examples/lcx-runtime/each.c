/* SPDX-License-Identifier: MIT */
#include <regex.h>

#include "runtime.h"

/* Each by itself: one that fails keeps no other from its turn. */
static int call_matching(struct runtime *rt, const regex_t *regex, each_fn *fn, const void *data)
{
	CLEANUP(lcx_container_list_freep) struct lcx_container_list *list = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	const char *id;
	int code = 0;

	if (lcx_container_list_new(rt->ctx, &list, &err) < 0)
		return report_error(rt, err);
	for (uint32_t i = 0; (id = lcx_container_list_id(list, i)); i++) {
		CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;

		/* Another one may delete it meanwhile. */
		if (lcx_container_open(rt->ctx, id, &c, NULL) == 0 &&
		    regexec(regex, lcx_container_name(c), 0, NULL, 0) == 0)
			code |= fn(rt, lcx_container_name(c), data);
	}
	return code;
}

int for_each_matching(struct runtime *rt, const char *expression, each_fn *fn, const void *data)
{
	regex_t regex;
	int r = regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB), code;

	if (r != 0) {
		char words[128];

		(void)regerror(r, &regex, words, sizeof(words));
		return report(rt, "--regex: '%s' is no regular expression: %s", expression, words);
	}
	code = open_root(rt) == 0 ? call_matching(rt, &regex, fn, data) : 1;
	regfree(&regex);
	return code;
}
