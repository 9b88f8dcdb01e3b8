/* SPDX-License-Identifier: MIT */
#ifndef LCX_TEST_SCENARIOS_H
#define LCX_TEST_SCENARIOS_H

#include "crash.h"

/* What the scenarios share with what is around them. */

struct lcx_ctx;
struct lcx_error;

extern const char *const to_sleep[];

/** say() - print the words for a failure, and forget them. Return: @r */
int say(const char *what, int r, struct lcx_error **err);
/** open_ctx() - NULL after saying why not */
struct lcx_ctx *open_ctx(void);
/** make_container() - on the layers of the image if there is one */
int make_container(const char *name, const char *network, const char *const *argv, bool started);

int run_life_with_users(void);
int run_make_network(void);
int run_make_volume(void);
int run_unpack(void);

#endif /* LCX_TEST_SCENARIOS_H */
