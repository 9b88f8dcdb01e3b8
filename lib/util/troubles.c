/* SPDX-License-Identifier: MIT */
#include "util/troubles.h"

void lcx__troubles_add(struct lcx__troubles *troubles, int r, struct lcx_error **err)
{
	if (r < 0) {
		if (troubles->result == 0)
			troubles->result = r;
		else
			lcx__strbuf_adds(&troubles->words, "; ");
		lcx__strbuf_adds(&troubles->words, lcx_error_message(*err));
	}
	*err = lcx_error_free(*err);
}

int lcx__troubles_end(struct lcx__troubles *troubles, struct lcx_error **err)
{
	CLEANUP(freep) char *words = lcx__strbuf_take(&troubles->words);
	int r = troubles->result;

	*troubles = TROUBLES_NONE;
	return r < 0 ? lcx__fail(err, -r, "%s", words ? words : "several failures") : 0;
}
