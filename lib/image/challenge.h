/* SPDX-License-Identifier: MIT */
#pragma once

/* WWW-Authenticate (RFC 9110, 11.6.1), as registries send it. */

#include "util/error.h"

struct lcx__challenge {
	enum { LCX__CHALLENGE_NONE, LCX__CHALLENGE_BASIC, LCX__CHALLENGE_BEARER } scheme;
	char *realm, *service; /* of bearer; service may be NULL */
};

/*
 * Read one header's value, which may hold several challenges, and keep the best one
 * that is understood: bearer before basic. What isn't understood is skipped; only
 * -ENOMEM is returned. @ret is to be cleared by lcx__challenge_clear() in any case.
 */
int lcx__challenge_parse(const char *value, struct lcx__challenge *ret);
void lcx__challenge_clear(struct lcx__challenge *challenge);
